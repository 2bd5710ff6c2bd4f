/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table of sums.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/sum.h"
#include "join/sums.h"

/*
 * With more different stacks than this, new details are added up as "others", because a
 * server may have any number of peers.
 */
#define DETAILED_MAX	(1u << 18)

static uint32_t key__hash(const struct sums *s, const struct sum_key *k)
{
	uint64_t what = (uint64_t)k->segment << 16 | (uint64_t)k->part << 8 | k->detail.kind;

	what = hash__of(&s->hash, what << 32 | k->account);
	return (uint32_t)hash__of(&s->hash, what ^ k->detail.id);
}

static bool key__equal(const struct sum_key *a, const struct sum_key *b)
{
	return a->account == b->account && a->detail.id == b->detail.id &&
	       a->segment == b->segment && a->part == b->part && a->detail.kind == b->detail.kind;
}

int sum_key__cmp(const struct sum_key *a, const struct sum_key *b)
{
	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	if (a->detail.kind != b->detail.kind)
		return a->detail.kind < b->detail.kind ? -1 : 1;
	if (a->detail.id != b->detail.id)
		return a->detail.id < b->detail.id ? -1 : 1;
	return 0;
}

static struct sum *sums__find(const struct sums *s, const struct sum_key *k)
{
	uint32_t at = key__hash(s, k) & (s->size - 1);

	while (s->entries[at].ns && !key__equal(&s->entries[at].key, k))
		at = (at + 1) & (s->size - 1);
	return &s->entries[at];
}

static int sums__grow(struct sums *s)
{
	struct sums grown = { .nr = s->nr, .size = s->size ? s->size * 2 : 1024,
			      .hash = s->size ? s->hash : hash_key__new() };

	grown.entries = calloc(grown.size, sizeof(*grown.entries));
	if (!grown.entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->size; i++)
		if (s->entries[i].ns)
			*sums__find(&grown, &s->entries[i].key) = s->entries[i];
	free(s->entries);
	*s = grown;
	return 0;
}

int sums__add(struct sums *s, const struct sum_key *key, uint64_t ns)
{
	struct sum *e;

	if (s->nr * 2 >= s->size && sums__grow(s))
		return -ENOMEM;
	e = sums__find(s, key);
	if (!e->ns) {
		struct sum_key k = *key;

		if (s->nr >= DETAILED_MAX && k.detail.kind != DETAIL_NONE) {
			k.detail = (struct detail){ .kind = DETAIL_OTHERS };
			e = sums__find(s, &k);
		}
		s->nr += !e->ns;
		e->key = k;
	}
	sum__add(&e->ns, ns);
	return 0;
}

int64_t sums__index(const struct sums *s, const struct sum_key *key)
{
	struct sum_key others = *key;
	const struct sum *e;

	if (!s->size)
		return -1;
	e = sums__find(s, key);
	if (!e->ns) {
		others.detail = (struct detail){ .kind = DETAIL_OTHERS };
		e = sums__find(s, &others);
	}
	return e->ns ? e - s->entries : -1;
}

void sums__clear(struct sums *s)
{
	free(s->entries);
	*s = (struct sums){ 0 };
}
