/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One recording, from finding the target to the end marker. The loop polls the rings
 * some 50 times a second and is not woken by events, because a wakeup in a probe costs
 * the target more than the event.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "base/clock.h"
#include "base/quantity.h"
#include "base/say.h"
#include "dwell.skel.h"
#include "image/image.h"
#include "kernel-events/source.h"
#include "record/attach.h"
#include "record/chain.h"
#include "record/keeper.h"
#include "record/looker.h"
#include "record/losses.h"
#include "record/output.h"
#include "record/preamble.h"
#include "record/recorder.h"
#include "record/roster.h"
#include "record/sleepers.h"
#include "record/target.h"
#include "symbol/ksyms.h"
#include "trace/trace.h"

static_assert((int)RAW_PENDING == TRACE_POLL_PENDING, "poll results");
static_assert((int)RAW_READY == TRACE_POLL_READY, "poll results");
static_assert((int)RAW_UNKNOWN == TRACE_POLL_UNKNOWN, "poll results");

#define LOOK_MS		20	/* at most, between two polls of the rings */
#define FULL		250	/* thousandths of a ring: poll twice as often */
#define EMPTY		60	/* thousandths of a ring: poll half as often */
#define FIRST_LOOK_MS	1	/* until an event has led to the tasks that are alive */
#define ROSTER_NS	3000000ull	/* spent on tasks at rest between two polls */
#define FLUSH_NS	1000000000ull
#define PROGRESS_NS	500000000ull
#define READER_MS	50		/* between checks whether somebody reads the output */
#define EXEC_MS		2		/* between checks for an exec of the launched command */
#define SAY_MS		200		/* for a message to be written */
#define FRESH_NS	1000000000ull	/* a look that is younger is not repeated at the end */
#define ANSWER_MS	10000		/* for the answer to the last look */
#define STALL_NS	2000000000ull	/* for the output to accept the rest, after the end */

struct recorder {
	const struct recorder_opts	*opts;
	struct target			 target;
	struct image			*img;
	struct keeper			*keeper;	/* NULL: the probes have been taken off */
	struct attach			*attach;
	struct output			*output;
	struct trace_writer		*trace;
	struct source_ctx		 sources;
	struct source_types		 types;
	/* from function of the image to id of task kind */
	uint32_t			*kinds;
	struct roster			*roster;
	struct sleepers			*sleepers;
	struct looker			*looker;	/* NULL: why tasks wait is not found out */
	uint64_t			 attach_ts, end_ts;
	uint64_t			 cpu_start;	/* CPU time of dwell itself at attach_ts */
	struct counters			 counters;	/* as read last */
	/* signalfd; -1: signals have their default effect */
	int				 signals;
	/* execs still to come that dwell itself causes */
	unsigned int			 own_execs;
	bool				 progress;
	const char			*ended_by;	/* NULL: still recording */
};

/*
 * Can a message be written now? A stopped terminal (Ctrl-S) or a full pipe must not
 * block dwell, which may have its probes in place.
 */
static bool can_say(int ms)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&p, 1, ms) > 0;
}

static void complain(const struct recorder *r, const char *what, const char *why)
{
	if (!can_say(SAY_MS))
		return;
	if (r->progress)
		fputc('\n', stderr);
	say__line("dwell: %s: %s", what, why);
}

/* ---- events ---- */

static int define_chain(struct recorder *r, const struct raw_chain *raw)
{
	struct trace_node nodes[CHAIN_MAX_NODES];
	struct trace_chain c = { .id = raw->chain, .nodes = nodes };

	c.nr = chain_resolve(r->img, raw->tokens, raw->hdr.nr, nodes, &c.task);
	return trace_writer__chain(r->trace, &c);
}

static bool is_root(const struct recorder *r, uint32_t fn)
{
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(r->img, &nr);
	return fn < nr && fns[fn].role == RUNTIME_FN_ROOT;
}

