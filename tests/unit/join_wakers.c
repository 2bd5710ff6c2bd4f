/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of those who wake, and which function of a stack is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "join/account.h"
#include "join/wakers.h"

static void numbers(void **state)
{
	static const struct waker who[] = {
		{ .kind = 1, .chain = 2 },
		{ .kind = 2, .chain = 1 },
		{ .kind = 1, .chain = 2, .user = 3 },
		{ .kind = UNKNOWN_KIND, .tid = 1, .user = 3 },
		{ .kind = UNKNOWN_KIND, .tid = 3, .user = 1 },
	};
	struct wakers w = { 0 };

	(void)state;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(who) / sizeof(*who); i++)
			assert_int_equal(wakers__number(&w, &who[i]), i);
	assert_int_equal(w.nr, sizeof(who) / sizeof(*who));
	for (size_t i = 0; i < w.nr; i++)
		assert_memory_equal(wakers__get(&w, (uint32_t)i), &who[i], sizeof(*who));
	wakers__clear(&w);
}

static void places(void **state)
{
	struct trace_user_frame frames[] = {
		{ "wake", "", 0 },
		{ "std::sync::mpsc::Sender::send", "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/sync/mpsc.rs", 9 },
		{ "", "/home/me/app/src/main.rs", 11 },
		{ "app::inner", "/home/me/app/src/main.rs", 12 },
		{ "app::outer", "/home/me/app/src/main.rs", 40 },
	};
	struct trace_user_stack st = { .nr = 5, .frames = frames };

	(void)state;
	assert_ptr_equal(waker__place(&st), &frames[3]);
	/* What libraries do is not what the thread wakes for. */
	st.nr = 3;
	assert_null(waker__place(&st));
	assert_null(waker__place(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
