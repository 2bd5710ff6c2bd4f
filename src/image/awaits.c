// SPDX-License-Identifier: GPL-2.0
/* Finds the source position of each await point of a coroutine. See awaits.h. */
#include "image/awaits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "image/names.h"

#define MAX_NESTING	256	/* lexical blocks */
#define MAX_BODIES	64	/* generic copies of one body that are considered */

/* A body, identified by its environment type. */
struct body {
	uint64_t		 key;
	const struct scan_fn	*fn;
};

/* The variable that holds the future of an await: let mut __awaitee = …; */
struct place {
	uint64_t	 type;		/* hash of its path */
	const char	*path;
	uint32_t	 line;
	bool		 taken;
};

struct places {
	struct place	*p;
	size_t		 nr, cap;
};

struct awaits {
	const struct types	*ts;
	struct line_files	*lines;
	struct body		*bodies;	/* sorted by key */
	size_t			 nr, cap;
	/* types that differ only in their generics count as equal */
	bool			 loose;
};

static uint64_t mix(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3ull;
	return h;
}

/*
 * "{async_fn#0}" and "{async_fn_env#0}" have one key. An async closure's
 * environment is {async_closure_env#0}, its body {closure#0}.
 */
static uint64_t body_key(const struct scope *scope, const char *name)
{
	static const char closure[] = "{async_closure";
	uint64_t h = scope ? scope->hash : 0;
	size_t word = strcspn(name, "#}"), end = strcspn(name, "}");

	if (word >= 4 && !strncmp(name + word - 4, "_env", 4))
		word -= 4;
	if (word == sizeof(closure) - 1 && !strncmp(name, closure, word))
		h = mix(h, "{closure", 8);
	else
		h = mix(h, name, word);
	word = strcspn(name, "#}");
	return mix(h, name + word, end - word);
}

static int body__cmp(const void *a, const void *b)
{
	const struct body *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->fn < y->fn ? -1 : x->fn > y->fn;
}

struct awaits *awaits__new(const struct types *ts, struct line_files *lines)
{
	struct awaits *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->ts = ts;
	a->lines = lines;
	for (size_t i = 0; i < ts->sc->nr_fns; i++) {
		const struct scan_fn *fn = &ts->sc->fns[i];

		if (!fn->body)
			continue;
		if (array__room(&a->bodies, &a->cap, a->nr, sizeof(*a->bodies))) {
			awaits__free(a);
			return NULL;
		}
		a->bodies[a->nr++] = (struct body){ body_key(fn->scope, fn->name), fn };
	}
	if (a->nr)
		qsort(a->bodies, a->nr, sizeof(*a->bodies), body__cmp);
	return a;
}

void awaits__free(struct awaits *a)
{
	if (!a)
		return;
	free(a->bodies);
	free(a);
}

struct source_line awaits__position(struct awaits *a, const struct die *d)
{
	uint64_t file, row;

	if (!die__uint(d, DW_AT_decl_file, &file) || !die__uint(d, DW_AT_decl_line, &row))
		return (struct source_line){ NULL, 0 };
	return (struct source_line){ line_files__path(a->lines, d->u, file), (uint32_t)row };
}

static void position(struct awaits *a, const struct die *d, const char **path, uint32_t *line)
{
	struct source_line at = awaits__position(a, d);

	*path = at.path;
	*line = at.line;
}

static uint64_t type_hash(const struct awaits *a, const struct die *type)
{
	const struct scan_type *t = scan__type_at(a->ts->sc, type->p);
	const char *name;

	if (t && !a->loose)
		return t->hash;
	name = t ? t->name : type__name(type);
	return mix(t && t->scope ? t->scope->hash : 1, name,
		   a->loose ? strcspn(name, "<") : strlen(name));
}

/*
 * Collects the variables in the blocks of a body. Variables of functions inlined into
 * it are left out.
 */
static void collect(struct awaits *a, const struct die *parent, struct places *out,
		    unsigned int depth)
{
	struct die d;

	if (depth > MAX_NESTING || !die__child(parent, &d))
		return;
	do {
		if (d.ab->tag == DW_TAG_lexical_block) {
			collect(a, &d, out, depth + 1);
		} else if (d.ab->tag == DW_TAG_variable && type__named(&d, "__awaitee")) {
			struct place p = { 0 };
			struct die type;

			if (!type__of(a->ts, &d, &type))
				continue;
			p.type = type_hash(a, &type);
			position(a, &d, &p.path, &p.line);
			if (!p.path)
				continue;
			if (array__room(&out->p, &out->cap, out->nr, sizeof(*out->p))) {
				a->ts->di->err = -ENOMEM;
				return;
			}
			out->p[out->nr++] = p;
		}
	} while (die__next(a->ts->di, &d, &d));
}

static int place__cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int by_path;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	by_path = strcmp(x->path, y->path);
	if (by_path)
		return by_path;
	return x->line < y->line ? -1 : x->line > y->line;
}

static void unique(struct places *ps)
{
	size_t n = 0;

	if (!ps->nr)
		return;
	qsort(ps->p, ps->nr, sizeof(*ps->p), place__cmp);
	for (size_t i = 1; i < ps->nr; i++)
		if (place__cmp(&ps->p[n], &ps->p[i]))
			ps->p[++n] = ps->p[i];
	ps->nr = n + 1;
}

/*
 * A state whose position is in a macro's definition in another file gets the position
 * of a variable of its type that no other state has. If there are several such states
 * and variables, they are matched in the order of lines, which is the order of states.
 * If their numbers differ, no match is possible, unless all variables are at one
 * position.
 */
