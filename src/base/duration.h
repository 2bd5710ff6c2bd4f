/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Durations as they are typed: "1.5" (seconds), "500ms", "2m". How they are
 * shown is quantity.h's matter.
 */
#ifndef DWELL_BASE_DURATION_H
#define DWELL_BASE_DURATION_H

#include <stdint.h>

/*
 * Read @text, a decimal number without a sign and a unit right behind it: ns,
 * us, ms, s, m or min, h; none is seconds. *@ns is exact but for what is below
 * a nanosecond, which is cut off. 0; -EINVAL: not of this form; -ERANGE: more
 * than 584 years.
 *
 *	duration__parse("1.5", &ns)	1500000000
 *	duration__parse("2m", &ns)	120000000000
 */
int duration__parse(const char *text, uint64_t *ns);

#endif /* DWELL_BASE_DURATION_H */