/* 1: write @ev; 0: nothing to write; negative errno. */
static int decode(struct recorder *r, const struct raw_hdr *raw, struct trace_event *ev)
{
	const struct kernel_source *source;

	switch (raw->type) {
	case RAW_POLL_BEGIN: {
		const struct raw_poll_begin *e = (const void *)raw;

		/* A root does not lead to other tasks. */
		int err = roster__offer(r->roster, is_root(r, e->fn) ? 0 : e->task, raw->ts);

		ev->type = TRACE_POLL_BEGIN;
		ev->poll.task = e->task;
		ev->poll.kind = r->kinds[e->fn];
		return err < 0 ? err : 1;
	}
	case RAW_POLL_END: {
		const struct raw_poll_end *e = (const void *)raw;

		ev->type = TRACE_POLL_END;
		ev->end.task = e->task;
		ev->end.chain = e->chain;
		ev->end.result = e->result;
		ev->end.nr_keys = raw->nr <= WALK_MAX_KEYS ? raw->nr : WALK_MAX_KEYS;
		/* The event ends with the last of them. */
		memcpy(&ev->end.keys, &e->keys,
		       raw_size(raw) - offsetof(struct raw_poll_end, keys));
		return 1;
	}
	case RAW_WAKE:
	case RAW_TASK_NEW:
	case RAW_TASK_DROP:
		ev->type = raw->type == RAW_WAKE     ? TRACE_WAKE :
			   raw->type == RAW_TASK_NEW ? TRACE_TASK_NEW :
						       TRACE_TASK_DROP;
		ev->task.task = ((const struct raw_task *)raw)->task;
		return 1;
	case RAW_LOST: {
		const struct raw_lost *e = (const void *)raw;

		roster__lost(r->roster);
		ev->type = TRACE_LOST;
		ev->lost.first = e->first;
		ev->lost.count = e->count;
		ev->lost.cause = TRACE_LOST_RING;
		return 1;
	}
	case RAW_POLLS_GONE:
		ev->type = TRACE_POLLS_GONE;
		ev->polls.nr = raw->nr;
		return 1;
	case RAW_CHAIN:
		return define_chain(r, (const struct raw_chain *)raw);
	case RAW_RETURN:
		attach__add_return(r->attach, ((const struct raw_return *)raw)->addr);
		return 0;
	}
	source = raw->type < RAW_TYPE_NR ? r->types.source[raw->type] : NULL;
	return source ? source->decode(&r->sources, raw, ev) : 0;
}

static int one_event(void *ctx, const struct raw_hdr *raw)
{
	struct recorder *r = ctx;
	struct trace_event ev;
	int err;

	ev.ts = raw->ts;
	ev.tid = raw->tid;
	ev.cpu = raw->cpu;
	err = decode(r, raw, &ev);
	if (err > 0)
		err = trace_writer__event(r->trace, &ev);
	return err;
}

/* ---- kernel sources ---- */

static int for_each_source(struct recorder *r, bool start)
{
	const struct kernel_source *const *s;
	int (*fn)(struct source_ctx *ctx);
	int err;

	for (s = kernel_sources; *s; s++) {
		fn = start ? (*s)->start : (*s)->stop;
		err = fn ? fn(&r->sources) : 0;
		/* If the target is gone, there is nothing to iterate over. */
		if (err && err != -ESRCH && err != -ENOENT)
			return err;
	}
	return 0;
}

/* ---- the loop ---- */

