/* SPDX-License-Identifier: GPL-2.0 */
/* Access to the leaves of the chain that a task waits at, and to their keys. */
#ifndef DWELL_JOIN_LEAVES_H
#define DWELL_JOIN_LEAVES_H

#include "join/timeline.h"

/* Does leaf @l of @t's wait have a key of kind @want? If so it is stored in *@key. */
static inline bool leaf_key(const struct task *t, const struct chain_leaf *l,
			    enum walk_key_kind want, struct walk_key *key)
{
	if (l->key != want || l->key_index >= t->nr_keys)
		return false;
	*key = walk_keys__get(&t->keys, l->key_index);
	if (key->kind)
		return key->kind == want;
	/* a recording of version 1 has untyped keys: see trace/event.h */
	if (want == WALK_KEY_IO) {
		key->dir = key->value & 3;
		key->value &= ~3ull;
	}
	return true;
}

/* The node of the only leaf for which @pick is true; NO_BRANCH: none, or several. */
static inline uint16_t only_leaf(const struct shape *sh, bool (*pick)(const struct chain_leaf *l))
{
	uint16_t found = NO_BRANCH;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (!pick(&sh->leaves[i]))
			continue;
		if (found != NO_BRANCH)
			return NO_BRANCH;
		found = sh->leaves[i].node;
	}
	return found;
}

static inline bool leaf__io(const struct chain_leaf *l)
{
	return l->key == WALK_KEY_IO;
}

/*
 * The node of the only leaf that waits for a descriptor, and its key in *@key.
 * NO_BRANCH: no leaf does, more than one does, or the key was not read.
 */
static inline uint16_t only_io(const struct task *t, const struct shape *sh, struct walk_key *key)
{
	uint16_t node = only_leaf(sh, leaf__io);

	for (uint32_t i = 0; node != NO_BRANCH && i < sh->nr_leaves; i++)
		if (sh->leaves[i].node == node)
			return leaf_key(t, &sh->leaves[i], WALK_KEY_IO, key) ? node : NO_BRANCH;
	return NO_BRANCH;
}

#endif /* DWELL_JOIN_LEAVES_H */
