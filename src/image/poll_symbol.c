// SPDX-License-Identifier: GPL-2.0
/* What the symbol of a poll function tells about its task. See poll_symbol.h. */
#include "image/poll_symbol.h"

#include <stdlib.h>
#include <string.h>

#include "image/names.h"

bool poll_symbol__describe(const struct runtime *rt, const char *generics,
			   struct poll_symbol *out)
{
	char *inside = NULL, *job = NULL;
	bool worker;

	out->name = name__generic(generics, 0);
	out->scheduler = name__generic(generics, rt->scheduler_nr);
	out->blocking = rt->blocking_scheduler && out->scheduler &&
			!strcmp(out->scheduler, rt->blocking_scheduler);
	if (!out->blocking || !out->name)
		return true;
	/* "BlockingTask<a::f>" is the job a::f */
	inside = strchr(out->name, '<');
	if (!inside || out->name[strlen(out->name) - 1] != '>')
		return true;
	inside[strlen(inside) - 1] = 0;
	job = name__generic(inside + 1, 0);
	free(out->name);
	out->name = job;
	worker = job && rt->worker_jobs && name__is_below(job, rt->worker_jobs);
	return !worker;
}
