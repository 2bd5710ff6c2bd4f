// SPDX-License-Identifier: GPL-2.0
/*
 * The code of one copy of a block_on: its instructions, what they call, and the probe
 * sites in it. See root_copy.h.
 */
#include "image/lists.h"
#include "image/returns.h"
#include "image/root_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX	256	/* of the code of one entry */
#define NEAR_BYTES	128	/* how far a cheap site may be from the wanted address */
#define SITES_MAX	64	/* of one root */

/* ---- places ---- */

static struct image_fn *fn_of(struct root_copy *c)
{
	return model__at(c->r->m, MODEL_FNS, c->fn);
}

bool root_copy__have_fn(struct root_copy *c, uint64_t vaddr)
{
	if (c->dry)
		return false;
	if (c->fn == WALK_NONE)
		c->fn = functions__add_root(c->r->functions, c->rt, vaddr, &c->future);
	return c->fn != WALK_NONE;
}

/* Copies of one function may be nested in each other, so they may have the same sites. */
bool root__has_site(const struct model *m, enum image_root_what what, const struct image_site *site)
{
	for (size_t i = 0; i < m->tables[MODEL_ROOT_SITES].nr; i++) {
		const struct image_root_site *s = model__at(m, MODEL_ROOT_SITES, (uint32_t)i);

		if (s->what == what && s->site.vaddr == site->vaddr)
			return true;
	}
	return false;
}

void root_copy__add_site(struct root_copy *c, enum image_root_what what,
			 const struct image_loc *loc, const struct image_site *site)
{
	struct image_root_site *out;
	struct model *m = c->r->m;
	uint32_t at;

	if (c->dry || c->nr_sites >= SITES_MAX || root__has_site(m, what, site))
		return;
	at = model__add(m, MODEL_ROOT_SITES, 1);
	if (at == WALK_NONE)
		return;
	out = model__at(m, MODEL_ROOT_SITES, at);
	*out = (struct image_root_site){
		.fn = c->fn, .what = what, .shares = c->form->shares, .loc = *loc, .site = *site
	};
	out->site.sp_adjust += c->below;
	if (loc->reg == IMAGE_REG_SP)
		out->loc.off -= c->below;
	if (!c->nr_sites++)
		fn_of(c)->site = *site;
}

void root_copy__add_return(void *ctx, const struct image_return *ret)
{
	struct root_copy *c = ctx;
	uint32_t at = model__add(c->r->m, MODEL_RETURNS, 1);

	if (at != WALK_NONE)
		*(struct image_return *)model__at(c->r->m, MODEL_RETURNS, at) = *ret;
}

/*
 * A site at or near @vaddr where the register of @loc, or a copy of it, has the same
 * value as at @vaddr.
 */
static bool site_with(struct root_copy *c, uint64_t vaddr, struct image_loc *loc,
		      struct image_site *out)
{
	for (unsigned int dwarf = 0; dwarf < 16; dwarf++) {
		if (root__image_reg(dwarf) != loc->reg)
			continue;
		if (!site_finder__inlined(c->r->sites, vaddr, vaddr + NEAR_BYTES, dwarf, out) &&
		    !out->slow) {
			loc->reg = out->arg_reg;
			return true;
		}
	}
	return !site_finder__at(c->r->sites, vaddr, out);
}

/*
 * A site at or near @vaddr, where rsp, or the register of @loc, has the same value as
 * at @vaddr.
 */
bool root_copy__site(struct root_copy *c, uint64_t vaddr, struct image_loc *loc,
		     struct image_site *out)
{
	struct image_return near;

	if (!boundaries__is_insn(c->r->boundaries, vaddr))
		return false;
	if (loc->reg != IMAGE_REG_SP)
		return site_with(c, vaddr, loc, out);
	if (site_finder__return(c->r->sites, vaddr, &near))
		return false;
	*out = near.site;
	return true;
}

/* ---- what is called ---- */

