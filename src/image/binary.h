/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An ELF executable: segments, symbols, build-id, code bytes.
 *
 * It must not know of DWARF entries, of Rust or of runtimes.
 */
#ifndef DWELL_IMAGE_BINARY_H
#define DWELL_IMAGE_BINARY_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/die.h"

#define BINARY_BUILD_ID_MAX	64

struct segment {
	uint64_t	vaddr, file_off, file_size;
	bool		exec;
};

struct symbol {
	uint64_t	 vaddr, size;
	const char	*name;		/* mangled */
};

struct binary {
	char		*path;
	int		 fd;
	Elf		*elf;
	const uint8_t	*raw;		/* the whole file */
	size_t		 raw_size;
	bool		 pie;
	struct segment	*segs;		/* PT_LOAD only */
	size_t		 nr_segs;
	uint64_t	 eh_frame_hdr;	/* where PT_GNU_EH_FRAME is loaded, 0: none */
	char		 build_id[2 * BINARY_BUILD_ID_MAX + 1];
	struct symbol	*syms;		/* functions, by address; see binary__load_symbols */
	size_t		 nr_syms;
};

/*
 * Open an ELF file of x86-64. -ENOEXEC: not usable, -ENOTSUP: another machine,
 * else what open or read said. @why gets a static sentence.
 */
int binary__open(struct binary *b, const char *path, const char **why);
void binary__close(struct binary *b);

/* Read the function symbols of @from (the file itself, or its debug file). */
int binary__load_symbols(struct binary *b, Elf *from);
/* The function that holds @vaddr, NULL if none. */
const struct symbol *binary__symbol_at(const struct binary *b, uint64_t vaddr);

/* Bytes that are loaded at @vaddr: NULL if none are; *@n available. */
const uint8_t *binary__bytes(const struct binary *b, uint64_t vaddr, size_t *n);
/* Code bytes at @vaddr: NULL if not in an executable segment; *@n available. */
const uint8_t *binary__code(const struct binary *b, uint64_t vaddr, size_t *n);
bool binary__file_off(const struct binary *b, uint64_t vaddr, uint64_t *off);

/*
 * Words that hold the address @vaddr once the program is loaded: entries of the
 * global offset table, by their relocations. Their number, at most @max.
 */
size_t binary__words_of(const struct binary *b, uint64_t vaddr, uint64_t *out, size_t max);

/* A section by name, uncompressed. False: not there, empty or not readable. */
bool elf__section(Elf *elf, const char *name, struct debug_sec *out);
/*
 * Call @each with all defined symbols of @type (STT_FUNC, …) that have a name.
 * 0, or what @each returned if that was not 0: then it was the last.
 */
int elf__symbols(Elf *elf, unsigned int type,
		 int (*each)(void *ctx, const GElf_Sym *sym, const char *name), void *ctx);
/* The GNU build-id as hexadecimal text, "" if there is none. */
void elf__build_id(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1]);

#endif /* DWELL_IMAGE_BINARY_H */
