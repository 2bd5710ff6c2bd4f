// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the runtime's functions in an executable. See functions.h. It must not know
 * what a future contains.
 */
#include "image/functions.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "image/boundary.h"
#include "image/cells.h"
#include "image/copies.h"
#include "image/inlined.h"
#include "image/job_names.h"
#include "image/merged.h"
#include "image/poll_symbol.h"
#include "image/poll_ends.h"
#include "image/roots.h"
#include "image/symbols_of.h"
#include "image/task_names.h"
#include "image/wanted.h"
#include "image/workers.h"

#define INLINED_TIMES	4	/* how often all entries may be searched for inlined copies */

/* What a poll function is for. It has the same index as the model's function. */
struct poll {
	uint32_t	fn;
	uint32_t	root;		/* type of the future; WALK_NONE: not known */
	uint64_t	cell;		/* key of its task's type; 0: not known */
	char		*name, *scheduler;
	image_str	begin;		/* of a blocking job: as image_type.begin */
};

struct functions {
	struct model		*m;
	const struct binary	*b;
	const struct types	*ts;
	struct rust_names	*names;
	struct futures		*futures;
	struct site_finder	*sites;
	struct boundaries	*boundaries;
	unsigned int		 nr_unproven;	/* number of functions found where none begins */
	struct cells		 cells;		/* of the runtime that is being searched for */
	struct poll		*polls;
	size_t			 nr_polls, cap_polls;
	struct hash_table	 seen;		/* entries that have been added */
	struct copies		 copies;	/* if there is debug information */
	uint64_t		 debug_bytes;	/* of all units */
	uint64_t		 inlined_bytes;	/* that may still be searched for inlined copies */
	unsigned int		 nr_stripped_polls;
	/* of the runtime whose symbols are being searched */
	struct workers		 workers;
	bool			 knows_workers;
};

struct functions *functions__new(struct model *m, const struct binary *b, const struct types *ts,
				 struct rust_names *names, struct futures *futures)
{
	struct functions *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	*fs = (struct functions){ .m = m, .b = b, .ts = ts, .names = names, .futures = futures };
	fs->sites = site_finder__new(b);
	fs->boundaries = boundaries__new(b);
	if (!fs->sites || !fs->boundaries || (futures && copies__make(&fs->copies, ts->sc))) {
		functions__free(fs);
		return NULL;
	}
	for (size_t i = 0; futures && i < ts->di->nr_units; i++)
		fs->debug_bytes += (uint64_t)(ts->di->units[i]->end - ts->di->units[i]->start);
	fs->inlined_bytes = INLINED_TIMES * fs->debug_bytes;
	return fs;
}

void functions__free(struct functions *fs)
{
	if (!fs)
		return;
	for (size_t i = 0; i < fs->nr_polls; i++) {
		free(fs->polls[i].name);
		free(fs->polls[i].scheduler);
	}
	site_finder__free(fs->sites);
	boundaries__free(fs->boundaries);
	cells__free(&fs->cells);
	free(fs->polls);
	hash_table__clear(&fs->seen);
	copies__free(&fs->copies);
	free(fs);
}

/* ---- functions ---- */

static uint8_t runtime_index(const struct runtime *rt)
{
	uint8_t r = 0;

	while (runtimes[r] != rt)
		r++;
	return r;
}

/*
 * Is @name, of @len bytes, the last component of the path that ends at @end? "{impl}"
 * matches any component in braces.
 */
static bool ends_with(const char *path, const char *end, const char *name, size_t len,
		      size_t *taken)
{
	size_t word = strcspn(name, "#");

	*taken = len;
	if (len <= (size_t)(end - path) && !strncmp(end - len, name, len))
		return true;
	/* "{impl}" matches it */
	*taken = word + 1;
	return name[0] == '{' && word < len && *taken <= (size_t)(end - path) && end[-1] == '}' &&
	       !strncmp(end - *taken, name, word);
}

