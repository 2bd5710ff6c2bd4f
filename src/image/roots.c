// SPDX-License-Identifier: GPL-2.0
/*
 * Finds roots. See roots.h.
 *
 * The code of a block_on, which is a function of its own or inlined into another,
 * contains the root's poll function or calls it. Both are recognised by the first
 * argument, a pinned reference to the root. The root's location comes from the code
 * that passes this argument, or, for an inlined poll, from debug information. A poll
 * that is called ends where the call returns. An inlined poll is regarded as ended when
 * block_on goes to sleep. block_on has finished with a root where the code leaves all
 * instructions from which another poll of it can be reached.
 */
#include "image/roots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/lists.h"
#include "image/names.h"
#include "image/root_copy.h"

/* ---- the end ---- */

static void add_gone(struct root_copy *c, size_t insn)
{
	struct image_loc none = { .reg = IMAGE_REG_SP };
	uint64_t vaddr = c->code.insns[insn].vaddr;
	struct image_site site;

	if (root_copy__site(c, vaddr, &none, &site))
		root_copy__add_site(c, IMAGE_ROOT_GONE, &none, &site);
}

/* Is @vaddr a function of the runtime whose entry shows that a poll has ended? */
static bool is_park(const struct root_copy *c, uint64_t vaddr)
{
	const struct model *m = c->r->m;

	for (size_t i = 0; i < m->tables[MODEL_FNS].nr; i++) {
		const struct image_fn *fn = model__at(m, MODEL_FNS, (uint32_t)i);

		if (fn->role == RUNTIME_FN_PARK && fn->vaddr == vaddr &&
		    runtimes[fn->runtime] == c->rt)
			return true;
	}
	return false;
}

/* Does block_on's own code call such a function, or take the address of one? */
static bool has_park(const struct root_copy *c)
{
	for (size_t i = 0; i < c->code.nr; i++) {
		uint64_t callee = c->own[i] && !c->polled[i] ? root_copy__callee(c, i) : 0;

		if (callee && is_park(c, callee))
			return true;
	}
	return false;
}

/*
 * If nothing else shows that an inlined poll has ended: a function that block_on itself
 * calls before it gets to the next poll is called after the last one has ended.
 */
static void find_parks(struct root_copy *c)
{
	static const struct image_loc none = { .reg = IMAGE_REG_SP };
	struct image_site site;

	if (c->form->shares || has_park(c))
		return;
	for (size_t i = 0; i < c->code.nr; i++) {
		const struct reach_insn *in = &c->code.insns[i];

		if (!c->own[i] || c->polled[i] || !c->code.leads[i] ||
		    (in->kind != REACH_CALL && in->kind != REACH_CALL_WORD &&
		     in->kind != REACH_CALL_UNKNOWN) ||
		    !boundaries__is_insn(c->r->boundaries, in->vaddr) ||
		    site_finder__at(c->r->sites, in->vaddr, &site))
			continue;
		root_copy__add_site(c, IMAGE_ROOT_PARK, &none, &site);
	}
}

/* Finds where the code leaves the instructions that lead to a poll of the root. */
static void find_exits(struct root_copy *c)
{
	struct reach *code = &c->code;
	bool *done = calloc(code->nr + 1, sizeof(*done));

	if (!done || reach__towards(code, c->whole ? NULL : c->own)) {
		c->r->m->err = -ENOMEM;
		free(done);
		return;
	}
	for (size_t i = 0; i < code->nr; i++) {
		const struct reach_insn *in = &code->insns[i];
		size_t to[2] = { code->nr, code->nr };

		if (!code->leads[i] || (!c->own[i] && !c->polled[i]))
			continue;
		if (in->kind == REACH_JUMP || in->kind == REACH_BRANCH)
			to[0] = reach__at(code, in->target);
		if (in->kind == REACH_PLAIN || in->kind == REACH_BRANCH)
			to[1] = i + 1;
		for (int k = 0; k < 2; k++) {
			if (to[k] >= code->nr || code->leads[to[k]] || done[to[k]])
				continue;
			done[to[k]] = true;
			add_gone(c, to[k]);
		}
	}
	free(done);
}

static void add_range(struct root_copy *c, uint64_t start, uint64_t end, bool polling)
{
	uint32_t at = model__add(c->r->m, MODEL_ROOT_RANGES, 1);

	if (at != WALK_NONE)
		*(struct image_root_range *)model__at(c->r->m, MODEL_ROOT_RANGES, at) =
			(struct image_root_range){ .start = start,
						   .end = end,
						   .fn = c->fn,
						   .polling = polling,
						   .shares = c->form->shares,
						   .holds = c->form->holds,
						   .loc = c->loc };
}

