/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases in words: a sentence, and who has a part in it, where. Who delayed a task is known
 * by the kind of its task; its place is that of a case of this kind at the same time.
 */
#include "lint/findings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/sum.h"
#include "join/account.h"

/* ---- words ---- */

static char *say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* NULL: no memory. */
static char *say(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

/* "main.rs:12", or @otherwise. */
static struct place_words {
	char	s[512];
} place_words(const struct join_place *p, const char *otherwise)
{
	struct place_words w;

	if (p->line)
		snprintf(w.s, sizeof(w.s), "%s:%" PRIu32, p->file, p->line);
	else
		snprintf(w.s, sizeof(w.s), "%s", otherwise);
	return w;
}

/* ---- parties ---- */

static const struct join_place nowhere = { "", "", "", 0, false };

/* Add a party; takes @text, which may be NULL for want of memory. */
static int add_party(struct lints *l, struct lint_finding *f, const char *role,
		     const struct charged *of, const struct join_place *at, char *text)
{
	struct lint_party *p = &f->parties[f->nr_parties];
	struct join_kind kind = { 0 };

	if (!text || (of && join__kind(l->join, of->kind, &kind))) {
		free(text);
		return -ENOMEM;
	}
	*p = (struct lint_party){ .role = role, .task = kind.name, .id = of ? of->task : 0,
				  .place = *at, .text = text };
	f->nr_parties++;
	return 0;
}

static int wait_place(struct lints *l, uint32_t kind, struct episode_place at,
		      struct join_place *out, const char **leaf)
{
	*out = nowhere;
	*leaf = "";
	if (at.chain == NO_CHAIN)
		return 0;
	return join__wait_place(l->join, kind, at.chain, at.branch, out, leaf);
}

/* The waits around a poll are its places. */
static int add_around(struct lints *l, struct lint_finding *f, const struct lint_case *c)
{
	struct join_place before, after;
	const char *in, *next;
	int err = wait_place(l, c->of.kind, c->before, &before, &in);

	if (!err)
		err = wait_place(l, c->of.kind, c->after, &after, &next);
	if (!err)
		err = add_party(l, f, "from", &c->of, &before,
				say("%s", c->before.chain == NO_CHAIN ? "the task's first poll" :
								       "it had waited here before"));
	if (!err && c->after.chain != NO_CHAIN)
		err = add_party(l, f, "until", &c->of, &after, say("it waited here then"));
	return err;
}

static int add_victim(struct lints *l, struct lint_finding *f, const struct lint_case *c,
		      struct join_place *at, const char **leaf)
{
	struct episode_place place = { c->of.chain, c->of.branch };
	int err = wait_place(l, c->of.kind, place, at, leaf);

	if (err)
		return err;
	return add_party(l, f, "victim", &c->of, at,
			 c->of.chain == NO_CHAIN ? say("%s", c->more ? "spawned, not polled yet" :
							"woken; where it had waited was not seen") :
			 **leaf ? say("waited in %s", *leaf) : say("waited here"));
}

/* ---- who is to blame ---- */

static bool names_kind(struct detail d)
{
	return d.kind == DETAIL_TASK || d.kind == DETAIL_WORKER_BLOCKED ||
	       d.kind == DETAIL_WORKER_BUSY || d.kind == DETAIL_TAKER_BLOCKED ||
	       d.kind == DETAIL_TAKER_BUSY;
}

/* The longest case of a poll at the same time as @c, of the kind that @c names, if it does. */
static const struct lint_case *culprit_of(const struct lints *l, const struct lint_case *c)
{
	const struct lint_case *best = NULL;

	for (size_t i = 0; i < l->nr; i++) {
		const struct lint_case *p = &l->cases[i].worst;

		if (p->lint > LINT_LONG_POLL || l->cases[i].excused || p->of.life == c->of.life)
			continue;
		if (p->from >= c->to || p->to <= c->from ||
		    (names_kind(c->detail) && p->of.kind != c->detail.id))
			continue;
		if (!best || p->ns > best->ns)
			best = p;
	}
	return best;
}

static int add_culprit(struct lints *l, struct lint_finding *f, const struct lint_case *c,
		       struct join_place *at)
{
	const struct lint_case *p = culprit_of(l, c);
	struct join_sleep sleep;
	const char *leaf;
	int err;

	*at = nowhere;
	if (!p)
		return 0;
	if (p->lint == LINT_BLOCKING_CALL) {
		err = join__sleep(l->join, p->detail.id, &sleep);
		if (err)
			return err;
		*at = sleep.place;
		return add_party(l, f, "blocks", &p->of, at,
				 say("slept meanwhile: %s, for %s",
				     *sleep.what ? sleep.what : "not known for what",
				     quantity__of_time(p->ns).s));
	}
	err = wait_place(l, p->of.kind, p->before, at, &leaf);
	if (err)
		return err;
	return add_party(l, f, "polls", &p->of, at,
			 say("was polled meanwhile, for %s%s", quantity__of_time(p->ns).s,
			     at->line ? ", after it had waited here" : ""));
}

/* "kept by task X" for who is named; "" if nobody is. NULL: no memory. */
static const char *blamed(struct lints *l, const struct lint_case *c)
{
	return join__detail(l->join, c->detail);
}

/* ---- one lint each ---- */

static struct place_words call_words(const struct join_sleep *s)
{
	struct place_words w = { "" };

	if (*s->what && *s->kernel)
		snprintf(w.s, sizeof(w.s), "%s, in %s", s->what, s->kernel);
	else
		snprintf(w.s, sizeof(w.s), "%s%s", s->what, s->kernel);
	return w;
}

static int tell_blocking(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	struct join_kind kind;
	struct join_sleep sleep;
	int err = join__sleep(l->join, c->detail.id, &sleep);

	if (!err)
		err = join__kind(l->join, c->of.kind, &kind);
	if (err)
		return err;
	f->text = say("%s sleeps inside its poll%s%s, and with it its thread, for %s: %s", kind.name,
		      sleep.place.line ? " at " : "", place_words(&sleep.place, "").s,
		      quantity__of_time(c->ns).s, *sleep.what ? sleep.what : "not known for what");
	if (!f->text)
		return -ENOMEM;
	err = add_party(l, f, "blocks", &c->of, &sleep.place,
			say("%s", *call_words(&sleep).s ? call_words(&sleep).s : "asleep"));
	return err || sleep.place.line ? err : add_around(l, f, c);
}

static int tell_poll(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	bool never = c->lint == LINT_NEVER_YIELDED;
	struct join_place before, after;
	struct join_kind kind;
	const char *leaf;
	int err = join__kind(l->join, c->of.kind, &kind);

	if (!err)
		err = wait_place(l, c->of.kind, c->before, &before, &leaf);
	if (!err)
		err = wait_place(l, c->of.kind, c->after, &after, &leaf);
	if (err)
		return err;
	f->text = say("%s was polled for %s %s, between %s and %s", kind.name, quantity__of_time(c->ns).s,
		      never ? "without once being Pending" : "at a stretch",
		      c->before.chain == NO_CHAIN ? "its begin" :
						    place_words(&before, "a place not known").s,
		      c->after.chain == NO_CHAIN ? "its end, or that of the recording" :
						   place_words(&after, "a place not known").s);
	return f->text ? add_around(l, f, c) : -ENOMEM;
}

/* Who is to blame, as the end of a sentence: by name, by place, or both. NULL: no memory. */
static char *blame_words(const char *who, const struct join_place *at)
{
	struct place_words place = place_words(at, "");

	if (*who)
		return say(": %s%s%s%s", who, at->line ? " (" : "", place.s, at->line ? ")" : "");
	return at->line ? say("; meanwhile a thread was kept at %s", place.s) : say("%s", "");
}

/* A wait that nobody ended in time: where it is, and who kept whoever should have. */
struct late_wait {
	struct join_kind	 kind;
	struct join_place	 at, by;
	const char		*who;
};

static int find_late_wait(struct lints *l, struct lint_finding *f, const struct lint_case *c,
			  struct late_wait *w)
{
	const char *leaf;
	int err = join__kind(l->join, c->of.kind, &w->kind);

	w->who = blamed(l, c);
	if (!err)
		err = w->who ? add_culprit(l, f, c, &w->by) : -ENOMEM;
	return err ? err : add_victim(l, f, c, &w->at, &leaf);
}

static int tell_starved(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	struct late_wait w;
	char *blame;
	int err = find_late_wait(l, f, c, &w);

	if (err)
		return err;
	blame = w.kind.job ? say(": no thread of the blocking pool was free") : blame_words(w.who, &w.by);
	if (!blame)
		return -ENOMEM;
	f->text = say("%s was %s and not polled for %s%s", w.kind.name,
		      c->more ? "spawned" : "woken", quantity__of_time(c->ns).s, blame);
	free(blame);
	return f->text ? 0 : -ENOMEM;
}

static int tell_lost_driver(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	struct late_wait w;
	char *blame;
	int err = find_late_wait(l, f, c, &w);

	if (err)
		return err;
	blame = blame_words(w.who, &w.by);
	if (!blame)
		return -ENOMEM;
	f->text = say("what %s waited for%s%s was due, and nobody acted upon it for %s, %s%s",
		      w.kind.name, w.at.line ? " at " : "", place_words(&w.at, "").s, quantity__of_time(c->ns).s,
		      c->part == PART_TIMER_LATE ? "the timer was late" :
		      c->part == PART_UNDRIVEN ? "no thread waited for timers and I/O" :
						 part__name((enum part)c->part), blame);
	free(blame);
	return f->text ? 0 : -ENOMEM;
}

static int tell_ticks(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	struct episode_place place = { c->of.chain, c->of.branch };
	struct join_place at, other;
	struct join_kind kind;
	const char *leaf;
	int err = join__kind(l->join, c->of.kind, &kind);

	if (!err)
		err = wait_place(l, c->of.kind, place, &at, &leaf);
	if (!err)
		err = wait_place(l, c->of.kind, c->before, &other, &leaf);
	if (!err && c->before.chain != NO_CHAIN)
		err = add_party(l, f, "instead", &c->of, &other,
				say("it was here, or went on from here, when it was due"));
	if (!err)
		err = add_party(l, f, "interval", &c->of, &at, say("the interval is awaited here"));
	if (err)
		return err;
	if (c->lint == LINT_TIMER_LATE)
		f->text = say("the interval at %s came up to %s late to %s, which did something else "
			      "when it was due", place_words(&at, "a place not known").s,
			      quantity__of_time(c->ns).s, kind.name);
	else
		f->text = say("%s ticks of the interval at %s, in %s, were due before anybody looked: "
			      "they come in a burst, unless its MissedTickBehavior is Skip",
			      quantity__of_count(c->more).s, place_words(&at, "a place not known").s, kind.name);
	return f->text ? 0 : -ENOMEM;
}

static int tell_wakes(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	struct join_place at;
	struct join_kind kind;
	const char *leaf;
	int err = join__kind(l->join, c->of.kind, &kind);

	if (!err)
		err = wait_place(l, c->of.kind, c->before, &at, &leaf);
	if (err)
		return err;
	f->text = say("%s woke itself, or yielded, at %s of %s wakes%s%s", kind.name,
		      quantity__of_count(c->more).s, quantity__of_count(c->all).s, at.line ? ", last at " : "",
		      place_words(&at, "").s);
	if (!f->text)
		return -ENOMEM;
	return add_party(l, f, "wakes", &c->of, &at, say("it does not wait here: it is polled again"));
}

static int tell_workers(struct lints *l, struct lint_finding *f, const struct lint_cases *k)
{
	const struct lint_case *c = &k->worst;
	const char *name = join__thread(l->join, c->tid);

	f->text = name ? say("thread %s (%" PRIu32 ") began %s polls, the mean of the workers is %s; "
			     "it was on a CPU for %s", *name ? name : "without a name", c->tid,
			     quantity__of_count(c->more).s, quantity__of_count(c->all).s,
			     quantity__of_time(c->ns).s) : NULL;
	return f->text ? 0 : -ENOMEM;
}

static int (*const tell[LINT_NR])(struct lints *l, struct lint_finding *f,
				  const struct lint_cases *k) = {
	[LINT_NEVER_YIELDED]	= tell_poll,
	[LINT_BLOCKING_CALL]	= tell_blocking,
	[LINT_LONG_POLL]	= tell_poll,
	[LINT_LOST_DRIVER]	= tell_lost_driver,
	[LINT_QUEUE_DELAY]	= tell_starved,
	[LINT_TIMER_LATE]	= tell_ticks,
	[LINT_BURST]		= tell_ticks,
	[LINT_SELF_WAKE]	= tell_wakes,
	[LINT_UNBALANCED]	= tell_workers,
};

/* ---- all of them ---- */

/*
 * Does the thread of @c sleep in a poll that is inside the one of @c? Then it is that task's
 * sleep. The two polls see the same period.
 */
static bool is_inside(const struct lints *l, const struct lint_case *c)
{
	for (size_t i = 0; i < l->nr; i++) {
		const struct lint_case *in = &l->cases[i].worst;

		if (in->lint == c->lint && in->tid == c->tid && in->from == c->from &&
		    in->begun > c->begun)
			return true;
	}
	return false;
}

/* What looks like a case, but is none. */
static bool excused(struct lints *l, const struct lint_case *c, int *err)
{
	struct join_sleep sleep;
	struct join_kind kind;

	if (c->lint > LINT_LONG_POLL && c->lint != LINT_QUEUE_DELAY)
		return false;
	*err = join__kind(l->join, c->of.kind, &kind);
	/* A root has a thread to itself: it is delayed by what that thread is known to do. */
	if (*err || c->lint == LINT_QUEUE_DELAY)
		return *err || (kind.root && !names_kind(c->detail));
	/* What blocks on a root may be a thread of its own. */
	if (*err || (kind.root && !workers__has(&l->workers, c->tid)))
		return true;
	/* It is told as a poll that never yields. */
	if (c->lint == LINT_LONG_POLL && c->ns > l->limits[LINT_NEVER_YIELDED])
		return true;
	if (c->lint != LINT_BLOCKING_CALL)
		return false;
	if (is_inside(l, c))
		return true;
	*err = join__sleep(l->join, c->detail.id, &sleep);
	return *err || sleep.probe || sleep.handed_off;
}

static bool same_finding(const struct lint_finding *a, const struct lint_finding *b)
{
	if (a->lint != b->lint || a->nr_parties != b->nr_parties)
		return false;
	for (size_t i = 0; i < a->nr_parties; i++) {
		const struct lint_party *x = &a->parties[i], *y = &b->parties[i];

		/* equal names have equal pointers */
		if (x->task != y->task || x->place.path != y->place.path ||
		    x->place.line != y->place.line || strcmp(x->role, y->role))
			return false;
	}
	return a->nr_parties > 0;
}

static void clear(struct lint_finding *f)
{
	for (size_t i = 0; i < f->nr_parties; i++)
		free(f->parties[i].text);
	free(f->text);
	*f = (struct lint_finding){ 0 };
}

/* Adds @f, or takes it into one that tells the same. */
static void add_finding(struct lints *l, struct lint_finding *f)
{
	for (size_t i = 0; i < l->nr_findings; i++) {
		struct lint_finding *have = &l->findings[i], less = *f;
		uint64_t count = f->count, total_ns = f->total_ns;

		if (!same_finding(have, f))
			continue;
		sum__add(&count, have->count);
		sum__add(&total_ns, have->total_ns);
		if (f->ns > have->ns) {
			less = *have;
			*have = *f;
		}
		have->count = count;
		have->total_ns = total_ns;
		clear(&less);
		return;
	}
	l->findings[l->nr_findings++] = *f;
}

static uint64_t weight(const struct lint_finding *f)
{
	return f->lint->cause && f->ns < UINT64_MAX / 2 ? f->ns * 2 : f->ns;
}

static int by_weight(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	if (x->lint != y->lint)
		return x->lint < y->lint ? -1 : 1;
	return strcmp(x->text, y->text);
}

int findings__make(struct lints *l)
{
	int err = 0;

	l->findings = calloc(l->nr + 1, sizeof(*l->findings));
	if (!l->findings)
		return -ENOMEM;
	for (size_t i = 0; i < l->nr && !err; i++)
		l->cases[i].excused = excused(l, &l->cases[i].worst, &err);
	for (size_t i = 0; i < l->nr && !err; i++) {
		const struct lint_cases *k = &l->cases[i];
		struct lint_finding f = { .lint = &lints[k->worst.lint], .ns = k->worst.ns,
					  .from = k->worst.from, .to = k->worst.to,
					  .count = k->count, .total_ns = k->total_ns };

		if (k->excused)
			continue;
		err = tell[k->worst.lint](l, &f, k);
		if (err)
			clear(&f);
		else
			add_finding(l, &f);
	}
	qsort(l->findings, l->nr_findings, sizeof(*l->findings), by_weight);
	return err;
}

const struct lint_finding *lints__findings(const struct lints *l, size_t *nr)
{
	*nr = l->nr_findings;
	return l->findings;
}

void findings__free(struct lints *l)
{
	for (size_t i = 0; i < l->nr_findings; i++)
		clear(&l->findings[i]);
	free(l->findings);
}
