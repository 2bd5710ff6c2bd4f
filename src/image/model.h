/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model under construction, and the flat block that it becomes.
 *
 * The builder collects tables and strings; model__freeze() lays them out as one block,
 * which is the same in memory and in the cache. It must not know where the contents
 * come from.
 */
#ifndef DWELL_IMAGE_MODEL_H
#define DWELL_IMAGE_MODEL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "image/binary.h"
#include "image/image.h"

/* Increment when the layout or meaning of a table changes, or when the builder improves. */
#define MODEL_VERSION	35
#define MODEL_MAGIC	"dwellimg"

enum model_table {
	MODEL_FNS, MODEL_RETURNS, MODEL_TYPES, MODEL_VARIANTS, MODEL_VTABLES, MODEL_CELLS,
	MODEL_WALK_TYPES, MODEL_WALK_VARIANTS, MODEL_WALK_ARCS, MODEL_WALK_LEAVES,
	MODEL_LAYOUTS, MODEL_TLS, MODEL_RUNTIMES, MODEL_ROOT_SITES, MODEL_ROOT_RANGES,
	MODEL_PARTS, MODEL_HANDLES, MODEL_VALUES, MODEL_ROWS,
	MODEL_NOTES, MODEL_STRINGS, MODEL_TABLES
};

/* The header of the block; offsets are relative to its start. */
struct model_block {
	char		magic[8];
	uint32_t	version;
	uint32_t	head_size;
	uint64_t	size;		/* of the whole block */
	uint64_t	checksum;	/* of everything after this field */
	uint64_t	key;		/* identifies the input: see cache.c */
	uint32_t	tier;
	image_str	hint, build_id, debug_path, producer;
	uint32_t	torn;		/* not to be cached */
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
	struct hash_table strs;	/* offsets into the pool, keyed by text */
	enum image_tier	 tier;
	image_str	 hint, build_id, debug_path, producer;
	/* the first failure, so that builders need not check each step */
	int		 err;
	bool		 torn;
};

struct image {
	const struct model_block *block;
	size_t			  size;
	bool			  cached;		/* read from the cache */
	const char		**notes;
	char			 *path;
	struct binary		 *binary;	/* opened when code bytes are needed */
};

void model__init(struct model *m);
void model__free(struct model *m);

/*
 * Add a string to the pool. Names come from the program, and the text is for people, so
 * control characters are replaced here.
 */
image_str model__str(struct model *m, const char *s);
image_str model__strn(struct model *m, const char *s, size_t n);
/* A string of the pool; valid until the next string is added. */
const char *model__text(const struct model *m, image_str s);

/* Append @nr zeroed elements; returns the index of the first, WALK_NONE: no memory. */
uint32_t model__add(struct model *m, enum model_table t, size_t nr);
/* Element @i; valid until the next model__add() to the same table. */
void *model__at(const struct model *m, enum model_table t, uint32_t i);

/* Has the model a poll function of runtimes[@runtime]? */
bool model__has_polls(const struct model *m, unsigned int runtime);

void model__note(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Lay the model out as a block for image__adopt(). NULL: no memory. */
struct model_block *model__freeze(const struct model *m, uint64_t key);
/* Are the @size bytes at @b a complete, undamaged block with key @key? */
bool model__check(const struct model_block *b, size_t size, uint64_t key);

/* Make an image of a block, which is taken over, even if this fails. */
struct image *image__adopt(struct model_block *b, size_t size, bool cached, const char *path);

#endif /* DWELL_IMAGE_MODEL_H */
