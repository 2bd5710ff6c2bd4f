// SPDX-License-Identifier: GPL-2.0
/*
 * Small files with compressed sections that would fill all memory: refused, by
 * name, before anything is unpacked; and those that are only well compressed.
 */
#include <elf.h>
#include <errno.h>
#include <sys/resource.h>
#include <zlib.h>

#include "image/debug_file.h"
#include "image_program.h"

#define MAX_SECTIONS	16
#define MB		(1u << 20)

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD	2
#endif

/* An executable without segments: only its sections matter. */
struct elf {
	uint8_t		*p;
	size_t		 n, cap;
	Elf64_Shdr	 sections[MAX_SECTIONS];
	unsigned int	 nr;
	char		 names[1024];
	size_t		 nr_names;
};

static void put(struct elf *e, const void *data, size_t n)
{
	while (e->n + n > e->cap) {
		e->cap = e->cap ? e->cap * 2 : 4096;
		e->p = realloc(e->p, e->cap);
		assert_non_null(e->p);
	}
	memcpy(e->p + e->n, data, n);
	e->n += n;
}

static void begin(struct elf *e)
{
	static const Elf64_Ehdr nothing;

	*e = (struct elf){ .nr = 1, .nr_names = 1 };
	put(e, &nothing, sizeof(nothing));
}

static void section(struct elf *e, const char *name, uint64_t flags, const void *data, size_t n)
{
	Elf64_Shdr *sh = &e->sections[e->nr++];

	assert_true(e->nr <= MAX_SECTIONS);
	*sh = (Elf64_Shdr){ .sh_name = (Elf64_Word)e->nr_names, .sh_type = SHT_PROGBITS,
			    .sh_flags = flags, .sh_offset = e->n, .sh_size = n,
			    .sh_addralign = 1 };
	strcpy(e->names + e->nr_names, name);
	e->nr_names += strlen(name) + 1;
	put(e, data, n);
}

static void end(struct elf *e, const char *path)
{
	Elf64_Ehdr *eh;

	section(e, ".shstrtab", 0, e->names, sizeof(e->names));
	memcpy(e->p + e->sections[e->nr - 1].sh_offset, e->names, sizeof(e->names));
	e->sections[e->nr - 1].sh_type = SHT_STRTAB;
	while (e->n % 8)
		put(e, "", 1);
	put(e, e->sections, e->nr * sizeof(*e->sections));
	eh = (Elf64_Ehdr *)e->p;
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = eh->e_version = EV_CURRENT;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_X86_64;
	eh->e_ehsize = sizeof(*eh);
	eh->e_shentsize = sizeof(Elf64_Shdr);
	eh->e_shnum = (Elf64_Half)e->nr;
	eh->e_shstrndx = (Elf64_Half)(e->nr - 1);
	eh->e_shoff = e->n - e->nr * sizeof(*e->sections);
	write_file(path, e->p, e->n);
	free(e->p);
}

/* ---- compressed sections of zeros ----------------------------------------- */

static size_t chdr(uint8_t *out, uint32_t type, uint64_t size)
{
	Elf64_Chdr ch = { .ch_type = type, .ch_size = size, .ch_addralign = 1 };

	memcpy(out, &ch, sizeof(ch));
	return sizeof(ch);
}

/* A frame of blocks that each stand for 64 kB of one byte, in four bytes. */
static void zstd_section(struct elf *e, const char *name, uint64_t size)
{
	const uint64_t block = 64u << 10, nr = size / block;
	static const uint8_t magic[] = { 0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x38 };
	uint8_t *data = malloc(64 + 4 * nr);
	size_t n;

	assert_non_null(data);
	n = chdr(data, ELFCOMPRESS_ZSTD, size);
	memcpy(data + n, magic, sizeof(magic));	/* the size in eight bytes, a window of 128 kB */
	n += sizeof(magic);
	memcpy(data + n, &size, 8);
	n += 8;
	for (uint64_t i = 0; i < nr; i++) {
		uint32_t head = (uint32_t)block << 3 | 1 << 1 | (i + 1 == nr);

		memcpy(data + n, &head, 3);
		data[n + 3] = 0;
		n += 4;
	}
	section(e, name, SHF_COMPRESSED, data, n);
	free(data);
}

