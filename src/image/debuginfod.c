// SPDX-License-Identifier: GPL-2.0
/*
 * Debug files from debuginfod servers: see debuginfod.h. It must not know which program
 * the file is for, nor check the file.
 */
#include "image/debuginfod.h"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
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

/*
 * The library and what is used of it. It is opened when a file is fetched: with the
 * libraries that it needs itself, it would take longer to load than all else that dwell
 * does before it attaches.
 */
struct library {
	typeof(debuginfod_begin)		*begin;
	typeof(debuginfod_set_progressfn)	*set_progressfn;
	typeof(debuginfod_get_url)		*get_url;
	typeof(debuginfod_find_debuginfo)	*find_debuginfo;
};

struct download {
	struct library	lib;
	int		fd;
	int64_t		done;
};

static bool library__open(struct library *lib)
{
	void *so = dlopen("libdebuginfod.so.1", RTLD_NOW);
	const struct {
		void		*to;
		const char	*name;
	} symbols[] = {
		{ &lib->begin, "debuginfod_begin" },
		{ &lib->set_progressfn, "debuginfod_set_progressfn" },
		{ &lib->get_url, "debuginfod_get_url" },
		{ &lib->find_debuginfo, "debuginfod_find_debuginfo" },
	};

	for (size_t i = 0; so && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *at = dlsym(so, symbols[i].name);

		if (!at)
			return false;
		memcpy(symbols[i].to, &at, sizeof(at));
	}
	return so != NULL;
}

/*
 * The only download of this process: the library's callback gets nothing from which
 * the library's own functions could be found.
 */
static struct download *the_download;

static int on_download(debuginfod_client *client, long done, long total)
{
	struct download *dl = the_download;
	struct news news = { .done = done, .total = total > 0 ? total : 0, .rc = 1 };

	/* until a server sends, the library's number means something else */
	if (!dl->lib.get_url(client) || dl->done == done)
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
	client = library__open(&dl.lib) ? dl.lib.begin() : NULL;
	if (client) {
		the_download = &dl;
		dl.lib.set_progressfn(client, on_download);
		news.rc = dl.lib.find_debuginfo(client, (const unsigned char *)build_id, 0, &path);
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
