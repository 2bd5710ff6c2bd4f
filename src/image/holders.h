/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which types are futures, and which contain one: by value, or behind a pointer that
 * the walk may follow (Pin, Box, &mut).
 *
 * It must not know the tables that the walk uses.
 */
#ifndef DWELL_IMAGE_HOLDERS_H
#define DWELL_IMAGE_HOLDERS_H

#include "image/types.h"
#include "runtime/runtime.h"

#define HOLDERS_MAX_DEPTH	8	/* nesting of structs around a future */
#define HOLDERS_MAX_STEPS	400000000ull	/* entries visited: a limit against hostile files */

struct holders;

/* @ts is used as long as the object lives. NULL: no memory. */
struct holders *holders__new(const struct types *ts);
void holders__free(struct holders *h);

/* Is the type at @d polled itself, that is, is it a coroutine or has it a poll function? */
bool holders__is_future(const struct holders *h, const struct die *d);
/*
 * Is there a future in a place of type @d? @depth: number of structs around it so far.
 * @captures: the place is in a closure that polls, which captures by reference.
 */
bool holders__holds(struct holders *h, const struct die *d, unsigned int depth, bool captures);

/* Is it a PollFn: std's, that of the futures crate, or tokio's own (still in 1.40)? */
bool holders__is_poll_fn(const struct types *ts, const struct die *d);

/* Iterates over the adapters' entries for a type; zeroed at first. */
struct leaf_iter {
	const struct runtime	*rt;	/* of the entry; NULL: it is a library's */
	unsigned int		 next;	/* runtime that is looked at next */
	bool			 ended;
};

/*
 * The next entry for the type at @d; NULL: there is none. Several runtimes may have one, as what
 * futures of a library wait for depends on what these hold.
 */
const struct runtime_leaf *holders__next_leaf(const struct types *ts, const struct die *d,
					      struct leaf_iter *it);
const struct runtime_wrapper *holders__wrapper(const struct types *ts, const struct die *d);
/* Does a runtime put @w around each of its tasks? */
bool holders__is_hidden(const struct runtime_wrapper *w);

#endif /* DWELL_IMAGE_HOLDERS_H */
