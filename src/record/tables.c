// SPDX-License-Identifier: GPL-2.0
/* The model's tables in the form of the BPF programs. See tables.h. */
#include "record/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"

/* Table sizes are set before load; contents can be written only after it. */
static void size_table(struct bpf_map *map, size_t nr)
{
	bpf_map__set_max_entries(map, nr ? nr : 1);
}

void tables__size(struct dwell_bpf *skel, const struct image *img)
{
	size_t nr;

	image__cells(img, &nr);
	size_table(skel->maps.recipes, RECIPE_WAYS * (nr < MAX_RECIPES ? nr : MAX_RECIPES));
	image__fns(img, &nr);
	size_table(skel->maps.walk_cells, nr);
	size_table(skel->maps.poll_sites, nr);
	image__root_sites(img, &nr);
	size_table(skel->maps.root_places, nr);
	image__walk_types(img, &nr);
	size_table(skel->maps.walk_types, nr);
	image__walk_variants(img, &nr);
	size_table(skel->maps.walk_variants, nr);
	image__walk_arcs(img, &nr);
	size_table(skel->maps.walk_arcs, nr);
	image__walk_leaves(img, &nr);
	size_table(skel->maps.walk_leaves, nr);
	image__vtables(img, &nr);
	size_table(skel->maps.walk_vtables, nr);
}

static int fill_table(struct bpf_map *map, const void *entries, size_t nr, size_t size)
{
	size_t stride = (size + 7) & ~(size_t)7;	/* the kernel rounds elements up */
	size_t page = sysconf(_SC_PAGESIZE);
	size_t len = (nr * stride + page - 1) & ~(page - 1);
	size_t i;
	char *to;

	if (!nr)
		return 0;
	to = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (to == MAP_FAILED)
		return -errno;
	for (i = 0; i < nr; i++)
		memcpy(to + i * stride, (const char *)entries + i * size, size);
	munmap(to, len);
	return 0;
}

