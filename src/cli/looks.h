/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The looks in a recording: what `dwell why` found at its start, at its end, and when it
 * was asked to meanwhile.
 */
#ifndef DWELL_CLI_LOOKS_H
#define DWELL_CLI_LOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "answer/answer.h"
#include "trace/trace.h"

/* One of them. */
struct look {
	struct answer	answer;
	bool		found;		/* there is one */
	uint64_t	at;		/* ns since the recording began */
	const char	*why;		/* or why it could not be read; NULL: nothing is wrong */
};

struct json_t;

/*
 * The last look in the recording, or the one that is next to @at (ns since the recording
 * began) if that is not NULL. 0 or -ENOMEM; free it in either case.
 */
int look__load(struct look *l, const struct trace_reader *r, const uint64_t *at);
void look__free(struct look *l);

/* What was found. */
void look__text(const struct look *l, FILE *out);
/* The tasks whose name contains @pattern, or whose id it is, in depth. */
void look__text_tasks(const struct look *l, const char *pattern, FILE *out);
/*
 * Add it to @all, an object with a list "findings" and a list "tasks": its findings come
 * first; its tasks are those of @all if there are none. 0 or -ENOMEM.
 */
int look__add_to_json(const struct look *l, struct json_t *all);

#endif /* DWELL_CLI_LOOKS_H */