bool functions__is(const struct scan_fn *fn, const char *path)
{
	const char *end = path + strlen(path), *name = fn->name, *type = fn->type;
	const struct scope *s = fn->scope;
	size_t len = strcspn(name, "<"), taken;

	for (;;) {
		if (!ends_with(path, end, name, len, &taken))
			return false;
		end -= taken;
		if (end == path)
			return !s && !type;
		if ((!s && !type) || end - path < 3 || end[-1] != ':' || end[-2] != ':')
			return false;
		end -= 2;
		if (type) {
			/* RawTask::poll is not raw::poll */
			name = type;
			len = strcspn(name, "<");
			type = NULL;
			continue;
		}
		name = s->name;
		len = strlen(name);
		s = s->parent;
	}
}

/* Has @vaddr been seen before? 0, the address of the file's header, counts as seen. */
static bool functions__seen(struct functions *fs, uint64_t vaddr)
{
	struct hash_slot *seen = vaddr ? hash_table__at(&fs->seen, vaddr) : NULL;

	if (!vaddr)
		return true;
	if (!seen)
		fs->m->err = -ENOMEM;
	else if (seen->value)
		return true;
	else
		seen->value = 1;
	return false;
}

/* Adds a function at @vaddr, probed at @site. Returns its index, or WALK_NONE. */
static uint32_t add_site(struct functions *fs, const struct runtime *rt,
			 const struct runtime_fn *rf, uint64_t vaddr, struct image_site site)
{
	uint32_t at = model__add(fs->m, MODEL_FNS, 1);
	struct image_fn *fn;

	if (at == WALK_NONE)
		return WALK_NONE;
	fn = model__at(fs->m, MODEL_FNS, at);
	fn->vaddr = vaddr;
	fn->role = (uint8_t)rf->role;
	fn->runtime = runtime_index(rt);
	fn->cell = WALK_NONE;
	fn->site = site;
	return at;
}

/* Adds a function at @vaddr. Returns its index; WALK_NONE: it cannot be probed. */
static uint32_t add_fn(struct functions *fs, const struct runtime *rt, const struct runtime_fn *rf,
		       uint64_t vaddr)
{
	const struct symbol *sym = binary__symbol_at(fs->b, vaddr);
	struct image_site site;

	if (!boundaries__is_entry(fs->boundaries, vaddr)) {
		fs->nr_unproven++;
		return WALK_NONE;
	}
	if (site_finder__entry(fs->sites, vaddr, sym && sym->vaddr == vaddr ? sym->size : 0,
			       rf->arg, rf->role == RUNTIME_FN_WAKE, &site))
		return WALK_NONE;
	return add_site(fs, rt, rf, vaddr, site);
}

static struct poll *add_poll(struct functions *fs, uint32_t fn)
{
	struct poll *p;

	if (array__room(&fs->polls, &fs->cap_polls, fs->nr_polls, sizeof(*fs->polls))) {
		fs->m->err = -ENOMEM;
		return NULL;
	}
	p = &fs->polls[fs->nr_polls++];
	*p = (struct poll){ .fn = fn, .root = WALK_NONE };
	return p;
}

static void functions__add_cell(struct functions *fs, const struct runtime *rt, struct poll *p,
				const struct die *future, const struct die *scheduler)
{
	const struct cell *c = cells__get(&fs->cells, cells__key(fs->ts, future, scheduler));
	struct walk_cell cell = { 0 };
	struct die d;
	uint32_t at;

	if (!c || !die__at_addr(fs->ts->di, c->die, &d) ||
	    !cell__layout(fs->ts, rt, &d, &cell)) {
		model__note(fs->m, "task %s: layout of its %s not found: no await points", p->name,
			    wanted__last_word(rt->cell_type));
		return;
	}
	/* one read of adjacent memory is cheaper than several small ones */
	cell.window = cell.size < WALK_WINDOW ? cell.size : WALK_WINDOW;
	cell.root_type = p->root;
	at = model__add(fs->m, MODEL_CELLS, 1);
	if (at == WALK_NONE)
		return;
	*(struct walk_cell *)model__at(fs->m, MODEL_CELLS, at) = cell;
	((struct image_fn *)model__at(fs->m, MODEL_FNS, p->fn))->cell = at;
}

