// SPDX-License-Identifier: GPL-2.0
/* The names of descriptors, and the listener that a connection belongs to. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel-events/fd_name.h"

static void put(struct raw_fd *fd, const char *text, uint8_t *addr)
{
	assert_int_equal(inet_pton(fd->family, text, addr), 1);
}

/* A stream socket: @remote NULL is none. */
static struct raw_fd sock(const char *local, uint16_t local_port, const char *remote,
			  uint16_t remote_port, uint8_t state)
{
	struct raw_fd fd = { .mode = S_IFSOCK, .sk_type = SOCK_STREAM, .sk_state = state,
			     .family = strchr(local, ':') ? AF_INET6 : AF_INET,
			     .local_port = local_port, .remote_port = remote_port };

	put(&fd, local, fd.local);
	if (remote)
		put(&fd, remote, fd.remote);
	return fd;
}

static void expect(const struct listeners *l, struct raw_fd fd, const char *want)
{
	const struct fd_namer namer = { .pid = getpid(), .listeners = l };
	char name[FD_NAME_MAX];

	fd_name(&namer, &fd, name, sizeof(name));
	assert_string_equal(name, want);
}

static void sockets(void **state)
{
	struct listeners none = { 0 };
	struct raw_fd udp = sock("0.0.0.0", 53, NULL, 0, TCP_CLOSE);

	(void)state;
	expect(&none, sock("127.0.0.1", 8080, NULL, 0, TCP_LISTEN), "tcp listen 127.0.0.1:8080");
	expect(&none, sock("::", 80, NULL, 0, TCP_LISTEN), "tcp listen [::]:80");
	expect(&none, sock("10.0.0.1", 40000, "10.0.0.7", 5432, TCP_ESTABLISHED),
	       "tcp 10.0.0.7:5432");
	expect(&none, sock("2001:db8::1", 40000, "2001:db8::2", 443, TCP_ESTABLISHED),
	       "tcp [2001:db8::2]:443");
	expect(&none, sock("::ffff:10.0.0.1", 40000, "::ffff:10.0.0.7", 5432, TCP_ESTABLISHED),
	       "tcp 10.0.0.7:5432");
	/* no port of the other end does not make a listener */
	expect(&none, sock("0.0.0.0", 0, NULL, 0, TCP_CLOSE), "tcp not connected 0.0.0.0:0");
	udp.sk_type = SOCK_DGRAM;
	expect(&none, udp, "udp bound 0.0.0.0:53");
	assert_int_equal(fd_role(&none, &udp), TRACE_FD_OTHER);
	assert_false(fd_talks(&udp));
	udp.remote_port = 53;
	put(&udp, "10.0.0.7", udp.remote);
	expect(&none, udp, "udp 10.0.0.7:53");
	assert_int_equal(fd_role(&none, &udp), TRACE_FD_CONNECTED);
	assert_true(fd_talks(&udp));
}

static void accepted(void **state)
{
	struct listeners l = { 0 };
	struct raw_fd fd = sock("0.0.0.0", 8080, NULL, 0, TCP_LISTEN);

	(void)state;
	assert_int_equal(listeners__add(&l, &fd), 0);
	assert_int_equal(listeners__add(&l, &fd), 0);
	fd = sock("127.0.0.1", 9000, NULL, 0, TCP_LISTEN);
	assert_int_equal(listeners__add(&l, &fd), 0);
	fd = sock("::", 443, NULL, 0, TCP_LISTEN);
	assert_int_equal(listeners__add(&l, &fd), 0);
	assert_int_equal(l.nr, 3);
	/* what does not listen is not remembered */
	fd = sock("10.0.0.1", 7000, "10.0.0.2", 1, TCP_ESTABLISHED);
	assert_int_equal(listeners__add(&l, &fd), 0);
	fd = sock("10.0.0.1", 7001, NULL, 0, TCP_CLOSE);
	assert_int_equal(listeners__add(&l, &fd), 0);
	fd = (struct raw_fd){ .mode = S_IFIFO, .sk_state = TCP_LISTEN };
	assert_int_equal(listeners__add(&l, &fd), 0);
	assert_int_equal(l.nr, 3);

	expect(&l, sock("10.0.0.1", 8080, "10.0.0.9", 51000, TCP_ESTABLISHED),
	       "tcp 10.0.0.9 → :8080");
	expect(&l, sock("10.0.0.1", 8080, "10.0.0.9", 51001, TCP_CLOSE_WAIT),
	       "tcp 10.0.0.9 → :8080");
	expect(&l, sock("127.0.0.1", 9000, "127.0.0.1", 51002, TCP_ESTABLISHED),
	       "tcp 127.0.0.1 → 127.0.0.1:9000");
	expect(&l, sock("2001:db8::1", 443, "2001:db8::7", 51003, TCP_ESTABLISHED),
	       "tcp 2001:db8::7 → :443");
	/* one socket for both families */
	expect(&l, sock("::ffff:10.0.0.1", 443, "::ffff:10.0.0.9", 51004, TCP_ESTABLISHED),
	       "tcp 10.0.0.9 → :443");
	/* another address of the same port is another program's */
	expect(&l, sock("10.0.0.1", 9000, "10.0.0.9", 51005, TCP_ESTABLISHED),
	       "tcp 10.0.0.9:51005");
	/* the program's own connections keep the port of the other end */
	expect(&l, sock("127.0.0.1", 51002, "127.0.0.1", 9000, TCP_ESTABLISHED),
	       "tcp 127.0.0.1:9000");
	/* of two that could have accepted it, the one of the very address has */
	fd = sock("10.0.0.1", 8080, NULL, 0, TCP_LISTEN);
	assert_int_equal(listeners__add(&l, &fd), 0);
	expect(&l, sock("10.0.0.1", 8080, "10.0.0.9", 51006, TCP_ESTABLISHED),
	       "tcp 10.0.0.9 → 10.0.0.1:8080");
	listeners__clear(&l);
	expect(&l, sock("10.0.0.1", 8080, "10.0.0.9", 51000, TCP_ESTABLISHED),
	       "tcp 10.0.0.9:51000");
}

