/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the places that polls of tasks return to: behind calls through tasks' vtables,
 * and behind calls of the function in which a runtime makes such a call.
 *
 * It must not know what a poll function is, nor how a site is chosen (returns.h).
 */
#ifndef DWELL_IMAGE_POLL_ENDS_H
#define DWELL_IMAGE_POLL_ENDS_H

#include "image/binary.h"
#include "image/boundary.h"
#include "image/model.h"
#include "image/site.h"

/* Fill MODEL_RETURNS; MODEL_LAYOUTS must be filled already. Errors are noted in @m->err. */
void poll_ends__find(struct model *m, const struct binary *b, struct site_finder *sites,
		     struct boundaries *bs);

#endif /* DWELL_IMAGE_POLL_ENDS_H */
