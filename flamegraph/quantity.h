/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times and shares in words for people: short, and never claiming more than
 * is known ("100%" is all of it, "0%" nothing of it).
 */
#ifndef DWELL_FLAMEGRAPH_QUANTITY_H
#define DWELL_FLAMEGRAPH_QUANTITY_H

#include <stdint.h>

/* Room for any of them, with the final 0. */
#define QUANTITY_MAX	40

/* "812 ns", "12.3 µs", "4.56 s", "8 min 40 s", "3 h 12 min". Returns @out. */
char *quantity__time(uint64_t ns, char out[QUANTITY_MAX]);
/* "87.0%", "4.56%", "<0.01%". Returns @out. */
char *quantity__share(uint64_t part, uint64_t whole, char out[QUANTITY_MAX]);

#endif /* DWELL_FLAMEGRAPH_QUANTITY_H */
