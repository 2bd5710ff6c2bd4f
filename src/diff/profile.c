/* SPDX-License-Identifier: GPL-2.0 */
/* The costs of one recording, collected as a sink of its join. See profile.h. */
#include "diff/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "join/account.h"
#include "join/lookup.h"

#define FIRST_WINDOW_NS	1000000ull	/* doubles until the recording has room */

/* What the sink is passed, as far as it decides which cost it is. */
struct seen_key {
	uint32_t	kind, chain;
	uint32_t	detail;
	uint16_t	branch;
	uint8_t		detail_kind, cost, part;
};

struct seen {
	struct seen_key	key;
	uint32_t	cost;		/* index */
};

struct profile_taker {
	struct sink		 sink;
	struct profile		*profile;
	struct join		*join;
	struct frame_names	*names;
	struct hash_table	 by_key;	/* cost index + 1, by its content */
	struct hash_table	 by_seen;	/* seen index + 1 */
	struct seen		*seen;
	size_t			 nr_seen, room_seen;
	struct seen_key		 last;		/* most often the next one is the same */
	uint32_t		 last_cost;
	bool			 has_last;
	uint64_t		 now;		/* up to where it has been read */
	uint64_t		 asked;		/* the life whose wait for a request ends next */
};

/* ---- windows ---- */

static void halve(uint64_t window[PROFILE_WINDOWS])
{
	for (size_t i = 0; i < PROFILE_WINDOWS / 2; i++)
		window[i] = window[2 * i] + window[2 * i + 1];
	memset(window + PROFILE_WINDOWS / 2, 0, PROFILE_WINDOWS / 2 * sizeof(*window));
}

/* The window at @at, ns since the begin. They get wider until it is the last one at most. */
static size_t window_at(struct profile *p, uint64_t at)
{
	size_t i;

	while (at / p->window_ns >= PROFILE_WINDOWS) {
		for (i = 0; i < p->nr; i++)
			halve(p->costs[i].window);
		halve(p->request_window);
		p->window_ns *= 2;
		p->nr_windows = (p->nr_windows + 1) / 2;
	}
	i = (size_t)(at / p->window_ns);
	if (i >= p->nr_windows)
		p->nr_windows = (uint32_t)i + 1;
	return i;
}

/* Adds @amount, which began at @from and lasted for @ns, to a cost or to the requests. */
static void spread(struct profile_taker *t, uint64_t *all, uint64_t *window, uint64_t amount,
		   uint64_t from, uint64_t ns)
{
	uint64_t begin = join__begin(t->join), to = from + ns, last;
	struct profile *p = t->profile;

	*all += amount;
	if (!p->window_ns)
		return;
	from = from > begin ? from - begin : 0;
	to = to > begin ? to - begin : 0;
	last = window_at(p, to > from ? to - 1 : from);
	for (uint64_t i = from / p->window_ns; i < last && ns; i++) {
		uint64_t part = (i + 1) * p->window_ns - from;

		window[i] += part;
		amount -= part;
		from += part;
	}
	window[last] += amount;
}

/* ---- costs ---- */

/* The cost with @key, which is created. Its index, or -ENOMEM. */
static int64_t cost_of(struct profile_taker *t, const struct cost_key *key)
{
	uint64_t hash = hash_table__key(&t->by_key, (const char *)key, sizeof(*key));
	struct profile *p = t->profile;

	for (;; hash++) {
		struct hash_slot *slot = hash_table__at(&t->by_key, hash);

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			if (array__room(&p->costs, &p->room, p->nr, sizeof(*p->costs)))
				return -ENOMEM;
			p->costs[p->nr] = (struct cost){ .key = *key };
			slot->value = ++p->nr;
		}
		if (!memcmp(&p->costs[slot->value - 1].key, key, sizeof(*key)))
			return (int64_t)slot->value - 1;
	}
}

/* @text as one of the names; "" stays "". NULL: no memory. */
static const char *name(struct profile_taker *t, const char *text)
{
	return *text ? frame_names__safe(t->names, text) : "";
}

static int place(struct profile_taker *t, const struct join_place *at, const char *what,
		 struct cost_key *out)
{
	out->function = name(t, at->function);
	out->path = name(t, at->path);
	out->line = at->line;
	out->what = name(t, what);
	return out->function && out->path && out->what ? 0 : -ENOMEM;
}

static int wait_place(struct profile_taker *t, const struct seen_key *seen, struct cost_key *out)
{
	struct join_place at;
	const char *leaf;
	int err = join__wait_place(t->join, seen->kind, seen->chain, seen->branch, &at, &leaf);

	return err ? err : place(t, &at, leaf, out);
}

static int sleep_place(struct profile_taker *t, const struct seen_key *seen, struct cost_key *out)
{
	struct join_sleep sleep;
	int err;

	if (seen->detail_kind != DETAIL_SLEEP)
		return 0;
	err = join__sleep(t->join, seen->detail, &sleep);
	if (err)
		return err;
	return place(t, &sleep.place, *sleep.what ? sleep.what : sleep.kernel, out);
}

