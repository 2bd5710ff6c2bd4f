/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types as rustc describes them: members, variants, pointers, names.
 *
 * It knows the shapes of rustc's debug information and nothing of futures or
 * of any runtime.
 */
#ifndef DWELL_IMAGE_TYPES_H
#define DWELL_IMAGE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/die.h"
#include "image/image.h"
#include "image/scan.h"

struct types {
	struct debug_info	*di;
	const struct scan	*sc;
};

/* A member, or the payload of a variant. */
struct type_member {
	const char	*name;		/* NULL: none */
	uint64_t	 off;		/* bytes from the start of the type */
	struct die	 type;		/* resolved */
	struct die	 die;		/* of the member itself */
};

/* The part of an enum, or of a coroutine, that says which variant there is. */
struct type_variants {
	struct die	 die;		/* DW_TAG_variant_part */
	uint64_t	 off;		/* of the discriminant */
	unsigned int	 width;		/* bytes; 0: there is none, one variant only */
};

struct type_variant {
	bool			has_value;	/* false: the one for all other values */
	uint64_t		value;
	struct type_member	payload;
	struct die		die;
};

/*
 * The definition of the type at @d: past typedefs and qualifiers, and where
 * the unit has only a declaration, in another unit. False: there is none.
 */
bool type__resolve(const struct types *ts, struct die *d);
/* The type that attribute DW_AT_type of @d names, resolved. */
bool type__of(const struct types *ts, const struct die *d, struct die *out);

uint64_t type__size(const struct die *d);
/* In bytes, at least 1. */
uint64_t type__align(const struct die *d);
/* As the entry has it, without its path: "Option<u8>"; "" if it has none. */
const char *type__name(const struct die *d);
/* Does the name begin with @prefix? */
bool type__named(const struct die *d, const char *prefix);
/* Are the type's path and its name without generics @path ("core::option::Option")? */
bool type__is(const struct types *ts, const struct die *d, const char *path);

/* The same number for the same type in another unit; never 0. */
uint64_t type__key(const struct types *ts, const struct die *d);

/* Walk over members: *@it starts zeroed. */
struct member_iter {
	struct die	at;
	bool		begun;
};
bool type__next_member(const struct types *ts, const struct die *d, struct member_iter *it,
		       struct type_member *out);
bool type__member(const struct types *ts, const struct die *d, const char *name,
		  struct type_member *out);
/* The only member that has a size; false if there are more, or none. */
bool type__only_member(const struct types *ts, const struct die *d, struct type_member *out);

bool type__variants(const struct types *ts, const struct die *d, struct type_variants *out);
bool type__next_variant(const struct types *ts, const struct type_variants *vs,
			struct member_iter *it, struct type_variant *out);
/* The only variant with something in it; false if there are more, or none. */
bool type__only_payload(const struct types *ts, const struct die *d, struct type_member *out);

/* Generic parameter @name ("T") of a type or function. */
bool type__param(const struct types *ts, const struct die *d, const char *name,
		 struct die *out);

/* The type that a thin pointer points to. */
bool type__pointee(const struct types *ts, const struct die *d, struct die *out);
/*
 * A pointer of two words: members for the data and for its other half, which
 * is a vtable if *@dyn, else a length. @target: the type pointed to.
 */
bool type__fat_pointer(const struct types *ts, const struct die *d, bool *dyn, uint64_t *data_off,
		       uint64_t *other_off, struct die *target);

/*
 * Follow a path of member names (see runtime_leaf.key_path) from the type at
 * @d. False: none of its alternatives fits. @end, if not NULL, gets the type
 * at the path's end.
 */
bool type__path(const struct types *ts, const struct die *d, const char *path,
		struct image_path *out, struct die *end);

/*
 * The shortest way by value and through references, boxes and Arcs to a type of
 * path @want, with at most three dereferences; false if there is none, or if two
 * are as short.
 */
bool type__search(const struct types *ts, const struct die *d, const char *want,
		  struct image_path *out);

#endif /* DWELL_IMAGE_TYPES_H */
