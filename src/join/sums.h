/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nanoseconds by account, segment, part and detail. Time is added as soon as it is
 * charged, so memory grows with the number of different stacks, not of events.
 */
#ifndef DWELL_JOIN_SUMS_H
#define DWELL_JOIN_SUMS_H

#include <stdint.h>

#include "base/hash.h"
#include "join/part.h"

struct sum_key {
	uint32_t	account;
	uint8_t		segment;	/* enum join_segment */
	uint8_t		part;		/* enum part */
	struct detail	detail;
};

/* The order of keys, ignoring the account. */
int sum_key__cmp(const struct sum_key *a, const struct sum_key *b);

struct sum {
	struct sum_key	key;
	uint64_t	ns;
};

struct sums {
	struct sum	*entries;	/* ns 0: free slot */
	uint32_t	 nr, size;
	struct hash_key	 hash;
};

/* @ns > 0. 0 or -ENOMEM. */
int sums__add(struct sums *s, const struct sum_key *key, uint64_t ns);
/*
 * The entry that sums__add() has added @key to: its own, or that of others. -1: none has been.
 */
int64_t sums__index(const struct sums *s, const struct sum_key *key);
void sums__clear(struct sums *s);

#endif /* DWELL_JOIN_SUMS_H */
