// SPDX-License-Identifier: GPL-2.0
/*
 * Tells whether a debug file was made by the same build as a program. See
 * debug_proof.h.
 *
 * A debug file has the headers of the program's sections, though not their contents,
 * and its function symbols. A program keeps .eh_frame, even if it is stripped, and that
 * has the begin and size of each function. If thousands of functions are in the same
 * places, it is the same build.
 */
#include "image/debug_proof.h"

#include <errno.h>
#include <string.h>

#include "image/eh_frame.h"

/* One function in TOLERANCE may differ: tables of hand-written code are unusual. */
#define TOLERANCE	64

struct tally {
	const struct eh_frame	*frames;
	size_t			 same, different;
};

/* The next code section, with its name and address; false: there are no more. */
static bool next_code(Elf *elf, Elf_Scn **scn, GElf_Shdr *shdr, const char **name)
{
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx))
		return false;
	while ((*scn = elf_nextscn(elf, *scn))) {
		if (!gelf_getshdr(*scn, shdr) || !(shdr->sh_flags & SHF_EXECINSTR) ||
		    !(shdr->sh_flags & SHF_ALLOC))
			continue;
		*name = elf_strptr(elf, strndx, shdr->sh_name);
		return *name != NULL;
	}
	return false;
}

/* Do both files have the same code sections in the same order? True if the program has none. */
static bool same_layout(Elf *program, Elf *file)
{
	Elf_Scn *p = NULL, *f = NULL;
	const char *p_name, *f_name;
	GElf_Shdr ps, fs;
	bool first = true;

	for (;; first = false) {
		bool more = next_code(program, &p, &ps, &p_name);

		if (!more && first)
			return true;
		if (more != next_code(file, &f, &fs, &f_name))
			return false;
		if (!more)
			return true;
		if (strcmp(p_name, f_name) || ps.sh_addr != fs.sh_addr || ps.sh_size != fs.sh_size)
			return false;
	}
}

static int compare(void *ctx, const GElf_Sym *sym, const char *name)
{
	struct tally *t = ctx;
	const struct eh_range *r;

	(void)name;
	r = sym->st_size ? eh_frame__find(t->frames, sym->st_value) : NULL;
	if (!r)
		return 0;
	if (r->start == sym->st_value && r->end - r->start == sym->st_size)
		t->same++;
	else
		t->different++;
	return 0;
}

bool debug_proof__ids_clash(const struct binary *b, const struct elf_file *f)
{
	return *b->build_id && *f->build_id && strcmp(b->build_id, f->build_id);
}

int debug_proof__check(const struct binary *b, const struct elf_file *f, bool vouched,
		       const char **why)
{
	struct eh_frame frames;
	struct tally t = { .frames = &frames };

	*why = ELF_FILE_OTHER_BUILD;
	if (debug_proof__ids_clash(b, f))
		return -ENOEXEC;
	*why = ELF_FILE_OTHER_BUILD ": their sections of code are not the same";
	if (!same_layout(b->elf, f->elf))
		return -ENOEXEC;
	*why = ELF_FILE_OUT_OF_MEMORY;
	if (eh_frame__load(&frames, b))
		return -ENOMEM;
	elf__symbols(f->elf, STT_FUNC, compare, &t);
	eh_frame__free(&frames);
	*why = ELF_FILE_OTHER_BUILD ": their functions are not in the same places";
	if (t.different > t.same / TOLERANCE)
		return -ENOEXEC;
	*why = "it cannot be told whether it is of the program's build: one of them has no "
	       "build-id, and it has no symbols of functions";
	return !t.same && !vouched && !(*b->build_id && *f->build_id) ? -ENOEXEC : 0;
}