/* Is it the job of a runtime's own worker? Its poll lasts as long as the worker. */
static bool is_worker(const struct functions *fs, const struct runtime *rt,
		      const struct die *fn_die)
{
	struct die future, job;
	bool worker;
	char *name;

	if (!rt->worker_jobs || !type__param(fs->ts, fn_die, rt->future_param, &future) ||
	    !type__param(fs->ts, &future, rt->job_param, &job) ||
	    !name__is_closure(type__name(&job)))
		return false;
	name = rust_names__type(fs->names, &job);
	worker = name && name__is_below(name, rt->worker_jobs);
	free(name);
	return worker;
}

/* "a" of "<a::b as c>::d". */
static void keep_crate(char *name)
{
	size_t skip = strspn(name, "<&("), len = strcspn(name + skip, ":");

	memmove(name, name + skip, len);
	name[len] = '\0';
}

static bool is_job(const struct functions *fs, const struct runtime *rt, const struct die *future,
		   const struct die *scheduler)
{
	return (rt->blocking_scheduler && type__is(fs->ts, scheduler, rt->blocking_scheduler)) ||
	       (rt->blocking_future && type__is(fs->ts, future, rt->blocking_future));
}

/* A blocking job goes by what it runs. */
static void name_job(struct functions *fs, const struct runtime *rt, struct poll *p,
		     const struct die *fn_die, const struct die *future)
{
	struct job_names n = { .ts = fs->ts, .names = fs->names, .sites = fs->sites,
			       .copies = &fs->copies, .rt = rt };
	const struct image_fn *fn = model__at(fs->m, MODEL_FNS, p->fn);
	char *name = job_names__of(&n, fn->vaddr, fn_die, future), *block;
	struct die closure;

	if (!name)
		return;
	free(p->name);
	p->name = name;
	/* the runtime's own are one of a kind: tokio::net::addr::to_socket_addrs */
	if (name__is_below_any(name, rt->crate) || !job_names__closure(&n, future, &closure))
		return;
	block = futures__closure(fs->futures, &closure);
	p->begin = model__str(fs->m, block);
	free(block);
}

/* Names a poll function's future and scheduler, from its generic parameters. */
static void describe_poll(struct functions *fs, const struct runtime *rt, uint32_t at,
			  const struct die *fn_die)
{
	struct die future, scheduler;
	struct image_fn *fn;
	struct poll *p;

	p = add_poll(fs, at);
	if (!p || !type__param(fs->ts, fn_die, rt->future_param, &future) ||
	    !type__param(fs->ts, fn_die, rt->scheduler_param, &scheduler))
		return;
	p->cell = cells__key(fs->ts, &future, &scheduler);
	p->name = rust_names__type(fs->names, &future);
	/* each of its tasks is scheduled alike */
	p->scheduler = strcmp(rt->scheduler_param, rt->future_param) ?
			       rust_names__type(fs->names, &scheduler) : strdup(rt->name);
	if (!p->name || !p->scheduler) {
		fs->m->err = -ENOMEM;
		return;
	}
	/* if a closure schedules, it is named by its crate */
	if (name__is_closure(type__name(&scheduler)))
		keep_crate(p->scheduler);
	fn = model__at(fs->m, MODEL_FNS, at);
	fn->blocking = is_job(fs, rt, &future, &scheduler);
	if (fn->blocking) {
		/* polled once, never Pending */
		name_job(fs, rt, p, fn_die, &future);
		return;
	}
	p->root = futures__add(fs->futures, &future);
	functions__add_cell(fs, rt, p, &future, &scheduler);
}

/* "multi_thread" of Arc<tokio::runtime::scheduler::multi_thread::handle::Handle>. */
static char *scheduler_name(const char *type)
{
	static const char word[] = "scheduler::";
	const char *at = type ? strstr(type, word) : NULL;

	if (at)
		return strndup(at + sizeof(word) - 1, strcspn(at + sizeof(word) - 1, ":>,"));
	return type ? name__shorten(type, true) : NULL;
}

