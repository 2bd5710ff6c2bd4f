/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a runtime keeps its state for a thread: its thread-local variables.
 *
 * It must not know what they contain, nor how memory is read.
 */
#ifndef DWELL_IMAGE_TLS_H
#define DWELL_IMAGE_TLS_H

#include <libelf.h>

#include "image/binary.h"
#include "image/model.h"

/*
 * Add to MODEL_TLS the thread-local variables that hold the runtimes' contexts
 * (runtime.context_symbol). @symbols is the file with the symbol table, which is the
 * binary or its debug file. 0 or -ENOMEM.
 */
int tls__find(struct model *m, const struct binary *b, Elf *symbols);

#endif /* DWELL_IMAGE_TLS_H */
