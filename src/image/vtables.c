// SPDX-License-Identifier: GPL-2.0
/* Finds vtables of trait objects that can be polled. See vtables.h. */
#include "image/vtables.h"

#include <string.h>

#include "image/names.h"

/* "<T as core::future::future::Future>::{vtable}" */
static bool vtable_wanted(const char *name)
{
	const char *end = strstr(name, ">::{vtable}"), *as = NULL;
	size_t depth = 0;

	if (!end)
		return false;
	/* the last " as " outside of brackets in T */
	for (const char *p = name + 1; p < end; p++) {
		if (*p == '<' || *p == '(' || *p == '[')
			depth++;
		else if ((*p == '>' && p[-1] != '-') || *p == ')' || *p == ']')
			depth -= depth > 0;
		else if (!depth && !strncmp(p, " as ", 4))
			as = p;
	}
	return as && name__is_polled_trait(as + 4);
}

static bool vtable_addr(const struct die *d, uint64_t *out)
{
	struct attr a;

	if (!die__attr(d, DW_AT_location, &a) || !attr__is_block(&a) || !a.v)
		return false;
	switch (a.p[0]) {
	case DW_OP_addr:
		if (a.v != 1u + d->u->addr_size)
			return false;
		*out = read_le(a.p + 1, d->u->addr_size);
		return true;
	case DW_OP_addrx: case DW_OP_GNU_addr_index: {
		const uint8_t *p = a.p + 1;
		struct attr index = { .form = DW_FORM_addrx };

		return read_uleb(&p, a.p + a.v, &index.v) && attr__addr(d->u, &index, out);
	}
	}
	return false;
}

void vtables__add(struct model *m, const struct types *ts, struct futures *f)
{
	const struct scan *sc = ts->sc;

	for (size_t i = 0; i < sc->nr_vtables && !m->err; i++) {
		struct image_vtable *vt;
		struct die d, type, of;
		uint64_t addr;
		uint32_t at, index;

		if (!vtable_wanted(sc->vtables[i].name) ||
		    !die__at_addr(ts->di, sc->vtables[i].die, &d) || !vtable_addr(&d, &addr) ||
		    !addr || !die__ref(ts->di, &d, DW_AT_type, &type) ||
		    !die__ref(ts->di, &type, DW_AT_containing_type, &of) ||
		    !type__resolve(ts, &of))
			continue;
		index = futures__add(f, &of);
		at = model__add(m, MODEL_VTABLES, 1);
		if (at == WALK_NONE)
			return;
		vt = model__at(m, MODEL_VTABLES, at);
		vt->vaddr = addr;
		vt->type = index;
	}
}
