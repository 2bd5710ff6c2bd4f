/* SPDX-License-Identifier: GPL-2.0 */
/* The table of sleeps, and their words. See sleeps.h. */
#include "join/sleeps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "join/crate_path.h"

#define WORDS_MAX	16384	/* sleeps; if there are more, futexes are not told apart any more */

bool sleeps__word_room(const struct sleeps *s)
{
	return s->nr < WORDS_MAX;
}

int64_t sleeps__number(struct sleeps *s, const struct sleep *sleep)
{
	uint64_t key = hash_table__key(&s->known, (const char *)sleep, sizeof(*sleep));

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&s->known, key);

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			if (array__room(&s->list, &s->cap, s->nr, sizeof(*s->list)))
				return -ENOMEM;
			s->list[s->nr++] = *sleep;
			slot->value = s->nr;
		}
		if (!memcmp(&s->list[slot->value - 1], sleep, sizeof(*sleep)))
			return (int64_t)slot->value - 1;
	}
}

const struct sleep *sleeps__get(const struct sleeps *s, uint32_t number)
{
	return &s->list[number];
}

void sleeps__clear(struct sleeps *s)
{
	free(s->list);
	hash_table__clear(&s->known);
}

/* Is it a function of std, core or alloc? By its name, if nothing tells its source. */
static bool is_std(const struct trace_user_frame *f)
{
	static const char *const crates[] = { "std::", "core::", "alloc::" };
	const char *name = f->function + strspn(f->function, "<&");

	if (*f->path)
		return crate_path__std(f->path);
	for (size_t i = 0; i < sizeof(crates) / sizeof(*crates); i++)
		if (!strncmp(name, crates[i], strlen(crates[i])))
			return true;
	return false;
}

const struct trace_user_frame *sleep__place(const struct trace_user_stack *st)
{
	const struct trace_user_frame *any = NULL, *library = NULL;

	for (uint32_t i = 0; st && i < st->nr; i++) {
		const struct trace_user_frame *f = &st->frames[i];
		/* without a source, a name of Rust tells it from those of C libraries */
		bool known = *f->path || strstr(f->function, "::");

		if (!*f->function || !known)
			continue;
		if (*f->path && !crate_path__foreign(f->path))
			return f;
		if (!library && !is_std(f))
			library = f;
		if (!any)
			any = f;
	}
	return library ? library : any;
}

/* A function of the kernel; with '_' at its end, all whose names begin so. */
struct function_words {
	const char	*name;
	const char	*words;
};

/*
 * What is behind a page fault or a system call, of whatever file: the first in this list that
 * is anywhere in the stack.
 */
static const struct function_words reasons[] = {
	{ "handle_userfault", "a page fault (another thread or process is to handle it: userfaultfd)" },
	{ "try_to_free_mem_cgroup_pages", "memory (the limit of the cgroup)" },
	{ "__mem_cgroup_handle_over_high", "memory (the limit of the cgroup)" },
	{ "mem_cgroup_handle_over_high", "memory (the limit of the cgroup)" },
	{ "mem_cgroup_oom_synchronize", "memory (the limit of the cgroup)" },
	{ "throttle_direct_reclaim", "memory (it is scarce)" },
	{ "try_to_free_pages", "memory (it is scarce)" },
	{ "__alloc_pages_direct_compact", "memory (it is scarce)" },
	{ "balance_dirty_pages", "a disk (too much is to be written back)" },
	{ "rq_qos_wait", "a disk (its queue is full)" },
	{ "blk_mq_get_tag", "a disk (its queue is full)" },
};

/* Of a page fault: the first in this list that is anywhere in the stack. */
static const struct function_words faults[] = {
	{ "request_wait_answer", "a page fault (an answer of a FUSE file system)" },
	{ "nfs_", "a page fault (an answer of an NFS server)" },
	{ "do_swap_page", "a page fault (memory that was swapped out)" },
	{ "filemap_fault", "a page fault (a file that is mapped)" },
	{ "migration_entry_wait", "a page fault (memory that is being moved)" },
	{ "migration_entry_wait_", "a page fault (memory that is being moved)" },
	{ "lock_mm_and_find_vma", "a page fault (the lock of the address space)" },
};

