/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF side: load it, sized for one image and one target; put the probes
 * on; take them off.
 */
#ifndef DWELL_RECORD_ATTACH_H
#define DWELL_RECORD_ATTACH_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "image/image.h"
#include "inspect/process.h"

struct attach;
struct dwell_bpf;
struct keeper;

struct attach_opts {
	size_t	ring_bytes;	/* per CPU; 0: chosen by the number of CPUs */
	bool	verbose;	/* libbpf's messages on standard error */
	uint32_t hide_switches;	/* see struct bpf_config; 0: none */
	bool	empty;		/* only empty programs at the same sites (for benchmarks) */
};

/* Remarks of attaching, for the file's notes. */
#define ATTACH_MAX_NOTES	8

/*
 * Load the programs and attach all but start nothing: no event is made until
 * attach__enable(). @bias: where the target's executable is loaded, NULL if it is
 * not loaded yet. Refused is a target whose code is not that of the model. The
 * probes are @keeper's, which like @target and @img must outlive it. 0, or negative
 * errno with *@why (valid until the next call) for the user.
 */
int attach__new(const struct image *img, const struct process *target, const uint64_t *bias,
		struct keeper *keeper, const struct attach_opts *opts, struct attach **out,
		const char **why);
/* From now on events are recorded; returns the time, ns of CLOCK_MONOTONIC. */
uint64_t attach__enable(struct attach *a);
/* No more events; returns the time. */
uint64_t attach__disable(struct attach *a);
struct dwell_bpf *attach__skel(struct attach *a);
/* What could not be had, for the user; *@nr lines. */
const char *const *attach__notes(const struct attach *a, size_t *nr);
/*
 * Put a probe at the place to which a poll function was seen to return
 * (run-time address), if there is none and one can be.
 */
void attach__add_return(struct attach *a, uint64_t addr);
/* The keeper is to be freed: no probe is put any more. */
void attach__forget_keeper(struct attach *a);
/* A line about such places that could not be probed though they should be, or NULL. */
const char *attach__unprobed(struct attach *a);
/* Number of uprobe sites. */
size_t attach__sites(const struct attach *a);
/* How full the fullest ring is, in thousandths. */
unsigned int attach__fill(const struct attach *a);
/*
 * Take events out of the rings, in each ring's order, until they are empty.
 * Stops and returns what @each returns if that is negative.
 */
int attach__drain(struct attach *a, int (*each)(void *ctx, const struct raw_hdr *raw), void *ctx);
/* After attach__disable and a last attach__drain: what threads have kept back. As above. */
int attach__drain_threads(struct attach *a, int (*each)(void *ctx, const struct raw_hdr *raw),
			  void *ctx);
/* Add one to a loss (enum loss) that was seen outside of the programs. */
void attach__count_loss(struct attach *a, unsigned int loss);
/* Sums over CPUs, and what was counted here. */
void attach__counters(struct attach *a, struct counters *sum);
/*
 * ns of CPU time that all of @c's hits took from the target: an empty probe's
 * price, measured now on this process, and the programs' own time, sampled.
 */
uint64_t attach__probe_cost(struct attach *a, const struct counters *c);
/*
 * After the keeper is freed: how many breakpoints are in the target's code that
 * were not there before, dwell's or another tool's. Waits, up to two seconds, for the
 * kernel to take out its own.
 */
size_t attach__left_behind(struct attach *a);
/* Unload. The probes go when their keeper is freed. */
void attach__free(struct attach *a);

#endif /* DWELL_RECORD_ATTACH_H */
