/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probe sites: which instruction of a function the kernel can probe cheaply.
 *
 * It knows x86-64 and what the kernel's uprobes emulate; it must not know
 * what the function is.
 */
#ifndef DWELL_IMAGE_SITE_H
#define DWELL_IMAGE_SITE_H

#include <stdint.h>

#include "image/binary.h"
#include "image/image.h"

struct site_finder;

/* NULL: no memory, or the disassembler does not work. */
struct site_finder *site_finder__new(const struct binary *b);
void site_finder__free(struct site_finder *f);

/*
 * A site in the function at @vaddr (@size bytes, 0: unknown) that every call
 * passes, with argument @arg (0 = rdi, …) in a register. @loops: a call may
 * pass it more than once (a compare-and-swap that is tried again). slow = 1 at
 * the entry if there is none. -ENOENT: no code at @vaddr.
 */
int site_finder__entry(struct site_finder *f, uint64_t vaddr, uint64_t size, unsigned int arg,
		       bool loops, struct image_site *out);

/*
 * The same for code inlined elsewhere, at [@start, @end), where a register
 * (DWARF's number) holds the argument; sp_adjust means nothing there.
 */
int site_finder__inlined(struct site_finder *f, uint64_t start, uint64_t end, unsigned int reg,
			 struct image_site *out);

/* The same for the place that a call returns to. */
int site_finder__return(struct site_finder *f, uint64_t ret, struct image_return *out);

/*
 * Behind the call that returns to @ret, the function does nothing but return in its
 * turn: 0, and by how many bytes the stack has shrunk then (*@popped). Else -ENOENT.
 */
int site_finder__returns_at_once(struct site_finder *f, uint64_t ret, int64_t *popped);

/* The instruction at @vaddr itself, whatever it is. */
int site_finder__at(struct site_finder *f, uint64_t vaddr, struct image_site *out);

/*
 * The function at @vaddr is only a jump to another: its address, else @vaddr.
 */
uint64_t site_finder__thunk(struct site_finder *f, uint64_t vaddr);

/* Where an object has its table, and the table the function that is called. */
struct table_call {
	uint32_t	vtable_off, fn_off;
};

/*
 * Indirect calls of the form call *fn_off(%r) in [@start, @end) where %r was loaded
 * from vtable_off(%obj) and %obj is passed on as the first argument: calls
 * through an object's table. Calls @found with each return address.
 */
void site_finder__table_calls(struct site_finder *f, uint64_t start, uint64_t end,
			      const struct table_call *call,
			      void (*found)(void *ctx, uint64_t ret), void *ctx);

/*
 * Calls in [@start, @end) of what a register holds, or memory that is found by one:
 * calls @found with each return address. How many there are.
 */
unsigned int site_finder__indirect_calls(struct site_finder *f, uint64_t start, uint64_t end,
					 void (*found)(void *ctx, uint64_t ret), void *ctx);

/*
 * A look at the bytes only: may there be such a call in [@start, @end)? Sorts
 * out nearly all functions at a hundredth of the price of decoding them.
 */
bool site_finder__maybe_table_call(struct site_finder *f, uint64_t start, uint64_t end,
				   const struct table_call *call);

/*
 * All calls of the function at @target, wherever they are: @found with each
 * return address. Looks at bytes, not at instructions: one in four thousand
 * million positions looks like a call and is none.
 */
void site_finder__calls_of(struct site_finder *f, uint64_t target,
			   void (*found)(void *ctx, uint64_t ret), void *ctx);

#endif /* DWELL_IMAGE_SITE_H */
