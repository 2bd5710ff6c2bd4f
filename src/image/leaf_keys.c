// SPDX-License-Identifier: GPL-2.0
/*
 * The ways from leaf futures to their keys. See leaf_keys.h. It must not know which futures
 * there are, nor how a chain is followed.
 */
#include "image/leaf_keys.h"

#include <string.h>

#include "image/holders.h"
#include "image/scan.h"

static void leaf_from_path(struct walk_leaf *leaf, const struct image_path *p)
{
	leaf->nr_hops = p->nr_hops;
	for (unsigned int i = 0; i <= p->nr_hops && i < WALK_MAX_HOPS; i++)
		leaf->hop[i] = p->off[i];
}

static void leaf_choice(struct walk_leaf *leaf, const struct type_choice *choice)
{
	leaf->there_off = choice->off;
	leaf->there_width = choice->width;
	leaf->there_is = choice->is;
	leaf->there_value = choice->value;
}

/*
 * Searches the type at @d for one that the driver knows of, and continues there by the leaf's own
 * path. False: it holds none, or two.
 */
static bool key_behind_io(const struct types *ts, const struct die *d, const struct runtime *rt,
			  const struct runtime_leaf *l, struct image_path *path,
			  struct walk_leaf *leaf)
{
	struct type_choice choice;
	struct image_path rest;
	struct die io;

	if (!type__search(ts, d, rt->io_type, path, &io) ||
	    !type__path_choice(ts, &io, l->io_path, &rest, &choice) ||
	    path->nr_hops + rest.nr_hops >= WALK_MAX_HOPS)
		return false;
	path->off[path->nr_hops] += rest.off[0];
	for (unsigned int i = 1; i <= rest.nr_hops; i++)
		path->off[path->nr_hops + i] = rest.off[i];
	path->nr_hops += rest.nr_hops;
	leaf_choice(leaf, &choice);
	leaf->value_width = l->by_value ? rest.width : 0;
	return true;
}

/* Continues a path that ends at the reactor's object to the number that identifies it. */
static bool key_in_io(const struct types *ts, const struct runtime *rt, struct image_path *path,
		      struct walk_leaf *leaf)
{
	const struct scan_type *t;
	struct image_path key;
	struct die d;

	if (!rt->io_key)
		return true;
	t = scan__type_by_path(ts->sc, rt->io_type, strlen(rt->io_type));
	if (!t || !die__at_addr(ts->di, t->die, &d) || !type__resolve(ts, &d) ||
	    !type__path(ts, &d, rt->io_key, &key, NULL) || key.nr_hops || !key.width)
		return false;
	path->off[path->nr_hops] += key.off[0];
	leaf->value_width = key.width;
	return true;
}

/*
 * Adds the way to a leaf's key. Returns its index in the table; WALK_NONE: it cannot be
 * found.
 */
static uint32_t add_leaf(struct model *m, const struct types *ts, const struct die *d,
			 const struct runtime *rt, const struct runtime_leaf *l)
{
	struct walk_leaf leaf = { .key = (uint8_t)l->key, .dir = l->dir, .add = l->add,
				  .dir_read = l->dir_read, .dir_write = l->dir_write };
	struct type_choice choice = { .width = 0 };
	struct image_path path, dir;
	bool found = false;
	uint32_t at;

	if (l->key == WALK_KEY_NONE)
		return WALK_NONE;
	if (l->key == WALK_KEY_YIELD) {
		path = (struct image_path){ .nr_hops = 0 };	/* nothing to read */
		found = true;
	}
	if (l->key_path)
		found = type__path_choice(ts, d, l->key_path, &path, &choice);
	if (found && l->by_value)
		leaf.value_width = path.width;
	if (found && l->key == WALK_KEY_OPERATION)
		leaf_choice(&leaf, &choice);
	if (!found && l->search_io && rt && rt->io_type)
		found = l->io_path ? key_behind_io(ts, d, rt, l, &path, &leaf) :
				     type__search(ts, d, rt->io_type, &path, NULL) &&
				     key_in_io(ts, rt, &path, &leaf);
	if (!found || path.nr_hops >= WALK_MAX_HOPS || (l->by_value && !leaf.value_width))
		return WALK_NONE;
	leaf_from_path(&leaf, &path);
	if (!l->dir && l->dir_path && type__path(ts, d, l->dir_path, &dir, NULL) &&
	    !dir.nr_hops && dir.width) {
		leaf.dir_off = dir.off[0];
		leaf.dir_width = dir.width;
	}
	at = model__add(m, MODEL_WALK_LEAVES, 1);
	if (at != WALK_NONE)
		*(struct walk_leaf *)model__at(m, MODEL_WALK_LEAVES, at) = leaf;
	return at;
}

const struct runtime_leaf *leaf_keys__find(struct model *m, const struct types *ts,
					   const struct die *d, uint32_t *at)
{
	const struct runtime_leaf *l, *first = NULL;
	struct leaf_iter it = { .next = 0 };

	*at = WALK_NONE;
	while ((l = holders__next_leaf(ts, d, &it))) {
		*at = add_leaf(m, ts, d, it.rt, l);
		if (*at != WALK_NONE || !l->search_io)
			return first && *at == WALK_NONE ? first : l;
		first = first ? first : l;
	}
	return first;
}
