/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decodes the scheduler's events, and gives kernel stacks their symbols. It must not
 * know tasks of a runtime.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/sched.h"
#include "kernel-events/source.h"
#include "symbol/ksyms.h"

static_assert((int)RAW_OFF_PREEMPTED == TRACE_OFF_PREEMPTED, "off reasons");
static_assert((int)RAW_OFF_ASLEEP == TRACE_OFF_ASLEEP, "off reasons");
static_assert((int)RAW_OFF_DISK == TRACE_OFF_DISK, "off reasons");
static_assert((int)RAW_OFF_STOPPED == TRACE_OFF_STOPPED, "off reasons");
static_assert((int)RAW_OFF_SEEN == TRACE_OFF_SEEN, "sources of times");
static_assert((int)RAW_OFF_TOLD == TRACE_OFF_TOLD, "sources of times");
static_assert((int)RAW_OFF_UNSEEN == TRACE_OFF_UNSEEN, "sources of times");

static int no_record(void *arg, const void *record)
{
	(void)arg;
	(void)record;
	return 0;
}

/* Threads that sleep at attach are off the CPU from then on. */
static int sched_start(struct source_ctx *ctx)
{
	int err = 0;

	if (!ksyms__any(ctx->ksyms))
		err = trace_writer__note(ctx->trace,
					 "kernel functions have no names: this kernel has no table of "
					 "them (CONFIG_KALLSYMS)");
	if (err)
		return err;
	return source_iterate(ctx->skel->progs.sched_snapshot, 0, 1, no_record, NULL);
}

static int64_t user_stack(const struct source_ctx *ctx, uint32_t raw)
{
	return raw ? ctx->user_stack(ctx->user_stacks, raw) : 0;
}

/* 1 or negative errno. */
static int off_cpu(const struct source_ctx *ctx, const struct raw_off_cpu *raw,
		   struct trace_event *ev)
{
	int64_t user = user_stack(ctx, raw->user), waker = user_stack(ctx, raw->waker_user);

	ev->type = TRACE_OFF_CPU;
	ev->off.out = raw->out;
	ev->off.wake = raw->wake;
	ev->off.waker = raw->waker;
	ev->off.stack = raw->stack;
	ev->off.reason = raw->reason;
	ev->off.open = raw->told == RAW_OFF_OPEN;
	ev->off.told = ev->off.open ? TRACE_OFF_SEEN : raw->told;
	ev->off.woken = ev->off.open && raw->wake;
	ev->off.syscall = raw->syscall >= 0 && raw->syscall < INT16_MAX ? raw->syscall : -1;
	ev->off.user = user > 0 ? (uint32_t)user : 0;
	ev->off.waker_user = waker > 0 ? (uint32_t)waker : 0;
	return user < 0 ? (int)user : waker < 0 ? (int)waker : 1;
}

static int open_period(void *arg, const void *record)
{
	const struct raw_open_period *open = record;
	const struct raw_off_cpu *raw = &open->off;
	struct source_ctx *ctx = arg;
	struct trace_event ev = { .ts = raw->hdr.ts, .tid = raw->hdr.tid };
	int err = 0;

	if (open->on) {
		ev.type = TRACE_SLEPT_ON;
		ev.slept_on.file = open->on;
		err = trace_writer__event(ctx->trace, &ev);
	} else if (open->word) {
		ev.type = TRACE_FUTEX;
		ev.futex.word = open->word;
		err = trace_writer__event(ctx->trace, &ev);
	}
	if (!err && open->throttled) {
		ev.type = TRACE_THROTTLED;
		ev.throttled.ns = open->throttled;
		err = trace_writer__event(ctx->trace, &ev);
	}
	if (!err)
		err = off_cpu(ctx, raw, &ev);
	return err < 0 ? err : trace_writer__event(ctx->trace, &ev);
}

static int sched_stop(struct source_ctx *ctx)
{
	return source_iterate(ctx->skel->progs.sched_open, 0, sizeof(struct raw_open_period),
			      open_period, ctx);
}

/*
 * Is it one of the scheduler's own functions, which are on top of every blocked stack
 * and tell nothing?
 */
