/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a search for a program's debug information: the names of the program,
 * the root directory of each name, and notes about the search for the user.
 *
 * It must not know the files that are searched for.
 */
#ifndef DWELL_IMAGE_DEBUG_SEARCH_H
#define DWELL_IMAGE_DEBUG_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* A name of the executable. @root is "", or the directory that is "/" for this name. */
struct place {
	const char	*root;
	char		*exe;		/* contains a slash */
	int		 dir_len;	/* length before the last slash */
};

struct debug_search {
	void			(*progress)(void *ctx, const char *what, uint64_t done,
					    uint64_t total);
	void			*ctx;
	/* NULL: the target sees the same files as this process */
	char			*target_root;
	const char		*roots[2];
	size_t			 nr_roots;
	struct place		 places[2];
	size_t			 nr_places;
	char			**notes;	/* lines for the user */
	size_t			 nr_notes, cap_notes;
	/* how many bytes compressed sections may still unpack to */
	uint64_t		 unpack;
	int			 err;		/* -ENOMEM; -EIO: a file has changed */
};

/*
 * Prepare a search for the executable at @path; @s is zeroed. 0 or -ENOMEM; free it in
 * both cases.
 */
int debug_search__init(struct debug_search *s, const char *path, const struct image_opts *opts);
void debug_search__free(struct debug_search *s);

/* Note a file that was found and cannot be used. If there is no memory, @s->err is set. */
void debug_search__note(struct debug_search *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* DWELL_IMAGE_DEBUG_SEARCH_H */
