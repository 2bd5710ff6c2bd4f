/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of losses in the file and in reports, which scripts rely on, and hints for
 * the user what to do about each: for the probes, the recorder and all kernel sources.
 */
#ifndef DWELL_RECORD_LOSSES_H
#define DWELL_RECORD_LOSSES_H

#include "abi.h"

/* The name of a cause; static. */
const char *loss_name(enum raw_loss cause);
/* Why it happens and how to avoid it, or what is missing because of it; static. */
const char *loss_hint(enum raw_loss cause);

#endif /* DWELL_RECORD_LOSSES_H */