static uint8_t *zlib_zeros(size_t size, size_t head, size_t *n)
{
	uLongf len = compressBound(size);
	uint8_t *zeros = calloc(1, size), *data = malloc(head + len);

	assert_true(zeros && data);
	assert_int_equal(compress2(data + head, &len, zeros, size, 9), Z_OK);
	*n = head + len;
	free(zeros);
	return data;
}

static void zlib_section(struct elf *e, const char *name, size_t size)
{
	size_t n;
	uint8_t *data = zlib_zeros(size, sizeof(Elf64_Chdr), &n);

	chdr(data, ELFCOMPRESS_ZLIB, size);
	section(e, name, SHF_COMPRESSED, data, n);
	free(data);
}

static void gnu_section(struct elf *e, const char *name, size_t size)
{
	size_t n;
	uint8_t *data = zlib_zeros(size, 12, &n);

	memcpy(data, "ZLIB", 4);
	for (int i = 0; i < 8; i++)
		data[4 + i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
	section(e, name, 0, data, n);
	free(data);
}

/* ---- what becomes of them ------------------------------------------------- */

static long peak_mb(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss >> 10;
}

/* The file's model is made, and a note says @part; "" if there is none. */
static void expect(const char *path, const char *part)
{
	const struct image_opts opts = { .cache_dir = "", .jobs = 1 };
	const char *const *notes;
	struct image *img;
	bool found = !*part;
	const char *why;
	size_t nr;

	assert_int_equal(image__open(path, &opts, &img, &why), 0);
	notes = image__notes(img, &nr);
	for (size_t i = 0; i < nr; i++) {
		found |= *part && strstr(notes[i], part);
		if (!*part && strstr(notes[i], "claims"))
			fail_msg("%s", notes[i]);
	}
	for (size_t i = 0; i < nr && !found; i++)
		print_error("note: %s\n", notes[i]);
	assert_true(found);
	image__free(img);
}

/* Of 262 kB, 4 GB. */
static void traps(void **state)
{
	long before = peak_mb();
	struct elf e;

	(void)state;
	begin(&e);
	zstd_section(&e, ".debug_info", 4096ull * MB);
	section(&e, ".debug_abbrev", 0, "\0", 2);
	end(&e, at("zstd"));
	expect(at("zstd"), "its section .debug_info claims");

	begin(&e);
	section(&e, ".debug_info", 0, "\0\0\0", 4);
	section(&e, ".debug_abbrev", 0, "\0", 2);
	zstd_section(&e, ".debug_str", 4096ull * MB);
	end(&e, at("zstd2"));
	expect(at("zstd2"), "its section .debug_str claims");

	begin(&e);
	zlib_section(&e, ".debug_info", 200 * MB);
	section(&e, ".debug_abbrev", 0, "\0", 2);
	end(&e, at("zlib"));
	expect(at("zlib"), "its section .debug_info claims");

	begin(&e);
	gnu_section(&e, ".zdebug_info", 200 * MB);
	section(&e, ".debug_abbrev", 0, "\0", 2);
	end(&e, at("gnu"));
	expect(at("gnu"), "its section .debug_info claims");
	/* zlib_zeros() itself takes 200 MB of zeros and a bound for what comes out. */
	assert_in_range(peak_mb() - before, 0, 700);
}

/* Each by itself is small enough. */
static void many_sections(void **state)
{
	static const char *const names[] = { ".debug_str", ".debug_line", ".debug_line_str",
					     ".debug_str_offsets", ".debug_addr", ".debug_loc",
					     ".debug_ranges" };
	struct elf e;

	(void)state;
	begin(&e);
	section(&e, ".debug_info", 0, "\0\0\0", 4);
	section(&e, ".debug_abbrev", 0, "\0", 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		zstd_section(&e, names[i], 60 * MB);
	end(&e, at("many"));
	expect(at("many"), "its section .debug_line claims");
}

/* What libelf itself can unpack, it does: 60 MB are within what any file may have. */
static void small_enough(void **state)
{
	struct elf e;

	(void)state;
	begin(&e);
	section(&e, ".debug_info", 0, "\0\0\0", 4);
	section(&e, ".debug_abbrev", 0, "\0", 2);
	zlib_section(&e, ".debug_str", 60 * MB);
	end(&e, at("small"));
	expect(at("small"), "");
}

/* Sections that lie on one another are not read as often as they are listed. */
static void overlapping(void **state)
{
	static const char *const names[] = { ".debug_info", ".debug_abbrev", ".debug_str",
					     ".debug_line", ".debug_addr", ".debug_loc",
					     ".debug_ranges", ".debug_loclists" };
	uint8_t *zeros = calloc(1, 64 * MB);
	long before = peak_mb();
	struct elf e;

	(void)state;
	assert_non_null(zeros);
	begin(&e);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		section(&e, names[i], 0, zeros, i ? 0 : 64 * MB);
	for (unsigned int i = 2; i < e.nr; i++) {
		e.sections[i].sh_offset = e.sections[1].sh_offset;
		e.sections[i].sh_size = e.sections[1].sh_size;
	}
	end(&e, at("overlap"));
	expect(at("overlap"), "");
	free(zeros);
	assert_in_range(peak_mb() - before, 0, 400);
}

/* A dozen .dwo files, each of which is small enough by itself. */
static void many_files(void **state)
{
	char source[128];
	long before = peak_mb();

	(void)state;
	if (!try_sh("command -v gcc && command -v objcopy"))
		skip();
	for (int i = 0; i < 12; i++) {
		snprintf(source, sizeof(source), "int f%d(void) { return %d; }\n%s", i, i,
			 i ? "" : "int main(void) { return 0; }\n");
		write_file(at("unit%d.c", i), source, strlen(source));
		sh("cd %s && gcc -g -gdwarf-4 -gsplit-dwarf -c unit%d.c", program_dir, i);
		/* a section that is not in it becomes a trap */
		struct elf e;

		begin(&e);
		zstd_section(&e, ".debug_line.dwo", 60 * MB);
		write_file(at("trap"), e.p + e.sections[1].sh_offset, e.sections[1].sh_size);
		free(e.p);
		sh("cd %s && objcopy --remove-section=.debug_line.dwo --add-section "
		   ".debug_line.dwo=trap --set-section-flags .debug_line.dwo=exclude unit%d.dwo",
		   program_dir, i);
		/* objcopy has no word for "compressed" */
		size_t n;
		uint8_t *data = read_file(at("unit%d.dwo", i), &n);
		Elf64_Ehdr *eh = (void *)data;
		Elf64_Shdr *sh = (void *)(data + eh->e_shoff);
		const char *names = (const char *)data + sh[eh->e_shstrndx].sh_offset;

		for (int k = 0; k < eh->e_shnum; k++)
			if (!strcmp(names + sh[k].sh_name, ".debug_line.dwo"))
				sh[k].sh_flags |= SHF_COMPRESSED;
		write_file(at("unit%d.dwo", i), data, n);
		free(data);
	}
	sh("cd %s && gcc unit*.o -o split", program_dir);
	expect(at("split"), "its section .debug_line claims");
	assert_in_range(peak_mb() - before, 0, 300);
}

/* Of some kilobytes on disk, 8 GB: holes are a way of packing, too. */
static void hollow(void **state)
{
	const struct image_opts opts = { .cache_dir = "" };
	struct image_opts with_debug = { .cache_dir = "" };
	struct image *img;
	const char *why;
	struct elf e;

	(void)state;
	begin(&e);
	section(&e, ".debug_info", 0, "\0\0\0", 4);
	end(&e, at("solid"));
	sh("cp %s %s", at("solid"), at("hollow"));
	with_debug.debug_file = at("hollow");
	assert_int_equal(image__open(at("solid"), &opts, &img, &why), 0);
	image__free(img);
	assert_int_equal(truncate(at("hollow"), 60 << 20), 0);
	assert_int_equal(image__open(at("hollow"), &opts, &img, &why), 0);
	image__free(img);
	assert_int_equal(truncate(at("hollow"), 8ll << 30), 0);
	assert_int_equal(image__open(at("hollow"), &opts, &img, &why), -ENOEXEC);
	assert_non_null(strstr(why, "sparse"));
	assert_int_equal(image__open(at("solid"), &with_debug, &img, &why), -ENOEXEC);
	assert_non_null(strstr(why, "sparse"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_files),
		cmocka_unit_test(many_sections),
		cmocka_unit_test(small_enough),
		cmocka_unit_test(overlapping),
		cmocka_unit_test(hollow),
		cmocka_unit_test(traps),
	};

	return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
