// SPDX-License-Identifier: GPL-2.0
/*
 * An ELF executable: segments, symbols, build-id, code bytes. See binary.h. It must not
 * know DWARF entries, Rust or runtimes.
 */
#include "image/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bisect.h"

/* Note segments are small and few; libelf keeps in memory all that it has read. */
#define NOTES_MAX	64
#define NOTE_BYTES_MAX	(64u << 10)

int elf__section(Elf *elf, const char *name, struct debug_sec *out)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	memset(out, 0, sizeof(*out));
	if (elf_getshdrstrndx(elf, &strndx))
		return -ENOENT;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		Elf_Data *data;
		const char *s;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		s = elf_strptr(elf, strndx, shdr.sh_name);
		if (!s || strcmp(s, name))
			continue;
		errno = 0;
		data = elf_getdata(scn, NULL);
		if (!data || !data->d_buf || !data->d_size)
			return errno == ENOMEM ? -ENOMEM : -ENOENT;
		out->p = data->d_buf;
		out->n = data->d_size;
		return 0;
	}
	return -ENOENT;
}

int elf__preload(Elf *elf)
{
	size_t strndx;
	GElf_Shdr sh;
	Elf_Scn *scn;

	errno = 0;
	scn = elf_nextscn(elf, NULL);
	if (!scn || !gelf_getshdr(scn, &sh) || elf_getshdrstrndx(elf, &strndx) ||
	    !elf_strptr(elf, strndx, 0))
		return errno == ENOMEM ? -ENOMEM : 0;
	return 0;
}

int elf__failure(void)
{
	return errno == ENOMEM ? -ENOMEM : -ENOEXEC;
}

/* Finds the build-id among the notes; false: there is none. */
static bool notes__build_id(Elf_Data *data, char out[2 * BINARY_BUILD_ID_MAX + 1])
{
	size_t off = 0, name_off, desc_off;
	GElf_Nhdr nh;

	while (off < data->d_size &&
	       (off = gelf_getnote(data, off, &nh, &name_off, &desc_off)) > 0) {
		const uint8_t *desc = (const uint8_t *)data->d_buf + desc_off;

		if (nh.n_type != NT_GNU_BUILD_ID || nh.n_namesz != 4 ||
		    memcmp((const char *)data->d_buf + name_off, "GNU", 4) ||
		    !nh.n_descsz || nh.n_descsz > BINARY_BUILD_ID_MAX)
			continue;
		for (size_t k = 0; k < nh.n_descsz; k++)
			snprintf(out + 2 * k, 3, "%02x", desc[k]);
		return true;
	}
	return false;
}

int elf__build_id(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1])
{
	size_t nr;

	out[0] = 0;
	if (elf_getphdrnum(elf, &nr))
		nr = 0;
	/* segments have it even if there are no section headers */
	for (size_t i = 0, notes = 0; i < nr && notes < NOTES_MAX; i++) {
		GElf_Phdr ph;
		Elf_Data *data;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE ||
		    ph.p_filesz > NOTE_BYTES_MAX)
			continue;
		notes++;
		errno = 0;
		data = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz,
					    ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (!data && elf__failure() == -ENOMEM)
			return -ENOMEM;
		if (data && notes__build_id(data, out))
			return 0;
	}
	return 0;
}

int elf__build_id_of_sections(Elf *elf, char out[2 * BINARY_BUILD_ID_MAX + 1])
{
	Elf_Scn *scn = NULL;
	size_t notes = 0;

	out[0] = 0;
	while ((scn = elf_nextscn(elf, scn)) && notes < NOTES_MAX) {
		Elf_Data *data;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_NOTE ||
		    sh.sh_size > NOTE_BYTES_MAX)
			continue;
		notes++;
		errno = 0;
		data = elf_getdata(scn, NULL);
		if (!data && elf__failure() == -ENOMEM)
			return -ENOMEM;
		if (data && data->d_buf && notes__build_id(data, out))
			return 0;
	}
	return 0;
}

static int binary__load_segments(struct binary *b, const char **why)
{
	uint64_t code = 0;
	size_t nr, cap = 0;

	*why = "its program headers cannot be read: the file is torn";
	if (elf_getphdrnum(b->elf, &nr))
		return elf__failure();
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(b->elf, (int)i, &ph))
			return elf__failure();
		if (ph.p_type == PT_GNU_EH_FRAME)
			b->eh_frame_hdr = ph.p_vaddr;
		if (ph.p_type != PT_LOAD || !ph.p_filesz)
			continue;
		if (ph.p_offset > b->size || ph.p_filesz > b->size - ph.p_offset) {
			*why = "a segment lies outside the file: the file is torn";
			return -ENOEXEC;
		}
		code += ph.p_flags & PF_X ? ph.p_filesz : 0;
		if (code > 2 * b->size) {	/* the file is read instead: see binary__code */
			*why = "its segments lie on one another: the file is damaged";
			return -ENOEXEC;
		}
		if (array__room(&b->segs, &cap, b->nr_segs, sizeof(*b->segs)))
			return -ENOMEM;
		b->segs[b->nr_segs++] = (struct segment){
			.vaddr = ph.p_vaddr, .file_off = ph.p_offset,
			.file_size = ph.p_filesz, .exec = ph.p_flags & PF_X };
	}
	return 0;
}

