// SPDX-License-Identifier: GPL-2.0
/*
 * A number for the contents of all adapters. It is part of the key of a cached model,
 * so that a model made by an older adapter is not used.
 *
 * Every field that an adapter may have is included. The asserted sizes change when a
 * structure changes, which reminds whoever adds a field to include it here.
 */
#include "runtime/runtime.h"

#include <string.h>

struct digest {
	uint64_t	h;
};

static void add(struct digest *d, uint64_t v)
{
	d->h = (d->h ^ v) * 0x9e3779b97f4a7c15ull;
	d->h ^= d->h >> 32;
}

static void add_str(struct digest *d, const char *s)
{
	add(d, s ? 1 + strlen(s) : 0);
	for (; s && *s; s++)
		add(d, (unsigned char)*s);
}

_Static_assert(sizeof(struct runtime_fn) == 24, "runtime_fn: see add_fns()");

static void add_fns(struct digest *d, const struct runtime_fn *fns, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add(d, fns[i].role);
		add_str(d, fns[i].path);
		add(d, fns[i].arg);
		add(d, fns[i].inlined);
	}
}

_Static_assert(sizeof(struct runtime_root) == 24, "runtime_root: see add_roots()");

static void add_roots(struct digest *d, const struct runtime_root *roots, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add_str(d, roots[i].path);
		add(d, roots[i].shares);
		add(d, roots[i].holds);
		add_str(d, roots[i].param);
	}
}

_Static_assert(sizeof(struct runtime_leaf) == 64, "runtime_leaf: see add_leaves()");

static void add_leaves(struct digest *d, const struct runtime_leaf *leaves, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add_str(d, leaves[i].type);
		add(d, leaves[i].key);
		add(d, leaves[i].dir);
		add(d, leaves[i].add);
		add_str(d, leaves[i].io_path);
		add_str(d, leaves[i].key_path);
		add_str(d, leaves[i].dir_path);
		add(d, leaves[i].dir_read);
		add(d, leaves[i].dir_write);
		add(d, leaves[i].by_value);
		add(d, leaves[i].search_io);
		add_str(d, leaves[i].data);
		add(d, leaves[i].ended_by);
		add_str(d, leaves[i].queue_node);
		add(d, leaves[i].idle);
	}
}

_Static_assert(sizeof(struct runtime_handle) == 56, "runtime_handle: see add_handles()");

static void add_handles(struct digest *d, const struct runtime_handle *h, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add_str(d, h[i].type);
		add(d, h[i].side);
		add_str(d, h[i].object_path);
		add_str(d, h[i].amount_path);
		add_str(d, h[i].count_path);
		add(d, h[i].only);
		add_str(d, h[i].wakes_path);
	}
}

_Static_assert(sizeof(struct runtime_wrapper) == 24, "runtime_wrapper: see add_wrappers()");

static void add_wrappers(struct digest *d, const struct runtime_wrapper *w, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add_str(d, w[i].type);
		add_str(d, w[i].main);
		add_str(d, w[i].side);
	}
}

_Static_assert(sizeof(struct runtime_layout) == 24, "runtime_layout: see add_layouts()");

static void add_layouts(struct digest *d, const struct runtime_layout *l, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add_str(d, l[i].name);
		add_str(d, l[i].type);
		add_str(d, l[i].path);
	}
}

/*
 * Fields that are only used to read a process (status, tasks, reactor, pools,
 * semaphore, set, queues, gives_way) are not in a model, and so not here.
 */
_Static_assert(sizeof(struct runtime_messages) == 48, "runtime_messages: see add_messages()");

static void add_messages(struct digest *d, const struct runtime_messages *m)
{
	add(d, m != NULL);
	if (!m)
		return;
	add_str(d, m->first);
	add_str(d, m->number);
	add_str(d, m->block_number);
	add_str(d, m->block_next);
	add_str(d, m->block_ready);
	add_str(d, m->block_messages);
}

_Static_assert(sizeof(struct runtime) == 440, "runtime: see add_runtime()");

static void add_runtime(struct digest *d, const struct runtime *rt)
{
	add_str(d, rt->name);
	add_str(d, rt->crate);
	add_fns(d, rt->fns, rt->nr_fns);
	add_roots(d, rt->roots, rt->nr_roots);
	add_str(d, rt->cell_type);
	add_str(d, rt->future_param);
	add_str(d, rt->scheduler_param);
	add(d, rt->scheduler_nr);
	add_str(d, rt->stage_path);
	add_str(d, rt->stage_variant);
	add_str(d, rt->cell_parts);
	add_str(d, rt->cell_future);
	add_str(d, rt->blocking_scheduler);
	add_str(d, rt->blocking_future);
	add_str(d, rt->job_param);
	add_str(d, rt->worker_jobs);
	add_str(d, rt->worker_loop);
	add_str(d, rt->io_type);
	add_str(d, rt->io_key);
	add_str(d, rt->io_handle);
	add_str(d, rt->context_symbol);
	add_str(d, rt->poll_through);
	add(d, rt->usual_vtable_off);
	add(d, rt->usual_poll_off);
	add(d, rt->spawns_in_table);
	add_str(d, rt->not_covered);
	add_leaves(d, rt->leaves, rt->nr_leaves);
	add_handles(d, rt->handles, rt->nr_handles);
	add_messages(d, rt->messages);
	add_wrappers(d, rt->wrappers, rt->nr_wrappers);
	add_str(d, rt->hidden);
	add_str(d, rt->never);
	add_layouts(d, rt->layouts, rt->nr_layouts);
}

_Static_assert(sizeof(struct runtime_stream) == 104, "runtime_stream: see add_streams()");

static void add_streams(struct digest *d, const struct runtime_stream *s, size_t nr)
{
	add(d, nr);
	for (size_t i = 0; i < nr; i++) {
		add_str(d, s[i].handle);
		add_str(d, s[i].index);
		add_str(d, s[i].id);
		add_str(d, s[i].streams);
		for (size_t k = 0; k < RUNTIME_WINDOW_NR; k++)
			add_str(d, s[i].windows[k]);
	}
}

uint64_t runtimes__digest(const struct runtime *const *list)
{
	struct digest d = { 0xcbf29ce484222325ull };

	for (; *list; list++)
		add_runtime(&d, *list);
	add_leaves(&d, library_leaves, nr_library_leaves);
	add_handles(&d, library_handles, nr_library_handles);
	add_wrappers(&d, library_wrappers, nr_library_wrappers);
	add_streams(&d, library_streams, nr_library_streams);
	add_str(&d, library_adapters);
	for (const struct runtime_other *o = other_runtimes; o->name; o++) {
		add_str(&d, o->name);
		add_str(&d, o->path);
	}
	return d.h;
}
