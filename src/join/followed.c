/* SPDX-License-Identifier: GPL-2.0 */
/* Trees of what the sources of waits did, by await points. See followed.h. */
#include "join/followed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/hash_table.h"
#include "base/quantity.h"
#include "base/sum.h"
#include "join/blocks.h"
#include "join/follow.h"
#include "join/lookup.h"
#include "join/others.h"
#include "join/sampled.h"

/* Running time is divided into functions until there are so many entries for it. */
#define RUNNING_MAX	(1u << 18)

/* Names are compared by their addresses; this is the only empty one. */
static const char none[] = "";

struct entry {
	struct join_followed	told;	/* ns: in exactly this, then with what is below it */
	uint32_t		parent;	/* index + 1; 0: a wait at @point */
	uint32_t		point;
	bool			above;	/* something is below it */
};

/* The functions in which an account was running. */
struct functions {
	struct sampled_function	*list;
	size_t			 nr;
};

struct followed {
	struct entry		 *entries;
	size_t			  nr, cap;
	struct hash_table	  index;	/* index + 1 by content */
	struct functions	 *functions;
	size_t			  nr_functions, cap_functions;
	struct hash_table	  functions_of;	/* index + 1 by account */
	size_t			  nr_running;	/* entries that running time was divided into */
	struct join_followed	 *list;		/* the trees, one behind another */
	size_t			 *first;	/* of each point; and one more, the end */
	uint32_t		  nr_points;
};

/* ---- entries: equal content becomes one ---- */

static bool is_same(const struct join_followed *a, const struct join_followed *b)
{
	return a->task == b->task && a->segment == b->segment &&
	       a->place.function == b->place.function && a->place.path == b->place.path &&
	       a->place.file == b->place.file && a->place.line == b->place.line &&
	       a->leaf == b->leaf && a->part == b->part && a->detail == b->detail &&
	       a->why == b->why;
}

static uint64_t hash(struct followed *f, const struct entry *e)
{
	const struct join_followed *t = &e->told;
	const uintptr_t content[] = {
		e->parent, e->point, t->segment, t->place.line, (uintptr_t)t->task,
		(uintptr_t)t->place.function, (uintptr_t)t->place.path, (uintptr_t)t->place.file,
		(uintptr_t)t->leaf, (uintptr_t)t->part, (uintptr_t)t->detail, (uintptr_t)t->why,
	};

	return hash_table__key(&f->index, (const char *)content, sizeof(content));
}

static void make_comparable(const char **name)
{
	*name = **name ? *name : none;
}

/* Adds @ns to the entry with the content of @e. Its index + 1; 0: no memory. */
static uint32_t add(struct followed *f, struct entry *e, uint64_t ns)
{
	struct hash_slot *slot;

	make_comparable(&e->told.task);
	make_comparable(&e->told.place.function);
	make_comparable(&e->told.place.file);
	make_comparable(&e->told.place.path);
	make_comparable(&e->told.leaf);
	make_comparable(&e->told.part);
	make_comparable(&e->told.detail);
	make_comparable(&e->told.why);
	for (uint64_t key = hash(f, e);; key++) {
		const struct entry *other;

		slot = hash_table__at(&f->index, key);
		if (!slot)
			return 0;
		if (!slot->value)
			break;
		other = &f->entries[slot->value - 1];
		if (other->parent == e->parent && other->point == e->point &&
		    is_same(&other->told, &e->told)) {
			sum__add(&f->entries[slot->value - 1].told.ns, ns);
			return (uint32_t)slot->value;
		}
	}
	if (array__room(&f->entries, &f->cap, f->nr, sizeof(*f->entries)))
		return 0;
	f->entries[f->nr] = *e;
	f->entries[f->nr].told.ns = ns;
	slot->value = ++f->nr;
	if (e->parent)
		f->entries[e->parent - 1].above = true;
	return (uint32_t)slot->value;
}

/* ---- content ---- */

static const struct join_followed nothing = {
	.task = none, .place = { none, none, none, 0, false }, .leaf = none, .part = none,
	.detail = none, .why = none,
};

