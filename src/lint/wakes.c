/* SPDX-License-Identifier: GPL-2.0 */
/* The lint of tasks that wake themselves: a busy loop that looks like a wait. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "lint/checks.h"

static struct kind_wakes *kind_of(struct wakes *w, uint32_t kind)
{
	struct hash_slot *slot = hash_table__at(&w->known, kind);

	if (!slot)
		return NULL;
	if (!slot->value) {
		if (array__room(&w->list, &w->cap, w->nr, sizeof(*w->list)))
			return NULL;
		w->list[w->nr++] = (struct kind_wakes){ .last.kind = kind };
		slot->value = w->nr;
	}
	return &w->list[slot->value - 1];
}

int wakes__episode(struct wakes *w, const struct episode *e)
{
	struct kind_wakes *k;

	if (e->what != EPISODE_WAIT || !e->woken || e->spawned)
		return 0;
	k = kind_of(w, e->of.kind);
	if (!k)
		return -ENOMEM;
	k->all++;
	if (e->waker.life != e->of.life && !episode__part(e, JOIN_AWAIT, PART_YIELDED))
		return 0;
	if (!k->own++)
		k->from = e->from;
	k->to = e->to;
	k->last = e->of;
	return 0;
}

bool wakes__case(const struct wakes *w, size_t i, uint64_t limit, struct lint_case *out)
{
	const struct kind_wakes *k = &w->list[i];

	/* Percent of numbers that may be large. */
	if (k->all < WAKES_MIN || limit == LINT_OFF ||
	    (double)k->own * 100 <= (double)limit * (double)k->all)
		return false;
	*out = (struct lint_case){ .of = k->last, .from = k->from, .to = k->to,
				   .ns = k->to - k->from, .more = k->own };
	out->before = (struct episode_place){ k->last.chain, k->last.branch };
	return true;
}

void wakes__clear(struct wakes *w)
{
	free(w->list);
	hash_table__clear(&w->known);
}
