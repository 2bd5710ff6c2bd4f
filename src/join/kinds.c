/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of kinds. See kinds.h.
 */
#include "join/kinds.h"

#include <stdlib.h>

#include "join/job_kinds.h"

struct kind *kinds__get(struct map *kinds, uint32_t id)
{
	struct kind *k = map__get(kinds, id);

	if (k)
		return k;
	k = calloc(1, sizeof(*k));
	if (!k || map__add(kinds, id, k)) {
		free(k);
		return NULL;
	}
	k->id = id;
	return k;
}

void kinds__clear(struct map *kinds)
{
	for (uint32_t i = 0; i < kinds->size; i++)
		if (kinds->entries[i].value) {
			job_times__free(((struct kind *)kinds->entries[i].value)->job);
			free(kinds->entries[i].value);
		}
	map__clear(kinds);
}
