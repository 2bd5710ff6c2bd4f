// SPDX-License-Identifier: GPL-2.0
/*
 * The decoders of the kernel sources: raw events, as BPF programs send them and as they
 * never should, and what comes out of each. Those of io_uring: events_io_uring.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <cmocka.h>

#include "kernel-events/epoll.h"
#include "kernel-events/fd.h"
#include "kernel-events/file.h"
#include "kernel-events/sched.h"
#include "record/losses.h"
#include "tests/unit/events_recording.h"

/* ---- sched ---- */

static const struct raw_off_cpu off_cpus[] = {
	{ .out = TS - 500, .wake = TS - 100, .waker = 78, .stack = 5, .reason = RAW_OFF_ASLEEP,
	  .syscall = 232 },
	{ .out = TS - 500, .reason = RAW_OFF_PREEMPTED, .syscall = -1 },
	{ .out = TS - 500, .wake = TS - 500, .reason = RAW_OFF_DISK, .told = RAW_OFF_TOLD,
	  .stack = UINT32_MAX, .syscall = 0 },
	{ .out = TS, .reason = RAW_OFF_STOPPED, .told = RAW_OFF_UNSEEN, .syscall = 7 },
	/* open ones: woken, and not */
	{ .out = TS - 9, .wake = TS - 2, .reason = RAW_OFF_ASLEEP, .told = RAW_OFF_OPEN,
	  .syscall = 1 },
	{ .out = TS - 9, .reason = RAW_OFF_ASLEEP, .told = RAW_OFF_OPEN, .syscall = 1 },
	/* with a user stack, one that there is no more room for, and one that fails */
	{ .out = TS - 9, .reason = RAW_OFF_ASLEEP, .syscall = -1, .user = 3 },
	{ .out = TS - 9, .reason = RAW_OFF_ASLEEP, .syscall = -1, .user = NO_ROOM },
	/* a wake without an end, and an end without a begin */
	{ .out = TS - 9, .wake = TS + 5, .reason = RAW_OFF_ASLEEP, .syscall = -1 },
	{ .out = 0, .reason = RAW_OFF_ASLEEP, .syscall = -1 },
};

static void check_off_cpu(const struct trace_event *ev, const struct raw_off_cpu *raw)
{
	assert_int_equal(ev->type, TRACE_OFF_CPU);
	assert_int_equal(ev->off.out, raw->out);
	assert_int_equal(ev->off.wake, raw->wake);
	assert_int_equal(ev->off.waker, raw->waker);
	assert_int_equal(ev->off.stack, raw->stack);
	assert_int_equal(ev->off.reason, raw->reason);
	assert_int_equal(ev->off.open, raw->told == RAW_OFF_OPEN);
	assert_int_equal(ev->off.told, ev->off.open ? TRACE_OFF_SEEN : raw->told);
	assert_int_equal(ev->off.woken, ev->off.open && raw->wake);
	assert_int_equal(ev->off.user, raw->user == 3 ? 103 : 0);
	assert_int_equal(ev->off.syscall, raw->syscall);
}

static void off_cpu_periods(void **state)
{
	size_t nr = sizeof(off_cpus) / sizeof(off_cpus[0]);
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < nr; i++) {
		struct raw_off_cpu raw = off_cpus[i];

		raw.hdr = head(RAW_OFF_CPU, 0);
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
		check_off_cpu(&ev, &raw);
	}
	finish(&r);
	for (size_t i = 0; i < nr; i++) {
		next(&r, &ev);
		check_off_cpu(&ev, &off_cpus[i]);
	}
	no_more(&r);
	end(&r);
}

static void no_user_stack(void **state)
{
	struct raw_off_cpu raw = { .hdr = head(RAW_OFF_CPU, 0), .out = TS - 1, .user = NO_MEMORY };
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	assert_int_equal(take(&r, &raw, sizeof(raw), &ev), -ENOMEM);
	end(&r);
}

