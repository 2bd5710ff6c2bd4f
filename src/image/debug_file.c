// SPDX-License-Identifier: GPL-2.0
/*
 * Where the DWARF of an executable is: see debug_file.h. It must not know what
 * an entry means beyond the split of a unit, nor what Rust is.
 *
 * Names come from the executable, which may be hostile, and are opened with
 * the user's rights: only regular files are ever opened, names of a target in
 * a container are resolved inside its root, and a file is used only if it
 * proves to belong to the executable (build-id, checksum, or dwo_id).
 */
#include "image/debug_file.h"

#include <elfutils/debuginfod.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <search.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "image/array.h"

#define DEBUG_DIR		"/usr/lib/debug"
#define DEBUGINFOD_STALL_S	10	/* without a byte, unless $DEBUGINFOD_TIMEOUT is set */
#define OPEN_RETRIES		8

static const char out_of_memory[] = "out of memory";
static const char another_build[] = "it is of another build than the program";
static const char read_already[] = "it was read already, and does not have the unit";
static const char torn_file[] = "it cannot be read: the file is torn";
static const char bad_dwarf[] = "its DWARF cannot be read: it is torn, or compressed in a way "
				"that libelf does not know";

/* A file that is open for as long as its sections are in use. */
struct elf_file {
	char			*path;		/* for the user: root and name */
	const char		*root;		/* see struct place */
	Elf			*elf;
	Elf			*lines;		/* for libdw */
	bool			 borrowed;	/* elf is the binary's */
	bool			 torn;
	char			 build_id[2 * BINARY_BUILD_ID_MAX + 1];
	dev_t			 dev;
	ino_t			 ino;
	struct debug_secs	 secs;
};

/* A name of the executable. @root: "", or what stands for "/" in its name. */
struct place {
	const char	*root;
	char		*exe;
	int		 dir_len;
};

/* A unit of the main file whose entries are in a .dwo file. */
struct skeleton {
	struct unit	*u;
	bool		 found;
};

/* A file that has been opened already, under whatever name. */
struct seen {
	dev_t	dev;
	ino_t	ino;
};

struct split_loader {
	struct debug_file	*df;
	struct debug_info	*di;
	struct skeleton		*skeletons;	/* by dwo_id */
	size_t			 nr, cap, found, nr_torn;
	char			*first_torn;
	void			*seen;		/* tree of struct seen */
};

struct debug_file {
	const struct binary	*b;
	void			(*progress)(void *ctx, const char *what, uint64_t done,
					    uint64_t total);
	void			*ctx;
	char			*target_root;	/* NULL: the target sees the files we see */
	const char		*roots[2];
	size_t			 nr_roots;
	struct place		 places[2];
	size_t			 nr_places;
	struct elf_file		*main;		/* NULL: no DWARF */
	struct elf_file		*named;		/* the user's, if it is not the main file */
	struct elf_file		**splits;
	size_t			 nr_splits, cap_splits;
	char			**notes;
	size_t			 nr_notes, cap_notes;
	int			 err;		/* -ENOMEM on the way */
};

static __attribute__((format(printf, 2, 3)))
void note(struct debug_file *df, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		df->err = -ENOMEM;
		return;
	}
	/* names in it may be hostile, and it goes to a terminal */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (array__room(&df->notes, &df->cap_notes, df->nr_notes, sizeof(*df->notes))) {
		free(text);
		df->err = -ENOMEM;
		return;
	}
	df->notes[df->nr_notes++] = text;
}

/* ---- sections ------------------------------------------------------------- */

/* True if @name, or its .zdebug kin, is listed with bytes in the file. */
static bool elf__lists(Elf *elf, const char *name)
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

static bool elf__lists_zdebug(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *s;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		s = elf_strptr(elf, strndx, shdr.sh_name);
		if (s && !strncmp(s, ".zdebug", 7))
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

/* True if there are units to read. A section that is listed must be readable. */
static bool file__load(struct elf_file *f, bool split)
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
		{ &s->ranges,		".debug_ranges",	false },
		{ &s->rnglists,		".debug_rnglists",	false },
	};

	s->split = split;
	for (size_t i = 0; i < sizeof(secs) / sizeof(*secs); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", secs[i].name, split ? ".dwo" : "");
		if (!elf__lists(f->elf, name))
			continue;
		if (!elf__section(f->elf, name, secs[i].sec))
			f->torn = true;
		if (secs[i].pool && !pool__cut(secs[i].sec))
			f->torn = true;
	}
	if (split && elf__lists(f->elf, ".debug_cu_index") &&
	    !elf__section(f->elf, ".debug_cu_index", &s->cu_index))
		f->torn = true;
	return s->info.n && s->abbrev.n;
}

