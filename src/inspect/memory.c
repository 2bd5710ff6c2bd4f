// SPDX-License-Identifier: GPL-2.0
/*
 * The target's memory in blocks. See memory.h.
 *
 * Reading a block costs some ten times as much as reading a few bytes, so it must be
 * used that often. Whether it is can be seen from the last blocks: if they were not, no
 * blocks are read for a while, and then they are tried again.
 */
#include "inspect/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BLOCK		(32u << 10)	/* bytes; a power of two */
#define BLOCKS		64		/* a power of two */
#define MAX_AGE		20000000ull	/* ns; older ones are read again */
#define TRIAL		32		/* blocks in a trial, after which it is decided whether … */
#define USES		8		/* … each was used so often on average; if not, … */
#define WITHOUT		4096		/* … no blocks are read for so many requests */

struct block {
	uint64_t	base;		/* 0: none; address 0 is never requested */
	uint64_t	ts;
	size_t		len;		/* bytes that could be read both times */
	uint8_t		first[BLOCK], again[BLOCK];
};

struct memory {
	const struct process	*target;
	unsigned int		 loads, uses;	/* in the current trial */
	unsigned int		 without;	/* requests that will still get no block */
	struct block		 blocks[BLOCKS];
};

struct memory *memory__new(const struct process *t)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m)
		m->target = t;
	return m;
}

void memory__free(struct memory *m)
{
	free(m);
}

void memory__forget(struct memory *m)
{
	for (size_t i = 0; i < BLOCKS; i++)
		m->blocks[i].base = 0;
	m->loads = m->uses = m->without = 0;
}

/* Is it worth reading another block? */
static bool worth_it(struct memory *m)
{
	if (m->without) {
		m->without--;
		return false;
	}
	if (m->loads == TRIAL) {
		if (m->uses < TRIAL * USES)
			m->without = WITHOUT;
		m->loads = m->uses = 0;
	}
	return !m->without;
}

static void load(struct memory *m, struct block *b, uint64_t base)
{
	ssize_t n, again;

	m->loads++;
	b->base = base;
	b->ts = clock__now();
	n = process__read_some(m->target, base, b->first, BLOCK);
	again = n > 0 ? process__read_some(m->target, base, b->again, (size_t)n) : 0;
	b->len = again > 0 ? (size_t)again : 0;
}

bool memory__copy(struct memory *m, uint64_t addr, size_t len, void *first, void *again,
		  uint64_t *ts)
{
	uint64_t base = addr & ~(uint64_t)(BLOCK - 1);
	struct block *b = &m->blocks[base / BLOCK % BLOCKS];
	size_t off = (size_t)(addr - base);

	if (!base || len > BLOCK - off)
		return false;
	if (b->base != base || clock__now() - b->ts > MAX_AGE) {
		if (!worth_it(m))
			return false;
		load(m, b, base);
	}
	m->uses++;
	if (off + len > b->len)
		return false;
	if (first)
		memcpy(first, b->first + off, len);
	if (again)
		memcpy(again, b->again + off, len);
	if (ts)
		*ts = b->ts;
	return true;
}
