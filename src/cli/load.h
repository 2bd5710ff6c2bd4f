/* SPDX-License-Identifier: GPL-2.0 */
/* How report, fold and flamegraph begin: load and join a trace. */
#ifndef DWELL_CLI_LOAD_H
#define DWELL_CLI_LOAD_H

#include "join/join.h"

struct trace_reader;

struct loaded {
	struct trace_reader	*reader;
	struct join		*join;
	int			 status;	/* result of the command if nothing else fails */
};

/*
 * Load and join the trace @path ("-": standard input) for command @name. @task is a
 * pattern for the names of tasks, or NULL; it is an error if none matches. @idle: see
 * join__select_idle(); @follow: how deep, see join__follow(), or 0. 0, or
 * negative errno with the message printed. A truncated or damaged trace, or one whose
 * time is not conserved, is loaded; a message is printed then too, and @l->status is
 * not 0.
 */
int load__trace(struct loaded *l, const char *name, const char *path, const char *task,
		enum join_idle idle, unsigned int follow);
/*
 * The same, and @prepare is called before the join runs, with @ctx: to add a sink, say.
 * Its error ends the load, as one of memory.
 */
int load__trace_with(struct loaded *l, const char *name, const char *path, const char *task,
		     int (*prepare)(void *ctx, struct join *j), void *ctx);
void load__free(struct loaded *l);

#endif /* DWELL_CLI_LOAD_H */
