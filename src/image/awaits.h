/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the source position of each await point of a coroutine.
 *
 * A suspended state carries the position of its await. If a macro wrote the await, this
 * position is inside the macro's definition. The variable of the same await in the
 * coroutine's body has the position of the macro's use; state and variable are matched
 * by type and order.
 */
#ifndef DWELL_IMAGE_AWAITS_H
#define DWELL_IMAGE_AWAITS_H

#include "image/lines.h"
#include "image/types.h"

struct awaits;

/* @lines is used as long as the object lives. NULL: no memory. */
struct awaits *awaits__new(const struct types *ts, struct line_files *lines);
void awaits__free(struct awaits *a);

/* Where @d is declared. */
struct source_line awaits__position(struct awaits *a, const struct die *d);
/* Where the body of the closure begins whose environment is @env. */
struct source_line awaits__closure(struct awaits *a, const struct die *env);

/* A local variable of a coroutine's body. */
struct await_local {
	const char		*name;
	uint64_t		 type;	/* as awaits__type() has it */
	struct source_line	 at;	/* where it is declared */
};

/*
 * The local variables of the body of the coroutine with environment @env, outer ones first:
 * *@nr in an array that the caller frees. NULL: there are none, or no memory.
 */
struct await_local *awaits__locals(struct awaits *a, const struct die *env, size_t *nr);
/* A number that is equal for types that await_local.type counts as equal. */
uint64_t awaits__type(const struct awaits *a, const struct die *type);

/* One suspended state of a coroutine. States are passed in order. */
struct await_point {
	struct die	 member;	/* the variant's payload, with its position */
	struct die	 awaitee;	/* type; undefined if has_awaitee is false */
	bool		 has_awaitee;
	const char	*path;		/* result: the path in the line table; NULL: not known */
	uint32_t	 line;		/* result; 0: not known */
	const void	*place;		/* private */
	bool		 known;		/* private */
};

/* Fill in path and line of the @nr points of the coroutine with environment @env. */
void awaits__locate(struct awaits *a, const struct die *env, struct await_point *points, size_t nr);

#endif /* DWELL_IMAGE_AWAITS_H */