/*
 * Adds the instructions that can lead to a poll as ranges: a thread that is in a call
 * from one of them has the root.
 */
static void add_ranges(struct root_copy *c)
{
	const struct reach *code = &c->code;

	for (size_t i = 0; i < code->nr;) {
		size_t first = i;
		bool polling = c->polled[i];

		if (!code->leads[i] || (!c->own[i] && !polling)) {
			i++;
			continue;
		}
		while (i < code->nr && code->leads[i] && (c->own[i] || c->polled[i]) &&
		       c->polled[i] == polling)
			i++;
		add_range(c, code->insns[first].vaddr,
			  i < code->nr ?
				  code->insns[i].vaddr :
				  boundaries__end_of(c->r->boundaries, code->insns[first].vaddr),
			  polling);
	}
}

/* ---- copies ---- */

/* Remembers the entry, as long as no copy was found that polls this type. */
static void remember(struct root_copy *c)
{
	struct hash_slot *fn = c->fn != WALK_NONE ? hash_table__at(&c->r->fns, c->key) : NULL;
	struct hash_slot *seen;

	if (fn)
		fn->value = c->fn;
	seen = hash_table__at(&c->r->seen, c->key);
	if (!seen)
		c->r->m->err = -ENOMEM;
	else if (c->found)
		seen->value = 1;
	else if (!seen->value && type__size(&c->future))
		seen->ptr = (void *)(uintptr_t)c->future.p;
}

/* The runtime itself blocks on some futures (at shutdown, for example); these are not shown. */
static bool is_own(const char *name, const char *crate)
{
	static const char poll_fn[] = "core::future::poll_fn::PollFn<", ref[] = "&mut ";

	if (!strncmp(name, poll_fn, sizeof(poll_fn) - 1))
		return name__is_below(name + sizeof(poll_fn) - 1, crate);
	return !strncmp(name, ref, sizeof(ref) - 1) &&
	       name__is_below(name + sizeof(ref) - 1, crate);
}

/* Notes what could not be found, after all copies of a form have been searched. */
static void note_unknown(struct roots *r, const struct runtime *rt)
{
	struct hash_slot *seen = hash_table__sorted(&r->seen);
	struct die d;

	for (size_t i = 0; seen && i < r->seen.nr; i++) {
		char *name = NULL;

		if (seen[i].value > 1 && die__at_addr(r->ts->di, seen[i].ptr, &d))
			name = rust_names__type(r->names, &d);
		if (name && !is_own(name, rt->crate))
			model__note(r->m,
				    "block_on of %s: where it lies or is polled is not found "
				    "in the code: its time is not in the recording",
				    name);
		free(name);
	}
	free(seen);
	hash_table__clear(&r->seen);
}

static void locate(struct root_copy *c)
{
	if (c->in_frame) {
		c->loc = c->frame_loc;
		c->located = true;
	}
	for (size_t i = 0; i < c->code.nr && !c->located; i++)
		if (c->code.leads[i] && (c->own[i] || c->polled[i]))
			c->located =
				root_copy__variable(c, &c->die, c->code.insns[i].vaddr, 0, &c->loc);
}

static bool leads_anywhere(const struct root_copy *c)
{
	for (size_t i = 0; i < c->code.nr; i++)
		if (c->code.leads[i])
			return true;
	return false;
}

void root_copy__take(struct root_copy *c)
{
	root_copy__find_inlined(c, &c->die, 0);
	root_copy__find_calls(c);
	if (c->fn == WALK_NONE || !leads_anywhere(c))
		return;
	if (!c->located)
		locate(c);
	find_exits(c);
	find_parks(c);
	if (!c->located)
		c->loc = (struct image_loc){ .reg = IMAGE_REG_NR };
	add_ranges(c);
}

/* The index of the root's type, by its key; WALK_NONE: not found so far. */
static uint32_t fn_of_type(const struct root_copy *c)
{
	const struct hash_slot *slot = hash_table__find(&c->r->fns, c->key);

	return slot ? (uint32_t)slot->value : WALK_NONE;
}

/* Takes a caller of the code that polls the root, which has the reference to it. */
static void take_holder(struct root_copy *c)
{
	c->fn = fn_of_type(c);
	for (size_t i = 0; i < c->code.nr && c->fn != WALK_NONE && !c->located; i++)
		c->located = c->own[i] && c->code.insns[i].kind == REACH_CALL &&
			     root_copy__variable(c, &c->die, c->code.insns[i].vaddr, 0, &c->loc) &&
			     c->loc.reg == IMAGE_REG_SP;
	for (size_t i = 0; i < c->code.nr; i++)
		c->code.leads[i] = c->own[i];
	if (c->located)
		add_ranges(c);
}

