/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One copy of the code of a block_on, and what it polls. roots.c, which looks for
 * copies, is supported by root_place.c (where the root lies), root_code.c (instructions
 * and sites) and root_polls.c (where polls begin and end).
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
	struct die future; /* type of the future that it polls */
	uint64_t key; /* key of that type */
	uint8_t frame; /* base register of DW_OP_fbreg, see root__frame() */
	struct reach code; /* code of the function that contains it */
	bool *own; /* the copy's own instructions */
	bool *polled; /* instructions of polls inlined into it */
	uint32_t fn; /* WALK_NONE until a poll is found */
	int32_t below; /* add to rsp here to get rsp in block_on's frame */
	struct image_loc loc, frame_loc;
	bool in_frame; /* the root is at frame_loc, relative to rsp */
	unsigned int depth; /* calls below block_on's own code */
	bool located, whole;
	bool dry; /* add nothing, only look for a poll */
	bool loops; /* dry: a function below a call of it has the loop of polls */
	bool found; /* a poll was found, even if another copy has it too */
	unsigned int nr_sites;
};

/* ---- root_place.c ---- */

/* The entry with the name of the function at @d, through copies and declarations. */
struct die root__name(const struct types *ts, struct die d);
/* The first parameter of the copy at @d; false: no entry for it is left. */
bool root__copied_parameter(const struct types *ts, const struct die *d, struct die *out);
/* Does the function at @d, or what it is a copy of, poll the copy's future? */
bool root_copy__polls(const struct root_copy *c, const struct die *d);
/* DWARF's register @dwarf as enum image_reg, IMAGE_REG_NR if it is none of those. */
uint8_t root__image_reg(unsigned int dwarf);
/* Is @reg (enum image_reg) callee-saved? */
bool root__is_kept(uint8_t reg);
/*
 * The register that holds the frame base of the function at @fn (enum image_reg): rsp, or rbp
 * in code that is built with frame pointers or has large alignments. IMAGE_REG_NR: not known.
 */
uint8_t root__frame(const struct die *fn);
/*
 * The location that expression @e describes, in a function whose frame base is @frame; false:
 * its kind is not known.
 */
bool root__loc(const struct die_range *e, uint8_t frame, struct image_loc *out);
/*
 * Finds the location of the root in a variable below @d, for code at @vaddr. The caller
 * passes 0 as @depth.
 */
bool root_copy__variable(const struct root_copy *c, const struct die *d, uint64_t vaddr,
			 unsigned int depth, struct image_loc *out);

/* ---- root_code.c ---- */

/* Ensure that the root has an entry in MODEL_FNS; false: it should have none. */
bool root_copy__have_fn(struct root_copy *c, uint64_t vaddr);
bool root__has_site(const struct model *m, enum image_root_what what,
		    const struct image_site *site);
/* Add @site, unless another copy has it, with the root at @loc. */
void root_copy__add_site(struct root_copy *c, enum image_root_what what,
			 const struct image_loc *loc, const struct image_site *site);
/* Callback for returns__of(): adds @ret to the model; @ctx is the copy. */
void root_copy__add_return(void *ctx, const struct image_return *ret);
/*
 * A site at or near @vaddr, where rsp, or the register of @loc (or a copy of it), has
 * the same value as at @vaddr.
 */
bool root_copy__site(struct root_copy *c, uint64_t vaddr, struct image_loc *loc,
		     struct image_site *out);
/* The function that the call at @insn calls; 0: not known. */
uint64_t root_copy__callee(const struct root_copy *c, size_t insn);
/* End the paths of @code at calls of functions that do not return. */
void roots__end_final_calls(struct roots *r, struct reach *code);
/* Mark in @of the instructions of the entry at @d. */
void root_copy__mark(const struct root_copy *c, const struct die *d, bool *of);
/* Allocate c->own and c->polled; false: no memory, which is noted in the model. */
bool root_copy__room(struct root_copy *c);
/* Continue with the code of function @fn at @vaddr instead; false: it cannot be read. */
bool root_copy__open(struct root_copy *c, uint64_t vaddr, const struct die *fn);
void root_copy__close(struct root_copy *c);

/* ---- root_polls.c ---- */

/* Find the polls that are inlined at or below @d. The caller passes 0 as @depth. */
void root_copy__find_inlined(struct root_copy *c, const struct die *d, unsigned int depth);
/* Find the polls that are called. */
void root_copy__find_calls(struct root_copy *c);

/* ---- roots.c ---- */

/* Find everything about @c's root in its code: polls, the end, ranges. */
void root_copy__take(struct root_copy *c);

#endif /* DWELL_IMAGE_ROOT_COPY_H */