static void bounded(void **state)
{
	struct listeners l = { 0 };

	(void)state;
	for (int i = 1; i < 60000; i++) {
		struct raw_fd fd = sock("127.0.0.1", (uint16_t)i, NULL, 0, TCP_LISTEN);

		assert_int_equal(listeners__add(&l, &fd), 0);
	}
	assert_in_range(l.nr, 100, 10000);
	listeners__clear(&l);
}

static void others(void **state)
{
	struct listeners none = { 0 };
	struct raw_fd fd = { .mode = S_IFIFO, .ino = 81234 };
	int null = open("/dev/null", O_RDONLY);

	(void)state;
	expect(&none, fd, "pipe 81234");
	fd = (struct raw_fd){ .mode = S_IFSOCK, .family = AF_UNIX, .ino = 7 };
	expect(&none, fd, "unix socket 7");
	memcpy(fd.unix_path, "/run/x.sock", 11);
	fd.unix_len = 11;
	expect(&none, fd, "unix /run/x.sock");
	memcpy(fd.unix_path, "\0name", 5);
	fd.unix_len = 5;
	expect(&none, fd, "unix @name");
	fd = (struct raw_fd){ .mode = S_IFSOCK, .family = 40, .ino = 7 };
	expect(&none, fd, "socket 7 (family 40)");
	assert_true(null >= 0);
	fd = (struct raw_fd){ .mode = S_IFCHR, .fd = null };
	expect(&none, fd, "file /dev/null");
	close(null);
	fd = (struct raw_fd){ .mode = S_IFREG, .fd = 9999, .ino = 5 };
	expect(&none, fd, "fd 9999 (inode 5)");
}

static struct raw_fd local(const char *path, size_t len, uint8_t ends)
{
	struct raw_fd fd = { .mode = S_IFSOCK, .family = AF_UNIX, .sk_type = SOCK_STREAM, .ino = 7,
			     .sk_state = TCP_ESTABLISHED, .unix_ends = ends,
			     .unix_len = (uint8_t)len };

	memcpy(fd.unix_path, path, len);
	return fd;
}

static void expect_role(struct raw_fd fd, const char *want, enum trace_fd_role role)
{
	struct listeners none = { 0 };

	expect(&none, fd, want);
	assert_int_equal(fd_role(&none, &fd), role);
}

