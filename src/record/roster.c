/* SPDX-License-Identifier: GPL-2.0 */
/* Writes the tasks that exist into the recording. See roster.h. */
#include "record/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "base/array.h"
#include "base/clock.h"
#include "dwell.skel.h"
#include "kernel-events/fd.h"
#include "kernel-events/process.h"
#include "kernel-events/source.h"
#include "inspect/alive.h"
#include "record/chain.h"
#include "inspect/under_way.h"
#include "inspect/walk.h"

#define OFFERS		512		/* events kept that may lead to a list */
#define OFFERS_NS	2000000000ull	/* for how long they are collected */
#define WAITS_NS	500000000ull	/* how long to wait for an event that leads to a list */
#define CHAINS		4096		/* ids cached, to ask the kernel's map less */
#define TOKENS_AT_ONCE	16		/* descriptors between two checks of the clock */
#define SEED_ROUNDS	8
#define LOOKS		16		/* retries for a thread whose stack changes meanwhile */
#define LOOK_NS		200000		/* between the retries */
#define START_NS	500000000ull	/* for all threads, before the first poll of the rings */
#define FINISH_NS	1000000000ull	/* for all descriptors, at the end */
/*
 * After a loss, the lists are read twice. A list whose first part changes while it is
 * read may seem to end early, but not twice at the same task.
 */
#define LOSS_PASSES	2
#define LOSS_NS		100000000ull	/* from a loss to the first pass, and between the two */

struct known_chain {
	uint64_t	hash;
	uint32_t	id;
};

/* A poll that a thread was found in. */
struct found_poll {
	uint32_t	tid;
	uint32_t	fn;
	uint64_t	task;
	bool		root;
	bool		seeded;		/* its end will be seen */
};

/* A Pending root that was found on a thread. */
struct found_root {
	uint32_t		tid;
	uint32_t		fn;
	uint32_t		around;		/* number of polls around it */
	bool			seeded;		/* not polled since */
	uint64_t		task;
	struct walk_chain	chain;
	bool			written;	/* to the recording */
};

struct roster {
	struct roster_opts	 opts;
	struct dwell_bpf	*skel;
	struct alive		*alive;		/* NULL: nothing can be read */
	struct under_way	*under_way;
	struct found_poll	*polls;
	size_t			 nr_polls, polls_room;
	struct found_root	*roots;
	size_t			 nr_roots, roots_room;
	struct walker		*walker;
	size_t			 poll_at;	/* behind the last one that was taken over */
	/* threads in polls; those of them that were set up */
	unsigned int		 polling, seeded;
	unsigned int		 untold;	/* threads in polls whose task is not known */
	unsigned int		 unlooked;	/* threads that there was no time for */
	/* threads whose stacks changed while they were read */
	uint32_t		*moving;
	size_t			 nr_moving, moving_room;
	uint64_t		*tokens;	/* of the descriptors whose waiters are read */
	size_t			 nr_tokens, token_at;
	unsigned int		 offers;
	uint64_t		 offers_from;	/* since when events are collected */
	bool			 polled;	/* some task has been polled */
	bool			 busy;		/* a pass is in progress */
	bool			 partial;	/* the pass is of new lists only */
	bool			 incomplete;	/* some pass could not be completed */
	bool			 late;		/* at the end, not all descriptors could be read */
	unsigned int		 passes;	/* passes still to be made because of a loss */
	uint64_t		 next_pass;	/* time of the next one */
	uint64_t		 pass_began;
	struct known_chain	 chains[CHAINS];
};

/* ---- chains ---- */

static int define_chain(struct roster *r, const struct walk_chain *walk, uint32_t id)
{
	struct trace_node nodes[CHAIN_MAX_NODES];
	struct trace_chain c = { .id = id, .nodes = nodes };

	c.nr = chain_resolve(r->opts.img, walk->tokens, walk->nr_tokens, nodes, &c.task);
	return trace_writer__chain(r->opts.trace, &c);
}

/* The chain's id, the same as in the BPF programs; a new chain is defined in the file. */
static int chain_of(struct roster *r, const struct walk_chain *walk, uint32_t *id)
{
	struct known_chain *k = &r->chains[walk->hash % CHAINS];
	int map = bpf_map__fd(r->skel->maps.chains), err = 0;

	*id = 0;
	if (!walk->nr_tokens)
		return 0;
	if (k->hash == walk->hash && k->id) {
		*id = k->id;
		return 0;
	}
	if (bpf_map_lookup_elem(map, &walk->hash, id)) {
		*id = __atomic_add_fetch(&r->skel->bss->next_chain, 1, __ATOMIC_SEQ_CST);
		if (!bpf_map_update_elem(map, &walk->hash, id, BPF_NOEXIST))
			err = define_chain(r, walk, *id);
		else if (bpf_map_lookup_elem(map, &walk->hash, id))
			*id = 0;
		if (!*id)
			attach__count_loss(r->opts.attach, LOSS_CHAIN_MAP);
	}
	if (!err && *id)
		*k = (struct known_chain){ walk->hash, *id };
	return err;
}

