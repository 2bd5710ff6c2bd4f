/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model under construction, and the flat block that it becomes.
 *
 * The builder collects tables and strings; model__freeze lays them out as one
 * block that is the same in memory and in the cache. It must not know where
 * the contents come from.
 */
#ifndef DWELL_IMAGE_MODEL_H
#define DWELL_IMAGE_MODEL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "image/binary.h"
#include "image/image.h"

/* Bump when any table's layout or meaning changes, or the builder gets better. */
#define MODEL_VERSION	16
#define MODEL_MAGIC	"dwellimg"

enum model_table {
	MODEL_FNS, MODEL_RETURNS, MODEL_TYPES, MODEL_VARIANTS, MODEL_VTABLES, MODEL_CELLS,
	MODEL_WALK_TYPES, MODEL_WALK_VARIANTS, MODEL_WALK_ARCS, MODEL_WALK_LEAVES,
	MODEL_LAYOUTS, MODEL_TLS, MODEL_RUNTIMES, MODEL_ROOT_SITES, MODEL_ROOT_RANGES,
	MODEL_NOTES, MODEL_STRINGS, MODEL_TABLES
};

/* The head of the block; all offsets are from its start. */
struct model_block {
	char		magic[8];
	uint32_t	version;
	uint32_t	head_size;
	uint64_t	size;		/* whole */
	uint64_t	checksum;	/* of all behind this field */
	uint64_t	key;		/* what it was built from: see cache.c */
	uint32_t	tier;
	image_str	hint, build_id, debug_path, producer;
	uint32_t	torn;		/* not worth caching */
	struct {
		uint64_t	off;
		uint32_t	nr;
		uint32_t	elem;	/* size of an element, as a check */
	} tables[MODEL_TABLES];
};

struct model {
	struct {
		void	*p;
		size_t	 nr, cap;
	} tables[MODEL_TABLES];
	struct hash_table strs;	/* offsets into the pool, by text */
	enum image_tier	 tier;
	image_str	 hint, build_id, debug_path, producer;
	int		 err;		/* the first failure; builders need not check each step */
	bool		 torn;
};

struct image {
	const struct model_block *block;
	size_t			  size;
	bool			  cached;		/* read from the cache */
	const char		**notes;
	char			 *path;
	struct binary		 *binary;	/* opened when code bytes are asked for */
};

void model__init(struct model *m);
void model__free(struct model *m);

/*
 * Into the pool. Its text is for people, and names come from the program: they
 * are made printable here, so that nothing in a model is not.
 */
image_str model__str(struct model *m, const char *s);
image_str model__strn(struct model *m, const char *s, size_t n);
/* The pool's text; valid until the next string is added. */
const char *model__text(const struct model *m, image_str s);

/* Append @nr zeroed elements; the index of the first, WALK_NONE out of memory. */
uint32_t model__add(struct model *m, enum model_table t, size_t nr);
/* The element at @i; valid until the next model__add to the same table. */
void *model__at(const struct model *m, enum model_table t, uint32_t i);

/* Is there a poll function of runtimes[@runtime] in it? */
bool model__has_polls(const struct model *m, unsigned int runtime);

void model__note(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Lay out as a block that image__adopt can use. NULL: out of memory. */
struct model_block *model__freeze(const struct model *m, uint64_t key);
/* True if @size bytes at @b are a whole, unharmed block built from @key. */
bool model__check(const struct model_block *b, size_t size, uint64_t key);

/* Make an image of a block. Takes the block over, also on failure. */
struct image *image__adopt(struct model_block *b, size_t size, bool cached, const char *path);

#endif /* DWELL_IMAGE_MODEL_H */
