// SPDX-License-Identifier: GPL-2.0
/* The process that finds out why tasks wait. See looker.h. */
#include "record/looker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/clock.h"
#include "base/priority.h"
#include "record/code.h"
#include "record/registers.h"
#include "why/why.h"

#define REASON_MAX	160

/* Before the bytes of an answer. */
struct head {
	uint64_t	cpu_ns;
	uint64_t	ts;
	uint64_t	len;
	char		why[REASON_MAX];	/* "": it has been found out */
};

struct looker {
	pid_t		 pid;
	int		 socket;
	uint64_t	 asked, cpu_ns;
	bool		 busy;
	struct head	 head;
	size_t		 got;		/* bytes, of the head and then of the answer */
	uint8_t		*data;
};

/* ---- the child ---- */

struct child {
	int			 socket;
	const struct image	*img;
	struct process		 target;
	struct registers	*registers;
};

static int each_register(void *of, int (*each)(void *ctx, const void *regs), void *ctx)
{
	return registers__each(of, each, ctx);
}

/* One look, as `dwell why` takes it; its answer as bytes. */
static int look(struct child *c, uint8_t **out, size_t *len, const char **why)
{
	struct picture_registers regs = { .each = each_register };
	struct answer a;
	struct why y;
	uint64_t bias;
	int err = process__load_bias(&c->target, image__first_vaddr(c->img), &bias);

	*why = "where its program lies in memory is not known";
	if (!err)
		err = code__check_all(&c->target, c->img, &bias, why);
	if (!err && !c->registers)
		err = registers__new(&c->target, &c->registers, why);
	if (err)
		return err;
	regs.of = c->registers;
	err = why__look(&y, c->img, &c->target, bias, &regs);
	answer__init(&a);
	if (!err)
		err = why__answer(&y, false, &a);
	why__free(&y);
	if (!err)
		err = answer__pack(&a, out, len);
	answer__free(&a);
	*why = process__exited(&c->target) ? "it has ended" : strerror(-err);
	return err;
}

static bool send_all(int socket, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = send(socket, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool answer(struct child *c)
{
	struct head h = { .ts = clock__now() };
	uint8_t *data = NULL;
	const char *why = "";
	size_t len = 0;
	bool sent;

	if (look(c, &data, &len, &why)) {
		strncpy(h.why, why && *why ? why : "no reason is known", sizeof(h.why) - 1);
		len = 0;
	}
	h.len = len;
	h.cpu_ns = clock__ns(CLOCK_PROCESS_CPUTIME_ID);
	sent = send_all(c->socket, &h, sizeof(h)) && send_all(c->socket, data, len);
	free(data);
	return sent;
}

/*
 * Keeps three descriptors, as the first three behind the standard ones, which lead to
 * /dev/null. In particular the output, which dwell has locked, and the terminal are not kept.
 */
static int keep_fds(struct child *c)
{
	int *const kept[] = { &c->socket, &c->target.pidfd, &c->target.exe_fd };
	int to = STDIN_FILENO, null = open("/dev/null", O_RDWR | O_CLOEXEC), high[3];

	if (null < 0)
		return -errno;
	/* out of the way of one another first */
	for (int i = 0; i < 3; i++) {
		high[i] = fcntl(*kept[i], F_DUPFD, STDERR_FILENO + 4);
		if (high[i] < 0)
			return -errno;
	}
	while (to <= STDERR_FILENO)
		if (dup2(null, to++) < 0)
			return -errno;
	for (int i = 0; i < 3; i++) {
		*kept[i] = dup2(high[i], to++);
		if (*kept[i] < 0)
			return -errno;
	}
	return close_range((unsigned int)to, ~0u, 0);
}

__attribute__((noreturn))
static void serve(struct child *c, pid_t parent)
{
	sigset_t all;
	char byte;

	/* What a terminal or a supervisor sends is for dwell to obey. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "dwell-looker");
	setsid();
	if (getppid() != parent || keep_fds(c))
		_exit(1);
	for (;;) {
		ssize_t n = recv(c->socket, &byte, 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || !answer(c))
			_exit(0);
	}
}

/* ---- dwell's side ---- */

int looker__start(const struct image *img, const struct process *target, struct looker **out)
{
	struct looker *l = calloc(1, sizeof(*l));
	struct child c = { .img = img, .target = *target };
	pid_t self = getpid();
	int pair[2], err;

	*out = NULL;
	if (!l)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		goto fail;
	}
	l->pid = fork();
	if (!l->pid) {
		priority__give_way();
		c.socket = pair[1];
		serve(&c, self);
	}
	err = -errno;
	close(pair[1]);
	if (l->pid < 0) {
		close(pair[0]);
		goto fail;
	}
	l->socket = pair[0];
	*out = l;
	return 0;
fail:
	free(l);
	return err;
}

void looker__ask(struct looker *l)
{
	if (!l || l->busy)
		return;
	free(l->data);
	l->data = NULL;
	l->busy = send(l->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
	l->asked = clock__now();
}

bool looker__busy(const struct looker *l)
{
	return l && l->busy;
}

uint64_t looker__asked(const struct looker *l)
{
	return l ? l->asked : 0;
}

int looker__fd(const struct looker *l)
{
	return l ? l->socket : -1;
}

uint64_t looker__cpu_ns(const struct looker *l)
{
	return l ? l->cpu_ns : 0;
}

/* Receive up to @len bytes. 1; 0: nothing is there; or negative errno. */
static int receive(struct looker *l, void *to, size_t len)
{
	ssize_t n;

	do
		n = recv(l->socket, to, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	l->got += (size_t)n;
	return n ? 1 : -EPIPE;
}

int looker__take(struct looker *l, struct looker_answer *a)
{
	int got = 1;

	if (!l || !l->busy)
		return 0;
	while (got > 0 && l->got < sizeof(l->head))
		got = receive(l, (uint8_t *)&l->head + l->got, sizeof(l->head) - l->got);
	if (got > 0 && !l->data) {
		l->data = malloc(l->head.len + 1);
		if (!l->data)
			return -ENOMEM;
	}
	while (got > 0 && l->got < sizeof(l->head) + l->head.len)
		got = receive(l, l->data + l->got - sizeof(l->head),
			      sizeof(l->head) + l->head.len - l->got);
	if (got <= 0) {
		/* it is gone: there will be no answers any more */
		l->busy = !got;
		return got;
	}
	l->cpu_ns = l->head.cpu_ns;
	*a = (struct looker_answer){ .ts = l->head.ts, .data = l->data, .len = l->head.len,
				     .why = *l->head.why ? l->head.why : NULL };
	l->busy = false;
	l->got = 0;
	return 1;
}

void looker__free(struct looker *l)
{
	if (!l)
		return;
	kill(l->pid, SIGKILL);
	close(l->socket);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(l->data);
	free(l);
}
