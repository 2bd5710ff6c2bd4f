/* SPDX-License-Identifier: GPL-2.0 */
/* Samples, and how often each was met where. See samples.h. */
#include "join/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"

int64_t samples__number(struct samples *s, const struct sample *sample)
{
	uint64_t key = (uint64_t)sample->user << 32 | sample->kernel;
	struct hash_slot *slot = hash_table__at(&s->known, key);

	if (!slot)
		return -ENOMEM;
	if (!slot->value) {
		if (array__room(&s->list, &s->cap, s->nr, sizeof(*s->list)))
			return -ENOMEM;
		s->list[s->nr++] = *sample;
		slot->value = s->nr;
	}
	return (int64_t)slot->value - 1;
}

const struct sample *samples__get(const struct samples *s, uint32_t number)
{
	return &s->list[number];
}

int samples__count(struct samples *s, uint32_t account, uint32_t number)
{
	struct hash_slot *slot = hash_table__at(&s->of_account, (uint64_t)account << 32 | number);

	if (!slot)
		return -ENOMEM;
	if (!slot->value) {
		if (array__room(&s->counts, &s->cap_counts, s->nr_counts, sizeof(*s->counts)))
			return -ENOMEM;
		s->counts[s->nr_counts++] = (struct sample_count){ account, number, 0 };
		slot->value = s->nr_counts;
	}
	s->counts[slot->value - 1].nr++;
	return 0;
}

int samples__count_outside(struct samples *s, uint32_t tid)
{
	struct hash_slot *slot = hash_table__at(&s->outside, tid);

	if (!slot)
		return -ENOMEM;
	slot->value++;
	s->nr_outside++;
	return 0;
}

static int by_account(const void *a, const void *b)
{
	const struct sample_count *x = a, *y = b;

	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	return x->sample < y->sample ? -1 : x->sample > y->sample;
}

const struct sample_count *samples__of(struct samples *s, uint32_t account, size_t *nr,
				       uint64_t *total)
{
	size_t first;

	*nr = *total = 0;
	if (!s->nr_counts)
		return NULL;
	if (!s->sorted)
		qsort(s->counts, s->nr_counts, sizeof(*s->counts), by_account);
	s->sorted = true;
	first = BISECT(s->nr_counts, k, s->counts[k].account < account);
	for (size_t i = first; i < s->nr_counts && s->counts[i].account == account; i++) {
		*total += s->counts[i].nr;
		++*nr;
	}
	return s->counts + first;
}

uint64_t samples__part(uint64_t ns, uint64_t before, uint64_t after, uint64_t total)
{
	unsigned __int128 all = ns;

	return (uint64_t)(all * after / total) - (uint64_t)(all * before / total);
}

void samples__clear(struct samples *s)
{
	free(s->list);
	free(s->counts);
	hash_table__clear(&s->known);
	hash_table__clear(&s->of_account);
	hash_table__clear(&s->outside);
}
