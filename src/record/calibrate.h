/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one hit of a probe costs on this machine, before any program of ours
 * does anything: measured on dwell itself, never on the target.
 */
#ifndef DWELL_RECORD_CALIBRATE_H
#define DWELL_RECORD_CALIBRATE_H

#include <stdint.h>

struct bpf_program;

/*
 * ns that a hit of a probe with the program @empty adds to an emulated
 * instruction; the lowest of several rounds. 0: it could not be measured.
 * Takes some milliseconds, and as long as the kernel needs to detach.
 */
uint64_t calibrate__probe_ns(struct bpf_program *empty);

#endif /* DWELL_RECORD_CALIBRATE_H */
