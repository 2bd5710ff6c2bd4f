/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a name that is shown in a box of a given number of columns. The end of a
 * Rust path is the most informative, so its first components are dropped first:
 *
 *	mini_redis::server::Handler::run (server.rs:86)
 *	…Handler::run (server.rs:86)
 *	…run:86
 *	ru…
 *
 * flamegraph.js does the same for other widths; keep the two alike.
 */
#ifndef DWELL_FLAMEGRAPH_LABEL_H
#define DWELL_FLAMEGRAPH_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In fewer columns nothing is shown. */
#define LABEL_COLUMNS_MIN	3

/* [lead ? "…"] body tail [shortened ? "…"] */
struct label {
	bool		 lead, shortened;
	const char	*body, *tail;	/* pointers into the name */
	size_t		 body_len, tail_len;
	uint32_t	 columns;	/* 0: nothing is shown */
};

/* @name must be valid UTF-8. */
void label__fit(struct label *l, const char *name, size_t len, uint32_t columns);

#endif /* DWELL_FLAMEGRAPH_LABEL_H */
