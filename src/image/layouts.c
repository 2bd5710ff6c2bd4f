// SPDX-License-Identifier: GPL-2.0
/* The adapters' layouts in a program. See layouts.h. */
#include "image/layouts.h"

#include <string.h>

#include "image/scan.h"
#include "runtime/runtime.h"

/* The type at @path, which has no generics; if there is none, the first that is generic. */
static bool type_at(const struct types *ts, const char *path, struct die *out)
{
	const struct scan *sc = ts->sc;
	const struct scan_type *t = scan__type_by_path(sc, path, strlen(path));
	const char *name = strrchr(path, ':') ? strrchr(path, ':') + 1 : path;
	size_t len = strlen(name);

	if (t)
		return die__at_addr(ts->di, t->die, out) && type__resolve(ts, out);
	for (t = sc->types; t < sc->types + sc->nr_types; t++)
		if (t->name && !strncmp(t->name, name, len) && t->name[len] == '<' &&
		    !t->declaration && die__at_addr(ts->di, t->die, out) &&
		    type__is(ts, out, path) && type__resolve(ts, out))
			return true;
	return false;
}

void layouts__find(struct model *m, const struct types *ts)
{
	for (unsigned int r = 0; runtimes[r]; r++) {
		const struct runtime *rt = runtimes[r];
		uint32_t first = model__add(m, MODEL_LAYOUTS, rt->nr_layouts);

		if (first == WALK_NONE)
			return;
		for (size_t i = 0; i < rt->nr_layouts && ts; i++) {
			const struct runtime_layout *l = &rt->layouts[i];
			struct die d;

			if (type_at(ts, l->type, &d))
				type__path(ts, &d, l->path,
					   model__at(m, MODEL_LAYOUTS, first + (uint32_t)i),
					   NULL);
		}
	}
}