/* Functions that tell more than the one that sleeps, however deep in there. */
static const struct function_words ways_in[] = {
	{ "asm_exc_page_fault", "a page fault" },
	{ "exc_page_fault", "a page fault" },
	{ "do_user_addr_fault", "a page fault" },
	{ "__do_sys_io_uring_enter", "io_uring_enter" },
	{ "request_wait_answer", "an answer of a FUSE file system" },
	{ "fuse_", "an answer of a FUSE file system" },
	{ "rpc_wait_bit_killable", "an answer of an NFS server" },
	{ "nfs_", "an answer of an NFS server" },
	{ "nfs4_", "an answer of an NFS server" },
	{ "cifs_", "an answer of an SMB server" },
	{ "smb2_", "an answer of an SMB server" },
	{ "ceph_", "an answer of a Ceph server" },
	{ "p9_client_rpc", "an answer of a 9P file system" },
};

/* The first that fits, from the innermost function of a stack outwards. */
static const struct function_words functions[] = {
	{ "futex_", "a futex (a lock, a condition variable or another thread's end)" },
	{ "__futex_", "a futex (a lock, a condition variable or another thread's end)" },
	{ "hrtimer_nanosleep", "a sleep of the thread" },
	{ "do_nanosleep", "a sleep of the thread" },
	{ "pipe_write", "a pipe that is full" },
	{ "anon_pipe_write", "a pipe that is full" },
	{ "fifo_pipe_write", "a pipe that is full" },
	{ "pipe_read", "a pipe that is empty" },
	{ "anon_pipe_read", "a pipe that is empty" },
	{ "fifo_pipe_read", "a pipe that is empty" },
	{ "pipe_wait_readable", "a pipe that is empty" },
	{ "ipipe_prep", "a pipe that is empty" },
	{ "pipe_wait_writable", "a pipe that is full" },
	{ "opipe_prep", "a pipe that is full" },
	{ "fifo_open", "the other end of a FIFO" },
	{ "locks_lock_inode_wait", "a file lock" },
	{ "flock_lock_inode_wait", "a file lock" },
	{ "__do_sys_flock", "a file lock" },
	{ "do_lock_file_wait", "a file lock" },
	{ "fcntl_setlk", "a file lock" },
	{ "__break_lease", "a file's lease, which another process has" },
	{ "ep_poll", "epoll_wait" },
	{ "do_epoll_wait", "epoll_wait" },
	{ "do_select", "select" },
	{ "do_poll", "poll" },
	{ "do_sys_poll", "poll" },
	{ "sk_stream_wait_memory", "a socket whose buffer is full" },
	{ "sock_alloc_send_pskb", "a socket whose buffer is full" },
	{ "sock_wait_for_wmem", "a socket whose buffer is full" },
	{ "sk_stream_wait_close", "a connection's end (SO_LINGER)" },
	{ "sk_stream_wait_connect", "a connection's beginning" },
	{ "sk_wait_data", "data of a socket" },
	{ "__skb_wait_for_more_packets", "data of a socket" },
	{ "tcp_recvmsg", "data of a socket" },
	{ "tcp_recvmsg_locked", "data of a socket" },
	{ "udp_recvmsg", "data of a socket" },
	{ "unix_stream_data_wait", "data of a socket" },
	{ "unix_stream_read_generic", "data of a socket" },
	{ "inet_csk_wait_for_connect", "a connection to accept" },
	{ "inet_csk_accept", "a connection to accept" },
	{ "unix_accept", "a connection to accept" },
	{ "inet_wait_for_connect", "a connection's beginning" },
	{ "inet_stream_connect", "a connection's beginning" },
	{ "__inet_stream_connect", "a connection's beginning" },
	{ "unix_stream_connect", "a connection's beginning" },
	{ "unix_dgram_sendmsg", "a socket whose buffer is full" },
	{ "do_wait", "a child's end" },
	{ "kernel_wait4", "a child's end" },
	{ "kernel_waitid", "a child's end" },
	{ "copy_process", "the start of a thread or process" },
	{ "wait_for_vfork_done", "a child's exec or end (vfork)" },
	{ "kernel_clone", "a child's exec or end (vfork)" },
	{ "do_sigtimedwait", "a signal" },
	{ "sigsuspend", "a signal" },
	{ "__do_sys_pause", "a signal" },
	{ "do_msgrcv", "a message queue" },
	{ "do_msgsnd", "a message queue" },
	{ "wq_sleep", "a message queue" },
	{ "do_semtimedop", "a semaphore (System V)" },
	{ "__do_semtimedop", "a semaphore (System V)" },
	{ "io_cqring_wait", "io_uring_enter" },
	{ "eventfd_read", "an eventfd" },
	{ "timerfd_read", "a timerfd" },
	{ "timerfd_read_iter", "a timerfd" },
	{ "signalfd_dequeue", "a signal" },
	{ "signalfd_read_iter", "a signal" },
	{ "inotify_read", "events of inotify" },
	{ "userfaultfd_read", "page faults to handle (userfaultfd)" },
	{ "userfaultfd_read_iter", "page faults to handle (userfaultfd)" },
	{ "userfaultfd_ctx_read", "page faults to handle (userfaultfd)" },
	{ "n_tty_read", "input of a terminal" },
	{ "n_tty_write", "a terminal's output" },
	{ "tty_", "a terminal" },
	{ "rwsem_", "a lock inside the kernel" },
	{ "__mutex_", "a lock inside the kernel" },
	{ "__down_", "a lock inside the kernel" },
	{ "percpu_rwsem_wait", "a lock inside the kernel" },
	{ "__percpu_down_read", "a lock inside the kernel" },
	{ "synchronize_", "all CPUs (RCU)" },
	{ "expand_files", "the table of descriptors, which grows" },
	{ "jbd2_", "a disk (the file system's journal)" },
	{ "xlog_", "a disk (the file system's journal)" },
	{ "xfs_log_force", "a disk (the file system's journal)" },
	{ "xfs_log_force_", "a disk (the file system's journal)" },
	{ "btrfs_sync_log", "a disk (the file system's journal)" },
	{ "btrfs_commit_transaction", "a disk (the file system's journal)" },
	{ "io_schedule", "a disk" },
	{ "io_schedule_timeout", "a disk" },
	{ "folio_wait_", "a disk" },
	{ "submit_bio_wait", "a disk" },
	{ "blk_", "a disk" },
	{ "blkdev_", "a disk" },
	{ "reclaim_throttle", "memory (it is scarce)" },
	{ "mem_cgroup_", "memory (the limit of the cgroup)" },
	{ "__refrigerator", "being thawed: the process is frozen" },
};

