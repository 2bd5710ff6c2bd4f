/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which costs of two builds are the same. Code that has moved is the same code, so lines do
 * not count: a place is found again by its task, its function and what is awaited there, and
 * where several have these in common, by their order in the source. If one side has more of
 * them, by how far the rest of the function has moved: see align.h.
 *
 *	match__add(m, 0, &key);			for all keys of both sides
 *	match__settle(m);
 *	match__get(m, 1, &key, &id);
 */
#ifndef DWELL_DIFF_MATCH_H
#define DWELL_DIFF_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "diff/profile.h"

#define SIDES	2		/* 0: before; 1: after */

/* Equal for the same cost on both sides, compared as bytes. */
struct cost_id {
	uint32_t	kind;		/* enum cost_kind */
	uint32_t	idle;
	uint32_t	task, place;	/* numbers; place 0: none */
	const char	*part;		/* without lines */
};

struct match;

/* @names is that of the profiles. NULL: no memory. */
struct match *match__new(struct frame_names *names);
void match__free(struct match *m);
/* Takes a key of @side. 0 or -ENOMEM. */
int match__add(struct match *m, unsigned int side, const struct cost_key *key);
/* All keys have been added. 0 or -ENOMEM. */
int match__settle(struct match *m);
/* What @key, which has been added, is on both sides. 0 or -ENOMEM. */
int match__get(struct match *m, unsigned int side, const struct cost_key *key,
	       struct cost_id *out);

/*
 * "web::lock (web.rs:12)" without the numbers of lines: "web::lock (web.rs)". The result is
 * one of @names. NULL: no memory.
 */
const char *text__without_lines(struct frame_names *names, const char *text);
/* The first number of a line in @text; 0: there is none. */
uint32_t text__line(const char *text);

#endif /* DWELL_DIFF_MATCH_H */
