/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of numbers that a file may have chosen. They depend on a random key, so no
 * file can choose numbers that all hash to the same slot. As a consequence, the order
 * of a hash table differs from run to run, and must not be visible in results.
 *
 *	struct table { struct hash_key key; … };
 *	if (!t->size)
 *		t->key = hash_key__new();
 *	at = hash__of(&t->key, number) & (t->size - 1);
 */
#ifndef DWELL_BASE_HASH_H
#define DWELL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

struct hash_key {
	uint64_t	a, b;
};

/*
 * A new random key for each call. If the kernel has no randomness yet, the key can be
 * guessed.
 */
static inline struct hash_key hash_key__new(void)
{
	struct hash_key k;

	if (getrandom(&k, sizeof(k), GRND_NONBLOCK) != sizeof(k))
		k = (struct hash_key){ 0x2545f4914f6cdd1dull, 0x9e3779b97f4a7c15ull };
	k.b |= 1;
	return k;
}

/* All bits of the result are equally good. */
static inline uint64_t hash__of(const struct hash_key *k, uint64_t v)
{
	unsigned __int128 m = (unsigned __int128)(v ^ k->a) * k->b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The same for @len bytes. */
static inline uint64_t hash__bytes(const struct hash_key *k, const char *s, size_t len)
{
	uint64_t h = len, word;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&word, s, 8);
		h = hash__of(k, h ^ word);
	}
	if (len) {
		word = 0;
		memcpy(&word, s, len);
		h = hash__of(k, h ^ word);
	}
	return h;
}

#endif /* DWELL_BASE_HASH_H */
