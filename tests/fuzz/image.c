// SPDX-License-Identifier: GPL-2.0
/*
 * Executables and debug files through the image model: each ends in a model whose
 * tables lead nowhere wrong and that can be printed, or in an error that says
 * something.
 *
 * What a file is used as is in its byte 15, which no ELF file uses: the program
 * itself, a debug file of one without DWARF, or a package of split DWARF. The two
 * programs are named by $FUZZ_STRIPPED and $FUZZ_SKELETONS.
 */
#include <elf.h>
#include <errno.h>

#include "base/array.h"
#include "image/die.h"
#include "image/image.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/image_program.h"

enum used_as { PROGRAM, DEBUG_FILE, PACKAGE, NR_USES };

#define USE_BYTE	15	/* the last of e_ident */

static void check_model(const struct image *img)
{
	struct image_return returns[4];
	const struct image_fn *fns;
	char *text = image_text(img);
	size_t nr;

	must(strstr(text, "tier"));
	must_be_printable(text);
	free(text);
	assert_consistent(img);
	(void)image__first_vaddr(img);
	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr && i < 4; i++)
		must(image__return_sites(img, fns[i].vaddr + i, returns, 4) <= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_file file;
	struct image_opts opts = { .cache_dir = "", .jobs = 1 };
	const char *path = file.path, *why = NULL;
	struct image *img = NULL;
	int err;

	memory_file__set(&file, data, size);
	switch (size > USE_BYTE ? data[USE_BYTE] % NR_USES : PROGRAM) {
	case DEBUG_FILE:
		path = getenv("FUZZ_STRIPPED");
		break;
	case PACKAGE:
		path = getenv("FUZZ_SKELETONS");
		break;
	}
	if (!path)
		return 0;
	if (path != file.path)
		opts.debug_file = file.path;
	err = image__open(path, &opts, &img, &why);
	must(err <= 0 && err != -ENOMEM && why);
	must(!err == !!img && (!err || *why));
	if (img)
		check_model(img);
	image__free(img);
	return 0;
}

/* ---- mutations ---- */

#define AREAS_MAX	40

struct area {
	size_t	off, size;
};

/* Whether a section's name begins with @name; @names is the section of names. */
static bool is_called(const uint8_t *data, size_t size, const Elf64_Shdr *names,
		      const Elf64_Shdr *sh, const char *name)
{
	size_t len = strlen(name);

	return names->sh_offset <= size && sh->sh_name < size - names->sh_offset &&
	       len < size - names->sh_offset - sh->sh_name &&
	       !memcmp(data + names->sh_offset + sh->sh_name, name, len);
}

static bool is_inside(const Elf64_Shdr *sh, size_t size)
{
	return sh->sh_type != SHT_NOBITS && sh->sh_size && sh->sh_offset <= size &&
	       sh->sh_size <= size - sh->sh_offset;
}

/* Where the sections are that are read, and the headers; as often as they matter. */
static size_t find_areas(const uint8_t *data, size_t size, struct area *areas)
{
	static const char *const often[] = { ".debug_info", ".debug_info", ".debug_info",
					     ".debug_abbrev", ".debug_str" };
	const Elf64_Ehdr *eh = (const void *)data;
	const Elf64_Shdr *sh, *names;
	size_t nr = 0;

	if (size < sizeof(*eh))
		return 0;
	areas[nr++] = (struct area){ 0, sizeof(*eh) };
	if (eh->e_shoff > size || eh->e_shoff % 8 ||
	    eh->e_shnum > (size - eh->e_shoff) / sizeof(*sh) || eh->e_shstrndx >= eh->e_shnum)
		return nr;
	sh = (const void *)(data + eh->e_shoff);
	names = &sh[eh->e_shstrndx];
	areas[nr++] = (struct area){ eh->e_shoff, eh->e_shnum * sizeof(*sh) };
	for (unsigned int i = 0; i < eh->e_shnum; i++) {
		if (!is_inside(&sh[i], size))
			continue;
		for (size_t k = 0; k <= sizeof(often) / sizeof(*often) && nr < AREAS_MAX; k++)
			if (!k || is_called(data, size, names, &sh[i], often[k - 1]))
				areas[nr++] = (struct area){ sh[i].sh_offset, sh[i].sh_size };
	}
	return nr;
}

/* Some bytes of it in place, so that all else stays where it is. */
static void mutate_bytes(uint8_t *p, size_t n)
{
	uint8_t copy[64];

	if (n > sizeof(copy))
		n = sizeof(copy);
	memcpy(copy, p, n);
	memcpy(p, copy, LLVMFuzzerMutate(copy, n, n));
	memcpy(p, copy, n);
}

