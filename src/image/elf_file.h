/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file with debugging information: opened, and its DWARF sections loaded.
 *
 * It must not know which file is looked for, where and why, nor what is in a
 * section.
 */
#ifndef DWELL_IMAGE_ELF_FILE_H
#define DWELL_IMAGE_ELF_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "image/binary.h"
#include "image/units.h"

/* What may be wrong with a file, for the user. */
#define ELF_FILE_OUT_OF_MEMORY	"out of memory"
#define ELF_FILE_TORN		"it cannot be read: the file is torn"
#define ELF_FILE_BAD_DWARF	"its DWARF cannot be read: it is torn, or compressed in a way " \
				"that libelf does not know"
#define ELF_FILE_OTHER_BUILD	"it is of another build than the program"
#define ELF_FILE_CHANGED	"it was changed while it was read: try again"

#define ELF_FILE_SECTIONS	12	/* that are loaded: see elf_file.c */

/* A file that is open for as long as its sections are in use. */
struct elf_file {
	char			*path;		/* for the user: root and name */
	const char		*root;		/* "", or what stands for "/" in its name */
	int			 fd;		/* -1: closed, all that is wanted is in memory */
	Elf			*elf;
	bool			 borrowed;	/* fd and elf are the binary's */
	bool			 torn;
	int			 err;		/* -ENOMEM while its sections were loaded */
	char			 build_id[2 * BINARY_BUILD_ID_MAX + 1];
	dev_t			 dev;
	ino_t			 ino;
	uint64_t		 size;
	struct timespec		 mtime;
	struct debug_secs	 secs;
	struct bytes		 read[ELF_FILE_SECTIONS];	/* what secs points to */
	size_t			 nr_read;
};

/*
 * Open @name in @root, which must outlive it. -ENOENT: there is no such file.
 * @why gets a static sentence.
 */
int elf_file__open(struct elf_file **out, const char *root, const char *name, const char **why);
/* The executable itself as such a file; 0 or -ENOMEM. */
int elf_file__of_binary(struct elf_file **out, const struct binary *b);
/* NULL is fine. */
void elf_file__free(struct elf_file *f);

/*
 * Load the sections, those of split DWARF if @split. NULL if there are units to
 * read, else a static sentence that says what is wrong; see @f->err, too.
 * *@unpack: bytes that may still come out of compressed sections.
 */
const char *elf_file__load(struct elf_file *f, bool split, uint64_t *unpack);
/* No more will be asked of @f than what is loaded: there may be 10,000 files. */
void elf_file__detach(struct elf_file *f);
/* 0, or -EIO: it has been written to or cut since it was opened. */
int elf_file__check(const struct elf_file *f);
/* The whole file's checksum, as .gnu_debuglink has it. 0 or negative errno. */
int elf_file__crc(const struct elf_file *f, uint32_t *out);
/* Split DWARF and no other: what dwp makes. False of NULL. */
bool elf_file__is_package(const struct elf_file *f);
/* The file's name under its root. */
const char *elf_file__name(const struct elf_file *f);

/* True if section @name, or its .zdebug kin, is listed with bytes in the file. */
bool elf__lists(Elf *elf, const char *name);

#endif /* DWELL_IMAGE_ELF_FILE_H */
