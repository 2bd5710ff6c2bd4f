/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the target's threads do while they are on a CPU: some times a second the kernel
 * notes, on each CPU, the stack of the thread that runs there (the perf event cpu-clock, which
 * needs no hardware). Off unless asked for; then nothing is opened.
 *
 * It must not know what a task is.
 */
#ifndef DWELL_RECORD_CPU_SAMPLES_H
#define DWELL_RECORD_CPU_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "inspect/process.h"
#include "record/user_stacks.h"
#include "trace/trace.h"

/* Unless said otherwise; no multiple of timers' usual rates. */
#define CPU_SAMPLES_HZ		99
#define CPU_SAMPLES_HZ_MAX	9999

struct cpu_samples;
struct dwell_bpf;
struct ksyms;

/* Was dwell built with what it takes? If not, *@why, a static string, tells what to do. */
bool cpu_samples__built(const char **why);
/*
 * Open the events, @hz a second on each CPU, for the threads of @target, which must outlive
 * the object. They do not count yet. 0; or negative errno with *@why, a static string for
 * the user: -ENOTSUP: it was not built.
 */
int cpu_samples__open(uint32_t hz, const struct process *target, struct cpu_samples **out,
		      const char **why);
/* Removes the events. NULL is fine, as for all others: there are no samples then. */
void cpu_samples__free(struct cpu_samples *s);

/* Where samples are written; all must outlive the object. */
struct cpu_samples_to {
	struct trace_writer	*trace;
	struct user_stacks	*stacks;
	struct ksyms		*ksyms;		/* names of kernel functions; NULL: not available */
	struct dwell_bpf	*skel;
};

/* From now on there are samples. 0 or negative errno. */
int cpu_samples__start(struct cpu_samples *s, const struct cpu_samples_to *to);
/* There are no more; those until now can still be taken. */
void cpu_samples__stop(struct cpu_samples *s);
/* Write the samples that are there. 0 or negative errno. */
int cpu_samples__take(struct cpu_samples *s);
/* Tell how many were lost so far: for the file's table of losses. */
void cpu_samples__tell_losses(const struct cpu_samples *s);
/* At the end: notes about what is missing. 0 or negative errno. */
int cpu_samples__finish(struct cpu_samples *s);

#endif /* DWELL_RECORD_CPU_SAMPLES_H */
