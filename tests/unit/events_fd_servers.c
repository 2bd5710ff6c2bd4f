/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who listens where a connection leads to: this process, a child, nobody, a program on another
 * machine. Each address is asked for once.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel-events/fd_servers.h"

/* A socket that listens on a port of its own at @addr, an IPv4 one. */
static int listens(const char *addr, uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, addr, &in.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static struct raw_fd leads_to(int family, const char *local, const char *remote, uint16_t port)
{
	struct raw_fd fd = { .family = (uint16_t)family, .sk_type = SOCK_STREAM,
			     .local_port = 40000, .remote_port = port };

	assert_int_equal(inet_pton(family, local, fd.local), 1);
	assert_int_equal(inet_pton(family, remote, fd.remote), 1);
	return fd;
}

static void here(void **state)
{
	struct fd_servers s = { 0 };
	struct fd_holders h = { 0 };
	uint16_t port, gone;
	struct raw_fd fd;
	int sock = listens("127.0.0.1", &port);

	(void)state;
	close(listens("127.0.0.1", &gone));
	fd = leads_to(AF_INET, "127.0.0.1", "127.0.0.1", port);
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "this process");
	fd = leads_to(AF_INET6, "::ffff:127.0.0.1", "::ffff:127.0.0.1", port);
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "this process");
	fd = leads_to(AF_INET, "127.0.0.1", "127.0.0.1", gone);
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "");
	close(sock);
	/* it is not asked for again */
	fd = leads_to(AF_INET, "127.0.0.1", "127.0.0.1", port);
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "this process");
	assert_int_equal(s.nr, 2);
	fd_servers__clear(&s);
	fd_holders__clear(&h);
}

/* One that listens on all addresses listens on this port of other machines as little as any. */
static void elsewhere(void **state)
{
	struct fd_servers s = { 0 };
	struct fd_holders h = { 0 };
	uint16_t port;
	int sock = listens("0.0.0.0", &port);
	struct raw_fd fd = leads_to(AF_INET, "10.0.0.1", "10.0.0.7", port);

	(void)state;
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "");
	assert_int_equal(s.nr, 0);
	fd = leads_to(AF_INET, "127.0.0.1", "127.1.2.3", port);
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "this process");
	close(sock);
	fd_servers__clear(&s);
	fd_holders__clear(&h);
}

static void another(void **state)
{
	struct fd_servers s = { 0 };
	struct fd_holders h = { 0 };
	struct raw_fd fd;
	uint16_t port;
	int sock = listens("127.0.0.1", &port), ready[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "server");
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 0);
	close(ready[0]);
	close(sock);
	fd = leads_to(AF_INET, "127.0.0.1", "127.0.0.1", port);
	assert_string_equal(fd_servers__of(&s, &h, getpid(), &fd), "server");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fd_servers__clear(&s);
	fd_holders__clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(here),
		cmocka_unit_test(elsewhere),
		cmocka_unit_test(another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
