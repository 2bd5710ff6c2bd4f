/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel stacks of threads that slept in a probe: the time is the profiler's,
 * not the target's.
 */
#ifndef DWELL_JOIN_PROBE_STACK_H
#define DWELL_JOIN_PROBE_STACK_H

#include <stdbool.h>

#include "trace/trace.h"

/*
 * Did who slept with this stack (NULL: not known) come into the kernel by a
 * probe's breakpoint? Those of other tools that probe the target look alike.
 */
bool probe_stack__is(const struct trace_stack *st);

#endif /* DWELL_JOIN_PROBE_STACK_H */
