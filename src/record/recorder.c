/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One recording, from finding the target to the end marker. The loop looks
 * at the rings by itself some 50 times a second instead of being woken per
 * event: a wakeup in a probe costs the target more than the event does.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "base/say.h"
#include "dwell.skel.h"
#include "image/image.h"
#include "kernel-events/source.h"
#include "record/alive.h"
#include "record/attach.h"
#include "record/chain.h"
#include "record/losses.h"
#include "record/recorder.h"
#include "record/target.h"
#include "symbol/ksyms.h"
#include "trace/trace.h"

static_assert((int)RAW_PENDING == TRACE_POLL_PENDING, "poll results");
static_assert((int)RAW_READY == TRACE_POLL_READY, "poll results");
static_assert((int)RAW_UNKNOWN == TRACE_POLL_UNKNOWN, "poll results");

#define LOOK_MS		20	/* between looks at the rings */
#define FIRST_LOOK_MS	1	/* until the first event has led to the tasks that are alive */
#define FIRST_LOOKS_NS	500000000ull
#define FLUSH_NS	1000000000ull
#define PROGRESS_NS	500000000ull

struct recorder {
	const struct recorder_opts	*opts;
	struct target			 target;
	struct image			*img;
	struct attach			*attach;
	struct trace_writer		*trace;
	struct source_ctx		 sources;
	const struct kernel_source	*by_type[RAW_TYPE_NR];
	uint32_t			*kinds;		/* image function → task-kind id */
	struct alive			*alive;		/* while there may be tasks not seen yet */
	unsigned int			 offers;	/* tasks shown to it */
	uint64_t			 attach_ts, end_ts;
	uint64_t			 cpu_start;	/* own CPU time at attach_ts */
	struct counters			 counters;	/* as last looked at */
	int				 signals;	/* signalfd */
	bool				 progress;
	const char			*ended_by;
};

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void complain(const struct recorder *r, const char *what, const char *why)
{
	if (r->progress)
		fputc('\n', stderr);
	say__line("dwell: %s: %s", what, why);
}

/* ---- events ---- */

static int define_chain(struct recorder *r, const struct raw_chain *raw)
{
	struct trace_node nodes[CHAIN_MAX_NODES];
	struct trace_chain c = { .id = raw->chain, .nodes = nodes };

	c.nr = chain_resolve(r->img, raw->tokens, raw->hdr.nr, nodes);
	return trace_writer__chain(r->trace, &c);
}

/* ---- tasks that were there before ---- */

#define ALIVE_OFFERS	512		/* events that may lead to a list */
#define ALIVE_NS	2000000000ull	/* later, a task without an event is no news */

/* The chain's id, the same as the BPF side's; defined in the file if it is new. */
static int chain_of(struct recorder *r, const struct alive_task *t, uint32_t *id)
{
	struct dwell_bpf *skel = attach__skel(r->attach);
	int map = bpf_map__fd(skel->maps.chains);
	struct raw_chain raw = { .hdr.nr = (uint8_t)t->walk.nr_tokens, .fn = t->fn };

	*id = 0;
	if (!t->walk.nr_tokens || !bpf_map_lookup_elem(map, &t->walk.hash, id))
		return 0;
	raw.chain = __atomic_add_fetch(&skel->bss->next_chain, 1, __ATOMIC_SEQ_CST);
	if (bpf_map_update_elem(map, &t->walk.hash, &raw.chain, BPF_NOEXIST)) {
		bpf_map_lookup_elem(map, &t->walk.hash, id);
		return 0;
	}
	*id = raw.chain;
	memcpy(raw.tokens, t->walk.tokens, sizeof(raw.tokens));
	return define_chain(r, &raw);
}

