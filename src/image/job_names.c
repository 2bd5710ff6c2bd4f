// SPDX-License-Identifier: GPL-2.0
/*
 * What blocking jobs are called. See job_names.h. It must not know of layouts.
 */
#include "image/job_names.h"

#include <stdlib.h>
#include <string.h>

/*
 * The last generic argument of @word in a symbol of a function inlined at or
 * below @d: "web::read_file" of drop_in_place<…BlockingTask<web::read_file>…>.
 */
static char *argument_below(const struct job_names *n, const struct die *d, const char *word,
			    unsigned int depth)
{
	struct die child, origin;
	char *found = NULL;

	if (depth > 32 || !die__child(d, &child))
		return NULL;
	do {
		const char *linkage;

		if (child.ab->tag != DW_TAG_inlined_subroutine &&
		    child.ab->tag != DW_TAG_lexical_block)
			continue;
		if (die__ref(n->ts->di, &child, DW_AT_abstract_origin, &origin)) {
			linkage = die__str(&origin, DW_AT_linkage_name);
			if (linkage && strstr(linkage, word))
				found = name__argument(linkage, word);
			/* "T", where the function is generic itself */
			if (found && !strstr(found, "::")) {
				free(found);
				found = NULL;
			}
		}
		if (!found)
			found = argument_below(n, &child, word, depth + 1);
	} while (!found && die__next(n->ts->di, &child, &child));
	return found;
}

/* The entry of the function whose code begins at @vaddr. */
static bool fn_at(const struct job_names *n, uint64_t vaddr, struct die *out)
{
	const uint8_t *die = copies__at(n->copies, vaddr);

	return die && die__at_addr(n->ts->di, die, out);
}

/* Argument @nr of the type at @d, as its name has it. NULL: there is none, or no memory. */
static char *generic_argument(const struct job_names *n, const struct die *d, unsigned int nr)
{
	char *name = rust_names__type(n->names, d), *text = NULL;
	char *inside = name ? strchr(name, '<') : NULL;

	if (inside && name[strlen(name) - 1] == '>') {
		name[strlen(name) - 1] = '\0';
		text = name__generic(inside + 1, nr);
	}
	free(name);
	return text;
}

char *job_names__of(const struct job_names *n, uint64_t vaddr,
		    const struct die *fn_die, const struct die *future)
{
	char *name = NULL, word[64];
	struct die job, body;

	if (n->rt->job_param[0] == '#')
		return generic_argument(n, future, (unsigned int)atoi(n->rt->job_param + 1));
	if (!type__param(n->ts, future, n->rt->job_param, &job))
		return NULL;
	if (!strncmp(type__name(&job), "fn(", 3)) {
		const char *type = type__name(future);

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(type, "<"), type);
		if (fn_at(n, site_finder__thunk(n->sites, vaddr), &body))
			name = argument_below(n, &body, word, 0);
		if (!name)
			name = argument_below(n, fn_die, word, 0);
	}
	return name ? name : rust_names__type(n->names, &job);
}

bool job_names__closure(const struct job_names *n, const struct die *future, struct die *out)
{
	return n->rt->job_param[0] != '#' && type__param(n->ts, future, n->rt->job_param, out) &&
	       name__is_closure(type__name(out));
}
