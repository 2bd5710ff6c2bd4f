/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open addressing with linear probing. Removal moves later entries back, so there are
 * no tombstones.
 */
#include <errno.h>
#include <stdlib.h>

#include "join/map.h"

static void map__put(struct map *m, uint64_t key, void *value)
{
	uint32_t at = map__home(m, key);

	while (m->entries[at].value)
		at = (at + 1) & (m->size - 1);
	m->entries[at] = (struct map_entry){ key, value };
}

int map__add(struct map *m, uint64_t key, void *value)
{
	if (m->nr * 2 >= m->size) {
		struct map grown = { .nr = m->nr, .size = m->size ? m->size * 2 : 64,
				     .hash = m->size ? m->hash : hash_key__new() };

		grown.entries = calloc(grown.size, sizeof(*grown.entries));
		if (!grown.entries)
			return -ENOMEM;
		for (uint32_t i = 0; i < m->size; i++)
			if (m->entries[i].value)
				map__put(&grown, m->entries[i].key, m->entries[i].value);
		free(m->entries);
		*m = grown;
	}
	map__put(m, key, value);
	m->nr++;
	return 0;
}

void map__del(struct map *m, uint64_t key)
{
	uint32_t hole, at;

	if (!m->size)
		return;
	for (hole = map__home(m, key); m->entries[hole].key != key;
	     hole = (hole + 1) & (m->size - 1))
		if (!m->entries[hole].value)
			return;
	if (!m->entries[hole].value)
		return;
	for (at = (hole + 1) & (m->size - 1); m->entries[at].value; at = (at + 1) & (m->size - 1)) {
		uint32_t home = map__home(m, m->entries[at].key);

		/* The entry may move to the hole if its home slot is not behind the hole. */
		if (((at - home) & (m->size - 1)) >= ((at - hole) & (m->size - 1))) {
			m->entries[hole] = m->entries[at];
			hole = at;
		}
	}
	m->entries[hole] = (struct map_entry){ 0 };
	m->nr--;
}

static int by_key(const void *a, const void *b)
{
	const struct map_entry *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

struct map_entry *map__sorted(const struct map *m)
{
	struct map_entry *list = calloc(m->nr + 1ul, sizeof(*list));
	uint32_t nr = 0;

	for (uint32_t i = 0; list && i < m->size; i++)
		if (m->entries[i].value)
			list[nr++] = m->entries[i];
	if (list)
		qsort(list, nr, sizeof(*list), by_key);
	return list;
}

void map__clear(struct map *m)
{
	free(m->entries);
	*m = (struct map){ 0 };
}