static uint64_t own_cpu(void)
{
	return clock__ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void show_progress(struct recorder *r)
{
	uint64_t elapsed = clock__now() - r->attach_ts;
	char size[QUANTITY_MAX];
	struct counters c;

	if (!can_say(0))
		return;
	attach__counters(r->attach, &c);
	say__progress("dwell: %5.1f s, %" PRIu64 " events, %" PRIu64
		      " lost, %s, own CPU %.1f %%   ",
		      elapsed / 1e9, trace_writer__events(r->trace), (uint64_t)c.loss[LOSS_RING],
		      quantity__bytes(trace_writer__bytes(r->trace), size),
		      elapsed ? 100.0 * (own_cpu() - r->cpu_start) / elapsed : 0.0);
}

static void write_losses(struct recorder *r)
{
	const struct counters *c = &r->counters;
	unsigned int i;

	attach__counters(r->attach, &r->counters);
	for (i = 0; i < LOSS_NR; i++)
		if (c->loss[i])
			trace_writer__loss(r->trace, loss_name(i), c->loss[i]);
}

/* The signal that asks dwell to end, by name; NULL: none. SIGUSR1 asks for a look. */
static const char *asked_to_end(struct recorder *r)
{
	struct signalfd_siginfo info;

	do {
		if (read(r->signals, &info, sizeof(info)) != sizeof(info))
			return NULL;
		if (info.ssi_signo == SIGUSR1)
			looker__ask(r->looker);
	} while (info.ssi_signo == SIGUSR1);
	return info.ssi_signo == SIGTERM ? "SIGTERM" :
	       info.ssi_signo == SIGHUP	 ? "hangup" :
					   "interrupt";
}

/* Why the recording should end now, or NULL. */
static const char *ended(struct recorder *r, uint64_t ts)
{
	const char *signal = asked_to_end(r);

	if (signal)
		return signal;
	if (process__exited(&r->target.process))
		return "target exited";
	if (r->sources.execs > r->own_execs)
		return "target became another program (exec)";
	if (r->opts->duration_ns && ts - r->attach_ts >= r->opts->duration_ns)
		return "duration";
	return NULL;
}

/* Stop events and take all probes off; everything after this may take its time. */
static void stop(struct recorder *r)
{
	if (!r->end_ts)
		r->end_ts = attach__disable(r->attach);
	/* What another program does after exec is not part of the recording. */
	if (r->sources.execs > r->own_execs && r->sources.last_exec_ts < r->end_ts)
		r->end_ts = r->sources.last_exec_ts;
	/* The kernel takes its time for it, in which the file is finished. */
	attach__forget_keeper(r->attach);
	keeper__end(r->keeper);
}

/*
 * The output accepts nothing at the moment. Nothing is lost yet; if this goes on,
 * events will be lost, which is counted. What matters here is that the recording ends
 * when it should.
 */
static int stalled(void *ctx)
{
	struct recorder *r = ctx;
	uint64_t ts = clock__now();

	if (r->end_ts)
		return asked_to_end(r) || ts - r->end_ts > STALL_NS ? -ETIMEDOUT : 0;
	if (!r->ended_by)
		r->ended_by = ended(r, ts);
	if (r->ended_by)
		stop(r);
	return 0;
}

/* Is the process that holds the probes gone? Only SIGKILL can have ended it. */
static bool keeper_gone(const struct pollfd *p)
{
	return p->revents & (POLLIN | POLLHUP | POLLERR);
}

/* How long to wait until the next poll, by how full the rings were after the last wait. */
static int next_look(const struct recorder *r, int last)
{
	unsigned int fill = attach__fill(r->attach);

	if (fill > FULL)
		return last > 1 ? last / 2 : 1;
	return fill < EMPTY && last < LOOK_MS ? (last * 2 < LOOK_MS ? last * 2 : LOOK_MS) : last;
}

/* @ms, or less, if the recording is to end before. */
static int until_end(const struct recorder *r, int ms)
{
	uint64_t end = r->attach_ts + r->opts->duration_ns, now = clock__now();
	uint64_t left = end > now ? (end - now + 999999) / 1000000 : 0;

	return r->opts->duration_ns && left < (uint64_t)ms ? (int)left : ms;
}

/* ---- looks ---- */

/* Write the answer of the looker, if it is complete. 1: no answer is missing; 0; negative errno. */
static int take_answer(struct recorder *r)
{
	struct looker_answer a;
	char note[256];
	int got = looker__take(r->looker, &a);

	if (got < 0) {
		a.why = "the process that did so was killed";
		looker__free(r->looker);
		r->looker = NULL;
	} else if (!got) {
		return !looker__busy(r->looker);
	}
	if (!a.why)
		got = trace_writer__answer(r->trace, a.ts, a.data, a.len);
	else if (process__exited(&r->target.process))
		return 1;
	else {
		snprintf(note, sizeof(note), "why tasks wait could not be found out at %.1f s: %s",
			 (double)(clock__now() - r->attach_ts) / 1e9, a.why);
		got = trace_writer__note(r->trace, note);
	}
	return got ? got : 1;
}

/* The last look, and its answer: the recording has ended, but the target goes on. */
static int last_look(struct recorder *r)
{
	struct pollfd fds[2] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = looker__fd(r->looker), .events = POLLIN },
	};
	uint64_t until = clock__now() + ANSWER_MS * 1000000ull, now;
	int done = 0;

	while (!done && (now = clock__now()) < until) {
		if (poll(fds, 2, (int)((until - now) / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
		if (asked_to_end(r))
			break;
		done = take_answer(r);
		fds[1].fd = looker__fd(r->looker);
	}
	return done < 0 ? done : 0;
}

/* Should why tasks wait be found out once more, at the end? */
static bool wants_last_look(const struct recorder *r)
{
	return r->looker && !process__exited(&r->target.process) &&
	       r->sources.execs == r->own_execs &&
	       clock__now() - looker__asked(r->looker) > FRESH_NS;
}

static int loop(struct recorder *r)
{
	struct pollfd fds[4] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->target.process.pidfd, .events = POLLIN },
		{ .fd = keeper__fd(r->keeper), .events = POLLIN },
		{ .fd = looker__fd(r->looker), .events = POLLIN },
	};
	uint64_t ts, flushed = r->attach_ts, shown = 0;
	int err, more = 1, look = LOOK_MS;

	for (;;) {
		int wait = more ? 0 : roster__waits(r->roster) ? FIRST_LOOK_MS : look;

		if (poll(fds, 4, until_end(r, wait)) < 0 && errno != EINTR)
			return -errno;
		ts = clock__now();
		process__cpu_ns(&r->target.process);
		look = next_look(r, look);
		err = attach__drain(r->attach, one_event, r);
		if (err < 0)
			return err;
		if (!r->ended_by)
			r->ended_by = ended(r, ts);
		if (!r->ended_by && keeper_gone(&fds[2])) {
			r->ended_by = "the process that held the probes was killed";
			return -EOWNERDEAD;
		}
		if (r->ended_by)
			return 0;
		more = roster__step(r->roster, ts + ROSTER_NS);
		if (more < 0)
			return more;
		err = sleepers__look(r->sleepers);
		if (!err)
			err = take_answer(r);
		if (err < 0)
			return err;
		fds[3].fd = looker__fd(r->looker);
		if (ts - flushed >= FLUSH_NS) {
			flushed = ts;
			write_losses(r);
			err = trace_writer__flush(r->trace);
			if (err)
				return err;
		}
		if (r->progress && ts - shown >= PROGRESS_NS) {
			shown = ts;
			show_progress(r);
		}
	}
}

