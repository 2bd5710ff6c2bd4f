/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recorded file: writer and reader.
 *
 * A file is a header and chunks. A chunk of events belongs to one CPU's
 * stream, is ordered by time but for small disorder, and can be decoded by
 * itself; metadata chunks hold the tables that events refer to by id. Every
 * chunk has a length and a checksum, so a file cut off anywhere is readable
 * up to the cut. Metadata that an event needs stands in the file before the
 * chunk that holds the event.
 *
 * It must not know of BPF, processes or what events mean.
 */
#ifndef DWELL_TRACE_H
#define DWELL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

#define TRACE_VERSION		2	/* written */
#define TRACE_VERSION_OLDEST	1	/* read: keys without kinds, see event.h */

/* ---- metadata: the same structs for writer and reader ---- */

/* Facts of the recording, written first. Strings are owned by the caller. */
struct trace_host {
	const char	*hostname, *kernel, *machine;
	const char	*comm;		/* process name, as the folded stacks' root */
	const char	*exe;		/* path of the executable, base name is enough */
	const char	*build_id;
	const char	*tier;		/* "full", "symbols", … */
	const char	*tier_hint;
	const char	*runtime;	/* the one that is followed: "tokio" */
	uint32_t	 pid;
	uint32_t	 nr_cpus;
	uint64_t	 attach_ts;	/* CLOCK_MONOTONIC: all probes are active */
	uint64_t	 realtime_ns;	/* CLOCK_REALTIME at attach_ts */
	const char	*other_runtimes; /* in the program too: names, with commas between */
};

struct trace_task_kind {
	uint32_t	 id;
	const char	*name;		/* shortened, safe in a folded stack */
	const char	*name_long;
	const char	*scheduler;
	uint8_t		 blocking;	/* a spawn_blocking job */
	uint8_t		 unseen_spawns;	/* nothing tells when such a task is spawned */
	uint8_t		 root;		/* a future that block_on polls, not a task of a runtime */
	uint8_t		 boxed;		/* a dyn Future is all that a task is: its chains name it */
};

/* One node of a chain, in pre-order. */
enum trace_node_kind {
	TRACE_NODE_AWAIT	= 0,	/* await point: name (file:line) */
	TRACE_NODE_WRAPPER	= 1,	/* Timeout, Instrumented, select! …: name only */
	TRACE_NODE_LEAF		= 2,	/* leaf future: name, key kind */
	TRACE_NODE_GAP		= 3,	/* the chain ends here for the reason in name */
	TRACE_NODE_DONE		= 4,	/* a branch that has completed */
	TRACE_NODE_OPAQUE	= 5,	/* hand-written future, not looked through */
};

/* Has it a descriptor of the reactor in its hands, beside the futures in it? */
enum trace_node_descriptor {
	TRACE_DESCRIPTOR_UNTOLD	= 0,
	TRACE_DESCRIPTOR_NONE	= 1,	/* so it cannot wait for one itself */
	TRACE_DESCRIPTOR_OWN	= 2,
};

struct trace_node {
	uint8_t		 kind;		/* enum trace_node_kind */
	uint8_t		 key;		/* enum walk_key_kind of a leaf */
	uint8_t		 key_index;	/* its place in end.keys, 0xff: none */
	uint8_t		 nr_children;	/* > 1: branches; they follow in pre-order */
	uint8_t		 runtime_own;	/* belongs to the runtime's crate, std or core */
	uint8_t		 descriptor;	/* enum trace_node_descriptor */
	uint32_t	 line;
	const char	*name;		/* "mini_redis::server::Handler::run", type of the leaf */
	const char	*file;		/* base name or "" */
	const char	*path;		/* whole path or "" */
};

struct trace_chain {
	uint32_t		 id;
	uint32_t		 nr;
	const struct trace_node	*nodes;
	const char		*task;		/* what a boxed task is called that waits so, or "" */
};

struct trace_stack {		/* kernel stack, innermost first */
	uint32_t		 id;
	uint32_t		 nr;
	const char *const	*frames;	/* "pipe_read", without "_[k]" */
};

/* One function of a user stack; of inlined ones, each. */
struct trace_user_frame {
	const char	*function;	/* "mini_redis::db::Db::get"; "" not known */
	const char	*path;		/* of its source; "" not known */
	uint32_t	 line;		/* where it is in there; 0: not known */
};

struct trace_user_stack {	/* innermost first; what is not the program's is left out */
	uint32_t			 id;
	uint32_t			 nr;
	const struct trace_user_frame	*frames;
};

struct trace_thread {
	uint32_t	 tid;
	const char	*name;
};

/* Written at the end (and readable only if the end was reached). */
struct trace_totals {
	uint64_t	end_ts;		/* last moment covered by all probes */
	uint64_t	probe_hits;
	uint64_t	cpu_ns;		/* recorder + probes (calibrated) */
	uint64_t	target_cpu_ns;	/* the target's own CPU time meanwhile, less the probes' */
	const char	*ended_by;	/* "interrupt", "duration", "target exited", … */
};

/* ---- writer ---- */

