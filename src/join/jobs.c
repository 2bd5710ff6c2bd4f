/* SPDX-License-Identifier: GPL-2.0 */
/* The pieces of a blocking job's poll. See jobs.h. It must not know who waits for the job. */
#include <string.h>

#include "base/sum.h"
#include "join/jobs.h"

/* ---- sums of what is long ago ---- */

static void merge(struct piece *into, const struct piece *p)
{
	sum__add(&into->ns, p->ns);
	into->times += p->times;
	if (p->longest > into->longest)
		into->longest = p->longest;
}

/* Adds @p to the first @nr of @list, which are sums; returns how many there are now. */
static uint32_t sum_up(struct piece *list, uint32_t nr, const struct piece *p)
{
	struct piece *same = NULL;

	for (uint32_t i = 0; i < nr; i++) {
		if (list[i].segment != p->segment || list[i].part != p->part)
			continue;
		same = &list[i];
		if (same->detail.kind != p->detail.kind || same->detail.id != p->detail.id)
			continue;
		merge(same, p);
		return nr;
	}
	if (nr < PIECES_MAX || !same) {
		list[nr] = *p;
		return nr + 1;
	}
	same->detail = (struct detail){ .kind = DETAIL_OTHERS };
	same->joined = 0;
	merge(same, p);
	return nr;
}

void jobs__make_room(struct poll *p)
{
	struct piece *list = p->pieces.list;
	uint32_t nr = 0, first;

	if (p->pieces.nr < JOB_PIECES_MAX)
		return;
	first = p->pieces.nr - JOB_PIECES_MAX / 2;
	for (uint32_t i = 0; i < first; i++) {
		struct piece piece = list[i];	/* may be overwritten */

		nr = sum_up(list, nr, &piece);
	}
	p->summed_to = list[first].from;
	memmove(&list[nr], &list[first], (p->pieces.nr - first) * sizeof(*list));
	p->pieces.nr = nr + p->pieces.nr - first;
	p->nr_summed = nr;
}

/* ---- division ---- */

struct division {
	void		(*piece)(void *arg, const struct piece *p);
	void		*arg;
	uint64_t	 at;		/* up to here it has been passed on */
};

static void pass_unknown(struct division *d, uint64_t to)
{
	if (to <= d->at)
		return;
	d->piece(d->arg, &(struct piece){ .segment = JOIN_UNATTRIBUTED, .part = PART_JOB_UNKNOWN,
					  .from = d->at, .ns = to - d->at });
	d->at = to;
}

/* The sums say nothing of a time that begins within theirs. */
static void pass_sums(struct division *d, const struct poll *p, uint64_t to)
{
	if (!p->nr_summed || d->at >= p->summed_to)
		return;
	if (d->at > p->begin || to < p->summed_to) {
		pass_unknown(d, to < p->summed_to ? to : p->summed_to);
		return;
	}
	for (uint32_t i = 0; i < p->nr_summed; i++)
		d->piece(d->arg, &p->pieces.list[i]);
	d->at = p->summed_to;
}

uint64_t jobs__divide(const struct poll *p, uint64_t from, uint64_t to,
		      void (*piece)(void *arg, const struct piece *p), void *arg)
{
	struct division d = { .piece = piece, .arg = arg, .at = from };
	uint64_t known = p->ended ? p->ended : p->since;

	if (to > known)
		to = known;
	pass_sums(&d, p, to);
	for (uint32_t i = p->nr_summed; i < p->pieces.nr; i++) {
		struct piece part = p->pieces.list[i];
		uint64_t end = part.from + part.ns < to ? part.from + part.ns : to;

		if (end <= d.at)
			continue;
		pass_unknown(&d, part.from < to ? part.from : to);
		part.from = d.at;
		part.ns = end - d.at;
		if (d.at < end)
			piece(arg, &part);
		d.at = end;
	}
	pass_unknown(&d, to);
	return d.at;
}
