/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF side: load the programs, sized for one image and one target; put the probes
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
	size_t	ring_bytes;	/* of each CPU's ring; 0: chosen by the number of CPUs */
	bool	verbose;	/* print libbpf's messages on standard error */
	bool	 cpu_limit;	/* the target's cgroup has one */
	uint32_t hide_switches;	/* see struct bpf_config; 0: none */
	bool	empty;		/* only empty programs at the same sites, for benchmarks */
};

/* Remarks about attaching, for the file's notes. */
#define ATTACH_MAX_NOTES	8

/*
 * Load the programs and attach all of them. No event is made before attach__enable().
 * @bias: the load bias of the target's executable, NULL if it has not been loaded yet.
 * A target whose code differs from the model's is refused. @keeper holds the probes;
 * it, @target and @img must outlive the object. 0, or negative errno with *@why (valid
 * until the next call) for the user.
 */
int attach__new(const struct image *img, const struct process *target, const uint64_t *bias,
		struct keeper *keeper, const struct attach_opts *opts, struct attach **out,
		const char **why);
/* Begin to record events; returns the time, ns of CLOCK_MONOTONIC. */
uint64_t attach__enable(struct attach *a);
/* Stop recording events; returns the time. */
uint64_t attach__disable(struct attach *a);
struct dwell_bpf *attach__skel(struct attach *a);
/* Run-time minus link-time addresses of the program in *@bias. False: not known yet. */
bool attach__load_bias(const struct attach *a, uint64_t *bias);
/* Notes for the user about what is not available: *@nr lines. */
const char *const *attach__notes(const struct attach *a, size_t *nr);
/*
 * Put a probe at @addr, the run-time address that a poll function was seen to return
 * to, if it has none and one is possible.
 */
void attach__add_return(struct attach *a, uint64_t addr);
/* Called before the keeper is freed: no further probe will be put. */
void attach__forget_keeper(struct attach *a);
/* A line about such places that should have a probe and could not be given one, or NULL. */
const char *attach__unprobed(struct attach *a);
/* The number of uprobe sites. */
size_t attach__sites(const struct attach *a);
/* How full the fullest ring is, in thousandths. */
unsigned int attach__fill(const struct attach *a);
/*
 * Pass all events in the rings to @each, in the order of each ring, until the rings are
 * empty. If @each returns a negative number, stop and return it.
 */
int attach__drain(struct attach *a, int (*each)(void *ctx, const struct raw_hdr *raw), void *ctx);
/*
 * The same for the events that threads still hold. Call it after attach__disable() and
 * a last attach__drain().
 */
int attach__drain_threads(struct attach *a, int (*each)(void *ctx, const struct raw_hdr *raw),
			  void *ctx);
/*
 * Nothing will be drained any more: unmaps the rings, so that what is done at the end does not need
 * memory besides theirs. The kernel frees them in attach__free().
 */
void attach__free_rings(struct attach *a);
/* Add one to loss @loss (enum raw_loss), which was seen in user space. */
void attach__count_loss(struct attach *a, unsigned int loss);
/* The counters: sums over all CPUs, with the losses that were counted in user space. */
void attach__counters(struct attach *a, struct counters *sum);
/*
 * The CPU time, in ns, that all hits in @c have cost the target: the cost of an empty
 * probe, measured on this process since attach__enable(), plus the programs' own time,
 * sampled. *@cpu_ns: what that measurement has cost dwell.
 */
uint64_t attach__probe_cost(struct attach *a, const struct counters *c, uint64_t *cpu_ns);
/*
 * The number of breakpoints in the target's code that were not there before attaching,
 * by dwell or another tool. Call it after the keeper is freed; waits up to two seconds
 * for the kernel to remove its own.
 */
size_t attach__left_behind(struct attach *a);
/* Unload the programs. The probes are removed when their keeper is freed. */
void attach__free(struct attach *a);

#endif /* DWELL_RECORD_ATTACH_H */
