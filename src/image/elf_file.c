// SPDX-License-Identifier: GPL-2.0
/*
 * Opens a file with debug information: see elf_file.h. It must not know which file is
 * searched for, where and why, nor what a section contains.
 *
 * Names come from the executable, which may be hostile, and are opened with the user's
 * rights. So only regular files are opened, and names of a target in a container are
 * resolved inside its root directory.
 */
#include "image/elf_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#define OPEN_RETRIES	8
#define CRC_PIECE	(1u << 20)
#define ELF_FILE_NO_ELF	"it is no ELF file"

/* ---- sections ------------------------------------------------------------- */

/* Are the section headers outside of the file, because it was truncated? */
static bool elf__truncated(Elf *elf, uint64_t size)
{
	GElf_Ehdr eh;
	size_t nr;

	if (!gelf_getehdr(elf, &eh))
		return true;
	if (!eh.e_shoff)
		return false;
	return eh.e_shoff >= size || elf_getshdrnum(elf, &nr) || !nr ||
	       nr * eh.e_shentsize > size - eh.e_shoff;
}

/* Shortens a pool of strings to its last NUL; the reader of entries relies on it. */
static bool pool__trim(struct debug_sec *sec)
{
	const uint8_t *nul = sec->n ? memrchr(sec->p, 0, sec->n) : NULL;
	size_t n = nul ? (size_t)(nul - sec->p) + 1 : 0;
	bool whole = n == sec->n;

	sec->n = n;
	return whole;
}

/*
 * The sections, and where each goes. POOL: a section of strings. LATE: not loaded
 * unless it is compressed or split DWARF, whose files are closed.
 */
#define SECTION(field, text, kind)					\
	{ offsetof(struct debug_secs, field), text, kind,		\
	  "its section " text " claims to unpack to far more than compression " \
	  "can explain: it is not read" }

static const struct section {
	size_t		 field;
	const char	*name;
	enum { PLAIN, POOL, LATE } kind;
	const char	*refused;
} sections[] = {
	SECTION(info,		".debug_info",		PLAIN),
	SECTION(abbrev,		".debug_abbrev",	PLAIN),
	SECTION(str,		".debug_str",		POOL),
	SECTION(line,		".debug_line",		PLAIN),
	SECTION(line_str,	".debug_line_str",	POOL),
	SECTION(str_offsets,	".debug_str_offsets",	PLAIN),
	SECTION(addr,		".debug_addr",		PLAIN),
	SECTION(loc,		".debug_loc",		LATE),
	SECTION(loclists,	".debug_loclists",	LATE),
	SECTION(ranges,		".debug_ranges",	LATE),
	SECTION(rnglists,	".debug_rnglists",	LATE),
	/* only in packages; the name has no ".dwo" */
	SECTION(cu_index,	".debug_cu_index",	PLAIN),
};

static_assert(sizeof(sections) / sizeof(*sections) == ELF_FILE_SECTIONS, "one place for each");

/* The section @name, or the .zdebug section for it; NULL: none, or it is empty. */
static Elf_Scn *elf__find(Elf *elf, const char *name, GElf_Shdr *shdr, bool *gnu)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *s;

		if (!gelf_getshdr(scn, shdr) || shdr->sh_type == SHT_NOBITS || !shdr->sh_size)
			continue;
		s = elf_strptr(elf, strndx, shdr->sh_name);
		if (!s)
			continue;
		*gnu = !strncmp(s, ".zdebug", 7);
		if (!strcmp(*gnu ? s + 2 : s, *gnu ? name + 1 : name))
			return scn;
	}
	return NULL;
}

bool elf__lists(Elf *elf, const char *name)
{
	GElf_Shdr shdr;
	bool gnu;

	return elf__find(elf, name, &shdr, &gnu);
}

/* The size that a compressed section claims to unpack to. False: malformed. */
static bool claimed_size(Elf_Scn *scn, bool gnu, uint64_t *size)
{
	GElf_Chdr chdr;
	Elf_Data *data;

	if (!gnu) {
		if (!gelf_getchdr(scn, &chdr))
			return false;
		*size = chdr.ch_size;
		return true;
	}
	/* "ZLIB" and the size, 8 bytes, big-endian */
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf || data->d_size < 12)
		return false;
	*size = 0;
	for (int i = 0; i < 8; i++)
		*size = *size << 8 | ((const uint8_t *)data->d_buf)[4 + i];
	return true;
}

