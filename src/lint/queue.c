/* SPDX-License-Identifier: GPL-2.0 */
/* Lints of waits that are over, but for somebody who does not get to it. */
#include "lint/checks.h"

/* Not of a thread that waits for a CPU: that is the machine's doing. */
static bool is_delay(const struct piece *p)
{
	return p->segment == JOIN_READY && p->part != PART_STOPPED &&
	       p->detail.kind != DETAIL_WORKER_QUEUE &&
	       p->detail.kind != DETAIL_WORKER_THROTTLED;
}

static bool is_unseen(const struct piece *p)
{
	return p->segment == JOIN_AWAIT &&
	       (p->part == PART_WORKER_BLOCKED || p->part == PART_BUSY || p->part == PART_PARKED ||
		p->part == PART_UNDRIVEN || p->part == PART_TIMER_LATE);
}

/* The parts of @e for which @is is true: their sum, if it is beyond @limit. */
static bool sum_of(const struct episode *e, bool (*is)(const struct piece *p), uint64_t limit,
		   struct lint_case *out)
{
	const struct piece *longest = NULL;
	uint64_t ns = 0, from = e->to;

	if (e->what != EPISODE_WAIT)
		return false;
	for (uint32_t i = 0; i < e->parts.nr; i++) {
		const struct piece *p = &e->parts.list[i];

		if (!is(p))
			continue;
		ns += p->ns;
		if (p->from < from)
			from = p->from;
		if (!longest || p->ns > longest->ns)
			longest = p;
	}
	if (ns <= limit)
		return false;
	*out = lint_case__of(e, ns);
	out->from = from;
	out->detail = longest->detail;
	out->part = longest->part;
	return true;
}

static uint64_t place_of(const struct lint_case *c)
{
	return ((uint64_t)c->of.chain << 16 | c->of.branch) ^
	       ((uint64_t)c->detail.kind << 56 | (uint64_t)c->detail.id << 24);
}

bool lint__queue_delay(const struct episode *e, uint64_t limit, struct lint_case *out)
{
	if (!sum_of(e, is_delay, limit, out))
		return false;
	out->place = place_of(out);
	out->more = e->spawned;
	return true;
}

bool lint__lost_driver(const struct episode *e, uint64_t limit, struct lint_case *out)
{
	if (!sum_of(e, is_unseen, limit, out))
		return false;
	out->place = place_of(out);
	return true;
}
