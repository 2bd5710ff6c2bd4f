/* SPDX-License-Identifier: GPL-2.0 */
/* The sums as a sink. result.c makes rows, await points and totals from them. */
#ifndef DWELL_JOIN_SINK_SUMS_H
#define DWELL_JOIN_SINK_SUMS_H

#include "base/hash_table.h"
#include "join/join.h"
#include "join/sink.h"
#include "join/account.h"
#include "join/samples.h"
#include "join/sums.h"

/* How often tasks of an account slept in a poll in one kind of sleep. */
struct slept {
	uint64_t	times;
	uint64_t	longest;	/* ns */
};

struct sink_sums {
	struct sink	 sink;
	struct accounts	*accounts;		/* the join's; await points count in there */
	struct samples	*samples;		/* the join's */
	struct sums	 sums;
	uint64_t	 segments[JOIN_SEGMENT_NR];
	struct charged		 last;		/* if has_last: what last_account is for */
	int64_t			 last_account;
	bool			 has_last;
	struct slept		*slept;		/* nr_slept */
	size_t			 nr_slept, cap_slept;
	struct hash_table	 slept_of;	/* index + 1 by account and number of the sleep */
};

/* Of time in [blocked] with @key; NULL: it is no sleep. */
const struct slept *sink_sums__slept(const struct sink_sums *s, const struct sum_key *key);
void sink_sums__clear(struct sink_sums *s);


extern const struct sink_ops sink_sums;

#endif /* the join's; they hold the await points' counts */
