/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types as rustc describes them: members, variants, pointers, names.
 *
 * It knows the structure of rustc's debug information; it must not know futures or
 * runtimes.
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

/* The part of an enum or a coroutine that selects the variant. */
struct type_variants {
	struct die	 die;		/* DW_TAG_variant_part */
	uint64_t	 off;		/* of the discriminant */
	unsigned int	 width;		/* bytes; 0: no discriminant, one variant only */
};

struct type_variant {
	bool			has_value;	/* false: the variant for all other values */
	uint64_t		value;
	struct type_member	payload;
	struct die		die;
};

/*
 * The definition of the type at @d, behind typedefs and qualifiers, and in another unit
 * if this one has only a declaration. False: there is none.
 */
bool type__resolve(const struct types *ts, struct die *d);
/* The type that DW_AT_type of @d refers to, resolved. */
bool type__of(const struct types *ts, const struct die *d, struct die *out);

uint64_t type__size(const struct die *d);
/* In bytes, at least 1. */
uint64_t type__align(const struct die *d);
/* The name of the entry, without its path: "Option<u8>"; "" if it has none. */
const char *type__name(const struct die *d);
/* Does the name begin with @prefix? */
bool type__named(const struct die *d, const char *prefix);
/* Is @path ("core::option::Option") the type's path and name, without generics? */
bool type__is(const struct types *ts, const struct die *d, const char *path);

/* A number that is equal for the same type in different units; never 0. */
uint64_t type__key(const struct types *ts, const struct die *d);

/* Iterates over members; *@it must be zeroed. */
struct member_iter {
	struct die	at;
	bool		begun;
};
bool type__next_member(const struct types *ts, const struct die *d, struct member_iter *it,
		       struct type_member *out);
bool type__member(const struct types *ts, const struct die *d, const char *name,
		  struct type_member *out);
/* The only member with a size; false: none, or several. */
bool type__only_member(const struct types *ts, const struct die *d, struct type_member *out);

bool type__variants(const struct types *ts, const struct die *d, struct type_variants *out);
bool type__next_variant(const struct types *ts, const struct type_variants *vs,
			struct member_iter *it, struct type_variant *out);
/* The only variant with a payload; false: none, or several. */
bool type__only_payload(const struct types *ts, const struct die *d, struct type_member *out);

/* The type of generic parameter @name ("T") of a type or function. */
bool type__param(const struct types *ts, const struct die *d, const char *name,
		 struct die *out);

/* The type that a thin pointer points to. */
bool type__pointee(const struct types *ts, const struct die *d, struct die *out);
/*
 * A pointer of two words: *@data_off and the other offset are those of the data pointer
 * and of the second word, a vtable if *@dyn, else a length. @target: the type pointed
 * to.
 */
bool type__fat_pointer(const struct types *ts, const struct die *d, bool *dyn, uint64_t *data_off,
		       uint64_t *other_off, struct die *target);

/*
 * Follow a path of member names (see runtime_leaf.key_path) from the type at @d. False:
 * none of its alternatives matches. @end, if not NULL, is set to the type at the end.
 */
bool type__path(const struct types *ts, const struct die *d, const char *path,
		struct image_path *out, struct die *end);

/* How to tell that an enum has the variant that a path enters. */
struct type_choice {
	int32_t		off;		/* of the discriminant, from the end of the path */
	uint8_t		width;		/* of the discriminant; 0: there is nothing to tell */
	bool		is;		/* it must be value; false: it must not */
	uint32_t	value;
};

/*
 * As type__path(), and *@choice for the last enum that the path enters by a variant's name. Width
 * 0: it enters none, or follows a pointer behind it, or its values do not fit.
 */
bool type__path_choice(const struct types *ts, const struct die *d, const char *path,
		       struct image_path *out, struct type_choice *choice);

/*
 * A Vec: where the pointer to its elements (*@at) and their number (*@len) are, and their type.
 * False: it is none.
 */
bool type__vec(const struct types *ts, const struct die *d, uint32_t *at, uint32_t *len,
	       struct die *item);

/*
 * Find the shortest path, by value and through references, boxes and Arcs, to a type
 * called @want, with three dereferences at most. False: there is none, or two are
 * equally short. @end, if not NULL, is set to the type that was found.
 */
bool type__search(const struct types *ts, const struct die *d, const char *want,
		  struct image_path *out, struct die *end);

#endif /* DWELL_IMAGE_TYPES_H */
