// SPDX-License-Identifier: GPL-2.0
/*
 * The target's memory in blocks. See memory.h.
 *
 * A block costs some ten times what a few bytes cost, so it has to be of use that
 * often. Whether it is, the last ones tell: if they were not, blocks are done
 * without for a while, and then tried again.
 */
#include "inspect/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BLOCK		(32u << 10)	/* bytes; a power of two */
#define BLOCKS		64		/* a power of two */
#define MAX_AGE		20000000ull	/* ns; older ones are read anew */
#define TRIAL		32		/* blocks after which it is decided whether they pay … */
#define USES		8		/* … if each was of use so often … */
#define WITHOUT		4096		/* … or to do without, for so many requests */

struct block {
	uint64_t	base;		/* 0: none; the first of all is never asked for */
	uint64_t	ts;
	size_t		len;		/* bytes that could be read, both times */
	uint8_t		first[BLOCK], again[BLOCK];
};

struct memory {
	const struct process	*target;
	unsigned int		 loads, uses;	/* of this trial */
	unsigned int		 without;	/* requests to come that get no block */
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

/* Is another block worth reading? */
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
