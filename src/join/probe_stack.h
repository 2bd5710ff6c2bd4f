/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recognises kernel stacks of threads that slept, or were on a CPU, in a uprobe: this time
 * is the profiler's, not the target's.
 */
#ifndef DWELL_JOIN_PROBE_STACK_H
#define DWELL_JOIN_PROBE_STACK_H

#include <stdbool.h>

#include "trace/trace.h"

/*
 * Does stack @st (NULL: not known, then false) come from a uprobe's trap? Uprobes of
 * other tools look the same.
 */
bool probe_stack__is(const struct trace_stack *st);

#endif /* DWELL_JOIN_PROBE_STACK_H */