/*
 * Checks whether the copy at @c->die polls a future of type @future, and takes it if it
 * does.
 */
static void try_future(struct root_copy *c, const struct die *future)
{
	c->future = *future;
	c->key = type__key(c->r->ts, future);
	if (c->form->holds) {
		take_holder(c);
		return;
	}
	root_copy__take(c);
	remember(c);
}

/* May the generic parameter at @d be the root's type? */
static bool is_root(const struct runtime_root *form, const struct die *d)
{
	const char *name = form->param ? die__str(d, DW_AT_name) : NULL;

	return !form->param || (name && !strcmp(name, form->param));
}

/* Tries each generic type of the function at @name as the future. */
static void try_types(struct root_copy *c, const struct die *name)
{
	struct die child, type;

	if (!die__child(name, &child))
		return;
	do {
		if (child.ab->tag == DW_TAG_template_type_parameter && is_root(c->form, &child) &&
		    type__of(c->r->ts, &child, &type) && !c->found)
			try_future(c, &type);
	} while (die__next(c->r->ts->di, &child, &child));
}

/* @fn: the function that holds it, or the copy itself. */
static void take_copy(struct roots *r, const struct runtime *rt, const struct runtime_root *form,
		      const struct die *die, const struct die *fn)
{
	struct root_copy c = {
		.r = r, .rt = rt, .form = form, .die = *die, .fn = WALK_NONE, .whole = die == fn
	};
	struct die name = root__name(r->ts, *die);
	struct die_range first;

	if (!lists__first_range(die, &first) ||
	    reach__decode(&c.code, r->b, r->boundaries, first.start))
		return;
	c.frame = root__frame(fn);
	roots__end_final_calls(r, &c.code);
	if (root_copy__room(&c)) {
		root_copy__mark(&c, die, c.own);
		try_types(&c, &name);
	}
	root_copy__close(&c);
}

/* Finds the copies inlined in unit @u; @of has the functions, by their entries. */
static void find_inlined_copies(struct roots *r, const struct runtime *rt,
				const struct runtime_root *form, const struct unit *u,
				struct hash_table *of)
{
	const uint8_t *p = u->die;
	struct die d, name, fn = { .u = u };

	while (p && p < u->end) {
		if (!*p) {
			p++;
			continue;
		}
		if (!die__at(u, p, &d))
			return;
		p = die__end_of_attrs(&d);
		if (d.ab->tag == DW_TAG_subprogram)
			fn = d;
		if (d.ab->tag != DW_TAG_inlined_subroutine || !fn.p)
			continue;
		name = root__name(r->ts, d);
		if (hash_table__find(of, (uintptr_t)name.p))
			take_copy(r, rt, form, &d, &fn);
	}
}

void roots__free(struct roots *r)
{
	hash_table__clear(&r->words);
	hash_table__clear(&r->final);
	hash_table__clear(&r->fns);
}

void roots__find(struct roots *r, const struct runtime *rt, const struct runtime_root *form)
{
	const struct scan *sc = r->ts->sc;
	const struct unit *last = NULL;
	struct hash_table of = { 0 };
	const uint32_t *copies;
	struct hash_slot *slot;
	struct die d;
	size_t nr;

	for (size_t i = 0; i < sc->nr_fns; i++) {
		if (!functions__is(&sc->fns[i], form->path))
			continue;
		slot = hash_table__at(&of, (uintptr_t)sc->fns[i].die);
		if (slot)
			slot->value = 1;
		else
			r->m->err = -ENOMEM;
	}
	for (size_t i = 0; i < sc->nr_fns && !r->m->err; i++) {
		const struct scan_fn *fn = &sc->fns[i];

		if (!hash_table__find(&of, (uintptr_t)fn->die) ||
		    !die__at_addr(r->ts->di, fn->die, &d))
			continue;
		if (fn->has_pc)
			take_copy(r, rt, form, &d, &d);
		copies = copies__of(r->copies, fn->die, &nr);
		for (size_t k = 0; k < nr; k++)
			if (die__at_addr(r->ts->di, sc->instances[copies[k]].die, &d))
				take_copy(r, rt, form, &d, &d);
		if (die__at_addr(r->ts->di, fn->die, &d) && d.u != last)
			find_inlined_copies(r, rt, form, d.u, &of);
		last = d.u;
	}
	hash_table__clear(&of);
	note_unknown(r, rt);
}

static int by_start(const void *a, const void *b)
{
	const struct image_root_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

void roots__sort(struct model *m)
{
	size_t nr = m->tables[MODEL_ROOT_RANGES].nr;

	if (nr)
		qsort(m->tables[MODEL_ROOT_RANGES].p, nr, sizeof(struct image_root_range),
		      by_start);
}
