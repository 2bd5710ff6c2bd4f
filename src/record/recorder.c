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
#include "record/chain.h"
#include "record/losses.h"
#include "record/recording.h"
#include "symbol/ksyms.h"

static_assert((int)RUNTIME_IDLE_QUEUE == TRACE_IDLE_QUEUE, "idle leaves");
static_assert((int)RUNTIME_IDLE_TICK == TRACE_IDLE_TICK, "idle leaves");
static_assert((int)RUNTIME_IDLE_SIGNAL == TRACE_IDLE_SIGNAL, "idle leaves");
static_assert((int)RUNTIME_IDLE_TASKS == TRACE_IDLE_TASKS, "idle leaves");
static_assert((int)RUNTIME_IDLE_BESIDE == TRACE_IDLE_BESIDE, "idle leaves");
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
#define FRESH_NS	1000000000ull	/* a look that is younger is not repeated at the end */
#define LOOK_NS		2000000000ull	/* for a look that is under way at the end */
#define STALL_NS	2000000000ull	/* for the output to accept the rest, after the end */


/*
 * Can a message be written now? A stopped terminal (Ctrl-S) or a full pipe must not
 * block dwell, which may have its probes in place.
 */
bool recorder__can_say(int ms)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&p, 1, ms) > 0;
}

