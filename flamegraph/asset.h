/* SPDX-License-Identifier: GPL-2.0 */
/* The style sheet and the script that are part of every picture. */
#ifndef DWELL_FLAMEGRAPH_ASSET_H
#define DWELL_FLAMEGRAPH_ASSET_H

/* Terminated strings; none contains "]]>". */
extern const char flamegraph_css[];
extern const char difference_css[];	/* behind it, for differences */
extern const char flamegraph_js[];

#endif /* DWELL_FLAMEGRAPH_ASSET_H */
