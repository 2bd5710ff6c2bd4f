/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The types of a runtime's tasks in memory, Cell<T, S>: which ones the debug
 * information contains, and where the parts of each lie.
 *
 * It must not know code.
 */
#ifndef DWELL_IMAGE_CELLS_H
#define DWELL_IMAGE_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/types.h"
#include "runtime/runtime.h"
#include "walk.h"

struct cells {
	struct cell {
		uint64_t	 key;	/* identifies T and S by their names */
		const uint8_t	*die;
		/* set by the user: a poll function of this type is known */
		bool		 polled;
	}		*list;		/* sorted by key */
	size_t		 nr, cap;
};

/* Replace the contents of @cs by the task types of @rt. 0 or -ENOMEM. */
int cells__find(struct cells *cs, const struct types *ts, const struct runtime *rt);
void cells__free(struct cells *cs);

/* The key of a type, from its name. */
uint64_t cells__type_key(const struct types *ts, const struct die *type);
/* The key of tasks with a future of type @t and a scheduler of type @s. */
uint64_t cells__key(const struct types *ts, const struct die *t, const struct die *s);
/* The first entry of key @key; equal entries of other units follow it. NULL: none. */
struct cell *cells__get(const struct cells *cs, uint64_t key);

/* Find in the cell type at @d where the future lies, and how to tell whether it is there. */
bool cell__layout(const struct types *ts, const struct runtime *rt, const struct die *d,
		  struct walk_cell *out);

#endif /* DWELL_IMAGE_CELLS_H */