static void futexes(void **state)
{
	static const uint64_t words[] = { 0x7f3c5000a010, 0, UINT64_MAX };
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < 3; i++) {
		struct raw_off_more raw = { .hdr = head(RAW_FUTEX, 0), .value = words[i] };

		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	finish(&r);
	for (size_t i = 0; i < 3; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_FUTEX);
		assert_int_equal(ev.futex.word, words[i]);
	}
	no_more(&r);
	end(&r);
}

/* Of a wake: an id, none that there is room for, and no memory. */
static void wake_stacks(void **state)
{
	static const struct {
		uint64_t	raw;
		int		ret;
	} stacks[] = { { 3, 1 }, { NO_ROOM, 0 }, { NO_MEMORY, -ENOMEM }, { 0, 0 } };
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < 4; i++) {
		struct raw_off_more raw = { .hdr = head(RAW_WAKE_STACK, 0),
					    .value = stacks[i].raw };

		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), stacks[i].ret);
	}
	finish(&r);
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_WAKE_STACK);
	assert_int_equal(ev.wake_stack.user, 103);
	no_more(&r);
	end(&r);
}

static void throttled_times(void **state)
{
	static const uint64_t ns[] = { 2000, 1, 90 * 1000000ull, UINT64_MAX };
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < 4; i++) {
		struct raw_off_more raw = { .hdr = head(RAW_THROTTLED, 0), .value = ns[i] };

		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	finish(&r);
	for (size_t i = 0; i < 4; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_THROTTLED);
		assert_int_equal(ev.throttled.ns, ns[i]);
	}
	no_more(&r);
	end(&r);
}

/* Files by their descriptors and by what is mapped; closed ones; what is no file. */
static void files_slept_on(void **state)
{
	struct raw_file raw = { .fd = { .hdr = head(RAW_FILE, 0), .mode = S_IFREG }, .name = "last" };
	struct raw_off_more on = { .hdr = head(RAW_SLEPT_ON, 0), .value = 7 };
	char exe[4096], want[4200];
	struct trace_event ev;
	struct recording r;
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	(void)state;
	assert_true(fd >= 0 && n > 0 && !fstat(fd, &st));
	exe[n] = '\0';
	begin(&r);
	snprintf(want, sizeof(want), "file %s", exe);
	for (int i = 0; i < 5; i++) {
		raw.id = FILE_FIRST + (uint32_t)i;
		raw.fd.fd = i == 0 ? fd : -1;
		raw.fd.ino = i < 2 ? st.st_ino : 1;
		if (i == 3)
			*raw.name = '\0';
		if (i == 4)
			raw.fd.mode = S_IFSOCK;
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	assert_int_equal(take(&r, &on, sizeof(on), &ev), 1);
	finish(&r);
	for (int i = 0; i < 5; i++) {
		const char *name;

		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_FILE);
		assert_int_equal(ev.named.file, FILE_FIRST + i);
		name = trace_reader__string(r.reader, ev.named.name);
		if (i < 2)
			assert_memory_equal(name, want, strlen(name) < 100 ? strlen(name) : 100);
		else
			assert_string_equal(name, i == 2 ? "file …/last" : i == 3 ? "file (inode 1)" :
					    "socket 1 (family 0)");
	}
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_SLEPT_ON);
	assert_int_equal(ev.slept_on.file, 7);
	no_more(&r);
	end(&r);
	close(fd);
}

/* The file has 16 bits for the number of a system call: what does not fit is none. */
static void system_calls(void **state)
{
	static const struct {
		int16_t	raw, want;
	} cases[] = {
		{ 0, 0 }, { 1, 1 }, { INT16_MAX - 1, INT16_MAX - 1 }, { -1, -1 }, { -2, -1 },
		{ INT16_MAX, -1 }, { INT16_MIN, -1 }, { INT16_MIN + 1, -1 },
	};
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct raw_off_cpu raw = { .hdr = head(RAW_OFF_CPU, 0), .out = TS - 1,
					   .syscall = cases[i].raw };

		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
		assert_int_equal(ev.off.syscall, cases[i].want);
	}
	end(&r);
}

