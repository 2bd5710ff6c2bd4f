/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cost of one hit of a probe on this machine, without any work in the program:
 * measured on dwell itself, never on the target.
 */
#ifndef DWELL_RECORD_CALIBRATE_H
#define DWELL_RECORD_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_program;
struct calibration;

/*
 * Measure with program @empty, in a thread, since the kernel takes some 70 ms to detach a
 * probe. @by_thread: the kernel takes a link's process for a thread. NULL: no memory.
 */
struct calibration *calibrate__start(struct bpf_program *empty, bool by_thread);
/*
 * Wait for the end of the measurement and free it. Returns the time, in ns, that a hit of a
 * probe adds to an emulated instruction: the lowest of several rounds. 0: it could not be
 * measured; @c may be NULL. *@cpu_ns, unless NULL: the CPU time that measuring took.
 */
uint64_t calibrate__finish(struct calibration *c, uint64_t *cpu_ns);

#endif /* DWELL_RECORD_CALIBRATE_H */
