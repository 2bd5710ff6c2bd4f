// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the polls of a root in the code of a copy of a block_on: called from it,
 * inlined into it, or in a function that it calls. See root_copy.h.
 */
#include "image/lists.h"
#include "image/returns.h"
#include "image/root_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	64
#define BELOW_MAX	6	/* levels of calls from block_on to the poll */

/* ---- polls that are called ---- */

/* Adds a probe at the place that the call at @insn returns to. */
static void add_end(struct root_copy *c, size_t insn)
{
	if (insn + 1 < c->code.nr)
		returns__of(c->r->sites, c->r->boundaries, c->code.insns[insn + 1].vaddr,
			    root_copy__add_return, c);
}

static void add_call(struct root_copy *c, size_t insn)
{
	static const struct image_loc passed = { .reg = IMAGE_REG_DI };
	uint64_t vaddr = c->code.insns[insn].vaddr;
	struct image_loc loc;
	struct image_site site;

	if (!boundaries__is_insn(c->r->boundaries, vaddr) ||
	    site_finder__at(c->r->sites, vaddr, &site))
		return;
	c->code.leads[insn] = true;
	c->polled[insn] = true;
	c->found = true;
	if (root__has_site(c->r->m, IMAGE_ROOT_BEGIN, &site) || !root_copy__have_fn(c, vaddr))
		return;
	root_copy__add_site(c, IMAGE_ROOT_BEGIN, &passed, &site);
	if (!c->below)
		add_end(c, insn);
	if (!c->below && !c->located && reach__argument(&c->code, insn, &loc) &&
	    root__is_kept(loc.reg)) {
		c->loc = loc;
		c->located = true;
	}
}

static void look_below(struct root_copy *c, size_t insn, uint64_t vaddr, const struct die *callee);
void root_copy__take(struct root_copy *c);

/*
 * May the function at @d call back a closure that block_on passed to it? If so, its
 * name contains that closure among its generics.
 */
static bool calls_back(const struct root_copy *c, const struct die *d)
{
	struct die name = root__name(c->r->ts, *d);
	const char *text = die__str(&name, DW_AT_name);

	return text && strstr(text, "block_on::{");
}

void root_copy__find_calls(struct root_copy *c)
{
	for (size_t i = 0; i < c->code.nr; i++) {
		const uint8_t *callee;
		uint64_t vaddr;
		struct die d;

		if (!c->own[i] || c->polled[i])
			continue;
		vaddr = root_copy__callee(c, i);
		callee = vaddr ? copies__at(c->r->copies, vaddr) : NULL;
		if (!callee || !die__at_addr(c->r->ts->di, callee, &d))
			continue;
		if (root_copy__polls(c, &d))
			add_call(c, i);
		else if (calls_back(c, &d))
			look_below(c, i, vaddr, &d);
	}
}

/* ---- polls that are inlined ---- */

/* Can @insn, which is part of an inlined poll, be reached from outside of the poll? */
static bool is_entered(const struct root_copy *c, size_t insn)
{
	const struct reach *code = &c->code;
	uint64_t vaddr = code->insns[insn].vaddr;

	if (insn && !c->polled[insn - 1] && code->insns[insn - 1].kind != REACH_JUMP &&
	    code->insns[insn - 1].kind != REACH_JUMP_UNKNOWN &&
	    code->insns[insn - 1].kind != REACH_RETURN && code->insns[insn - 1].kind != REACH_STOP)
		return true;
	for (size_t i = 0; i < code->nr; i++)
		if (!c->polled[i] && code->insns[i].target == vaddr &&
		    (code->insns[i].kind == REACH_JUMP || code->insns[i].kind == REACH_BRANCH))
			return true;
	return false;
}

