// SPDX-License-Identifier: GPL-2.0
/* The names of descriptors, and the listener that a connection belongs to. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
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
	char name[FD_NAME_MAX];

	fd_name(getpid(), l, &fd, name, sizeof(name));
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
	expect(&none, udp, "udp 0.0.0.0:53");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets),
		cmocka_unit_test(accepted),
		cmocka_unit_test(bounded),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
