// SPDX-License-Identifier: GPL-2.0
/* Finds types of tasks whose code was merged with others'. See merged.h. */
#include "image/merged.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text_file.h"

#define NAMED		4	/* other types that a note names */
#define TABLES_MAX	255	/* vtables counted for one function, at most */

struct unpolled {
	uint64_t	likeness;
	uint32_t	next, next_alike;	/* links in its lists */
};

/* What merged tasks have in common: always the scheduler, and usually all sizes. */
static bool describe(const struct merged *m, const uint8_t *cell, uint64_t *scheduler,
		     uint64_t *likeness)
{
	struct die d, t, s;

	if (!die__at_addr(m->ts->di, cell, &d) ||
	    !type__param(m->ts, &d, m->rt->future_param, &t) ||
	    !type__param(m->ts, &d, m->rt->scheduler_param, &s))
		return false;
	*scheduler = cells__type_key(m->ts, &s);
	*likeness = (*scheduler ^ type__size(&d)) * 0x9e3779b97f4a7c15ull ^ type__size(&t);
	return *scheduler && *likeness;
}

static bool is_unpolled(const struct merged *m, size_t i)
{
	const struct cell *c = &m->cells->list[i];
	struct die d;

	/* the first of equal entries in other units stands for all */
	return !c->polled && !(i && c[-1].key == c->key) &&
	       die__at_addr(m->ts->di, c->die, &d) && !m->hidden(m->ctx, &d);
}

static int count_table(void *ctx, uint64_t at, uint64_t to)
{
	struct merged *m = ctx;
	struct hash_slot *nr = to ? hash_table__at(&m->tables, to) : NULL;

	(void)at;
	if (!to)
		return 0;
	if (!nr)
		return -ENOMEM;
	nr->value += nr->value < TABLES_MAX;
	return 0;
}

static int list_unpolled(struct merged *m)
{
	int err = -ENOENT;

	m->list = calloc(m->cells->nr + 1, sizeof(*m->list));
	if (!m->list)
		return -ENOMEM;
	/* in reverse, so that the lists begin with the first */
	for (size_t i = m->cells->nr; i--;) {
		struct unpolled *u = &m->list[i];
		struct hash_slot *first, *first_alike;
		uint64_t scheduler;

		if (!is_unpolled(m, i) ||
		    !describe(m, m->cells->list[i].die, &scheduler, &u->likeness))
			continue;
		first = hash_table__at(&m->unpolled, scheduler);
		first_alike = hash_table__at(&m->alike, u->likeness);
		if (!first || !first_alike)
			return -ENOMEM;
		u->next = (uint32_t)first->value;
		u->next_alike = (uint32_t)first_alike->value;
		first->value = first_alike->value = i + 1;
		err = 0;
	}
	return err;
}

int merged__find(struct merged *m)
{
	int err = list_unpolled(m);

	if (!err)
		err = binary__words(m->b, count_table, m);
	if (err)
		merged__free(m);
	if (err == -ENOMEM)
		m->m->err = err;
	return err;
}

/* The name of tasks of type @cell. Caller frees; NULL: no memory. */
static char *task_name(const struct merged *m, uint32_t cell)
{
	struct die d, future, job;
	char *name, *shorter;

	if (!die__at_addr(m->ts->di, m->cells->list[cell].die, &d) ||
	    !type__param(m->ts, &d, m->rt->future_param, &future))
		return NULL;
	/* a blocking job is named by what it runs */
	if (m->rt->job_param && type__param(m->ts, &future, m->rt->job_param, &job) &&
	    name__is_closure(type__name(&job)))
		future = job;
	name = rust_names__type(m->names, &future);
	shorter = name ? name__shorten(name, false) : NULL;
	free(name);
	return shorter;
}

/* Writes the name of cell @i as number @nr of a list. False: no memory. */
static bool put_name(const struct merged *m, uint32_t i, unsigned int nr, FILE *out)
{
	char *name = nr < NAMED ? task_name(m, i) : NULL;
	bool good = name || nr >= NAMED;

	if (name)
		fprintf(out, "%s%s", nr ? " or " : "", name);
	else if (nr == NAMED)
		fputs(" or others", out);
	free(name);
	return good;
}

/*
 * "a or b": the types that may share a poll function of @scheduler and @likeness, which
 * is the function of @more types besides its own. "": none. NULL: no memory.
 */
static char *list_names(struct merged *m, uint64_t scheduler, uint64_t likeness, unsigned int more)
{
	const struct hash_slot *all = hash_table__find(&m->unpolled, scheduler);
	const struct hash_slot *alike = hash_table__find(&m->alike, likeness);
	uint32_t first = all ? (uint32_t)all->value : 0;
	uint32_t first_alike = alike ? (uint32_t)alike->value : 0;
	unsigned int nr = 0;
	bool good = true;
	struct text_file t;
	FILE *out = text_file__open(&t);
	char *text;

	if (!out)
		return NULL;
	for (uint32_t i = first_alike; i && nr <= NAMED; i = m->list[i - 1].next_alike)
		good &= put_name(m, i - 1, nr++, out);
	for (uint32_t i = nr < more ? first : 0; i && nr <= NAMED; i = m->list[i - 1].next)
		if (m->list[i - 1].likeness != likeness)
			good &= put_name(m, i - 1, nr++, out);
	text = text_file__close(&t);
	if (good)
		return text;
	free(text);
	return NULL;
}

bool merged__note(struct merged *m, uint64_t vaddr, uint64_t cell, const char *name)
{
	const struct cell *c = cells__get(m->cells, cell);
	const struct hash_slot *tables = hash_table__find(&m->tables, vaddr);
	uint64_t scheduler, likeness;
	char *own, *others;
	bool may;

	if (!tables || tables->value < 2 || !c || !describe(m, c->die, &scheduler, &likeness))
		return false;
	others = list_names(m, scheduler, likeness, (unsigned int)tables->value - 1);
	own = name ? name__shorten(name, false) : NULL;
	if (!others || !own)
		m->m->err = -ENOMEM;
	may = others && own && *others;
	if (may)
		model__note(m->m, "tasks called %s may be %s as well: the compiler merged their "
			    "code, since it is the same", own, others);
	free(others);
	free(own);
	return may;
}

void merged__free(struct merged *m)
{
	hash_table__clear(&m->tables);
	hash_table__clear(&m->unpolled);
	hash_table__clear(&m->alike);
	free(m->list);
	m->list = NULL;
}
