/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions of a function, and which of them lead to which others: by the jumps
 * and calls in the code, except those through a table or a register.
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
	REACH_PLAIN,		/* continues with the next one */
	REACH_JUMP,		/* jumps to target */
	REACH_BRANCH,		/* continues with target or the next one */
	REACH_CALL,		/* calls target, continues with the next one */
	REACH_CALL_WORD,	/* calls the address stored at target */
	REACH_CALL_UNKNOWN,	/* calls the address in a register */
	REACH_JUMP_UNKNOWN,
	REACH_RETURN,
	REACH_STOP,		/* a trap, or a call that does not return */
};

struct reach_insn {
	uint64_t	vaddr;
	/* see enum reach_kind; PLAIN: address of a word that it reads */
	uint64_t	target;
	uint8_t		kind;		/* enum reach_kind */
	uint16_t	reg;		/* disassembler's number; CALL_UNKNOWN: register that is
					 * called; PLAIN: that a word is read into; 0: none */
	int32_t		grows;		/* bytes by which it grows the stack */
	uint8_t		sets_arg;	/* it writes the register of the first argument */
	struct image_loc arg;		/* with this; reg IMAGE_REG_NR: with something else */
};

struct reach {
	struct reach_insn	*insns;		/* sorted by address, without gaps */
	size_t			 nr;
	bool			*leads;		/* for each instruction: see reach__towards() */
};

/* Decode the function that contains @vaddr. -ENOENT: there is none, or it is too large. */
int reach__decode(struct reach *r, const struct binary *b, const struct boundaries *bs,
		  uint64_t vaddr);
void reach__free(struct reach *r);

/* Does the function return, or jump to another function that may return? */
bool reach__returns(const struct reach *r);
/* May the instruction directly behind it be executed next? */
bool reach__goes_on(const struct reach_insn *in);
/* Index of the instruction at @vaddr; r->nr: none begins there. */
size_t reach__at(const struct reach *r, uint64_t vaddr);
/*
 * Mark in r->leads all instructions from which, within the function, one can get to an
 * instruction that is marked already. @within, if not NULL: only by way of these
 * instructions, and of a few others that lead straight back to them.
 */
int reach__towards(struct reach *r, const bool *within);
/* Bytes of stack that the function has reserved after its prologue. */
int32_t reach__frame(const struct reach *r);
/* The first argument of the call at @insn; false: not known. */
bool reach__argument(const struct reach *r, size_t insn, struct image_loc *out);

#endif /* DWELL_IMAGE_REACH_H */
