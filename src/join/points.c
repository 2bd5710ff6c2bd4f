/* SPDX-License-Identifier: GPL-2.0 */
/* Await points with their splits, made from the sums. See points.h. */
#include "join/points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/followed.h"
#include "join/frames.h"
#include "join/others.h"

/* What a sum of an await point is: they come in this order. */
enum point_sum_kind { SUM_PART, SUM_DETAIL, SUM_CALLER };

#define SUMS_OF_ONE	3	/* kinds of sums that one sum of the joiner counts in */

/* A part, a detail or a caller that will become part of an await point. */
struct point_sum {
	uint32_t	 point;
	enum point_sum_kind kind;
	const char	*name;
	uint64_t	 ns;
};

static int by_name(const void *a, const void *b)
{
	const struct point_sum *x = a, *y = b;

	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_ns(const void *a, const void *b)
{
	const struct point_sum *x = a, *y = b;

	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static size_t merge_sums(struct point_sum *sums, size_t nr)
{
	size_t out = 0;

	qsort(sums, nr, sizeof(*sums), by_name);
	for (size_t i = 0; i < nr; i++) {
		if (out && !by_name(&sums[out - 1], &sums[i]))
			sum__add(&sums[out - 1].ns, sums[i].ns);
		else
			sums[out++] = sums[i];
	}
	qsort(sums, out, sizeof(*sums), by_ns);
	return out;
}

/* All parts, details and callers of waits, *@nr of them. NULL: no memory. */
static struct point_sum *collect_sums(struct join *j, size_t *nr)
{
	struct point_sum *sums = calloc(j->sums.sums.nr * (size_t)SUMS_OF_ONE + 1, sizeof(*sums));

	*nr = 0;
	for (uint32_t i = 0; sums && i < j->sums.sums.size; i++) {
		const struct sum *s = &j->sums.sums.entries[i];
		struct point_sum of = { .ns = s->ns };
		const struct account *account;

		if (!s->ns || s->key.segment != JOIN_AWAIT || !selection__has_sum(j, &s->key))
			continue;
		account = accounts__account(j->accounts, s->key.account);
		of.point = account->point;
		of.name = part__name(s->key.part);
		sums[(*nr)++] = of;
		if (account->caller) {
			of.kind = SUM_CALLER;
			of.name = account->caller;
			sums[(*nr)++] = of;
		}
		if (s->key.detail.kind == DETAIL_NONE)
			continue;
		of.kind = SUM_DETAIL;
		of.name = detail_name(j, s->key.detail);
		if (!of.name) {
			free(sums);
			return NULL;
		}
		sums[(*nr)++] = of;
	}
	if (sums)
		*nr = merge_sums(sums, *nr);
	return sums;
}

/* For each point, the index + 1 of the account with the longest wait. NULL: no memory. */
static uint32_t *longest_accounts(struct join *j)
{
	const struct sums *sums = &j->sums.sums;
	uint32_t nr_points = accounts__nr_points(j->accounts), nr_accounts = 0;
	uint32_t *longest = calloc(nr_points + 1ul, sizeof(*longest));
	uint64_t *ns;

	for (uint32_t i = 0; i < sums->size; i++)
		if (sums->entries[i].ns && sums->entries[i].key.account >= nr_accounts)
			nr_accounts = sums->entries[i].key.account + 1;
	ns = calloc(nr_accounts + 1ul, sizeof(*ns));
	if (!longest || !ns) {
		free(longest);
		free(ns);
		return NULL;
	}
	for (uint32_t i = 0; i < sums->size; i++)
		if (sums->entries[i].ns && sums->entries[i].key.segment == JOIN_AWAIT &&
		    selection__has_sum(j, &sums->entries[i].key))
			sum__add(&ns[sums->entries[i].key.account], sums->entries[i].ns);
	for (uint32_t i = 0; i < nr_accounts; i++) {
		uint32_t *best = &longest[accounts__account(j->accounts, i)->point];

		if (!*best || ns[i] > ns[*best - 1])
			*best = i + 1;
	}
	free(ns);
	return longest;
}

static int point_order(const void *a, const void *b)
{
	const struct join_point *x = a, *y = b;
	uint64_t x_ns = x->await_ns, y_ns = y->await_ns;
	int c;

	sum__add(&x_ns, x->ready_ns);
	sum__add(&y_ns, y->ready_ns);
	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	c = strcmp(x->task, y->task);
	if (!c)
		c = strcmp(x->function, y->function);
	if (!c)
		c = strcmp(x->file, y->file);
	if (!c)
		c = strcmp(x->path, y->path);
	if (!c && x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return c ? c : strcmp(x->leaf, y->leaf);
}

/* Fills in point @index. Its sums begin at *@at in @sums; *@at is moved past them. */
static int fill_point(struct join *j, uint32_t index, const struct point_sum *sums, size_t nr,
		      size_t *at, struct join_point *p)
{
	const struct point *from = accounts__point(j->accounts, index);
	struct join_sum *out = j->point_sums, *details;

	*p = (struct join_point){
		.task = from->task, .function = from->function, .file = from->file,
		.line = from->line, .leaf = from->leaf, .count = from->count,
		.woken_in_poll = from->woken_in_poll, .open = from->open,
		.path = from->path, .foreign = from->foreign,
		.self_wakes = from->self_wakes, .spin = from->spin,
		.ready_ns = from->ready_ns, .await = hist__quantiles(&from->await),
		.ready = hist__quantiles(&from->ready), .total = hist__quantiles(&from->total),
	};
	p->followed = followed__of(j, index, &p->nr_followed);
	p->split = out + *at;
	for (; *at < nr && sums[*at].point == index && sums[*at].kind == SUM_PART; ++*at) {
		out[*at] = (struct join_sum){ .name = sums[*at].name, .ns = sums[*at].ns };
		sum__add(&p->await_ns, sums[*at].ns);
		p->nr_split++;
	}
	p->details = details = out + *at;
	for (; *at < nr && sums[*at].point == index && sums[*at].kind == SUM_DETAIL; ++*at) {
		out[*at] = (struct join_sum){ .name = sums[*at].name, .ns = sums[*at].ns };
		p->nr_details++;
	}
	p->callers = out + *at;
	for (; *at < nr && sums[*at].point == index; ++*at) {
		out[*at] = (struct join_sum){ .name = sums[*at].name, .ns = sums[*at].ns };
		p->nr_callers++;
	}
	return others__sums(j->names, details, &p->nr_details);
}

static int fill_points(struct join *j, const struct point_sum *sums, size_t nr,
		       const uint32_t *longest)
{
	uint32_t nr_points = accounts__nr_points(j->accounts);
	struct frames frames = { 0 };
	size_t at = 0, first = 0;
	int err = 0;

	for (uint32_t i = 0; i < nr_points && !err; i++) {
		struct join_point *p = &j->points[j->nr_points];

		err = fill_point(j, i, sums, nr, &at, p);
		if (err)
			break;
		if (!p->count && !p->open && !p->await_ns)
			continue;	/* no task waited there */
		if (!selection__has_name(j, p->task))
			continue;
		j->nr_points++;
		if (!longest[i])
			continue;
		first = frames.nr;
		err = frames__add_task(j, &frames, accounts__account(j->accounts, longest[i] - 1));
		p->nr_stack = frames.nr - first;
	}
	j->point_frames = frames.list;
	if (err)
		return err;
	first = 0;
	for (size_t i = 0; i < j->nr_points; i++) {
		struct join_point *p = &j->points[i];

		if (!p->nr_stack)
			continue;
		/* Without the first frame, the process, which the caller knows. */
		p->stack = frames.list + first + 1;
		first += p->nr_stack;
		p->nr_stack--;
	}
	qsort(j->points, j->nr_points, sizeof(*j->points), point_order);
	return 0;
}

int points__make(struct join *j)
{
	size_t nr;
	struct point_sum *sums = collect_sums(j, &nr);
	uint32_t *longest = sums ? longest_accounts(j) : NULL;
	int err = -ENOMEM;

	if (longest) {
		j->point_sums = calloc(nr + 1, sizeof(*j->point_sums));
		j->points = calloc(accounts__nr_points(j->accounts) + 1ul, sizeof(*j->points));
		if (j->point_sums && j->points)
			err = fill_points(j, sums, nr, longest);
	}
	free(sums);
	free(longest);
	return err;
}
