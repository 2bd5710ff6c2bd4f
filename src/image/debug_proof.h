/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells whether a debug file was made by the same build as a program. A build-id does
 * not prove it alone: either file may have none, and builds may share one. What proves
 * it is the linker's layout: the code sections, and the functions in them.
 *
 * It must not know where the file was found, nor what its DWARF contains.
 */
#ifndef DWELL_IMAGE_DEBUG_PROOF_H
#define DWELL_IMAGE_DEBUG_PROOF_H

#include <stdbool.h>

#include "image/binary.h"
#include "image/elf_file.h"

/* Do both have a build-id, and different ones? */
bool debug_proof__ids_clash(const struct binary *b, const struct elf_file *f);
/*
 * 0 if @f belongs to @b; -ENOEXEC if not, and *@why is set to the reason (static);
 * -ENOMEM. @vouched: the program names the file and its checksum, which is accepted in
 * place of symbols if the file has none.
 */
int debug_proof__check(const struct binary *b, const struct elf_file *f, bool vouched,
		       const char **why);

#endif /* DWELL_IMAGE_DEBUG_PROOF_H */
