/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk in the kernel against the one from outside: both are compiled
 * from one source, but read memory and tables in ways of their own, and the kernel's
 * also by recipes, which remember a walk. Random tables and random memory, hostile
 * ones too; tokens, keys, hash and what is blind must be the same.
 *
 *	walks [TABLES [SEED]]
 *
 * Exit status 2: this kernel does not let us.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "inspect/walk.h"
#include "tests/unit/random_walks.h"
#include "tests/walks/walks.h"
#include "walks.skel.h"

#define MAX_ENTRIES	8192	/* of each table */
#define MEMORY		(1u << 20)	/* bytes */
#define WALKS		60	/* of one table */
#define BIAS		0x10000ull

struct counts {
	uint64_t	walks, followed, whole, gaps, keys;
};

/*
 * Memory with nothing before and behind it, as far as a walk may step over its end. What
 * is mapped there may not be resident: the kernel's side cannot read it then, this can.
 */
static uint64_t *make_memory(void)
{
	char *p = mmap(NULL, 3 * MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + MEMORY, MEMORY, PROT_READ | PROT_WRITE))
		return NULL;
	return (uint64_t *)(p + MEMORY);
}

static int fill(struct bpf_map *map, const void *entries, size_t nr, size_t size)
{
	int fd = bpf_map__fd(map), err = 0;

	if (nr > MAX_ENTRIES)
		return -E2BIG;
	for (uint32_t i = 0; i < nr && !err; i++)
		err = bpf_map_update_elem(fd, &i, (const char *)entries + i * size, BPF_ANY);
	return err;
}

static int fill_tables(struct walks_bpf *skel, const struct image *img,
		       const struct walk_cell *cell)
{
	const struct image_vtable *vtables;
	const void *t;
	size_t nr;
	int err;

	t = image__walk_types(img, &nr);
	err = fill(skel->maps.walk_types, t, nr, sizeof(struct walk_type));
	t = image__walk_variants(img, &nr);
	err = err ? err : fill(skel->maps.walk_variants, t, nr, sizeof(struct walk_variant));
	t = image__walk_arcs(img, &nr);
	err = err ? err : fill(skel->maps.walk_arcs, t, nr, sizeof(struct walk_arc));
	t = image__walk_leaves(img, &nr);
	err = err ? err : fill(skel->maps.walk_leaves, t, nr, sizeof(struct walk_leaf));
	err = err ? err : fill(skel->maps.walk_cells, cell, 1, sizeof(*cell));
	vtables = image__vtables(img, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.walk_vtables), &vtables[i].vaddr,
					  &vtables[i].type, BPF_ANY);
	return err;
}

/* Recipes are of the tables of before. */
static int forget_recipes(struct walks_bpf *skel)
{
	size_t size = bpf_map__value_size(skel->maps.recipes);
	char *none = calloc(1, size);
	int err = none ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < RECIPE_WAYS && !err; i++)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.recipes), &i, none, BPF_ANY);
	free(none);
	return err;
}

static int walk_in_kernel(struct walks_bpf *skel, uint64_t task, struct walk_told *out)
{
	__u64 args[2] = { task, 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	uint32_t zero = 0;
	int err;

	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.walk_one), &opts);
	if (err)
		return err;
	if (opts.retval != 1)
		return -EAGAIN;
	return bpf_map_lookup_elem(bpf_map__fd(skel->maps.told), &zero, out);
}

/* What is different, or NULL. */
static const char *compare(const struct walk_told *k, const struct walk_chain *u)
{
	if (k->id != (uint32_t)u->hash)
		return "hash";
	if (k->chain.nr_keys != u->nr_keys)
		return "number of keys";
	if (!walk_keys__same(&k->chain.keys, &u->keys, u->nr_keys))
		return "keys";
	if (k->followed)
		return NULL;
	if (k->chain.nr_tokens != u->nr_tokens)
		return "number of tokens";
	if (memcmp(k->chain.tokens, u->tokens, u->nr_tokens * sizeof(u->tokens[0])))
		return "tokens";
	return k->chain.blind != u->blind ? "blind" : NULL;
}

static void show(const char *who, const struct walk_chain *c)
{
	printf("  %s: hash %llx, %u tokens:", who, (unsigned long long)c->hash, c->nr_tokens);
	for (uint32_t i = 0; i < c->nr_tokens && i < 16; i++)
		printf(" %x", c->tokens[i]);
	printf("; %u keys:", c->nr_keys);
	for (uint32_t i = 0; i < c->nr_keys; i++)
		printf(" %llx", (unsigned long long)c->keys.value[i]);
	printf("\n");
}

static void count(struct counts *n, const struct walk_told *k, const struct walk_chain *u)
{
	bool gap = false;

	for (uint32_t i = 0; i < u->nr_tokens; i++)
		gap |= WALK_IS_GAP(u->tokens[i]);
	n->walks++;
	n->followed += k->followed;
	n->gaps += gap;
	n->whole += !gap;
	n->keys += u->nr_keys;
}

