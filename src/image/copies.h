/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the code of the functions in debug information lies: the copies of a
 * function, and the function whose code begins at an address.
 *
 * It must not know which functions are wanted, nor what for.
 */
#ifndef DWELL_IMAGE_COPIES_H
#define DWELL_IMAGE_COPIES_H

#include "image/scan.h"

struct copies {
	const struct scan	*sc;
	uint32_t		*by_origin;	/* instances, by the entry that names them */
	struct copy_at {
		uint64_t	 pc;
		uint32_t	 nr;		/* of functions, then of instances */
		const uint8_t	*die;
	}			*by_pc;
	size_t			 nr_pcs;
};

/* Of @sc, which must outlive it. 0 or -ENOMEM. Free with copies__free(). */
int copies__make(struct copies *c, const struct scan *sc);
void copies__free(struct copies *c);

/* The instances of the function at @die: *@nr of c->by_origin from what is returned on. */
const uint32_t *copies__of(const struct copies *c, const uint8_t *die, size_t *nr);
/* The entry whose code begins at @pc; NULL: none does. */
const uint8_t *copies__at(const struct copies *c, uint64_t pc);

#endif /* DWELL_IMAGE_COPIES_H */
