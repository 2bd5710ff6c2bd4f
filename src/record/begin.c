// SPDX-License-Identifier: GPL-2.0
/*
 * The begin of a recording: the target, its image, the output, the probes, and what was there
 * before them. See recording.h.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/say.h"
#include "abi.h"
#include "dwell.skel.h"
#include "record/preamble.h"
#include "record/recording.h"
#include "symbol/ksyms.h"

#define READER_MS	50		/* between checks whether somebody reads the output */
#define EXEC_MS		2		/* between checks for an exec of the launched command */

static int catch_signals(void)
{
	static const int asking[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	struct sigaction was;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
		/*
		 * nohup(1) ignores SIGHUP on purpose. A script's `&' also ignores
		 * SIGINT, but only so that Ctrl-C does not reach the command; a SIGINT
		 * sent to it is meant.
		 */
		if (asking[i] != SIGHUP ||
		    (!sigaction(SIGHUP, NULL, &was) && was.sa_handler != SIG_IGN))
			sigaddset(&set, asking[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int find_target(struct recorder *r)
{
	const char *why = "cannot be recorded";
	char what[64];
	int err;

	if (r->opts->argv) {
		err = target__launch(&r->target, r->opts->argv, &why);
		if (err)
			recorder__complain(r, r->opts->argv[0], why);
		return err;
	}
	err = process__find(&r->target.process, r->opts->pid, &why);
	if (err) {
		snprintf(what, sizeof(what), "pid %d", r->opts->pid);
		recorder__complain(r, what, why);
	}
	return err;
}

/* Opens the model of the program that runs or will run. 0, or negative errno with *@why. */
static int open_image(struct recorder *r, const char **why)
{
	struct image_opts opts = {
		.cache_dir = r->opts->cache_dir,
		.debug_file = r->opts->debug_file,
		.debuginfod = true,
	};
	int err = image__open(r->target.process.exe, &opts, &r->img, why);

	if (err || image__tier(r->img) > IMAGE_TIER_STRIPPED)
		return err;
	*why = image__tier_hint(r->img);
	return -ENOTSUP;
}

static void close_image(struct recorder *r)
{
	image__free(r->img);
	r->img = NULL;
}

/* The current program cannot be recorded, but the one that it executes may be. */
static void say_waiting(const struct recorder *r, const char *why)
{
	if (recorder__can_say(SAY_MS))
		say__line("dwell: %s: %s; waiting for what it executes", r->target.process.exe_name, why);
}

/*
 * The command is a shell, a wrapper or a script: it runs until it has executed, in the
 * same process, a program that can be recorded.
 */
static int follow_command(struct recorder *r, const char **why)
{
	struct pollfd fds[2] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->target.process.pidfd, .events = POLLIN },
	};
	int err, open_err = -EAGAIN;

	say_waiting(r, *why);
	close_image(r);
	err = target__go(&r->target);
	if (err) {
		*why = strerror(-err);
		return err;
	}
	for (;;) {
		if (poll(fds, 2, EXEC_MS) < 0 && errno != EINTR)
			return -errno;
		if (recorder__asked_to_end(r)) {
			*why = "it has executed nothing that can be recorded so far";
			return -EINTR;
		}
		err = process__exited(&r->target.process) ? -ESRCH :
							    target__follow_exec(&r->target);
		if (err < 0) {
			*why = err != -ESRCH && err != -ENOENT ? strerror(-err) :
			       "it has ended, and executed nothing that can be recorded (what it "
			       "started as other processes is not followed: use -p)";
			return err;
		}
		/* The program may have been replaced while it was being examined. */
		for (; err > 0; err = target__follow_exec(&r->target)) {
			close_image(r);
			open_err = open_image(r, why);
			if (open_err)
				say_waiting(r, *why);
		}
		if (!open_err)
			return 0;
	}
}

/* A Rust program without symbols does not execute another one. */
static bool may_execute_another(const struct recorder *r, int err)
{
	if (!target__waits(&r->target))
		return false;
	return err == -ENOEXEC || (err == -ENOTSUP && !strstr(image__producer(r->img), "rustc"));
}

static int find_image(struct recorder *r)
{
	const char *why = "";
	int err = open_image(r, &why);

	if (may_execute_another(r, err)) {
		r->signals = catch_signals();
		err = follow_command(r, &why);
	}
	if (err)
		recorder__complain(r, *r->target.process.exe_name ? r->target.process.exe_name :
								    r->target.process.exe, why);
	return err;
}

/* For a FIFO, waits until somebody reads it. */
static int open_output(struct recorder *r)
{
	struct pollfd fds[2] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->target.process.pidfd, .events = POLLIN },
	};
	bool said = false;
	const char *why;
	int err;

	while ((err = output__open(r->opts->output, &r->output, &why)) == -ENXIO) {
		if (!said)
			recorder__complain(r, r->opts->output, "waiting for somebody who reads it");
		said = true;
		if (poll(fds, 2, READER_MS) > 0) {
			err = -EINTR;
			why = "nobody has read it: nothing was recorded";
			break;
		}
	}
	if (err)
		recorder__complain(r, r->opts->output, why);
	return err;
}

