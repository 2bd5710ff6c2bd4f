/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cost of one hit of a probe on this machine, without any work in the program:
 * measured on dwell itself, never on the target.
 */
#ifndef DWELL_RECORD_CALIBRATE_H
#define DWELL_RECORD_CALIBRATE_H

#include <stdint.h>

struct bpf_program;

/*
 * The time, in ns, that a hit of a probe with the program @empty adds to an emulated
 * instruction: the lowest of several rounds. 0: it could not be measured. Takes some
 * milliseconds, plus the kernel's time to detach.
 */
uint64_t calibrate__probe_ns(struct bpf_program *empty);

#endif /* DWELL_RECORD_CALIBRATE_H */