/* @nr frames at @ips become those of @want, which "" ends. */
static void check_stack(const uint64_t *ips, unsigned int nr, const char *const *want)
{
	struct raw_stack raw = { .hdr = head(RAW_STACK, nr), .stack = 9 };
	const struct trace_stack *st;
	struct trace_event ev;
	struct recording r;
	uint32_t i;

	memcpy(raw.ips, ips, (nr < RAW_STACK_FRAMES ? nr : RAW_STACK_FRAMES) * sizeof(*ips));
	begin(&r);
	assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 0);
	finish(&r);
	no_more(&r);
	assert_null(trace_reader__stack(r.reader, 8));
	st = trace_reader__stack(r.reader, 9);
	assert_non_null(st);
	for (i = 0; *want[i]; i++) {
		assert_true(i < st->nr);
		assert_string_equal(st->frames[i], want[i]);
	}
	assert_int_equal(st->nr, i);
	end(&r);
}

static void stacks(void **state)
{
	static const uint64_t usual[] = { 5, 6, 7, 1, 2, 3, 4 };
	static const uint64_t deep[] = { 3, 2, 1, 5, 4 };
	static const uint64_t unknown[] = { 0, 99, 3, ~0ull, 15, 0, 4, 0 };
	static const uint64_t own[] = { 1, 2, 2, 1 };
	static const uint64_t almost[] = { 8, 2, 3 };
	static const uint64_t behind[] = { 1, 0, 0, 2 };
	static const uint64_t hook[] = { 0, 5, 7, 1, 2, 3, 4 };
	static const uint64_t none[1];

	(void)state;
	check_stack(usual, 7, (const char *[]){ "pipe_read", "vfs_read", "" });
	/* the scheduler's own are left out at the top alone */
	check_stack(deep, 5, (const char *[]){ "pipe_read", "schedule", "__schedule",
					       "bpf_trace_run4", "vfs_read", "" });
	check_stack(unknown, 8, (const char *[]){ KSYM_UNKNOWN, "pipe_read", KSYM_UNKNOWN,
						  "vfs_read", KSYM_UNKNOWN, "" });
	check_stack(own, 4, (const char *[]){ "" });
	check_stack(almost, 3, (const char *[]){ "schedule_timeout", "schedule", "pipe_read", "" });
	check_stack(behind, 4, (const char *[]){ KSYM_UNKNOWN, "schedule", "" });
	/* a hook's program has no name */
	check_stack(hook, 7, (const char *[]){ "pipe_read", "vfs_read", "" });
	check_stack(none, 0, (const char *[]){ "" });
	/* fewer than there are */
	check_stack(usual, 6, (const char *[]){ "pipe_read", "" });
}

static void stacks_that_are_full(void **state)
{
	uint64_t ips[RAW_STACK_FRAMES];
	const char *want[RAW_STACK_FRAMES + 1];

	(void)state;
	for (unsigned int i = 0; i < RAW_STACK_FRAMES; i++) {
		ips[i] = 3 + i % 2;
		want[i] = i % 2 ? "vfs_read" : "pipe_read";
	}
	want[RAW_STACK_FRAMES] = "";
	check_stack(ips, RAW_STACK_FRAMES, want);
	/* more than there is room for */
	check_stack(ips, RAW_STACK_FRAMES + 1, want);
	check_stack(ips, 255, want);
}

/* ---- process ---- */

static void take_thread(struct recording *r, uint32_t tid, const char *comm, size_t len)
{
	struct raw_thread raw = { .hdr = head(RAW_THREAD, 0) };
	struct trace_event ev;

	raw.hdr.tid = tid;
	memset(raw.comm, 'x', sizeof(raw.comm));
	memcpy(raw.comm, comm, len);
	assert_int_equal(take(r, &raw, sizeof(raw), &ev), 0);
}

