/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a 64-bit key to a number or a pointer: open addressing, at most half full,
 * with a hash that no file can aim at (base/hash.h). The order of the slots is
 * another one in each run: what shows goes through hash_table__sorted().
 *
 *	struct hash_table t = {};
 *	struct hash_slot *s = hash_table__at(&t, key);
 *	if (!s)
 *		return -ENOMEM;
 *	s->value++;				0 if the key is new
 *	…
 *	s = hash_table__find(&t, key);		NULL if it is not there
 *	hash_table__clear(&t);
 *
 * What is found by its content, as a text is, has the content's hash for its key. Two
 * contents with one hash are told apart by whoever knows them: the second one's key
 * is the first one's + 1. Nothing is removed from such a table.
 *
 *	for (key = hash_table__key(&t, text, len);; key++) {
 *		s = hash_table__at(&t, key);
 *		if (!s)
 *			return -ENOMEM;
 *		if (!s->value)
 *			break;			it is new: s->value is to be set
 *		if (!strcmp(texts[s->value - 1], text))
 *			return s->value - 1;
 *	}
 */
#ifndef DWELL_BASE_HASH_TABLE_H
#define DWELL_BASE_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct hash_slot {
	uint64_t		 key;		/* 0: free, but for hash_table.zero */
	union {
		uint64_t	 value;
		void		*ptr;
	};
};

struct hash_table {
	struct hash_slot	*slots;
	size_t			 nr, size;	/* nr: with zero; size: a power of two, or 0 */
	struct hash_key		 hash;		/* b is 0: there is none yet */
	struct hash_slot	 zero;		/* that of the key 0 */
	bool			 has_zero;
};

/* Room for twice as much. 0, or -ENOMEM and nothing has changed. */
int hash_table__grow(struct hash_table *t);

/* The slot of @key, which is not 0, or the free one that it would get. */
static inline struct hash_slot *hash_table__probe(const struct hash_table *t, uint64_t key)
{
	size_t at = hash__of(&t->hash, key) & (t->size - 1);

	while (t->slots[at].key && t->slots[at].key != key)
		at = (at + 1) & (t->size - 1);
	return &t->slots[at];
}

/* The slot of @key; NULL: it is not there. Valid until the next at() or del(). */
static inline struct hash_slot *hash_table__find(const struct hash_table *t, uint64_t key)
{
	struct hash_slot *s;

	if (!key)
		return t->has_zero ? (struct hash_slot *)&t->zero : NULL;
	if (!t->size)
		return NULL;
	s = hash_table__probe(t, key);
	return s->key ? s : NULL;
}

/*
 * The slot of @key, whose value is 0 if it was not there. Valid until the next at()
 * or del(). NULL: no memory.
 */
static inline struct hash_slot *hash_table__at(struct hash_table *t, uint64_t key)
{
	struct hash_slot *s;

	if (2 * t->nr >= t->size && hash_table__grow(t))
		return NULL;
	if (!key) {
		t->nr += !t->has_zero;
		t->has_zero = true;
		return &t->zero;
	}
	s = hash_table__probe(t, key);
	if (!s->key) {
		s->key = key;
		t->nr++;
	}
	return s;
}

/* A key for @len bytes at @s, in this table. */
static inline uint64_t hash_table__key(struct hash_table *t, const char *s, size_t len)
{
	if (!t->hash.b)
		t->hash = hash_key__new();
	return hash__bytes(&t->hash, s, len);
}

/* Remove @key, if it is there. */
void hash_table__del(struct hash_table *t, uint64_t key);
/* The t->nr slots in the order of their keys; the caller's to free(). NULL: no memory. */
struct hash_slot *hash_table__sorted(const struct hash_table *t);
/* Forget all, and free what was allocated. What values point to is the caller's. */
void hash_table__clear(struct hash_table *t);

#endif /* DWELL_BASE_HASH_TABLE_H */