static int start_target(struct recorder *r)
{
	int err;

	if (!target__waits(&r->target))
		return 0;
	/* The load bias becomes known at the first poll. */
	r->own_execs = r->sources.skel->bss->own_execs = 1;
	err = target__go(&r->target);
	if (err)
		recorder__complain(r, r->opts->argv[0], strerror(-err));
	return err;
}

/* From the probes in place to the first poll of the rings. */
int recorder__start(struct recorder *r)
{
	struct trace_sink sink = {
		.fd = output__fd(r->output), .stalled = recorder__stalled, .ctx = r };
	int err;

	r->cpu_start = recorder__own_cpu();
	r->attach_ts = attach__enable(r->attach);
	r->sources.attach_ts = r->attach_ts;
	err = preamble__write(&sink, r->img, &r->target.process, r->attach, r->attach_ts,
			      r->opts->sample_hz, &r->trace, &r->kinds);
	if (err) {
		recorder__say_failed(r, err);
		return err;
	}
	r->sources.trace = r->trace;
	/* The output may have stalled for so long that the recording is over. */
	return r->ended_by ? 0 : start_target(r);
}

/* Writes what existed before attach, as if it had just happened. */
int recorder__take_first(struct recorder *r)
{
	struct roster_opts opts = {
		.img = r->img,
		.target = &r->target.process,
		.attach = r->attach,
		.trace = r->trace,
		.kinds = r->kinds,
		.attach_ts = r->attach_ts,
		.fresh = r->own_execs != 0,
	};
	struct user_stacks_opts stacks = { r->img, &r->target.process, r->sources.skel, r->trace };
	struct sleepers_opts sleeps = { .skel = r->sources.skel, .trace = r->trace };
	int err = user_stacks__new(&stacks, &r->user_stacks);

	sleeps.stacks = r->sources.user_stacks = r->user_stacks;
	r->sources.user_stack = user_stacks__id;
	if (!err)
		err = roster__new(&opts, &r->roster);

	r->throttling = throttling__begin(r->target.process.pid);
	r->sleepers = sleepers__new(&sleeps);
	if (!r->sleepers)
		err = -ENOMEM;
	if (!err)
		err = cpu_samples__start(r->samples, &(struct cpu_samples_to){
			r->trace, r->user_stacks, r->sources.ksyms, r->sources.skel });
	if (!err && !r->ended_by)
		err = recorder__for_each_source(r, true);
	return err || r->ended_by ? err : roster__start(r->roster);
}

void recorder__say_begin(struct recorder *r)
{
	if (!recorder__can_say(SAY_MS))
		return;
	say__line("dwell: attached to %d (%s), %zu probe sites, tier %s, writing %s%s",
		  r->target.process.pid, r->target.process.comm, attach__sites(r->attach),
		  preamble__tier(r->img), recorder__output_name(r),
		  r->target.launched ?
		  "; when the recording ends the program is sent SIGTERM" : "");
	r->progress = !r->opts->quiet && isatty(STDERR_FILENO);
}

int recorder__prepare(struct recorder *r)
{
	struct attach_opts opts = {
		.ring_bytes = r->opts->ring_bytes,
		.verbose = r->opts->verbose,
		.empty = r->opts->empty,
		.hide_switches = r->opts->hide_switches,
	};
	const uint64_t *loaded = NULL;
	const char *why;
	uint64_t bias;
	int err;

	if (r->opts->sample_hz && !cpu_samples__built(&why)) {
		recorder__complain(r, "--cpu", why);
		return -ENOTSUP;
	}
	err = find_target(r);
	if (!err)
		err = find_image(r);
	if (err)
		return err;
	/* Until here a signal may end dwell at once: nothing has been put into the target. */
	if (r->signals < 0)
		r->signals = catch_signals();
	if (r->signals < 0)
		return -errno;
	opts.cpu_limit = throttling__limited(r->target.process.pid);
	err = open_output(r);
	if (err)
		return err;
	if (!target__waits(&r->target)) {
		err = process__load_bias(&r->target.process, image__first_vaddr(r->img), &bias);
		if (err) {
			recorder__complain(r, r->target.process.exe_name,
					   err == -ENOENT ? "where it is loaded cannot be told" :
							    strerror(-err));
			return err;
		}
		loaded = &bias;
	}
	if (image__tier(r->img) == IMAGE_TIER_FULL && !r->opts->empty && !r->opts->no_looks) {
		err = looker__start(r->img, &r->target.process, &r->looker);
		if (err) {
			recorder__complain(r, "cannot start a process", strerror(-err));
			return err;
		}
	}
	/* Descriptors without close-on-exec (libperf): no process may be started from here on. */
	if (r->opts->sample_hz) {
		err = cpu_samples__open(r->opts->sample_hz, &r->target.process, &r->samples, &why);
		if (err) {
			recorder__complain(r, "cannot sample the CPUs (--cpu)", why);
			return err;
		}
	}
	err = attach__new(r->img, &r->target.process, loaded, r->keeper, &opts, &r->attach, &why);
	if (err) {
		recorder__complain(r, "cannot attach", why);
		return err;
	}
	r->sources.skel = attach__skel(r->attach);
	r->sources.ksyms = ksyms__new(bpf_program__fd(r->sources.skel->progs.ksym_name));
	r->sources.pid = r->target.process.pid;
	source_types__fill(&r->types);
	return 0;
}
