// SPDX-License-Identifier: GPL-2.0
/*
 * A task's history, compared with a list of all of its intervals: it returns the list, the
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

#define NR	(4 * TASK_HISTORY_MAX)

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

static void piece(void *arg, const struct task_interval *iv)
{
	struct got *g = arg;
	const struct piece *p = &iv->piece;

	assert_true(p->ns);
	assert_int_equal(p->from + p->ns, g->to);
	g->to = p->from;
	if (p->segment == JOIN_UNATTRIBUTED) {
		assert_int_equal(p->part, PART_HISTORY);
		g->unknown += p->ns;
		return;
	}
	assert_in_range(p->from, made[p->detail.id].piece.from, UINT64_MAX);
	assert_in_range(p->from + p->ns, 0,
			made[p->detail.id].piece.from + made[p->detail.id].piece.ns);
	g->known += p->ns;
}

static void lives(void **state)
{
	struct task_histories *h = task_histories__new();
	uint64_t seed = 1;

	(void)state;
	assert_non_null(h);
	for (uint64_t life = 1; life <= 200; life++) {
		uint32_t nr = 4 + (uint32_t)below(&seed, life & 1 ? TASK_HISTORY_MAX - 4 : NR - 4);
		uint64_t end = make(&seed, life, nr), known;

		tell(h, &seed, nr);
		known = nr <= TASK_HISTORY_MAX ? 1000 : made[nr - TASK_HISTORY_MAX / 2].piece.from;
		assert_int_equal(task_histories__forgot(h, 7), nr > TASK_HISTORY_MAX);
		for (int i = 0; i < 50; i++) {
			uint64_t from = 900 + below(&seed, end - 900);
			uint64_t to = from + 1 + below(&seed, end + 50 - from);
			struct got g = { .to = to };

			task_histories__divide(h, 7, from, to, piece, &g);
			assert_int_equal(g.to, from);
			assert_int_equal(g.known + g.unknown, to - from);
			if (from >= known && to <= end)
				assert_int_equal(g.unknown, 0);
			if (from < 1000)
				assert_true(g.unknown);
		}
	}
	task_histories__free(h);
}

static void nobody(void **state)
{
	struct task_histories *h = task_histories__new();
	struct got g = { .to = 20 };

	(void)state;
	assert_non_null(h);
	task_histories__divide(h, 7, 10, 20, piece, &g);
	assert_int_equal(g.unknown, 10);
	assert_false(task_histories__forgot(h, 7));
	task_histories__free(h);
	task_histories__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives),
		cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
