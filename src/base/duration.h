/* SPDX-License-Identifier: GPL-2.0 */
/* Durations as they are typed: "1.5" (seconds), "500ms", "2m". quantity.h prints them. */
#ifndef DWELL_BASE_DURATION_H
#define DWELL_BASE_DURATION_H

#include <stdint.h>

/*
 * Parse @text: a decimal number without a sign, directly followed by a unit: ns, us,
 * ms, s, m or min, h; without a unit it means seconds. *@ns is exact; fractions of a
 * nanosecond are dropped. 0; -EINVAL: not of this form; -ERANGE: more than 584 years.
 *
 *	duration__parse("1.5", &ns)	1500000000
 *	duration__parse("2m", &ns)	120000000000
 */
int duration__parse(const char *text, uint64_t *ns);

#endif /* DWELL_BASE_DURATION_H */