/* ---- tasks in lists ---- */

/* @tid: the thread that blocks on it if it is a root, else 0. */
static int write_seen(struct roster *r, const struct alive_task *t, uint32_t tid)
{
	struct trace_event ev = { .ts = t->ts, .tid = tid, .type = TRACE_TASK_SEEN };
	int err = 0;

	ev.seen.task = t->task;
	ev.seen.kind = r->opts.kinds[t->fn];
	ev.seen.state = t->known ? t->state : TRACE_TASK_UNKNOWN;
	if (t->known && t->state == TRACE_TASK_IDLE) {
		err = chain_of(r, &t->chain, &ev.seen.chain);
		ev.seen.nr_keys = (uint8_t)t->chain.nr_keys;
		ev.seen.keys = t->chain.keys;
		/* As at the end of a poll: epoll's events have to tell what it waits for. */
		if (t->chain.blind && !r->skel->bss->wakers_wanted)
			r->skel->bss->wakers_wanted = true;
	}
	return err < 0 ? err : trace_writer__event(r->opts.trace, &ev);
}

static int seen_task(void *ctx, const struct alive_task *t)
{
	return write_seen(ctx, t, 0);
}

/* ---- polls under way ---- */

static int add_poll(struct roster *r, uint32_t tid, uint64_t task, uint32_t fn, bool root)
{
	if (array__room(&r->polls, &r->polls_room, r->nr_polls, sizeof(*r->polls)))
		return -ENOMEM;
	r->polls[r->nr_polls++] = (struct found_poll){ .tid = tid, .fn = fn, .task = task,
						       .root = root };
	return 0;
}

/* A Pending root does not change unless it is polled; if it was, it is not written. */
static int add_root(struct roster *r, uint32_t tid, const struct raw_under_way *w,
		    unsigned int around)
{
	const struct walk_cell *cells;
	const struct image_fn *fns;
	struct walk_answer answer;
	struct found_root *f;
	size_t nr_fns, nr;

	fns = image__fns(r->opts.img, &nr_fns);
	cells = image__cells(r->opts.img, &nr);
	if (w->pending[around].fn >= nr_fns || fns[w->pending[around].fn].cell >= nr)
		return 0;
	if (array__room(&r->roots, &r->roots_room, r->nr_roots, sizeof(*r->roots)))
		return -ENOMEM;
	f = &r->roots[r->nr_roots++];
	*f = (struct found_root){ .tid = tid, .fn = w->pending[around].fn, .around = around,
				  .task = w->pending[around].task };
	walker__task(r->walker, &cells[fns[f->fn].cell], f->task, NULL, 0, &answer);
	f->chain = answer.chain;
	return 0;
}

static int look_at_thread(void *ctx, const void *record)
{
	const struct raw_thread_regs *regs = record;
	struct roster *r = ctx;
	uint64_t until = r->opts.attach_ts + START_NS;
	int err = 0;

	if (r->alive)
		err = alive__leave_out(r->alive, regs->sp, regs->fs);
	if (err < 0)
		return err;
	if (clock__now() > until) {
		r->unlooked++;
		return 0;
	}
	if (regs->fs && r->alive)
		err = alive__thread(r->alive, regs->fs, until);
	if (!err && regs->sp && r->alive)
		err = alive__stack(r->alive, regs->sp, until);
	if (err < 0)
		return err;
	err = under_way__look(r->under_way, regs);
	if (err <= 0)
		return err;
	if (array__room(&r->moving, &r->moving_room, r->nr_moving, sizeof(*r->moving)))
		return -ENOMEM;
	r->moving[r->nr_moving++] = regs->tid;
	return 0;
}

static int look_again(void *ctx, const void *record)
{
	const struct raw_thread_regs *regs = record;
	struct roster *r = ctx;
	int err;

	for (size_t i = 0; i < r->nr_moving; i++) {
		if (r->moving[i] != regs->tid)
			continue;
		err = under_way__look(r->under_way, regs);
		if (!err)
			r->moving[i] = r->moving[--r->nr_moving];
		return err < 0 ? err : 0;
	}
	return 0;
}

