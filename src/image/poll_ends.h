/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which places in a program polls of tasks return to: behind the calls through tasks'
 * tables, and behind those of the function that a runtime makes such a call in.
 *
 * It must not know what a poll function is, nor how a site is chosen (returns.h).
 */
#ifndef DWELL_IMAGE_POLL_ENDS_H
#define DWELL_IMAGE_POLL_ENDS_H

#include "image/binary.h"
#include "image/boundary.h"
#include "image/model.h"
#include "image/site.h"

/* Fill MODEL_RETURNS, once MODEL_LAYOUTS is filled. What fails is noted in @m->err. */
void poll_ends__find(struct model *m, const struct binary *b, struct site_finder *sites,
		     struct boundaries *bs);

#endif /* DWELL_IMAGE_POLL_ENDS_H */