/* Compilers add to names: "__mutex_lock.constprop.0". */
static bool is_called(const char *function, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(function, name, len))
		return false;
	return name[len - 1] == '_' || !function[len] || function[len] == '.';
}

static const char *words_of(const struct function_words *list, size_t nr, const char *function)
{
	for (size_t i = 0; i < nr; i++)
		if (is_called(function, list[i].name))
			return list[i].words;
	return NULL;
}

/* Where the kernel's functions have no names. */
static const char *words_of_syscall(int syscall)
{
	switch (syscall) {
	case SYS_futex:
		return "a futex (a lock, a condition variable or another thread's end)";
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		return "a sleep of the thread";
	case SYS_flock:
		return "a file lock";
	case SYS_wait4:
	case SYS_waitid:
		return "a child's end";
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_sync:
	case SYS_syncfs:
	case SYS_msync:
	case SYS_sync_file_range:
		return "a disk";
	case SYS_select:
	case SYS_pselect6:
		return "select";
	case SYS_rt_sigtimedwait:
	case SYS_rt_sigsuspend:
	case SYS_pause:
		return "a signal";
	case SYS_io_uring_enter:
		return "io_uring_enter";
	case SYS_vfork:
		return "a child's exec or end (vfork)";
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return "epoll_wait";
	case SYS_poll:
	case SYS_ppoll:
		return "poll";
	case SYS_accept:
	case SYS_accept4:
		return "a connection to accept";
	case SYS_connect:
		return "a connection's beginning";
	case SYS_recvfrom:
	case SYS_recvmsg:
		return "data of a socket";
	case SYS_sendto:
	case SYS_sendmsg:
		return "a socket whose buffer is full";
	case SYS_read:
	case SYS_readv:
	case SYS_pread64:
	case SYS_preadv:
		return "a read";
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_pwritev:
		return "a write";
	}
	return NULL;
}

#define NR(list)	(sizeof(list) / sizeof((list)[0]))
#define NR_FAULT_WAYS	3	/* of ways_in: those of page faults, which are the first */

/* The words of the first function of @list that is in the stack; NULL: none is. */
static const char *words_of_any(const struct function_words *list, size_t nr,
				const struct trace_stack *stack)
{
	for (size_t i = 0; i < nr; i++)
		for (uint32_t k = 0; k < stack->nr; k++)
			if (is_called(stack->frames[k], list[i].name))
				return list[i].words;
	return NULL;
}

bool sleep__on(const struct sleep *s, const struct trace_stack *stack)
{
	static const struct function_words of_file[] = { { "filemap_fault", "" } };

	return s->on && (s->syscall >= 0 || (stack && words_of_any(of_file, 1, stack)));
}

