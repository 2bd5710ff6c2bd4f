/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stores each distinct name once, with control characters removed, under a small
 * number. It must not know what a name stands for.
 */
#ifndef DWELL_FLAMEGRAPH_NAME_TABLE_H
#define DWELL_FLAMEGRAPH_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "flamegraph/textbuf.h"

struct name_entry {
	uint32_t	at, len;	/* position and length in the text */
	uint64_t	hash;
};

struct name_table {
	struct textbuf	 text;
	struct name_entry	*list;
	uint32_t	 nr, cap;
	uint32_t	*slots;		/* open addressing; number + 1; 0: free */
	uint32_t	 nr_slots;	/* a power of two */
	struct hash_key	 key;
	struct textbuf	 scratch;
};

/*
 * Store @s and set its number *@id. 0 or negative errno. A zeroed struct name_table is
 * empty.
 */
int name_table__intern(struct name_table *n, const char *s, uint32_t *id);
/* NUL-terminated. */
static inline const char *name_table__text(const struct name_table *n, uint32_t id)
{
	return n->text.data + n->list[id].at;
}
/* A number below @nr that depends only on the name and is spread evenly. */
uint32_t name_table__spread(const struct name_table *n, uint32_t id, uint32_t nr);
void name_table__free(struct name_table *n);

#endif /* DWELL_FLAMEGRAPH_NAME_TABLE_H */
