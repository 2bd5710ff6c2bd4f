/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions of one function, and which of them lead to others: jumps and calls
 * as the code has them, without those that a table or a register decides.
 *
 * It knows x86-64; it must not know what the function is for.
 */
#ifndef DWELL_IMAGE_REACH_H
#define DWELL_IMAGE_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/binary.h"
#include "image/boundary.h"
#include "image/image.h"

enum reach_kind {
	REACH_PLAIN,		/* the next one follows */
	REACH_JUMP,		/* to target */
	REACH_BRANCH,		/* to target or to the next one */
	REACH_CALL,		/* of target; the next one follows */
	REACH_CALL_WORD,	/* of what the word at target holds */
	REACH_CALL_UNKNOWN,	/* of what a register says */
	REACH_JUMP_UNKNOWN,
	REACH_RETURN,
	REACH_STOP,		/* a trap, or a call of what does not return */
};

struct reach_insn {
	uint64_t	vaddr;
	uint64_t	target;		/* JUMP, BRANCH, CALL, CALL_WORD; PLAIN: a word it reads */
	uint8_t		kind;		/* enum reach_kind */
	uint16_t	reg;		/* the decoder's number: CALL_UNKNOWN: of what is in it;
					 * PLAIN: that it reads a word into; 0: none */
	int32_t		grows;		/* the stack, by so many bytes */
	uint8_t		sets_arg;	/* it writes the register of a call's first argument … */
	struct image_loc arg;		/* … and this is what; reg IMAGE_REG_NR: something else */
};

struct reach {
	struct reach_insn	*insns;		/* by address, without gaps */
	size_t			 nr;
	bool			*leads;		/* of each: see reach__towards() */
};

/* Decode the function that holds @vaddr. -ENOENT: there is none, or it is too large. */
int reach__decode(struct reach *r, const struct binary *b, const struct boundaries *bs,
		  uint64_t vaddr);
void reach__free(struct reach *r);

/* Does the function return, or jump to another one that may? */
bool reach__returns(const struct reach *r);
/* May the instruction behind it be next? */
bool reach__goes_on(const struct reach_insn *in);
/* The instruction at @vaddr; r->nr: none begins there. */
size_t reach__at(const struct reach *r, uint64_t vaddr);
/*
 * Mark in r->leads all those from which, by jumps within the function, one comes to
 * one that is marked already. @within, if it is not NULL: only through those, and
 * through a few others that lead straight back to them.
 */
int reach__towards(struct reach *r, const bool *within);
/* Bytes of stack that the function has taken when it is past its beginning. */
int32_t reach__frame(const struct reach *r);
/* What the call at @insn has as its first argument; false: it cannot be told. */
bool reach__argument(const struct reach *r, size_t insn, struct image_loc *out);

#endif /* DWELL_IMAGE_REACH_H */
