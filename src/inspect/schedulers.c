// SPDX-License-Identifier: GPL-2.0
/* The kinds of schedulers of all runtimes. See schedulers.h. */
#include "inspect/schedulers.h"

#include <string.h>

bool schedulers__init(struct schedulers *s, const struct forms *forms)
{
	size_t nr;

	*s = (struct schedulers){ .img = forms->img };
	s->fns = image__fns(s->img, &nr);
	for (size_t i = 0; i < forms->nr; i++) {
		const struct form *f = &forms->list[i];

		for (size_t k = 0; k < f->tasks->nr_lists; k++) {
			if (s->nr == SCHEDULERS_MAX)
				return false;
			s->kinds[s->nr++] = (struct scheduler_kind){ f, &f->tasks->lists[k] };
		}
	}
	return true;
}

static bool is_below(const char *name, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(name, path, len) && (!name[len] || !strncmp(name + len, "::", 2));
}

const struct scheduler_kind *schedulers__of(const struct schedulers *s, const struct form *f,
					    uint32_t fn)
{
	const char *scheduler = image__str(s->img, s->fns[fn].scheduler);
	const struct scheduler_kind *other = NULL;

	for (size_t i = 0; i < s->nr; i++) {
		const struct scheduler_kind *k = &s->kinds[i];

		if (k->form == f && *k->list->scheduler && is_below(scheduler, k->list->scheduler))
			return k;
		if (k->form == f && !*k->list->scheduler)
			other = k;
	}
	return other;
}
