/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names under which losses appear in the file and in reports (scripts rely on
 * them), and what the user can do about each: those of the probes, of the recorder
 * and of all kernel sources.
 */
#ifndef DWELL_RECORD_LOSSES_H
#define DWELL_RECORD_LOSSES_H

#include "abi.h"

/* Name of a cause; static. */
const char *loss_name(enum raw_loss cause);
/* Why it happens and how to cure it, or what it hides; static. */
const char *loss_hint(enum raw_loss cause);

#endif /* DWELL_RECORD_LOSSES_H */
