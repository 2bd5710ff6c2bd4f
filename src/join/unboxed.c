/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kinds of what dyn Futures hold. See unboxed.h.
 */
#include "join/unboxed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define FIRST_ID	0x80000000u	/* recordings count from 1 */

static uint32_t free_id(struct unboxed *u, const struct trace_reader *r)
{
	u->next = u->next ? u->next : FIRST_ID;
	while (trace_reader__task_kind(r, u->next))
		u->next++;
	return u->next++;
}

static int64_t unboxed__add(struct unboxed *u, const struct trace_reader *r,
			    const struct trace_task_kind *of, const char *task)
{
	struct hash_slot *slot;
	struct unboxed_kind *k;

	if (array__room(&u->kinds, &u->cap, u->nr, sizeof(*u->kinds)))
		return -ENOMEM;
	k = &u->kinds[u->nr];
	*k = (struct unboxed_kind){ .kind = *of, .of = of->id };
	k->kind.id = free_id(u, r);
	k->kind.name = k->kind.name_long = task;
	k->kind.boxed = 0;
	slot = hash_table__at(&u->ids, k->kind.id);
	if (!slot)
		return -ENOMEM;
	slot->value = ++u->nr;
	return k->kind.id;
}

int64_t unboxed__get(struct unboxed *u, const struct trace_reader *r,
		     const struct trace_task_kind *of, const char *task)
{
	uint64_t key = hash_table__key(&u->known, task, strlen(task));
	int64_t id;

	/* many boxed kinds may hold the same */
	key = hash__of(&u->known.hash, key ^ of->id);
	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&u->known, key);
		const struct unboxed_kind *k;

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			id = unboxed__add(u, r, of, task);
			if (id >= 0)
				slot->value = u->nr;
			return id;
		}
		k = &u->kinds[slot->value - 1];
		if (k->of == of->id && !strcmp(k->kind.name, task))
			return k->kind.id;
	}
}

const struct trace_task_kind *unboxed__kind(const struct unboxed *u, uint32_t id)
{
	const struct hash_slot *slot = hash_table__find(&u->ids, id);

	return slot ? &u->kinds[slot->value - 1].kind : NULL;
}

void unboxed__clear(struct unboxed *u)
{
	free(u->kinds);
	hash_table__clear(&u->ids);
	hash_table__clear(&u->known);
}