/* ---- files ---------------------------------------------------------------- */

static void file__free(struct elf_file *f)
{
	if (!f)
		return;
	if (f->lines && f->lines != f->elf)
		elf_end(f->lines);
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
static int file__adopt(struct elf_file **out, int fd, const char *root, const char *name,
		       const char **why)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;
	struct stat st;
	GElf_Ehdr eh;

	*why = out_of_memory;
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
	*why = torn_file;
	f->torn = elf__cut(f->elf, (uint64_t)st.st_size);
	/* libdw does not take .zdebug sections that have been uncompressed already */
	f->lines = elf__lists_zdebug(f->elf) ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : f->elf;
	if (!f->lines || elf_cntl(f->elf, ELF_C_FDREAD) || elf_cntl(f->lines, ELF_C_FDREAD))
		goto fail;
	build_id__of(f->elf, f->build_id);
	close(fd);
	*out = f;
	*why = "";
	return 0;
fail:
	close(fd);
	file__free(f);
	return err;
}

/* -ENOENT: there is no such file. */
static int file__open(struct elf_file **out, const char *root, const char *name, const char **why)
{
	int fd = open_regular(root, name);

	if (fd >= 0)
		return file__adopt(out, fd, root, name, why);
	*why = fd == -ENOENT ? "there is no such file" :
	       fd == -EISDIR ? "it is a directory" :
	       fd == -ENOEXEC ? "it is no regular file" :
	       fd == -EACCES || fd == -EPERM ? "it may not be read: permission denied" :
	       "it cannot be opened";
	return fd;
}

