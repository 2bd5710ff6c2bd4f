/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times, shares, counts and sizes in words for people: short, and never claiming
 * more than is known ("100%" is all of it, "0%" nothing of it). What dwell shows to
 * people is spelled here, so that equal times look equal everywhere; but the text
 * report's shares, which stand in columns, have one digit behind the point.
 */
#ifndef DWELL_BASE_QUANTITY_H
#define DWELL_BASE_QUANTITY_H

#include <stdint.h>

/* Room for any of them, with the final 0. */
#define QUANTITY_MAX	40

/*
 * @ns in the unit in which three digits say it: "812 ns", "12.3 µs", "4.56 s",
 * "8 min 40 s", "3 h 12 min". What rounds up to the next unit is in that unit:
 * 999.6 ms are "1.00 s". Returns @out.
 */
char *quantity__time(uint64_t ns, char out[QUANTITY_MAX]);
/* "87.0%", "4.56%", "<0.01%". Returns @out. */
char *quantity__share(uint64_t part, uint64_t whole, char out[QUANTITY_MAX]);
/* "1,234,567". Returns @out. */
char *quantity__count(uint64_t n, char out[QUANTITY_MAX]);
/* "812 bytes", "12.3 kB", "4.56 MB": powers of 1000. Returns @out. */
char *quantity__bytes(uint64_t n, char out[QUANTITY_MAX]);

#endif /* DWELL_BASE_QUANTITY_H */
