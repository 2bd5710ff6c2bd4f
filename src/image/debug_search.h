/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a search for a program's debugging information goes by: under which
 * names the program is known, and which "/" they begin at; and what the user
 * is to be told of the search.
 *
 * It must not know of the files that are looked for.
 */
#ifndef DWELL_IMAGE_DEBUG_SEARCH_H
#define DWELL_IMAGE_DEBUG_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* A name of the executable. @root: "", or what stands for "/" in its name. */
struct place {
	const char	*root;
	char		*exe;		/* with a slash at least */
	int		 dir_len;	/* before the last of them */
};

struct debug_search {
	void			(*progress)(void *ctx, const char *what, uint64_t done,
					    uint64_t total);
	void			*ctx;
	char			*target_root;	/* NULL: the target sees the files we see */
	const char		*roots[2];
	size_t			 nr_roots;
	struct place		 places[2];
	size_t			 nr_places;
	char			**notes;	/* lines for the user */
	size_t			 nr_notes, cap_notes;
	uint64_t		 unpack;	/* bytes that may come out of compressed sections */
	int			 err;		/* -ENOMEM; -EIO: a file has changed */
};

/* For the executable at @path; @s is all zero. 0 or -ENOMEM; free it in either case. */
int debug_search__init(struct debug_search *s, const char *path, const struct image_opts *opts);
void debug_search__free(struct debug_search *s);

/* Take a note of what was found and cannot be used. Out of memory: see @s->err. */
void debug_search__note(struct debug_search *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* DWELL_IMAGE_DEBUG_SEARCH_H */
