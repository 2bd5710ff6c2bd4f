/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A child of the test, to be looked at from outside: its memory is what the test's was when
 * it began, at the same addresses. It ends with the test at the latest.
 */
#ifndef DWELL_TEST_LIVE_CHILD_H
#define DWELL_TEST_LIVE_CHILD_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/process.h"

static inline void child_waits(void *ctx)
{
	(void)ctx;
	for (;;)
		pause();
}

/* A child that does @what; it does not come back from there, or exits with 0. */
static inline pid_t child_begin(void (*what)(void *ctx), void *ctx)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		what(ctx);
		_exit(0);
	}
	return pid;
}

static inline void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The child is gone, but nobody has asked how it ended. */
static inline void child_becomes_zombie(pid_t pid)
{
	siginfo_t info;

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* May this process read its children's memory? A kernel may forbid it to all but the mighty. */
static inline bool may_read_children(void)
{
	static const uint64_t word = 42;
	pid_t pid = child_begin(child_waits, NULL);
	struct process p = { .pid = pid };
	uint64_t got;
	int err = process__read(&p, (uintptr_t)&word, &got, sizeof(got));

	child_end(pid);
	return err != -EPERM && err != -ENOSYS;
}

#define skip_unless_readable() do {	\
	if (!may_read_children())	\
		skip();			\
} while (0)

#endif /* DWELL_TEST_LIVE_CHILD_H */
