/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recording says before its first event: the host and the target, the
 * kinds of tasks, and what could not be had.
 */
#ifndef DWELL_RECORD_PREAMBLE_H
#define DWELL_RECORD_PREAMBLE_H

#include <stdint.h>

#include "image/image.h"
#include "record/attach.h"
#include "inspect/process.h"
#include "trace/trace.h"

/* "full", "symbols", …; static. */
const char *preamble__tier(const struct image *img);

/*
 * Begin the recording of @target, attached at @attach_ts (ns of CLOCK_MONOTONIC),
 * on @sink. 0 or negative errno; *@out and *@kinds are the caller's, also after
 * an error: *@kinds (for free()) has the id of the kind of task of each function
 * of the image.
 */
int preamble__write(const struct trace_sink *sink, const struct image *img,
		    const struct process *target, const struct attach *attach, uint64_t attach_ts,
		    struct trace_writer **out, uint32_t **kinds);

#endif /* DWELL_RECORD_PREAMBLE_H */