static int look_at_threads(struct roster *r)
{
	static const struct timespec pause = { .tv_nsec = LOOK_NS };
	struct bpf_program *regs = r->skel->progs.thread_regs;
	int err = source_iterate(regs, 0, sizeof(struct raw_thread_regs), look_at_thread, r);

	for (unsigned int i = 0; i < LOOKS && r->nr_moving && !err; i++) {
		nanosleep(&pause, NULL);
		err = source_iterate(regs, 0, sizeof(struct raw_thread_regs), look_again, r);
	}
	return err;
}

/* After all threads have been read: passes the polls that they are in to the BPF programs. */
static int settle_polls(struct roster *r)
{
	int map = bpf_map__fd(r->skel->maps.under_way), err;
	struct raw_under_way w;
	uint32_t tid;

	err = under_way__settle(r->under_way);
	if (err < 0)
		return err;
	r->untold = (unsigned int)err;
	while (under_way__next(r->under_way, &tid, &w)) {
		r->polling++;
		if (bpf_map_update_elem(map, &tid, &w, BPF_ANY))
			continue;
		for (unsigned int i = 0; i < w.nr; i++) {
			err = add_poll(r, tid, w.polls[i].task, w.polls[i].fn, w.polls[i].root);
			if (err)
				return err;
		}
		for (unsigned int i = 0; i < RAW_UNDER_WAY; i++) {
			err = w.pending[i].task ? add_root(r, tid, &w, i) : 0;
			if (err)
				return err;
		}
	}
	return 0;
}

/*
 * Callback: the BPF programs have taken over a thread's polls. The order of the threads
 * is that of the polls.
 */
static int taken_over(void *arg, const void *record)
{
	struct roster *r = arg;
	const struct raw_seeded *s = record;
	size_t end;

	r->seeded++;
	for (size_t i = 0; i < r->nr_roots; i++)
		if (r->roots[i].tid == s->tid && s->pending & 1u << r->roots[i].around)
			r->roots[i].seeded = true;
	for (size_t i = 0; i < r->nr_polls; i++) {
		size_t at = (r->poll_at + i) % r->nr_polls;

		if (r->polls[at].tid != s->tid)
			continue;
		end = at + s->nr < r->nr_polls ? at + s->nr : r->nr_polls;
		for (r->poll_at = at; r->poll_at < end; r->poll_at++)
			r->polls[r->poll_at].seeded = true;
		break;
	}
	return 0;
}

static int write_root(struct roster *r, struct found_root *root)
{
	struct alive_task t = { .state = TRACE_TASK_IDLE, .known = true, .task = root->task,
				.fn = root->fn, .ts = r->opts.attach_ts, .chain = root->chain };

	if (!root->seeded || root->written)
		return 0;
	r->polled = root->written = true;
	return write_seen(r, &t, root->tid);
}

/* Writes the roots that were Pending at attach: on thread @tid with @around polls around them. */
static int write_roots_in(struct roster *r, uint32_t tid, uint32_t around)
{
	int err = 0;

	for (size_t i = 0; i < r->nr_roots && !err; i++)
		if (r->roots[i].tid == tid && r->roots[i].around == around)
			err = write_root(r, &r->roots[i]);
	return err;
}

/* The rest of them. */
static int write_roots(struct roster *r)
{
	int err = 0;

	for (size_t i = 0; i < r->nr_roots && !err; i++)
		err = write_root(r, &r->roots[i]);
	return err;
}

/*
 * In the recording, polls that were found in progress begin at attach. Their ends are
 * seen from the moment on at which the BPF programs know of them; a poll that is still
 * in progress then has not ended unseen.
 */
static int write_polls(struct roster *r)
{
	struct trace_event ev = { .ts = r->opts.attach_ts, .type = TRACE_POLL_BEGIN };
	uint32_t depth = 0;
	int err = 0;

	/* a thread that is in a new poll inside of these will soon leave it */
	for (unsigned int i = 0; i < SEED_ROUNDS && r->seeded < r->polling && !err; i++)
		err = source_iterate(r->skel->progs.seed_polls, 0, sizeof(struct raw_seeded),
				     taken_over, r);
	r->untold += r->polling - r->seeded;
	for (size_t i = 0; i < r->nr_polls && !err; i++) {
		const struct found_poll *p = &r->polls[i];
		uint32_t fn = p->fn;

		depth = i && r->polls[i - 1].tid == p->tid ? depth + 1 : 0;
		/* A root whose thread polls from its frame is no reason for that to sleep. */
		err = write_roots_in(r, p->tid, depth);
		if (err)
			return err;
		if (!p->seeded || (!p->root && (!alive__polled(r->alive, p->task, &fn) ||
						fn != p->fn)))
			continue;
		ev.tid = p->tid;
		ev.poll.task = p->task;
		ev.poll.kind = r->opts.kinds[fn];
		r->polled = true;
		err = trace_writer__event(r->opts.trace, &ev);
	}
	return err;
}

