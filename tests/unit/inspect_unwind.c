// SPDX-License-Identifier: GPL-2.0
/*
 * The stack of a process, unwound from outside: each call is found once, with the
 * registers that it had kept, up to where the process began.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/unwind.h"

#define DEPTH	40

static volatile int never;

/* Its argument is in rbx at each call of the next one, and rbx is what it was before. */
static __attribute__((noinline)) void descend(uint64_t depth)
{
	if (depth)
		__asm__ volatile("mov %0, %%rbx\n\tcall *%1" : : "r"(depth), "r"(descend), "D"(depth - 1)
				 : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
				   "memory", "cc");
	while (!depth && !never)
		pause();
}

/* It stays behind an instruction that has changed where the return address is. */
void stay_behind_push(uint64_t unused);
__asm__(".text\n"
	".type stay_behind_push, @function\n"
	"stay_behind_push:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbx, 0\n"
	"1:	jmp 1b\n"
	"	.cfi_endproc\n"
	".size stay_behind_push, . - stay_behind_push\n");

/* A child that stays in @where, which has DEPTH as its argument, and its registers there. */
static pid_t child_in(void (*where)(uint64_t depth), struct user_regs_struct *regs)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		where(DEPTH);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	usleep(100000);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, regs), 0);
	return pid;
}

static void calls(void **state)
{
	struct process target = { .exe_fd = -1 };
	struct user_regs_struct r;
	struct unwind_frame f;
	struct unwinder *u;
	unsigned int found = 0, frames = 0;
	uint64_t into = 0;
	int step;

	(void)state;
	target.pid = child_in(descend, &r);
	u = unwinder__new(&target);
	assert_non_null(u);
	f = (struct unwind_frame){ .pc = r.rip, .innermost = true, .sp = r.rsp,
				   .saved = { r.rbx, r.rbp, r.r12, r.r13, r.r14, r.r15 } };
	while ((step = unwinder__step(u, &f)) == 1 && frames++ < 200) {
		/* behind the call in descend(), which all but the innermost of them have made */
		bool same = into ? f.pc == into :
				   f.saved[0] == 1 && f.pc - (uintptr_t)descend < 200;

		if (!same)
			continue;
		into = f.pc;
		assert_int_equal(f.saved[0], ++found);
	}
	assert_int_equal(found, DEPTH);
	assert_int_equal(step, 0);
	/* where nothing is mapped, and where no table is for */
	f.pc = 4096;
	assert_int_equal(unwinder__step(u, &f), -ENOENT);
	f.pc = (uintptr_t)&never;
	assert_int_equal(unwinder__step(u, &f), -ENOENT);
	/* a stack that cannot be read is told, and the frame stays as it was */
	f = (struct unwind_frame){ .pc = into, .sp = 4096, .saved = { 0, 8192 } };
	assert_int_equal(unwinder__step(u, &f), -EFAULT);
	assert_int_equal(f.pc, into);
	assert_int_equal(f.sp, 4096);
	unwinder__free(u);
	kill(target.pid, SIGKILL);
	waitpid(target.pid, NULL, 0);
	/* it is gone: there is nothing */
	u = unwinder__new(&target);
	assert_non_null(u);
	assert_int_equal(unwinder__step(u, &f), -ENOENT);
	unwinder__free(u);
}

static void interrupted(void **state)
{
	struct process target = { .exe_fd = -1 };
	struct user_regs_struct r;
	struct unwind_frame f;
	struct unwinder *u;

	(void)state;
	target.pid = child_in(stay_behind_push, &r);
	u = unwinder__new(&target);
	assert_non_null(u);
	f = (struct unwind_frame){ .pc = r.rip, .innermost = true, .sp = r.rsp, .saved = { 1 } };
	assert_int_equal(unwinder__step(u, &f), 1);
	assert_int_equal(f.sp, r.rsp + 16);
	assert_int_equal(f.saved[0], r.rbx);
	assert_false(f.innermost);
	unwinder__free(u);
	kill(target.pid, SIGKILL);
	waitpid(target.pid, NULL, 0);
}

