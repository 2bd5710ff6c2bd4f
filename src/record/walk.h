/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk from outside, for tasks that are at rest when recording
 * begins: the same tables, tokens and keys as the BPF program's (walk.bpf.h),
 * through the target's memory.
 *
 * It must not know how a task was found nor what is made of the answer.
 */
#ifndef DWELL_RECORD_WALK_H
#define DWELL_RECORD_WALK_H

#include <stdint.h>

#include "image/image.h"
#include "record/target.h"

struct walk_answer {
	uint32_t	nr_tokens, nr_keys;
	uint32_t	tokens[WALK_MAX_TOKENS];
	uint64_t	keys[WALK_MAX_KEYS];
	uint64_t	hash;		/* of the tokens, as the BPF side has it */
};

/* Walk the task at @task, whose allocation is @cell. @bias: run-time less link-time address. */
void walk__task(const struct image *img, const struct target *target, uint64_t bias,
		const struct walk_cell *cell, uint64_t task, struct walk_answer *out);

#endif /* DWELL_RECORD_WALK_H */
