/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Puts the parts of the image model that the BPF programs need into their maps: the
 * walk's tables, the sites of polls, and where the reactor's objects have their wakers.
 *
 * It must not know what is probed, nor how.
 */
#ifndef DWELL_RECORD_TABLES_H
#define DWELL_RECORD_TABLES_H

#include <stdbool.h>

#include "image/image.h"

struct dwell_bpf;

/* Set the sizes of the maps to those of @img's tables; before @skel is loaded. */
void tables__size(struct dwell_bpf *skel, const struct image *img);
/* Fill the maps; after @skel is loaded. 0 or negative errno. */
int tables__fill(struct dwell_bpf *skel, const struct image *img);
/* Before load: set where a blocking job has its poll function. */
void tables__jobs(struct dwell_bpf *skel, const struct image *img);
/* Before load: set where a reactor's object has its wakers. False: that is not known. */
bool tables__io_wakers(struct dwell_bpf *skel, const struct image *img);

#endif /* DWELL_RECORD_TABLES_H */
