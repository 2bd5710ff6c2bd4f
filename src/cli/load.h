/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What report, fold and flamegraph begin with: a trace, joined.
 */
#ifndef DWELL_CLI_LOAD_H
#define DWELL_CLI_LOAD_H

struct join;
struct trace_reader;

struct loaded {
	struct trace_reader	*reader;
	struct join		*join;
	int			 status;	/* what the command returns if all else goes well */
};

/*
 * Read and join the trace @path ("-": standard input) for the command @name; @task
 * is a pattern that the tasks' kinds must match, or NULL. That none does is an error.
 * 0, or a negative errno whose message has been printed. A torn trace, or one
 * whose time is not conserved, is loaded: the message has been printed too,
 * and @l->status is not 0.
 */
int load__trace(struct loaded *l, const char *name, const char *path, const char *task);
void load__free(struct loaded *l);

#endif /* DWELL_CLI_LOAD_H */