/* ---- end ---- */

/* Writes hints what to do about the losses, as notes. */
static int write_loss_hints(struct recorder *r)
{
	char text[512];
	const char *late;
	int err = 0;

	for (unsigned int i = 0; i < LOSS_NR && !err; i++) {
		if (!r->counters.loss[i])
			continue;
		snprintf(text, sizeof(text), "%s: %s", loss_name(i), loss_hint(i));
		err = trace_writer__note(r->trace, text);
	}
	late = attach__unprobed(r->attach);
	return err || !late ? err : trace_writer__note(r->trace, late);
}

/* Takes what is left in the rings and with the threads, and what is still open. */
static int take_rest(struct recorder *r)
{
	int err = attach__drain(r->attach, one_event, r);

	if (err >= 0)
		err = attach__drain_threads(r->attach, one_event, r);
	/* If the target is gone, it has no threads. */
	if (err == -ESRCH || err == -ENOENT)
		err = 0;
	if (!err)
		err = for_each_source(r, false);
	if (!err)
		err = roster__finish(r->roster);
	return err ? err : sleepers__finish(r->sleepers);
}

/*
 * Writes the end of the file, for which room is reserved, even if writing has failed.
 * @err: an earlier error. 0 or the first error.
 */
static int finish(struct recorder *r, int err)
{
	struct trace_totals totals = { .ended_by = r->ended_by ? r->ended_by : strerror(-err) };
	uint64_t probes, measuring;
	int last;

	write_losses(r);
	write_loss_hints(r);
	totals.end_ts = r->end_ts;
	totals.probe_hits = r->counters.hits;
	/* The probes ran in the target, but are not its own work. */
	probes = attach__probe_cost(r->attach, &r->counters, &measuring);
	totals.cpu_ns = own_cpu() - r->cpu_start - measuring + looker__cpu_ns(r->looker);
	totals.target_cpu_ns = r->target.process.cpu_last - r->target.process.cpu_start;
	totals.target_cpu_ns -= probes < totals.target_cpu_ns ? probes : totals.target_cpu_ns;
	totals.cpu_ns += probes;
	last = trace_writer__finish(r->trace, &totals);
	return err ? err : last;
}

