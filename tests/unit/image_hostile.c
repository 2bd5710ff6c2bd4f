// SPDX-License-Identifier: GPL-2.0
/*
 * Executables that are damaged or hostile: real ones with bits changed, words
 * replaced, blocks moved and ends cut off, thousands of times and always in
 * the same places. Each must end in a model or in an error that says
 * something, soon and in little memory. Run under ASan and UBSan.
 *
 * image_hostile [ROUNDS [SEED]]	(ROUNDS: per cent of the usual number)
 *
 * When it dies, /dev/shm/dwell-victim-PID is the file that it died of.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/array.h"
#include "image/die.h"
#include "image_program.h"
#include "trace_random.h"

#define MAX_AREAS	64
#define MAX_SECONDS	10	/* for one file, sanitized and on a busy machine */
#define MAX_RSS_KB	(1500L << 10)

static uint64_t per_cent = 100, first_seed = 1;
static char place[PATH_MAX];		/* of the file that is tried; in memory, for its speed */

/* Parts of the file that damage is done to, each as often as the others. */
struct area {
	const char	*name;
	size_t		 off, size;
};

/* The value of an attribute of fixed size: where it is, and what it means. */
struct value {
	size_t		off;
	uint8_t		size;
	uint16_t	form;
	uint64_t	entry;		/* offset in its unit, which a reference to itself has */
};

struct victim {
	char		path[PATH_MAX];
	uint8_t		*good, *bad;
	size_t		 size;
	struct area	 areas[MAX_AREAS];
	size_t		 nr_areas;
	struct value	*values;
	size_t		 nr_values, cap_values;
	size_t		 first_own, first_type;	/* of the program itself; of its types: last */
	unsigned int	 nr_ok, nr_refused, nr_full;
	double		 slowest;
	uint64_t	 slowest_seed;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void add_area(struct victim *v, const char *name, size_t off, size_t size)
{
	if (!size || off >= v->size || size > v->size - off || v->nr_areas == MAX_AREAS)
		return;
	v->areas[v->nr_areas++] = (struct area){ name, off, size };
}

/* The headers, and the sections that anything is read from. */
static void find_areas(struct victim *v)
{
	static const char *const wanted[] = {
		".debug_", ".zdebug_", ".symtab", ".strtab", ".shstrtab", ".note", ".comment",
		".gnu_debuglink", ".text",
	};
	const Elf64_Ehdr *eh = (const void *)v->good;
	const Elf64_Shdr *sh = (const void *)(v->good + eh->e_shoff);
	const char *names = (const char *)v->good + sh[eh->e_shstrndx].sh_offset;

	add_area(v, "ELF header", 0, sizeof(*eh));
	add_area(v, "segments", eh->e_phoff, (size_t)eh->e_phnum * sizeof(Elf64_Phdr));
	for (unsigned int i = 0; i < eh->e_shnum; i++) {
		const char *name = names + sh[i].sh_name;

		for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++) {
			if (strncmp(name, wanted[k], strlen(wanted[k])) ||
			    sh[i].sh_type == SHT_NOBITS)
				continue;
			add_area(v, name, sh[i].sh_offset, sh[i].sh_size);
			add_area(v, "section header", eh->e_shoff + i * sizeof(*sh), sizeof(*sh));
			/* entries and abbreviations decide what all else means */
			if (!strcmp(name, ".debug_info") || !strcmp(name, ".debug_abbrev")) {
				add_area(v, name, sh[i].sh_offset, sh[i].sh_size);
				add_area(v, name, sh[i].sh_offset, sh[i].sh_size);
			}
		}
	}
}

static bool tells_type(unsigned int tag)
{
	switch (tag) {
	case DW_TAG_structure_type: case DW_TAG_member: case DW_TAG_variant_part:
	case DW_TAG_variant: case DW_TAG_pointer_type: case DW_TAG_template_type_parameter:
	case DW_TAG_base_type:
		return true;
	default:
		return false;
	}
}

