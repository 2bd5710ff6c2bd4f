/* SPDX-License-Identifier: GPL-2.0 */
/* What text and JSON call places, changes and units. Private to src/diff. */
#ifndef DWELL_DIFF_WORDS_H
#define DWELL_DIFF_WORDS_H

#include <stddef.h>

#include "diff/diff.h"

#define PLACE_MAX	512

/* "await", "ready", …: a segment's name. */
const char *cost_kind__name(uint8_t kind);
const char *verdict__name(enum verdict v);
/*
 * The place, as "web::lock (web.rs:12 → web.rs:15) on Sleep"; of what is at no place, as
 * running, the task. Returns @out.
 */
char *place__name(const struct diff_place *p, char out[PLACE_MAX]);
/* What has happened there: "waits longer", "is new". */
const char *place__change(const struct diff_place *p);
/* "request", "task", …; "a request" with what it is. */
const char *unit__name(enum diff_unit u);
const char *unit__what(enum diff_unit u);

#endif /* DWELL_DIFF_WORDS_H */
