/* SPDX-License-Identifier: GPL-2.0 */
/* Lints of polls: too long on a CPU, or asleep. */
#include "lint/checks.h"

#define MIX	0x9e3779b97f4a7c15ull	/* 2^64 / the golden ratio */

struct lint_case lint_case__of(const struct episode *e, uint64_t ns)
{
	return (struct lint_case){ .of = e->of, .ns = ns, .from = e->from, .to = e->to,
				   .begun = e->from, .tid = e->tid, .before = e->before,
				   .after = e->after };
}

/* A poll has no place of its own: it lies between two waits. */
static uint64_t place_of_poll(const struct episode *e)
{
	return (((uint64_t)e->before.chain << 32 | e->after.chain) + 1) * MIX ^ e->before.branch;
}

/* The longest period that the thread slept in poll @e; NULL: it did not. */
static const struct piece *longest_sleep(const struct episode *e)
{
	const struct piece *longest = NULL;

	for (uint32_t i = 0; i < e->parts.nr; i++) {
		const struct piece *p = &e->parts.list[i];

		if (p->segment == JOIN_BLOCKED && p->part == PART_NONE &&
		    (!longest || p->longest > longest->longest))
			longest = p;
	}
	return longest;
}

static uint64_t on_cpu(const struct episode *e)
{
	return episode__part(e, JOIN_RUNNING, PART_NONE);
}

bool lint__never_yielded(const struct episode *e, uint64_t limit, struct lint_case *out)
{
	uint64_t ns = on_cpu(e);

	if (e->what != EPISODE_POLL || ns <= limit)
		return false;
	*out = lint_case__of(e, ns);
	out->place = place_of_poll(e);
	return true;
}

bool lint__long_poll(const struct episode *e, uint64_t limit, struct lint_case *out)
{
	uint64_t ns = on_cpu(e), asleep = episode__part(e, JOIN_BLOCKED, PART_NONE);
	const struct piece *sleep = longest_sleep(e);

	if (e->what != EPISODE_POLL)
		return false;
	/* One long sleep is a blocking call; many short ones make a poll long. */
	if (sleep && sleep->longest <= limit && !episode__part(e, JOIN_RUNNING, PART_OTHER_TASK))
		ns += asleep;
	if (ns <= limit)
		return false;
	*out = lint_case__of(e, ns);
	out->place = place_of_poll(e);
	return true;
}

bool lint__blocking_call(const struct episode *e, uint64_t limit, struct lint_case *out)
{
	const struct piece *sleep = longest_sleep(e);

	if (e->what != EPISODE_POLL || !sleep || sleep->longest <= limit ||
	    sleep->detail.kind != DETAIL_SLEEP)
		return false;
	*out = lint_case__of(e, sleep->longest);
	out->from = sleep->from;
	out->to = sleep->from + sleep->longest;
	out->place = sleep->detail.id;
	out->detail = sleep->detail;
	out->more = sleep->times;
	return true;
}
