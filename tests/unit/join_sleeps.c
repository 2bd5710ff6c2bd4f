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
					"asm_exc_page_fault"), 0),
			    "a page fault (a file that is mapped)");
	assert_string_equal(words(STACK("io_schedule", "folio_wait_bit_common", "do_swap_page",
					"handle_mm_fault", "asm_exc_page_fault"), 0),
			    "a page fault (memory that was swapped out)");
	assert_string_equal(words(STACK("request_wait_answer", "__fuse_simple_request",
					"fuse_read_folio", "filemap_fault", "exc_page_fault"), 0),
			    "a page fault (an answer of a FUSE file system)");
	assert_string_equal(words(STACK("handle_userfault", "do_anonymous_page", "handle_mm_fault",
					"do_user_addr_fault", "exc_page_fault"), 0),
			    "a page fault (another thread or process is to handle it: userfaultfd)");
	assert_string_equal(words(STACK("rwsem_down_read_slowpath", "down_read",
					"lock_mm_and_find_vma", "exc_page_fault"), 0),
			    "a page fault (the lock of the address space)");
	assert_string_equal(words(STACK("something_new", "exc_page_fault"), 0), "a page fault");
	assert_string_equal(words(STACK("__mutex_lock.constprop.0", "ext4_setattr"), 90),
			    "a lock inside the kernel");
	assert_string_equal(words(STACK("locks_lock_inode_wait", "__do_sys_flock"), 73), "a file lock");
	/* whatever the memory is for */
	assert_string_equal(words(STACK("io_schedule", "shrink_lruvec", "try_to_free_mem_cgroup_pages",
					"try_charge_memcg", "filemap_fault", "exc_page_fault"), 0),
			    "memory (the limit of the cgroup)");
	assert_string_equal(words(STACK("schedule_timeout", "__mem_cgroup_handle_over_high"), 1),
			    "memory (the limit of the cgroup)");
	assert_string_equal(words(STACK("io_schedule_timeout", "reclaim_throttle", "try_to_free_pages",
					"ext4_file_read_iter"), 0), "memory (it is scarce)");
	assert_string_equal(words(STACK("io_schedule_timeout", "balance_dirty_pages",
					"ext4_buffered_write_iter", "ksys_write"), 1),
			    "a disk (too much is to be written back)");
	/* disks */
	assert_string_equal(words(STACK("io_schedule", "blk_mq_get_tag", "submit_bio_noacct"), 0),
			    "a disk (its queue is full)");
	assert_string_equal(words(STACK("io_schedule", "blkdev_direct_IO", "blkdev_read_iter"), 0),
			    "a disk");
	assert_string_equal(words(STACK("jbd2_log_wait_commit", "ext4_sync_file", "do_fsync"), 74),
			    "a disk (the file system's journal)");
	assert_string_equal(words(STACK("xlog_wait_on_iclog", "xfs_log_force_seq", "do_fsync"), 74),
			    "a disk (the file system's journal)");
	/* pipes, locks, sockets, time, children */
	assert_string_equal(words(STACK("pipe_wait_readable", "splice_file_to_pipe"), 275),
			    "a pipe that is empty");
	assert_string_equal(words(STACK("anon_pipe_write", "vfs_write"), 1), "a pipe that is full");
	assert_string_equal(words(STACK("fcntl_setlk", "do_fcntl"), 72), "a file lock");
	assert_string_equal(words(STACK("wait_woken", "sk_stream_wait_memory", "tcp_sendmsg_locked"), 44),
			    "a socket whose buffer is full");
	assert_string_equal(words(STACK("wait_woken", "sk_wait_data", "tcp_recvmsg"), 45),
			    "data of a socket");
	assert_string_equal(words(STACK("schedule_hrtimeout_range", "do_epoll_wait"), 232), "epoll_wait");
	assert_string_equal(words(STACK("schedule_hrtimeout_range", "do_sys_poll"), 7), "poll");
	assert_string_equal(words(STACK("do_nanosleep", "hrtimer_nanosleep"), 230),
			    "a sleep of the thread");
	assert_string_equal(words(STACK("do_wait", "kernel_waitid"), 247), "a child's end");
	assert_string_equal(words(STACK("wait_for_completion_state", "wait_for_vfork_done",
					"kernel_clone"), 56), "a child's exec or end (vfork)");
	assert_string_equal(words(STACK("kernel_clone", "__do_sys_clone"), 56),
			    "a child's exec or end (vfork)");
	assert_string_equal(words(STACK("something_new", "copy_process", "kernel_clone"), 56),
			    "the start of a thread or process");
	assert_string_equal(words(STACK("do_wait_intr_irq", "timerfd_read_iter", "vfs_read"), 0),
			    "a timerfd");
	assert_string_equal(words(STACK("io_cqring_wait", "__do_sys_io_uring_enter"), 426),
			    "io_uring_enter");
	/* it is not memory that a CPU limit is about */
	assert_null(words(STACK("throttle_cfs_rq_work", "task_work_run"), -1));
	/* a function that only begins like one that is known */
	assert_null(words(STACK("pipe_read_of_a_driver", "do_polling"), 16));
	/* without names of the kernel's functions */
	assert_string_equal(words(STACK("unknown function"), 73), "a file lock");
	assert_string_equal(words(NULL, 35), "a sleep of the thread");
	assert_string_equal(words(NULL, 426), "io_uring_enter");
	assert_string_equal(words(NULL, 17), "a read");
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