/* Names the scheduler that a copy of a function other than a poll function belongs to. */
static void name_scheduler(struct functions *fs, const struct runtime *rt, uint32_t at,
			   const struct die *fn_die)
{
	image_str scheduler;
	struct die type;
	char *text, *name;

	if (!rt->scheduler_param || !type__param(fs->ts, fn_die, rt->scheduler_param, &type))
		return;
	name = rust_names__type(fs->names, &type);
	text = scheduler_name(name);
	if (!text)
		fs->m->err = -ENOMEM;
	scheduler = model__str(fs->m, text);
	((struct image_fn *)model__at(fs->m, MODEL_FNS, at))->scheduler = scheduler;
	free(text);
	free(name);
}

/*
 * A root has no header: it consists of its future, and is identified by the future's
 * address.
 */
uint32_t functions__add_root(struct functions *fs, const struct runtime *rt, uint64_t vaddr,
			     const struct die *future)
{
	static const struct runtime_fn of = { .role = RUNTIME_FN_ROOT };
	uint32_t at = add_site(fs, rt, &of, vaddr, (struct image_site){ .vaddr = 0 }), cell;
	struct poll *p = at != WALK_NONE ? add_poll(fs, at) : NULL;
	uint64_t size = type__size(future);
	struct walk_cell *c;

	cell = p ? model__add(fs->m, MODEL_CELLS, 1) : WALK_NONE;
	if (cell == WALK_NONE)
		return WALK_NONE;
	p->name = rust_names__type(fs->names, future);
	p->scheduler = strdup("block_on");
	if (!p->name || !p->scheduler) {
		fs->m->err = -ENOMEM;
		return WALK_NONE;
	}
	p->root = futures__add(fs->futures, future);
	c = model__at(fs->m, MODEL_CELLS, cell);
	c->size = (uint32_t)size;
	c->window = c->size < WALK_WINDOW ? c->size : WALK_WINDOW;
	c->root_type = p->root;
	((struct image_fn *)model__at(fs->m, MODEL_FNS, at))->cell = cell;
	return at;
}

/* Marks the task type of the poll function at @fn_die: it has code of its own. */
static void mark_polled(struct functions *fs, const struct runtime *rt, const struct die *fn_die)
{
	struct die future, scheduler;
	struct cell *c;

	if (!type__param(fs->ts, fn_die, rt->future_param, &future) ||
	    !type__param(fs->ts, fn_die, rt->scheduler_param, &scheduler))
		return;
	c = cells__get(&fs->cells, cells__key(fs->ts, &future, &scheduler));
	if (c)
		c->polled = true;
}

static void add_from_dwarf(struct functions *fs, const struct runtime *rt,
			   const struct runtime_fn *rf, uint64_t vaddr, const uint8_t *die)
{
	struct die d;
	uint32_t at;

	if (!vaddr || functions__seen(fs, vaddr) || !die__at_addr(fs->ts->di, die, &d))
		return;
	if (rf->role == RUNTIME_FN_POLL)
		mark_polled(fs, rt, &d);
	if (rf->role == RUNTIME_FN_POLL && is_worker(fs, rt, &d))
		return;
	at = add_fn(fs, rt, rf, vaddr);
	if (at != WALK_NONE && rf->role == RUNTIME_FN_POLL)
		describe_poll(fs, rt, at, &d);
	else if (at != WALK_NONE && !rt->spawns_in_table)
		name_scheduler(fs, rt, at, &d);
}

/* Copies that are inlined into other functions. */
struct inlined_in {
	struct functions	*fs;
	const struct runtime	*rt;
	const struct runtime_fn	*rf;
	const struct die	*fn;
};

static void found_inlined(void *ctx, const struct inlined_copy *copy)
{
	const struct inlined_in *in = ctx;
	struct image_site site;
	uint32_t at;

	if (functions__seen(in->fs, copy->start))
		return;
	if (!boundaries__is_insn(in->fs->boundaries, copy->start)) {
		in->fs->nr_unproven++;
		return;
	}
	if (site_finder__inlined(in->fs->sites, copy->start, copy->end, copy->reg, &site))
		return;
	at = add_site(in->fs, in->rt, in->rf, copy->start, site);
	if (at != WALK_NONE)
		name_scheduler(in->fs, in->rt, at, in->fn);
}

