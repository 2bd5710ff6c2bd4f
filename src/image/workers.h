/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which poll functions are those of the runtime's own workers, if symbols do not tell:
 * those whose code leads, through a chain of calls, to the worker's loop.
 *
 * It must not know debug information.
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
 * Find the functions of @b that call a function whose path is among @loops (separated
 * by '|'), and those that call these. Reads all code a few times.
 */
void workers__find(struct workers *w, const struct binary *b, const char *loops);

/* Is the poll function at @vaddr, or the function that it merely jumps to, among them? */
bool workers__have(const struct workers *w, struct site_finder *sites, uint64_t vaddr);

#endif /* DWELL_IMAGE_WORKERS_H */