const char *sleep__words(const struct sleep *s, const struct trace_stack *stack)
{
	const char *words = stack ? words_of_any(reasons, NR(reasons), stack) : NULL;

	if (!words && stack && words_of_any(ways_in, NR_FAULT_WAYS, stack))
		words = words_of_any(faults, NR(faults), stack);
	for (uint32_t i = stack ? stack->nr : 0; i-- && !words;)
		words = words_of(ways_in, NR(ways_in), stack->frames[i]);
	for (uint32_t i = 0; stack && i < stack->nr && !words; i++)
		words = words_of(functions, NR(functions), stack->frames[i]);
	return words ? words : words_of_syscall(s->syscall);
}

/*
 * Functions that sleep at a futex; '_' or ':' at a name's end: all whose names begin so. What
 * is outermost of the libraries' functions tells most: a map's lock is made of a general one.
 */
static const struct function_words futexes[] = {
	{ "std::sys::sync::mutex::", "std::sync::Mutex" },
	{ "std::sys::sync::rwlock::", "std::sync::RwLock" },
	{ "std::sys::sync::condvar::", "std::sync::Condvar" },
	{ "std::sync::barrier::", "std::sync::Barrier" },
	{ "std::sys::sync::once::", "std::sync::Once" },
	{ "std::sync::reentrant_lock::", "std::sync::ReentrantLock" },
	{ "std::sys::sync::thread_parking::", "thread::park" },
	{ "std::thread::park", "thread::park" },
	{ "std::thread::functions::park", "thread::park" },
	{ "std::thread::scoped::scope", "the threads of thread::scope" },
	{ "std::sync::mpmc::", "a channel of std" },
	{ "std::sync::mpsc::", "a channel of std" },
	{ "pthread_join", "a thread's end" },
	{ "__pthread_clockjoin_ex", "a thread's end" },
	{ "std::sys::thread::unix::Thread::join", "a thread's end" },
	{ "std::thread::JoinHandle::join", "a thread's end" },
	{ "std::thread::join_handle::", "a thread's end" },
	{ "pthread_mutex_lock", "pthread_mutex" },
	{ "pthread_cond_wait", "pthread_cond" },
	{ "pthread_cond_timedwait", "pthread_cond" },
	{ "parking_lot_core::", "parking_lot" },
	{ "parking_lot::raw_mutex::", "parking_lot::Mutex" },
	{ "parking_lot::raw_fair_mutex::", "parking_lot::FairMutex" },
	{ "parking_lot::raw_rwlock::", "parking_lot::RwLock" },
	{ "parking_lot::condvar::", "parking_lot::Condvar" },
	{ "parking_lot::once::", "parking_lot::Once" },
	{ "dashmap::", "a shard of a DashMap" },
	{ "crossbeam_channel::", "a channel of crossbeam" },
	{ "flume::", "a channel of flume" },
	{ "async_channel::", "a channel of async-channel" },
	{ "tokio::runtime::context::blocking::BlockingRegionGuard::", "block_on of tokio" },
	{ "tokio::runtime::park::", "block_on of tokio" },
	{ "futures_executor::local_pool::", "block_on of futures" },
};

/* Names of methods of traits begin with '<'. */
static bool begins_with(const char *function, const char *name)
{
	size_t len = strlen(name);

	function += *function == '<';
	if (strncmp(function, name, len))
		return false;
	return name[len - 1] == ':' || !function[len] || !strncmp(function + len, "::", 2) ||
	       function[len] == '_' || function[len] == '@';
}

const char *sleep__futex(const struct trace_user_stack *st)
{
	const char *words = NULL;

	for (uint32_t i = 0; st && i < st->nr; i++) {
		const struct trace_user_frame *f = &st->frames[i];

		if (*f->path && !crate_path__foreign(f->path))
			break;
		for (size_t k = 0; k < NR(futexes); k++)
			if (begins_with(f->function, futexes[k].name)) {
				words = futexes[k].words;
				break;
			}
	}
	return words;
}

bool sleep__parks(const struct trace_user_stack *st)
{
	static const char *const parkers[] = {
		"std::sys::sync::thread_parking::", "std::thread::park", "std::thread::functions::park",
		"parking_lot_core::thread_parker::", "parking_lot_core::parking_lot::park",
		"tokio::runtime::park::",
	};

	for (uint32_t i = 0; st && i < st->nr; i++) {
		const struct trace_user_frame *f = &st->frames[i];

		if (*f->path && !crate_path__foreign(f->path))
			break;
		for (size_t k = 0; k < NR(parkers); k++)
			if (begins_with(f->function, parkers[k]))
				return true;
	}
	return false;
}