/* ---- descriptors ---- */

/* Reads the tokens of all descriptors that are in epoll now. */
static int take_tokens(struct roster *r)
{
	int map = bpf_map__fd(r->skel->maps.tokens);
	uint64_t *tokens = calloc(MAX_FDS, sizeof(*tokens)), *at = NULL;

	free(r->tokens);
	r->tokens = tokens;
	r->nr_tokens = r->token_at = 0;
	if (!tokens)
		return -ENOMEM;
	while (r->nr_tokens < MAX_FDS && !bpf_map_get_next_key(map, at, &tokens[r->nr_tokens]))
		at = &tokens[r->nr_tokens++];
	return 0;
}

struct at_token {
	struct roster	*roster;
	uint64_t	 token, ts;
};

static int write_waiter(void *ctx, uint64_t task, unsigned int dir)
{
	const struct at_token *at = ctx;
	struct trace_event ev = { .ts = at->ts, .type = TRACE_FD_WAITER };

	ev.waiter.token = at->token;
	ev.waiter.task = task;
	ev.waiter.dir = (uint8_t)dir;
	return trace_writer__event(at->roster->opts.trace, &ev);
}

/*
 * Reads the next few descriptors: who waits there and, if @lists, which lists those
 * tasks are in.
 */
static int step_tokens(struct roster *r, bool lists)
{
	int err = 0;

	for (int i = 0; i < TOKENS_AT_ONCE && r->token_at < r->nr_tokens && !err; i++) {
		struct at_token at = { r, r->tokens[r->token_at++], clock__now() };

		if (lists)
			err = alive__token(r->alive, at.token);
		if (!err)
			err = alive__waiters(r->alive, at.token, write_waiter, &at);
	}
	return err;
}

/* ---- passes ---- */

static int end_pass(struct roster *r)
{
	struct trace_event ev = { .ts = clock__now(), .type = TRACE_TASKS_LISTED };

	r->busy = false;
	r->next_pass = ev.ts + LOSS_NS;
	r->incomplete |= alive__truncated(r->alive);
	/* Only a task that is in no list at all is missing. */
	if (alive__truncated(r->alive) || r->partial)
		return 0;
	ev.listed.begin = r->pass_began;
	return trace_writer__event(r->opts.trace, &ev);
}

static int leave_out(void *ctx, const void *record)
{
	const struct raw_thread_regs *regs = record;

	return alive__leave_out(ctx, regs->sp, regs->fs);
}

static int begin_pass(struct roster *r)
{
	int err = 0;

	alive__forget_stacks(r->alive);
	if (alive__searches(r->alive))
		err = source_iterate(r->skel->progs.thread_regs, 0,
				     sizeof(struct raw_thread_regs), leave_out, r->alive);
	if (err)
		return err;
	r->passes--;
	r->busy = true;
	r->partial = false;
	r->pass_began = clock__now();
	return alive__again(r->alive);
}

int roster__step(struct roster *r, uint64_t until)
{
	int err = 0;

	if (!r->alive)
		return 0;
	while (r->token_at < r->nr_tokens) {
		err = step_tokens(r, true);
		if (err)
			return err;
		if (clock__now() >= until)
			return 1;
	}
	if (!r->busy && r->passes && clock__now() >= r->next_pass)
		err = begin_pass(r);
	if (err || !r->busy)
		return err;
	err = alive__step(r->alive, until);
	return err ? err : end_pass(r);
}

void roster__lost(struct roster *r)
{
	if (!r->passes && !r->busy)
		r->next_pass = clock__now() + LOSS_NS;
	r->passes = LOSS_PASSES;
	/* There may be further lists that are not known yet. */
	r->offers = 0;
	r->offers_from = clock__now();
}

bool roster__waits(const struct roster *r)
{
	return r->alive && !alive__nr_lists(r->alive) && !r->offers &&
	       clock__now() - r->opts.attach_ts < WAITS_NS;
}

bool roster__polled(const struct roster *r)
{
	return r->polled;
}

