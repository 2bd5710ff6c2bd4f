/* SPDX-License-Identifier: GPL-2.0 */
/* A comparison for people and for scripts. */
#ifndef DWELL_DIFF_TEXT_H
#define DWELL_DIFF_TEXT_H

#include <stdio.h>

struct diff;
/* The verdict, what has changed, what the comparison rests on. */
void diff__text(const struct diff *d, FILE *out);
/* All places and their parts, as one JSON object. 0, -ENOMEM or -EIO. */
int diff__json(const struct diff *d, FILE *out);

#endif /* DWELL_DIFF_TEXT_H */
