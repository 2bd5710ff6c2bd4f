/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One recording: the state and the functions that the files of its begin (begin.c), its loop
 * and its end (recorder.c) share. For those files only.
 */
#ifndef DWELL_RECORD_RECORDING_H
#define DWELL_RECORD_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "image/image.h"
#include "kernel-events/source.h"
#include "record/attach.h"
#include "record/cpu_samples.h"
#include "record/keeper.h"
#include "record/looker.h"
#include "record/output.h"
#include "record/recorder.h"
#include "record/roster.h"
#include "record/sleepers.h"
#include "record/target.h"
#include "record/throttling.h"
#include "record/user_stacks.h"
#include "trace/trace.h"

#define SAY_MS		200		/* for a message to be written */

struct recorder {
	const struct recorder_opts	*opts;
	struct target			 target;
	struct image			*img;
	struct keeper			*keeper;	/* NULL: the probes have been taken off */
	struct attach			*attach;
	struct output			*output;
	struct trace_writer		*trace;
	struct source_ctx		 sources;
	struct source_types		 types;
	/* from function of the image to id of task kind */
	uint32_t			*kinds;
	struct hash_table		 job_fns;	/* by address; see job_fn() in recorder.c */
	struct roster			*roster;
	struct user_stacks		*user_stacks;
	struct cpu_samples		*samples;	/* NULL: none are taken */
	struct sleepers			*sleepers;
	struct looker			*looker;	/* NULL: why tasks wait is not found out */
	struct throttling		*throttling;	/* at the begin; NULL: not known */
	uint64_t			 attach_ts, end_ts;
	uint64_t			 cpu_start;	/* CPU time of dwell itself at attach_ts */
	struct counters			 counters;	/* as read last */
	/* signalfd; -1: signals have their default effect */
	int				 signals;
	/* execs still to come that dwell itself causes */
	unsigned int			 own_execs;
	bool				 progress;
	const char			*ended_by;	/* NULL: still recording */
};

/* ---- begin.c ---- */

/* From finding the target to the probes in place, which do nothing yet. */
int recorder__prepare(struct recorder *r);
/* From the probes in place to the first poll of the rings. */
int recorder__start(struct recorder *r);
/* Write what existed before attach, as if it had just happened. */
int recorder__take_first(struct recorder *r);
void recorder__say_begin(struct recorder *r);

/* ---- recorder.c ---- */

/*
 * Can a message be written within @ms? A stopped terminal (Ctrl-S) or a full pipe must not
 * block dwell, which may have its probes in place.
 */
bool recorder__can_say(int ms);
/* One line: what is wrong with what. */
void recorder__complain(const struct recorder *r, const char *what, const char *why);
/* The signal that asks dwell to end, by name; NULL: none. SIGUSR1 asks for a look. */
const char *recorder__asked_to_end(struct recorder *r);
/* struct trace_sink.stalled of the output; @ctx: the recorder. */
int recorder__stalled(void *ctx);
/* The output could not be written. */
void recorder__say_failed(const struct recorder *r, int err);
const char *recorder__output_name(const struct recorder *r);
/* CPU time of dwell itself in ns. */
uint64_t recorder__own_cpu(void);
/* Start, or stop, each kernel source. 0 or negative errno. */
int recorder__for_each_source(struct recorder *r, bool start);

#endif /* DWELL_RECORD_RECORDING_H */
