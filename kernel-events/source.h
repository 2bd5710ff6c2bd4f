/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel source: one kind of kernel event, its BPF program (NAME.bpf.c) and
 * what the recorder does with it (NAME.c), side by side. Adding one is a pair
 * of files and a line in table.c.
 */
#ifndef DWELL_KERNEL_SOURCE_H
#define DWELL_KERNEL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "kernel-events/fd_name.h"
#include "trace/trace.h"

struct btf;
struct dwell_bpf;
struct ksyms;

/* What decoders share. Owned by the recorder. */
struct source_ctx {
	struct dwell_bpf	*skel;
	struct trace_writer	*trace;
	struct ksyms		*ksyms;		/* names of kernel addresses; NULL: none */
	pid_t			 pid;
	uint64_t		 attach_ts;
	unsigned int		 execs;		/* execs of the target seen */
	uint64_t		 last_exec_ts;
	struct listeners	 listeners;	/* those of the target that were seen */
};

struct kernel_source {
	const char	*name;
	uint32_t	 types;		/* bit per enum raw_type that decode() takes */
	/*
	 * Before load: switch programs on or off by what @kernel (its BTF)
	 * has. A remark for the user about what is missing goes to *@note
	 * (static). 0 or negative errno. NULL: nothing to choose.
	 */
	int (*prepare)(struct dwell_bpf *skel, const struct btf *kernel, const char **note);
	/* After attach: what was there before. 0 or negative errno. May be NULL. */
	int (*start)(struct source_ctx *ctx);
	/*
	 * Turn @raw into @ev (ts, tid and cpu are set already). 1: write @ev;
	 * 0: nothing to write; negative errno of writing metadata.
	 */
	int (*decode)(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev);
	/* After the last event: what is still open. 0 or negative errno. May be NULL. */
	int (*stop)(struct source_ctx *ctx);
};

#define SOURCE_TYPE(type)	(1u << (type))

/* All sources; ends with a null pointer. */
extern const struct kernel_source *const kernel_sources[];

/* Run a BPF iterator program to its end, handing over each @size bytes record. */
struct bpf_program;
int source_iterate(struct bpf_program *prog, pid_t pid, size_t size,
		   int (*each)(void *arg, const void *record), void *arg);

#endif /* DWELL_KERNEL_SOURCE_H */
