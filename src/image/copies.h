/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the code of functions lies, from debug information: all copies of a function,
 * and the function whose code begins at an address.
 *
 * It must not know which functions are wanted, nor what for.
 */
#ifndef DWELL_IMAGE_COPIES_H
#define DWELL_IMAGE_COPIES_H

#include "image/scan.h"

struct copies {
	const struct scan	*sc;
	/* instances, sorted by the entry that they are copies of */
	uint32_t		*by_origin;
	struct copy_at {
		uint64_t	 pc;
		uint32_t	 nr;		/* number of functions, then of instances */
		const uint8_t	*die;
	}			*by_pc;
	size_t			 nr_pcs;
};

/* From @sc, which must outlive @c. 0 or -ENOMEM. Free it with copies__free(). */
int copies__make(struct copies *c, const struct scan *sc);
void copies__free(struct copies *c);

/*
 * The instances of the function at @die: *@nr elements of c->by_origin, from the
 * returned one on.
 */
const uint32_t *copies__of(const struct copies *c, const uint8_t *die, size_t *nr);
/* The entry whose code begins at @pc; NULL: none. */
const uint8_t *copies__at(const struct copies *c, uint64_t pc);

#endif /* DWELL_IMAGE_COPIES_H */