static const char *output_name(const struct recorder *r)
{
	return strcmp(r->opts->output, "-") ? r->opts->output : "standard output";
}

static void say_failed(const struct recorder *r, int err)
{
	const char *why = strerror(-err);

	if (err == -ENOSPC || err == -EDQUOT || err == -EFBIG)
		why = "no space left: the file is readable up to here";
	else if (err == -ETIMEDOUT)
		why = "nobody reads it: the rest of the recording is lost";
	else if (err == -EOWNERDEAD)
		why = "the process that held the probes was killed: recorded up to there";
	complain(r, output_name(r), why);
}

static void say_end(const struct recorder *r)
{
	char others[256], size[QUANTITY_MAX];
	uint64_t events = trace_writer__events(r->trace);
	const char *file = strcmp(r->opts->output, "-") ? r->opts->output : NULL;
	bool usual = file && !strcmp(file, "dwell.data");

	if (!can_say(SAY_MS))
		return;
	say__line("dwell: %s: %" PRIu64 " event%s, %s in %s%s%s", r->ended_by, events,
		  events == 1 ? "" : "s", quantity__bytes(trace_writer__bytes(r->trace), size),
		  output_name(r), !file ? "" : usual ? "; see it with: dwell report" :
		  "; see it with: dwell report -i ", !file || usual ? "" : file);
	image__runtime_names(r->img, false, others, sizeof(others));
	if (!roster__polled(r->roster))
		say__line("dwell: no task was polled during the recording%s%s%s",
			  *others ? ": the program also has " : "", others,
			  *others ? ", which dwell does not follow" : "");
}

/* ---- start ---- */

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
			complain(r, r->opts->argv[0], why);
		return err;
	}
	err = process__find(&r->target.process, r->opts->pid, &why);
	if (err) {
		snprintf(what, sizeof(what), "pid %d", r->opts->pid);
		complain(r, what, why);
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
	if (can_say(SAY_MS))
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
		if (asked_to_end(r)) {
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
		complain(r, *r->target.process.exe_name ? r->target.process.exe_name :
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
			complain(r, r->opts->output, "waiting for somebody who reads it");
		said = true;
		if (poll(fds, 2, READER_MS) > 0) {
			err = -EINTR;
			why = "nobody has read it: nothing was recorded";
			break;
		}
	}
	if (err)
		complain(r, r->opts->output, why);
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
		complain(r, r->opts->argv[0], strerror(-err));
	return err;
}

/* From the probes in place to the first poll of the rings. */
static int start(struct recorder *r)
{
	struct trace_sink sink = { .fd = output__fd(r->output), .stalled = stalled, .ctx = r };
	int err;

	r->cpu_start = own_cpu();
	r->attach_ts = attach__enable(r->attach);
	r->sources.attach_ts = r->attach_ts;
	err = preamble__write(&sink, r->img, &r->target.process, r->attach, r->attach_ts, &r->trace,
			      &r->kinds);
	if (err) {
		say_failed(r, err);
		return err;
	}
	r->sources.trace = r->trace;
	/* The output may have stalled for so long that the recording is over. */
	return r->ended_by ? 0 : start_target(r);
}

/* Writes what existed before attach, as if it had just happened. */
static int take_first(struct recorder *r)
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
	struct sleepers_opts sleeps = { r->img, &r->target.process, r->sources.skel, r->trace };
	int err = roster__new(&opts, &r->roster);

	r->sleepers = sleepers__new(&sleeps);
	if (!r->sleepers)
		err = -ENOMEM;
	if (!err && !r->ended_by)
		err = for_each_source(r, true);
	return err || r->ended_by ? err : roster__start(r->roster);
}

