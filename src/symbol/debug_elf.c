/* SPDX-License-Identifier: GPL-2.0 */
/* A file with debug information. See debug_elf.h. */
#include "symbol/debug_elf.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/binary.h"
#include "image/bytes.h"

/* What a section that is compressed claims to unpack to; 0: it is not compressed. */
static uint64_t unpacked_size(Elf *elf, size_t names, Elf_Scn *scn)
{
	const uint8_t *head;
	GElf_Shdr shdr;
	GElf_Chdr chdr;
	const char *name;
	Elf_Data *data;
	uint64_t size = 0;

	if (!gelf_getshdr(scn, &shdr))
		return 0;
	if (shdr.sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(scn, &chdr) ? chdr.ch_size : 0;
	name = elf_strptr(elf, names, shdr.sh_name);
	if (!name || strncmp(name, ".zdebug", 7))
		return 0;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf || data->d_size < 12)
		return 0;
	/* "ZLIB", and the size as eight bytes, the highest first */
	head = data->d_buf;
	for (int i = 4; i < 12; i++)
		size = size << 8 | head[i];
	return size;
}

/* From then on libelf has it, unpacked; not what is for the running program. */
static bool section__read(Elf_Scn *scn)
{
	GElf_Shdr shdr;

	if (!gelf_getshdr(scn, &shdr))
		return false;
	if (shdr.sh_flags & SHF_ALLOC)
		return true;
	if (shdr.sh_flags & SHF_COMPRESSED && elf_compress(scn, 0, 0) < 0)
		return false;
	return elf_rawdata(scn, NULL);
}

/* Read the sections: false, if they claim to unpack to too much, or there is no memory. */
static bool read_sections(const struct debug_elf *f, const struct stat *st)
{
	uint64_t left = UNPACK_FREE + UNPACK_TIMES * (uint64_t)st->st_size, size;
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(f->elf, &names))
		return false;
	while ((scn = elf_nextscn(f->elf, scn))) {
		size = unpacked_size(f->elf, names, scn);
		if (size > left)
			return false;
		left -= size;
		/* to libdw, a section that cannot be read for lack of memory is not there */
		errno = 0;
		if (!section__read(scn) && errno == ENOMEM)
			return false;
	}
	return true;
}

void debug_elf__open(struct debug_elf *f, void (*no_memory)(void) __attribute__((noreturn)))
{
	struct stat st;

	/* another kind of file than a regular one might not come to an end */
	f->fd = f->path ? open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (f->fd < 0 || fstat(f->fd, &st) || !S_ISREG(st.st_mode) || file__is_hollow(&st))
		return;
	/* read, not mapped: the file may be cut meanwhile */
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	if (!f->elf || !read_sections(f, &st))
		return;
	f->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	if (f->dwarf)
		dwarf_new_oom_handler(f->dwarf, no_memory);
}

void debug_elf__close(struct debug_elf *f)
{
	if (f->dwarf)
		dwarf_end(f->dwarf);
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
}