/* The executable as the file with its DWARF. */
static int file__of_binary(struct elf_file **out, const struct binary *b)
{
	struct elf_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->root = "";
	f->path = strdup(b->path);
	f->elf = b->elf;
	f->borrowed = true;
	f->torn = elf__cut(b->elf, b->raw_size);
	f->lines = elf__lists_zdebug(b->elf) ? elf_begin(b->fd, ELF_C_READ_MMAP, NULL) : b->elf;
	memcpy(f->build_id, b->build_id, sizeof(f->build_id));
	if (!f->path || !f->lines) {
		file__free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

/* The first @n bytes of @a (-1: all), then @b and @c. NULL: out of memory. */
static char *join(const char *a, int n, const char *b, const char *c)
{
	char *text;

	return asprintf(&text, "%.*s%s%s", n, a, b, c) < 0 ? NULL : text;
}

/* Split DWARF and no other: what dwp makes. */
static bool file__is_package(const struct elf_file *f)
{
	return f && elf__lists(f->elf, ".debug_info.dwo") && !elf__lists(f->elf, ".debug_info");
}

/* The file's name under its root. */
static const char *file__name(const struct elf_file *f)
{
	return f->path + strlen(f->root);
}

/* ---- names ---------------------------------------------------------------- */

/* True if a target's "/" or mounts are not ours; @proc begins with "/proc/PID". */
static bool other_root(const char *proc, size_t proc_len)
{
	char path[64], link[16];
	struct stat theirs, ours;
	ssize_t n;

	snprintf(path, sizeof(path), "%.*s/ns/mnt", (int)proc_len, proc);
	if (stat(path, &theirs) || stat("/proc/self/ns/mnt", &ours))
		return false;
	if (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev)
		return true;
	snprintf(path, sizeof(path), "%.*s/root", (int)proc_len, proc);
	n = readlink(path, link, sizeof(link));
	return n > 0 && (n != 1 || link[0] != '/');
}

/* The length of "/proc/PID" if @path is "/proc/PID/exe", else 0. */
static size_t proc_exe(const char *path)
{
	size_t n = strlen("/proc/"), len = strlen(path);

	if (strncmp(path, "/proc/", n) || len < n + 5 || len > 40 || strcmp(path + len - 4, "/exe"))
		return 0;
	len -= 4;
	if (strncmp(path + n, "self/", 5) && strspn(path + n, "0123456789") != len - n)
		return 0;
	return len;
}

static int add_place(struct debug_file *df, const char *root, const char *exe)
{
	struct place *p = &df->places[df->nr_places];
	const char *slash = strrchr(exe, '/');

	if (asprintf(&p->exe, "%s%s", slash ? "" : "./", exe) < 0)
		return -ENOMEM;
	p->root = root;
	p->dir_len = (int)(strrchr(p->exe, '/') - p->exe);
	df->nr_places++;
	return 0;
}

/* Under which names the executable is known, and what "/" is in them. */
static int find_places(struct debug_file *df)
{
	const char *path = df->b->path;
	static const char deleted[] = " (deleted)";
	size_t proc_len = proc_exe(path);
	char link[PATH_MAX], *real, *end;
	int err = 0;
	ssize_t n;

	if (!proc_len) {
		df->roots[df->nr_roots++] = "";
		err = add_place(df, "", path);
		real = realpath(path, NULL);
		if (!err && real && strcmp(real, df->places[0].exe))
			err = add_place(df, "", real);
		free(real);
		return err;
	}
	if (asprintf(&df->target_root, "%.*s/root", (int)proc_len, path) < 0) {
		df->target_root = NULL;
		return -ENOMEM;
	}
	if (other_root(path, proc_len))
		df->roots[df->nr_roots++] = df->target_root;
	df->roots[df->nr_roots++] = "";
	n = readlink(path, link, sizeof(link));
	if (n <= 0 || n >= (ssize_t)sizeof(link) || link[0] != '/')
		return 0;
	link[n] = 0;
	/* the kernel's mark on a file that was replaced since the start */
	end = strrchr(link, '/');
	end = strlen(end) > strlen(deleted) ? link + n - strlen(deleted) : NULL;
	if (end && !strcmp(end, deleted))
		*end = 0;
	for (size_t i = 0; !err && i < df->nr_roots; i++)
		err = add_place(df, df->roots[i], link);
	return err;
}

/* ---- the main file -------------------------------------------------------- */

/* Load @f as the file with the DWARF, or say why it cannot be. */
static const char *file__judge(struct elf_file *f)
{
	if (!elf__lists(f->elf, ".debug_info"))
		return f->torn ? torn_file : "it has no DWARF";
	if (!file__load(f, false))
		return bad_dwarf;
	return NULL;
}

static bool same_build(const struct debug_file *df, const struct elf_file *f)
{
	return *df->b->build_id && !strcmp(f->build_id, df->b->build_id);
}

/* Either of them may have none. */
static bool builds_clash(const struct debug_file *df, const struct elf_file *f)
{
	return *df->b->build_id && *f->build_id && strcmp(f->build_id, df->b->build_id);
}

/* The file that the user named; it may be a package, or have symbols only. */
static int try_named(struct debug_file *df, const char *name, const char **why)
{
	struct elf_file *f = NULL;
	GElf_Ehdr eh;
	int err;

	err = file__open(&f, "", name, why);
	if (err)
		return err;
	err = -ENOEXEC;
	if (builds_clash(df, f)) {
		*why = another_build;
		goto fail;
	}
	if (file__is_package(f)) {
		df->named = f;
		return 0;
	}
	if (gelf_getehdr(f->elf, &eh) && eh.e_type == ET_REL) {
		*why = "it is an object file: name the debug file of the linked program";
		goto fail;
	}
	*why = file__judge(f);
	if (!*why) {
		df->main = f;
		*why = "";
		return 0;
	}
	if (f->torn || f->secs.info.n || !elf__lists(f->elf, ".symtab"))
		goto fail;
	note(df, "%s: %s: only its symbols are used", f->path, *why);
	df->named = f;
	*why = "";
	return 0;
fail:
	file__free(f);
	return err;
}

static int try_self(struct debug_file *df)
{
	struct elf_file *f;
	const char *why;
	int err = file__of_binary(&f, df->b);

	if (err)
		return err;
	why = file__judge(f);
	if (!why) {
		df->main = f;
		return 0;
	}
	if (f->torn || elf__lists(f->elf, ".debug_info"))
		note(df, "%s: %s", f->path, elf__lists(f->elf, ".debug_info") ? why :
		     "its section headers lie outside the file: the file is torn");
	file__free(f);
	return 0;
}

/* Use @f, or take the note why not. */
static void settle(struct debug_file *df, struct elf_file *f, const char *why)
{
	if (!why)
		why = file__judge(f);
	if (!why) {
		df->main = f;
		return;
	}
	note(df, "the debug file %s is not used: %s", f->path, why);
	file__free(f);
}

/* Open a debug file by a guess: if it is not there, nobody missed it. */
static struct elf_file *guess(struct debug_file *df, const char *root, const char *name)
{
	struct elf_file *f = NULL;
	const char *why;
	int err = file__open(&f, root, name, &why);

	if (err == -ENOMEM)
		df->err = err;
	else if (err && err != -ENOENT)
		note(df, "the debug file %s%s is not used: %s", root, name, why);
	return f;
}

static void try_build_id(struct debug_file *df)
{
	const char *id = df->b->build_id;
	char name[sizeof(DEBUG_DIR) + sizeof(df->b->build_id) + 32];

	if (strlen(id) < 3)
		return;
	snprintf(name, sizeof(name), DEBUG_DIR "/.build-id/%.2s/%s.debug", id, id + 2);
	for (size_t i = 0; i < df->nr_roots && !df->main; i++) {
		struct elf_file *f = guess(df, df->roots[i], name);

		if (f)
			settle(df, f, same_build(df, f) ? NULL : another_build);
	}
}

/* The whole file's checksum, as .gnu_debuglink has it. */
static bool file__crc(struct elf_file *f, uint32_t *out)
{
	size_t n;
	const char *p = elf_rawfile(f->elf, &n);

	if (!p)
		return false;
	*out = (uint32_t)crc32_z(0, (const uint8_t *)p, n);
	return true;
}

static void try_link_at(struct debug_file *df, const struct place *at, const char *before,
			const char *between, const char *link, uint32_t crc)
{
	struct elf_file *f;
	const char *why = NULL;
	uint32_t have;
	char *name;

	if (df->main)
		return;
	if (asprintf(&name, "%s%.*s%s/%s", before, at->dir_len, at->exe, between, link) < 0) {
		df->err = -ENOMEM;
		return;
	}
	f = guess(df, at->root, name);
	free(name);
	if (!f)
		return;
	if (builds_clash(df, f))
		why = another_build;
	else if (!file__crc(f, &have))
		why = torn_file;
	else if (have != crc)
		why = "its checksum is not the one in the program's .gnu_debuglink: "
		      "it is torn, or was changed";
	settle(df, f, why);
}

static void try_debuglink(struct debug_file *df)
{
	struct debug_sec sec;
	const char *link;
	size_t at;

	if (!elf__section(df->b->elf, ".gnu_debuglink", &sec))
		return;
	/* a name, NUL, up to three bytes to align, the checksum */
	link = (const char *)sec.p;
	at = (strnlen(link, sec.n) + 4) & ~(size_t)3;
	if (at > sec.n || sec.n - at < 4 || !*link || strchr(link, '/') ||
	    strlen(link) > NAME_MAX) {
		note(df, "%s: its .gnu_debuglink is nonsense", df->b->path);
		return;
	}
	for (size_t i = 0; i < df->nr_places && !df->main; i++) {
		const struct place *p = &df->places[i];
		uint32_t crc = (uint32_t)read_le(sec.p + at, 4);

		try_link_at(df, p, "", "", link, crc);
		try_link_at(df, p, "", "/.debug", link, crc);
		if (p->exe[0] == '/')
			try_link_at(df, p, DEBUG_DIR, "", link, crc);
	}
}

/* ---- debuginfod ----------------------------------------------------------- */

/* From the process that downloads: bytes so far, or rc <= 0 and then the file's name. */
struct news {
	int64_t	done, total;
	int	rc;
};

struct download {
	int	fd;
	int64_t	done;
};

static int on_download(debuginfod_client *client, long done, long total)
{
	struct download *dl = debuginfod_get_user_data(client);
	struct news news = { .done = done, .total = total > 0 ? total : 0, .rc = 1 };

	/* before a server has begun to send, the number counts something else */
	if (!debuginfod_get_url(client) || dl->done == done)
		return 0;
	dl->done = done;
	return write(dl->fd, &news, sizeof(news)) != sizeof(news);
}

static __attribute__((noreturn)) void download(int fd, const char *build_id)
{
	struct download dl = { .fd = fd };
	struct news news = { .rc = -ENOSYS };
	debuginfod_client *client;
	char *path = NULL;
	sigset_t none;

	/* not the program's handlers: whoever ends the program ends this, too */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	client = debuginfod_begin();
	if (client) {
		debuginfod_set_user_data(client, &dl);
		debuginfod_set_progressfn(client, on_download);
		news.rc = debuginfod_find_debuginfo(client, (const unsigned char *)build_id, 0,
						    &path);
	}
	if (news.rc > 0)
		news.rc = 0;
	if (write(fd, &news, sizeof(news)) == sizeof(news) && !news.rc && path &&
	    write(fd, path, strlen(path) + 1) < 0)
		_exit(1);
	_exit(0);
}

/* Follow a download to its end; at most @limit seconds without a byte. */
static int await_download(struct debug_file *df, int fd, int limit, char path[PATH_MAX])
{
	char buf[sizeof(struct news) + PATH_MAX];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec now;
	size_t have = 0;
	time_t end = 0;

	for (;;) {
		struct news news;
		ssize_t n;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!end)
			end = now.tv_sec + limit;
		if (now.tv_sec >= end)
			return -ETIMEDOUT;
		n = poll(&p, 1, 1000);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0)
			return -errno;
		if (!n)
			return -EINTR;	/* it was killed, as by Ctrl-C, or crashed */
		end = 0;
		have += (size_t)n;
		for (; have >= sizeof(news); have -= sizeof(news)) {
			memcpy(&news, buf, sizeof(news));
			if (news.rc < 0)
				return news.rc;
			if (!news.rc)
				break;
			if (df->progress)
				df->progress(df->ctx, "debug file from debuginfod",
					     (uint64_t)news.done, (uint64_t)news.total);
			memmove(buf, buf + sizeof(news), have - sizeof(news));
		}
		if (have > sizeof(news) && memchr(buf + sizeof(news), 0, have - sizeof(news))) {
			strcpy(path, buf + sizeof(news));
			return 0;
		}
		if (have == sizeof(buf))
			return -ENAMETOOLONG;
	}
}

