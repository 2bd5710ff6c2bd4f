// SPDX-License-Identifier: GPL-2.0
/*
 * Unwinding a thread from outside. See unwind.h. libdw reads the tables; this file
 * finds the file that an address belongs to, and applies the rules.
 */
#include "inspect/unwind.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bisect.h"

#define STACK_CACHE	4096	/* bytes read at a time */
#define VDSO_MAX	(1u << 20)

/* DWARF's register numbers (x86-64 ABI, figure 3.36); 16 is the return address. */
#define DW_SP		7
#define DW_RA		16

static const uint8_t saved_regs[RAW_SAVED_REGS] = { 3, 6, 12, 13, 14, 15 };

/* Code mapped from a file, or the kernel's vdso, which has no file: inode 0. */
struct mapping {
	uint64_t	 start, end, off;
	dev_t		 dev;
	uint64_t	 inode;
	int		 file;		/* index; -1: not opened yet; -2: it has no table */
};

struct file {
	dev_t		 dev;
	uint64_t	 inode;
	int		 fd;		/* -1: it is in @copy */
	void		*copy;
	Elf		*elf;
	Dwarf_CFI	*cfi;
};

struct unwinder {
	const struct process	*target;
	struct mapping		*maps;
	size_t			 nr_maps;
	bool			 unmapped;	/* a place was in none of them */
	struct file		*files;
	size_t			 nr_files;
	uint64_t		 cache_at;	/* 0: empty */
	uint64_t		 cache[STACK_CACHE / 8];
	size_t			 cache_words;
	const struct unwind_copy *copy;		/* NULL: the stack is in the process's memory */
};

/* Of a process that is gone, what is known already is kept. */
static int read_maps(struct unwinder *u)
{
	char path[64], *line = NULL, perms[5], name[8];
	struct mapping *maps = NULL, *grown, m;
	unsigned int major, minor;
	size_t room = 0, nr = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", u->target->pid);
	f = fopen(path, "re");
	if (!f)
		return 0;	/* it is gone: its memory cannot be read either */
	while (getline(&line, &room, f) > 0) {
		m = (struct mapping){ .file = -1 };
		*name = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %7s",
			   &m.start, &m.end, perms, &m.off, &major, &minor, &m.inode, name) < 7 ||
		    perms[2] != 'x' || (!m.inode && strcmp(name, "[vdso]")))
			continue;
		m.dev = makedev(major, minor);
		grown = reallocarray(maps, nr + 1, sizeof(*grown));
		if (!grown) {
			free(maps);
			free(line);
			fclose(f);
			return -ENOMEM;
		}
		maps = grown;
		maps[nr++] = m;
	}
	free(line);
	fclose(f);
	if (!nr)
		return 0;
	free(u->maps);
	u->maps = maps;
	u->nr_maps = nr;
	return 0;
}

struct unwinder *unwinder__new(const struct process *target)
{
	struct unwinder *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	elf_version(EV_CURRENT);
	u->target = target;
	if (read_maps(u)) {
		unwinder__free(u);
		return NULL;
	}
	return u;
}

/* The next stack is in @copy; NULL: in the process's memory. */
static int begin(struct unwinder *u, const struct unwind_copy *copy)
{
	u->copy = copy;
	u->cache_at = 0;
	if (!u->unmapped)
		return 0;
	/* Mappings change rarely, and a place in none of them is met rarely. */
	u->unmapped = false;
	return read_maps(u);
}

int unwinder__again(struct unwinder *u)
{
	return begin(u, NULL);
}

int unwinder__from_copy(struct unwinder *u, const struct unwind_copy *copy)
{
	return begin(u, copy);
}

static void file__close(struct file *f)
{
	if (f->cfi)
		dwarf_cfi_end(f->cfi);
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	free(f->copy);
}

void unwinder__free(struct unwinder *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->nr_files; i++)
		file__close(&u->files[i]);
	free(u->files);
	free(u->maps);
	free(u);
}

/* Opens @path, if it is the mapped file; another file may have that name by now. */
static int open_if_mapped(const char *path, const struct mapping *m)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_ino != m->inode)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Opens the file by its name: in the target's mounts, or in our own, which works for a
 * process with another root directory and the same mounts.
 */
static int open_mapped(const struct unwinder *u, const struct mapping *m)
{
	char link[96], name[4096], path[sizeof(name) + 64];
	ssize_t n;
	int fd;

	snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, u->target->pid,
		 m->start, m->end);
	n = readlink(link, name, sizeof(name) - 1);
	if (n <= 0)
		return -1;
	name[n] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/root%s", u->target->pid, name);
	fd = open_if_mapped(path, m);
	return fd >= 0 ? fd : open_if_mapped(name, m);
}

