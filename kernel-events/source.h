/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel source: one kind of kernel event, its BPF programs and what they keep of a
 * thread (NAME.bpf.c), what the recorder does with its events (NAME.c), and the form
 * of these between the two (NAME.h), side by side. Adding one is these files and a
 * line in table.c, besides the numbers of its events and losses in bpf/abi.h.
 *
 * Its programs are listed nowhere. One that has a tracepoint is attached, an iterator
 * is run on demand; one marked optional (SEC("?…")) is loaded if prepare() says so.
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

/* An event that a source sends. */
struct source_event {
	uint8_t		type;		/* enum raw_type; 0: end of a list */
	uint8_t		batched;	/* its bytes in a batch (see bpf/abi.h); 0: never in one */
};

/* A cause for which a source loses something. */
struct source_loss {
	uint8_t		cause;		/* enum raw_loss */
	const char	*name;		/* in the file and in reports; NULL: end of a list */
	const char	*hint;		/* how to cure it, or what it hides */
};

struct kernel_source {
	const char			*name;
	const struct source_event	*events;	/* that decode() takes; NULL: none */
	const struct source_loss	*losses;	/* NULL: none */
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

/* All sources; ends with a null pointer. */
extern const struct kernel_source *const kernel_sources[];

/* Whose an event is, by its number. */
struct source_types {
	const struct kernel_source	*source[RAW_TYPE_NR];	/* NULL: a probe's */
	uint8_t				 batched[RAW_TYPE_NR];	/* as in struct source_event */
};

void source_types__fill(struct source_types *types);

/* What the source that loses something for @cause says of it; NULL: no source does. */
const struct source_loss *source_loss(enum raw_loss cause);

/* Run a BPF iterator program to its end, handing over each @size bytes record. */
struct bpf_program;
int source_iterate(struct bpf_program *prog, pid_t pid, size_t size,
		   int (*each)(void *arg, const void *record), void *arg);

#endif /* DWELL_KERNEL_SOURCE_H */
