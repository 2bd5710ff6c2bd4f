/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In which of the runtime's queues tasks that are ready wait to be polled: a worker's slot,
 * its own queue, or the one that all workers share.
 */
#ifndef DWELL_INSPECT_QUEUES_H
#define DWELL_INSPECT_QUEUES_H

#include <stdint.h>

struct picture;

/*
 * Set the queues of the tasks of @p, by the contexts of its threads; and which of the threads
 * are workers. 0 or -ENOMEM.
 */
int queues__of_threads(struct picture *p);
/* The same by the scheduler at @shared, of kind @kind of runtimes[@runtime]. */
int queues__of_scheduler(struct picture *p, unsigned int runtime, const char *kind,
			 uint64_t shared);

#endif /* DWELL_INSPECT_QUEUES_H */
