/* SPDX-License-Identifier: GPL-2.0 */
/* The lint of tasks that wake themselves: a busy loop that looks like a wait. */
#include "lint/checks.h"

bool wakes__own(const struct episode *e)
{
	return e->what == EPISODE_WAIT && e->woken && !e->spawned &&
	       (e->waker.life == e->of.life || episode__part(e, JOIN_AWAIT, PART_YIELDED));
}

void wakes__episode(struct wakes *w, const struct episode *e)
{
	if (e->what != EPISODE_WAIT || !e->woken || e->spawned)
		return;
	w->all++;
	if (!wakes__own(e))
		return;
	if (!w->own++)
		w->from = e->from;
	w->to = e->to;
	w->last = e->of;
}

bool wakes__case(const struct wakes *w, uint64_t limit, struct lint_case *out)
{
	/* Percent of numbers that may be large. */
	if (w->all < WAKES_MIN || limit == LINT_OFF ||
	    (double)w->own * 100 <= (double)limit * (double)w->all)
		return false;
	*out = (struct lint_case){ .of = w->last, .from = w->from, .to = w->to,
				   .ns = w->to - w->from, .more = w->own, .all = w->all };
	out->place = (uint64_t)w->last.chain << 32 | w->last.branch;
	out->before = (struct episode_place){ w->last.chain, w->last.branch };
	return true;
}
