/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk from outside, for tasks that are at rest and of which no
 * event tells: the same tables, tokens and keys as the BPF program's (walk.bpf.h),
 * through the target's memory.
 *
 * It must not know how a task was found nor what is made of the answer.
 */
#ifndef DWELL_RECORD_WALK_H
#define DWELL_RECORD_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "record/target.h"

struct walker;

struct walk_answer {
	uint32_t	nr_tokens, nr_keys;
	uint32_t	tokens[WALK_MAX_TOKENS];
	uint64_t	keys[WALK_MAX_KEYS];
	uint64_t	hash;		/* of the tokens, as the BPF side has it */
	bool		far;		/* it depends on more than the window */
	bool		blind;		/* what it waits for is not all known, see wakers_wanted */
};

/* @bias: run-time less link-time address. NULL: no memory. */
struct walker *walker__new(const struct image *img, const struct target *target, uint64_t bias);
void walker__free(struct walker *w);

/*
 * Walk the task at @task, whose allocation is @cell. @window: its first @len bytes,
 * read by the caller just now; 0: none were.
 */
void walker__task(struct walker *w, const struct walk_cell *cell, uint64_t task,
		  const void *window, size_t len, struct walk_answer *out);

#endif /* DWELL_RECORD_WALK_H */
