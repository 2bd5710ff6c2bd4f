// SPDX-License-Identifier: GPL-2.0
/* The names of wanted functions. See wanted.h. */
#include "image/wanted.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/runtime.h"

#define MAX_WANTED	64

const char *wanted__last_word(const char *path)
{
	const char *colon = strrchr(path, ':');

	return colon ? colon + 1 : path;
}

static const char *wanted[MAX_WANTED];

static size_t want(size_t n, const char *word)
{
	for (size_t k = 0; k < n; k++)
		if (!strcmp(wanted[k], word))
			return n;
	if (n < MAX_WANTED - 1)
		wanted[n++] = word;
	return n;
}

/*
 * The explorer finds out from poll functions which types are futures, so these are
 * wanted for all runtimes.
 */
static void fill_wanted(void)
{
	static const char *const polls[] = { "poll", "poll_next", "try_poll" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++)
		n = want(n, polls[i]);
	for (unsigned int r = 0; runtimes[r]; r++) {
		for (size_t i = 0; i < runtimes[r]->nr_fns; i++)
			n = want(n, wanted__last_word(runtimes[r]->fns[i].path));
		for (size_t i = 0; i < runtimes[r]->nr_roots; i++)
			n = want(n, wanted__last_word(runtimes[r]->roots[i].path));
	}
}

const char *const *wanted__names(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fill_wanted);
	return wanted;
}
