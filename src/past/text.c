/* SPDX-License-Identifier: GPL-2.0 */
/* What a recording tells, as text. See past.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "join/account.h"
#include "past/past.h"

#define FINDINGS_SHOWN	20
#define POINTS_SHOWN	20
#define SPLIT_SHOWN	3
#define WORDS_MAX	1024

#define ASLEEP		(1u << JOIN_AWAIT | 1u << JOIN_UNATTRIBUTED)
#define QUEUED		(1u << JOIN_READY)
#define ALL		((1u << JOIN_SEGMENT_NR) - 1)

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* A moment, in seconds since the recording began. */
static struct quantity_text moment(const struct past *p, uint64_t at)
{
	uint64_t us = past__since(p, at) / 1000;
	struct quantity_text w;

	snprintf(w.s, sizeof(w.s), "%" PRIu64 ".%06" PRIu64 " s", us / 1000000, us % 1000000);
	return w;
}

static void print_place(FILE *out, const struct join_place *at)
{
	char text[64] = "";

	if (at->line)
		snprintf(text, sizeof(text), "%s:%" PRIu32, at->file, at->line);
	fprintf(out, "%-24s", text);
}

/* ---- findings ---- */

static void print_finding(const struct past *p, const struct lint_finding *f, size_t rank,
			  FILE *out)
{
	fprintf(out, "%zu. %s: %s.\n", rank, f->lint->name, f->text);
	for (size_t i = 0; i < f->nr_parties; i++) {
		const struct lint_party *party = &f->parties[i];

		fprintf(out, "     %-8s ", party->role);
		print_place(out, &party->place);
		fprintf(out, " %s%s%s\n", party->task ? party->task : "", party->task ? ": " : "",
			party->text);
	}
	fprintf(out, "     from %s to %s", moment(p, f->from).s, moment(p, f->to).s);
	if (f->count > 1)
		fprintf(out, "; the longest of %s, %s in all", quantity__of_count(f->count).s,
			quantity__of_time(f->total_ns).s);
	fputs("\n\n", out);
}

static void print_findings(const struct past *p, FILE *out)
{
	size_t nr;
	const struct lint_finding *list = lints__findings(p->lints, &nr);

	if (!nr)
		fputs("No findings: no lint exceeded its limit.\n\n", out);
	for (size_t i = 0; i < nr && i < FINDINGS_SHOWN; i++)
		print_finding(p, &list[i], i + 1, out);
	if (nr > FINDINGS_SHOWN)
		fprintf(out, "… and %zu findings more\n\n", nr - FINDINGS_SHOWN);
}

/* ---- where tasks waited ---- */

static void print_split(const struct join_point *point, FILE *out)
{
	char share[QUANTITY_MAX];

	fprintf(out, "%-35s", "");
	for (size_t i = 0; i < point->nr_split && i < SPLIT_SHOWN; i++)
		fprintf(out, "%s%s %s", i ? ", " : "", point->split[i].name,
			quantity__share(point->split[i].ns, point->await_ns, share));
	if (point->nr_details)
		fprintf(out, " (%s)", point->details[0].name);
	fputc('\n', out);
}

static void print_point(const struct join_point *point, FILE *out)
{
	struct join_place at = { point->function, point->file, point->path, point->line,
				 point->foreign };

	fprintf(out, "%10s ", quantity__of_time(point->await_ns + point->ready_ns).s);
	print_place(out, &at);
	fprintf(out, " %s waits%s%s: ", point->task, *point->leaf ? " in " : "", point->leaf);
	if (point->count)
		fprintf(out, "%s time%s (p50 %s, max %s)", quantity__of_count(point->count).s,
			plural(point->count), quantity__of_time(point->await.p50).s,
			quantity__of_time(point->await.max).s);
	if (point->open)
		fprintf(out, "%s%s open", point->count ? ", " : "", quantity__of_count(point->open).s);
	fputc('\n', out);
	if (point->nr_split)
		print_split(point, out);
}

static void print_points(const struct past *p, FILE *out)
{
	size_t nr;
	const struct join_point *points = join__points(p->join, &nr);

	if (!nr) {
		fputs("No task waited for anything.\n", out);
		return;
	}
	fprintf(out, "Longest waits (%zu of %zu places; await + ready)\n",
		nr < POINTS_SHOWN ? nr : POINTS_SHOWN, nr);
	for (size_t i = 0; i < nr && i < POINTS_SHOWN; i++)
		print_point(&points[i], out);
}