/* The calls that are found of a stack which begins with @r; *@end: what the last step said. */
static unsigned int count_calls(struct unwinder *u, const struct user_regs_struct *r, int *end)
{
	struct unwind_frame f = { .pc = r->rip, .innermost = true, .sp = r->rsp,
				  .saved = { r->rbx, r->rbp, r->r12, r->r13, r->r14, r->r15 } };
	unsigned int found = 0;

	while ((*end = unwinder__step(u, &f)) == 1)
		found += f.saved[0] == found + 1 && f.pc - (uintptr_t)descend < 200;
	return found;
}

#define COPIED	(64 * 1024)

/*
 * A copy that was taken of the stack is all that counts: it is unwound as it was, although
 * the stack has changed since, and only as far as it goes.
 */
static void copied(void **state)
{
	struct process target = { .exe_fd = -1 };
	unsigned char *bytes = malloc(COPIED);
	struct user_regs_struct r;
	struct unwind_copy copy;
	unsigned int last = 0;
	struct unwinder *u;
	ssize_t len;
	int end;

	(void)state;
	target.pid = child_in(descend, &r);
	u = unwinder__new(&target);
	assert_non_null(u);
	assert_non_null(bytes);
	/* from below rsp, at an odd address */
	len = process__read_some(&target, r.rsp - 129, bytes, COPIED);
	assert_true(len > DEPTH * 16);
	for (uint64_t at = r.rsp; at < r.rsp + DEPTH * 16; at += 8)
		assert_int_equal(ptrace(PTRACE_POKEDATA, target.pid, at, 0), 0);
	assert_true(count_calls(u, &r, &end) < DEPTH);
	copy = (struct unwind_copy){ r.rsp - 129, bytes, (size_t)len };
	assert_int_equal(unwinder__from_copy(u, &copy), 0);
	assert_int_equal(count_calls(u, &r, &end), DEPTH);
	assert_int_equal(end, 0);
	/* each byte more reveals no less, and never what lies behind it */
	for (copy.len = 0; last < DEPTH; copy.len++) {
		unsigned int found;

		assert_int_equal(unwinder__from_copy(u, &copy), 0);
		found = count_calls(u, &r, &end);
		assert_int_equal(end, -ENODATA);
		assert_in_range(found, last, last + 1);
		last = found;
	}
	/* the process's memory again */
	assert_int_equal(unwinder__again(u), 0);
	assert_true(count_calls(u, &r, &end) < DEPTH);
	assert_true(end != -ENODATA);
	unwinder__free(u);
	free(bytes);
	kill(target.pid, SIGKILL);
	waitpid(target.pid, NULL, 0);
}

/* Goes on asking for a time, which the vdso tells. */
static void ask_for_time(uint64_t unused)
{
	struct timespec ts;

	(void)unused;
	while (!never)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}

/* The vdso's code has tables too, although no file has them. */
static void in_vdso(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR), pc = 0, callers = 0;
	struct process target = { .exe_fd = -1 };
	struct user_regs_struct r;
	struct unwinder *u;
	int status;

	(void)state;
	if (!vdso)
		skip();
	target.pid = child_in(ask_for_time, &r);
	u = unwinder__new(&target);
	assert_non_null(u);
	/* at each of its instructions, one after the other, up to the end of some round */
	for (int i = 0; i < 2000; i++) {
		if (r.rip - vdso < 8192) {
			struct unwind_frame f = { .pc = r.rip, .innermost = true, .sp = r.rsp,
						  .saved = { r.rbx, r.rbp, r.r12, r.r13, r.r14,
							     r.r15 } };

			pc = r.rip;
			assert_int_equal(unwinder__again(u), 0);
			while (unwinder__step(u, &f) == 1 && f.pc - (uintptr_t)ask_for_time > 200)
				continue;
			assert_true(f.pc - (uintptr_t)ask_for_time <= 200);
			callers++;
		}
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, target.pid, NULL, NULL), 0);
		assert_int_equal(waitpid(target.pid, &status, 0), target.pid);
		assert_int_equal(ptrace(PTRACE_GETREGS, target.pid, NULL, &r), 0);
	}
	if (pc)
		assert_true(callers > 10);
	unwinder__free(u);
	kill(target.pid, SIGKILL);
	waitpid(target.pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(copied),
		cmocka_unit_test(in_vdso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