static int seen_task(void *ctx, const struct alive_task *t)
{
	struct trace_event ev = { .ts = t->ts, .type = TRACE_TASK_SEEN };
	struct recorder *r = ctx;
	int err = 0;

	ev.seen.task = t->task;
	ev.seen.kind = r->kinds[t->fn];
	ev.seen.state = t->known ? t->state : TRACE_TASK_UNKNOWN;
	if (t->known && t->state == TRACE_TASK_IDLE) {
		err = chain_of(r, t, &ev.seen.chain);
		ev.seen.nr_keys = (uint8_t)t->walk.nr_keys;
		memcpy(ev.seen.keys, t->walk.keys, sizeof(ev.seen.keys));
	}
	return err < 0 ? err : trace_writer__event(r->trace, &ev);
}

static int thread_pointer(void *ctx, const void *record)
{
	const struct raw_thread_pointer *p = record;
	struct recorder *r = ctx;

	return alive__thread(r->alive, p->fs);
}

/* From the threads' contexts, and the descriptors in epoll, to all tasks of the runtime. */
static int find_alive(struct recorder *r)
{
	struct dwell_bpf *skel = attach__skel(r->attach);
	int map = bpf_map__fd(skel->maps.tokens), err = 0;
	uint64_t token, *at = NULL;

	if (r->target.launched || !skel->bss->load_bias_known)
		return 0;
	r->alive = alive__new(r->img, &r->target, skel->bss->load_bias, seen_task, r);
	if (!r->alive)
		return trace_writer__note(r->trace,
					  "tasks that were idle before the recording and stay so are "
					  "not in it: the runtime's list of tasks is not known in "
					  "this binary");
	err = source_iterate(skel->progs.thread_pointers, 0, sizeof(struct raw_thread_pointer),
			     thread_pointer, r);
	while (!err && !bpf_map_get_next_key(map, at, &token)) {
		at = &token;
		err = alive__token(r->alive, token);
	}
	if (err >= 0 && !alive__nr_found(r->alive) && !alive__knows_threads(r->alive))
		err = trace_writer__note(r->trace,
					 "tasks that were idle before the recording are only found once "
					 "one of their runtime's is polled: where the runtime keeps them "
					 "is not known in this binary");
	return err < 0 ? err : 0;
}

/* An event's task leads to the list that it is in. */
static int offer_alive(struct recorder *r, const struct raw_poll_begin *e)
{
	if (!r->alive)
		return 0;
	if (r->offers++ >= ALIVE_OFFERS || e->hdr.ts - r->attach_ts > ALIVE_NS) {
		alive__free(r->alive);
		r->alive = NULL;
		return 0;
	}
	return alive__task(r->alive, e->task);
}

