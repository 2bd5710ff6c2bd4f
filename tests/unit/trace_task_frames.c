// SPDX-License-Identifier: GPL-2.0
/*
 * Which frames of a user stack are the task's: without the executor's around it, and with all
 * that the task called, whosever it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/task_frames.h"

#define FRAMES_MAX	16

/* Of the functions in @names, innermost first, the first @in_poll are inside a poll. */
static uint32_t of(const char *const *names, uint32_t in_poll)
{
	struct trace_user_frame frames[FRAMES_MAX];
	struct trace_user_stack st = { .frames = frames, .in_poll = in_poll };

	for (; names[st.nr]; st.nr++)
		frames[st.nr] = (struct trace_user_frame){ names[st.nr], "", 0 };
	return task_frames__of(&st);
}

static void polled(void **state)
{
	static const char *const tokio[] = {
		"syscall", "std::sync::mutex::Mutex::lock", "tokio::loom::std::mutex::Mutex::lock",
		"app::save", "F::call", "hyper::dispatch::Dispatcher::poll", "app::handle",
		"core::future::poll_fn::PollFn::poll", "tokio::runtime::task::core::Core::poll",
		"std::panicking::catch_unwind", "tokio::runtime::task::raw::poll", "main", NULL
	};
	static const char *const library[] = {
		"recv", "hyper::io::read", "hyper::dispatch::Dispatcher::poll",
		"tokio::runtime::task::core::Core::poll", "tokio::runtime::task::raw::poll", NULL
	};
	static const char *const smol[] = {
		"app::work", "async_executor::AsyncCallOnDrop::poll", "async_task::raw::RawTask::run",
		NULL
	};
	static const char *const job[] = {
		"clock_nanosleep", "app::read_file", "blocking::unblock",
		"async_task::raw::RawTask::run", NULL
	};

	(void)state;
	/* What the task calls stays, whosever it is; and what it is called through. */
	assert_int_equal(of(tokio, 10), 7);
	assert_int_equal(of(library, 4), 3);
	assert_int_equal(of(smol, 2), 1);
	assert_int_equal(of(job, 3), 2);
}

static void nothing_else(void **state)
{
	static const char *const runtime[] = {
		"core::cell::Cell::set", "tokio::sync::mpsc::chan::Rx::recv",
		"tokio::runtime::task::core::Core::poll", "tokio::runtime::task::raw::poll", NULL
	};
	static const char *const alike[] = {
		"tokio_util::codec::Framed::poll_next", "tokio::runtime::task::raw::poll", NULL
	};
	static const char *const whole[] = { "app::a", "std::b", NULL };

	(void)state;
	assert_int_equal(of(runtime, 3), 3);	/* a future of the runtime itself */
	assert_int_equal(of(alike, 1), 1);
	assert_int_equal(of(whole, 0), 0);	/* where the poll is is not known */
	assert_int_equal(of(whole, 2), 1);	/* it called all of them */
}

static void recorded(void **state)
{
	static const struct trace_user_frame frames[] = {
		{ "std::a", "", 0 }, { "app::b", "", 0 }, { "std::c", "", 0 }
	};
	const struct trace_user_stack st = { .frames = frames, .nr = 3, .of_task = 1,
					     .in_poll = 3 };

	(void)state;
	assert_int_equal(task_frames__of(&st), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polled),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
