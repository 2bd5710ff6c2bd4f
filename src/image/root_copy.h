/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One copy of the code of a block_on, and what it polls: what roots.c, which looks for
 * them, has from root_place.c (where the root lies), root_code.c (instructions and sites)
 * and root_polls.c (where polls begin and end).
 */
#ifndef DWELL_IMAGE_ROOT_COPY_H
#define DWELL_IMAGE_ROOT_COPY_H

#include "image/lists.h"
#include "image/reach.h"
#include "image/roots.h"

struct root_copy {
	struct roots *r;
	const struct runtime *rt;
	const struct runtime_root *form;
	struct die die;
	struct die future; /* type of what it polls */
	uint64_t key; /* of that type */
	uint8_t frame; /* what DW_OP_fbreg counts from there, see root__frame() */
	struct reach code; /* of the function that holds it */
	bool *own; /* instructions of the copy … */
	bool *polled; /* … and of polls inlined into it */
	uint32_t fn; /* WALK_NONE until a poll is found */
	int32_t below; /* bytes from rsp here to rsp in block_on's frame */
	struct image_loc loc, frame_loc;
	bool in_frame; /* frame_loc is where the root is, by rsp */
	unsigned int depth; /* of calls below block_on's own code */
	bool located, whole;
	bool dry; /* only to see whether there is a poll */
	bool found; /* a poll, though another copy may have it */
	unsigned int nr_sites;
};

/* ---- root_place.c ---- */

/* The entry with the name of the function at @d, by way of copies and declarations. */
struct die root__name(const struct types *ts, struct die d);
/* The first parameter of the copy at @d; false: it has an entry no more. */
bool root__copied_parameter(const struct types *ts, const struct die *d, struct die *out);
/* Does the function at @d, or what it is a copy of, poll the copy's future? */
bool root_copy__polls(const struct root_copy *c, const struct die *d);
/* DWARF's register @dwarf as enum image_reg, IMAGE_REG_NR if it is none of those. */
uint8_t root__image_reg(unsigned int dwarf);
/* Is @reg, enum image_reg, the same when what was called since has returned? */
bool root__is_kept(uint8_t reg);
/*
 * The register that holds the frame base of the function at @fn, enum image_reg: rsp, or rbp
 * in code that is built with frame pointers or has large alignments. IMAGE_REG_NR: not told.
 */
uint8_t root__frame(const struct die *fn);
/*
 * The place that the expression at @e stands for, in a function whose frame base is @frame;
 * false: it is of no kind that is known.
 */
bool root__loc(const struct die_range *e, uint8_t frame, struct image_loc *out);
/* Where the root lies by a variable below @d, for code at @vaddr; @depth: 0. */
bool root_copy__variable(const struct root_copy *c, const struct die *d, uint64_t vaddr,
			 unsigned int depth, struct image_loc *out);

/* ---- root_code.c ---- */

/* The root's entry in MODEL_FNS is there, or is made; false: there is to be none. */
bool root_copy__have_fn(struct root_copy *c, uint64_t vaddr);
bool root__has_site(const struct model *m, enum image_root_what what,
		    const struct image_site *site);
/* Add @site, which no other copy has, with the root at @loc. */
void root_copy__add_site(struct root_copy *c, enum image_root_what what,
			 const struct image_loc *loc, const struct image_site *site);
/* For returns__of(): add @ret to those of the model; @ctx is the copy. */
void root_copy__add_return(void *ctx, const struct image_return *ret);
/* A site for @vaddr, where rsp, or the register of @loc or a copy of it, is as it is there. */
bool root_copy__site(struct root_copy *c, uint64_t vaddr, struct image_loc *loc,
		     struct image_site *out);
/* What the call that is instruction @insn is of; 0: it is not told. */
uint64_t root_copy__callee(const struct root_copy *c, size_t insn);
/* Behind a call of what does not return the code @code does not go on. */
void roots__cut_final_calls(struct roots *r, struct reach *code);
/* Mark in @of the instructions of the entry at @d. */
void root_copy__mark(const struct root_copy *c, const struct die *d, bool *of);
/* Room for c->own and c->polled; false: no memory, which the model notes. */
bool root_copy__room(struct root_copy *c);
/* Go on with the code of the function @fn at @vaddr instead; false: it cannot be read. */
bool root_copy__open(struct root_copy *c, uint64_t vaddr, const struct die *fn);
void root_copy__close(struct root_copy *c);

/* ---- root_polls.c ---- */

/* The polls inlined at or below @d; @depth: 0. */
void root_copy__find_inlined(struct root_copy *c, const struct die *d, unsigned int depth);
/* Those that are called. */
void root_copy__find_calls(struct root_copy *c);

/* ---- roots.c ---- */

/* All of what @c's code tells of its root: polls, the end, ranges. */
void root_copy__take(struct root_copy *c);

#endif /* DWELL_IMAGE_ROOT_COPY_H */