/* @above: it is a wait at an await point, whose details are told with it. */
static int tell_await(struct join *j, const struct sum_key *k, bool above, struct join_followed *t)
{
	const struct account *a = accounts__account(j->accounts, k->account);
	const struct point *p = accounts__point(j->accounts, a->point);

	t->place = (struct join_place){ p->function, p->file, p->path, p->line, p->foreign };
	t->leaf = p->leaf;
	/* Where it came from before it ended the wait is what stands below. */
	if (k->detail.kind == DETAIL_BY_TASK && !above)
		t->detail = accounts__waker_detail(j->accounts,
						   wakers__get(&j->wakers, k->detail.id)->kind,
						   NO_CHAIN);
	else if (k->detail.kind != DETAIL_NONE)
		t->detail = detail_name(j, k->detail);
	return t->detail ? 0 : -ENOMEM;
}

static int tell_blocked(struct join *j, const struct sum_key *k, struct join_followed *t)
{
	struct join_sleep s;

	if (k->detail.kind != DETAIL_SLEEP)
		return 0;
	if (blocks__sleep(j, k->detail.id, &s))
		return -ENOMEM;
	t->place = s.place;
	t->detail = *s.what ? s.what : s.kernel;
	if (s.probe && !*t->part)
		t->part = part__name(PART_PROBE);
	return 0;
}

/* What a task did, for which time was added up by @k. @above: see tell_await(). */
static int tell(struct join *j, const struct sum_key *k, bool above, struct join_followed *t)
{
	uint32_t kind = accounts__account(j->accounts, k->account)->kind;

	*t = nothing;
	t->segment = k->segment;
	t->part = part__name(k->part);
	t->task = accounts__task_name(j->accounts, kind);
	if (!t->task)
		return -ENOMEM;
	if (k->segment == JOIN_AWAIT)
		return tell_await(j, k, above, t);
	if (k->segment == JOIN_BLOCKED)
		return tell_blocked(j, k, t);
	if (k->detail.kind != DETAIL_NONE)
		t->detail = detail_name(j, k->detail);
	return t->detail ? 0 : -ENOMEM;
}

/* NULL: no memory. */
static const struct functions *functions_of(struct join *j, struct followed *f, uint32_t account)
{
	struct hash_slot *slot = hash_table__at(&f->functions_of, account);
	struct functions *made;

	if (!slot)
		return NULL;
	if (slot->value)
		return &f->functions[slot->value - 1];
	if (array__room(&f->functions, &f->cap_functions, f->nr_functions, sizeof(*f->functions)))
		return NULL;
	made = &f->functions[f->nr_functions];
	made->list = sampled__functions(j, account, &made->nr);
	if (!made->list)
		return NULL;
	slot->value = ++f->nr_functions;
	return made;
}

/* Running time @ns of @account: by the functions in which its samples are. */
static int add_running(struct join *j, struct followed *f, struct entry *e, uint32_t account,
		       uint64_t ns)
{
	const struct functions *functions = functions_of(j, f, account);
	uint64_t total = 0, before = 0;

	if (!functions)
		return -ENOMEM;
	if (functions->nr && f->nr_running + functions->nr > RUNNING_MAX)
		e->told.why = follow__why(FOLLOW_STACKS);
	if (!functions->nr || *e->told.why)
		return add(f, e, ns) ? 0 : -ENOMEM;
	f->nr_running += functions->nr;
	for (size_t i = 0; i < functions->nr; i++)
		total += functions->list[i].samples;
	for (size_t i = 0; i < functions->nr; i++) {
		uint64_t after = before + functions->list[i].samples;
		uint64_t part = samples__part(ns, before, after, total);

		before = after;
		e->told.place = functions->list[i].place;
		if (part && !add(f, e, part))
			return -ENOMEM;
	}
	return 0;
}

/* Is the wait with that key selected, of whatever task? */
static bool is_selected(struct join *j, const struct sum_key *k)
{
	return selection__has(j, accounts__account(j->accounts, k->account)->kind) &&
	       selection__has_sum(j, k);
}