/* 1: write @ev, 0: nothing to write, negative errno. */
static int decode(struct recorder *r, const struct raw_hdr *raw, struct trace_event *ev)
{
	const struct kernel_source *source;

	switch (raw->type) {
	case RAW_POLL_BEGIN: {
		const struct raw_poll_begin *e = (const void *)raw;

		int err = offer_alive(r, e);

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
		memcpy(ev->end.keys, e->keys, sizeof(ev->end.keys));
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

		ev->type = TRACE_LOST;
		ev->lost.first = e->first;
		ev->lost.count = e->count;
		ev->lost.cause = TRACE_LOST_RING;
		return 1;
	}
	case RAW_CHAIN:
		return define_chain(r, (const struct raw_chain *)raw);
	case RAW_RETURN: {
		int err = attach__add_return(r->attach, ((const struct raw_return *)raw)->addr);

		return err < 0 ? err : 0;
	}
	}
	source = raw->type < RAW_TYPE_NR ? r->by_type[raw->type] : NULL;
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

/* ---- start ---- */

/* Is there a probe that tells when a task of @fn is spawned? A job's only poll tells. */
static bool sees_spawns(const struct recorder *r, const struct image_fn *fns, size_t nr,
			const struct image_fn *fn)
{
	for (size_t i = 0; i < nr; i++) {
		const char *scheduler = image__str(r->img, fns[i].scheduler);

		/* without a name it is any scheduler's */
		if (fns[i].role == RUNTIME_FN_NEW &&
		    (!*scheduler || !strcmp(scheduler, image__str(r->img, fn->scheduler))))
			return true;
	}
	return fn->blocking;
}

/* Two copies of one poll function, or two schedulers' names alike, are one kind. */
static int write_kinds(struct recorder *r)
{
	struct trace_task_kind k = {};
	const struct image_fn *fns;
	size_t i, j, nr;
	int err;

	fns = image__fns(r->img, &nr);
	r->kinds = calloc(nr + 1, sizeof(*r->kinds));
	if (!r->kinds)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		if (fns[i].role != RUNTIME_FN_POLL)
			continue;
		for (j = 0; j < i; j++)
			if (fns[j].role == RUNTIME_FN_POLL &&
			    fns[j].task_long == fns[i].task_long &&
			    fns[j].scheduler == fns[i].scheduler)
				break;
		if (j < i) {
			r->kinds[i] = r->kinds[j];
			continue;
		}
		r->kinds[i] = i + 1;
		k.id = i + 1;
		k.name = image__str(r->img, fns[i].task);
		k.name_long = image__str(r->img, fns[i].task_long);
		k.scheduler = image__str(r->img, fns[i].scheduler);
		k.blocking = fns[i].blocking;
		k.unseen_spawns = !sees_spawns(r, fns, nr, &fns[i]);
		err = trace_writer__task_kind(r->trace, &k);
		if (err)
			return err;
	}
	return 0;
}

static const char *tier_name(enum image_tier tier)
{
	static const char *const names[] = { "none", "stripped", "symbols", "full" };

	return names[tier];
}

static int open_image(struct recorder *r)
{
	struct image_opts opts = {
		.cache_dir = r->opts->cache_dir,
		.debug_file = r->opts->debug_file,
		.debuginfod = true,
	};
	const char *why;
	int err;

	err = image__open(r->target.exe, &opts, &r->img, &why);
	if (err) {
		complain(r, r->target.exe_name[0] ? r->target.exe_name : r->target.exe, why);
		return err;
	}
	if (image__tier(r->img) <= IMAGE_TIER_STRIPPED) {
		complain(r, r->target.exe_name, image__tier_hint(r->img));
		return -ENOTSUP;
	}
	return 0;
}

static int open_trace(struct recorder *r)
{
	struct trace_host host = {};
	char hostname[256] = "";
	const char *const *notes;
	struct utsname uts;
	size_t i, nr;
	int err;

	uname(&uts);
	gethostname(hostname, sizeof(hostname) - 1);
	host.hostname = hostname;
	host.kernel = uts.release;
	host.machine = uts.machine;
	host.comm = r->target.comm;
	host.exe = r->target.exe_name;
	host.build_id = image__build_id(r->img);
	host.tier = tier_name(image__tier(r->img));
	host.tier_hint = image__tier_hint(r->img);
	host.runtime = "tokio";
	host.pid = r->target.pid;
	host.nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	host.attach_ts = r->attach_ts;
	host.realtime_ns = now(CLOCK_REALTIME) - (now(CLOCK_MONOTONIC) - r->attach_ts);
	err = trace_writer__new(r->opts->output, &host, &r->trace);
	if (err) {
		complain(r, r->opts->output, strerror(-err));
		return err;
	}
	r->sources.trace = r->trace;
	err = write_kinds(r);
	notes = attach__notes(r->attach, &nr);
	for (i = 0; i < nr && !err; i++)
		err = trace_writer__note(r->trace, notes[i]);
	notes = image__notes(r->img, &nr);
	for (i = 0; i < nr && !err; i++)
		err = trace_writer__note(r->trace, notes[i]);
	return err;
}