int roster__offer(struct roster *r, uint64_t task, uint64_t ts)
{
	size_t lists;
	int err;

	r->polled = true;
	if (!task || !r->alive || r->offers >= OFFERS ||
	    (ts > r->offers_from && ts - r->offers_from > OFFERS_NS))
		return 0;
	r->offers++;
	lists = alive__nr_lists(r->alive);
	err = alive__task(r->alive, task);
	if (err || alive__nr_lists(r->alive) == lists)
		return err;
	/* A new list is read at once, and again with all others. */
	if (r->passes)
		r->passes = LOSS_PASSES;
	if (!r->busy) {
		r->busy = r->partial = true;
		r->pass_began = clock__now();
	}
	return 0;
}

/* ---- life ---- */

int roster__new(const struct roster_opts *opts, struct roster **out)
{
	struct roster *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return -ENOMEM;
	r->opts = *opts;
	r->offers_from = opts->attach_ts;
	r->skel = attach__skel(opts->attach);
	return 0;
}

static int take_under_way(struct roster *r, uint64_t bias)
{
	int err;

	r->under_way = under_way__new(r->opts.img, r->opts.target, bias, r->alive);
	r->walker = walker__new(r->opts.img, r->opts.target, bias);
	if (!r->under_way || !r->walker)
		return -ENOMEM;
	err = look_at_threads(r);
	if (!err)
		err = settle_polls(r);
	if (!err)
		err = write_polls(r);
	return err ? err : write_roots(r);
}

/* Are there other kinds than roots? */
static bool has_tasks(const struct roster *r)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(r->opts.img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (fns[i].role == RUNTIME_FN_POLL)
			return true;
	return false;
}

static int start(struct roster *r)
{
	uint64_t bias = r->skel->bss->load_bias;
	int err;

	if (r->opts.fresh || !r->skel->bss->load_bias_known)
		return 0;
	r->alive = alive__new(r->opts.img, r->opts.target, bias, seen_task, r);
	err = take_under_way(r, bias);
	if (!r->alive && !err)
		return has_tasks(r) ? trace_writer__note(r->opts.trace,
					  "tasks that were idle before the recording and stay so are "
					  "not in it: the runtime's list of tasks is not known in "
					  "this binary") : 0;
	if (!err)
		err = take_tokens(r);
	r->busy = true;
	r->pass_began = clock__now();
	return err;
}

int roster__start(struct roster *r)
{
	int err = start(r);

	r->skel->data->polls_unknown = false;
	return err;
}

static int finish_notes(struct roster *r)
{
	char text[256];
	int err = 0;

	if (r->alive && !alive__nr_lists(r->alive) && !alive__knows_threads(r->alive))
		err = trace_writer__note(r->opts.trace,
					 "tasks that were idle before the recording and stayed so are "
					 "not in it: where the runtime keeps them is not known in this "
					 "binary, and no task of it was polled");
	if (!err && r->busy)
		err = trace_writer__note(r->opts.trace,
					 "the recording ended before all tasks that are at rest were "
					 "looked at: those that were not are missing");
	if (!err && r->incomplete)
		err = trace_writer__note(r->opts.trace,
					 "more tasks are at rest, or in more lists, than can be looked "
					 "at in time, or a list has no end: some are missing");
	if (!err && r->untold) {
		snprintf(text, sizeof(text),
			 "%u threads were in polls at attach whose task is not known (the stack does "
			 "not show it, or another poll was going on inside): these polls are not in "
			 "the recording, or their time is not known until they end", r->untold);
		err = trace_writer__note(r->opts.trace, text);
	}
	if (!err && r->unlooked) {
		snprintf(text, sizeof(text),
			 "%u threads were not checked for polls at attach, because the others had "
			 "taken all the time for it", r->unlooked);
		err = trace_writer__note(r->opts.trace, text);
	}
	if (!err && r->late)
		err = trace_writer__note(r->opts.trace,
					 "at the end there were too many descriptors to find out who "
					 "waits for each: some open waits do not name theirs");
	return err;
}

int roster__finish(struct roster *r)
{
	uint64_t until = clock__now() + FINISH_NS;
	int err = 0;

	if (r->alive) {
		err = take_tokens(r);
		while (!err && r->token_at < r->nr_tokens && !r->late) {
			err = step_tokens(r, false);
			r->late = clock__now() > until && r->token_at < r->nr_tokens;
		}
	}
	/* If the target is gone, there is nothing to read. */
	if (err == -ESRCH)
		err = 0;
	return err ? err : finish_notes(r);
}

void roster__free(struct roster *r)
{
	if (!r)
		return;
	under_way__free(r->under_way);
	walker__free(r->walker);
	free(r->roots);
	free(r->moving);
	alive__free(r->alive);
	free(r->polls);
	free(r->tokens);
	free(r);
}
