/* SPDX-License-Identifier: GPL-2.0 */
/* What sleeps are called, by kernel stacks as kernels have them; the place of a user stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "join/sleeps.h"

#define STACK(...)	(const char *[]){ __VA_ARGS__, NULL }

static const char *words(const char *const *frames, int syscall)
{
	struct sleep s = { .syscall = syscall };
	struct trace_stack st = { .frames = frames };

	while (frames && frames[st.nr])
		st.nr++;
	return sleep__words(&s, frames ? &st : NULL);
}

static void kernel_stacks(void **state)
{
	(void)state;
	assert_string_equal(words(STACK("do_wait_intr_irq", "eventfd_read", "vfs_read"), 0), "an eventfd");
	assert_string_equal(words(STACK("do_wait", "kernel_wait4", "do_syscall_64"), 61), "a child's end");
	assert_string_equal(words(STACK("unix_wait_for_peer", "unix_dgram_sendmsg"), 44),
			    "a socket whose buffer is full");
	assert_string_equal(words(STACK("unix_wait_for_peer", "unix_stream_connect"), 42),
			    "a connection's beginning");
	assert_string_equal(words(STACK("io_schedule", "folio_wait_bit_common", "nfs_file_read"), 0),
			    "an answer of an NFS server");
	assert_string_equal(words(STACK("io_schedule", "folio_wait_bit_common", "ext4_file_read_iter"), 0),
			    "a disk");
	assert_string_equal(words(STACK("io_schedule", "folio_wait_bit_common", "filemap_fault",
					"asm_exc_page_fault"), 0), "a page fault");
	assert_string_equal(words(STACK("__mutex_lock.constprop.0", "ext4_setattr"), 90),
			    "a lock inside the kernel");
	assert_string_equal(words(STACK("locks_lock_inode_wait", "__do_sys_flock"), 73), "a file lock");
	/* a function that only begins like one that is known */
	assert_null(words(STACK("pipe_read_of_a_driver", "do_polling"), 16));
	/* without names of the kernel's functions */
	assert_string_equal(words(STACK("unknown function"), 73), "a file lock");
	assert_string_equal(words(NULL, 35), "a sleep of the thread");
	assert_null(words(NULL, -1));
}

static void places(void **state)
{
	struct trace_user_frame frames[] = {
		{ "read", "", 0 },
		{ "std::fs::File::lock", "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/fs.rs", 9 },
		{ "app::save", "/home/me/app/src/main.rs", 12 },
		{ "app::main", "/home/me/app/src/main.rs", 40 },
	};
	struct trace_user_stack st = { .nr = 4, .frames = frames };

	(void)state;
	assert_ptr_equal(sleep__place(&st), &frames[2]);
	st.nr = 2;	/* nothing of the program's own: what there is */
	assert_ptr_equal(sleep__place(&st), &frames[1]);
	st.nr = 1;
	assert_null(sleep__place(&st));
	assert_null(sleep__place(NULL));
}

static void numbers(void **state)
{
	struct sleep a = { .stack = 1, .syscall = 73 }, b = a;
	struct sleeps s = { 0 };

	(void)state;
	b.user = 5;
	assert_int_equal(sleeps__number(&s, &a), 0);
	assert_int_equal(sleeps__number(&s, &b), 1);
	assert_int_equal(sleeps__number(&s, &a), 0);
	assert_int_equal(sleeps__get(&s, 1)->user, 5);
	sleeps__clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_stacks),
		cmocka_unit_test(places),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
