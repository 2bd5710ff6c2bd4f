/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table from 64-bit keys to numbers or pointers: open addressing, at most half
 * full, with a keyed hash (base/hash.h). The order of the slots differs from run to
 * run, so whatever is shown must be iterated with hash_table__sorted().
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
 * To look up something by its content, such as a text, use the hash of the content as
 * key. If two contents have the same hash, the second one gets the next key. The caller
 * has to compare the contents. Nothing may be removed from such a table.
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
	uint64_t		 key;		/* 0: free, except in hash_table.zero */
	union {
		uint64_t	 value;
		void		*ptr;
	};
};

struct hash_table {
	struct hash_slot	*slots;
	size_t			 nr, size;	/* nr includes zero; size is a power of two, or 0 */
	struct hash_key		 hash;		/* b is 0 as long as there is none */
	struct hash_slot	 zero;		/* the slot of key 0 */
	bool			 has_zero;
};

/* Double the size. 0, or -ENOMEM with nothing changed. */
int hash_table__grow(struct hash_table *t);

/* The slot of @key, which is not 0, or the free slot that it would get. */
static inline struct hash_slot *hash_table__probe(const struct hash_table *t, uint64_t key)
{
	size_t at = hash__of(&t->hash, key) & (t->size - 1);

	while (t->slots[at].key && t->slots[at].key != key)
		at = (at + 1) & (t->size - 1);
	return &t->slots[at];
}

/* The slot of @key; NULL: there is none. Valid until the next at() or del(). */
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
 * The slot of @key; it is created with value 0 if there was none. Valid until the next
 * at() or del(). NULL: no memory.
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

/* The key, in this table, for the @len bytes at @s. */
static inline uint64_t hash_table__key(struct hash_table *t, const char *s, size_t len)
{
	if (!t->hash.b)
		t->hash = hash_key__new();
	return hash__bytes(&t->hash, s, len);
}

/* Remove @key, if it is in the table. */
void hash_table__del(struct hash_table *t, uint64_t key);
/* The t->nr slots, sorted by key, in an array that the caller frees. NULL: no memory. */
struct hash_slot *hash_table__sorted(const struct hash_table *t);
/* Remove everything and free the table's memory. What values point to belongs to the caller. */
void hash_table__clear(struct hash_table *t);

#endif /* DWELL_BASE_HASH_TABLE_H */
