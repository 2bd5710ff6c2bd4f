/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that holds the probes: a small child process that makes the links and
 * keeps them, so that the probes are removed however dwell ends.
 *
 * The kernel cannot remove a breakpoint on behalf of a process that is being killed
 * ("failed to unregister, leaking uprobe"): it gives up, and the breakpoint stays in
 * the target for good. So dwell itself never holds a link. The keeper does, in a
 * session of its own and with all signals blocked; when dwell is gone, the keeper
 * closes the links. Only a SIGKILL to the keeper itself remains a problem; then a
 * kernel thread closes them: see hoard_link() in keeper.c.
 *
 * It must not know what is probed, nor why.
 */
#ifndef DWELL_RECORD_KEEPER_H
#define DWELL_RECORD_KEEPER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct keeper;

#define KEEPER_LINK_SITES	2048	/* sites in one link; more need several links */

/*
 * Start the process. Call it early, while dwell has little memory to copy. 0 or
 * negative errno.
 */
int keeper__start(struct keeper **out);

/*
 * Attach BPF program @prog_fd at @nr @offsets (bytes) of the file open as @file_fd, in
 * process @pid of this pid namespace (0: in all processes). @cookies has one cookie for
 * each offset. 0, the kernel's negative errno, or -EPIPE: the keeper is gone.
 */
int keeper__attach(struct keeper *k, int prog_fd, int file_fd, pid_t pid,
		   const uint64_t *offsets, const uint64_t *cookies, size_t nr);

/* For poll(2): readable or hung up if the keeper is gone, and the probes with it. */
int keeper__fd(const struct keeper *k);

/* Begin to remove all probes; keeper__free() waits until that is done. @k may be NULL. */
void keeper__end(struct keeper *k);
/*
 * Remove all probes and end the process. The kernel may need another 100 ms to remove
 * the last breakpoint from the target. @k may be NULL.
 */
void keeper__free(struct keeper *k);

#endif /* DWELL_RECORD_KEEPER_H */
