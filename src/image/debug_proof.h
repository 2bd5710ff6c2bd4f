/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether a debug file is of the program's own build. A build-id alone does not
 * prove it: either side may have none, and builds may share one. What the linker
 * laid out does: the sections of code, and the functions in them.
 *
 * It must not know where the file was found, nor what is in its DWARF.
 */
#ifndef DWELL_IMAGE_DEBUG_PROOF_H
#define DWELL_IMAGE_DEBUG_PROOF_H

#include <stdbool.h>

#include "image/binary.h"
#include "image/elf_file.h"

/* Both have a build-id, and not the same. */
bool debug_proof__ids_clash(const struct binary *b, const struct elf_file *f);
/*
 * 0 if @f belongs to @b; -ENOEXEC if not, and *@why (static) says why; -ENOMEM.
 * @vouched: the program names the file by its checksum, which stands for symbols
 * where the file has none.
 */
int debug_proof__check(const struct binary *b, const struct elf_file *f, bool vouched,
		       const char **why);

#endif /* DWELL_IMAGE_DEBUG_PROOF_H */
