/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in the source the await points of a coroutine are.
 *
 * A suspended state carries the position of its await, but that of one which
 * a macro wrote is inside the macro's definition. The variable of the same
 * await in the coroutine's body has the place of use; the two are brought
 * together by type and order.
 */
#ifndef DWELL_IMAGE_AWAITS_H
#define DWELL_IMAGE_AWAITS_H

#include "image/lines.h"
#include "image/types.h"

struct awaits;

/* NULL: no memory. @lines is used as long as the object lives. */
struct awaits *awaits__new(const struct types *ts, struct line_files *lines);
void awaits__free(struct awaits *a);

/* Where @d is declared. */
struct source_line awaits__position(struct awaits *a, const struct die *d);
/* Where the body of the closure begins whose environment is @env. */
struct source_line awaits__closure(struct awaits *a, const struct die *env);

/* One suspended state of a coroutine, in the order of states. */
struct await_point {
	struct die	 member;	/* the variant's payload, with its position */
	struct die	 awaitee;	/* type; undefined if has_awaitee is false */
	bool		 has_awaitee;
	const char	*path;		/* out: file as the line table has it, NULL unknown */
	uint32_t	 line;		/* out: 0 unknown */
	const void	*place;		/* used inside */
	bool		 known;		/* used inside */
};

/* Fill in path and line of the @nr points of the coroutine whose environment is @env. */
void awaits__locate(struct awaits *a, const struct die *env, struct await_point *points, size_t nr);

#endif /* DWELL_IMAGE_AWAITS_H */
