/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of a name is shown in a box of so many columns. Of a Rust path the end
 * says most, so its leading segments go first:
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

/* Nothing is shown in less. */
#define LABEL_COLUMNS_MIN	3

/* [lead ? "…"] body tail [cut ? "…"] */
struct label {
	bool		 lead, cut;
	const char	*body, *tail;	/* into the name */
	size_t		 body_len, tail_len;
	uint32_t	 columns;	/* 0: nothing is shown */
};

/* @name is valid UTF-8. */
void label__fit(struct label *l, const char *name, size_t len, uint32_t columns);

#endif /* DWELL_FLAMEGRAPH_LABEL_H */