/* Does the detail tell whose doing it was, in the program? Descriptors are told apart by run. */
static bool is_doer(uint8_t detail_kind)
{
	switch (detail_kind) {
	case DETAIL_NONE:
	case DETAIL_STRING:
	case DETAIL_FD:
	case DETAIL_SLEEP:
	case DETAIL_OPERATION:
	case DETAIL_OTHERS:
	case DETAIL_BY_THREAD:
	case DETAIL_BY_THREAD_AT:
		return false;
	}
	return true;
}

/* "until woken", "worker blocked: task X" */
static const char *part_name(struct profile_taker *t, const struct seen_key *seen)
{
	const char *part = seen->part == PART_NONE ? "" : part__name((enum part)seen->part);
	const char *doer;

	if (!is_doer(seen->detail_kind))
		return name(t, part);
	doer = join__detail(t->join, (struct detail){ .kind = seen->detail_kind,
						      .id = seen->detail });
	if (!doer)
		return NULL;
	return *part ? frame_names__safef(t->names, "%s: %s", part, doer) : name(t, doer);
}

/* What @seen is, in words. 0 or -ENOMEM. */
static int describe(struct profile_taker *t, const struct seen_key *seen, struct cost_key *out)
{
	struct join_kind kind;
	int err = join__kind(t->join, seen->kind, &kind);

	if (err)
		return err;
	/* compared as bytes: no padding may differ */
	memset(out, 0, sizeof(*out));
	out->kind = seen->cost;
	out->function = out->path = out->what = out->part = "";
	out->task = name(t, kind.name);
	switch (seen->cost) {
	case COST_AWAIT:
		out->idle = part__idle((enum part)seen->part);
		out->part = part_name(t, seen);
		err = wait_place(t, seen, out);
		break;
	case COST_WAITS:
		err = wait_place(t, seen, out);
		break;
	case COST_BLOCKED:
		err = sleep_place(t, seen, out);
		break;
	case COST_READY:
	case COST_UNATTRIBUTED:
		out->part = part_name(t, seen);
		break;
	}
	return err ? err : out->task && out->part ? 0 : -ENOMEM;
}

static int64_t seen_cost(struct profile_taker *t, const struct seen_key *seen)
{
	uint64_t hash = hash_table__key(&t->by_seen, (const char *)seen, sizeof(*seen));
	struct cost_key key;
	int64_t cost;
	int err;

	if (t->has_last && !memcmp(&t->last, seen, sizeof(*seen)))
		return t->last_cost;
	for (;; hash++) {
		struct hash_slot *slot = hash_table__at(&t->by_seen, hash);

		if (!slot)
			return -ENOMEM;
		if (slot->value) {
			if (memcmp(&t->seen[slot->value - 1].key, seen, sizeof(*seen)))
				continue;
			cost = t->seen[slot->value - 1].cost;
			break;
		}
		err = describe(t, seen, &key);
		if (err)
			return err;
		cost = cost_of(t, &key);
		if (cost < 0 || array__room(&t->seen, &t->room_seen, t->nr_seen, sizeof(*t->seen)))
			return -ENOMEM;
		t->seen[t->nr_seen++] = (struct seen){ *seen, (uint32_t)cost };
		slot->value = t->nr_seen;
		break;
	}
	t->last = *seen;
	t->last_cost = (uint32_t)cost;
	t->has_last = true;
	return cost;
}

static int add(struct profile_taker *t, const struct charged *of, enum cost_kind what,
	       const struct piece *piece, uint64_t amount, uint64_t from, uint64_t ns)
{
	struct seen_key seen;
	struct cost *c;
	int64_t cost;

	memset(&seen, 0, sizeof(seen));
	seen.kind = of->kind;
	seen.cost = (uint8_t)what;
	if (what == COST_AWAIT || what == COST_WAITS) {
		seen.chain = of->chain;
		seen.branch = of->branch;
	}
	if (piece) {
		seen.part = piece->part;
		seen.detail_kind = piece->detail.kind;
		seen.detail = piece->detail.id;
	}
	cost = seen_cost(t, &seen);
	if (cost < 0)
		return (int)cost;
	c = &t->profile->costs[cost];
	spread(t, &c->amount, c->window, amount, from, ns);
	return 0;
}

/* ---- the sink ---- */

static enum cost_kind cost_of_segment(uint8_t segment)
{
	static const uint8_t costs[JOIN_SEGMENT_NR] = {
		[JOIN_RUNNING] = COST_RUNNING,	   [JOIN_PREEMPTED] = COST_PREEMPTED,
		[JOIN_BLOCKED] = COST_BLOCKED,	   [JOIN_AWAIT] = COST_AWAIT,
		[JOIN_READY] = COST_READY,	   [JOIN_UNATTRIBUTED] = COST_UNATTRIBUTED,
	};

	return (enum cost_kind)costs[segment];
}

/* What a wait waits for is there: the rest is the worker's. */
static bool is_worker(uint8_t part)
{
	switch (part) {
	case PART_RUN_QUEUE:
	case PART_BUSY:
	case PART_WORKER_BLOCKED:
	case PART_PARKED:
	case PART_EPOLL:
	case PART_DISPATCH:
	case PART_TIMER_LATE:
	case PART_IO_URING:
	case PART_HISTORY:
		return true;
	}
	return false;
}