void past__text(const struct past *p, FILE *out)
{
	print_findings(p, out);
	print_points(p, out);
}

/* ---- one episode ---- */

static void print_how_it_ended(const struct past *p, const struct episode *e, FILE *out)
{
	char by[WORDS_MAX], queue[WORDS_MAX];

	if (e->woken) {
		past__waker(p, e, by, sizeof(by));
		fprintf(out, "%s %s by %s", e->spawned ? "spawned" : "woken",
			moment(p, e->woken).s, by);
	} else {
		fputs("no wake seen", out);
	}
	if (e->woken && e->to > e->woken) {
		past__parts(p, e, QUEUED, queue, sizeof(queue));
		fprintf(out, ", then %s in the queue%s%s%s", quantity__of_time(e->to - e->woken).s,
			*queue ? ": " : "", queue, e->last ? "" : "; polled");
	}
	if (e->last)
		fputs(e->end == END_ALIVE ? "; the recording ended" :
		      e->end == END_CANCELLED ? "; dropped" : "; ended", out);
}

/* What the time of @e was, and how it ended; @indent: spaces before each line. */
static void print_course(const struct past *p, const struct episode *e, int indent, FILE *out)
{
	char parts[WORDS_MAX];

	past__parts(p, e, e->what == EPISODE_WAIT ? ASLEEP : ALL, parts, sizeof(parts));
	fprintf(out, "%*sfrom %s%s to %s", indent, "", e->begin_unseen ? "before " : "",
		moment(p, e->from).s, moment(p, e->to).s);
	if (e->what == EPISODE_POLL && e->tid)
		fprintf(out, " on thread %" PRIu32, e->tid);
	fprintf(out, "%s%s\n", *parts ? ": " : "", parts);
	if (e->what != EPISODE_WAIT)
		return;
	fprintf(out, "%*s", indent, "");
	print_how_it_ended(p, e, out);
	fputc('\n', out);
}

static void print_episode(const struct past *p, const struct episode *e, FILE *out)
{
	static const char *const verbs[] = {
		[EPISODE_UNKNOWN] = "not known what it did", [EPISODE_WAIT] = "waited",
		[EPISODE_POLL] = "was polled",
	};
	struct join_place at;
	const char *what;

	fprintf(out, "%10s ", quantity__of_time(e->to - e->from).s);
	if (past__place(p, e, &at, &what))
		return;
	print_place(out, &at);
	fprintf(out, " %s %s%s%s\n", past__task(p, e->of.kind),
		e->spawned ? "waited for its first poll" : verbs[e->what],
		e->what == EPISODE_WAIT && *what ? " in " : "",
		e->what == EPISODE_WAIT ? what : "");
	print_course(p, e, 11, out);
}

static void print_longest(const struct past *p, const struct longest *l, const char *what,
			  FILE *out)
{
	fprintf(out, "Slowest %s (%zu of %s)\n", what, l->nr, quantity__of_count(l->seen).s);
	for (size_t i = 0; i < l->nr; i++)
		print_episode(p, &l->list[i], out);
}

void past__text_slowest(const struct past *p, FILE *out)
{
	print_longest(p, &p->waits, "waits that ended", out);
	fputc('\n', out);
	print_longest(p, &p->polls, "polls", out);
}

/* ---- a moment ---- */

static void print_chain(const struct past *p, const struct episode *e, FILE *out)
{
	size_t nr = 0;
	struct join_frame *frames = e->of.chain == NO_CHAIN ? NULL :
				    join__chain(p->join, e->of.chain, e->of.branch, &nr);

	for (size_t i = 0; i < nr; i++)
		fprintf(out, "       %s%s\n", frames[i].kind == JOIN_FRAME_LEAF ? "in " : "",
			frames[i].name);
	free(frames);
}