static void choose_sources(struct recorder *r)
{
	const struct kernel_source *const *s;
	unsigned int type;

	for (s = kernel_sources; *s; s++)
		for (type = 0; type < RAW_TYPE_NR; type++)
			if ((*s)->types & SOURCE_TYPE(type))
				r->by_type[type] = *s;
}

static int for_each_source(struct recorder *r, bool start)
{
	const struct kernel_source *const *s;
	int (*fn)(struct source_ctx *ctx);
	int err;

	for (s = kernel_sources; *s; s++) {
		fn = start ? (*s)->start : (*s)->stop;
		err = fn ? fn(&r->sources) : 0;
		/* Of a target that is gone there is nothing to iterate. */
		if (err && err != -ESRCH && err != -ENOENT)
			return err;
	}
	return 0;
}

/* ---- the loop ---- */

static uint64_t own_cpu(void)
{
	return now(CLOCK_PROCESS_CPUTIME_ID);
}

static void show_progress(struct recorder *r)
{
	uint64_t elapsed = now(CLOCK_MONOTONIC) - r->attach_ts;
	struct counters c;

	attach__counters(r->attach, &c);
	say__progress("dwell: %5.1f s, %" PRIu64 " events, %" PRIu64
		      " lost, %.1f MB, own CPU %.1f %% ",
		      elapsed / 1e9, trace_writer__events(r->trace), (uint64_t)c.loss[LOSS_RING],
		      trace_writer__bytes(r->trace) / 1e6,
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

/* Why the recording should end now, or NULL. */
static const char *ended(struct recorder *r, uint64_t ts, bool target_event, bool signal_event)
{
	struct signalfd_siginfo info;

	if (signal_event && read(r->signals, &info, sizeof(info)) == sizeof(info))
		return info.ssi_signo == SIGTERM ? "SIGTERM" : "interrupt";
	if (target_event)
		return "target exited";
	if (r->sources.execs > (r->target.launched ? 1 : 0))
		return "target became another program (exec)";
	if (r->opts->duration_ns && ts - r->attach_ts >= r->opts->duration_ns)
		return "duration";
	return NULL;
}

static int loop(struct recorder *r)
{
	struct pollfd fds[2] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->target.pidfd, .events = POLLIN },
	};
	uint64_t ts = r->attach_ts, flushed = r->attach_ts, shown = 0;
	int err;

	for (;;) {
		bool first = r->alive && !r->offers && ts - r->attach_ts < FIRST_LOOKS_NS;

		if (poll(fds, 2, first ? FIRST_LOOK_MS : LOOK_MS) < 0 && errno != EINTR)
			return -errno;
		ts = now(CLOCK_MONOTONIC);
		target__cpu_ns(&r->target);
		err = attach__drain(r->attach, one_event, r);
		if (err < 0)
			return err;
		r->ended_by = ended(r, ts, fds[1].revents, fds[0].revents & POLLIN);
		if (r->ended_by)
			return 0;
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

/* What the user can do about the losses, as notes. */
static int write_loss_hints(struct recorder *r)
{
	char text[512];
	int err = 0;

	for (unsigned int i = 0; i < LOSS_NR && !err; i++) {
		if (!r->counters.loss[i])
			continue;
		snprintf(text, sizeof(text), "%s: %s", loss_name(i), loss_hint(i));
		err = trace_writer__note(r->trace, text);
	}
	return err;
}

static int finish(struct recorder *r)
{
	struct trace_totals totals = { .ended_by = r->ended_by };
	uint64_t probes;
	int err;

	err = for_each_source(r, false);
	if (err)
		return err;
	write_losses(r);
	err = write_loss_hints(r);
	if (err)
		return err;
	totals.end_ts = r->end_ts;
	totals.probe_hits = r->counters.hits;
	totals.cpu_ns = own_cpu() - r->cpu_start;
	/* The probes' part was spent in the target, and is none of its own work. */
	probes = attach__probe_cost(r->attach, &r->counters);
	totals.target_cpu_ns = r->target.cpu_last - r->target.cpu_start;
	totals.target_cpu_ns -= probes < totals.target_cpu_ns ? probes : totals.target_cpu_ns;
	totals.cpu_ns += probes;
	return trace_writer__finish(r->trace, &totals);
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
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
	err = target__find(&r->target, r->opts->pid, &why);
	if (err) {
		snprintf(what, sizeof(what), "pid %d", r->opts->pid);
		complain(r, what, why);
	}
	return err;
}

static int start_target(struct recorder *r)
{
	uint64_t bias;
	int err;

	if (r->target.launched) {
		/* Where it will be loaded is learnt from its first poll. */
		err = target__go(&r->target);
		if (err)
			complain(r, r->opts->argv[0], strerror(-err));
		return err;
	}
	if (!target__load_bias(&r->target, image__first_vaddr(r->img), &bias))
		attach__set_load_bias(r->attach, bias);
	return 0;
}

int recorder__run(const struct recorder_opts *opts)
{
	struct recorder r = { .opts = opts };
	struct attach_opts attach_opts = {
		.ring_bytes = opts->ring_bytes,
		.verbose = opts->verbose,
		.empty = opts->empty,
		.hide_switches = opts->hide_switches,
	};
	const char *why;
	size_t nr_kinds;
	int err;

	r.target.pidfd = r.target.go = r.target.go_status = -1;
	r.signals = catch_signals();
	if (r.signals < 0)
		return -errno;
	err = find_target(&r);
	if (!err)
		err = open_image(&r);
	if (err)
		goto out;
	err = attach__new(r.img, &r.target, &attach_opts, &r.attach, &why);
	if (err) {
		complain(&r, "cannot attach", why);
		goto out;
	}
	r.sources.skel = attach__skel(r.attach);
	r.sources.pid = r.target.pid;
	choose_sources(&r);
	/* Now: while events come in, the time that it takes would fill the rings. */
	r.sources.ksyms = ksyms__new();

	r.cpu_start = own_cpu();
	r.attach_ts = attach__enable(r.attach);
	r.sources.attach_ts = r.attach_ts;
	err = open_trace(&r);
	if (err)
		goto out;
	err = start_target(&r);
	if (err)
		goto out;
	err = for_each_source(&r, true);
	if (!err)
		err = find_alive(&r);
	if (err)
		goto written;
	image__fns(r.img, &nr_kinds);
	say__line("dwell: attached to %d (%s), %zu probe sites, tier %s, writing %s", r.target.pid,
		  r.target.comm, attach__sites(r.attach), tier_name(image__tier(r.img)),
		  opts->output);
	r.progress = !opts->quiet && isatty(STDERR_FILENO);
	err = loop(&r);
	r.end_ts = attach__disable(r.attach);
	if (!err)
		err = attach__drain(r.attach, one_event, &r);
	if (err > 0)
		err = 0;
	if (!err)
		err = attach__drain_threads(r.attach, one_event, &r);
	/* Of a target that is gone there are no threads. */
	if (err == -ESRCH || err == -ENOENT)
		err = 0;
	if (!err)
		err = finish(&r);
	if (r.progress) {
		show_progress(&r);
		fputc('\n', stderr);
		r.progress = false;
	}
written:
	if (err)
		complain(&r, opts->output, err == -ENOSPC ?
			 "no space left: the file is readable up to here" : strerror(-err));
	else
		say__line("dwell: %s: %" PRIu64 " events, %.1f MB in %s", r.ended_by,
			  trace_writer__events(r.trace), trace_writer__bytes(r.trace) / 1e6,
			  opts->output);
out:
	alive__free(r.alive);
	trace_writer__free(r.trace);
	attach__free(r.attach);
	target__close(&r.target);
	image__free(r.img);
	ksyms__free(r.sources.ksyms);
	free(r.kinds);
	close(r.signals);
	return err;
}