static void threads(void **state)
{
	struct trace_event ev;
	struct raw_hdr gone = head(RAW_THREAD_EXIT, 0);
	struct recording r;

	(void)state;
	begin(&r);
	take_thread(&r, 1, "worker", 7);
	take_thread(&r, 2, "sixteen.bytes.it", 16);
	take_thread(&r, 3, "", 1);
	take_thread(&r, 4, "before", 7);
	take_thread(&r, 4, "after", 6);
	assert_int_equal(take(&r, &gone, sizeof(gone), &ev), 1);
	assert_int_equal(ev.type, TRACE_THREAD_EXIT);
	finish(&r);
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_THREAD_EXIT);
	no_more(&r);
	assert_string_equal(trace_reader__thread_name(r.reader, 1), "worker");
	assert_string_equal(trace_reader__thread_name(r.reader, 2), "sixteen.bytes.it");
	assert_string_equal(trace_reader__thread_name(r.reader, 3), "");
	assert_string_equal(trace_reader__thread_name(r.reader, 4), "after");
	end(&r);
}

static void execs(void **state)
{
	struct raw_hdr raw = head(RAW_EXEC, 0);
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	assert_int_equal(r.ctx.execs, 0);
	assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 0);
	assert_int_equal(r.ctx.execs, 1);
	assert_int_equal(r.ctx.last_exec_ts, TS);
	raw.ts = TS + 7;
	assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 0);
	assert_int_equal(r.ctx.execs, 2);
	assert_int_equal(r.ctx.last_exec_ts, TS + 7);
	finish(&r);
	no_more(&r);
	end(&r);
}

/* ---- epoll ---- */

static void waits(void **state)
{
	static const struct raw_epoll_wait cases[] = {
		{ .nr = 0, .epfd = 4 }, { .nr = 1, .epfd = 0 }, { .nr = 1024, .epfd = 65536 },
		{ .nr = -4, .epfd = -1 }, { .nr = INT32_MIN, .epfd = INT32_MAX },
	};
	size_t nr = sizeof(cases) / sizeof(cases[0]);
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < nr; i++) {
		struct raw_epoll_wait raw = cases[i];

		raw.hdr = head(RAW_EPOLL_WAIT, 0);
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	finish(&r);
	for (size_t i = 0; i < nr; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_EPOLL_WAIT);
		assert_int_equal(ev.epoll.nr, cases[i].nr);
		assert_int_equal(ev.epoll.epfd, cases[i].epfd);
	}
	no_more(&r);
	end(&r);
}

static void readiness(void **state)
{
	static const struct raw_epoll_ready cases[] = {
		{ .token = 0x7f0000001000, .ready = TS - 10, .reader = 0x7f0000002000,
		  .writer = 0x7f0000003000, .events = EPOLLIN | EPOLLOUT },
		{ .token = 0, .events = EPOLLHUP },
		{ .token = ~0ull, .ready = TS, .reader = 1, .writer = 1, .events = EPOLLIN },
		{ .token = 3, .ready = 1, .reader = ~0ull, .events = UINT32_MAX },
		{ .token = 4, .events = EPOLLIN, .turn = FD_TURN_KNOWN },
		{ .token = 5, .events = EPOLLIN, .turn = FD_TURN_KNOWN | FD_TURN_SENT },
		{ .token = 6, .events = EPOLLIN, .turn = FD_TURN_KNOWN | FD_TURN_FIRST },
	};
	size_t nr = sizeof(cases) / sizeof(cases[0]);
	struct trace_event ev;
	struct recording r;
	uint32_t want;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < nr; i++) {
		struct raw_epoll_ready raw = cases[i];

		raw.hdr = head(RAW_EPOLL_READY, 0);
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	finish(&r);
	for (size_t i = 0; i < nr; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_EPOLL_READY);
		assert_int_equal(ev.ready.token, cases[i].token);
		assert_int_equal(ev.ready.ready, cases[i].ready);
		assert_int_equal(ev.ready.reader, cases[i].reader);
		assert_int_equal(ev.ready.writer, cases[i].writer);
		want = cases[i].events;
		if (cases[i].turn & FD_TURN_KNOWN)
			want |= TRACE_READY_TURN;
		if (cases[i].turn & FD_TURN_SENT)
			want |= TRACE_READY_SENT;
		if (cases[i].turn & FD_TURN_FIRST)
			want |= TRACE_READY_FIRST;
		assert_int_equal(ev.ready.events, want);
	}
	no_more(&r);
	end(&r);
}

