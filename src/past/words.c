/* SPDX-License-Identifier: GPL-2.0 */
/* Words for episodes that text and JSON have in common. See past.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "join/account.h"
#include "past/past.h"

#define PARTS_SHOWN	4

uint64_t past__since(const struct past *p, uint64_t at)
{
	uint64_t begin = join__totals(p->join)->start_ts;

	return at > begin ? at - begin : 0;
}

const char *past__task(const struct past *p, uint32_t kind)
{
	struct join_kind k;

	return join__kind(p->join, kind, &k) ? "?" : k.name;
}

const char *past__state(const struct past *p, const struct episode *e)
{
	bool woken = e->woken && e->woken <= p->moment;

	switch (e->what) {
	case EPISODE_POLL:
		return "is being polled";
	case EPISODE_WAIT:
		return e->spawned ? "spawned, not polled yet" :
		       woken ? "woken, not polled yet" : "waits";
	default:
		return "not known what it does";
	}
}

void past__waker(const struct past *p, const struct episode *e, char *out, size_t size)
{
	const struct actor *by = &e->waker;
	const char *thread = by->tid ? join__thread(p->join, by->tid) : NULL;

	if (by->life && by->life == e->of.life)
		snprintf(out, size, "itself");
	else if (by->life)
		snprintf(out, size, "%s%s", strncmp(past__task(p, by->kind), "task ", 5) ?
			 "task " : "", past__task(p, by->kind));
	else if (!by->tid)
		snprintf(out, size, "a thread that is not known");
	else
		snprintf(out, size, "%sthread %s (%" PRIu32 ")", by->driver ? "the driver, " : "",
			 thread && *thread ? thread : "without a name", by->tid);
}

/* Where its thread slept longest in poll @e; false: it did not sleep, or not known. */
static bool slept_at(const struct past *p, const struct episode *e, struct join_sleep *out)
{
	const struct piece *longest = NULL;

	for (uint32_t i = 0; i < e->parts.nr; i++) {
		const struct piece *piece = &e->parts.list[i];

		if (piece->segment == JOIN_BLOCKED && piece->detail.kind == DETAIL_SLEEP &&
		    (!longest || piece->ns > longest->ns))
			longest = piece;
	}
	return longest && !join__sleep(p->join, longest->detail.id, out);
}

int past__place(const struct past *p, const struct episode *e, struct join_place *out,
		const char **what)
{
	struct episode_place at = { e->of.chain, e->of.branch };
	struct join_sleep sleep;
	const char *leaf = "";
	int err;

	*out = (struct join_place){ "", "", "", 0, false };
	*what = "";
	if (e->what == EPISODE_POLL) {
		at = e->before;
		if (slept_at(p, e, &sleep)) {
			*what = sleep.what;
			*out = sleep.place;
			if (out->line)
				return 0;
		}
	}
	if (at.chain == NO_CHAIN)
		return 0;
	err = join__wait_place(p->join, e->of.kind, at.chain, at.branch, out, &leaf);
	if (e->what == EPISODE_WAIT)
		*what = leaf;
	return err;
}

/* ---- parts ---- */

static int by_ns(const void *a, const void *b)
{
	const struct piece *x = *(const struct piece *const *)a;
	const struct piece *y = *(const struct piece *const *)b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static const char *part_name(const struct piece *piece)
{
	bool named = piece->part != PART_NONE && *part__name((enum part)piece->part);

	return named ? part__name((enum part)piece->part) :
		       join_segment__name((enum join_segment)piece->segment);
}

static void put_part(const struct past *p, const struct piece *piece, FILE *out)
{
	const char *about = join__detail(p->join, piece->detail);
	char ns[QUANTITY_MAX];
	struct join_sleep sleep;

	fprintf(out, "%s %s", part_name(piece), quantity__time(piece->ns, ns));
	if (piece->detail.kind == DETAIL_SLEEP && !join__sleep(p->join, piece->detail.id, &sleep) &&
	    *sleep.what) {
		fprintf(out, " (%s", sleep.what);
		if (sleep.futex)
			fprintf(out, " at %#" PRIx64, sleep.futex);
		fputc(')', out);
	} else if (about && *about) {
		fprintf(out, " (%s)", about);
	}
}

void past__parts(const struct past *p, const struct episode *e, unsigned int segments, char *out,
		 size_t size)
{
	const struct piece *list[EPISODE_PARTS];
	uint32_t nr = 0;
	FILE *f = fmemopen(out, size, "w");

	*out = '\0';
	if (!f)
		return;
	for (uint32_t i = 0; i < e->parts.nr && nr < EPISODE_PARTS; i++)
		if (segments & 1u << e->parts.list[i].segment)
			list[nr++] = &e->parts.list[i];
	if (nr)
		qsort(list, nr, sizeof(*list), by_ns);
	for (uint32_t i = 0; i < nr && i < PARTS_SHOWN; i++) {
		fputs(i ? ", " : "", f);
		put_part(p, list[i], f);
	}
	if (nr > PARTS_SHOWN)
		fprintf(f, " and %" PRIu32 " more", nr - PARTS_SHOWN);
	fclose(f);
}
