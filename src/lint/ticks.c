/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lints of intervals: a timer is one if the deadlines that its task waits for at one place
 * lie a period apart, twice in a row. Then a next deadline that is several periods later
 * tells of ticks in between that nobody waited for.
 */
#include "lint/checks.h"

#define REGULAR_MIN	2	/* equal distances in a row that make a period */

static struct ticking *timer_of(struct ticks *t, uint32_t point)
{
	for (unsigned int i = 0; i < t->nr; i++)
		if (t->timers[i].point == point)
			return &t->timers[i];
	if (t->nr == TICK_TIMERS)
		return NULL;
	t->timers[t->nr] = (struct ticking){ .point = point, .period = 1 };
	return &t->timers[t->nr++];
}

/* @k is waited for again, with deadline @at, since @from, in a poll since @polled. */
static bool next_deadline(struct ticking *k, uint64_t at, uint64_t polled, uint64_t from,
			  struct tick_news *out)
{
	uint64_t step = at - k->deadline, looked;
	bool met = k->deadline <= k->until;

	if (k->regular < REGULAR_MIN || step % k->period) {
		k->regular = step == k->period ? k->regular + 1 : 1;
		k->period = step;
		return false;
	}
	*out = (struct tick_news){ .due = met ? k->deadline + k->period : k->deadline,
				   .missed = step / k->period - met, .period = k->period };
	if (!out->missed)
		return false;
	/* A poll that began before tells at its end, at the latest. */
	looked = polled > out->due ? polled : from;
	out->late = looked > out->due ? looked - out->due : 0;
	out->own = out->due > k->until;
	return out->late;
}

bool ticks__wait(struct ticks *t, const struct join_deadline *d, size_t nr, uint64_t polled,
		 uint64_t from, uint64_t to, struct tick_news *out)
{
	struct tick_news news;
	bool found = false;

	for (size_t i = 0; i < nr; i++) {
		struct ticking *k = timer_of(t, d[i].point);

		if (!k)
			continue;
		if (d[i].at < k->deadline)
			k->regular = 0;
		else if (k->deadline && d[i].at > k->deadline &&
			 next_deadline(k, d[i].at, polled, from, &news)) {
			if (!found || news.late > out->late)
				*out = news;
			found = true;
		}
		k->deadline = d[i].at;
		k->until = to;
	}
	return found;
}

bool ticks__waits_for_interval(const struct ticks *t, const struct join_deadline *d, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		for (unsigned int k = 0; k < t->nr; k++)
			if (t->timers[k].point == d[i].point && t->timers[k].regular >= REGULAR_MIN)
				return true;
	return false;
}
