// SPDX-License-Identifier: GPL-2.0
/* Finds functions by their paths. See symbols_of.h. */
#include "image/symbols_of.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/names.h"
#include "image/wanted.h"

void symbols__of(const struct binary *b, const char *path,
		 void (*each)(void *ctx, const struct symbol *sym, const char *generics),
		 void *ctx)
{
	const char *word = wanted__last_word(path);
	char quick[128];

	/*
	 * Both mangling schemes write a word as its length and the word; comparing that
	 * is much faster than demangling.
	 */
	snprintf(quick, sizeof(quick), "%zu%s", strlen(word), word);
	for (size_t i = 0; i < b->nr_syms; i++) {
		char *name, *generics = NULL;

		if (!strstr(b->syms[i].name, quick))
			continue;
		name = name__of_symbol(b->syms[i].name, &generics);
		if (name && !strcmp(name, path))
			each(ctx, &b->syms[i], generics);
		free(name);
		free(generics);
	}
}
