/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recorded file: writer and reader.
 *
 * A file is a header and chunks. A chunk of events belongs to the stream of one CPU, is
 * nearly sorted by time, and can be decoded by itself. Metadata chunks contain the
 * tables that events refer to by id. Every chunk has a length and a checksum, so a
 * truncated file can be read up to its end. Metadata precedes the chunks of events that
 * refer to it.
 *
 * It must not know BPF, processes or the meaning of events.
 */
#ifndef DWELL_TRACE_H
#define DWELL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

#define TRACE_VERSION		2	/* the version that is written */
#define TRACE_VERSION_OLDEST	1	/* the oldest that can be read: see event.h */

/* ---- metadata: the same structs for writer and reader ---- */

/* Facts about the recording, written first. The caller owns the strings. */
struct trace_host {
	const char	*hostname, *kernel, *machine;
	const char	*comm;		/* process name, the root of folded stacks */
	const char	*exe;		/* path or base name of the executable */
	const char	*build_id;
	const char	*tier;		/* "full", "symbols", … */
	const char	*tier_hint;
	const char	*runtime;	/* the runtime that is followed: "tokio" */
	uint32_t	 pid;
	uint32_t	 nr_cpus;
	uint64_t	 attach_ts;	/* CLOCK_MONOTONIC time when all probes were active */
	uint64_t	 realtime_ns;	/* CLOCK_REALTIME time at attach_ts */
	const char	*other_runtimes; /* other runtimes in the program, separated by commas */
	uint32_t	 sample_hz;	/* TRACE_CPU_SAMPLE: so many a second and CPU; 0: none */
};

struct trace_task_kind {
	uint32_t	 id;
	const char	*name;		/* shortened, safe in a folded stack */
	const char	*name_long;
	const char	*scheduler;
	uint8_t		 blocking;	/* it is a spawn_blocking job */
	uint8_t		 unseen_spawns;	/* its spawn causes no event */
	uint8_t		 root;		/* it is a future that block_on polls, not a task */
	uint8_t		 boxed;		/* it is nothing but a dyn Future: its chains name it */
};

/* A node of a chain; nodes are in pre-order. */
enum trace_node_kind {
	TRACE_NODE_AWAIT	= 0,	/* await point: name (file:line) */
	TRACE_NODE_WRAPPER	= 1,	/* Timeout, Instrumented, select! …: only a name */
	TRACE_NODE_LEAF		= 2,	/* leaf future: name, kind of key */
	TRACE_NODE_GAP		= 3,	/* the chain ends here; the name says why */
	TRACE_NODE_DONE		= 4,	/* a branch that has completed */
	TRACE_NODE_OPAQUE	= 5,	/* hand-written future whose inside is not known */
};

/* Does it hold a descriptor of the reactor itself, apart from the futures in it? */
enum trace_node_descriptor {
	TRACE_DESCRIPTOR_UNTOLD	= 0,
	TRACE_DESCRIPTOR_NONE	= 1,	/* it cannot wait for a descriptor itself */
	TRACE_DESCRIPTOR_OWN	= 2,
};

/*
 * What a task waits in when it has nothing to do. The numbers of enum runtime_idle; the recorder
 * checks this.
 */
enum trace_node_idle {
	TRACE_IDLE_NOT		= 0,
	TRACE_IDLE_QUEUE	= 1,	/* for work: a message, a value that is sent to many */
	TRACE_IDLE_TICK		= 2,	/* of an interval */
	TRACE_IDLE_SIGNAL	= 3,	/* to the process */
	TRACE_IDLE_TASKS	= 4,	/* the end of tasks */
	TRACE_IDLE_BESIDE	= 5,	/* idle only beside another one */
};

