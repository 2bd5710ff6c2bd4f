/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rights that recording needs, and which of them this process lacks.
 * tests/e2e/rights.py records with exactly these, and with each one left out.
 *
 *	CAP_BPF, CAP_PERFMON	BPF programs, probes, reading the kernel's memory
 *	CAP_SYS_PTRACE		the memory of another user's process
 */
#ifndef DWELL_INSPECT_RIGHTS_H
#define DWELL_INSPECT_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The end of a message: what is missing and how to get it; "" if nothing is. @others:
 * another user's process is to be recorded.
 */
const char *rights__missing(bool others, char *out, size_t size);

#endif /* DWELL_INSPECT_RIGHTS_H */
