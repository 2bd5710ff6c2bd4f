/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers of a process's threads, from a BPF iterator: the kernel has them saved for
 * every thread that is not running. Nothing is attached and no thread is stopped.
 */
#ifndef DWELL_RECORD_REGISTERS_H
#define DWELL_RECORD_REGISTERS_H

#include <stddef.h>

#include "abi.h"
#include "inspect/process.h"

struct registers;

/*
 * Load the iterator. 0, or negative errno with *@why (static) for the user; without the
 * rights for BPF, -EPERM.
 */
int registers__new(const struct process *target, struct registers **out, const char **why);
/* @r may be NULL. */
void registers__free(struct registers *r);

/* Call @each with the registers of each thread, until it returns something else than 0. */
int registers__each(struct registers *r, int (*each)(void *ctx, const void *regs), void *ctx);

#endif /* DWELL_RECORD_REGISTERS_H */