/* Whose futex it is: a lock's, or the thread's own. */
static void parkers(void **state)
{
	struct trace_user_frame frames[] = {
		{ "syscall", "", 0 },
		{ "parking_lot_core::parking_lot::park", "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/parking_lot_core-0.9.12/src/parking_lot.rs", 9 },
		{ "app::main", "/home/me/app/src/main.rs", 40 },
		{ "std::thread::park", "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/thread/mod.rs", 9 },
	};
	struct trace_user_stack st = { .nr = 4, .frames = frames };

	(void)state;
	assert_true(sleep__parks(&st));
	frames[1].function = "std::sys::sync::mutex::futex::Mutex::lock_contended";
	assert_false(sleep__parks(&st));	/* who called tells nothing */
	frames[1].function = "std::sys::sync::thread_parking::futex::Parker::park";
	assert_true(sleep__parks(&st));
	assert_false(sleep__parks(NULL));
}

static void places_of_libraries(void **state)
{
	struct trace_user_frame frames[] = {
		{ "syscall", "", 0 },
		{ "std::sync::Mutex::lock", "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/a.rs", 9 },
		{ "h2::Streams::poll", "/c/registry/src/index.crates.io-1949cf8c6b5b557f/h2-0.4.20/src/s.rs", 12 },
		{ "hyper::poll", "/c/registry/src/index.crates.io-1949cf8c6b5b557f/hyper-1.0.0/src/s.rs", 3 },
	};
	struct trace_user_frame names[] = {
		{ "clock_nanosleep", "", 0 },
		{ "<std::thread::Builder as core::fmt::Debug>::fmt", "", 0 },
		{ "app::rebuild", "", 0 },
		{ "app::work", "", 0 },
	};
	struct trace_user_stack st = { .nr = 4, .frames = frames };

	(void)state;
	/* nothing of the program's own: not the lock in std, but who takes it */
	assert_ptr_equal(sleep__place(&st), &frames[2]);
	/* without line tables the names tell */
	st.frames = names;
	assert_ptr_equal(sleep__place(&st), &names[2]);
	st.nr = 2;
	assert_ptr_equal(sleep__place(&st), &names[1]);
	st.nr = 1;
	assert_null(sleep__place(&st));
}

static void numbers(void **state)
{
	struct sleep a = { .stack = 1, .syscall = 73 }, b = a;
	struct sleeps s = { 0 };

	(void)state;
	b.user = 5;
	assert_true(sleeps__word_room(&s));
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
		cmocka_unit_test(parkers),
		cmocka_unit_test(places_of_libraries),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