/* Adds a poll that begins at @insn, with the root at @loc. */
static void add_entry(struct root_copy *c, size_t insn, const struct image_loc *loc)
{
	uint64_t vaddr = c->code.insns[insn].vaddr;
	struct image_loc at = *loc;
	struct image_site site;

	if (!root_copy__site(c, vaddr, &at, &site))
		return;
	c->found = true;
	if (loc->reg == IMAGE_REG_SP) {
		c->in_frame = true;
		c->frame_loc = *loc;
	}
	if (!c->below && !c->located && root__is_kept(loc->reg)) {
		c->loc = *loc;
		c->located = true;
	}
	if (!root__has_site(c->r->m, IMAGE_ROOT_BEGIN, &site) && root_copy__have_fn(c, vaddr))
		root_copy__add_site(c, IMAGE_ROOT_BEGIN, &at, &site);
}

static void add_inlined(struct root_copy *c, const struct die *d)
{
	struct die_range at;
	struct die_list list;
	struct image_loc loc;
	struct die param;

	bool known = root__copied_parameter(c->r->ts, d, &param);

	root_copy__mark(c, d, c->polled);
	for (size_t i = 0; i < c->code.nr; i++) {
		if (!c->polled[i])
			continue;
		c->code.leads[i] = true;
		c->found |= c->dry;
		if (is_entered(c, i) && known &&
		    lists__location(&param, c->code.insns[i].vaddr, &list, &at) &&
		    root__loc(&at, c->frame, &loc))
			add_entry(c, i, &loc);
	}
	/*
	 * If a poll does not tell the root's location, use that of another poll,
	 * provided that it is relative to the frame or in a variable of block_on.
	 */
	for (size_t i = 0; i < c->code.nr; i++) {
		if (!c->polled[i] || !is_entered(c, i) ||
		    (known && lists__location(&param, c->code.insns[i].vaddr, &list, &at)))
			continue;
		if (c->in_frame)
			add_entry(c, i, &c->frame_loc);
		else if (root_copy__variable(c, &c->die, c->code.insns[i].vaddr, 0, &loc))
			add_entry(c, i, &loc);
	}
}

/* The polls inlined at or below @d. */
void root_copy__find_inlined(struct root_copy *c, const struct die *d, unsigned int depth)
{
	struct die child;

	if (depth > DEPTH_MAX || !die__child(d, &child))
		return;
	do {
		if (child.ab->tag == DW_TAG_inlined_subroutine && root_copy__polls(c, &child))
			add_inlined(c, &child);
		else if (child.ab->tag == DW_TAG_inlined_subroutine ||
			 child.ab->tag == DW_TAG_lexical_block)
			root_copy__find_inlined(c, &child, depth + 1);
	} while (die__next(c->r->ts->di, &child, &child));
}

/* ---- polls in what is called ---- */

/* How an instruction was reached from a poll. */
enum { BACK_REACHED = 1, BACK_CALLED = 2 /* with a call in between */ };

static bool is_call(const struct reach_insn *in)
{
	return in->kind == REACH_CALL || in->kind == REACH_CALL_WORD ||
	       in->kind == REACH_CALL_UNKNOWN;
}

/* Follows the code to instruction @to, on a way back to a poll. */
static void go_back(const struct root_copy *c, size_t to, uint8_t how, uint8_t *seen, bool *more)
{
	if (to >= c->code.nr || !c->code.leads[to] || (seen[to] & how) == how)
		return;
	seen[to] |= how;
	*more = true;
}