static void give_places(struct awaits *a, struct await_point *points, size_t nr,
			struct places *ps)
{
	unique(ps);
	for (size_t i = 0; i < nr; i++) {
		uint64_t type;

		if (!points[i].has_awaitee || !points[i].path)
			continue;
		type = type_hash(a, &points[i].awaitee);
		for (size_t k = 0; k < ps->nr; k++)
			if (ps->p[k].type == type && ps->p[k].line == points[i].line &&
			    !strcmp(ps->p[k].path, points[i].path))
				ps->p[k].taken = true;
	}
	for (size_t i = 0; i < nr; i++) {
		size_t free_places = 0, states = 0, before = 0;
		const struct place *first = NULL, *mine = NULL;
		bool known = false;
		uint64_t type;

		points[i].place = NULL;
		if (!points[i].has_awaitee || points[i].known)
			continue;
		type = type_hash(a, &points[i].awaitee);
		for (size_t k = 0; k < nr; k++) {
			bool same = points[k].has_awaitee && points[k].path && points[i].path &&
				    points[k].line == points[i].line &&
				    !strcmp(points[k].path, points[i].path) &&
				    type_hash(a, &points[k].awaitee) == type;

			states += same;
			before += same && k < i;
		}
		for (size_t k = 0; k < ps->nr; k++) {
			const struct place *p = &ps->p[k];

			known |= p->type == type;
			if (p->type != type || p->taken ||
			    (points[i].path && !strcmp(p->path, points[i].path)))
				continue;
			first = first ? first : p;
			if (free_places == before)
				mine = p;
			free_places++;
		}
		if (free_places == 1)
			mine = first;
		else if (free_places != states)
			mine = NULL;
		points[i].place = mine;
		points[i].known = known;
	}
	/* from here on, places are compared by type */
	for (size_t i = 0; i < nr; i++) {
		const struct place *p = points[i].place;

		if (!p)
			continue;
		points[i].path = p->path;
		points[i].line = p->line;
	}
}

void awaits__locate(struct awaits *a, const struct die *env, struct await_point *points, size_t nr)
{
	const struct scan_type *t = scan__type_at(a->ts->sc, env->p);
	struct places places = { 0 };
	size_t lo;
	uint64_t key;

	for (size_t i = 0; i < nr; i++) {
		position(a, &points[i].member, &points[i].path, &points[i].line);
		points[i].known = false;
	}
	if (!t)
		return;
	key = body_key(t->scope, t->name);
	lo = BISECT(a->nr, k, a->bodies[k].key < key);
	/*
	 * Where fat LTO has merged equal code, only one of several generic bodies is
	 * left. Its variables serve the others too, with types that differ only in
	 * their generics.
	 */
	for (int loose = 0; loose < 2; loose++) {
		a->loose = loose;
		places.nr = 0;
		for (size_t i = lo; i < a->nr && i < lo + MAX_BODIES && a->bodies[i].key == key;
		     i++) {
			struct die d;

			if (die__at_addr(a->ts->di, a->bodies[i].fn->die, &d))
				collect(a, &d, &places, 0);
		}
		give_places(a, points, nr, &places);
	}
	free(places.p);
}

struct source_line awaits__closure(struct awaits *a, const struct die *env)
{
	const struct scan_type *t = scan__type_at(a->ts->sc, env->p);
	uint64_t key = t ? body_key(t->scope, t->name) : 0;

	for (size_t i = BISECT(a->nr, k, a->bodies[k].key < key);
	     t && i < a->nr && a->bodies[i].key == key; i++) {
		struct source_line at;
		struct die d;

		if (!die__at_addr(a->ts->di, a->bodies[i].fn->die, &d))
			continue;
		at = awaits__position(a, &d);
		if (at.path && at.line)
			return at;
	}
	return (struct source_line){ NULL, 0 };
}

/* ---- locals ---- */

struct locals {
	struct await_local	*p;
	size_t			 nr, cap;
};

static void collect_locals(struct awaits *a, const struct die *parent, struct locals *out,
			   unsigned int depth)
{
	struct die d, type;

	if (depth > MAX_NESTING || !die__child(parent, &d))
		return;
	do {
		if (d.ab->tag == DW_TAG_lexical_block) {
			collect_locals(a, &d, out, depth + 1);
			continue;
		}
		if (d.ab->tag != DW_TAG_variable || type__named(&d, "__awaitee") ||
		    !*type__name(&d) || !type__of(a->ts, &d, &type))
			continue;
		if (array__room(&out->p, &out->cap, out->nr, sizeof(*out->p))) {
			a->ts->di->err = -ENOMEM;
			return;
		}
		out->p[out->nr++] = (struct await_local){ type__name(&d), awaits__type(a, &type),
							  awaits__position(a, &d) };
	} while (die__next(a->ts->di, &d, &d));
}

uint64_t awaits__type(const struct awaits *a, const struct die *type)
{
	return type_hash(a, type);
}

struct await_local *awaits__locals(struct awaits *a, const struct die *env, size_t *nr)
{
	const struct scan_type *t = scan__type_at(a->ts->sc, env->p);
	struct locals locals = { .nr = 0 };
	uint64_t key = t ? body_key(t->scope, t->name) : 0;

	a->loose = true;	/* merged code: see awaits__locate() */
	for (size_t i = BISECT(a->nr, k, a->bodies[k].key < key), n = 0;
	     t && i < a->nr && n < MAX_BODIES && a->bodies[i].key == key && !locals.nr; i++, n++) {
		struct die d;

		if (die__at_addr(a->ts->di, a->bodies[i].fn->die, &d))
			collect_locals(a, &d, &locals, 0);
	}
	*nr = locals.nr;
	return locals.p;
}