/*
 * Ask the servers. In a process of its own, because the library cannot be
 * stopped while it connects: where a firewall drops packets, that takes it
 * minutes, and nobody waits that long for a profiler to begin.
 */
static int ask_debuginfod(struct debug_file *df, int limit, char path[PATH_MAX])
{
	int fds[2], err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(fds[1]);
		goto out;
	}
	if (!pid)
		download(fds[1], df->b->build_id);
	close(fds[1]);
	err = await_download(df, fds[0], limit, path);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
out:
	close(fds[0]);
	return err;
}

static void try_debuginfod(struct debug_file *df)
{
	const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR), *why;
	const char *timeout = getenv(DEBUGINFOD_TIMEOUT_ENV_VAR);
	int limit = timeout ? atoi(timeout) : 0, err;
	struct elf_file *f = NULL;
	char path[PATH_MAX];

	if (!urls || !*urls || !*df->b->build_id)
		return;
	if (limit <= 0)
		limit = DEBUGINFOD_STALL_S;
	err = ask_debuginfod(df, limit, path);
	if (err == -ENOENT)
		return;
	if (err == -ETIMEDOUT)
		note(df, "debuginfod sent nothing for %d s: unset DEBUGINFOD_URLS, or set "
		     "DEBUGINFOD_TIMEOUT to wait longer", limit);
	else if (err)
		note(df, "debuginfod failed: %s", strerror(-err));
	if (err)
		return;
	err = file__open(&f, "", path, &why);
	if (err == -ENOMEM)
		df->err = err;
	else if (err)
		note(df, "the debug file %s is not used: %s", path, why);
	else
		settle(df, f, same_build(df, f) ? NULL : another_build);
}