static void find_inlined(struct functions *fs, const struct runtime *rt,
			 const struct runtime_fn *rf, const uint8_t *die, bool elsewhere)
{
	struct inlined_in in = { fs, rt, rf, NULL };
	uint64_t size;
	struct die d;

	if (!die__at_addr(fs->ts->di, die, &d))
		return;
	in.fn = &d;
	size = elsewhere ? fs->debug_bytes : (uint64_t)(d.u->end - d.u->start);
	if (size > fs->inlined_bytes)
		return;
	fs->inlined_bytes -= size;
	(elsewhere ? inlined__find_elsewhere : inlined__find)(fs->ts->di, &d, rf->arg,
							      found_inlined, &in);
}

/*
 * For a role that no function was found for: link-time optimization may have moved its
 * inlined copies to other units.
 */
static void find_moved(struct functions *fs, const struct runtime *rt, const struct runtime_fn *rf)
{
	const struct scan *sc = fs->ts->sc;

	for (size_t i = 0; i < fs->m->tables[MODEL_FNS].nr; i++)
		if (((struct image_fn *)model__at(fs->m, MODEL_FNS, (uint32_t)i))->role == rf->role)
			return;
	for (size_t i = 0; i < sc->nr_fns; i++)
		if (functions__is(&sc->fns[i], rf->path))
			find_inlined(fs, rt, rf, sc->fns[i].die, true);
}

static void find_by_dwarf(struct functions *fs, const struct runtime *rt,
			  const struct runtime_fn *rf)
{
	const struct scan *sc = fs->ts->sc;

	for (size_t i = 0; i < sc->nr_fns; i++) {
		const struct scan_fn *fn = &sc->fns[i];
		const uint32_t *copies;
		size_t nr;

		if (!functions__is(fn, rf->path))
			continue;
		if (fn->has_pc)
			add_from_dwarf(fs, rt, rf, fn->low_pc, fn->die);
		copies = copies__of(&fs->copies, fn->die, &nr);
		for (size_t k = 0; k < nr; k++)
			add_from_dwarf(fs, rt, rf, sc->instances[copies[k]].low_pc, fn->die);
		if (rf->inlined)
			find_inlined(fs, rt, rf, fn->die, false);
	}
}

/* The same by its code, if symbol @sym is all that is known. */
static bool is_worker_code(struct functions *fs, const struct runtime *rt,
			   const struct symbol *sym)
{
	if (!rt->worker_loop)
		return false;
	if (!fs->knows_workers)
		workers__find(&fs->workers, fs->b, rt->worker_loop);
	fs->knows_workers = true;
	return workers__have(&fs->workers, fs->sites, sym->vaddr);
}

/* The wanted function, for callbacks. */
struct wanted_fn {
	struct functions	*fs;
	const struct runtime	*rt;
	const struct runtime_fn	*rf;
};

/*
 * Does the poll function at @sym poll a worker of the runtime? If not, *@told is what
 * it polls.
 */
static bool polls_worker(const struct wanted_fn *by, const struct symbol *sym,
			 const char *generics, struct poll_symbol *told)
{
	return generics ? !poll_symbol__describe(by->rt, generics, told)
			: is_worker_code(by->fs, by->rt, sym);
}

static void found_symbol(void *ctx, const struct symbol *sym, const char *generics)
{
	const struct wanted_fn *by = ctx;
	struct functions *fs = by->fs;
	bool poll = by->rf->role == RUNTIME_FN_POLL;
	struct poll_symbol told = { .name = NULL };
	struct poll *p = NULL;
	uint32_t at;

	if (functions__seen(fs, sym->vaddr))
		return;
	if (!poll || !polls_worker(by, sym, generics, &told)) {
		at = add_fn(fs, by->rt, by->rf, sym->vaddr);
		if (at != WALK_NONE && poll) {
			((struct image_fn *)model__at(fs->m, MODEL_FNS, at))->blocking =
				told.blocking;
			fs->nr_stripped_polls++;
			p = add_poll(fs, at);
		}
	}
	if (p) {
		p->name = told.name;
		p->scheduler = told.scheduler;
		return;
	}
	free(told.name);
	free(told.scheduler);
}

