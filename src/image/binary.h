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
	Elf		*elf;		/* reads from fd what it is asked for */
	uint64_t	 size;		/* of the file */
	struct timespec	 mtime;
	bool		 pie;
	struct segment	*segs;		/* PT_LOAD only */
	size_t		 nr_segs;
	uint64_t	 eh_frame_hdr;	/* where PT_GNU_EH_FRAME is loaded, 0: none */
	char		 build_id[2 * BINARY_BUILD_ID_MAX + 1];
	struct symbol	*syms;		/* functions, by address; see binary__load_symbols */
	size_t		 nr_syms;
	int		*err;		/* of its own memory: the first failure of binary__bytes */
};

/*
 * Open an ELF file of x86-64. -ENOEXEC: not usable, -ENOTSUP: another machine,
 * else what open or read said. @why gets a static sentence.
 */
int binary__open(struct binary *b, const char *path, const char **why);
void binary__close(struct binary *b);
/*
 * Whether all that was read is of one and the same file: 0, -EIO if it has been
 * written to or cut since it was opened, or what a reading of code failed with.
 */
int binary__check(const struct binary *b);

/* Read the function symbols of @from (the file itself, or its debug file). */
int binary__load_symbols(struct binary *b, Elf *from);
/* The function that holds @vaddr, NULL if none. */
const struct symbol *binary__symbol_at(const struct binary *b, uint64_t vaddr);

/*
 * Bytes that are loaded at @vaddr: NULL if none are; *@n available. A segment is
 * read when it is first asked for; NULL also if that fails: binary__check tells.
 */
const uint8_t *binary__bytes(const struct binary *b, uint64_t vaddr, size_t *n);
/* The same of code: NULL if not in an executable segment. */
const uint8_t *binary__code(const struct binary *b, uint64_t vaddr, size_t *n);
bool binary__file_off(const struct binary *b, uint64_t vaddr, uint64_t *off);

/*
 * Words that hold the address @vaddr once the program is loaded: entries of the
 * global offset table, by their relocations. Their number, at most @max.
 */
size_t binary__words_of(const struct binary *b, uint64_t vaddr, uint64_t *out, size_t max);
/*
 * Call @each with all such words: where each is, and what address it holds. 0, or what
 * @each returned if that was not 0: then it was the last.
 */
int binary__words(const struct binary *b, int (*each)(void *ctx, uint64_t at, uint64_t to),
		  void *ctx);

/*
 * A section by name, for small ones that are never compressed; its bytes are
 * libelf's. 0, -ENOENT: not there, empty or not readable, or -ENOMEM.
 */
int elf__section(Elf *elf, const char *name, struct debug_sec *out);
/*
 * Load what is asked of a file again and again, the section headers and their
 * names, so that no later answer depends on there being memory. 0 or -ENOMEM.
 */
int elf__preload(Elf *elf);
/*
 * Why libelf failed, if errno was 0 before: -ENOMEM, or -ENOEXEC for all that is
 * wrong with the file. (Its own error numbers are not public.)
 */
int elf__failure(void);
/*
 * Call @each with all defined symbols of @type (STT_FUNC, …) that have a name.
 * 0, or what @each returned if that was not 0: then it was the last.
 */
int elf__symbols(Elf *elf, unsigned int type,
		 int (*each)(void *ctx, const GElf_Sym *sym, const char *name), void *ctx);
/*
 * The GNU build-id as hexadecimal text, "" if there is none: by segments, by
 * sections. 0 or -ENOMEM.
 */
int elf__build_id(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1]);
int elf__build_id_of_sections(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1]);

#endif /* DWELL_IMAGE_BINARY_H */