/* @made: for each of the nodes before, the index + 1 of its entry; 0: none. */
static int add_node(struct join *j, struct followed *f, const struct follow_node *n,
		    const uint32_t *made, uint32_t *out)
{
	struct entry e = { .told = nothing, .parent = n->parent ? made[n->parent - 1] : 0 };
	int err;

	*out = 0;
	if (n->parent ? !e.parent : !is_selected(j, &n->key))
		return 0;
	if (n->end != FOLLOW_ON) {
		e.told.segment = JOIN_UNATTRIBUTED;
		e.told.why = follow__why(n->end);
	} else {
		err = tell(j, &n->key, !n->parent, &e.told);
		if (err)
			return err;
	}
	e.point = n->parent ? f->entries[e.parent - 1].point :
			      accounts__account(j->accounts, n->key.account)->point;
	if (n->end == FOLLOW_ON && n->key.segment == JOIN_RUNNING && n->key.part == PART_NONE)
		return add_running(j, f, &e, n->key.account, n->ns);
	*out = add(f, &e, n->ns);
	return *out ? 0 : -ENOMEM;
}

static int add_nodes(struct join *j, struct followed *f)
{
	size_t nr;
	const struct follow_node *nodes = follow__nodes(j->follow, &nr);
	uint32_t *made = calloc(nr + 1, sizeof(*made));
	int err = made ? 0 : -ENOMEM;

	for (size_t i = 0; i < nr && !err; i++)
		err = add_node(j, f, &nodes[i], made, &made[i]);
	free(made);
	return err;
}

/* Of some of these waits the source was not known: what stands below has to be all of it. */
static int add_unknown(struct followed *f)
{
	size_t nr = f->nr;

	for (size_t i = 0; i < nr; i++) {
		struct entry e = { .told = nothing, .parent = (uint32_t)i + 1,
				   .point = f->entries[i].point };
		uint64_t ns = f->entries[i].told.ns;

		if (!f->entries[i].above || !ns)
			continue;
		e.told.segment = JOIN_UNATTRIBUTED;
		e.told.why = follow__why(FOLLOW_UNKNOWN);
		f->entries[i].told.ns = 0;
		if (!add(f, &e, ns))
			return -ENOMEM;
	}
	return 0;
}

/* ---- trees ---- */

static int by_names(const struct join_followed *a, const struct join_followed *b)
{
	const char *const x[] = { a->task, a->place.function, a->place.path, a->leaf, a->part,
				  a->detail, a->why };
	const char *const y[] = { b->task, b->place.function, b->place.path, b->leaf, b->part,
				  b->detail, b->why };
	int c = 0;

	for (size_t i = 0; i < sizeof(x) / sizeof(*x) && !c; i++)
		c = strcmp(x[i], y[i]);
	if (!c && a->segment != b->segment)
		c = a->segment < b->segment ? -1 : 1;
	if (!c && a->place.line != b->place.line)
		c = a->place.line < b->place.line ? -1 : 1;
	return c;
}

/* Siblings lie together, the longest first; waits at points are behind one another. */
static int by_place_in_tree(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int c;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	if (x->told.ns != y->told.ns)
		return x->told.ns > y->told.ns ? -1 : 1;
	c = by_names(&x->told, &y->told);
	return c ? c : x < y ? -1 : x > y;
}

/* Entries in the order of by_place_in_tree(), and where the trees are written to. */
struct writing {
	struct join		*join;
	struct followed		*f;
	const struct entry	**order;
	struct join_followed	*out;
	size_t			 nr;
};