static void print_key(const struct past *p, const struct walk_key key, FILE *out)
{
	uint64_t now = p->moment;

	switch (key.kind) {
	case WALK_KEY_DEADLINE:
		if (key.value > now)
			fprintf(out, "       due at %s, %s to go\n", moment(p, key.value).s,
				quantity__of_time(key.value - now).s);
		else
			fprintf(out, "       was due at %s, %s ago\n", moment(p, key.value).s,
				quantity__of_time(now - key.value).s);
		break;
	case WALK_KEY_TASK:
		fprintf(out, "       for the end of task 0x%" PRIx64 "\n", (uint64_t)key.value);
		break;
	case WALK_KEY_ADDRESS:
		fprintf(out, "       at 0x%" PRIx64 "\n", (uint64_t)key.value);
		break;
	}
}

static void print_state(const struct past *p, const struct episode *e, FILE *out)
{
	struct join_place at;
	const char *what;

	if (past__place(p, e, &at, &what))
		return;
	fprintf(out, "%10s ", quantity__of_time(p->moment - e->from).s);
	print_place(out, &at);
	fprintf(out, " 0x%" PRIx64 " %s %s%s%s\n", e->of.task, past__task(p, e->of.kind),
		past__state(p, e), e->what == EPISODE_WAIT && *what ? " in " : "",
		e->what == EPISODE_WAIT ? what : "");
	print_chain(p, e, out);
	for (unsigned int i = 0; e->what == EPISODE_WAIT && i < e->nr_keys; i++)
		print_key(p, walk_keys__get(&e->keys, i), out);
	print_course(p, e, 7, out);
}

void past__text_at(const struct past *p, FILE *out)
{
	fprintf(out, "At %s: %zu task%s, the longest in its state first\n",
		moment(p, p->moment).s, p->nr_states, plural(p->nr_states));
	for (size_t i = 0; i < p->nr_states; i++)
		print_state(p, &p->states[i], out);
}

/* ---- tasks ---- */

static void print_begin(const struct past *p, const struct past_life *l, FILE *out)
{
	struct episode first = { .of = l->of, .waker = l->spawner };
	char by[WORDS_MAX];

	if (!l->spawned) {
		fprintf(out, "  there since %s, its spawn was not seen\n", moment(p, l->of.born).s);
		return;
	}
	past__waker(p, &first, by, sizeof(by));
	fprintf(out, "  spawned %s by %s\n", moment(p, l->of.born).s, by);
}

static void print_end(const struct past *p, const struct past_life *l, FILE *out)
{
	static const char *const ends[END_NR] = {
		[END_COMPLETED] = "completed", [END_CANCELLED] = "dropped before it completed",
		[END_UNSEEN] = "ended, not known how", [END_ALIVE] = "alive at the end",
	};

	fprintf(out, "  %s, %s\n", ends[l->end < END_NR ? l->end : END_UNSEEN], moment(p, l->to).s);
}

static void print_life(const struct past *p, const struct past_life *l, FILE *out)
{
	const uint64_t *s = l->segments;
	const struct longest *e = &l->longest;

	fprintf(out, "0x%" PRIx64 " %s\n", l->of.task, past__task(p, l->of.kind));
	print_begin(p, l, out);
	print_end(p, l, out);
	fprintf(out, "  its time, %s: %s wait%s %s, in the queue %s, %s poll%s %s",
		quantity__of_time(l->to - l->of.born).s, quantity__of_count(l->waits).s,
		plural(l->waits), quantity__of_time(s[JOIN_AWAIT]).s,
		quantity__of_time(s[JOIN_READY]).s, quantity__of_count(l->polls).s,
		plural(l->polls),
		quantity__of_time(s[JOIN_RUNNING] + s[JOIN_PREEMPTED] + s[JOIN_BLOCKED]).s);
	if (s[JOIN_UNATTRIBUTED])
		fprintf(out, ", not known %s", quantity__of_time(s[JOIN_UNATTRIBUTED]).s);
	fputs("\n\n", out);
	for (size_t i = 0; i < e->nr; i++)
		print_episode(p, &e->list[i], out);
	if (e->seen > e->nr)
		fprintf(out, "  … and %s shorter ones more\n", quantity__of_count(e->seen - e->nr).s);
}

void past__text_tasks(const struct past *p, FILE *out)
{
	for (size_t i = 0; i < p->nr_lives; i++) {
		if (i)
			fputc('\n', out);
		print_life(p, &p->lives[i], out);
	}
	if (p->other_lives)
		fprintf(out, "\n… and %s task%s more\n", quantity__of_count(p->other_lives).s,
			plural(p->other_lives));
}
