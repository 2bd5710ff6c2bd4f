/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An ELF executable: segments, symbols, build-id, code bytes.
 *
 * It must not know DWARF entries, Rust or runtimes.
 */
#ifndef DWELL_IMAGE_BINARY_H
#define DWELL_IMAGE_BINARY_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "image/bytes.h"
#include "image/die.h"

#define BINARY_BUILD_ID_MAX	64

struct segment {
	uint64_t	vaddr, file_off, file_size;
	bool		exec;
	struct bytes	bytes;		/* see binary__bytes */
};

struct symbol {
	uint64_t	 vaddr, size;
	const char	*name;		/* mangled */
};

struct binary {
	char		*path;
	int		 fd;
	Elf		*elf;		/* reads from fd when needed */
	uint64_t	 size;		/* of the file */
	struct timespec	 mtime;
	bool		 pie;
	struct segment	*segs;		/* PT_LOAD only */
	size_t		 nr_segs;
	uint64_t	 eh_frame_hdr;	/* load address of PT_GNU_EH_FRAME, 0: none */
	char		 build_id[2 * BINARY_BUILD_ID_MAX + 1];
	struct symbol	*syms;		/* functions, sorted by address; see binary__load_symbols */
	size_t		 nr_syms;
	int		*err;		/* allocated apart; the first failure of binary__bytes */
};

/*
 * Open an x86-64 ELF file. -ENOEXEC: not usable; -ENOTSUP: for another machine; else
 * the errno of open or read. @why is set to a static sentence.
 */
int binary__open(struct binary *b, const char *path, const char **why);
void binary__close(struct binary *b);
/*
 * 0 if everything that was read came from one unchanged file. -EIO: the file has been
 * written to or truncated since it was opened. Else the error of reading code.
 */
int binary__check(const struct binary *b);

/* Read the function symbols of @from, which is the file itself or its debug file. */
int binary__load_symbols(struct binary *b, Elf *from);
/* The function that contains @vaddr; NULL: none. */
const struct symbol *binary__symbol_at(const struct binary *b, uint64_t vaddr);

/*
 * The bytes that are loaded at @vaddr, *@n of them. A segment is read when it is first
 * needed. NULL: nothing is loaded there, or reading failed (see binary__check).
 */
const uint8_t *binary__bytes(const struct binary *b, uint64_t vaddr, size_t *n);
/* The same, but NULL if @vaddr is not in an executable segment. */
const uint8_t *binary__code(const struct binary *b, uint64_t vaddr, size_t *n);
bool binary__file_off(const struct binary *b, uint64_t vaddr, uint64_t *off);

/*
 * Find the words that contain the address @vaddr once the program is loaded, such as
 * entries of the global offset table, by their relocations. Returns their number, at
 * most @max.
 */
size_t binary__words_of(const struct binary *b, uint64_t vaddr, uint64_t *out, size_t max);
/*
 * Call @each for every word that contains an address once the program is loaded: @at is
 * its place, @to the address. Ends with the first nonzero result of @each, which is
 * returned; else 0.
 */
int binary__words(const struct binary *b, int (*each)(void *ctx, uint64_t at, uint64_t to),
		  void *ctx);

/*
 * A small section by its name, never a compressed one; libelf owns the bytes. 0;
 * -ENOENT: missing, empty or not readable; -ENOMEM.
 */
int elf__section(Elf *elf, const char *name, struct debug_sec *out);
/*
 * Load what is needed repeatedly, the section headers and their names, so that no later
 * call fails for lack of memory. 0 or -ENOMEM.
 */
int elf__preload(Elf *elf);
/*
 * Why libelf failed, provided that errno was 0 before: -ENOMEM, or -ENOEXEC if the file
 * is malformed. (libelf's own error numbers are not public.)
 */
int elf__failure(void);
/*
 * Call @each for every defined symbol of type @type (STT_FUNC, …) that has a name. Ends
 * with the first nonzero result of @each, which is returned; else 0.
 */
int elf__symbols(Elf *elf, unsigned int type,
		 int (*each)(void *ctx, const GElf_Sym *sym, const char *name), void *ctx);
/*
 * The GNU build-id in hexadecimal, found by segments or by sections; "" if there is
 * none. 0 or -ENOMEM.
 */
int elf__build_id(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1]);
int elf__build_id_of_sections(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1]);

#endif /* DWELL_IMAGE_BINARY_H */
