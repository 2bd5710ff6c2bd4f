/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probe sites: which instruction of a function the kernel can probe cheaply.
 *
 * It knows x86-64 and what the kernel's uprobes emulate; it must not know what the
 * function is.
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
 * Find a site in the function at @vaddr (of @size bytes, 0: not known) that every call
 * passes, with argument @arg (0: rdi, …) in a register. @loops: it is allowed that a
 * call passes the site several times (a compare-and-swap that is retried). If there is
 * no cheap site, it is at the entry, with slow = 1. -ENOENT: there is no code at
 * @vaddr.
 */
int site_finder__entry(struct site_finder *f, uint64_t vaddr, uint64_t size, unsigned int arg,
		       bool loops, struct image_site *out);

/*
 * The same for code that was inlined at [@start, @end), where register @reg (DWARF
 * number) holds the argument; sp_adjust is not set.
 */
int site_finder__inlined(struct site_finder *f, uint64_t start, uint64_t end, unsigned int reg,
			 struct image_site *out);

/* The same for the place that a call returns to. */
int site_finder__return(struct site_finder *f, uint64_t ret, struct image_return *out);

/*
 * Does the function do nothing but return after the call that returns to @ret? 0 if so,
 * and *@popped is the number of bytes that it pops until then. Else -ENOENT.
 */
int site_finder__returns_at_once(struct site_finder *f, uint64_t ret, int64_t *popped);

/* A site at @vaddr, whatever the instruction is. */
int site_finder__at(struct site_finder *f, uint64_t vaddr, struct image_site *out);

/* If the function at @vaddr only jumps to another, that one's address; else @vaddr. */
uint64_t site_finder__thunk(struct site_finder *f, uint64_t vaddr);

/* The offset of the vtable pointer in an object, and of the called function in the vtable. */
struct table_call {
	uint32_t	vtable_off, fn_off;
};

/*
 * Find indirect calls of the form call *fn_off(%r) in [@start, @end), where %r was
 * loaded from vtable_off(%obj) and %obj is passed as the first argument: calls through
 * an object's vtable. Calls @found with each return address.
 */
void site_finder__table_calls(struct site_finder *f, uint64_t start, uint64_t end,
			      const struct table_call *call,
			      void (*found)(void *ctx, uint64_t ret), void *ctx);

/*
 * Find calls in [@start, @end) of an address in a register, or in memory relative to a
 * register. Calls @found with each return address; returns their number.
 */
unsigned int site_finder__indirect_calls(struct site_finder *f, uint64_t start, uint64_t end,
					 void (*found)(void *ctx, uint64_t ret), void *ctx);

/*
 * A quick look at the bytes: may there be such a call in [@start, @end)? Excludes
 * nearly all functions at a hundredth of the cost of decoding them.
 */
bool site_finder__maybe_table_call(struct site_finder *f, uint64_t start, uint64_t end,
				   const struct table_call *call);

/*
 * Find all calls of the function at @target in the whole program. Calls @found with
 * each return address. This compares bytes without decoding instructions; one position
 * in four thousand million looks like such a call by chance.
 */
void site_finder__calls_of(struct site_finder *f, uint64_t target,
			   void (*found)(void *ctx, uint64_t ret), void *ctx);

#endif /* DWELL_IMAGE_SITE_H */