struct trace_writer;

/* Where a trace is written to. */
struct trace_sink {
	int	fd;		/* stays the caller's */
	/*
	 * Called again and again, some 50 times a second, while there is no room
	 * (a pipe that nobody empties). 0: wait on; negative errno: give up, and
	 * that is the writer's error. NULL: wait for ever.
	 */
	int	(*stalled)(void *ctx);
	void	*ctx;
};

/*
 * Write to @sink, copied. Returns 0 or negative errno. The file is valid from
 * the first flush on.
 */
int trace_writer__new_on(const struct trace_sink *sink, const struct trace_host *host,
			 struct trace_writer **out);
/* The same to a file that is created (truncated) at @path, "-" for standard output. */
int trace_writer__new(const char *path, const struct trace_host *host, struct trace_writer **out);
/*
 * Strings: returns the id (> 0) under which @s is, or will be, in the file;
 * equal strings get equal ids. 0 on lack of memory.
 */
uint32_t trace_writer__string(struct trace_writer *w, const char *s);
/* Metadata; each returns 0 or negative errno. Ids are the caller's choice. */
int trace_writer__task_kind(struct trace_writer *w, const struct trace_task_kind *k);
int trace_writer__chain(struct trace_writer *w, const struct trace_chain *c);
int trace_writer__stack(struct trace_writer *w, const struct trace_stack *s);
int trace_writer__user_stack(struct trace_writer *w, const struct trace_user_stack *s);
int trace_writer__thread(struct trace_writer *w, const struct trace_thread *t);
/* A remark for the report ("root future of block_on is not covered"). */
int trace_writer__note(struct trace_writer *w, const char *text);
/* Set a loss counter (cause → total so far); written at each flush and at the end. */
int trace_writer__loss(struct trace_writer *w, const char *cause, uint64_t total);
/*
 * One event, in the order in which its CPU's ring held it. 0 or negative errno
 * of the write that it led to (-ENOSPC: what was written stays readable). An
 * error is final: each later call returns it again, and finish() tries to note
 * what was lost. -EPIPE needs SIGPIPE to be ignored.
 */
int trace_writer__event(struct trace_writer *w, const struct trace_event *ev);
/* Write out all open chunks. Call now and then, so that little is lost in a crash. */
int trace_writer__flush(struct trace_writer *w);
/* Flush, write the totals and the end marker. */
int trace_writer__finish(struct trace_writer *w, const struct trace_totals *t);
uint64_t trace_writer__events(const struct trace_writer *w);
uint64_t trace_writer__bytes(const struct trace_writer *w);
/* Close; the file stays as it is. */
void trace_writer__free(struct trace_writer *w);

/* ---- reader ---- */

struct trace_reader;

/*
 * Open @path ("-": standard input). *@why says in one line what is wrong and
 * what to do. Errors: errno of open; -EBADMSG not a trace; -EPROTONOSUPPORT
 * another version. A torn file opens: see trace_reader__torn().
 */
int trace_reader__open(const char *path, struct trace_reader **out, const char **why);
/*
 * Next event in order of time over all streams (then CPU, then place in its
 * stream). 1: *@ev is valid until the next call; 0: end; negative errno. A
 * chunk that is damaged reads as one TRACE_LOST.
 */
int trace_reader__next(struct trace_reader *r, struct trace_event *ev);
/* The same without a copy. */
int trace_reader__next_ref(struct trace_reader *r, const struct trace_event **ev);
/* Start again from the first event. */
int trace_reader__rewind(struct trace_reader *r);
/* NULL, or a line that says where and why the file ends early. */
const char *trace_reader__torn(const struct trace_reader *r);

const struct trace_host *trace_reader__host(const struct trace_reader *r);
/* NULL in a torn file. */
const struct trace_totals *trace_reader__totals(const struct trace_reader *r);
/* Look-ups by id; NULL if unknown. Valid until the reader is freed. */
const char *trace_reader__string(const struct trace_reader *r, uint32_t id);
const struct trace_task_kind *trace_reader__task_kind(const struct trace_reader *r, uint32_t id);
const struct trace_chain *trace_reader__chain(const struct trace_reader *r, uint32_t id);
const struct trace_stack *trace_reader__stack(const struct trace_reader *r, uint32_t id);
const struct trace_user_stack *trace_reader__user_stack(const struct trace_reader *r, uint32_t id);
const char *trace_reader__thread_name(const struct trace_reader *r, uint32_t tid);
const char *const *trace_reader__notes(const struct trace_reader *r, size_t *nr);
/* The @i-th loss counter: false past the last. */
bool trace_reader__loss(const struct trace_reader *r, size_t i, const char **cause,
			uint64_t *total);
/* Events in damaged chunks, so far. */
uint64_t trace_reader__damaged(const struct trace_reader *r);
uint64_t trace_reader__bytes(const struct trace_reader *r);
uint64_t trace_reader__first_ts(const struct trace_reader *r);
uint64_t trace_reader__last_ts(const struct trace_reader *r);
void trace_reader__free(struct trace_reader *r);

#endif /* DWELL_TRACE_H */