static bool is_executable(const struct unwinder *u, dev_t dev, uint64_t inode)
{
	struct stat st;

	return u->target->exe_fd >= 0 && !fstat(u->target->exe_fd, &st) && st.st_ino == inode &&
	       st.st_dev == dev;
}

/* The target's executable is open already, and may have no name any more. */
static int open_file(const struct unwinder *u, const struct mapping *m)
{
	if (is_executable(u, m->dev, m->inode))
		return fcntl(u->target->exe_fd, F_DUPFD_CLOEXEC, 3);
	return open_mapped(u, m);
}

/* The vdso, which is an executable as it is in memory. */
static void copy_vdso(const struct unwinder *u, const struct mapping *m, struct file *f)
{
	size_t len = m->end - m->start;

	if (len > VDSO_MAX)
		return;
	f->copy = malloc(len);
	if (f->copy && !process__read(u->target, m->start, f->copy, len))
		f->elf = elf_memory(f->copy, len);
}

static int find_file(struct unwinder *u, const struct mapping *m)
{
	struct file f = { .dev = m->dev, .inode = m->inode }, *grown;

	for (size_t i = 0; i < u->nr_files; i++)
		if (u->files[i].dev == m->dev && u->files[i].inode == m->inode)
			return (int)i;
	f.fd = m->inode ? open_file(u, m) : -1;
	if (f.fd < 0 && m->inode)
		return -2;
	/* read, not mapped: the file may be truncated at any time */
	if (m->inode)
		f.elf = elf_begin(f.fd, ELF_C_READ, NULL);
	else
		copy_vdso(u, m, &f);
	f.cfi = f.elf ? dwarf_getcfi_elf(f.elf) : NULL;
	grown = f.cfi ? reallocarray(u->files, u->nr_files + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		file__close(&f);
		return -2;
	}
	u->files = grown;
	u->files[u->nr_files] = f;
	return (int)u->nr_files++;
}

/* The link-time address of offset @off in the file. */
static bool file__address(const struct file *f, uint64_t off, uint64_t *vaddr)
{
	size_t nr;

	if (elf_getphdrnum(f->elf, &nr))
		return false;
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(f->elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    off < ph.p_offset || off - ph.p_offset >= ph.p_filesz)
			continue;
		*vaddr = ph.p_vaddr + (off - ph.p_offset);
		return true;
	}
	return false;
}

static struct mapping *mapping_at(struct unwinder *u, uint64_t pc)
{
	size_t lo = BISECT(u->nr_maps, k, u->maps[k].end <= pc);
	return lo < u->nr_maps && u->maps[lo].start <= pc ? &u->maps[lo] : NULL;
}

bool unwinder__place(struct unwinder *u, uint64_t pc, uint32_t *file, uint64_t *vaddr)
{
	struct mapping *m = mapping_at(u, pc);

	u->unmapped |= !m;
	if (!m)
		return false;
	if (m->file == -1)
		m->file = find_file(u, m);
	if (m->file < 0)
		return false;
	*file = (uint32_t)m->file;
	return file__address(&u->files[m->file], pc - m->start + m->off, vaddr);
}

int unwinder__fd(const struct unwinder *u, uint32_t file)
{
	return u->files[file].fd;
}

bool unwinder__is_executable(const struct unwinder *u, uint32_t file)
{
	return is_executable(u, u->files[file].dev, u->files[file].inode);
}

int unwinder__look(struct unwinder *u)
{
	int err = read_maps(u);

	for (size_t i = 0; i < u->nr_maps && !err; i++)
		if (u->maps[i].file == -1)
			u->maps[i].file = find_file(u, &u->maps[i]);
	return err;
}

bool unwinder__code(const struct unwinder *u, size_t i, struct unwind_code *out)
{
	if (i >= u->nr_maps)
		return false;
	*out = (struct unwind_code){ u->maps[i].start, u->maps[i].end,
				     is_executable(u, u->maps[i].dev, u->maps[i].inode) };
	return true;
}

/* The unwind rules at @pc. NULL: there are none. */
static Dwarf_Frame *rules_at(struct unwinder *u, uint64_t pc)
{
	Dwarf_Frame *frame = NULL;
	uint64_t vaddr;
	uint32_t file;

	if (!unwinder__place(u, pc, &file, &vaddr) ||
	    dwarf_cfi_addrframe(u->files[file].cfi, vaddr, &frame))
		return NULL;
	return frame;
}