/* Add @raw, and look what it is called. */
static void check_name(struct recording *r, const struct raw_fd *raw, const char *want)
{
	struct trace_event ev;

	assert_int_equal(take(r, raw, sizeof(*raw), &ev), 1);
	assert_int_equal(ev.type, TRACE_FD_ADD);
	assert_int_equal(ev.fd.token, raw->token);
	assert_int_equal(ev.fd.epfd, raw->epfd);
	assert_int_equal(ev.fd.fd, raw->fd);
	/* equal texts have equal numbers */
	if (ev.fd.name != trace_writer__string(r->ctx.trace, want))
		fail_msg("fd %d is not called %s", raw->fd, want);
}

static void descriptors(void **state)
{
	struct raw_fd client = tcp(10, "10.0.0.1", 40000, "10.0.0.7", 5432, TCP_ESTABLISHED);
	struct raw_fd listener = tcp(11, "0.0.0.0", 80, "0.0.0.0", 0, TCP_LISTEN);
	struct raw_fd server = tcp(12, "10.0.0.1", 80, "10.0.0.9", 50000, TCP_ESTABLISHED);
	struct raw_fd pipe = { .hdr = head(RAW_FD_ADD, 0), .fd = INT32_MAX, .epfd = -1,
			       .token = ~0ull, .mode = S_IFIFO, .ino = 123 };
	struct raw_fd gone = { .hdr = head(RAW_FD_DEL, 0), .fd = 10, .epfd = 4, .token = 0x100a };
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	check_name(&r, &client, "tcp 10.0.0.7:5432");
	/* before it is known who listens, and then */
	check_name(&r, &server, "tcp 10.0.0.9:50000");
	check_name(&r, &listener, "tcp listen 0.0.0.0:80");
	check_name(&r, &server, "tcp 10.0.0.9 → :80");
	check_name(&r, &pipe, "pipe 123");
	assert_int_equal(take(&r, &gone, sizeof(gone), &ev), 1);
	finish(&r);
	for (int i = 0; i < 5; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_FD_ADD);
	}
	assert_int_equal(ev.fd.fd, INT32_MAX);
	assert_int_equal(ev.fd.epfd, -1);
	assert_int_equal(ev.fd.token, ~0ull);
	assert_string_equal(trace_reader__string(r.reader, ev.fd.name), "pipe 123");
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_FD_DEL);
	assert_int_equal(ev.fd.token, 0x100a);
	assert_int_equal(ev.fd.epfd, 4);
	assert_int_equal(ev.fd.fd, 10);
	assert_int_equal(ev.fd.name, 0);
	no_more(&r);
	end(&r);
}

static void unix_sockets(void **state)
{
	struct raw_fd raw = { .hdr = head(RAW_FD_ADD, 0), .fd = 5, .mode = S_IFSOCK,
			      .family = AF_UNIX, .ino = 42 };
	char path_108[RAW_UNIX_PATH + 1], want[RAW_UNIX_PATH + 16];
	struct recording r;

	(void)state;
	begin(&r);
	check_name(&r, &raw, "unix socket 42");
	memset(path_108, 'p', RAW_UNIX_PATH);
	path_108[RAW_UNIX_PATH] = '\0';
	memcpy(raw.unix_path, path_108, RAW_UNIX_PATH);
	raw.unix_len = 1;
	check_name(&r, &raw, "unix p");
	snprintf(want, sizeof(want), "unix %s", path_108);
	raw.unix_len = RAW_UNIX_PATH;
	check_name(&r, &raw, want);
	/* longer than there is room for */
	memset(&raw.written, 'p', sizeof(raw.written));
	raw.unix_len = 255;
	check_name(&r, &raw, want);
	/* an abstract name of no bytes */
	raw.unix_path[0] = '\0';
	raw.unix_len = 1;
	check_name(&r, &raw, "unix @");
	end(&r);
}