static void find_by_symbol(struct functions *fs, const struct runtime *rt,
			   const struct runtime_fn *rf)
{
	struct wanted_fn by = { fs, rt, rf };

	symbols__of(fs->b, rf->path, found_symbol, &by);
}

static bool own_worker(void *ctx, const struct die *cell)
{
	const struct wanted_fn *of = ctx;

	return is_worker(of->fs, of->rt, cell);
}

/*
 * Finds types of tasks that have no code of their own, since the compiler merged it
 * with equal code.
 */
static void find_merged(struct functions *fs, const struct runtime *rt, size_t first_poll)
{
	struct wanted_fn of = { fs, rt, NULL };
	struct merged m = { .m = fs->m, .b = fs->b, .ts = fs->ts, .names = fs->names,
			    .rt = rt, .cells = &fs->cells, .hidden = own_worker, .ctx = &of };

	if (!fs->futures || merged__find(&m))
		return;
	for (size_t i = first_poll; i < fs->nr_polls; i++) {
		struct image_fn *fn = model__at(fs->m, MODEL_FNS, fs->polls[i].fn);

		if (fs->polls[i].cell && merged__note(&m, fn->vaddr, fs->polls[i].cell,
						      fs->polls[i].name))
			fn->ambiguous = 1;
	}
	merged__free(&m);
}

static void find_roots(struct functions *fs, const struct runtime *rt)
{
	struct roots roots = { .m = fs->m, .b = fs->b, .ts = fs->ts, .names = fs->names,
			       .sites = fs->sites,
			       .boundaries = fs->boundaries, .copies = &fs->copies,
			       .functions = fs };

	for (size_t i = 0; i < rt->nr_roots; i++)
		roots__find(&roots, rt, &rt->roots[i]);
	roots__free(&roots);
}

int functions__find(struct functions *fs)
{
	size_t nr;

	for (unsigned int r = 0; runtimes[r]; r++) {
		const struct runtime *rt = runtimes[r];
		size_t first_poll = fs->nr_polls;

		fs->knows_workers = false;
		if (fs->futures && cells__find(&fs->cells, fs->ts, rt))
			return -ENOMEM;
		for (size_t i = 0; i < rt->nr_fns; i++) {
			if (fs->futures)
				find_by_dwarf(fs, rt, &rt->fns[i]);
			find_by_symbol(fs, rt, &rt->fns[i]);
		}
		for (size_t i = 0; i < rt->nr_fns && fs->futures && fs->nr_polls; i++)
			if (rt->fns[i].inlined)
				find_moved(fs, rt, &rt->fns[i]);
		find_merged(fs, rt, first_poll);
		if (fs->futures)
			find_roots(fs, rt);
	}
	if (fs->nr_unproven)
		model__note(fs->m, boundaries__any(fs->boundaries) ?
			    "%u of the runtime's functions are not probed: .eh_frame, with which the "
			    "program unwinds, has no function or no instruction where they should "
			    "be: the symbols or the debug information may be another build's, or "
			    "it was built with panic=abort by a Rust before 1.92, which leaves "
			    "some out: build it with -C force-unwind-tables=yes" :
			    "%u of the runtime's functions are not probed: the program has no "
			    ".eh_frame, so where its instructions begin is not sure: build it with "
			    "-C force-unwind-tables=yes",
			    fs->nr_unproven);
	for (unsigned int r = 0; runtimes[r]; r++)
		if (runtimes[r]->not_covered && model__has_polls(fs->m, r))
			model__note(fs->m, "%s", runtimes[r]->not_covered);
	if (fs->futures && fs->nr_stripped_polls)
		model__note(fs->m, "%u task types are in symbols but not in the debug information: "
			    "no await points for them", fs->nr_stripped_polls);
	roots__sort(fs->m);
	nr = fs->m->tables[MODEL_FNS].nr;
	return fs->m->err ? fs->m->err : (int)nr;
}

