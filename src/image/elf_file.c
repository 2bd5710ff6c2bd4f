// SPDX-License-Identifier: GPL-2.0
/*
 * A file with debugging information, opened: see elf_file.h. It must not know
 * which file is looked for, where and why, nor what is in a section.
 *
 * Names come from the executable, which may be hostile, and are opened with
 * the user's rights: only regular files are ever opened, and names of a target
 * in a container are resolved inside its root.
 */
#include "image/elf_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_RETRIES	8

/* ---- sections ------------------------------------------------------------- */

bool elf__lists(Elf *elf, const char *name)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *s;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS || !shdr.sh_size)
			continue;
		s = elf_strptr(elf, strndx, shdr.sh_name);
		if (s && (!strcmp(s, name) ||
			  (!strncmp(s, ".zdebug", 7) && !strcmp(s + 2, name + 1))))
			return true;
	}
	return false;
}

/* True if the section headers are not where the file's head says: it was cut. */
static bool elf__cut(Elf *elf, uint64_t size)
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

static void build_id__of(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1])
{
	const void *id;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &id);

	/* sections first: a debug file's segments are those of the program, not its own */
	out[0] = 0;
	if (n <= 0 || n > BINARY_BUILD_ID_MAX) {
		elf__build_id(elf, out);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", ((const uint8_t *)id)[i]);
}

/* The reader of entries relies on it that a string of a pool ends in the pool. */
static bool pool__cut(struct debug_sec *sec)
{
	const uint8_t *nul = sec->n ? memrchr(sec->p, 0, sec->n) : NULL;
	size_t n = nul ? (size_t)(nul - sec->p) + 1 : 0;
	bool whole = n == sec->n;

	sec->n = n;
	return whole;
}

const char *elf_file__load(struct elf_file *f, bool split)
{
	struct debug_secs *s = &f->secs;
	const struct {
		struct debug_sec	*sec;
		const char		*name;
		bool			 pool;
	} secs[] = {
		{ &s->info,		".debug_info",		false },
		{ &s->abbrev,		".debug_abbrev",	false },
		{ &s->str,		".debug_str",		true },
		{ &s->line,		".debug_line",		false },
		{ &s->line_str,		".debug_line_str",	true },
		{ &s->str_offsets,	".debug_str_offsets",	false },
		{ &s->addr,		".debug_addr",		false },
		{ &s->loc,		".debug_loc",		false },
		{ &s->loclists,		".debug_loclists",	false },
		{ &s->ranges,		".debug_ranges",	false },
		{ &s->rnglists,		".debug_rnglists",	false },
	};

	if (!elf__lists(f->elf, split ? ".debug_info.dwo" : ".debug_info"))
		return f->torn ? ELF_FILE_TORN : split ? "it has no split DWARF" :
		       "it has no DWARF";
	s->split = split;
	for (size_t i = 0; i < sizeof(secs) / sizeof(*secs); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", secs[i].name, split ? ".dwo" : "");
		if (!elf__lists(f->elf, name))
			continue;
		/* what is listed must be readable */
		if (!elf__section(f->elf, name, secs[i].sec))
			f->torn = true;
		if (secs[i].pool && !pool__cut(secs[i].sec))
			f->torn = true;
	}
	if (split && elf__lists(f->elf, ".debug_cu_index") &&
	    !elf__section(f->elf, ".debug_cu_index", &s->cu_index))
		f->torn = true;
	return s->info.n && s->abbrev.n ? NULL : ELF_FILE_BAD_DWARF;
}

/* ---- files ---------------------------------------------------------------- */

void elf_file__free(struct elf_file *f)
{
	if (!f)
		return;
	if (f->elf && !f->borrowed)
		elf_end(f->elf);
	free(f->path);
	free(f);
}

/*
 * Open a regular file; -ENOENT if there is none. It is looked at before it is
 * opened for reading: to open a device can be an act (/dev/watchdog), and to
 * open a pipe can block.
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
		/* -EAGAIN: something was renamed meanwhile, anywhere in the system */
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

/* Take @fd over as an ELF file. The descriptor is closed: there may be 10,000 files. */
static int elf_file__adopt(struct elf_file **out, int fd, const char *root, const char *name,
			   const char **why)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;
	struct stat st;
	GElf_Ehdr eh;

	*why = ELF_FILE_OUT_OF_MEMORY;
	if (!f)
		goto fail;
	f->root = root;
	if (asprintf(&f->path, "%s%s", root, name) < 0) {
		f->path = NULL;
		goto fail;
	}
	err = -ENOEXEC;
	*why = "it is no ELF file";
	/* a file without a size (of /proc, say) would be read to its end, which may not come */
	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		goto fail;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &eh))
		goto fail;
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB) {
		*why = "it is built for another machine";
		goto fail;
	}
	if (eh.e_type == ET_CORE) {
		*why = "it is a core dump";
		goto fail;
	}
	*why = ELF_FILE_TORN;
	f->torn = elf__cut(f->elf, (uint64_t)st.st_size);
	if (elf_cntl(f->elf, ELF_C_FDREAD))
		goto fail;
	build_id__of(f->elf, f->build_id);
	close(fd);
	*out = f;
	*why = "";
	return 0;
fail:
	close(fd);
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
	f->elf = b->elf;
	f->borrowed = true;
	f->torn = elf__cut(b->elf, b->raw_size);
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