/* The kernel may know of a listener whose own event is still in another ring. */
static void listeners_of_the_kernel(void **state)
{
	struct raw_fd server = tcp(12, "10.0.0.1", 80, "10.0.0.9", 50000, TCP_ESTABLISHED);
	struct raw_fd client = tcp(13, "10.0.0.1", 81, "10.0.0.9", 50000, TCP_ESTABLISHED);
	struct raw_listener at = { .family = AF_INET, .port = 80 };
	struct recording r;
	uint8_t there = 1;
	int map;

	(void)state;
	map = bpf_map_create(BPF_MAP_TYPE_HASH, "listening", sizeof(at), 1, 16, NULL);
	if (map < 0)
		skip();	/* no rights to make one */
	begin(&r);
	assert_int_equal(bpf_map__set_max_entries(r.ctx.skel->maps.listening, 16), 0);
	assert_int_equal(bpf_map__reuse_fd(r.ctx.skel->maps.listening, map), 0);
	check_name(&r, &server, "tcp 10.0.0.9:50000");
	/* at all addresses, then at this very one */
	assert_int_equal(bpf_map_update_elem(map, &at, &there, BPF_ANY), 0);
	check_name(&r, &server, "tcp 10.0.0.9 → :80");
	listeners__clear(&r.ctx.listeners);
	memcpy(at.local, server.local, sizeof(at.local));
	assert_int_equal(bpf_map_update_elem(map, &at, &there, BPF_ANY), 0);
	check_name(&r, &server, "tcp 10.0.0.9 → 10.0.0.1:80");
	check_name(&r, &client, "tcp 10.0.0.9:50000");
	end(&r);
	close(map);
}

/* ---- all of them ---- */

/* A number that is not a source's own means nothing to it; but sched has no other than its two. */
static void other_events(void **state)
{
	struct trace_event ev = { 0 };
	uint64_t raw[64] = { 0 };
	struct recording r;

	(void)state;
	begin(&r);
	for (const struct kernel_source *const *s = kernel_sources; *s; s++) {
		if (!(*s)->decode || !strcmp((*s)->name, "sched"))
			continue;
		for (unsigned int type = 0; type < 256; type++) {
			struct raw_hdr *hdr = (void *)raw;

			*hdr = head(type, 255);
			if (type < RAW_TYPE_NR && r.types.source[type] == *s)
				continue;
			assert_int_equal((*s)->decode(&r.ctx, hdr, &ev), 0);
		}
	}
	assert_int_equal(r.ctx.execs, 0);
	end(&r);
}

/* What a source loses is in the file by the name that it has given to it. */
static void losses_by_name(void **state)
{
	struct recording r;
	const char *cause;
	uint64_t total;
	size_t i, found;

	(void)state;
	begin(&r);
	for (i = 0; i < LOSS_NR; i++)
		assert_int_equal(trace_writer__loss(r.ctx.trace, loss_name(i), 100 + i), 0);
	finish(&r);
	for (const struct kernel_source *const *s = kernel_sources; *s; s++) {
		for (const struct source_loss *l = (*s)->losses; l && l->name; l++) {
			for (i = found = 0; trace_reader__loss(r.reader, i, &cause, &total); i++) {
				if (strcmp(cause, l->name))
					continue;
				assert_int_equal(total, 100 + l->cause);
				found++;
			}
			assert_int_equal(found, 1);
			assert_ptr_equal(source_loss(l->cause), l);
		}
	}
	assert_null(source_loss(LOSS_RING));
	assert_null(source_loss(LOSS_NR));
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_cpu_periods),
		cmocka_unit_test(no_user_stack),
		cmocka_unit_test(system_calls),
		cmocka_unit_test(throttled_times),
		cmocka_unit_test(wake_stacks),
		cmocka_unit_test(futexes),
		cmocka_unit_test(files_slept_on),
		cmocka_unit_test(stacks),
		cmocka_unit_test(stacks_that_are_full),
		cmocka_unit_test(threads),
		cmocka_unit_test(execs),
		cmocka_unit_test(waits),
		cmocka_unit_test(readiness),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(listeners_of_the_kernel),
		cmocka_unit_test(other_events),
		cmocka_unit_test(losses_by_name),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
