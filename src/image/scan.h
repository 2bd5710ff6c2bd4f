/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index pass: visits all entries once, in several threads, and notes where the
 * things are that the model needs. It resolves nothing.
 *
 * It knows that Rust nests names in namespaces, and how it spells bodies and vtables;
 * it must not know runtimes (the names to look for are passed in).
 */
#ifndef DWELL_IMAGE_SCAN_H
#define DWELL_IMAGE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/die.h"

/* A namespace. */
struct scope {
	const struct scope	*parent;
	const char		*name;
	uint64_t		 hash;	/* of the complete path */
};

struct scan_type {
	const uint8_t		*die;
	const struct scope	*scope;
	const char		*name;
	uint64_t		 hash;	/* of the complete path and the name */
	uint64_t		 size;
	uint32_t		 next;	/* next in the same bucket */
	uint16_t		 tag;
	bool			 declaration;
	bool			 empty;	/* no members although it has a size */
};

/* A function with a wanted name, or an async body. */
struct scan_fn {
	const uint8_t		*die;
	const struct scope	*scope;
	const char		*type;	/* of a method: its type with generics; NULL: none */
	const char		*name;
	const char		*linkage;
	uint64_t		 low_pc;
	bool			 has_pc;
	bool			 body;	/* "{async_fn#0}" and similar */
};

/* The code of a function whose name is in another entry. */
struct scan_instance {
	const uint8_t		*die;
	const uint8_t		*origin;
	uint64_t		 low_pc;
	const char		*linkage;
};

struct scan_vtable {
	const uint8_t		*die;
	const char		*name;
};

struct scan {
	struct scan_type	*types;		/* each table is in the order of .debug_info */
	struct scan_fn		*fns;
	struct scan_instance	*instances;
	struct scan_vtable	*vtables;
	size_t			 nr_types, nr_fns, nr_instances, nr_vtables;
	uint32_t		*buckets;	/* of types, by hash */
	size_t			 nr_buckets;
	uint64_t		 entries;	/* visited in total */
	bool			 torn;		/* something was malformed */
	void			*arenas;
};

#define SCAN_NO_TYPE	0xffffffffu

/*
 * Scan all units of @di with @jobs threads. @names: the wanted functions, without
 * generics; NULL ends the list. @progress may be NULL. 0 or negative errno.
 */
int scan__run(struct scan *sc, const struct debug_info *di, const char *const *names,
	      unsigned int jobs, void (*progress)(void *ctx, uint64_t done, uint64_t total),
	      void *ctx);
void scan__free(struct scan *sc);

/* The type at @die; NULL: it was not indexed. */
const struct scan_type *scan__type_at(const struct scan *sc, const uint8_t *die);
/* The best definition of a type, by the hash of its path; @size ~0: of any size. */
const struct scan_type *scan__type_by_hash(const struct scan *sc, uint64_t hash, uint64_t size);
/* The same by its path as text: "a::b::C<d::E>". */
const struct scan_type *scan__type_by_path(const struct scan *sc, const char *path, size_t len);
/* The hash of a path given as text. */
uint64_t scan__hash_path(const char *path, size_t len);

#endif /* DWELL_IMAGE_SCAN_H */