/* The siblings with less time, as one entry without anything below it. */
static int write_others(struct writing *w, const struct entry *const *rest, size_t nr,
			uint32_t depth)
{
	struct join_followed *out = &w->out[w->nr++];
	char count[QUANTITY_MAX];

	*out = nothing;
	out->segment = rest[0]->told.segment;
	out->depth = depth;
	out->others = nr;
	for (size_t i = 0; i < nr; i++) {
		sum__add(&out->ns, rest[i]->told.ns);
		if (rest[i]->told.segment != out->segment)
			out->segment = JOIN_SEGMENT_NR;
	}
	out->detail = frame_names__safef(w->join->names, "%s others", quantity__count(nr, count));
	return out->detail ? 0 : -ENOMEM;
}

/* Writes siblings, and below each what is below it. Not deeper than sources are followed. */
static int write_siblings(struct writing *w, const struct entry *const *list, size_t nr,
			  uint32_t depth)
{
	size_t shown = nr > OTHERS_FROM ? OTHERS_FROM - 1 : nr;
	int err = 0;

	for (size_t i = 0; i < shown && !err; i++) {
		uint32_t number = (uint32_t)(list[i] - w->f->entries) + 1;
		size_t at = w->nr++, first, end;

		w->out[at] = list[i]->told;
		w->out[at].depth = depth;
		if (!list[i]->above)
			continue;
		first = BISECT(w->f->nr, k, w->order[k]->parent < number);
		for (end = first; end < w->f->nr && w->order[end]->parent == number;)
			end++;
		err = write_siblings(w, w->order + first, end - first, depth + 1);
		w->out[at].below = (uint32_t)(w->nr - at - 1);
	}
	return shown < nr && !err ? write_others(w, list + shown, nr - shown, depth) : err;
}

static int write_trees(struct writing *w)
{
	struct followed *f = w->f;
	size_t at = 0, end;
	int err = 0;

	for (uint32_t p = 0; p < f->nr_points && !err; p++) {
		f->first[p] = w->nr;
		for (end = at; end < f->nr && !w->order[end]->parent && w->order[end]->point == p;)
			end++;
		err = write_siblings(w, w->order + at, end - at, 0);
		at = end;
	}
	f->first[f->nr_points] = w->nr;
	return err;
}

static int make_trees(struct join *j, struct followed *f)
{
	struct writing w = { .join = j, .f = f };
	int err = -ENOMEM;

	/* Parents come before their children. */
	for (size_t i = f->nr; i--;)
		if (f->entries[i].parent)
			sum__add(&f->entries[f->entries[i].parent - 1].told.ns,
				 f->entries[i].told.ns);
	f->nr_points = accounts__nr_points(j->accounts);
	f->first = calloc(f->nr_points + 1ul, sizeof(*f->first));
	f->list = calloc(f->nr + 1, sizeof(*f->list));
	w.order = calloc(f->nr + 1, sizeof(*w.order));
	w.out = f->list;
	if (f->first && f->list && w.order) {
		for (size_t i = 0; i < f->nr; i++)
			w.order[i] = &f->entries[i];
		qsort(w.order, f->nr, sizeof(*w.order), by_place_in_tree);
		err = write_trees(&w);
	}
	free(w.order);
	return err;
}

static void forget_entries(struct followed *f)
{
	for (size_t i = 0; i < f->nr_functions; i++)
		free(f->functions[i].list);
	free(f->functions);
	free(f->entries);
	hash_table__clear(&f->functions_of);
	hash_table__clear(&f->index);
	f->functions = NULL;
	f->entries = NULL;
	f->nr_functions = 0;
}

int followed__make(struct join *j)
{
	struct followed *f;
	int err;

	if (!j->follow)
		return 0;
	f = j->followed = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	err = add_nodes(j, f);
	if (!err)
		err = add_unknown(f);
	if (!err)
		err = make_trees(j, f);
	forget_entries(f);
	return err;
}

const struct join_followed *followed__of(const struct join *j, uint32_t point, size_t *nr)
{
	const struct followed *f = j->followed;

	*nr = 0;
	if (!f || point >= f->nr_points)
		return NULL;
	*nr = f->first[point + 1] - f->first[point];
	return f->list + f->first[point];
}

void followed__free(struct followed *f)
{
	if (!f)
		return;
	forget_entries(f);
	free(f->list);
	free(f->first);
	free(f);
}
