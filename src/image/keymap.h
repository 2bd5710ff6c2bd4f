/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A number by a 64-bit key, open addressing: for types that have been met.
 * It must not know what keys mean.
 */
#ifndef DWELL_IMAGE_KEYMAP_H
#define DWELL_IMAGE_KEYMAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"

struct keymap_slot {
	uint64_t	key;	/* 0: free */
	uint32_t	value;
};

struct keymap {
	struct keymap_slot	*slots;
	size_t			 nr, size;
	struct hash_key		 hash;
};

static inline struct keymap_slot *keymap__probe(struct keymap_slot *slots, size_t size,
						const struct hash_key *hash, uint64_t key)
{
	size_t at = hash__of(hash, key) & (size - 1);

	while (slots[at].key && slots[at].key != key)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

/*
 * The value of @key (not 0), which is 0 at first. Valid until the next call.
 * NULL: no memory.
 */
static inline uint32_t *keymap__at(struct keymap *m, uint64_t key)
{
	struct keymap_slot *s;

	if (2 * m->nr >= m->size) {
		size_t size = m->size ? m->size * 2 : 1024;
		struct keymap_slot *grown = calloc(size, sizeof(*grown));

		if (!grown)
			return NULL;
		if (!m->size)
			m->hash = hash_key__new();
		for (size_t i = 0; i < m->size; i++)
			if (m->slots[i].key)
				*keymap__probe(grown, size, &m->hash, m->slots[i].key) =
					m->slots[i];
		free(m->slots);
		m->slots = grown;
		m->size = size;
	}
	s = keymap__probe(m->slots, m->size, &m->hash, key);
	if (!s->key) {
		s->key = key;
		m->nr++;
	}
	return &s->value;
}

static inline void keymap__free(struct keymap *m)
{
	free(m->slots);
	*m = (struct keymap){ .slots = NULL };
}

#endif /* DWELL_IMAGE_KEYMAP_H */