void recorder__complain(const struct recorder *r, const char *what, const char *why)
{
	if (!recorder__can_say(SAY_MS))
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

#define NO_JOB	UINT64_MAX

/* The function at run-time address @addr, which polls jobs of one kind; -1: it does not. */
static int64_t job_fn(struct recorder *r, uint64_t addr)
{
	struct hash_slot *slot = hash_table__at(&r->job_fns, addr);
	const struct image_fn *fns;
	uint64_t bias;
	size_t nr;

	if (!slot)
		return -1;
	if (slot->value)
		return slot->value == NO_JOB ? -1 : (int64_t)slot->value - 1;
	if (!attach__load_bias(r->attach, &bias))
		return -1;
	slot->value = NO_JOB;
	fns = image__fns(r->img, &nr);
	for (size_t i = 0; i < nr && slot->value == NO_JOB; i++)
		if (fns[i].role == RUNTIME_FN_POLL && fns[i].blocking &&
		    fns[i].vaddr == addr - bias)
			slot->value = i + 1;
	return slot->value == NO_JOB ? -1 : (int64_t)slot->value - 1;
}

/* Writes that a task is new; that it is a job of such a kind is left in @ev. As decode(). */
static int decode_job(struct recorder *r, const struct raw_job *raw, struct trace_event *ev)
{
	int64_t fn = job_fn(r, raw->poll);
	int err;

	if (fn < 0)
		return 0;
	ev->type = TRACE_TASK_NEW;
	ev->task.task = raw->task;
	err = trace_writer__event(r->trace, ev);
	if (err)
		return err;
	ev->type = TRACE_TASK_SEEN;
	memset(&ev->seen, 0, sizeof(ev->seen));
	ev->seen.task = raw->task;
	ev->seen.kind = r->kinds[fn];
	ev->seen.state = TRACE_TASK_NOTIFIED;
	return 1;
}

/* A place that polls return to: it is to be probed, and tells where in a stack a poll is. */
static int add_return(struct recorder *r, uint64_t addr)
{
	attach__add_return(r->attach, addr);
	return user_stacks__add_return(r->user_stacks, addr);
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
	case RAW_JOB_NEW:
		return decode_job(r, (const struct raw_job *)raw, ev);
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
		return add_return(r, ((const struct raw_return *)raw)->addr);
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

int recorder__for_each_source(struct recorder *r, bool start)
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

uint64_t recorder__own_cpu(void)
{
	return clock__ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void show_progress(struct recorder *r)
{
	uint64_t elapsed = clock__now() - r->attach_ts;
	char size[QUANTITY_MAX];
	struct counters c;

	if (!recorder__can_say(0))
		return;
	attach__counters(r->attach, &c);
	say__progress("dwell: %5.1f s, %" PRIu64 " events, %" PRIu64
		      " lost, %s, own CPU %.1f %%   ",
		      elapsed / 1e9, trace_writer__events(r->trace), (uint64_t)c.loss[LOSS_RING],
		      quantity__bytes(trace_writer__bytes(r->trace), size),
		      elapsed ? 100.0 * (recorder__own_cpu() - r->cpu_start) / elapsed : 0.0);
}

static void write_losses(struct recorder *r)
{
	const struct counters *c = &r->counters;
	unsigned int i;

	attach__counters(r->attach, &r->counters);
	for (i = 0; i < LOSS_NR; i++)
		if (c->loss[i])
			trace_writer__loss(r->trace, loss_name(i), c->loss[i]);
	cpu_samples__tell_losses(r->samples);
}

/* The signal that asks dwell to end, by name; NULL: none. SIGUSR1 asks for a look. */
const char *recorder__asked_to_end(struct recorder *r)
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
	const char *signal = recorder__asked_to_end(r);

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
	cpu_samples__stop(r->samples);
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
int recorder__stalled(void *ctx)
{
	struct recorder *r = ctx;
	uint64_t ts = clock__now();

	if (r->end_ts)
		return recorder__asked_to_end(r) || ts - r->end_ts > STALL_NS ? -ETIMEDOUT : 0;
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
	struct pollfd fds[3] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = looker__fd(r->looker), .events = POLLIN },
		{ .fd = r->target.process.pidfd, .events = POLLIN },
	};
	uint64_t until = looker__asked(r->looker) + LOOK_NS, now;
	int done = 0;

	while (!done && (now = clock__now()) < until) {
		if (poll(fds, 3, (int)((until - now) / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
		if (recorder__asked_to_end(r) || process__exited(&r->target.process))
			return 0;
		done = take_answer(r);
		fds[1].fd = looker__fd(r->looker);
	}
	if (done)
		return done < 0 ? done : 0;
	return trace_writer__note(r->trace, "why tasks wait could not be found out in time at the "
				  "end: dwell why -p PID takes its time");
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
	struct pollfd fds[5] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->target.process.pidfd, .events = POLLIN },
		{ .fd = keeper__fd(r->keeper), .events = POLLIN },
		{ .fd = looker__fd(r->looker), .events = POLLIN },
		{ .fd = user_stacks__fd(r->user_stacks), .events = POLLIN },
	};
	uint64_t ts, flushed = r->attach_ts, shown = 0;
	int err, more = 1, behind = 0, look = LOOK_MS;

	for (;;) {
		int wait = more || behind ? 0 : roster__waits(r->roster) ? FIRST_LOOK_MS : look;

		if (poll(fds, 5, until_end(r, wait)) < 0 && errno != EINTR)
			return -errno;
		ts = clock__now();
		process__cpu_ns(&r->target.process);
		look = next_look(r, look);
		/* Before the events that refer to them. */
		behind = user_stacks__take(r->user_stacks, false);
		err = behind < 0 ? behind : attach__drain(r->attach, one_event, r);
		if (err >= 0)
			err = cpu_samples__take(r->samples);
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
	int err = user_stacks__take(r->user_stacks, true);

	if (!err)
		err = attach__drain(r->attach, one_event, r);
	if (err >= 0)
		err = attach__drain_threads(r->attach, one_event, r);
	/* If the target is gone, it has no threads. */
	if (err == -ESRCH || err == -ENOENT)
		err = 0;
	if (!err)
		err = cpu_samples__take(r->samples);
	if (!err)
		err = recorder__for_each_source(r, false);
	if (!err)
		err = roster__finish(r->roster);
	attach__free_rings(r->attach);
	return err ? err : user_stacks__finish(r->user_stacks);
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
	cpu_samples__finish(r->samples);
	totals.end_ts = r->end_ts;
	totals.probe_hits = r->counters.hits;
	/* The probes ran in the target, but are not its own work. */
	probes = attach__probe_cost(r->attach, &r->counters, &measuring);
	totals.cpu_ns = recorder__own_cpu() - r->cpu_start - measuring + looker__cpu_ns(r->looker);
	totals.target_cpu_ns = r->target.process.cpu_last - r->target.process.cpu_start;
	totals.target_cpu_ns -= probes < totals.target_cpu_ns ? probes : totals.target_cpu_ns;
	totals.cpu_ns += probes;
	last = trace_writer__finish(r->trace, &totals);
	return err ? err : last;
}

const char *recorder__output_name(const struct recorder *r)
{
	return strcmp(r->opts->output, "-") ? r->opts->output : "standard output";
}

void recorder__say_failed(const struct recorder *r, int err)
{
	const char *why = strerror(-err);

	if (err == -ENOSPC || err == -EDQUOT || err == -EFBIG)
		why = "no space left: the file is readable up to here";
	else if (err == -ETIMEDOUT)
		why = "nobody reads it: the rest of the recording is lost";
	else if (err == -EOWNERDEAD)
		why = "the process that held the probes was killed: recorded up to there";
	recorder__complain(r, recorder__output_name(r), why);
}

static void say_end(const struct recorder *r)
{
	char others[256], size[QUANTITY_MAX];
	uint64_t events = trace_writer__events(r->trace);
	const char *file = strcmp(r->opts->output, "-") ? r->opts->output : NULL;
	bool usual = file && !strcmp(file, "dwell.data");

	if (!recorder__can_say(SAY_MS))
		return;
	say__line("dwell: %s: %" PRIu64 " event%s, %s in %s%s%s", r->ended_by, events,
		  events == 1 ? "" : "s", quantity__bytes(trace_writer__bytes(r->trace), size),
		  recorder__output_name(r), !file ? "" : usual ? "; see it with: dwell report" :
		  "; see it with: dwell report -i ", !file || usual ? "" : file);
	image__runtime_names(r->img, false, others, sizeof(others));
	if (!roster__polled(r->roster))
		say__line("dwell: no task was polled during the recording%s%s%s",
			  *others ? ": the program also has " : "", others,
			  *others ? ", which dwell does not follow" : "");
}

static int record(struct recorder *r)
{
	int err = recorder__start(r);

	if (err)
		return err;
	err = recorder__take_first(r);
	if (!err && !r->ended_by) {
		/* A command that has just been started has no tasks yet. */
		if (!r->own_execs)
			looker__ask(r->looker);
		recorder__say_begin(r);
		err = loop(r);
	}
	stop(r);
	if (!err)
		err = throttling__tell(r->throttling, r->trace);
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
		recorder__say_failed(r, err);
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
		recorder__complain(&r, "cannot start a process", strerror(-err));
	if (!err)
		err = recorder__prepare(&r);
	if (!err)
		err = record(&r);
	keeper__free(r.keeper);
	r.keeper = NULL;
	roster__free(r.roster);
	sleepers__free(r.sleepers);
	cpu_samples__free(r.samples);
	user_stacks__free(r.user_stacks);
	throttling__free(r.throttling);
	looker__free(r.looker);
	trace_writer__free(r.trace);
	output__free(r.output, r.trace && r.end_ts);
	if (r.attach && attach__left_behind(r.attach))
		recorder__complain(&r, r.target.process.comm, "there are probes in it that were not "
				   "there before: another recorder's, or left by the kernel, which "
				   "cost time and do no harm; the next recording takes those off");
	attach__free(r.attach);
	pid = r.target.process.pid;
	if (!target__close(&r.target))
		say__line("dwell: %s (pid %d) has not ended on SIGTERM: it runs on",
			  opts->argv[0], pid);
	image__free(r.img);
	ksyms__free(r.sources.ksyms);
	listeners__clear(&r.sources.listeners);
	fd_holders__clear(&r.sources.holders);
	fd_servers__clear(&r.sources.servers);
	free(r.kinds);
	hash_table__clear(&r.job_fns);
	if (r.signals >= 0)
		close(r.signals);
	return err;
}