static void add_values(struct victim *v, const struct unit *u, int types)
{
	const uint8_t *p = u->die;
	struct die d;

	while (p && p < u->end) {
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
			if (!p || p == from || p - from > 8 || value.form == DW_FORM_exprloc ||
			    (types >= 0 && types != tells_type(d.ab->tag)))
				continue;
			assert_int_equal(array__room(&v->values, &v->cap_values, v->nr_values,
						     sizeof(*v->values)), 0);
			v->values[v->nr_values++] = (struct value){
				(size_t)(from - v->good), (uint8_t)(p - from), a->form,
				(uint64_t)(d.p - u->start) };
		}
	}
}

/* Where attributes' values are, so that what is damaged still parses. */
static void find_values(struct victim *v)
{
	struct debug_secs secs = { .split = false };
	struct debug_info di = { .nr_units = 0 };
	bool torn;

	for (size_t i = 0; i < v->nr_areas; i++) {
		struct debug_sec sec = { .p = v->good + v->areas[i].off,
					 .n = v->areas[i].size };

		if (!strcmp(v->areas[i].name, ".debug_info"))
			secs.info = sec;
		else if (!strcmp(v->areas[i].name, ".debug_abbrev"))
			secs.abbrev = sec;
		else if (!strcmp(v->areas[i].name, ".debug_str"))
			secs.str = sec;
		else if (!strcmp(v->areas[i].name, ".debug_str_offsets"))
			secs.str_offsets = sec;
	}
	assert_int_equal(debug_info__add(&di, &secs, &torn), 0);
	assert_false(torn);
	for (int own = 0; own < 3; own++) {
		*(own == 2 ? &v->first_type : &v->first_own) = v->nr_values;
		for (size_t i = 0; i < di.nr_units; i++) {
			struct die root;
			const char *name = die__root(di.units[i], &root) ?
					   die__str(&root, DW_AT_name) : NULL;

			if (!own == !(name && strstr(name, "image_tokio")))
				add_values(v, di.units[i], own - 1);
		}
	}
	assert_true(v->nr_values > v->first_type && v->first_type > v->first_own);
	debug_info__free(&di);
}

static uint64_t telling_value(struct victim *v, uint64_t *seed)
{
	static const uint64_t values[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ull, ~0xfull,
	};
	const struct area *a = &v->areas[below(seed, v->nr_areas)];

	switch (below(seed, 6)) {
	case 0:
		return v->size;
	case 1:
		return a->off;
	case 2:
		return a->size - below(seed, 2);
	case 3:
		return any(seed);
	default:
		return values[below(seed, sizeof(values) / sizeof(*values))];
	}
}

/*
 * Another value for some attribute: a reference to another entry, or to its
 * own; another entry's name; a number that is an offset, a size, a state.
 */
static void retell(struct victim *v, uint64_t *seed)
{
	size_t from = below(seed, 4) ? v->first_type : below(seed, 8) ? v->first_own : 0;
	const struct value *a = &v->values[from + below(seed, v->nr_values - from)];
	uint64_t word;

	switch (a->form) {
	case DW_FORM_ref4: case DW_FORM_strp:
		if (a->form == DW_FORM_ref4 && !below(seed, 6)) {
			word = a->entry;
			break;
		}
		for (int i = 0; i < 1000; i++) {
			const struct value *b = &v->values[from + below(seed, v->nr_values - from)];

			if (b->form == a->form) {
				memmove(v->bad + a->off, v->bad + b->off, a->size);
				return;
			}
		}
		return;
	default:
		word = 0;
		memcpy(&word, v->bad + a->off, a->size);
		word = below(seed, 3) ? word + below(seed, 17) - 8 :
		       below(seed, 2) ? below(seed, 64) : telling_value(v, seed);
	}
	memcpy(v->bad + a->off, &word, a->size < sizeof(word) ? a->size : sizeof(word));
}

