/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a runtime keeps what belongs to a thread: its thread-local variables.
 *
 * It must not know what is in them, nor how memory is read.
 */
#ifndef DWELL_IMAGE_TLS_H
#define DWELL_IMAGE_TLS_H

#include <libelf.h>

#include "image/binary.h"
#include "image/model.h"

/*
 * Add the thread-local variables in which runtimes keep their context
 * (runtime.context_symbol) to MODEL_TLS. @symbols is the file with the symbol
 * table, the binary's own or its debug file. 0 or -ENOMEM.
 */
int tls__find(struct model *m, const struct binary *b, Elf *symbols);

#endif /* DWELL_IMAGE_TLS_H */
