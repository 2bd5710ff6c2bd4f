// SPDX-License-Identifier: GPL-2.0
/* The lints, on episodes made by hand: each exceeds its limit by one, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "join/account.h"
#include "lint/checks.h"

#define LIMIT	1000

/* A poll or a wait of these pieces, from 5000 on. */
static struct episode made(enum episode_kind what, struct piece *list, uint32_t nr)
{
	struct episode e = { .what = (uint8_t)what, .from = 5000, .to = 5000, .tid = 7,
			     .of = { .task = 1, .life = 1, .kind = 3, .branch = NO_BRANCH },
			     .parts = { list, nr, nr }, .waker.kind = UNKNOWN_KIND };

	for (uint32_t i = 0; i < nr; i++) {
		list[i].from = e.to;
		e.to += list[i].ns;
		e.segments[list[i].segment] += list[i].ns;
	}
	return e;
}

static struct piece slept(uint64_t ns, uint32_t times, uint64_t longest)
{
	return (struct piece){ .segment = JOIN_BLOCKED, .detail = { DETAIL_SLEEP, 4 }, .ns = ns,
			       .times = times, .longest = longest };
}

static void polls(void **state)
{
	struct piece cpu[] = { { .segment = JOIN_RUNNING, .ns = LIMIT } };
	struct piece inner[] = { { .segment = JOIN_RUNNING, .part = PART_OTHER_TASK,
				   .ns = 9 * LIMIT } };
	struct piece queue[] = { { .segment = JOIN_PREEMPTED, .ns = 9 * LIMIT } };
	struct lint_case c;
	struct episode e = made(EPISODE_POLL, cpu, 1);

	(void)state;
	assert_false(lint__long_poll(&e, LIMIT, &c));
	assert_false(lint__never_yielded(&e, LIMIT, &c));
	assert_true(lint__long_poll(&e, LIMIT - 1, &c));
	assert_true(lint__never_yielded(&e, LIMIT - 1, &c));
	assert_int_equal(c.ns, LIMIT);
	assert_int_equal(c.tid, 7);
	assert_false(lint__long_poll(&e, LINT_OFF, &c));
	/* Time on no CPU is not the task's; nor is that of tasks that it polls. */
	e = made(EPISODE_POLL, queue, 1);
	assert_false(lint__long_poll(&e, LIMIT, &c));
	e = made(EPISODE_POLL, inner, 1);
	assert_false(lint__long_poll(&e, LIMIT, &c));
}

static void sleeps(void **state)
{
	struct piece one[] = { slept(LIMIT + 1, 1, LIMIT + 1) };
	struct piece many[] = { { .segment = JOIN_RUNNING, .ns = 1 },
				slept(LIMIT, 50, LIMIT / 50) };
	struct lint_case c;
	struct episode e = made(EPISODE_POLL, one, 1);

	(void)state;
	assert_true(lint__blocking_call(&e, LIMIT, &c));
	assert_int_equal(c.detail.id, 4);
	assert_int_equal(c.to - c.from, LIMIT + 1);
	assert_false(lint__long_poll(&e, LIMIT, &c));
	/* Many short ones are no blocking call, but a long poll. */
	e = made(EPISODE_POLL, many, 2);
	assert_false(lint__blocking_call(&e, LIMIT, &c));
	assert_true(lint__long_poll(&e, LIMIT, &c));
}

static void queues(void **state)
{
	struct piece ready[] = {
		{ .segment = JOIN_AWAIT, .part = PART_WOKEN, .ns = 9 * LIMIT },
		{ .segment = JOIN_READY, .detail = { DETAIL_WORKER_QUEUE, 0 }, .ns = 9 * LIMIT },
		{ .segment = JOIN_READY, .detail = { DETAIL_WORKER_BUSY, 5 }, .ns = LIMIT },
		{ .segment = JOIN_READY, .detail = { DETAIL_WORKER_RUNTIME, 0 }, .ns = 1 } };
	struct piece due[] = {
		{ .segment = JOIN_AWAIT, .part = PART_DEADLINE, .ns = 9 * LIMIT },
		{ .segment = JOIN_AWAIT, .part = PART_WORKER_BLOCKED, .detail = { DETAIL_TASK, 5 },
		  .ns = LIMIT },
		{ .segment = JOIN_AWAIT, .part = PART_RUN_QUEUE, .ns = 9 * LIMIT } };
	struct lint_case c;
	struct episode e = made(EPISODE_WAIT, ready, 4);

	(void)state;
	assert_true(lint__queue_delay(&e, LIMIT, &c));
	assert_int_equal(c.ns, LIMIT + 1);
	assert_int_equal(c.from, ready[2].from);
	assert_int_equal(c.detail.id, 5);
	assert_false(lint__queue_delay(&e, LIMIT + 1, &c));
	assert_false(lint__lost_driver(&e, LIMIT, &c));
	e = made(EPISODE_WAIT, due, 3);
	assert_true(lint__lost_driver(&e, LIMIT - 1, &c));
	assert_int_equal(c.part, PART_WORKER_BLOCKED);
	assert_false(lint__lost_driver(&e, LIMIT, &c));
}