static void say_begin(struct recorder *r)
{
	if (!can_say(SAY_MS))
		return;
	say__line("dwell: attached to %d (%s), %zu probe sites, tier %s, writing %s%s",
		  r->target.process.pid, r->target.process.comm, attach__sites(r->attach),
		  preamble__tier(r->img), output_name(r),
		  r->target.launched ?
		  "; when the recording ends the program is sent SIGTERM" : "");
	r->progress = !r->opts->quiet && isatty(STDERR_FILENO);
}

static int prepare(struct recorder *r)
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
	int err = find_target(r);

	if (!err)
		err = find_image(r);
	if (err)
		return err;
	/* Until here a signal may end dwell at once: nothing has been put into the target. */
	if (r->signals < 0)
		r->signals = catch_signals();
	if (r->signals < 0)
		return -errno;
	err = open_output(r);
	if (err)
		return err;
	if (!target__waits(&r->target)) {
		err = process__load_bias(&r->target.process, image__first_vaddr(r->img), &bias);
		if (err) {
			complain(r, r->target.process.exe_name,
				 err == -ENOENT ? "where it is loaded cannot be told" :
						  strerror(-err));
			return err;
		}
		loaded = &bias;
	}
	if (image__tier(r->img) == IMAGE_TIER_FULL && !r->opts->empty && !r->opts->no_looks) {
		err = looker__start(r->img, &r->target.process, &r->looker);
		if (err) {
			complain(r, "cannot start a process", strerror(-err));
			return err;
		}
	}
	/* Read meanwhile: once events come in, the time for it would fill the rings. */
	r->sources.ksyms = ksyms__new();
	err = attach__new(r->img, &r->target.process, loaded, r->keeper, &opts, &r->attach, &why);
	if (err) {
		complain(r, "cannot attach", why);
		return err;
	}
	r->sources.skel = attach__skel(r->attach);
	r->sources.pid = r->target.process.pid;
	source_types__fill(&r->types);
	return 0;
}

static int record(struct recorder *r)
{
	int err = start(r);

	if (err)
		return err;
	err = take_first(r);
	if (!err && !r->ended_by) {
		/* A command that has just been started has no tasks yet. */
		if (!r->own_execs)
			looker__ask(r->looker);
		say_begin(r);
		err = loop(r);
	}
	stop(r);
	if (!err && wants_last_look(r))
		looker__ask(r->looker);
	if (!err)
		err = take_rest(r);
	if (!err && looker__busy(r->looker))
		err = last_look(r);
	err = finish(r, err);
	if (r->progress) {
		show_progress(r);
		fputc('\n', stderr);
		r->progress = false;
	}
	if (err)
		say_failed(r, err);
	else
		say_end(r);
	return err;
}

int recorder__run(const struct recorder_opts *opts)
{
	struct recorder r = { .opts = opts, .signals = -1 };
	pid_t pid;
	int err;

	target__init(&r.target);
	err = keeper__start(&r.keeper);
	if (err)
		complain(&r, "cannot start a process", strerror(-err));
	if (!err)
		err = prepare(&r);
	if (!err)
		err = record(&r);
	keeper__free(r.keeper);
	r.keeper = NULL;
	roster__free(r.roster);
	sleepers__free(r.sleepers);
	looker__free(r.looker);
	trace_writer__free(r.trace);
	output__free(r.output, r.trace && r.end_ts);
	if (r.attach && attach__left_behind(r.attach))
		complain(&r, r.target.process.comm, "there are probes in it that were not there before: "
			 "another recorder's, or left by the kernel, which cost time and do no "
			 "harm; the next recording takes those off");
	attach__free(r.attach);
	pid = r.target.process.pid;
	if (!target__close(&r.target))
		say__line("dwell: %s (pid %d) has not ended on SIGTERM: it runs on",
			  opts->argv[0], pid);
	image__free(r.img);
	ksyms__free(r.sources.ksyms);
	listeners__clear(&r.sources.listeners);
	free(r.kinds);
	if (r.signals >= 0)
		close(r.signals);
	return err;
}
