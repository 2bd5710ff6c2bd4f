/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel source covers one kind of kernel events, in three files side by side: its
 * BPF programs and their state for a thread (NAME.bpf.c), the decoding of its events in
 * the recorder (NAME.c), and the layout of the events (NAME.h). To add a source, add
 * these files, a line in table.c, and the numbers of its events and losses in
 * bpf/abi.h.
 *
 * A source's programs are not listed anywhere. A program on a tracepoint is attached, and
 * an iterator is run on demand. Only a program whose tracepoint a kernel may lack is
 * attached by the source's attach().
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
	struct ksyms		*ksyms;		/* names of kernel functions; NULL: not available */
	pid_t			 pid;
	uint64_t		 attach_ts;
	unsigned int		 execs;		/* how often the target has called exec */
	uint64_t		 last_exec_ts;
	struct listeners	 listeners;	/* that the target has opened so far */
	struct fd_holders	 holders;	/* of pipes and pairs of sockets */
	struct fd_servers	 servers;	/* that its connections lead to */
	/* names with processes that have connected: how many, and the last one's id */
	uint32_t		 nr_peers, last_peer;
	bool			 counts_sends;	/* see enum fd_counts */
	/* paths of operations of io_uring: how many are in the file, and the last one's id */
	uint32_t		 nr_paths, last_path;
	/* names of files that threads have slept on, likewise */
	uint32_t		 nr_files, last_file;
	/*
	 * The id in the file of the user stack that the programs call @raw; 0: none. Or
	 * negative errno.
	 */
	int64_t			 (*user_stack)(void *user_stacks, uint32_t raw);
	void			*user_stacks;
};

/* An event that a source sends. */
struct source_event {
	uint8_t		type;		/* enum raw_type; 0 ends the list */
	uint8_t		batched;	/* its size in a batch (see bpf/abi.h); 0: never batched */
};

/* A reason why a source loses something. */
struct source_loss {
	uint8_t		cause;		/* enum raw_loss */
	const char	*name;		/* for the file and reports; NULL ends the list */
	const char	*hint;		/* how to avoid it, or what is missing because of it */
};

/* What of a program is to be followed. */
struct source_wants {
	bool	operations;	/* some future of it waits for an operation of io_uring */
};

struct kernel_source {
	const char			*name;
	/* the events that decode() takes; NULL: none */
	const struct source_event	*events;
	const struct source_loss	*losses;	/* NULL: none */
	/*
	 * Called before the programs are loaded: those that this run does not need are left
	 * out. NULL: all are needed always.
	 */
	void (*choose)(struct dwell_bpf *skel, const struct source_wants *wants);
	/*
	 * Called before the tracepoints of all sources are attached: attach programs whose
	 * tracepoint this kernel may lack. *@note is set to a static remark for the user
	 * about what is missing. 0 or negative errno. NULL: there are none.
	 */
	int (*attach)(struct dwell_bpf *skel, const char **note);
	/* Called after attach: record what existed before. 0 or negative errno. May be NULL. */
	int (*start)(struct source_ctx *ctx);
	/*
	 * Decode @raw into @ev, whose ts, tid and cpu are set. 1: write @ev; 0: nothing
	 * to write; negative errno: writing metadata failed.
	 */
	int (*decode)(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev);
	/*
	 * Called after the last event: record what is still open. 0 or negative errno.
	 * May be NULL.
	 */
	int (*stop)(struct source_ctx *ctx);
};

/* All sources; NULL ends the list. */
extern const struct kernel_source *const kernel_sources[];

/* The source of each event, by the event's number. */
struct source_types {
	/* NULL: an event of the runtime's probes */
	const struct kernel_source	*source[RAW_TYPE_NR];
	uint8_t				 batched[RAW_TYPE_NR];	/* as in struct source_event */
};

void source_types__fill(struct source_types *types);

/* Name and hint of loss @cause; NULL: no source counts it. */
const struct source_loss *source_loss(enum raw_loss cause);

/*
 * Writes the name of descriptor @fd to the file; *@string is its id there. 1 or negative
 * errno.
 */
int source_fd_name(struct source_ctx *ctx, const struct raw_fd *fd, uint32_t *string);
/* The same, without the number of a pipe or socket that has no other name. */
int source_fd_name_unnumbered(struct source_ctx *ctx, const struct raw_fd *fd, uint32_t *string);

/* Run a BPF iterator program to its end; @record is called for each record of @size bytes. */
struct bpf_program;
int source_iterate(struct bpf_program *prog, pid_t pid, size_t size,
		   int (*each)(void *arg, const void *record), void *arg);

#endif /* DWELL_KERNEL_SOURCE_H */
