/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash map from numbers to objects. The order of its table differs from run to run,
 * so whatever is shown must be iterated with map__sorted().
 */
#ifndef DWELL_JOIN_MAP_H
#define DWELL_JOIN_MAP_H

#include <stdint.h>

#include "base/hash.h"

struct map {
	struct map_entry {
		uint64_t	 key;
		void		*value;		/* NULL: free slot */
	}		*entries;
	uint32_t	 nr, size;	/* size: power of two */
	struct hash_key	 hash;
};

static inline uint32_t map__home(const struct map *m, uint64_t key)
{
	return (uint32_t)hash__of(&m->hash, key) & (m->size - 1);
}

static inline void *map__get(const struct map *m, uint64_t key)
{
	uint32_t at;

	if (!m->size)
		return 0;
	for (at = map__home(m, key); m->entries[at].value; at = (at + 1) & (m->size - 1))
		if (m->entries[at].key == key)
			return m->entries[at].value;
	return 0;
}

/* @key must not be in the map. 0 or -ENOMEM. */
int map__add(struct map *m, uint64_t key, void *value);
/*
 * The m->nr entries, sorted by key, in an array with room for one more; the caller
 * frees it. NULL: no memory.
 */
struct map_entry *map__sorted(const struct map *m);
void map__del(struct map *m, uint64_t key);
void map__clear(struct map *m);

#endif /* DWELL_JOIN_MAP_H */