/* A piece from one place to another: a reference, a name, an entry. */
static void copy_piece(uint8_t *data, const struct area *a, uint64_t *seed)
{
	size_t n = 1ull << random_below(seed, 7), from, to;

	if (n > a->size)
		n = a->size;
	from = random_below(seed, a->size - n + 1);
	to = random_below(seed, a->size - n + 1);
	memmove(data + a->off + to, data + a->off + from, n);
}

/* ---- values of attributes ---- */

struct value {
	const uint8_t	*p;
	uint8_t		 size;
	uint16_t	 form;
	uint64_t	 entry;		/* offset in its unit, which a reference to itself has */
};

struct values {
	struct value	*list;
	size_t		 nr, cap;
};

static void add_values(struct values *v, const struct unit *u)
{
	const uint8_t *p = u->die;
	struct die d;

	while (p && p < u->end && v->nr < 100000) {
		if (!die__at(u, p, &d)) {
			p++;	/* null */
			continue;
		}
		p = d.attrs;
		for (uint32_t i = 0; p && i < d.ab->nr_attrs; i++) {
			const struct abbrev_attr *a = &u->abbrevs->attrs[d.ab->first_attr + i];
			const uint8_t *from = p;
			struct attr value;

			p = form__read(u, a->form, a->implicit, p, &value);
			if (!p || p == from || p - from > 8 || attr__is_block(&value))
				continue;
			must(!array__room(&v->list, &v->cap, v->nr, sizeof(*v->list)));
			v->list[v->nr++] = (struct value){ from, (uint8_t)(p - from), a->form,
							   (uint64_t)(d.p - u->start) };
		}
	}
}

static struct debug_sec section_called(const uint8_t *data, size_t size, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)data;
	const Elf64_Shdr *sh = (const void *)(data + eh->e_shoff), *names = &sh[eh->e_shstrndx];
	struct debug_sec none = { .p = NULL };

	for (unsigned int i = 0; i < eh->e_shnum; i++)
		if (is_inside(&sh[i], size) && !(sh[i].sh_flags & SHF_COMPRESSED) &&
		    is_called(data, size, names, &sh[i], name))
			return (struct debug_sec){ .p = data + sh[i].sh_offset,
						   .n = sh[i].sh_size };
	return none;
}

/* Another value for some attribute, so that what is wrong still parses. */
static void retell(const struct values *v, uint64_t *seed)
{
	const struct value *a = &v->list[random_below(seed, v->nr)], *b;
	uint8_t *p = (uint8_t *)(uintptr_t)a->p;
	uint64_t word = 0;

	if (a->form == DW_FORM_ref4 && !random_below(seed, 6)) {
		memcpy(p, &a->entry, a->size);
		return;
	}
	for (int i = 0; i < 200 && random_below(seed, 4); i++) {
		b = &v->list[random_below(seed, v->nr)];
		if (b->form != a->form || b->size != a->size)
			continue;
		memmove(p, b->p, a->size);
		return;
	}
	memcpy(&word, p, a->size);
	word += random_below(seed, 17) - 8;
	if (!random_below(seed, 3))
		word = 1ull << random_below(seed, 64);
	memcpy(p, &word, a->size);
}

static bool retell_values(uint8_t *data, size_t size, uint64_t *seed)
{
	struct debug_info di = { .nr_units = 0 };
	struct values v = { .nr = 0 };
	struct debug_secs secs = {
		.info = section_called(data, size, ".debug_info"),
		.abbrev = section_called(data, size, ".debug_abbrev"),
	};
	bool torn;

	if (secs.info.n && secs.abbrev.n) {
		must(!debug_info__add(&di, &secs, &torn));
		for (size_t i = 0; i < di.nr_units; i++)
			if (di.units[i]->abbrevs)
				add_values(&v, di.units[i]);
	}
	for (uint64_t n = 1 + random_below(seed, 8); v.nr && n; n--)
		retell(&v, seed);
	debug_info__free(&di);
	free(v.list);
	return v.nr;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int number)
{
	struct area areas[AREAS_MAX];
	uint64_t seed = number;
	size_t nr = find_areas(data, size, areas);

	if (nr < 3 || !random_below(&seed, 64))
		return LLVMFuzzerMutate(data, size, max_size);
	if (random_below(&seed, 3) == 0 && retell_values(data, size, &seed))
		return size;
	for (uint64_t n = 1 + random_below(&seed, 4); n; n--) {
		const struct area *a = &areas[random_below(&seed, nr)];
		size_t at;

		if (!a->size)
			continue;
		at = random_below(&seed, a->size);
		if (random_below(&seed, 3))
			mutate_bytes(data + a->off + at, a->size - at);
		else
			copy_piece(data, a, &seed);
	}
	if (!random_below(&seed, 256))
		data[USE_BYTE] = (uint8_t)random_below(&seed, NR_USES);
	return size;
}