/* The claimed size is checked first, because libelf allocates it. */
static int unpack_section(Elf_Scn *scn, bool gnu, uint64_t *left, struct debug_sec *out)
{
	Elf_Data *data;
	uint64_t size;

	errno = 0;
	if (!claimed_size(scn, gnu, &size))
		return elf__failure();
	if (size > *left)
		return -E2BIG;
	*left -= size;
	if ((gnu ? elf_compress_gnu(scn, 0, 0) : elf_compress(scn, 0, 0)) < 0)
		return elf__failure();
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf)
		return elf__failure();
	*out = (struct debug_sec){ .p = data->d_buf, .n = data->d_size };
	return 0;
}

/*
 * Returns 0 also if there is no such section. *@left: bytes of the file that sections
 * may still claim.
 */
static int load_section(struct elf_file *f, const char *name, bool late, uint64_t *left,
			uint64_t *unpack, struct debug_sec *out)
{
	struct bytes *into = &f->read[f->nr_read];
	GElf_Shdr shdr;
	Elf_Scn *scn;
	bool gnu;
	int err;

	scn = elf__find(f->elf, name, &shdr, &gnu);
	if (!scn)
		return 0;
	/* overlapping sections could claim more memory than the file's size */
	if (shdr.sh_offset > f->size || shdr.sh_size > f->size - shdr.sh_offset ||
	    shdr.sh_size > *left)
		return -ENOEXEC;
	*left -= shdr.sh_size;
	if (gnu || shdr.sh_flags & SHF_COMPRESSED)
		return unpack_section(scn, gnu, unpack, out);
	if (late) {
		*out = (struct debug_sec){ .n = shdr.sh_size, .fd = f->fd,
					   .off = shdr.sh_offset };
		return 0;
	}
	err = bytes__read(into, f->fd, shdr.sh_offset, shdr.sh_size);
	if (err)
		return err;
	f->nr_read++;
	*out = (struct debug_sec){ .p = into->p, .n = into->n };
	return 0;
}

const char *elf_file__load(struct elf_file *f, bool split, uint64_t *unpack)
{
	struct debug_secs *s = &f->secs;
	uint64_t left = f->size;

	if (!elf__lists(f->elf, split ? ".debug_info.dwo" : ".debug_info"))
		return f->torn ? ELF_FILE_TORN : split ? "it has no split DWARF" :
		       "it has no DWARF";
	s->split = split;
	if (*unpack < UINT64_MAX / 2)
		*unpack += UNPACK_TIMES * f->size;
	for (size_t i = 0; i < ELF_FILE_SECTIONS; i++) {
		struct debug_sec *sec = (struct debug_sec *)((char *)s + sections[i].field);
		bool late = sections[i].kind == LATE && !split, index = sec == &s->cu_index;
		char name[64];
		int err;

		if (index && !split)
			continue;
		snprintf(name, sizeof(name), "%s%s", sections[i].name,
			 split && !index ? ".dwo" : "");
		err = load_section(f, name, late, &left, unpack, sec);
		if (err == -ENOMEM) {
			f->err = err;
			return ELF_FILE_OUT_OF_MEMORY;
		}
		if (err == -E2BIG)
			return sections[i].refused;
		/* a section that is listed must be readable */
		if (err || (sections[i].kind == POOL && !pool__trim(sec)))
			f->torn = true;
	}
	return s->info.n && s->abbrev.n ? NULL : ELF_FILE_BAD_DWARF;
}

/* ---- files ---------------------------------------------------------------- */

void elf_file__free(struct elf_file *f)
{
	if (!f)
		return;
	if (f->elf && !f->borrowed)
		elf_end(f->elf);
	if (f->fd >= 0 && !f->borrowed)
		close(f->fd);
	for (size_t i = 0; i < f->nr_read; i++)
		bytes__free(&f->read[i]);
	free(f->path);
	free(f);
}

void elf_file__detach(struct elf_file *f)
{
	elf_cntl(f->elf, ELF_C_FDDONE);
	close(f->fd);
	f->fd = -1;
}

int elf_file__check(const struct elf_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return -errno;
	return (uint64_t)st.st_size == f->size && st.st_mtim.tv_sec == f->mtime.tv_sec &&
	       st.st_mtim.tv_nsec == f->mtime.tv_nsec ? 0 : -EIO;
}

