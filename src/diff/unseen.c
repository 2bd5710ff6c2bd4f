/* SPDX-License-Identifier: GPL-2.0 */
/* Sleeps whose place was not seen. See unseen.h. */
#include "diff/unseen.h"

#include <errno.h>

static bool is_seen(const struct cost_key *key)
{
	return key->kind == COST_BLOCKED && *key->function;
}

/* A sleep, in words, whose place is not known. */
static bool is_unseen(const struct cost_key *key)
{
	return key->kind == COST_BLOCKED && !*key->function && *key->what;
}

static bool same_place(const struct cost_key *a, const struct cost_key *b)
{
	return a->function == b->function && a->path == b->path && a->line == b->line;
}

/* The only place on a side where tasks of this kind were seen in such a sleep; NULL. */
static const struct cost_key *only_place(const struct diff_side *s, const struct cost_key *unseen)
{
	const struct cost_key *found = NULL;

	for (size_t run = 0; run < s->nr; run++)
		for (size_t i = 0; i < s->profiles[run]->nr; i++) {
			const struct cost_key *key = &s->profiles[run]->costs[i].key;

			if (!is_seen(key) || key->task != unseen->task || key->what != unseen->what)
				continue;
			if (found && !same_place(found, key))
				return NULL;
			found = key;
		}
	return found;
}

/*
 * Is there such a sleep on @s, too, and no place for it there? Then it has none on either side:
 * it would look as if it had moved.
 */
static bool nowhere(struct diff *d, const struct diff_side *s, const struct cost_key *unseen)
{
	const char *task = text__without_lines(d->names, unseen->task);

	for (size_t run = 0; run < s->nr; run++)
		for (size_t i = 0; i < s->profiles[run]->nr; i++) {
			const struct cost_key *key = &s->profiles[run]->costs[i].key;

			if (is_unseen(key) && key->what == unseen->what &&
			    text__without_lines(d->names, key->task) == task && !only_place(s, key))
				return true;
		}
	return false;
}

int unseen__place(struct diff *d)
{
	const char *part = frame_names__safe(d->names, UNSEEN_PART);

	if (!part)
		return -ENOMEM;
	for (unsigned int side = 0; side < SIDES; side++) {
		const struct diff_side *s = &d->side[side];

		for (size_t run = 0; run < s->nr; run++)
			for (size_t i = 0; i < s->profiles[run]->nr; i++) {
				struct cost_key *key = &s->profiles[run]->costs[i].key;
				const struct cost_key *at;

				at = is_unseen(key) ? only_place(s, key) : NULL;
				if (!at || nowhere(d, &d->side[!side], key))
					continue;
				key->function = at->function;
				key->path = at->path;
				key->line = at->line;
				key->part = part;
			}
	}
	return 0;
}
