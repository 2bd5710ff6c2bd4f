// SPDX-License-Identifier: GPL-2.0
/*
 * Which task a poll in progress is of, if stacks contain remainders of other polls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/claims.h"

/*
 * "1:ab 1:a 2:b": thread 1 has a poll that may be of a or b, inside of one that may be
 * of a; "1:ab+" may be of others besides. @want: for each, its task, '-' where none is left, '?' where it cannot be told.
 */
static void assert_settled(const char *text, const char *want, int untold)
{
	struct claims cs = { .nr = 0 };
	char got[64] = "";
	int err;

	for (const char *p = text; *p;) {
		struct claim c = { .tid = (uint32_t)(*p - '0'), .sp = (uint64_t)(p - text) };

		for (p += 2; *p && *p != ' '; p++) {
			if (*p == '+') {
				c.more = true;
				continue;
			}
			c.tasks[c.nr].task = (uint64_t)*p;
			c.tasks[c.nr++].fn = (uint32_t)(*p - 'a');
		}
		p += *p == ' ';
		assert_int_equal(claims__add(&cs, &c), 0);
	}
	err = claims__settle(&cs);
	for (size_t i = 0; i < cs.nr; i++) {
		const struct claim *c = &cs.list[i];

		got[i] = c->told ? (char)c->tasks[0].task : c->nr ? '?' : '-';
		if (c->told)
			assert_int_equal(c->tasks[0].fn, c->tasks[0].task - 'a');
	}
	if (strcmp(got, want) || err != untold)
		fail_msg("%s: %s and %d untold, %s and %d wanted", text, got, err, want, untold);
	claims__free(&cs);
}

static void settled(void **state)
{
	(void)state;
	assert_settled("", "", 0);
	assert_settled("1:a", "a", 0);
	assert_settled("1:a 2:b", "ab", 0);
	/* one is settled, and so another is */
	assert_settled("1:ab 2:a", "ba", 0);
	assert_settled("1:abcd 2:a 3:b 4:bc", "dabc", 0);
	assert_settled("1:a 2:ba 3:cba 4:dcba", "abcd", 0);
	/* what is left over of an earlier poll, in a frame of the same thread */
	assert_settled("1:a 1:a", "a-", 0);
	assert_settled("1:ab 1:ab 2:b", "a-b", 0);
	assert_settled("1:ab 1:ab 2:ac 3:c", "b-ac", 0);
	/* polls inside of polls */
	assert_settled("1:a 1:b", "ab", 0);
	assert_settled("1:ab 1:b 2:a", "-ba", 0);
}

static void untold(void **state)
{
	(void)state;
	assert_settled("1:ab", "?", 1);
	assert_settled("1:ab 2:ab", "??", 2);
	assert_settled("1:ab 1:ab", "??", 1);
	/* a task has one poll: of two threads that have it neither is believed */
	assert_settled("1:a 2:a", "??", 2);
	assert_settled("1:a 2:a 3:ab", "???", 3);
	assert_settled("1:a 2:a 3:b", "??b", 2);
	assert_settled("1:ab 2:b 3:a", "-ba", 0);
	/* what is one of more than were written down is not told by what is left of these */
	assert_settled("1:a+", "?", 1);
	assert_settled("1:ab+ 2:b", "?b", 1);
	assert_settled("1:a+ 2:a", "-a", 0);
}

/* As many as a pool of blocking threads has, all with the same left over. */
static void many(void **state)
{
	enum { NR = 20000 };
	struct claims cs = { .nr = 0 };

	(void)state;
	for (uint32_t i = 0; i < NR; i++) {
		struct claim c = { .tid = i, .nr = 2, .tasks = { { i, 0 }, { i + 1, 0 } } };

		assert_int_equal(claims__add(&cs, &c), 0);
	}
	cs.list[NR - 1].nr = 1;
	assert_int_equal(claims__settle(&cs), 0);
	for (uint32_t i = 0; i < NR; i++) {
		assert_true(cs.list[i].told);
		assert_int_equal(cs.list[i].tasks[0].task, i);
	}
	claims__free(&cs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settled),
		cmocka_unit_test(untold),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