/* Does the code come back to the poll at instruction @poll, with a call in between? */
static bool comes_back_to(const struct root_copy *c, size_t poll, uint8_t *seen)
{
	uint8_t jumped = 0;	/* how a jump within the poll that may lead anywhere was reached */
	bool more = true;

	memset(seen, 0, c->code.nr);
	seen[poll] = BACK_REACHED;
	while (more && !(seen[poll] & BACK_CALLED)) {
		more = false;
		for (size_t i = 0; jumped && i < c->code.nr; i++)
			if (c->polled[i])
				go_back(c, i, jumped, seen, &more);
		for (size_t i = 0; i < c->code.nr; i++) {
			const struct reach_insn *in = &c->code.insns[i];
			uint8_t how = seen[i];

			if (!how)
				continue;
			if (!c->polled[i] && is_call(in))
				how |= BACK_CALLED;
			if (in->kind == REACH_JUMP || in->kind == REACH_BRANCH)
				go_back(c, reach__at(&c->code, in->target), how, seen, &more);
			if (reach__goes_on(in))
				go_back(c, i + 1, how, seen, &more);
			if (in->kind != REACH_JUMP_UNKNOWN || !c->polled[i] ||
			    (jumped & how) == how)
				continue;
			jumped |= how;
			more = true;
		}
	}
	return seen[poll] & BACK_CALLED;
}

/*
 * Does the code come back to a poll after its end, with a call in between? One poll may be in
 * separated pieces, too, with calls in between: but then it does not come back to the first.
 */
static bool comes_back(struct root_copy *c)
{
	uint8_t *seen = calloc(c->code.nr + 1, sizeof(*seen));
	bool back = false;

	if (!seen || reach__towards(&c->code, NULL))
		c->r->m->err = -ENOMEM;
	else
		for (size_t i = 0; i < c->code.nr && !back; i++)
			back = c->polled[i] && (!i || !c->polled[i - 1]) &&
			       comes_back_to(c, i, seen);
	free(seen);
	return back;
}

/*
 * The function at @callee contains the whole loop of polls: treat it as if it were the
 * block_on.
 */
static void take_loop(struct root_copy *c, size_t insn, uint64_t vaddr, const struct die *callee)
{
	struct root_copy loop = *c;
	struct image_loc loc;

	loop.below = 0;
	loop.whole = true;
	if (!root_copy__open(&loop, vaddr, callee))
		return;
	/*
	 * Debug information of the caller may tell where the root is in its frame,
	 * which is above this one.
	 */
	if (root_copy__variable(c, &c->die, c->code.insns[insn].vaddr, 0, &loc) &&
	    loc.reg == IMAGE_REG_SP) {
		loc.off += reach__frame(&loop.code) + 8;
		loop.frame_loc = loc;
		loop.in_frame = true;
	}
	root_copy__take(&loop);
	root_copy__close(&loop);
	c->fn = loop.fn;
	c->nr_sites = loop.nr_sites;
	c->found |= loop.found;
}

/*
 * The call at @insn is of a function that may poll the root for block_on, repeatedly or
 * once, by itself or in what it calls. If once, a poll begins in that function, and has
 * ended when it returns.
 */
static void look_below(struct root_copy *c, size_t insn, uint64_t vaddr, const struct die *callee)
{
	struct root_copy below = *c;
	bool loops, once;

	below.depth++;
	below.dry = true;
	below.loops = false;
	if (c->depth >= BELOW_MAX || !root_copy__open(&below, vaddr, callee))
		return;
	root_copy__find_inlined(&below, callee, 0);
	root_copy__find_calls(&below);
	loops = below.found && comes_back(&below);
	root_copy__close(&below);
	if (!below.found)
		return;
	once = !loops && !below.loops;
	c->found = true;
	if (c->dry || loops) {
		c->loops |= !once;
		c->code.leads[insn] |= once;
		c->polled[insn] |= once;
		if (!c->dry)
			take_loop(c, insn, vaddr, callee);
		return;
	}
	below.dry = false;
	if (!root_copy__open(&below, vaddr, callee))
		return;
	below.below += reach__frame(&below.code) + 8;
	root_copy__find_inlined(&below, callee, 0);
	root_copy__find_calls(&below);
	root_copy__close(&below);
	c->fn = below.fn;
	c->nr_sites = below.nr_sites;
	if (!once)	/* the thread is in this call all the time, in a poll or between two */
		return;
	c->code.leads[insn] = true;
	c->polled[insn] = true;
	if (!c->below && c->fn != WALK_NONE)
		add_end(c, insn);
}