int binary__open(struct binary *b, const char *path, const char **why)
{
	GElf_Ehdr eh;
	struct stat st;
	int err;

	memset(b, 0, sizeof(*b));
	*why = "";
	/* does not block if the path is a pipe */
	b->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (b->fd < 0) {
		err = -errno;
		*why = "it cannot be opened";
		return err;
	}
	b->path = strdup(path);
	b->err = calloc(1, sizeof(*b->err));
	if (!b->path || !b->err) {
		err = -ENOMEM;
		goto fail;
	}
	err = -ENOEXEC;
	if (fstat(b->fd, &st)) {
		err = -errno;
		*why = "it cannot be read";
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		*why = S_ISDIR(st.st_mode) ? "it is a directory: name the executable in it" :
					     "it is no regular file";
		goto fail;
	}
	if (file__is_hollow(&st)) {
		*why = FILE_IS_HOLLOW;
		goto fail;
	}
	if (elf_version(EV_CURRENT) == EV_NONE) {
		*why = "libelf is too old";
		goto fail;
	}
	b->size = (uint64_t)st.st_size;
	b->mtime = st.st_mtim;
	errno = 0;
	b->elf = elf_begin(b->fd, ELF_C_READ, NULL);
	if (!b->elf || elf_kind(b->elf) != ELF_K_ELF || !gelf_getehdr(b->elf, &eh)) {
		err = elf__failure();
		*why = "it is no ELF executable: name a compiled program";
		goto fail;
	}
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64) {
		err = -ENOTSUP;
		*why = "it is built for another machine: only x86-64 is supported";
		goto fail;
	}
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN) {
		*why = "it is an object file or a core dump: name the linked program";
		goto fail;
	}
	b->pie = eh.e_type == ET_DYN;
	err = binary__load_segments(b, why);
	if (!err)
		err = elf__preload(b->elf);
	if (!err)
		err = elf__build_id(b->elf, b->build_id);
	if (err)
		goto fail;
	*why = "";
	return 0;
fail:
	if (err == -ENOMEM)
		*why = "out of memory";
	binary__close(b);
	return err;
}

int binary__check(const struct binary *b)
{
	struct stat st;

	if (fstat(b->fd, &st))
		return -errno;
	if ((uint64_t)st.st_size != b->size || st.st_mtim.tv_sec != b->mtime.tv_sec ||
	    st.st_mtim.tv_nsec != b->mtime.tv_nsec)
		return -EIO;
	return *b->err;
}

void binary__close(struct binary *b)
{
	if (b->elf)
		elf_end(b->elf);
	if (b->fd >= 0)
		close(b->fd);
	for (size_t i = 0; i < b->nr_segs; i++)
		bytes__free(&b->segs[i].bytes);
	free(b->segs);
	free(b->err);
	free(b->syms);
	free(b->path);
	memset(b, 0, sizeof(*b));
	b->fd = -1;
}

static int symbol__cmp(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->vaddr != y->vaddr)
		return x->vaddr < y->vaddr ? -1 : 1;
	return strcmp(x->name, y->name);
}

int elf__symbols(Elf *elf, unsigned int type,
		 int (*each)(void *ctx, const GElf_Sym *sym, const char *name), void *ctx)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		Elf_Data *data;
		size_t count;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		errno = 0;
		data = elf_getdata(scn, NULL);
		if ((!data || !elf_strptr(elf, shdr.sh_link, 0)) && elf__failure() == -ENOMEM)
			return -ENOMEM;
		count = data ? data->d_size / sizeof(GElf_Sym) : 0;
		for (size_t i = 0; i < count; i++) {
			const char *name;
			GElf_Sym sym;
			int err;

			if (!gelf_getsym(data, (int)i, &sym) ||
			    GELF_ST_TYPE(sym.st_info) != type || sym.st_shndx == SHN_UNDEF)
				continue;
			name = elf_strptr(elf, shdr.sh_link, sym.st_name);
			err = name && *name ? each(ctx, &sym, name) : 0;
			if (err)
				return err;
		}
		break;		/* a file has one at most */
	}
	return 0;
}

