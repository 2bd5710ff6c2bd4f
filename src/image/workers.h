/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which poll functions are those of the runtime's own workers, where symbols do
 * not tell: from their code a chain of calls leads to the worker's loop.
 *
 * It must not know of debug information.
 */
#ifndef DWELL_IMAGE_WORKERS_H
#define DWELL_IMAGE_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "image/binary.h"
#include "image/site.h"

#define WORKERS_MAX	32

/* Entries of functions that lead to the loop. */
struct workers {
	uint64_t	vaddr[WORKERS_MAX];
	unsigned int	nr;
};

/*
 * Find them: those of @b that call a function whose path is among @loops
 * (parted by '|'), and those that call these. Reads all code a few times.
 */
void workers__find(struct workers *w, const struct binary *b, const char *loops);

/* Is the poll function at @vaddr, or the one that it does nothing but jump to, among them? */
bool workers__have(const struct workers *w, struct site_finder *sites, uint64_t vaddr);

#endif /* DWELL_IMAGE_WORKERS_H */