static void unix_sockets(void **state)
{
	struct raw_fd fd = local("/run/x", 6, FD_UNIX_NAMED);

	(void)state;
	fd.sk_state = TCP_LISTEN;
	expect_role(fd, "unix listen /run/x", TRACE_FD_LISTENS);
	fd.sk_state = TCP_CLOSE;
	expect_role(fd, "unix bound /run/x", TRACE_FD_OTHER);
	expect_role(local("/run/x", 6, FD_UNIX_PEER | FD_UNIX_PEER_NAMED), "unix /run/x",
		    TRACE_FD_CONNECTED);
	fd = local("\0x", 2, FD_UNIX_PEER | FD_UNIX_NAMED);
	expect_role(fd, "unix → @x", TRACE_FD_ACCEPTED);
	strcpy(fd.peer_comm, "curl");
	expect_role(fd, "unix curl → @x", TRACE_FD_ACCEPTED);
	fd.peer_pid = 12;
	expect_role(fd, "unix curl (pid 12) → @x", TRACE_FD_ACCEPTED);
	fd.peer_comm[0] = '\0';
	expect_role(fd, "unix a process (pid 12) → @x", TRACE_FD_ACCEPTED);
	fd.peer_pid = (uint32_t)getpid();
	expect_role(fd, "unix this process → @x", TRACE_FD_ACCEPTED);
	/* both have names: it is not known who has called whom */
	expect_role(local("/run/x", 6, FD_UNIX_NAMED | FD_UNIX_PEER | FD_UNIX_PEER_NAMED),
		    "unix /run/x", TRACE_FD_OTHER);
	fd = local("/run/x", 6, FD_UNIX_PEER | FD_UNIX_PEER_NAMED);
	fd.sk_type = SOCK_DGRAM;
	expect_role(fd, "unix /run/x", TRACE_FD_OTHER);
	expect_role(local("", 0, FD_UNIX_PEER), "unix socketpair 7", TRACE_FD_OTHER);
	expect_role(local("", 0, 0), "unix socket 7", TRACE_FD_OTHER);
}

/* So many that each by its pid would be too many names. */
static void many_peers(void **state)
{
	struct raw_fd fd = local("/run/x", 6, FD_UNIX_PEER | FD_UNIX_NAMED);
	struct fd_namer namer = { .pid = getpid(), .many = true };
	struct listeners none = { 0 };
	char name[FD_NAME_MAX];

	(void)state;
	namer.listeners = &none;
	fd.peer_pid = 12;
	strcpy(fd.peer_comm, "curl");
	fd_name(&namer, &fd, name, sizeof(name));
	assert_string_equal(name, "unix curl → /run/x");
	fd.peer_comm[0] = '\0';
	fd_name(&namer, &fd, name, sizeof(name));
	assert_string_equal(name, "unix → /run/x");
}

static uint64_t ino_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* Closes @fd when it has been named. */
static void expect_kind(int fd, const char *want)
{
	struct listeners none = { 0 };
	struct raw_fd raw = { .mode = 0, .fd = fd };

	assert_true(fd >= 0);
	expect(&none, raw, want);
	close(fd);
}

static void anonymous(void **state)
{
	sigset_t set;

	(void)state;
	expect_kind(eventfd(0, 0), "eventfd");
	expect_kind(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd");
	expect_kind(inotify_init(), "inotify");
	sigemptyset(&set);
	expect_kind(signalfd(-1, &set, 0), "signalfd");
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	expect_kind(signalfd(-1, &set, 0), "signalfd of SIGINT, SIGTERM");
	sigemptyset(&set);
	sigaddset(&set, 40);
	expect_kind(signalfd(-1, &set, 0), "signalfd of signal 40");
	sigfillset(&set);
	expect_kind(signalfd(-1, &set, 0), "signalfd of SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, "
		    "SIGABRT, SIGBUS, SIGFPE, …");
	expect_kind((int)syscall(SYS_pidfd_open, getpid(), 0), "pidfd of this process");
}

/* A child with @fd as its own that waits until it is killed. Its name is "holder". */
static pid_t hold(int fd, int drop)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		close(ready[0]);
		close(drop);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "holder");
		dup(fd);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 0);
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void expect_held(struct fd_holders *h, struct raw_fd fd, const char *format, pid_t pid)
{
	struct listeners none = { 0 };
	struct fd_namer namer = { .pid = getpid(), .listeners = &none, .holders = h };
	char name[FD_NAME_MAX], want[FD_NAME_MAX];

	snprintf(want, sizeof(want), format, (int)pid);
	fd_name(&namer, &fd, name, sizeof(name));
	assert_string_equal(name, want);
}

static struct raw_fd end_of(int fd, uint8_t opened)
{
	return (struct raw_fd){ .mode = S_IFIFO, .fd = fd, .ino = ino_of(fd), .opened = opened };
}

