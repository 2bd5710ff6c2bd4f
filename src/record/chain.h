/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk's answer in words: the tokens of a chain, through the image model,
 * to the nodes that the file holds.
 */
#ifndef DWELL_RECORD_CHAIN_H
#define DWELL_RECORD_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "trace/trace.h"

/* Room that chain_resolve() may need: a gap can stand for each missing subtree. */
#define CHAIN_MAX_NODES	(WALK_MAX_STEPS * 2)

/*
 * Resolve @nr @tokens into @nodes (CHAIN_MAX_NODES). Returns the number of
 * nodes. *@task, unless NULL: the name of the first future that was met behind a
 * dyn Future, or "". Strings belong to @img or are static.
 */
uint32_t chain_resolve(const struct image *img, const uint32_t *tokens, unsigned int nr,
		       struct trace_node *nodes, const char **task);

#endif /* DWELL_RECORD_CHAIN_H */