/* One more damage to v->bad; the size that the file then has. */
static size_t damage(struct victim *v, uint64_t *seed, size_t size)
{
	const struct area *a = &v->areas[below(seed, v->nr_areas)];
	/* beginnings are headers more often than not */
	size_t near = a->size < 64 ? a->size : 64;
	size_t in = below(seed, below(seed, 4) ? a->size : near);
	uint8_t *p = v->bad + a->off + in;
	size_t left = a->size - in, n;
	uint64_t word;

	switch (below(seed, 16)) {
	case 0: case 1: case 2: case 3:
		*p ^= (uint8_t)(1u << below(seed, 8));
		break;
	case 4: case 5: case 6:
		*p = (uint8_t)rnd(seed);
		break;
	case 7: case 8: case 9: case 10:
		word = telling_value(v, seed);
		n = 1ull << below(seed, 4);
		if (n > sizeof(word))
			n = sizeof(word);
		memcpy(p, &word, n < left ? n : left);
		break;
	case 11:
		n = below(seed, 64);
		memset(p, below(seed, 2) ? 0 : 0xff, n < left ? n : left);
		break;
	case 12: case 13:
		n = below(seed, 256);
		n = n < left ? n : left;
		memmove(p, v->bad + a->off + below(seed, a->size - n + 1), n);
		break;
	case 14:
		for (n = below(seed, 32); n && left; n--, left--)
			*p++ = (uint8_t)rnd(seed);
		break;
	case 15:
		/* the whole of it is rarely cut: without section headers little is read */
		if (!below(seed, 4))
			return below(seed, 2) ? below(seed, v->size) : a->off + in;
		break;
	}
	return size;
}

static void use(const struct image *img)
{
	const struct image_return *returns;
	const struct image_fn *fns;
	struct image_return r;
	char *text = image_text(img);
	size_t nr;

	assert_non_null(strstr(text, "tier"));
	free(text);
	assert_consistent(img);
	(void)image__first_vaddr(img);
	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr && i < 8; i++)
		(void)image__return_sites(img, fns[i].vaddr + i, &r, 1);
	returns = image__returns(img, &nr);
	for (size_t i = 0; i < nr && i < 8; i++)
		assert_int_equal(image__return_sites(img, returns[i].ret, &r, 1), 1);
	(void)image__layout(img, 0, 0);
}

static void try_file(struct victim *v, const char *path, uint64_t seed)
{
	const struct image_opts opts = { .cache_dir = "", .jobs = 1 };
	struct image *img = NULL;
	const char *why = NULL;
	double begin, took;
	int err;

	alarm(4 * MAX_SECONDS);
	begin = now();
	err = image__open(path, &opts, &img, &why);
	if (!err) {
		assert_non_null(img);
		v->nr_ok++;
		v->nr_full += image__tier(img) == IMAGE_TIER_FULL;
		use(img);
	} else {
		v->nr_refused++;
		assert_true(err < 0 && err >= -4095);
		assert_null(img);
		assert_non_null(why);
		assert_true(*why);
	}
	image__free(img);
	took = now() - begin;
	alarm(0);
	if (took > v->slowest) {
		v->slowest = took;
		v->slowest_seed = seed;
	}
	if (took > MAX_SECONDS)
		fail_msg("seed %llu of %s took %.1f s", (unsigned long long)seed, v->path, took);
}

static void prepare(struct victim *v, const char *path)
{
	memset(v, 0, sizeof(*v));
	snprintf(v->path, sizeof(v->path), "%s", path);
	v->good = read_file(path, &v->size);
	v->bad = malloc(v->size);
	assert_non_null(v->bad);
	find_areas(v);
}

