// SPDX-License-Identifier: GPL-2.0
/*
 * A life's history, compared with a list of all of its intervals: it returns the list, the
 * latest first, and a piece of its own for time that is not known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "join/join.h"
#include "join/task_history.h"
#include "tests/unit/trace_random.h"

#define MAX	128u
#define NR	(4 * MAX)

static struct task_interval made[NR];

/* A life of @nr intervals, each with a part of its own. */
static uint64_t make(uint64_t *seed, uint64_t life, uint32_t nr)
{
	uint64_t at = 1000;

	for (uint32_t i = 0; i < nr; i++) {
		made[i] = (struct task_interval){
			.of = { .task = 7, .life = life, .born = 1000 },
			.piece = { .segment = JOIN_AWAIT, .detail = { .id = i }, .from = at,
				   .ns = 1 + below(seed, 50) } };
		at += made[i].piece.ns;
	}
	return at;
}

/* In order, but for some that are told after those behind them. */
static void tell(struct task_histories *h, uint64_t *seed, uint32_t nr)
{
	struct sink *s = task_histories__sink(h);

	for (uint32_t i = 0; i < nr; i++) {
		if (i + 3 < nr && !below(seed, 4)) {
			assert_int_equal(s->ops->interval(s, &made[i + 2]), 0);
			assert_int_equal(s->ops->interval(s, &made[i]), 0);
			assert_int_equal(s->ops->interval(s, &made[i + 1]), 0);
			i += 2;
			continue;
		}
		assert_int_equal(s->ops->interval(s, &made[i]), 0);
	}
}

struct got {
	uint64_t	to, known, unknown;
};

static void piece(void *arg, const struct task_past *past)
{
	struct got *g = arg;
	const struct piece *p = &past->iv.piece;

	assert_true(p->ns);
	assert_int_equal(p->from + p->ns, g->to);
	g->to = p->from;
	assert_int_equal(past->known != TASK_KNOWN, p->segment == JOIN_UNATTRIBUTED);
	if (past->known) {
		assert_true(past->known != TASK_UNBORN || p->from + p->ns <= 1000);
		assert_true(past->known == TASK_UNBORN || p->from >= 1000);
		assert_int_equal(p->part, PART_HISTORY);
		g->unknown += p->ns;
		return;
	}
	assert_in_range(p->from, made[p->detail.id].piece.from, UINT64_MAX);
	assert_in_range(p->from + p->ns, 0,
			made[p->detail.id].piece.from + made[p->detail.id].piece.ns);
	g->known += p->ns;
}

/* Where to begin to look: anywhere, or at an interval that may be forgotten or another life's. */
static uint64_t any_mark(const struct task_histories *h, uint64_t *seed)
{
	uint64_t first, next;

	task_histories__range(h, &first, &next);
	return below(seed, next + 3);
}

static void lives(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (uint64_t life = 1; life <= 200; life++) {
		struct task_histories *h = task_histories__new(MAX);
		uint32_t nr = 4 + (uint32_t)below(&seed, life & 1 ? MAX - 4 : NR - 4);
		uint64_t end = make(&seed, life, nr), known;

		assert_non_null(h);
		tell(h, &seed, nr);
		/* But for those that were passed on late, it forgets the first ones. */
		known = nr <= MAX ? 1000 : made[nr - MAX / 2].piece.from;
		for (int i = 0; i < 50; i++) {
			uint64_t from = 900 + below(&seed, end - 900);
			uint64_t to = from + 1 + below(&seed, end + 50 - from);
			struct got g = { .to = to };

			task_histories__divide(h, life, any_mark(h, &seed), from, to, piece, &g);
			assert_int_equal(g.to, from);
			assert_int_equal(g.known + g.unknown, to - from);
			if (from >= known && to <= end)
				assert_int_equal(g.unknown, 0);
			if (from < 1000)
				assert_true(g.unknown);
		}
		task_histories__free(h);
	}
}

/* Of several lives each has its own intervals; a life of which none is left is unknown. */
static void together(void **state)
{
	struct task_histories *h = task_histories__new(MAX);
	uint64_t seed = 2, end = 0;
	struct got g;

	(void)state;
	assert_non_null(h);
	for (uint64_t life = 1; life <= 3; life++) {
		end = make(&seed, life, 30);
		tell(h, &seed, 30);
	}
	g = (struct got){ .to = end };
	task_histories__divide(h, 3, 5, 1000, end, piece, &g);
	assert_int_equal(g.unknown, 0);
	end = make(&seed, 4, 100);
	tell(h, &seed, 100);
	g = (struct got){ .to = 1100 };
	task_histories__divide(h, 1, 5, 1000, 1100, piece, &g);
	assert_int_equal(g.unknown, 100);
	g = (struct got){ .to = end };
	task_histories__divide(h, 4, 5, 1000, end, piece, &g);
	assert_int_equal(g.unknown, 0);
	task_histories__free(h);
}

static void nobody(void **state)
{
	struct task_histories *h = task_histories__new(MAX);
	struct got g = { .to = 1020 };

	(void)state;
	assert_non_null(h);
	task_histories__divide(h, 7, 0, 1010, 1020, piece, &g);
	assert_int_equal(g.unknown, 10);
	task_histories__free(h);
	task_histories__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives),
		cmocka_unit_test(together),
		cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