static bool scheduler_frame(const char *name)
{
	return !strcmp(name, "__schedule") || !strcmp(name, "schedule") ||
	       !strcmp(name, "__traceiter_sched_switch") || !strncmp(name, "bpf_", 4) ||
	       !strncmp(name, "__bpf_", 6);
}

/*
 * The first frame of @names that tells something. Above the scheduler are its hooks, and
 * the programs in them.
 */
static unsigned int first_frame(char names[][KSYM_NAME_MAX], unsigned int nr)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i < nr && !first; i++) {
		if (!strcmp(names[i], "__schedule"))
			first = i + 1;
		else if (!scheduler_frame(names[i]) && strcmp(names[i], KSYM_UNKNOWN))
			break;
	}
	while (first < nr && scheduler_frame(names[first]))
		first++;
	return first;
}

static int stack(struct source_ctx *ctx, const struct raw_stack *raw)
{
	unsigned int nr = raw->hdr.nr < RAW_STACK_FRAMES ? raw->hdr.nr : RAW_STACK_FRAMES;
	char names[RAW_STACK_FRAMES][KSYM_NAME_MAX];
	const char *frames[RAW_STACK_FRAMES];
	struct trace_stack st = { .id = raw->stack, .frames = frames };

	for (unsigned int i = 0; i < nr; i++)
		ksyms__name(ctx->ksyms, raw->ips[i], names[i]);
	for (unsigned int i = first_frame(names, nr); i < nr; i++) {
		/* Adjacent frames without a name become one frame. */
		if (st.nr && !strcmp(names[i], KSYM_UNKNOWN) &&
		    !strcmp(frames[st.nr - 1], KSYM_UNKNOWN))
			continue;
		frames[st.nr++] = names[i];
	}
	return trace_writer__stack(ctx->trace, &st);
}

static int sched_decode(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev)
{
	if (raw->type == RAW_STACK)
		return stack(ctx, (const struct raw_stack *)raw);
	if (raw->type == RAW_THROTTLED) {
		ev->type = TRACE_THROTTLED;
		ev->throttled.ns = ((const struct raw_off_more *)raw)->value;
		return 1;
	}
	if (raw->type == RAW_FUTEX) {
		ev->type = TRACE_FUTEX;
		ev->futex.word = ((const struct raw_off_more *)raw)->value;
		return 1;
	}
	if (raw->type == RAW_WAKE_STACK) {
		int64_t id = user_stack(ctx, (uint32_t)((const struct raw_off_more *)raw)->value);

		ev->type = TRACE_WAKE_STACK;
		ev->wake_stack.user = (uint32_t)id;
		return id > 0 ? 1 : (int)id;
	}
	/* User stacks are in a ring of their own, which the recorder reads. */
	if (raw->type != RAW_OFF_CPU)
		return 0;
	return off_cpu(ctx, (const struct raw_off_cpu *)raw, ev);
}

static const struct source_event events[] = {
	{ RAW_OFF_CPU, sizeof(struct raw_off_cpu) },
	{ RAW_THROTTLED, sizeof(struct raw_off_more) },
	{ RAW_WAKE_STACK, sizeof(struct raw_off_more) },
	{ RAW_FUTEX, sizeof(struct raw_off_more) },
	{ RAW_STACK, 0 },
	{ RAW_USER_STACK, 0 },
	{}
};

static const struct source_loss losses[] = {
	{
		LOSS_STACK_MAP, "kernel stack table full",
		"there were more different kernel stacks than the table holds: record for a shorter time",
	},
	{
		LOSS_USER_STACK_MAP, "user stack table full",
		"threads slept in polls, or woke tasks, at more different places than the table holds: of "
		"some sleeps only the kernel's side is told, of some wakes only the thread",
	},
	{
		LOSS_USER_STACK, "user stack not captured",
		"threads went to sleep in polls, or woke tasks, at new places faster than their stacks were "
		"read: of some sleeps only the kernel's side is told, of some wakes only the thread",
	},
	{
		LOSS_SWITCH, "switch of a thread not seen",
		"the kernel did not report that a thread came to a CPU or left it. When it came back is "
		"known on kernels with CONFIG_SCHED_INFO, after the first switches",
	},
	{}
};

const struct kernel_source source_sched = {
	.name	= "sched",
	.events	= events,
	.losses	= losses,
	.start	= sched_start,
	.decode	= sched_decode,
	.stop	= sched_stop,
};
