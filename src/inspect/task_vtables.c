// SPDX-License-Identifier: GPL-2.0
/* Vtables of the target's tasks. See task_vtables.h. */
#include "inspect/task_vtables.h"

#include <stdlib.h>

#define MAX_VTABLES	65536		/* cached, whether they are tasks' or not */
#define NO_FN		UINT32_MAX	/* the vtable is not a task's */

struct task_vtables {
	const struct image	*img;
	const struct process	*target;
	const struct image_fn	*fns;
	size_t			 nr_fns;
	uint64_t		 bias;
	unsigned int		 runtime;
	const struct runtime_tasks *tasks;
	struct task_vtable		*table;		/* open addressing, by addr */
	size_t			 nr, slots;
};

struct task_vtables *task_vtables__new(const struct image *img, const struct process *t,
				       uint64_t bias, unsigned int runtime)
{
	const struct runtime_tasks *ts = runtimes[runtime]->tasks;
	const uint16_t needed[] = { ts->vtable_poll, ts->vtable_trailer, ts->vtable_scheduler };
	struct task_vtables *vs;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i] != RUNTIME_NO_LAYOUT &&
		    (!image__layout(img, runtime, needed[i])->ok ||
		     image__layout(img, runtime, needed[i])->nr_hops > 1))
			return NULL;
	vs = calloc(1, sizeof(*vs));
	if (!vs)
		return NULL;
	vs->img = img;
	vs->target = t;
	vs->bias = bias;
	vs->runtime = runtime;
	vs->tasks = ts;
	vs->fns = image__fns(img, &vs->nr_fns);
	return vs;
}

void task_vtables__free(struct task_vtables *vs)
{
	if (!vs)
		return;
	free(vs->table);
	free(vs);
}

static size_t slot_of(const struct task_vtable *table, size_t slots, uint64_t addr)
{
	size_t at = (size_t)((addr * 0x9e3779b97f4a7c15ull) >> 32) & (slots - 1);

	while (table[at].addr && table[at].addr != addr)
		at = (at + 1) & (slots - 1);
	return at;
}

static void remember(struct task_vtables *vs, const struct task_vtable *v)
{
	if (2 * vs->nr >= vs->slots) {
		size_t slots = vs->slots ? vs->slots * 2 : 256;
		struct task_vtable *grown = calloc(slots, sizeof(*grown));

		if (!grown)
			return;		/* not cached: it will be read again */
		for (size_t i = 0; i < vs->slots; i++)
			if (vs->table[i].addr)
				grown[slot_of(grown, slots, vs->table[i].addr)] = vs->table[i];
		free(vs->table);
		vs->table = grown;
		vs->slots = slots;
	}
	vs->table[slot_of(vs->table, vs->slots, v->addr)] = *v;
	vs->nr++;
}

/* The word is 0 if the runtime does not have it. */
static bool read_word(const struct task_vtables *vs, uint64_t addr, uint16_t which, uint64_t *out)
{
	const struct image_path *p = image__layout(vs->img, vs->runtime, which);

	*out = 0;
	if (which == RUNTIME_NO_LAYOUT)
		return true;
	if (p->nr_hops && process__read(vs->target, addr + p->off[0], &addr, sizeof(addr)))
		return false;
	addr += p->off[p->nr_hops];
	return !process__read(vs->target, addr, out, sizeof(*out));
}

/* Reads the vtable at @addr from the target; fn is NO_FN if it is not a task's. */
static void look_up(const struct task_vtables *vs, uint64_t addr, struct task_vtable *out)
{
	uint32_t fn = NO_FN;
	uint64_t poll;

	*out = (struct task_vtable){ .addr = addr, .fn = NO_FN };
	if (!read_word(vs, addr, vs->tasks->vtable_poll, &poll))
		return;
	poll -= vs->bias;
	for (size_t i = 0; i < vs->nr_fns && fn == NO_FN; i++)
		if (vs->fns[i].role == RUNTIME_FN_POLL &&
		    vs->fns[i].runtime == vs->runtime && vs->fns[i].vaddr == poll)
			fn = (uint32_t)i;
	if (read_word(vs, addr, vs->tasks->vtable_trailer, &out->trailer) &&
	    read_word(vs, addr, vs->tasks->vtable_scheduler, &out->scheduler))
		out->fn = fn;
}

bool task_vtables__find(struct task_vtables *vs, uint64_t addr, struct task_vtable *out)
{
	size_t at = vs->slots ? slot_of(vs->table, vs->slots, addr) : 0;

	if (!addr || addr % 8)
		return false;
	if (vs->slots && vs->table[at].addr) {
		*out = vs->table[at];
	} else {
		look_up(vs, addr, out);
		if (vs->nr < MAX_VTABLES)
			remember(vs, out);
	}
	return out->fn != NO_FN;
}
