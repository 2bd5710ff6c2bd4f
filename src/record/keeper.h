/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that holds the probes: a small child of dwell's that makes the
 * links and keeps them, so that the probes are taken off however dwell ends.
 *
 * The kernel cannot remove a breakpoint on behalf of a process that is being
 * killed ("failed to unregister, leaking uprobe"): it gives up to be quick, and
 * the breakpoint stays in the target for good. So dwell never holds a link. The
 * keeper does, in a session of its own and deaf to signals; when dwell is gone,
 * the keeper lets go. Only SIGKILL at the keeper itself remains, and then the
 * kernel's own thread lets go: see hoard_link() in keeper.c.
 *
 * It must not know what is probed, nor why.
 */
#ifndef DWELL_RECORD_KEEPER_H
#define DWELL_RECORD_KEEPER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct keeper;

#define KEEPER_LINK_SITES	2048	/* sites of one link; more are several links */

/* Start the process: early, while dwell has little memory to copy. 0 or negative errno. */
int keeper__start(struct keeper **out);

/*
 * Put the BPF program @prog_fd on @nr offsets (bytes) of the file that is open as
 * @file_fd, in process @pid of this pid namespace (0: in all). @cookies has one
 * for each. 0, the kernel's negative errno, or -EPIPE: the keeper is gone.
 */
int keeper__attach(struct keeper *k, int prog_fd, int file_fd, pid_t pid,
		   const uint64_t *offsets, const uint64_t *cookies, size_t nr);

/* Readable or hung up if the keeper is gone, and the probes with it: for poll(2). */
int keeper__fd(const struct keeper *k);

/*
 * Take all probes off and end the process. The kernel may need some 100 ms more
 * until the last breakpoint is out of the target. NULL is fine.
 */
void keeper__free(struct keeper *k);

#endif /* DWELL_RECORD_KEEPER_H */
