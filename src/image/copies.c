// SPDX-License-Identifier: GPL-2.0
/* Two sorted lists of the functions that a scan has found. See copies.h. */
#include "image/copies.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bisect.h"

static int by_origin(const void *a, const void *b, void *ctx)
{
	const struct scan *sc = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (sc->instances[x].origin != sc->instances[y].origin)
		return sc->instances[x].origin < sc->instances[y].origin ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_pc(const void *a, const void *b)
{
	const struct copy_at *x = a, *y = b;

	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

static void list_pcs(struct copies *c)
{
	const struct scan *sc = c->sc;
	size_t nr = 0;

	for (size_t i = 0; i < sc->nr_fns; i++) {
		if (!sc->fns[i].has_pc)
			continue;
		c->by_pc[nr] = (struct copy_at){ sc->fns[i].low_pc, (uint32_t)nr, sc->fns[i].die };
		nr++;
	}
	for (size_t i = 0; i < sc->nr_instances; i++, nr++)
		c->by_pc[nr] = (struct copy_at){ sc->instances[i].low_pc, (uint32_t)nr,
						 sc->instances[i].die };
	c->nr_pcs = nr;
}

int copies__make(struct copies *c, const struct scan *sc)
{
	*c = (struct copies){ .sc = sc };
	c->by_origin = calloc(sc->nr_instances + 1, sizeof(*c->by_origin));
	c->by_pc = calloc(sc->nr_fns + sc->nr_instances + 1, sizeof(*c->by_pc));
	if (!c->by_origin || !c->by_pc) {
		copies__free(c);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sc->nr_instances; i++)
		c->by_origin[i] = (uint32_t)i;
	qsort_r(c->by_origin, sc->nr_instances, sizeof(*c->by_origin), by_origin, (void *)sc);
	list_pcs(c);
	qsort(c->by_pc, c->nr_pcs, sizeof(*c->by_pc), by_pc);
	return 0;
}

void copies__free(struct copies *c)
{
	free(c->by_origin);
	free(c->by_pc);
	*c = (struct copies){ .sc = NULL };
}

const uint32_t *copies__of(const struct copies *c, const uint8_t *die, size_t *nr)
{
	const struct scan_instance *all = c->sc->instances;
	size_t lo = BISECT(c->sc->nr_instances, k, all[c->by_origin[k]].origin < die), end;
	end = lo;
	while (end < c->sc->nr_instances && all[c->by_origin[end]].origin == die)
		end++;
	*nr = end - lo;
	return c->by_origin + lo;
}

const uint8_t *copies__at(const struct copies *c, uint64_t pc)
{
	size_t lo = BISECT(c->nr_pcs, k, c->by_pc[k].pc < pc);
	return lo < c->nr_pcs && c->by_pc[lo].pc == pc ? c->by_pc[lo].die : NULL;
}