/* ---- split DWARF ---------------------------------------------------------- */

static int seen__cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int skeleton__cmp(const void *a, const void *b)
{
	const struct unit *x = ((const struct skeleton *)a)->u;
	const struct unit *y = ((const struct skeleton *)b)->u;

	if (x->dwo_id != y->dwo_id)
		return x->dwo_id < y->dwo_id ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The first of the skeletons with this id, NULL if there is none. */
static struct skeleton *skeleton__find(const struct split_loader *l, uint64_t dwo_id)
{
	size_t lo = 0, hi = l->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->skeletons[mid].u->dwo_id < dwo_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->nr && l->skeletons[lo].u->dwo_id == dwo_id ? &l->skeletons[lo] : NULL;
}

static int loader__skeletons(struct split_loader *l)
{
	for (size_t i = 0; i < l->di->nr_units; i++) {
		struct unit *u = l->di->units[i];

		if (u->secs != &l->df->main->secs || !u->dwo_id || !u->dwo_name || !*u->dwo_name)
			continue;
		if (array__room(&l->skeletons, &l->cap, l->nr, sizeof(*l->skeletons)))
			return -ENOMEM;
		l->skeletons[l->nr++] = (struct skeleton){ .u = u };
	}
	if (l->nr)
		qsort(l->skeletons, l->nr, sizeof(*l->skeletons), skeleton__cmp);
	return 0;
}

/* Give units their skeletons; how many got one. */
static size_t loader__pair(struct split_loader *l, const struct debug_info *units)
{
	size_t paired = 0;

	for (size_t i = 0; i < units->nr_units; i++) {
		struct unit *u = units->units[i];
		struct skeleton *s = u->dwo_id ? skeleton__find(l, u->dwo_id) : NULL;

		if (!s || s->found)
			continue;
		u->skeleton = s->u;
		paired++;
		/* the same object linked twice has two skeletons and one unit */
		for (; s < l->skeletons + l->nr && s->u->dwo_id == u->dwo_id; s++) {
			s->found = true;
			l->found++;
		}
	}
	return paired;
}

/*
 * Move what belongs to the program from @from to the loader's units. A unit
 * without a skeleton is of another build, and its layouts would be lies.
 */
static int loader__move(struct split_loader *l, struct debug_info *from)
{
	struct debug_info *to = l->di;

	for (size_t i = 0; i < from->nr_tables; i++) {
		if (array__room(&to->tables, &to->cap_tables, to->nr_tables, sizeof(*to->tables)))
			return -ENOMEM;
		to->tables[to->nr_tables++] = from->tables[i];
		from->tables[i] = NULL;
	}
	for (size_t i = 0; i < from->nr_units; i++) {
		struct unit *u = from->units[i];

		if (!u->skeleton && u->type != DW_UT_split_type)
			continue;
		if (array__room(&to->units, &to->cap_units, to->nr_units, sizeof(*to->units)))
			return -ENOMEM;
		to->units[to->nr_units++] = u;
		from->units[i] = NULL;
	}
	return 0;
}

/* Add the units of @f, which is kept or freed. *@why is set if none is the program's. */
static int loader__add(struct split_loader *l, struct elf_file *f, const char **why)
{
	struct debug_file *df = l->df;
	struct debug_info units = {};
	struct seen *seen, **known;
	bool torn = false;
	int err = -ENOMEM;

	/* many names of one file must not make many copies of its units */
	seen = malloc(sizeof(*seen));
	if (!seen)
		goto out;
	*seen = (struct seen){ f->dev, f->ino };
	known = tsearch(seen, &l->seen, seen__cmp);
	if (!known) {
		free(seen);
		goto out;
	}
	err = 0;
	if (*known != seen) {
		*why = read_already;
		free(seen);
		goto out;
	}
	*why = another_build;
	if (!elf__lists(f->elf, ".debug_info.dwo")) {
		*why = f->torn ? torn_file : "it has no split DWARF";
		goto out;
	}
	if (!file__load(f, true)) {
		*why = bad_dwarf;
		goto out;
	}
	err = debug_info__add(&units, &f->secs, &torn);
	if (err)
		goto out;
	torn |= f->torn;
	if (!loader__pair(l, &units)) {
		if (torn)
			*why = bad_dwarf;
		goto out;
	}
	*why = NULL;
	if (torn && !l->nr_torn++)
		l->first_torn = strdup(f->path);
	err = array__room(&df->splits, &df->cap_splits, df->nr_splits, sizeof(*df->splits));
	if (!err)
		err = loader__move(l, &units);
	if (err)
		goto out;
	df->splits[df->nr_splits++] = f;
	f = NULL;
out:
	debug_info__free(&units);
	file__free(f);
	return err;
}

/* Try @path as a package, and free it; a missing one is no news. */
static int loader__package(struct split_loader *l, const char *root, char *path)
{
	struct elf_file *f = NULL;
	const char *why = NULL;
	int err;

	if (!path)
		return -ENOMEM;
	err = file__open(&f, root, path, &why);
	if (!err)
		err = loader__add(l, f, &why);
	if (err != -ENOENT && err != -ENOMEM && why && why != read_already && l->found < l->nr)
		note(l->df, "the package %s%s is not used: %s", root, path, why);
	free(path);
	return err == -ENOMEM ? err : 0;
}

/* The package that the user named. */
static int loader__named(struct split_loader *l)
{
	struct debug_file *df = l->df;
	struct elf_file *f = df->named;
	const char *why = NULL;
	char *path;
	int err;

	if (!file__is_package(f))
		return 0;
	path = strdup(f->path);
	if (!path)
		return -ENOMEM;
	df->named = NULL;
	err = loader__add(l, f, &why);
	if (!err && why)
		note(df, "the package %s is not used: %s", path, why);
	free(path);
	return err;
}

static int loader__packages(struct split_loader *l)
{
	struct debug_file *df = l->df;
	const char *name = file__name(df->main), *root = df->main->root;
	int len = (int)strlen(name), err = loader__named(l);

	for (size_t i = 0; !err && i < df->nr_places; i++)
		err = loader__package(l, df->places[i].root,
				      join("", 0, df->places[i].exe, ".dwp"));
	if (err || df->main->borrowed)
		return err;
	err = loader__package(l, root, join("", 0, name, ".dwp"));
	if (!err && len > 6 && !strcmp(name + len - 6, ".debug"))
		err = loader__package(l, root, join(name, len - 6, ".dwp", ""));
	return err;
}

/*
 * Try one name of a skeleton's file; @path is freed. 1 if it was that. What is
 * wrong with the first file that exists is kept in *@why.
 */
static int loader__try(struct split_loader *l, const struct skeleton *s, const char *root,
		       char *path, const char **why)
{
	struct elf_file *f = NULL;
	const char *wrong = NULL;
	int err;

	if (!path)
		return -ENOMEM;
	err = file__open(&f, root, path, &wrong);
	free(path);
	if (!err)
		err = loader__add(l, f, &wrong);
	if (err == -ENOMEM)
		return err;
	if (err != -ENOENT && wrong && !*why)
		*why = wrong;
	return s->found;
}

/* Look for the file of one skeleton; *@why says what was wrong if it is still not found. */
static int loader__single(struct split_loader *l, const struct skeleton *s, const char **why)
{
	const struct debug_file *df = l->df;
	const char *name = s->u->dwo_name, *dir = s->u->comp_dir, *base = strrchr(name, '/');
	int err = 0;

	*why = NULL;
	base = base ? base + 1 : name;
	if (!dir)
		dir = "";
	if (strnlen(dir, PATH_MAX) == PATH_MAX || strnlen(name, PATH_MAX) == PATH_MAX) {
		*why = "its name is too long";
		return 0;
	}
	/* where it was built */
	for (size_t i = 0; !err && i < df->nr_roots; i++) {
		if (name[0] == '/')
			err = loader__try(l, s, df->roots[i], join("", 0, name, ""), why);
		else if (dir[0] == '/')
			err = loader__try(l, s, df->roots[i], join(dir, -1, "/", name), why);
	}
	/* beside the program */
	for (size_t i = 0; !err && i < df->nr_places; i++) {
		const struct place *p = &df->places[i];

		if (name[0] != '/')
			err = loader__try(l, s, p->root, join(p->exe, p->dir_len, "/", name), why);
		if (!err && base != name)
			err = loader__try(l, s, p->root, join(p->exe, p->dir_len, "/", base), why);
	}
	return err < 0 ? err : 0;
}

static int loader__singles(struct split_loader *l)
{
	const char *why = NULL, *first_why = NULL;
	struct skeleton *first = NULL;
	struct debug_file *df = l->df;
	const char *dir, *name;
	int err;

	for (size_t i = 0; i < l->nr; i++) {
		struct skeleton *s = &l->skeletons[i];

		if (df->progress && i % 64 == 0)
			df->progress(df->ctx, "split debug files", i, l->nr);
		if (s->found)
			continue;
		err = loader__single(l, s, &why);
		if (err)
			return err;
		/* a file that is wrong tells more than one that is missing */
		if (!s->found && (!first || (why && !first_why))) {
			first = s;
			first_why = why;
		}
	}
	if (l->found == l->nr)
		return 0;
	/* its unit may have been in a file that was read later */
	for (size_t i = 0; first->found; i++) {
		first = &l->skeletons[i];
		first_why = NULL;
	}
	name = first->u->dwo_name;
	dir = name[0] != '/' && first->u->comp_dir ? first->u->comp_dir : "";
	if (!first_why)
		first_why = "there is no such file: keep the .dwo files of the build, or put a "
			    "package (.dwp) beside the program";
	note(df, "%zu of %zu split units not found, among them %.512s%s%.512s: %s",
	     l->nr - l->found, l->nr, dir, *dir ? "/" : "", name, first_why);
	return 0;
}

static int load_splits(struct debug_file *df, struct debug_info *di, bool *torn)
{
	struct split_loader l = { .df = df, .di = di };
	int err;

	err = loader__skeletons(&l);
	if (!err && l.nr)
		err = loader__packages(&l);
	if (!err && l.nr)
		err = loader__singles(&l);
	if (l.nr_torn)
		note(df, "%zu of the files with split DWARF are torn, the first is %s", l.nr_torn,
		     l.first_torn ? l.first_torn : "not named");
	if (!err && !l.nr && file__is_package(df->named))
		note(df, "the package %s is not used: the DWARF of %s is not split",
		     df->named->path, df->main->path);
	if (l.nr_torn || l.found < l.nr)
		*torn = true;
	tdestroy(l.seen, free);
	free(l.first_torn);
	free(l.skeletons);
	return err;
}

/* ---- the whole ------------------------------------------------------------ */

int debug_file__open(struct debug_file **out, const struct binary *b,
		     const struct image_opts *opts, const char **why)
{
	static _Thread_local char text[PATH_MAX + 256];
	struct debug_file *df = calloc(1, sizeof(*df));
	int err = -ENOMEM;

	*out = NULL;
	*why = out_of_memory;
	if (!df)
		return err;
	df->b = b;
	df->progress = opts->progress;
	df->ctx = opts->ctx;
	err = find_places(df);
	if (err)
		goto fail;
	if (opts->debug_file) {
		err = try_named(df, opts->debug_file, why);
		if (err) {
			snprintf(text, sizeof(text), "its debug file %s cannot be used: %s",
				 opts->debug_file, *why);
			*why = text;
			goto fail;
		}
	}
	if (!df->main)
		err = try_self(df);
	if (!err && !df->main)
		try_build_id(df);
	if (!err && !df->main)
		try_debuglink(df);
	if (!err && !df->main && opts->debuginfod)
		try_debuginfod(df);
	if (!err)
		err = df->err;
	if (err) {
		*why = out_of_memory;
		goto fail;
	}
	*why = "";
	*out = df;
	return 0;
fail:
	debug_file__free(df);
	return err;
}

void debug_file__free(struct debug_file *df)
{
	if (!df)
		return;
	file__free(df->main);
	file__free(df->named);
	for (size_t i = 0; i < df->nr_splits; i++)
		file__free(df->splits[i]);
	for (size_t i = 0; i < df->nr_notes; i++)
		free(df->notes[i]);
	for (size_t i = 0; i < df->nr_places; i++)
		free(df->places[i].exe);
	free(df->splits);
	free(df->notes);
	free(df->target_root);
	free(df);
}

int debug_file__load(struct debug_file *df, struct debug_info *di, bool *torn)
{
	struct elf_file *f = df->main;
	int err;

	*torn = false;
	if (!f) {
		if (file__is_package(df->named))
			note(df, "the package %s is not used: the program has lost its own part "
			     "of the DWARF (strip)", df->named->path);
		return df->err;
	}
	err = debug_info__add(di, &f->secs, torn);
	if (err)
		return err;
	if (f->torn)
		*torn = true;
	if (*torn)
		note(df, "%s: its DWARF is torn: what follows the damage is missing", f->path);
	if (elf__lists(f->elf, ".gnu_debugaltlink") || elf__lists(f->elf, ".debug_sup"))
		note(df, "%s: part of its DWARF is in another file (dwz), which is not read: "
		     "names may be missing", f->path);
	err = load_splits(df, di, torn);
	debug_info__sort(di);
	return err ? err : df->err;
}

const char *debug_file__path(const struct debug_file *df)
{
	return df->main ? df->main->path : "";
}

Elf *debug_file__symbols(const struct debug_file *df)
{
	if (elf__lists(df->b->elf, ".symtab"))
		return df->b->elf;
	if (df->main && elf__lists(df->main->elf, ".symtab"))
		return df->main->elf;
	if (df->named && elf__lists(df->named->elf, ".symtab"))
		return df->named->elf;
	return df->b->elf;
}

Elf *debug_file__lines(const struct debug_file *df, const struct unit *u, const char **path)
{
	const struct elf_file *f = df->main;

	/* a split unit's sections lie in the file that they are of */
	if (u && u->secs->split)
		f = (const struct elf_file *)((const char *)u->secs -
					      offsetof(struct elf_file, secs));
	if (path)
		*path = f ? f->path : "";
	return f ? f->lines : NULL;
}

const char *const *debug_file__notes(const struct debug_file *df, size_t *nr)
{
	*nr = df->nr_notes;
	return (const char *const *)df->notes;
}
