// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the poll functions of the runtime's own workers. See workers.h. It must not
 * know debug information.
 */
#include "image/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/symbols_of.h"

/*
 * Levels of calls from the worker's loop up to raw::poll: Core::poll, Harness::poll,
 * and one more.
 */
#define LEVELS	4

static bool has(const struct workers *w, uint64_t vaddr)
{
	for (unsigned int i = 0; i < w->nr; i++)
		if (w->vaddr[i] == vaddr)
			return true;
	return false;
}

static void add(struct workers *w, uint64_t vaddr)
{
	if (w->nr < WORKERS_MAX && !has(w, vaddr))
		w->vaddr[w->nr++] = vaddr;
}

static void add_symbol(void *ctx, const struct symbol *sym, const char *generics)
{
	(void)generics;
	add(ctx, sym->vaddr);
}

/* Adds the functions whose path is the @len bytes at @path. */
static void add_named(struct workers *w, const struct binary *b, const char *path, size_t len)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "%.*s", (int)len, path);
	symbols__of(b, whole, add_symbol, w);
}

/*
 * The targets of calls that lead to @below: its functions, or words that contain their
 * addresses.
 */
struct targets {
	const struct workers	*below;
	uint64_t		 words[2 * WORKERS_MAX];
	size_t			 nr_words;
};

static void find_words(struct targets *t, const struct binary *b)
{
	t->nr_words = 0;
	for (unsigned int i = 0; i < t->below->nr; i++)
		t->nr_words += binary__words_of(b, t->below->vaddr[i], t->words + t->nr_words,
						2 * WORKERS_MAX - t->nr_words);
}

/* Is there a call or jump to one of the targets at @p, whose address is @vaddr? */
static bool leads_to(const struct targets *t, const uint8_t *p, uint64_t vaddr)
{
	bool direct = p[0] == 0xe8 || p[0] == 0xe9;			/* call, jmp rel32 */
	bool word = p[0] == 0xff && (p[1] == 0x15 || p[1] == 0x25);	/* call, jmp *word(%rip) */
	int32_t rel;
	uint64_t to;

	if (!direct && !word)
		return false;
	memcpy(&rel, p + (direct ? 1 : 2), sizeof(rel));
	to = vaddr + (direct ? 5 : 6) + (uint64_t)(int64_t)rel;
	if (direct)
		return has(t->below, to);
	for (size_t i = 0; i < t->nr_words; i++)
		if (t->words[i] == to)
			return true;
	return false;
}

/* Adds the functions that call something in @below. */
static void add_callers(struct workers *w, const struct binary *b, const struct workers *below)
{
	struct targets t = { .below = below };

	find_words(&t, b);
	for (size_t s = 0; s < b->nr_segs; s++) {
		const struct segment *seg = &b->segs[s];
		const uint8_t *code;
		size_t n;

		code = binary__code(b, seg->vaddr, &n);
		for (uint64_t i = 0; code && i + 6 <= n; i++) {
			const struct symbol *in;

			if (!leads_to(&t, code + i, seg->vaddr + i))
				continue;
			in = binary__symbol_at(b, seg->vaddr + i);
			if (in)
				add(w, in->vaddr);
		}
	}
}

void workers__find(struct workers *w, const struct binary *b, const char *loops)
{
	unsigned int before = 0;

	w->nr = 0;
	for (size_t len; *loops; loops += len + (loops[len] == '|')) {
		len = strcspn(loops, "|");
		add_named(w, b, loops, len);
	}
	for (int i = 0; i < LEVELS && w->nr > before; i++) {
		struct workers below = *w;

		before = w->nr;
		add_callers(w, b, &below);
	}
}

bool workers__have(const struct workers *w, struct site_finder *sites, uint64_t vaddr)
{
	return has(w, vaddr) || has(w, site_finder__thunk(sites, vaddr));
}