/* @own of @all wakes are by the task itself. */
static bool wakes_itself(uint64_t own, uint64_t all, uint64_t limit)
{
	struct episode e = { .what = EPISODE_WAIT, .woken = 1, .of.life = 1 };
	struct wakes w = { 0 };
	struct lint_case c;

	for (uint64_t i = 0; i < all; i++) {
		e.waker.life = i < own ? 1 : 2;
		wakes__episode(&w, &e);
	}
	return wakes__case(&w, limit, &c);
}

static void wakes(void **state)
{
	(void)state;
	assert_true(wakes_itself(501, 1000, 50));
	assert_false(wakes_itself(500, 1000, 50));
	assert_false(wakes_itself(999, 999, 50));
	assert_false(wakes_itself(1000, 1000, LINT_OFF));
}

/* The wait for the next deadline of timer 1, since @from, until @to, in a poll since @polled. */
static bool tick(struct ticks *t, uint64_t polled, uint64_t from, uint64_t to, uint64_t deadline,
		 struct tick_news *news)
{
	return ticks__wait(t, &(struct join_deadline){ deadline, 1 }, 1, polled, from, to, news);
}

/* An interval of 100, of which the first ticks come in time, the last at 400. */
static struct ticks regular(void)
{
	struct ticks t = { 0 };
	struct tick_news news;

	for (uint64_t at = 100; at <= 400; at += 100)
		assert_false(tick(&t, at - 99, at - 98, at + 1, at, &news));
	return t;
}

static void ticks(void **state)
{
	struct tick_news news;
	struct ticks t = regular();

	(void)state;
	/* Waits for 500, but elsewhere since 410, until 830; then for 900. */
	assert_false(tick(&t, 401, 402, 410, 500, &news));
	assert_true(tick(&t, 830, 831, 901, 900, &news));
	assert_true(ticks__waits_for_interval(&t, &(struct join_deadline){ 900, 1 }, 1));
	assert_false(ticks__waits_for_interval(&t, &(struct join_deadline){ 900, 2 }, 1));
	assert_true(news.own);
	assert_int_equal(news.due, 500);
	assert_int_equal(news.missed, 4);
	assert_int_equal(news.late, 330);
	/* In time for 500, which nobody told the task until 830. */
	t = regular();
	assert_false(tick(&t, 401, 402, 830, 500, &news));
	assert_true(tick(&t, 830, 831, 901, 900, &news));
	assert_false(news.own);
	assert_int_equal(news.missed, 3);
	assert_int_equal(news.due, 600);
	/* A timeout that begins anew each time is no interval. */
	t = (struct ticks){ 0 };
	for (uint64_t i = 1; i < 50; i++)
		assert_false(tick(&t, 100 * i + i * i, 100 * i + i * i, 100 * i + i * i + 3,
				  100 * i + i * i + 1000, &news));
}

static void workers(void **state)
{
	struct piece cpu[] = { { .segment = JOIN_RUNNING, .ns = 10 } };
	struct episode e = made(EPISODE_POLL, cpu, 1);
	struct workers w = { 0 };
	uint64_t mean;

	(void)state;
	assert_true(workers__has(&w, 1));
	for (uint32_t i = 0; i < 1200; i++) {
		e.tid = i < 1000 ? 1 : 2 + i % 3;
		assert_int_equal(workers__episode(&w, &e, true), 0);
	}
	e.tid = 9;
	assert_int_equal(workers__episode(&w, &e, false), 0);
	assert_non_null(workers__busiest(&w, 20000, 3, &mean));
	assert_int_equal(mean, 300);
	/* Hardly busy; within the limit; a thread of jobs is none of the workers. */
	assert_null(workers__busiest(&w, 20002, 3, &mean));
	assert_null(workers__busiest(&w, 20000, 4, &mean));
	assert_true(workers__has(&w, 1));
	assert_false(workers__has(&w, 9));
	workers__clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polls), cmocka_unit_test(sleeps), cmocka_unit_test(queues),
		cmocka_unit_test(wakes), cmocka_unit_test(ticks), cmocka_unit_test(workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
