/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recording contains before its first event: host and target, the kinds of
 * tasks, and notes about what is not available.
 */
#ifndef DWELL_RECORD_PREAMBLE_H
#define DWELL_RECORD_PREAMBLE_H

#include <stdint.h>

#include "image/image.h"
#include "record/attach.h"
#include "inspect/process.h"
#include "trace/trace.h"

/* The name of the tier ("full", "symbols", …); static. */
const char *preamble__tier(const struct image *img);

/*
 * Begin the recording of @target, attached at @attach_ts (ns of CLOCK_MONOTONIC), to
 * @sink; @sample_hz is as in struct trace_host. 0 or negative errno. *@out and *@kinds are
 * the caller's, even after an error; *@kinds, to be freed with free(), has the id of the
 * task kind of each function of the image.
 */
int preamble__write(const struct trace_sink *sink, const struct image *img,
		    const struct process *target, const struct attach *attach, uint64_t attach_ts,
		    uint32_t sample_hz, struct trace_writer **out, uint32_t **kinds);

#endif /* DWELL_RECORD_PREAMBLE_H */
