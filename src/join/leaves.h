/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The leaves of a task's wait, and their keys.
 */
#ifndef DWELL_JOIN_LEAVES_H
#define DWELL_JOIN_LEAVES_H

#include "join/timeline.h"

/* The key of leaf @l of the wait of @t, if it is of kind @want. */
static inline bool leaf_key(const struct task *t, const struct chain_leaf *l,
			    enum walk_key_kind want, struct walk_key *key)
{
	if (l->key != want || l->key_index >= t->nr_keys)
		return false;
	*key = walk_keys__get(&t->keys, l->key_index);
	if (key->kind)
		return key->kind == want;
	/* of a recording of version 1: see trace/event.h */
	if (want == WALK_KEY_IO) {
		key->dir = key->value & 3;
		key->value &= ~3ull;
	}
	return true;
}

/* The node of the only leaf that may be meant, among those that @pick says may be. */
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
 * The node of the only leaf that waits for a descriptor, and its key. NO_BRANCH: there
 * is none, or more than one, or the key was not read.
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
