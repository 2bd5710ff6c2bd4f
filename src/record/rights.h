/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rights that recording needs, in the words of every message about them.
 * tests/e2e/rights.py records with exactly these, and with one less.
 */
#ifndef DWELL_RECORD_RIGHTS_H
#define DWELL_RECORD_RIGHTS_H

#define RIGHTS_FOR_OWN		"CAP_BPF and CAP_PERFMON"
#define RIGHTS_FOR_OTHERS	"run dwell as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE"

#endif /* DWELL_RECORD_RIGHTS_H */
