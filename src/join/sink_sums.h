/* SPDX-License-Identifier: GPL-2.0 */
/* The sums as a sink. result.c makes rows, await points and totals from them. */
#ifndef DWELL_JOIN_SINK_SUMS_H
#define DWELL_JOIN_SINK_SUMS_H

#include "join/join.h"
#include "join/sink.h"
#include "join/account.h"
#include "join/sums.h"

struct sink_sums {
	struct sink	 sink;
	struct accounts	*accounts;		/* the join's; await points count in there */
	struct sums	 sums;
	uint64_t	 segments[JOIN_SEGMENT_NR];
};

extern const struct sink_ops sink_sums;

#endif /* the join's; they hold the await points' counts */
