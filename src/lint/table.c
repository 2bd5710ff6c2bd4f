/* SPDX-License-Identifier: GPL-2.0 */
/* The table of lints. */
#include "lint/checks.h"

#define MS	1000000ull

const struct lint lints[LINT_NR] = {
	[LINT_NEVER_YIELDED] = {
		"never yielded", "never-yielded", "TIME", 1000 * MS, LINT_TIME, true,
		"a poll on a CPU for longer", lint__never_yielded },
	[LINT_BLOCKING_CALL] = {
		"blocking call", "blocking-call", "TIME", 10 * MS, LINT_TIME, true,
		"a thread asleep for longer inside a poll", lint__blocking_call },
	[LINT_LONG_POLL] = {
		"long poll", "long-poll", "TIME", 10 * MS, LINT_TIME, true,
		"a poll on a CPU, or asleep now and then, for longer", lint__long_poll },
	[LINT_LOST_DRIVER] = {
		"lost driver", "lost-driver", "TIME", 100 * MS, LINT_TIME, false,
		"I/O or a timer due, and nobody acted upon it for longer", lint__lost_driver },
	[LINT_QUEUE_DELAY] = {
		"starved task", "queue-delay", "TIME", 100 * MS, LINT_TIME, false,
		"woken and not polled for longer", lint__queue_delay },
	[LINT_TIMER_LATE] = {
		"timer late by its own task", "timer-late", "TIME", 100 * MS, LINT_TIME, false,
		"a tick of an interval that its task was late for by more, since it did "
		"something else", NULL },
	[LINT_BURST] = {
		"burst of an interval", "burst", "N", 3, LINT_TIMES, false,
		"so many ticks of an interval made up for at once", NULL },
	[LINT_SELF_WAKE] = {
		"self-wakes", "self-wake", "PERCENT", 50, LINT_PERCENT, true,
		"a larger share of at least 1,000 wakes by the tasks themselves", NULL },
	[LINT_UNBALANCED] = {
		"unbalanced workers", "unbalanced", "N", 2, LINT_TIMES, false,
		"a worker of at least 3 that is busy, with more than N times the mean of polls",
		NULL },
};