/* @told: change values only, so that the damage reaches the explorer. */
static void torment(const char *path, unsigned int rounds, bool told)
{
	struct rusage usage;
	struct victim v;

	prepare(&v, path);
	if (told)
		find_values(&v);
	rounds = (unsigned int)(rounds * per_cent / 100);
	for (uint64_t round = 0; round < rounds; round++) {
		/* not rnd()'s own step: rounds would repeat one another, shifted */
		uint64_t seed = (first_seed + round) * 0xd1342543de82ef95ull;
		size_t size = v.size;

		memcpy(v.bad, v.good, v.size);
		for (uint64_t n = 1 + below(&seed, below(&seed, 3) ? 4 : 40); n; n--) {
			if (!told)
				size = damage(&v, &seed, size);
			else
				for (uint64_t k = 1 + below(&seed, 16); k; k--)
					retell(&v, &seed);
		}
		write_file(place, v.bad, size);
		try_file(&v, place, first_seed + round);
	}
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	print_message("%s: %u rounds, %u models (%u full), %u refused; slowest %.2f s (%llu); "
		      "%ld MB\n", strrchr(v.path, '/') + 1, rounds, v.nr_ok, v.nr_full,
		      v.nr_refused, v.slowest, (unsigned long long)v.slowest_seed,
		      usage.ru_maxrss >> 10);
	assert_true(usage.ru_maxrss < MAX_RSS_KB);
	free(v.values);
	free(v.good);
	free(v.bad);
}

/* The most that can be cut off and the least; every length of the headers. */
static void cut_everywhere(const char *path)
{
	struct victim v;

	prepare(&v, path);
	for (size_t n = 0; n < v.size; n += n < 200 ? 1 : v.size / 64 + 1) {
		write_file(place, v.good, n);
		try_file(&v, place, n);
		write_file(place, v.good, v.size - 1 - n);
		try_file(&v, place, v.size - 1 - n);
	}
	for (size_t i = 0; i < v.nr_areas; i++) {
		write_file(place, v.good, v.areas[i].off + 1);
		try_file(&v, place, v.areas[i].off + 1);
	}
	free(v.values);
	free(v.good);
	free(v.bad);
}

static void c_program(void **state)
{
	static const char source[] =
		"struct link { struct link *next; union { long a; char b[3]; } u; enum { X, Y } e; };\n"
		"static struct link ends[2] = { { &ends[1], { 1 }, X } };\n"
		"static inline int deep(struct link *l) { return l ? 1 + deep(l->next) : 0; }\n"
		"int main(int argc, char **argv) { { int inner = argc; (void)argv;"
		" return deep(ends) + inner != 3; } }\n";
	static const char *const flags[] = { "-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gz",
					     "-gdwarf-3 -no-pie", "-gdwarf-5 -gdwarf64" };

	(void)state;
	if (!try_sh("command -v gcc"))
		skip();
	write_file(at("prog.c"), source, strlen(source));
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!try_sh("gcc -O1 %s %s -o %s", flags[i], at("prog.c"), at("c%zu", i)))
			continue;
		torment(at("c%zu", i), 500, false);
	}
	cut_everywhere(at("c0"));
}

static void rust_program(void **state)
{
	(void)state;
	if (!build_tokio("-O", "rust"))
		skip();
	cut_everywhere(at("rust"));
	torment(at("rust"), 500, false);
	torment(at("rust"), 1500, true);
}

static void rust_dwarf_5(void **state)
{
	(void)state;
	if (!build_tokio("-O -C dwarf-version=5", "rust5"))
		skip();
	torment(at("rust5"), 250, false);
	torment(at("rust5"), 500, true);
}

static void workload(void **state)
{
	char path[PATH_MAX];

	(void)state;
	if (!find_workload("fat/timers", path))
		skip();
	torment(path, 16, false);
}

static int setup(void **state)
{
	int err = program_setup(state);

	if (access("/dev/shm", W_OK))
		snprintf(place, sizeof(place), "%s", at("victim"));
	else
		snprintf(place, sizeof(place), "/dev/shm/dwell-victim-%d", getpid());
	return err;
}

static int teardown(void **state)
{
	unlink(place);
	return program_teardown(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c_program),
		cmocka_unit_test(rust_program),
		cmocka_unit_test(rust_dwarf_5),
		cmocka_unit_test(workload),
	};

	if (argc > 1)
		per_cent = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, setup, teardown);
}
