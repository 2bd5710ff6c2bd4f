/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that finds out, during a recording, why tasks wait: a child of dwell's that
 * takes pictures of the target when asked, and answers with what `dwell why` would tell. So
 * the recorder goes on reading the rings meanwhile; and whatever goes wrong over there, the
 * recording is safe.
 *
 * It holds no probe. It ends when dwell does, however that ends.
 */
#ifndef DWELL_RECORD_LOOKER_H
#define DWELL_RECORD_LOOKER_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "inspect/process.h"

struct looker;

/* What has come of a look. */
struct looker_answer {
	uint64_t	 ts;		/* ns of CLOCK_MONOTONIC, at its begin */
	uint8_t		*data;		/* packed: see answer.h; valid until the next call */
	size_t		 len;
	const char	*why;		/* instead: why there is none */
};

/*
 * Start the process. Call it before anything is attached. @img and @target are copied as they
 * are, and @target's pidfd and exe_fd must be open. 0 or negative errno.
 */
int looker__start(const struct image *img, const struct process *target, struct looker **out);

/*
 * Ask for a look, unless one is under way. A look takes some 0.1 s, or more than a second if
 * there is something to tell. @l may be NULL: then nothing happens, here and below.
 */
void looker__ask(struct looker *l);
/* Is one under way? */
bool looker__busy(const struct looker *l);
/* When the last one was begun, ns of CLOCK_MONOTONIC; 0: none was. */
uint64_t looker__asked(const struct looker *l);
/* For poll(2): readable if an answer, or a part of it, has come. -1 if there is no looker. */
int looker__fd(const struct looker *l);
/* Take what has come. 1: an answer is complete, in @a; 0: not yet; or negative errno. */
int looker__take(struct looker *l, struct looker_answer *a);
/* CPU time of the process in ns, for the looks that have been answered. */
uint64_t looker__cpu_ns(const struct looker *l);
/* End the process. */
void looker__free(struct looker *l);

#endif /* DWELL_RECORD_LOOKER_H */
