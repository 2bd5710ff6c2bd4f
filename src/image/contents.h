/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is live at an await point besides what is awaited: handles (guards, senders, …;
 * see struct runtime_handle) and futures that are not being polled. rustc describes each
 * saved local of a coroutine's state, with its offset and type; this searches these types.
 *
 * A reference owns nothing, and what an Arc points to belongs to others too. So neither is
 * followed; a Box, a Vec and an enum are.
 */
#ifndef DWELL_IMAGE_CONTENTS_H
#define DWELL_IMAGE_CONTENTS_H

#include "image/futures.h"
#include "image/holders.h"
#include "image/model.h"
#include "image/types.h"

struct contents;

/* All arguments are used as long as the object lives. NULL: no memory. */
struct contents *contents__new(struct model *m, const struct types *ts, struct futures *futures,
			       struct awaits *awaits);
void contents__free(struct contents *c);

/*
 * Add the parts of all await points, and of all variants of other futures, from future
 * type @*done on; futures that are found are added to the explorer, and are to be explored
 * and searched in turn. @*done is set behind the last type. 0 or -ENOMEM.
 */
int contents__search(struct contents *c, uint32_t *done);

#endif /* DWELL_IMAGE_CONTENTS_H */
