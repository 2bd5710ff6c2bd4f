/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debug files from debuginfod servers.
 *
 * It must not know which program a file is for, nor check the file: a server may send
 * anything.
 */
#ifndef DWELL_IMAGE_DEBUGINFOD_H
#define DWELL_IMAGE_DEBUGINFOD_H

#include <limits.h>
#include <stdint.h>

typedef void debuginfod__progress_fn(void *ctx, const char *what, uint64_t done, uint64_t total);

/*
 * Ask the servers in $DEBUGINFOD_URLS for the debug file of @build_id; @path is set to
 * the downloaded file. @progress may be NULL. -ENOENT: no server is named, or none has
 * the file; -ETIMEDOUT: nothing was received for debuginfod__timeout() seconds; -EINTR:
 * the download was killed; or another errno of the library.
 */
int debuginfod__fetch(const char *build_id, debuginfod__progress_fn *progress, void *ctx,
		      char path[PATH_MAX]);
/*
 * The number of seconds without a byte after which a server is given up:
 * $DEBUGINFOD_TIMEOUT.
 */
int debuginfod__timeout(void);

#endif /* DWELL_IMAGE_DEBUGINFOD_H */
