/* SPDX-License-Identifier: GPL-2.0 */
/* The table of lints: the limits are those that the options' help tells. */
#include "lint/checks.h"

#define MS	1000000ull

#define LIMIT_NEVER_YIELDED	1000 * MS, LINT_TIME, true, lint__never_yielded
#define LIMIT_BLOCKING_CALL	10 * MS, LINT_TIME, true, lint__blocking_call
#define LIMIT_LONG_POLL		10 * MS, LINT_TIME, true, lint__long_poll
#define LIMIT_LOST_DRIVER	100 * MS, LINT_TIME, false, lint__lost_driver
#define LIMIT_QUEUE_DELAY	100 * MS, LINT_TIME, false, lint__queue_delay
#define LIMIT_TIMER_LATE	100 * MS, LINT_TIME, false, NULL
#define LIMIT_BURST		3, LINT_TIMES, false, NULL
#define LIMIT_SELF_WAKE		50, LINT_PERCENT, true, NULL
#define LIMIT_UNBALANCED	2, LINT_TIMES, false, NULL

const struct lint lints[LINT_NR] = {
#define LINT(id, name, option, arg, help)	[LINT_##id] = { name, option, LIMIT_##id },
	LINTS(LINT)
#undef LINT
};