static int by_site(const void *a, const void *b, void *ctx)
{
	const struct functions *fs = ctx;
	const struct image_fn *x, *y;

	x = model__at(fs->m, MODEL_FNS, ((const struct poll *)a)->fn);
	y = model__at(fs->m, MODEL_FNS, ((const struct poll *)b)->fn);
	if (x->site.vaddr != y->site.vaddr)
		return x->site.vaddr < y->site.vaddr ? -1 : 1;
	return x->task_long < y->task_long ? -1 : x->task_long > y->task_long;
}

/*
 * Marks poll functions whose code several types share, so that the task's type is not
 * known. Sorts the polls.
 */
static void mark_ambiguous(struct functions *fs)
{
	size_t end;

	if (fs->nr_polls)
		qsort_r(fs->polls, fs->nr_polls, sizeof(*fs->polls), by_site, fs);
	for (size_t first = 0; first < fs->nr_polls; first = end) {
		const struct image_fn *a, *b;

		a = model__at(fs->m, MODEL_FNS, fs->polls[first].fn);
		for (end = first + 1; end < fs->nr_polls; end++) {
			b = model__at(fs->m, MODEL_FNS, fs->polls[end].fn);
			if (b->site.vaddr != a->site.vaddr)
				break;
		}
		b = model__at(fs->m, MODEL_FNS, fs->polls[end - 1].fn);
		for (size_t i = first; i < end && a->task_long != b->task_long; i++)
			((struct image_fn *)model__at(fs->m, MODEL_FNS,
						      fs->polls[i].fn))->ambiguous = 1;
	}
}

/* "web::read_file {closure web.rs:40}" */
static char *with_begin(const struct functions *fs, char *name, image_str begin)
{
	char *text = NULL;

	if (!name || !begin)
		return name;
	if (asprintf(&text, "%s %s", name, model__text(fs->m, begin)) < 0)
		text = NULL;
	free(name);
	return text;
}

/* What tasks of @p are called, in short and whole. */
static void name_task(struct functions *fs, const struct task_names *n, const struct poll *p)
{
	image_str begin = p->begin, task, task_long;
	char *text = NULL, *whole = NULL;
	struct image_fn *fn;
	bool boxed = false;

	fn = model__at(fs->m, MODEL_FNS, p->fn);
	if (p->root != WALK_NONE)
		text = task_names__of(n, p->root, &boxed, &begin);
	else if (p->name)
		text = with_begin(fs, name__shorten(p->name, false), begin);
	if (!text && p->root != WALK_NONE)
		fs->m->err = -ENOMEM;
	if (!text || !*text) {
		free(text);
		if (asprintf(&text, "task polled at %#llx", (unsigned long long)fn->vaddr) < 0)
			text = NULL;
	}
	if (p->name && *p->name) {
		whole = with_begin(fs, strdup(p->name), begin);
		if (!whole)
			fs->m->err = -ENOMEM;
	}
	task = model__str(fs->m, text);
	task_long = whole ? model__str(fs->m, whole) : task;
	free(whole);
	free(text);
	fn = model__at(fs->m, MODEL_FNS, p->fn);
	fn->task = task;
	fn->task_long = task_long;
	fn->boxed = boxed;
}

void functions__name_tasks(struct functions *fs)
{
	struct task_names n = { .m = fs->m, .ts = fs->ts, .names = fs->names,
				.futures = fs->futures };

	for (size_t i = 0; i < fs->nr_polls; i++) {
		const struct poll *p = &fs->polls[i];
		char *text = scheduler_name(p->scheduler);
		image_str scheduler;

		if (!text && p->scheduler)
			fs->m->err = -ENOMEM;
		scheduler = model__str(fs->m, text);
		free(text);
		((struct image_fn *)model__at(fs->m, MODEL_FNS, p->fn))->scheduler = scheduler;
		name_task(fs, &n, p);
	}
	task_names__behind_dyn(&n);
	mark_ambiguous(fs);
}

void functions__find_returns(struct functions *fs)
{
	poll_ends__find(fs->m, fs->b, fs->sites, fs->boundaries);
}