int elf_file__crc(const struct elf_file *f, uint32_t *out)
{
	struct bytes piece;
	uint64_t off = 0;
	uLong crc = 0;

	while (off < f->size) {
		uint64_t n = f->size - off < CRC_PIECE ? f->size - off : CRC_PIECE;
		int err = bytes__read(&piece, f->fd, off, (size_t)n);

		if (err)
			return err;
		crc = crc32_z(crc, piece.p, piece.n);
		bytes__free(&piece);
		off += n;
	}
	*out = (uint32_t)crc;
	return 0;
}

/*
 * Opens a regular file; -ENOENT if there is none. Its type is checked before it is
 * opened for reading, because opening a device can have an effect (/dev/watchdog) and
 * opening a pipe can block.
 */
static int open_regular(const char *root, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	char self[64];
	struct stat st;
	int dir, at = -1, fd;

	if (*root) {
		dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return -ENOENT;
		/* -EAGAIN: something was renamed at the same time, anywhere in the system */
		for (int i = 0; i < OPEN_RETRIES; i++) {
			at = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
			if (at >= 0 || errno != EAGAIN)
				break;
		}
		if (at < 0)
			at = -errno;
		close(dir);
	} else {
		at = open(name, O_PATH | O_CLOEXEC);
		if (at < 0)
			at = -errno;
	}
	if (at < 0)
		return at == -ENOTDIR ? -ENOENT : at;
	if (fstat(at, &st)) {
		fd = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		fd = S_ISDIR(st.st_mode) ? -EISDIR : -ENOEXEC;
	} else {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
		fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(at);
	return fd;
}

/* Takes over @fd as an ELF file. */
static int elf_file__adopt(struct elf_file **out, int fd, const char *root, const char *name,
			   const char **why)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;
	struct stat st;
	GElf_Ehdr eh;

	*why = ELF_FILE_OUT_OF_MEMORY;
	if (!f) {
		close(fd);
		return err;
	}
	f->fd = fd;
	f->root = root;
	if (asprintf(&f->path, "%s%s", root, name) < 0) {
		f->path = NULL;
		goto fail;
	}
	err = -ENOEXEC;
	*why = ELF_FILE_NO_ELF;
	/* a file of size 0 (in /proc) would be read to its end, which may never come */
	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		goto fail;
	if (file__is_hollow(&st)) {
		*why = FILE_IS_HOLLOW;
		goto fail;
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->size = (uint64_t)st.st_size;
	f->mtime = st.st_mtim;
	errno = 0;
	f->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &eh)) {
		err = elf__failure();
		*why = err == -ENOMEM ? ELF_FILE_OUT_OF_MEMORY : ELF_FILE_NO_ELF;
		goto fail;
	}
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB) {
		*why = "it is built for another machine";
		goto fail;
	}
	if (eh.e_type == ET_CORE) {
		*why = "it is a core dump";
		goto fail;
	}
	*why = ELF_FILE_OUT_OF_MEMORY;
	err = elf__preload(f->elf);
	/*
	 * sections first: the segments in a debug file describe the program's, not its
	 * own contents
	 */
	if (!err)
		err = elf__build_id_of_sections(f->elf, f->build_id);
	if (!err && !*f->build_id)
		err = elf__build_id(f->elf, f->build_id);
	if (err)
		goto fail;
	f->torn = elf__truncated(f->elf, f->size);
	*out = f;
	*why = "";
	return 0;
fail:
	elf_file__free(f);
	return err;
}

int elf_file__open(struct elf_file **out, const char *root, const char *name, const char **why)
{
	int fd = open_regular(root, name);

	if (fd >= 0)
		return elf_file__adopt(out, fd, root, name, why);
	*why = fd == -ENOENT ? "there is no such file" :
	       fd == -EISDIR ? "it is a directory" :
	       fd == -ENOEXEC ? "it is no regular file" :
	       fd == -EACCES || fd == -EPERM ? "it may not be read: permission denied" :
	       "it cannot be opened";
	return fd;
}

int elf_file__of_binary(struct elf_file **out, const struct binary *b)
{
	struct elf_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->root = "";
	f->path = strdup(b->path);
	f->fd = b->fd;
	f->elf = b->elf;
	f->borrowed = true;
	f->size = b->size;
	f->mtime = b->mtime;
	f->torn = elf__truncated(b->elf, b->size);
	memcpy(f->build_id, b->build_id, sizeof(f->build_id));
	if (!f->path) {
		elf_file__free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

bool elf_file__is_package(const struct elf_file *f)
{
	return f && elf__lists(f->elf, ".debug_info.dwo") && !elf__lists(f->elf, ".debug_info");
}

const char *elf_file__name(const struct elf_file *f)
{
	return f->path + strlen(f->root);
}
