// SPDX-License-Identifier: GPL-2.0
/*
 * Finds copies of a function that were inlined. See inlined.h.
 *
 * It must not know what the function is, nor what its code looks like.
 */
#include "image/inlined.h"

#include "image/lists.h"

#define MAX_COPIES	64	/* of one function */
static bool is_register(const uint8_t *expr, uint64_t len)
{
	return len == 1 && expr[0] >= DW_OP_reg0 && expr[0] <= DW_OP_reg15;
}

/* Finds the register of parameter @p at the entry of @copy; false: not in a register. */
static bool entry_register(const struct die *copy, const struct die *p, struct inlined_copy *out)
{
	struct die_range code, at;
	struct die_list l;
	struct attr a;

	if (!lists__first_range(copy, &code) || !die__attr(p, DW_AT_location, &a))
		return false;
	if (attr__is_block(&a)) {
		at = (struct die_range){ code.start, code.end, a.p, a.v };
	} else {
		if (!lists__open(p, DW_AT_location, true, &l))
			return false;
		do {
			if (!lists__next(&l, &at))
				return false;
		} while (at.start != code.start);
	}
	if (!is_register(at.expr, at.expr_len))
		return false;
	*out = (struct inlined_copy){ at.start, at.end < code.end ? at.end : code.end,
				      at.expr[0] - DW_OP_reg0 };
	return true;
}

static const uint8_t *target(const struct debug_info *di, const struct die *d, unsigned int name)
{
	struct attr a;

	return die__attr(d, name, &a) ? attr__target(di, d->u, &a) : NULL;
}

/* Parameter number @arg of the function at @d. */
static bool parameter(struct debug_info *di, const struct die *d, unsigned int arg,
		      struct die *out)
{
	if (!die__child(d, out))
		return false;
	do {
		if (out->ab->tag == DW_TAG_formal_parameter && !arg--)
			return true;
	} while (die__next(di, out, out));
	return false;
}

/* The parameter of @copy that is a copy of @origin's number @arg. */
static bool copy_parameter(struct debug_info *di, const struct die *copy, const struct die *origin,
			   unsigned int arg, struct die *out)
{
	struct die wanted;

	if (!parameter(di, origin, arg, &wanted) || !die__child(copy, out))
		return false;
	do {
		if (out->ab->tag == DW_TAG_formal_parameter &&
		    target(di, out, DW_AT_abstract_origin) == wanted.p)
			return true;
	} while (die__next(di, out, out));
	return false;
}

/* The position in a unit whose entries are visited. */
struct entries {
	const struct unit	*u;
	const uint8_t		*p;
};

/* The next entry with tag @tag; false: there is none. */
static bool entries__next(struct entries *e, unsigned int tag, struct die *d)
{
	while (e->p && e->p < e->u->end) {
		if (!*e->p) {
			e->p++;
			continue;
		}
		if (!die__at(e->u, e->p, d))
			return false;
		e->p = die__end_of_attrs(d);
		if (d->ab->tag == tag)
			return true;
	}
	return false;
}

void inlined__find(struct debug_info *di, const struct die *fn, unsigned int arg,
		   inlined_found found, void *ctx)
{
	struct entries e = { fn->u, fn->u->die };
	const uint8_t *last = NULL, *at;
	struct die copy, origin, param;
	struct inlined_copy out;
	int copies = 0;

	while (copies < MAX_COPIES && entries__next(&e, DW_TAG_inlined_subroutine, &copy)) {
		/*
		 * most copies are of other functions, and often of the same one in
		 * succession
		 */
		at = target(di, &copy, DW_AT_abstract_origin);
		if (!at || at == last)
			continue;
		if (!die__at_addr(di, at, &origin) ||
		    (at != fn->p && target(di, &origin, DW_AT_specification) != fn->p)) {
			last = at;
			continue;
		}
		copies++;
		if (copy_parameter(di, &copy, &origin, arg, &param) &&
		    entry_register(&copy, &param, &out))
			found(ctx, &out);
	}
}

/* The entry that copies of @fn refer to; false: it is not inlined anywhere. */
static bool abstract_instance(struct debug_info *di, const struct die *fn, struct die *out)
{
	struct entries e = { fn->u, fn->u->die };
	struct attr a;

	while (entries__next(&e, DW_TAG_subprogram, out))
		if (die__attr(out, DW_AT_inline, &a) &&
		    (out->p == fn->p || target(di, out, DW_AT_specification) == fn->p))
			return true;
	return false;
}

void inlined__find_elsewhere(struct debug_info *di, const struct die *fn, unsigned int arg,
			     inlined_found found, void *ctx)
{
	struct die origin, copy, param;
	struct inlined_copy out;
	int copies = 0;

	if (!abstract_instance(di, fn, &origin))
		return;
	for (size_t i = 0; i < di->nr_units; i++) {
		struct entries e = { di->units[i], di->units[i]->die };

		if (e.u == fn->u)
			continue;
		while (copies < MAX_COPIES && entries__next(&e, DW_TAG_inlined_subroutine, &copy)) {
			if (target(di, &copy, DW_AT_abstract_origin) != origin.p)
				continue;
			copies++;
			if (copy_parameter(di, &copy, &origin, arg, &param) &&
			    entry_register(&copy, &param, &out))
				found(ctx, &out);
		}
	}
}
