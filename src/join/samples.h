/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Samples of what threads did on CPUs: each different one has a number, and for each account
 * it is counted how often it was met in running time of that account. It must not know of
 * threads, or of how an account's time is shown.
 *
 * A sample is no time. The time for which an account was running is known from its polls; it is
 * divided by the samples in it.
 */
#ifndef DWELL_JOIN_SAMPLES_H
#define DWELL_JOIN_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"

struct sample {
	uint32_t	user;		/* user stack id; 0: not known */
	uint32_t	kernel;		/* kernel stack id; 0: it was in user mode */
};

/* How often a sample was met in an account's running time. */
struct sample_count {
	uint32_t	account;
	uint32_t	sample;		/* its number */
	uint64_t	nr;
};

struct samples {
	struct sample		*list;
	size_t			 nr, cap;
	struct hash_table	 known;		/* number + 1 by content */
	struct sample_count	*counts;
	size_t			 nr_counts, cap_counts;
	struct hash_table	 of_account;	/* index + 1 of a count, by account and number */
	struct hash_table	 outside;	/* how many in no poll, by tid */
	uint64_t		 taken;		/* all of the recording */
	uint64_t		 nr_outside;
	/* the counts are, by account: none are added any more */
	bool			 sorted;
};

/* The number of @sample, or -ENOMEM. */
int64_t samples__number(struct samples *s, const struct sample *sample);
const struct sample *samples__get(const struct samples *s, uint32_t number);
/* Sample @number was met in running time of @account. 0 or -ENOMEM. */
int samples__count(struct samples *s, uint32_t account, uint32_t number);
/* A sample was met on thread @tid, which was in no poll. 0 or -ENOMEM. */
int samples__count_outside(struct samples *s, uint32_t tid);
/*
 * All of @account, *@nr of them, in the order of their numbers, and how many samples that are
 * in all. From the first call on no more may be counted.
 */
const struct sample_count *samples__of(struct samples *s, uint32_t account, size_t *nr,
				       uint64_t *total);
/*
 * What of @ns belongs to those of @total samples that come behind the first @before, up to
 * @after. All of such parts add up to @ns.
 */
uint64_t samples__part(uint64_t ns, uint64_t before, uint64_t after, uint64_t total);
void samples__clear(struct samples *s);

#endif /* DWELL_JOIN_SAMPLES_H */