static int fill_places(struct dwell_bpf *skel, const struct image *img)
{
	const struct image_root_site *sites;
	struct root_place *places;
	size_t nr;
	int err;

	sites = image__root_sites(img, &nr);
	places = calloc(nr + 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		places[i] = (struct root_place){ .vaddr = sites[i].site.vaddr,
						 .fn = sites[i].fn, .off = sites[i].loc.off,
						 .reg = sites[i].loc.reg,
						 .deref = sites[i].loc.deref,
						 .shares = sites[i].shares };
	err = fill_table(skel->maps.root_places, places, nr, sizeof(*places));
	free(places);
	return err;
}

int tables__fill(struct dwell_bpf *skel, const struct image *img)
{
	const struct image_vtable *vtables;
	const struct walk_cell *cells;
	const struct image_fn *fns;
	struct walk_cell *by_fn;
	size_t i, nr, nr_cells;
	uint64_t *sites;
	const void *t;
	int err;

	fns = image__fns(img, &nr);
	cells = image__cells(img, &nr_cells);
	by_fn = calloc(nr + 1, sizeof(*by_fn));
	sites = calloc(nr + 1, sizeof(*sites));
	if (!by_fn || !sites) {
		free(by_fn);
		free(sites);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		sites[i] = fns[i].site.vaddr;
		by_fn[i].root_type = WALK_NONE;
		if (fns[i].cell < nr_cells)
			by_fn[i] = cells[fns[i].cell];
		if (fns[i].role != RUNTIME_FN_ROOT)
			by_fn[i].status = image__status(img, fns[i].runtime);
		if (fns[i].cell >= nr_cells)
			continue;
		/* tasks of one type share recipes, whichever function polls them */
		if (fns[i].cell < MAX_RECIPES)
			by_fn[i].recipes = (uint16_t)(fns[i].cell + 1);
	}
	err = fill_table(skel->maps.walk_cells, by_fn, nr, sizeof(*by_fn));
	if (!err)
		err = fill_table(skel->maps.poll_sites, sites, nr, sizeof(*sites));
	free(by_fn);
	free(sites);
	if (!err)
		err = fill_places(skel, img);
	if (err)
		return err;
	t = image__walk_types(img, &nr);
	if ((err = fill_table(skel->maps.walk_types, t, nr, sizeof(struct walk_type))))
		return err;
	t = image__walk_variants(img, &nr);
	if ((err = fill_table(skel->maps.walk_variants, t, nr, sizeof(struct walk_variant))))
		return err;
	t = image__walk_arcs(img, &nr);
	if ((err = fill_table(skel->maps.walk_arcs, t, nr, sizeof(struct walk_arc))))
		return err;
	t = image__walk_leaves(img, &nr);
	if ((err = fill_table(skel->maps.walk_leaves, t, nr, sizeof(struct walk_leaf))))
		return err;
	vtables = image__vtables(img, &nr);
	for (i = 0; i < nr; i++) {
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.walk_vtables), &vtables[i].vaddr,
					  &vtables[i].type, BPF_ANY);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Where the wakers in a reactor's object are. They are needed for futures whose
 * descriptor cannot be read from them: the task that is woken tells it. All four words
 * are close to each other.
 */
static bool io_wakers(struct dwell_bpf *skel, const struct image *img, unsigned int runtime)
{
	const struct runtime_reactor *r = runtimes[runtime]->reactor;
	volatile struct bpf_config *c =
		(volatile struct bpf_config *)&skel->rodata->config;
	const uint16_t words[] = { r->reader, r->writer, r->reader_vtable, r->writer_vtable };
	uint32_t base = UINT32_MAX, end = 0;
	const struct image_path *list = image__layout(img, runtime, r->waiters);
	const struct image_path *p[4];

	for (size_t i = 0; i < 4; i++) {
		p[i] = image__layout(img, runtime, words[i]);
		if (!p[i]->ok || p[i]->nr_hops)
			return false;
		base = p[i]->off[0] < base ? p[i]->off[0] : base;
		end = p[i]->off[0] + 8 > end ? p[i]->off[0] + 8 : end;
	}
	if (base % 8 || end - base > IO_BLOCK)
		return true;
	c->io_list = IO_BLOCK;
	if (list->ok && !list->nr_hops && list->off[0] % 8 == 0) {
		uint32_t first = list->off[0] < base ? list->off[0] : base;
		uint32_t last = list->off[0] + 8 > end ? list->off[0] + 8 : end;

		if (last - first <= IO_BLOCK) {
			base = first;
			end = last;
			c->io_list = list->off[0] - base;
		}
	}
	c->io_base = base;
	c->io_reader = p[0]->off[0] - base;
	c->io_writer = p[1]->off[0] - base;
	c->io_reader_vt = p[2]->off[0] - base;
	c->io_writer_vt = p[3]->off[0] - base;
	c->io_len = end - base;
	c->io_wakers = 1;
	return true;
}

static bool has_polls(const struct image *img, unsigned int runtime)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (fns[i].role == RUNTIME_FN_POLL && fns[i].runtime == runtime)
			return true;
	return false;
}

void tables__jobs(struct dwell_bpf *skel, const struct image *img)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct runtime *rt = runtimes[fns[i].runtime];
		const struct image_path *p;

		if (fns[i].role != RUNTIME_FN_JOB || !rt->tasks)
			continue;
		p = image__layout(img, fns[i].runtime, rt->tasks->header_vtable);
		skel->rodata->config.job_vtable = p->ok ? p->off[0] : rt->usual_vtable_off;
		p = image__layout(img, fns[i].runtime, rt->tasks->vtable_poll);
		skel->rodata->config.job_poll = p->ok ? p->off[0] : rt->usual_poll_off;
		return;
	}
}

bool tables__io_wakers(struct dwell_bpf *skel, const struct image *img)
{
	bool wanted = false;

	for (unsigned int i = 0; runtimes[i]; i++) {
		if (!runtimes[i]->reactor || !has_polls(img, i))
			continue;
		wanted = true;
		if (io_wakers(skel, img, i))
			return true;
	}
	return !wanted;
}
