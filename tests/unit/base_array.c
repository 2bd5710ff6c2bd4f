// SPDX-License-Identifier: GPL-2.0
/* Growing arrays and bisection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bisect.h"
#include "failing_malloc.h"

static void it_grows_and_keeps_what_it_has(void **state)
{
	size_t nr = 0, cap = 0;
	uint32_t *list = NULL;

	(void)state;
	for (; nr < 10000; nr++) {
		assert_int_equal(array__room(&list, &cap, nr, sizeof(*list)), 0);
		assert_true(cap > nr);
		list[nr] = (uint32_t)nr * 3;
	}
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(list[i], i * 3);
	free(list);
}

static void what_is_too_large_is_no_memory(void **state)
{
	size_t cap = SIZE_MAX / 2 + 1;
	char *list = NULL;

	(void)state;
	assert_int_equal(array__room(&list, &cap, cap, 1), -ENOMEM);
	cap = SIZE_MAX / 16;
	assert_int_equal(array__room(&list, &cap, cap, 16), -ENOMEM);
	assert_int_equal(cap, SIZE_MAX / 16);
	assert_null(list);
}

static void without_memory_it_is_as_it_was(void **state)
{
	size_t cap = 0;
	int *list = NULL;

	(void)state;
	if (!CAN_FAIL)
		skip();
	memory__start(0, true);
	assert_int_equal(array__room(&list, &cap, 0, sizeof(*list)), -ENOMEM);
	memory__stop();
	assert_null(list);
	assert_int_equal(cap, 0);
	assert_int_equal(array__room(&list, &cap, 0, sizeof(*list)), 0);
	list[0] = 7;
	memory__start(0, true);
	assert_int_equal(array__room(&list, &cap, cap, sizeof(*list)), -ENOMEM);
	memory__stop();
	assert_int_equal(list[0], 7);
	assert_int_equal(cap, ARRAY_FIRST);
	free(list);
}

/* For all lengths up to 40 and all places between, with every number twice. */
static void bisection_finds_the_first(void **state)
{
	uint32_t list[40];

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		list[i] = i / 2 * 2;
	for (size_t nr = 0; nr <= 40; nr++) {
		for (uint32_t v = 0; v < 44; v++) {
			size_t below = 0, upto = 0;

			for (size_t i = 0; i < nr; i++) {
				below += list[i] < v;
				upto += list[i] <= v;
			}
			assert_int_equal(BISECT(nr, k, list[k] < v), below);
			assert_int_equal(BISECT(nr, k, list[k] <= v), upto);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_and_keeps_what_it_has),
		cmocka_unit_test(what_is_too_large_is_no_memory),
		cmocka_unit_test(without_memory_it_is_as_it_was),
		cmocka_unit_test(bisection_finds_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
