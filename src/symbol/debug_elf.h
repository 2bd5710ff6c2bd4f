/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file with symbols or debug information, for libelf and libdw. Whatever its sections claim
 * to unpack to is limited first. Private to src/symbol.
 */
#ifndef DWELL_SYMBOL_DEBUG_ELF_H
#define DWELL_SYMBOL_DEBUG_ELF_H

#include <elfutils/libdw.h>

struct debug_elf {
	char		*path;		/* its own; NULL: there is none */
	int		 fd;		/* -1: not open */
	Elf		*elf;		/* NULL: it cannot be read */
	Dwarf		*dwarf;		/* NULL: it has none */
};

/*
 * Open f->path. @no_memory is called where libdw would end the program, and must not return.
 * What cannot be opened or read stays NULL.
 */
void debug_elf__open(struct debug_elf *f, void (*no_memory)(void) __attribute__((noreturn)));
/* Frees the path, too. */
void debug_elf__close(struct debug_elf *f);

#endif /* DWELL_SYMBOL_DEBUG_ELF_H */
