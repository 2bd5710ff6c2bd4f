/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rights that recording needs, and which of them this process has not.
 * tests/e2e/rights.py records with exactly these, and with one less.
 *
 *	CAP_BPF, CAP_PERFMON	BPF programs, probes, reads of the kernel's memory
 *	CAP_SYS_PTRACE		the memory of another user's process
 *	CAP_SYSLOG		names of kernel functions; recordings do without
 */
#ifndef DWELL_INSPECT_RIGHTS_H
#define DWELL_INSPECT_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Say, as the end of a message, what is missing and how to get it; "" if nothing
 * is missing. @others: to record another user's process.
 */
const char *rights__missing(bool others, char *out, size_t size);

#endif /* DWELL_INSPECT_RIGHTS_H */
