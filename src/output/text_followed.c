/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report's part about what others did during a wait for them: below an await point, a tree
 * of not more than a screen. The longest are shown, and of each the ones that it is below; what
 * is left over has one line where it belongs, so that all that is below a line adds up to it.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/sum.h"
#include "join/crate_path.h"
#include "output/text.h"

#define ENTRIES_SHOWN	12	/* what is left over not counted … */
#define LINES_SHOWN	24	/* … and so many lines, about */
#define SHARE_MIN	100	/* less than one in so many of the await is left over */
#define INDENT		5
#define TIME		8	/* columns */
#define SHARE		9
#define WORDS		(INDENT + TIME + SHARE + 2)
#define WORDS_MIN	16	/* columns for words: deeper entries are not indented further */

struct tree {
	struct text_report		*t;
	const struct join_followed	*list;
	size_t				 nr;
	uint64_t			 whole;	/* the await point's time */
	bool				*shown;	/* by entry */
};

/* ---- what is shown ---- */

/* What is below an entry has no more time than it, and comes behind it. */
static int by_time(const void *a, const void *b)
{
	const struct join_followed *x = *(const struct join_followed *const *)a;
	const struct join_followed *y = *(const struct join_followed *const *)b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* About how many lines it takes. */
static size_t lines_of(const struct tree *tree, const struct join_followed *e)
{
	size_t columns = tree->t->flow.columns, indent = WORDS + 2 * (size_t)e->depth;
	size_t room = indent + WORDS_MIN > columns ? WORDS_MIN : columns - indent;
	size_t words = strlen(e->part) + strlen(e->detail);

	if (e->depth)
		words += strlen(e->place.function) + strlen(e->place.path) + strlen(e->leaf);
	return 1 + words / room;
}

/* 0 or -ENOMEM. */
static int choose(struct tree *tree)
{
	const struct join_followed **order = calloc(tree->nr + 1, sizeof(*order));
	size_t shown = 0, lines = 0;

	tree->shown = calloc(tree->nr + 1, sizeof(*tree->shown));
	if (!order || !tree->shown) {
		free(order);
		return -ENOMEM;
	}
	for (size_t i = 0; i < tree->nr; i++)
		order[i] = &tree->list[i];
	qsort(order, tree->nr, sizeof(*order), by_time);
	for (size_t i = 0; i < tree->nr && shown < ENTRIES_SHOWN; i++) {
		if (order[i]->others)
			continue;
		lines += lines_of(tree, order[i]);
		if (shown && (order[i]->ns < tree->whole / SHARE_MIN || lines > LINES_SHOWN))
			break;
		tree->shown[order[i] - tree->list] = true;
		shown++;
	}
	free(order);
	return 0;
}

/* ---- lines ---- */

static void begin_line(struct tree *tree, uint64_t ns, uint32_t depth)
{
	struct flow *f = &tree->t->flow;
	size_t indent = WORDS + 2 * (size_t)depth;

	if (indent + WORDS_MIN > f->columns)
		indent = f->columns - WORDS_MIN;
	text__right(f->out, "", INDENT);
	text__right(f->out, duration(ns).s, TIME);
	text__right(f->out, percent(ns, tree->whole).s, SHARE);
	text__right(f->out, "", indent - (WORDS - 2));
	flow__begin_behind(f, indent);
}

static void print_source(struct flow *f, const struct join_place *p)
{
	bool whole = *p->path && (p->foreign || crate_path__needed(p->file));

	flow__put(f, "%s", p->function);
	if (*p->file)
		text__path(f, whole ? p->path : p->file, p->line);
}

/* "f (x.rs:12) on Sleep:" */
static void print_await_point(struct flow *f, const struct join_followed *e)
{
	if (*e->place.function)
		print_source(f, &e->place);
	if (*e->place.function && *e->leaf)
		flow__put(f, "on");
	flow__put(f, "%s:", *e->leaf ? e->leaf : *e->place.function ? "" :
					       "(await point not known)");
}

/* "until woken — by task X" */
static void print_what(struct flow *f, const struct join_followed *e)
{
	flow__words(f, e->part);
	if (*e->part && *e->detail)
		flow__put(f, "—");
	flow__words(f, e->detail);
}

static void print_entry(struct tree *tree, const struct join_followed *e)
{
	struct flow *f = &tree->t->flow;

	begin_line(tree, e->ns, e->depth);
	if (e->depth && *e->task && e->segment == JOIN_AWAIT)
		print_await_point(f, e);
	if (e->depth && *e->task && e->segment != JOIN_AWAIT) {
		bool placed = *e->place.function;

		flow__put(f, "%s%s", join_segment__name(e->segment), placed ? " in" :
								     *e->part ? ":" : "");
		if (placed)
			print_source(f, &e->place);
		if (*e->part ? placed : *e->detail)
			flow__put(f, "—");
	}
	print_what(f, e);
	flow__words(f, e->why);
	flow__end(f);
}

/*
 * The siblings in [@at, @end), and what is below them. What is not shown of them is one line, if
 * some are shown; else the line above has to do.
 */
static void print_siblings(struct tree *tree, size_t at, size_t end)
{
	uint32_t depth = tree->list[at].depth;
	size_t hidden = 0;
	bool some = false;
	uint64_t ns = 0;

	for (size_t i = at; i < end; i += 1 + tree->list[i].below)
		some |= tree->shown[i];
	if (!some)
		return;
	for (size_t i = at; i < end; i += 1 + tree->list[i].below) {
		const struct join_followed *e = &tree->list[i];

		if (!tree->shown[i]) {
			hidden += e->others ? e->others : 1;
			sum__add(&ns, e->ns);
			continue;
		}
		print_entry(tree, e);
		if (e->below)
			print_siblings(tree, i + 1, i + 1 + e->below);
	}
	if (!hidden)
		return;
	begin_line(tree, ns, depth);
	flow__put(&tree->t->flow, "%s more", count(hidden).s);
	flow__end(&tree->t->flow);
}

int text_followed__print(struct text_report *t, const struct join_point *p)
{
	struct tree tree = { t, p->followed, p->nr_followed, p->await_ns, NULL };
	int err;

	if (!p->nr_followed)
		return 0;
	err = choose(&tree);
	if (!err) {
		flow__begin(&t->flow, INDENT);
		flow__words(&t->flow, "followed:");
		flow__end(&t->flow);
		print_siblings(&tree, 0, tree.nr);
	}
	free(tree.shown);
	return err;
}