struct trace_node {
	uint8_t		 kind;		/* enum trace_node_kind */
	uint8_t		 key;		/* enum walk_key_kind, of a leaf */
	uint8_t		 key_index;	/* index in the event's keys; 0xff: none */
	uint8_t		 nr_children;	/* > 1: branches; the children follow in pre-order */
	uint8_t		 runtime_own;	/* belongs to the runtime's crate, std or core */
	uint8_t		 descriptor;	/* enum trace_node_descriptor */
	uint8_t		 idle;		/* enum trace_node_idle, of a leaf */
	uint32_t	 line;
	const char	*name;		/* "mini_redis::server::Handler::run", or the leaf's type */
	const char	*file;		/* base name, or "" */
	const char	*path;		/* complete path, or "" */
};

struct trace_chain {
	uint32_t		 id;
	uint32_t		 nr;
	const struct trace_node	*nodes;
	const char		*task;		/* what a boxed task is called that waits so, or "" */
};

struct trace_stack {		/* a kernel stack, innermost frame first */
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

/* Where a user stack ends. On disk: append only. */
enum trace_stack_end {
	TRACE_STACK_NOT_KNOWN	= 0,
	TRACE_STACK_START	= 1,	/* where the thread began */
	TRACE_STACK_CUT		= 2,	/* before that; its last frame says why, in brackets */
	TRACE_STACK_END_NR
};

/* Innermost first. A frame without a path is of a library, if the stack's end is known. */
struct trace_user_stack {
	uint32_t			 id;
	uint32_t			 nr;
	const struct trace_user_frame	*frames;
	/* how many of them, the innermost ones, the innermost poll function called; 0: not known */
	uint32_t			 in_poll;
	uint8_t				 end;	/* enum trace_stack_end */
	/*
	 * How many of the frames, the innermost ones, are the task's that is being polled: what
	 * is behind them is the runtime, and who called it. 0: not known.
	 */
	uint32_t			 of_task;
};

struct trace_thread {
	uint32_t	 tid;
	const char	*name;
};

/* Written at the end; absent in a truncated file. */
struct trace_totals {
	uint64_t	end_ts;		/* the last moment at which all probes were active */
	uint64_t	probe_hits;
	uint64_t	cpu_ns;		/* CPU time of recorder and probes (calibrated) */
	/* the target's CPU time during the recording, without the probes' */
	uint64_t	target_cpu_ns;
	const char	*ended_by;	/* "interrupt", "duration", "target exited", … */
};

/* ---- writer ---- */

struct trace_writer;

/* Where a trace is written. */
struct trace_sink {
	int	fd;		/* stays the caller's */
	/*
	 * Called repeatedly, some 50 times a second, while the output accepts no data
	 * (a pipe that nobody reads). 0: keep waiting; negative errno: give up with
	 * this error. NULL: wait for ever.
	 */
	int	(*stalled)(void *ctx);
	void	*ctx;
};

/*
 * Write to @sink, which is copied. 0 or negative errno. The file is valid after the
 * first flush.
 */
int trace_writer__new_on(const struct trace_sink *sink, const struct trace_host *host,
			 struct trace_writer **out);
/* The same to a file at @path, which is created or truncated; "-": standard output. */
int trace_writer__new(const char *path, const struct trace_host *host, struct trace_writer **out);
/* The id (> 0) of string @s in the file; equal strings have equal ids. 0: no memory. */
uint32_t trace_writer__string(struct trace_writer *w, const char *s);
/* Add metadata; 0 or negative errno. The caller chooses the ids. */
int trace_writer__task_kind(struct trace_writer *w, const struct trace_task_kind *k);
int trace_writer__chain(struct trace_writer *w, const struct trace_chain *c);
int trace_writer__stack(struct trace_writer *w, const struct trace_stack *s);
int trace_writer__user_stack(struct trace_writer *w, const struct trace_user_stack *s);
int trace_writer__thread(struct trace_writer *w, const struct trace_thread *t);
/* Add a note for the report ("root future of block_on is not covered"). */
int trace_writer__note(struct trace_writer *w, const char *text);
/* The cause of lost TRACE_CPU_SAMPLE; of any program, since all that run share the buffers. */
#define TRACE_LOSS_SAMPLES	"samples of the CPUs (buffer full)"

/* Set a loss counter to @total, the total so far. Written at each flush and at the end. */
int trace_writer__loss(struct trace_writer *w, const char *cause, uint64_t total);
/*
 * Write an event. The events of a CPU must come in the order of its ring. 0, or
 * negative errno of a write (-ENOSPC: what has been written stays readable). An error
 * is final: all later calls return it again, and finish() tries to record what was
 * lost. SIGPIPE must be ignored to get -EPIPE.
 */
int trace_writer__event(struct trace_writer *w, const struct trace_event *ev);
/*
 * Write an answer, @len bytes, of time @ts: what was found out about the process then. Errors
 * as those of an event.
 */
int trace_writer__answer(struct trace_writer *w, uint64_t ts, const void *data, size_t len);
/* Write out all open chunks. Call it now and then, so that a crash loses little. */
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
 * Open @path ("-": standard input). On error, *@why says in one line what is wrong and
 * what to do. Errors: errno of open; -EBADMSG: not a trace; -EPROTONOSUPPORT: a
 * different version. A truncated or damaged file opens without error: see
 * trace_reader__torn().
 */
int trace_reader__open(const char *path, struct trace_reader **out, const char **why);
/*
 * The next event, sorted by time, then CPU, then place in the stream. 1: *@ev is valid
 * until the next call; 0: end; or negative errno. A damaged chunk is returned as one
 * TRACE_LOST.
 */
int trace_reader__next(struct trace_reader *r, struct trace_event *ev);
/* The same without a copy. */
int trace_reader__next_ref(struct trace_reader *r, const struct trace_event **ev);
/* Start again from the first event. */
int trace_reader__rewind(struct trace_reader *r);
/* NULL, or a line that says where and why the file ends early. */
const char *trace_reader__torn(const struct trace_reader *r);

const struct trace_host *trace_reader__host(const struct trace_reader *r);
/* NULL if the file ends early. */
const struct trace_totals *trace_reader__totals(const struct trace_reader *r);
/* Look-ups by id; NULL: unknown. Valid until the reader is freed. */
const char *trace_reader__string(const struct trace_reader *r, uint32_t id);
const struct trace_task_kind *trace_reader__task_kind(const struct trace_reader *r, uint32_t id);
const struct trace_chain *trace_reader__chain(const struct trace_reader *r, uint32_t id);
const struct trace_stack *trace_reader__stack(const struct trace_reader *r, uint32_t id);
const struct trace_user_stack *trace_reader__user_stack(const struct trace_reader *r, uint32_t id);
const char *trace_reader__thread_name(const struct trace_reader *r, uint32_t tid);
const char *const *trace_reader__notes(const struct trace_reader *r, size_t *nr);
/* The @i-th loss counter; false: there are no more. */
bool trace_reader__loss(const struct trace_reader *r, size_t i, const char **cause,
			uint64_t *total);
/* The number of answers. */
size_t trace_reader__answers(const struct trace_reader *r);
/*
 * Read the @i-th answer, in the order of the file: *@len bytes in *@out, which the caller
 * frees, and its time. 0; -ENOENT; -EBADMSG: it is damaged; or another negative errno.
 */
int trace_reader__answer(const struct trace_reader *r, size_t i, uint64_t *ts, uint8_t **out,
			 size_t *len);
/* The number of events in damaged chunks so far. */
uint64_t trace_reader__damaged(const struct trace_reader *r);
uint64_t trace_reader__bytes(const struct trace_reader *r);
uint64_t trace_reader__first_ts(const struct trace_reader *r);
uint64_t trace_reader__last_ts(const struct trace_reader *r);
void trace_reader__free(struct trace_reader *r);

#endif /* DWELL_TRACE_H */