struct functions_found {
	struct symbol	*syms;
	size_t		 nr, cap;
};

static int add_function(void *ctx, const GElf_Sym *sym, const char *name)
{
	struct functions_found *f = ctx;

	if (!sym->st_value)
		return 0;
	if (array__room(&f->syms, &f->cap, f->nr, sizeof(*f->syms)))
		return -ENOMEM;
	f->syms[f->nr++] = (struct symbol){ sym->st_value, sym->st_size, name };
	return 0;
}

int binary__load_symbols(struct binary *b, Elf *from)
{
	struct functions_found f = { .nr = 0 };
	int err = elf__symbols(from, STT_FUNC, add_function, &f);

	if (err) {
		free(f.syms);
		return err;
	}
	if (f.nr)
		qsort(f.syms, f.nr, sizeof(*f.syms), symbol__cmp);
	free(b->syms);
	b->syms = f.syms;
	b->nr_syms = f.nr;
	return 0;
}

const struct symbol *binary__symbol_at(const struct binary *b, uint64_t vaddr)
{
	size_t lo = BISECT(b->nr_syms, k, b->syms[k].vaddr <= vaddr);
	if (!lo)
		return NULL;
	lo--;
	if (vaddr - b->syms[lo].vaddr >= b->syms[lo].size && vaddr != b->syms[lo].vaddr)
		return NULL;
	return &b->syms[lo];
}

static struct segment *binary__segment(const struct binary *b, uint64_t vaddr)
{
	for (size_t i = 0; i < b->nr_segs; i++)
		if (vaddr >= b->segs[i].vaddr && vaddr - b->segs[i].vaddr < b->segs[i].file_size)
			return &b->segs[i];
	return NULL;
}

static const uint8_t *segment__bytes(const struct binary *b, struct segment *s, uint64_t vaddr,
				     size_t *n)
{
	int err = s->bytes.p ? 0 : bytes__read(&s->bytes, b->fd, s->file_off, s->file_size);

	if (err) {
		*b->err = *b->err ? *b->err : err;
		return NULL;
	}
	*n = (size_t)(s->file_size - (vaddr - s->vaddr));
	return s->bytes.p + (vaddr - s->vaddr);
}

const uint8_t *binary__bytes(const struct binary *b, uint64_t vaddr, size_t *n)
{
	struct segment *s = binary__segment(b, vaddr);

	*n = 0;
	return s ? segment__bytes(b, s, vaddr, n) : NULL;
}

const uint8_t *binary__code(const struct binary *b, uint64_t vaddr, size_t *n)
{
	struct segment *s = binary__segment(b, vaddr);

	*n = 0;
	return s && s->exec ? segment__bytes(b, s, vaddr, n) : NULL;
}

bool binary__file_off(const struct binary *b, uint64_t vaddr, uint64_t *off)
{
	const struct segment *s = binary__segment(b, vaddr);

	if (!s)
		return false;
	*off = s->file_off + (vaddr - s->vaddr);
	return true;
}

int binary__words(const struct binary *b, int (*each)(void *ctx, uint64_t at, uint64_t to),
		  void *ctx)
{
	uint64_t left = b->size;
	Elf_Scn *scn = NULL;
	int ret = 0;

	while (!ret && (scn = elf_nextscn(b->elf, scn))) {
		GElf_Shdr shdr;
		Elf_Data *data;
		size_t count;

		/* overlapping sections could claim more memory than the machine has */
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA || shdr.sh_size > left)
			continue;
		left -= shdr.sh_size;
		errno = 0;
		data = elf_getdata(scn, NULL);
		if (!data && elf__failure() == -ENOMEM)
			*b->err = -ENOMEM;
		count = data ? data->d_size / sizeof(Elf64_Rela) : 0;
		for (size_t i = 0; i < count && !ret; i++) {
			GElf_Rela r;

			if (gelf_getrela(data, (int)i, &r) &&
			    GELF_R_TYPE(r.r_info) == R_X86_64_RELATIVE)
				ret = each(ctx, r.r_offset, (uint64_t)r.r_addend);
		}
	}
	return ret;
}

struct words {
	uint64_t	 to, *out;
	size_t		 nr, max;
};

static int add_word(void *ctx, uint64_t at, uint64_t to)
{
	struct words *w = ctx;

	if (to == w->to)
		w->out[w->nr++] = at;
	return w->nr == w->max;
}

size_t binary__words_of(const struct binary *b, uint64_t vaddr, uint64_t *out, size_t max)
{
	struct words w = { vaddr, out, 0, max };

	if (max)
		binary__words(b, add_word, &w);
	return w.nr;
}
