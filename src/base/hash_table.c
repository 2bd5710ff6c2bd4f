// SPDX-License-Identifier: GPL-2.0
/*
 * Open addressing with linear probing. Removal moves later slots back, so there are no
 * tombstones. See hash_table.h.
 */
#include "base/hash_table.h"

#include <errno.h>
#include <stdlib.h>

#define SIZE_FIRST	64	/* initial size, a power of two */

int hash_table__grow(struct hash_table *t)
{
	struct hash_table grown = *t;

	grown.size = t->size ? t->size * 2 : SIZE_FIRST;
	grown.slots = grown.size < t->size ? NULL : calloc(grown.size, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	if (!t->hash.b)
		grown.hash = hash_key__new();
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key)
			*hash_table__probe(&grown, t->slots[i].key) = t->slots[i];
	free(t->slots);
	*t = grown;
	return 0;
}

/* Fills the hole at @hole with later slots that could not be found across it. */
static void close_hole(struct hash_table *t, size_t hole)
{
	size_t mask = t->size - 1;

	for (size_t at = (hole + 1) & mask; t->slots[at].key; at = (at + 1) & mask) {
		size_t home = hash__of(&t->hash, t->slots[at].key) & mask;

		/* The slot may move to the hole if its home is not behind the hole. */
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			t->slots[hole] = t->slots[at];
			hole = at;
		}
	}
	t->slots[hole] = (struct hash_slot){};
}

void hash_table__del(struct hash_table *t, uint64_t key)
{
	struct hash_slot *s = hash_table__find(t, key);

	if (!s)
		return;
	t->nr--;
	if (key) {
		close_hole(t, (size_t)(s - t->slots));
		return;
	}
	t->zero = (struct hash_slot){};
	t->has_zero = false;
}

static int by_key(const void *a, const void *b)
{
	const struct hash_slot *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

struct hash_slot *hash_table__sorted(const struct hash_table *t)
{
	struct hash_slot *list = calloc(t->nr + 1, sizeof(*list));
	size_t nr = 0;

	if (!list)
		return NULL;
	if (t->has_zero)
		list[nr++] = t->zero;
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key)
			list[nr++] = t->slots[i];
	qsort(list, nr, sizeof(*list), by_key);
	return list;
}

void hash_table__clear(struct hash_table *t)
{
	free(t->slots);
	*t = (struct hash_table){};
}