static int copied_word(const struct unwind_copy *copy, uint64_t addr, uint64_t *word)
{
	uint64_t off = addr - copy->addr;

	if (addr < copy->addr || off >= copy->len || copy->len - off < sizeof(*word))
		return -ENODATA;
	memcpy(word, (const char *)copy->bytes + off, sizeof(*word));
	return 0;
}

/* Of the stack. 0, -EFAULT or -ENODATA. */
static int read_word(struct unwinder *u, uint64_t addr, uint64_t *word)
{
	size_t at = (size_t)(addr - u->cache_at) / 8;
	ssize_t n;

	if (addr % 8)
		return -EFAULT;
	if (u->copy)
		return copied_word(u->copy, addr, word);
	if (!u->cache_at || addr < u->cache_at || at >= u->cache_words) {
		n = process__read_some(u->target, addr, u->cache, sizeof(u->cache));
		u->cache_at = addr;
		u->cache_words = n > 0 ? (size_t)n / 8 : 0;
		at = 0;
	}
	if (!u->cache_words)
		return -EFAULT;
	*word = u->cache[at];
	return 0;
}

/* A register of the frame, by its DWARF number; false: its value is not known. */
static bool reg_of(const struct unwind_frame *f, unsigned int nr, uint64_t *value)
{
	*value = f->sp;
	for (size_t i = 0; nr != DW_SP && i < RAW_SAVED_REGS; i++) {
		*value = f->saved[i];
		if (saved_regs[i] == nr)
			return true;
	}
	return nr == DW_SP;
}

/* The canonical frame address: the caller's rsp, behind the return address. */
static bool cfa_of(const struct unwind_frame *f, Dwarf_Frame *rules, uint64_t *cfa)
{
	uint64_t base;
	Dwarf_Op *ops;
	size_t nr;

	if (dwarf_frame_cfa(rules, &ops, &nr) || nr != 1)
		return false;
	if (ops->atom >= DW_OP_breg0 && ops->atom <= DW_OP_breg31) {
		if (!reg_of(f, ops->atom - DW_OP_breg0, &base))
			return false;
		*cfa = base + ops->number;
	} else if (ops->atom == DW_OP_bregx) {
		if (!reg_of(f, (unsigned int)ops->number, &base))
			return false;
		*cfa = base + ops->number2;
	} else {
		return false;
	}
	return *cfa > f->sp;
}

enum rule { RULE_UNDEFINED, RULE_SAME, RULE_AT, RULE_OTHER };

/* The rule for register @nr of the caller; RULE_AT: in memory, @off bytes from the CFA. */
static enum rule rule_of(Dwarf_Frame *rules, int reg, uint64_t *off)
{
	Dwarf_Op mem[3], *ops;
	size_t nr;

	if (dwarf_frame_register(rules, reg, mem, &ops, &nr))
		return RULE_OTHER;
	if (!nr)
		return ops ? RULE_UNDEFINED : RULE_SAME;
	*off = 0;
	if (nr > 2 || ops[0].atom != DW_OP_call_frame_cfa ||
	    (nr == 2 && ops[1].atom != DW_OP_plus_uconst))
		return RULE_OTHER;
	if (nr == 2)
		*off = ops[1].number;
	return RULE_AT;
}

static int follow(struct unwinder *u, Dwarf_Frame *rules, struct unwind_frame *f)
{
	struct unwind_frame caller = *f;
	uint64_t cfa, off;
	int err;

	if (!cfa_of(f, rules, &cfa))
		return -ENOTSUP;
	switch (rule_of(rules, DW_RA, &off)) {
	case RULE_UNDEFINED:
		return 0;
	case RULE_AT:
		if (off != (uint64_t)-8)
			return -ENOTSUP;
		break;
	default:
		return -ENOTSUP;
	}
	err = read_word(u, cfa - 8, &caller.pc);
	if (err)
		return err;
	for (size_t i = 0; i < RAW_SAVED_REGS; i++) {
		switch (rule_of(rules, saved_regs[i], &off)) {
		case RULE_SAME:
			break;
		case RULE_AT:
			err = read_word(u, cfa + off, &caller.saved[i]);
			if (err)
				return err;
			break;
		case RULE_UNDEFINED:
			caller.saved[i] = 0;
			break;
		default:
			return -ENOTSUP;
		}
	}
	caller.sp = cfa;
	caller.innermost = false;
	if (!caller.pc)
		return 0;
	*f = caller;
	return 1;
}

int unwinder__step(struct unwinder *u, struct unwind_frame *f)
{
	/* A call may be the last instruction of a function, so look up the byte before. */
	Dwarf_Frame *rules = rules_at(u, f->innermost ? f->pc : f->pc - 1);
	int err;

	if (!rules)
		return -ENOENT;
	err = follow(u, rules, f);
	free(rules);
	return err;
}
