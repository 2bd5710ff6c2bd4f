/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file with debug information: opened, and its DWARF sections loaded.
 *
 * It must not know which file is searched for, where and why, nor what a section
 * contains.
 */
#ifndef DWELL_IMAGE_ELF_FILE_H
#define DWELL_IMAGE_ELF_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "image/binary.h"
#include "image/units.h"

/* What may be wrong with a file, in words for the user. */
#define ELF_FILE_OUT_OF_MEMORY	"out of memory"
#define ELF_FILE_TORN		"it cannot be read: the file is torn"
#define ELF_FILE_BAD_DWARF	"its DWARF cannot be read: it is torn, or compressed in a way " \
				"that libelf does not know"
#define ELF_FILE_OTHER_BUILD	"it is of another build than the program"
#define ELF_FILE_CHANGED	"it was changed while it was read: try again"

#define ELF_FILE_SECTIONS	12	/* number of sections that are loaded: see elf_file.c */

/* A file that stays open while its sections are in use. */
struct elf_file {
	char			*path;		/* root and name, for messages */
	const char		*root;		/* "", or the directory that is "/" for its name */
	int			 fd;		/* -1: closed; all that is needed is in memory */
	Elf			*elf;
	bool			 borrowed;	/* fd and elf belong to the binary */
	bool			 torn;
	int			 err;		/* -ENOMEM from loading its sections */
	char			 build_id[2 * BINARY_BUILD_ID_MAX + 1];
	dev_t			 dev;
	ino_t			 ino;
	uint64_t		 size;
	struct timespec		 mtime;
	struct debug_secs	 secs;
	struct bytes		 read[ELF_FILE_SECTIONS];	/* the memory that secs points to */
	size_t			 nr_read;
};

/*
 * Open @name in directory @root, which must outlive the object. -ENOENT: there is no
 * such file. @why is set to a static sentence.
 */
int elf_file__open(struct elf_file **out, const char *root, const char *name, const char **why);
/* The executable itself as such a file. 0 or -ENOMEM. */
int elf_file__of_binary(struct elf_file **out, const struct binary *b);
/* @f may be NULL. */
void elf_file__free(struct elf_file *f);

/*
 * Load the sections, those of split DWARF if @split. NULL: there are units to read;
 * else a static sentence that says what is wrong, and @f->err may be set. *@unpack: how
 * many bytes compressed sections may still unpack to.
 */
const char *elf_file__load(struct elf_file *f, bool split, uint64_t *unpack);
/* Close @f, keeping what was loaded. There may be 10,000 files. */
void elf_file__detach(struct elf_file *f);
/* 0, or -EIO: the file has been written to or truncated since it was opened. */
int elf_file__check(const struct elf_file *f);
/* The checksum of the whole file, as in .gnu_debuglink. 0 or negative errno. */
int elf_file__crc(const struct elf_file *f, uint32_t *out);
/* Does it contain split DWARF only, as a package made by dwp? False if @f is NULL. */
bool elf_file__is_package(const struct elf_file *f);
/* The file's name in its root directory. */
const char *elf_file__name(const struct elf_file *f);

/* Does the file have a section @name, or the .zdebug section for it, that is not empty? */
bool elf__lists(Elf *elf, const char *name);

#endif /* DWELL_IMAGE_ELF_FILE_H */
