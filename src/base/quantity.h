/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times, shares, counts and sizes as text for people: short, and not more precise than
 * what is known ("100%" is exactly all, "0%" exactly nothing). All numbers that dwell
 * shows to people are formatted here, except the shares in the text report, which stand
 * in columns and have one decimal.
 */
#ifndef DWELL_BASE_QUANTITY_H
#define DWELL_BASE_QUANTITY_H

#include <stdint.h>

/* Size of a buffer for any of them, with the final NUL. */
#define QUANTITY_MAX	40

/*
 * @ns with three digits in a suitable unit: "812 ns", "12.3 µs", "4.56 s", "8 min 40
 * s", "3 h 12 min". A number that rounds up to the next unit is written in that: 999.6
 * ms is "1.00 s". Returns @out.
 */
char *quantity__time(uint64_t ns, char out[QUANTITY_MAX]);
/* "87.0%", "4.56%", "<0.01%". Returns @out. */
char *quantity__share(uint64_t part, uint64_t whole, char out[QUANTITY_MAX]);
/* "1,234,567". Returns @out. */
char *quantity__count(uint64_t n, char out[QUANTITY_MAX]);

/* The same by value, for an expression: quantity__of_time(ns).s */
struct quantity_text {
	char	s[QUANTITY_MAX];
};

static inline struct quantity_text quantity__of_time(uint64_t ns)
{
	struct quantity_text t;

	quantity__time(ns, t.s);
	return t;
}

static inline struct quantity_text quantity__of_count(uint64_t n)
{
	struct quantity_text t;

	quantity__count(n, t.s);
	return t;
}
/* "812 bytes", "12.3 kB", "4.56 MB": powers of 1000. Returns @out. */
char *quantity__bytes(uint64_t n, char out[QUANTITY_MAX]);

#endif /* DWELL_BASE_QUANTITY_H */