/* The address stored at @at once the program is loaded; 0: none is. */
static uint64_t word_at(const struct root_copy *c, uint64_t at)
{
	const struct hash_slot *word = hash_table__find(&c->r->words, at);

	return word ? word->value : 0;
}

/* The function that the call at @insn calls; 0: not known. */
uint64_t root_copy__callee(const struct root_copy *c, size_t insn)
{
	const struct reach_insn *in = &c->code.insns[insn];
	uint64_t callee = 0;

	if (in->kind == REACH_CALL)
		return in->target;
	if (in->kind == REACH_CALL_WORD)
		return word_at(c, in->target);
	/* a register: the address that is read into it, if there is only one such read */
	for (size_t i = 0; in->kind == REACH_CALL_UNKNOWN && in->reg && i < c->code.nr; i++) {
		const struct reach_insn *from = &c->code.insns[i];
		uint64_t word;

		if (from->kind != REACH_PLAIN || from->reg != in->reg)
			continue;
		word = word_at(c, from->target);
		if (callee && word != callee)
			return 0;
		callee = word;
	}
	return callee;
}

/* ---- calls that do not return ---- */

static int add_word(void *ctx, uint64_t at, uint64_t to)
{
	struct hash_slot *slot = hash_table__at(ctx, at);

	if (!slot)
		return -ENOMEM;
	slot->value = to;
	return 0;
}

/* Does the function at @vaddr never return, because it panics? */
static bool is_final(struct roots *r, uint64_t vaddr)
{
	struct hash_slot *slot = hash_table__at(&r->final, vaddr);
	struct reach code;

	if (!slot) {
		r->m->err = -ENOMEM;
		return false;
	}
	if (!slot->value) {
		slot->value = 1;
		if (!reach__decode(&code, r->b, r->boundaries, vaddr)) {
			slot->value += !reach__returns(&code);
			reach__free(&code);
		}
	}
	return slot->value == 2;
}

/* Ends the paths of @code at calls of functions that do not return. */
void roots__end_final_calls(struct roots *r, struct reach *code)
{
	if (!r->knows_words && binary__words(r->b, add_word, &r->words))
		r->m->err = -ENOMEM;
	r->knows_words = true;
	for (size_t i = 0; i < code->nr; i++) {
		struct reach_insn *in = &code->insns[i];
		struct hash_slot *word = in->kind == REACH_CALL_WORD ?
						 hash_table__find(&r->words, in->target) :
						 NULL;

		if ((in->kind == REACH_CALL && is_final(r, in->target)) ||
		    (word && is_final(r, word->value)))
			in->kind = REACH_STOP;
	}
}
/* ---- instructions ---- */

/* Marks in @of the instructions of the entry at @d. */
void root_copy__mark(const struct root_copy *c, const struct die *d, bool *of)
{
	struct die_range ranges[RANGES_MAX];
	size_t nr = lists__ranges(d, ranges, RANGES_MAX);

	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < c->code.nr; k++)
			if (c->code.insns[k].vaddr >= ranges[i].start &&
			    c->code.insns[k].vaddr < ranges[i].end)
				of[k] = true;
}

bool root_copy__room(struct root_copy *c)
{
	c->own = calloc(c->code.nr + 1, sizeof(*c->own));
	c->polled = calloc(c->code.nr + 1, sizeof(*c->polled));
	if (!c->own || !c->polled)
		c->r->m->err = -ENOMEM;
	return c->own && c->polled;
}

void root_copy__close(struct root_copy *c)
{
	free(c->own);
	free(c->polled);
	reach__free(&c->code);
}

bool root_copy__open(struct root_copy *c, uint64_t vaddr, const struct die *fn)
{
	c->die = *fn;
	c->frame = root__frame(fn);
	c->found = c->located = c->in_frame = false;
	if (reach__decode(&c->code, c->r->b, c->r->boundaries, vaddr))
		return false;
	roots__end_final_calls(c->r, &c->code);
	if (!root_copy__room(c)) {
		root_copy__close(c);
		return false;
	}
	memset(c->own, true, c->code.nr * sizeof(*c->own));
	return true;
}
