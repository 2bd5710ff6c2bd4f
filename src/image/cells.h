/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The types of a runtime's tasks in memory, Cell<T, S>: what there is of them in the
 * debug information, and where their parts lie.
 *
 * It must not know of code.
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
		uint64_t	 key;	/* of T's and S's names */
		const uint8_t	*die;
		bool		 polled;	/* for the caller: its poll function is known */
	}		*list;		/* sorted by key */
	size_t		 nr, cap;
};

/* Replace what is in @cs by the task types of @rt. 0 or -ENOMEM. */
int cells__find(struct cells *cs, const struct types *ts, const struct runtime *rt);
void cells__free(struct cells *cs);

/* Of a type by its name. */
uint64_t cells__type_key(const struct types *ts, const struct die *type);
/* What a task of the future at @t and the scheduler at @s goes by. */
uint64_t cells__key(const struct types *ts, const struct die *t, const struct die *s);
/* The first entry of @key, NULL: none. Others, of other units, follow it. */
struct cell *cells__get(const struct cells *cs, uint64_t key);

/* From the cell's type at @d to where its future lies and when it lies there. */
bool cell__layout(const struct types *ts, const struct runtime *rt, const struct die *d,
		  struct walk_cell *out);

#endif /* DWELL_IMAGE_CELLS_H */