static void other_ends(void **state)
{
	struct fd_holders h = { 0 };
	struct raw_fd pair = local("", 0, FD_UNIX_PEER);
	char want[64];
	int fds[2], sockets[2];
	pid_t pid, second;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	pair.peer_ino = ino_of(sockets[1]);
	expect_held(&h, end_of(fds[0], FD_OPENED_READ), "pipe from this process", 0);
	expect_held(&h, end_of(fds[1], FD_OPENED_WRITE), "pipe to this process", 0);
	expect_held(&h, pair, "unix socketpair, other end: this process", 0);
	fd_holders__clear(&h);

	pid = hold(fds[1], fds[0]);
	close(fds[1]);
	expect_held(&h, end_of(fds[0], FD_OPENED_READ), "pipe from holder (pid %d)", pid);
	/* the child has not got the other end of this */
	expect_held(&h, end_of(fds[0], FD_OPENED_WRITE), "pipe to this process", 0);
	fd_holders__clear(&h);
	/* several, but what a fork has copied does not count while this process has it, too */
	second = hold(sockets[1], sockets[0]);
	expect_held(&h, pair, "unix socketpair, other end: this process", 0);
	close(sockets[1]);
	fd_holders__clear(&h);
	expect_held(&h, pair, "unix socketpair, other end: holder (pid %d) and 1 more",
		    pid < second ? pid : second);
	end_child(second);
	end_child(pid);
	fd_holders__clear(&h);
	/* nobody has it any more */
	snprintf(want, sizeof(want), "pipe %llu, read end", (unsigned long long)ino_of(fds[0]));
	expect_held(&h, end_of(fds[0], FD_OPENED_READ), want, 0);
	/* a process that is newer than what was found */
	close(sockets[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	pair.peer_ino = ino_of(sockets[1]);
	pid = hold(sockets[1], sockets[0]);
	close(sockets[1]);
	expect_held(&h, pair, "unix socketpair, other end: holder (pid %d)", pid);
	end_child(pid);
	/* and one that has ended, although it was found */
	expect_held(&h, pair, "unix socketpair 7", 0);
	close(sockets[0]);
	close(fds[0]);
	fd_holders__clear(&h);
}

/* Searches end when they have taken their time, and go on later. */
static void searches_are_few(void **state)
{
	struct fd_holders h = { 0 };
	struct fd_end end = { .ino = 1 };
	unsigned int others;
	uint64_t left;

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(fd_holders__of(&h, getpid(), &end, &others), 0);
	left = h.left_ns;
	assert_in_range(left, 0, 10000000);
	h.counted -= 1000000000;
	fd_holders__of(&h, getpid(), &end, &others);
	assert_true(h.full_ns && h.last);
	fd_holders__clear(&h);
}

static void fifos(void **state)
{
	char path[] = "/tmp/fd_name.XXXXXX", fifo[64], want[FD_NAME_MAX];
	struct listeners none = { 0 };
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(fifo, sizeof(fifo), "%s/fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDWR);
	assert_true(fd >= 0);
	snprintf(want, sizeof(want), "fifo %s", fifo);
	expect(&none, end_of(fd, FD_OPENED_READ | FD_OPENED_WRITE), want);
	close(fd);
	unlink(fifo);
	rmdir(path);
}

/* With the right to open files by their handles, and on a file system that has such. */
static bool handles_open(const char *path)
{
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	struct file_handle *handle = (struct file_handle *)room;
	int dir = open(path, O_RDONLY), fd = -1, mount;

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (!name_to_handle_at(AT_FDCWD, path, handle, &mount, 0))
		fd = open_by_handle_at(dir, handle, O_PATH);
	close(dir);
	return fd >= 0 && !close(fd);
}

static void watches(void **state)
{
	char path[] = "/tmp/fd_name.XXXXXX", sub[5][64], want[512];
	struct listeners none = { 0 };
	int fd = inotify_init();
	bool open;

	(void)state;
	assert_non_null(mkdtemp(path));
	open = handles_open(path);
	assert_true(inotify_add_watch(fd, path, IN_DELETE) > 0);
	snprintf(want, sizeof(want), open ? "inotify of %s" : "inotify, 1 watch", path);
	expect(&none, (struct raw_fd){ .fd = fd }, want);
	for (int i = 0; i < 5; i++) {
		snprintf(sub[i], sizeof(sub[i]), "%s/%d", path, i);
		assert_int_equal(mkdir(sub[i], 0700), 0);
		assert_true(inotify_add_watch(fd, sub[i], IN_DELETE) > 0);
	}
	/* the kernel lists the newest first */
	snprintf(want, sizeof(want),
		 open ? "inotify of %s, %s, %s and 3 more" : "inotify, 6 watches", sub[4], sub[3],
		 sub[2]);
	expect(&none, (struct raw_fd){ .fd = fd }, want);
	close(fd);
	for (int i = 0; i < 5; i++)
		rmdir(sub[i]);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets),
		cmocka_unit_test(accepted),
		cmocka_unit_test(bounded),
		cmocka_unit_test(others),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(many_peers),
		cmocka_unit_test(anonymous),
		cmocka_unit_test(other_ends),
		cmocka_unit_test(searches_are_few),
		cmocka_unit_test(fifos),
		cmocka_unit_test(watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