static enum cost_kind cost_of_piece(const struct piece *p)
{
	if (p->segment == JOIN_AWAIT && is_worker(p->part))
		return COST_READY;
	return cost_of_segment(p->segment);
}

static struct profile_taker *taker_of(struct sink *s)
{
	return (struct profile_taker *)s;	/* its first member */
}

static int interval(struct sink *s, const struct task_interval *iv)
{
	struct profile_taker *t = taker_of(s);
	const struct piece *p = &iv->piece;

	if (t->profile->window_ns)
		t->now = p->from + p->ns;
	if (p->segment == JOIN_AWAIT && p->part == PART_NO_REQUEST)
		t->asked = iv->of.life;
	return add(t, &iv->of, cost_of_piece(p), p, p->ns, p->from, p->ns);
}

static int wait(struct sink *s, const struct charged *of, enum wait_end wait, uint64_t ns)
{
	struct profile_taker *t = taker_of(s);
	struct profile *p = t->profile;

	(void)ns;
	if (wait != WAIT_FINISHED && wait != WAIT_OPEN)
		return 0;
	if (t->asked == of->life) {
		t->asked = 0;
		if (wait == WAIT_FINISHED)
			spread(t, &p->requests, p->request_window, 1, t->now, 0);
	}
	return wait == WAIT_FINISHED ? add(t, of, COST_WAITS, NULL, 1, t->now, 0) : 0;
}

static int moment(struct sink *s, const struct task_moment *m)
{
	struct profile_taker *t = taker_of(s);

	if (m->what == MOMENT_POLLED)
		return add(t, &m->of, COST_POLLS, NULL, 1, m->at, 0);
	if (m->what == MOMENT_ENDED)
		return add(t, &m->of, COST_TASKS, NULL, 1, m->at, 0);
	return 0;
}

static const struct sink_ops ops = { .interval = interval, .wait = wait, .moment = moment };
static const struct sink_ops ops_placed = { .placed = true, .interval = interval, .wait = wait,
					    .moment = moment };

/* ---- a profile ---- */

int profile__new(struct frame_names *names, bool windows, struct profile **out)
{
	struct profile *p = calloc(1, sizeof(*p));
	struct profile_taker *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!p || !t) {
		free(p);
		free(t);
		return -ENOMEM;
	}
	p->taker = t;
	p->window_ns = windows ? FIRST_WINDOW_NS : 0;
	t->profile = p;
	t->names = names;
	t->sink.ops = windows ? &ops_placed : &ops;
	*out = p;
	return 0;
}

struct sink *profile__sink(struct profile *p, struct join *j)
{
	p->taker->join = j;
	return &p->taker->sink;
}

static void taker__free(struct profile_taker *t)
{
	if (!t)
		return;
	hash_table__clear(&t->by_key);
	hash_table__clear(&t->by_seen);
	free(t->seen);
	free(t);
}

static const char *kept(struct profile_taker *t, const char *text)
{
	return text && *text ? frame_names__safe(t->names, text) : "";
}

int profile__finish(struct profile *p, const struct trace_reader *r)
{
	const struct trace_host *host = trace_reader__host(r);
	const struct trace_totals *ended = trace_reader__totals(r);
	const struct join_totals *totals = join__totals(p->taker->join);
	struct profile_facts *f = &p->facts;
	const struct join_sum *losses;
	size_t nr;

	f->comm = kept(p->taker, host->comm);
	f->build_id = kept(p->taker, host->build_id);
	f->tier = kept(p->taker, host->tier);
	f->kernel = kept(p->taker, host->kernel);
	f->machine = kept(p->taker, host->machine);
	f->pid = host->pid;
	f->attach_ts = host->attach_ts;
	f->realtime_ns = host->realtime_ns;
	f->nr_cpus = host->nr_cpus;
	f->nr_workers = join__workers(p->taker->join);
	f->wall_ns = totals->wall_ns;
	f->tasks = totals->tasks_seen;
	f->events = totals->events;
	f->task_ns = totals->lifetime_ns;
	f->unattributed_ns = totals->segments[JOIN_UNATTRIBUTED];
	f->torn = trace_reader__torn(r);
	if (ended) {
		f->target_cpu_ns = ended->target_cpu_ns;
		f->dwell_cpu_ns = ended->cpu_ns;
	}
	losses = join__losses(p->taker->join, &nr);
	for (size_t i = 0; i < nr; i++)
		f->lost += losses[i].ns;
	for (size_t i = 0; i < p->nr; i++)
		f->waits |= p->costs[i].key.kind == COST_AWAIT;
	for (size_t i = 0; i < p->nr; i++)
		f->idle_ns += p->costs[i].key.idle ? p->costs[i].amount : 0;
	taker__free(p->taker);
	p->taker = NULL;
	return f->comm && f->build_id && f->tier && f->kernel && f->machine ? 0 : -ENOMEM;
}

void profile__free(struct profile *p)
{
	if (!p)
		return;
	taker__free(p->taker);
	free(p->costs);
	free(p);
}
