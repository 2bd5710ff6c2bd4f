// SPDX-License-Identifier: GPL-2.0
/*
 * Debug files from debuginfod servers: see debuginfod.h. It must not know which program
 * the file is for, nor check the file.
 */
#include "image/debuginfod.h"

#include <elfutils/debuginfod.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STALL_S	10	/* seconds, if $DEBUGINFOD_TIMEOUT is not set */

/*
 * Message of the downloading process: the bytes so far, or rc <= 0, followed by the
 * file's name.
 */
struct news {
	int64_t	done, total;
	int	rc;
};

struct download {
	int	fd;
	int64_t	done;
};

static int on_download(debuginfod_client *client, long done, long total)
{
	struct download *dl = debuginfod_get_user_data(client);
	struct news news = { .done = done, .total = total > 0 ? total : 0, .rc = 1 };

	/* until a server sends, the library's number means something else */
	if (!debuginfod_get_url(client) || dl->done == done)
		return 0;
	dl->done = done;
	return write(dl->fd, &news, sizeof(news)) != sizeof(news);
}

static __attribute__((noreturn)) void download(int fd, const char *build_id)
{
	struct download dl = { .fd = fd };
	struct news news = { .rc = -ENOSYS };
	debuginfod_client *client;
	char *path = NULL;
	sigset_t none;

	/* not the main program's handlers: a signal ends the download, too */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	client = debuginfod_begin();
	if (client) {
		debuginfod_set_user_data(client, &dl);
		debuginfod_set_progressfn(client, on_download);
		news.rc = debuginfod_find_debuginfo(client, (const unsigned char *)build_id, 0,
						    &path);
	}
	if (news.rc > 0)
		news.rc = 0;
	if (write(fd, &news, sizeof(news)) == sizeof(news) && !news.rc && path &&
	    write(fd, path, strlen(path) + 1) < 0)
		_exit(1);
	_exit(0);
}

/* Waits for the end of a download; gives up after @limit seconds without a byte. */
static int await_download(int fd, int limit, debuginfod__progress_fn *progress, void *ctx,
			  char path[PATH_MAX])
{
	char buf[sizeof(struct news) + PATH_MAX];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec now;
	size_t have = 0;
	time_t end = 0;

	for (;;) {
		struct news news;
		ssize_t n;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!end)
			end = now.tv_sec + limit;
		if (now.tv_sec >= end)
			return -ETIMEDOUT;
		n = poll(&p, 1, 1000);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0)
			return -errno;
		if (!n)
			return -EINTR;	/* killed, for example by Ctrl-C, or crashed */
		end = 0;
		have += (size_t)n;
		for (; have >= sizeof(news); have -= sizeof(news)) {
			memcpy(&news, buf, sizeof(news));
			if (news.rc < 0)
				return news.rc;
			if (!news.rc)
				break;
			if (progress)
				progress(ctx, "debug file from debuginfod", (uint64_t)news.done,
					 (uint64_t)news.total);
			memmove(buf, buf + sizeof(news), have - sizeof(news));
		}
		if (have > sizeof(news) && memchr(buf + sizeof(news), 0, have - sizeof(news))) {
			strcpy(path, buf + sizeof(news));
			return 0;
		}
		if (have == sizeof(buf))
			return -ENAMETOOLONG;
	}
}

int debuginfod__timeout(void)
{
	const char *timeout = getenv(DEBUGINFOD_TIMEOUT_ENV_VAR);
	int limit = timeout ? atoi(timeout) : 0;

	return limit > 0 ? limit : STALL_S;
}

/*
 * Runs in a process of its own, because the library cannot be stopped while it
 * connects. Where a firewall drops packets, that takes minutes, too long to wait for a
 * profiler to start.
 */
int debuginfod__fetch(const char *build_id, debuginfod__progress_fn *progress, void *ctx,
		      char path[PATH_MAX])
{
	const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR);
	int fds[2], err;
	pid_t pid;

	if (!urls || !*urls || !*build_id)
		return -ENOENT;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(fds[1]);
		goto out;
	}
	if (!pid)
		download(fds[1], build_id);
	close(fds[1]);
	err = await_download(fds[0], debuginfod__timeout(), progress, ctx, path);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
out:
	close(fds[0]);
	return err;
}