/* One set of tables, many walks, between which some memory changes. 1: they differ. */
static int walk_table(struct walks_bpf *skel, uint64_t *seed, uint64_t *memory, struct counts *n)
{
	size_t words = MEMORY / sizeof(*memory);
	struct process self = { .pid = getpid() };
	struct image *img = random_image(seed);
	struct walk_cell cell = { .size = ROOM, .root_type = (uint32_t)below(seed, NR_TYPES),
				  .recipes = 1 };
	struct walker *walker = img ? walker__new(img, &self, BIAS) : NULL;
	struct walk_answer user;
	struct walk_told kernel;
	int err = walker ? 0 : -ENOMEM;
	/* Few tasks, so that recipes meet what they know; some end with the memory. */
	size_t few = 1 + below(seed, 4);

	cell.window = below(seed, 3) ? (uint32_t)(16 << below(seed, 8)) : 0;
	cell.future_off = 16 * (uint32_t)below(seed, 8);
	if (below(seed, 2)) {
		cell.stage_off = 16 * (uint32_t)below(seed, 4);
		cell.stage_width = 8;
		cell.stage_running = below(seed, 3);
	}
	if (!err)
		err = fill_tables(skel, img, &cell);
	if (!err)
		err = forget_recipes(skel);
	for (int i = 0; i < WALKS && !err; i++) {
		size_t at = 2 * (below(seed, 8) ? 500 * below(seed, few)
						: words / 2 - 1 - below(seed, 64));
		uint64_t task = (uintptr_t)&memory[at];
		const char *what;

		err = walk_in_kernel(skel, task, &kernel);
		if (err)
			break;
		walker__task(walker, &cell, task, &memory[at], below(seed, 2) ? 0 : 16, &user);
		what = compare(&kernel, &user.chain);
		if (what) {
			printf("FAIL %s differ%s\n", what, kernel.followed ? ", by a recipe" : "");
			show("in the kernel", &kernel.chain);
			show("from outside", &user.chain);
			err = 1;
		}
		count(n, &kernel, &user.chain);
		for (int k = 0; k < 3; k++)
			random_word(seed, memory, words,
				    2 * (below(seed, 2) ? below(seed, words / 2)
							: below(seed, few) * 250 + below(seed, 64)),
				    BIAS);
	}
	walker__free(walker);
	image__free(img);
	return err;
}

static struct walks_bpf *load(void)
{
	struct walks_bpf *skel = walks_bpf__open();

	if (!skel)
		return NULL;
	bpf_map__set_max_entries(skel->maps.walk_types, MAX_ENTRIES);
	bpf_map__set_max_entries(skel->maps.walk_variants, MAX_ENTRIES);
	bpf_map__set_max_entries(skel->maps.walk_arcs, MAX_ENTRIES);
	bpf_map__set_max_entries(skel->maps.walk_leaves, MAX_ENTRIES);
	bpf_map__set_max_entries(skel->maps.walk_vtables, MAX_ENTRIES);
	bpf_map__set_max_entries(skel->maps.recipes, RECIPE_WAYS);
	skel->bss->load_bias = BIAS;
	skel->bss->load_bias_known = true;
	if (walks_bpf__load(skel)) {
		walks_bpf__destroy(skel);
		return NULL;
	}
	return skel;
}

int main(int argc, char **argv)
{
	unsigned long tables = argc > 1 ? strtoul(argv[1], NULL, 0) : 2000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct walks_bpf *skel = load();
	uint64_t *memory = make_memory();
	struct counts n = { 0 };
	int err = 0;

	if (!skel || !memory) {
		printf("skipped: the BPF program was not accepted: %s\n", strerror(errno));
		return 2;
	}
	for (unsigned long i = 0; i < tables && !err; i++) {
		if (i % 100 == 0)
			random_memory(&seed, memory, MEMORY / sizeof(*memory), BIAS);
		err = walk_table(skel, &seed, memory, &n);
		if (err)
			printf("FAIL table %lu: %s\n", i, err < 0 ? strerror(-err) : "see above");
	}
	printf("%llu walks of %lu tables: %llu whole, %llu with gaps, %llu by recipes, %llu keys\n",
	       (unsigned long long)n.walks, tables, (unsigned long long)n.whole,
	       (unsigned long long)n.gaps, (unsigned long long)n.followed,
	       (unsigned long long)n.keys);
	/* A test that meets only one kind would compare little. */
	if (!err && tables >= 100 && (n.whole < n.walks / 50 || n.gaps < n.walks / 50 ||
				      n.followed < n.walks / 100 || n.keys < n.walks / 10)) {
		printf("FAIL: too few of one kind\n");
		err = 1;
	}
	walks_bpf__destroy(skel);
	printf("%d passed, %d failed, 0 skipped\n", !err, !!err);
	return err ? 1 : 0;
}
