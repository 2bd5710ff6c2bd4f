/* SPDX-License-Identifier: GPL-2.0 */
/* Resolves the tokens of a chain, by the image model, to the nodes that the file contains. */
#ifndef DWELL_RECORD_CHAIN_H
#define DWELL_RECORD_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "trace/trace.h"

/* Room that chain_resolve() may need: every missing subtree may become a gap. */
#define CHAIN_MAX_NODES	(WALK_MAX_STEPS * 2)

/*
 * Resolve @nr @tokens to @nodes, which has room for CHAIN_MAX_NODES. Returns the number
 * of nodes. *@task, unless NULL, is set to the name of the first future that was found
 * behind a dyn Future, or "". All strings belong to @img or are static.
 */
uint32_t chain_resolve(const struct image *img, const uint32_t *tokens, unsigned int nr,
		       struct trace_node *nodes, const char **task);

#endif /* DWELL_RECORD_CHAIN_H */
