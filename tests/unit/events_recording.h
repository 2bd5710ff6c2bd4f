/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of the decoders of kernel sources: raw events in, a file out, which is read again.
 * Each raw event lies in memory of its own size, so that the sanitizer sees a byte too far.
 */
#ifndef DWELL_TESTS_EVENTS_RECORDING_H
#define DWELL_TESTS_EVENTS_RECORDING_H

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cmocka.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/fd.h"
#include "kernel-events/source.h"
#include "symbol/ksyms.h"
#include "tests/unit/trace_path.h"

#define TS	1000000u
#define TID	77u

/* ---- a kernel of some functions, in the place of symbol/ksyms.c ---- */

struct ksyms {
	const char	*names[16];	/* by address; NULL: not known */
};

static struct ksyms kernel = { { NULL, "__schedule", "schedule", "pipe_read", "vfs_read",
				 "bpf_trace_run4", "__bpf_prog_run",
				 "__traceiter_sched_switch", "schedule_timeout" } };

struct ksyms *ksyms__new(int prog)
{
	(void)prog;
	return &kernel;
}

void ksyms__name(struct ksyms *k, uint64_t addr, char *out)
{
	const char *name = k && addr < 16 ? k->names[addr] : NULL;

	snprintf(out, KSYM_NAME_MAX, "%s", name ? name : KSYM_UNKNOWN);
}

bool ksyms__any(const struct ksyms *k)
{
	return k;
}

void ksyms__free(struct ksyms *k)
{
	(void)k;
}

/* ---- a recording ---- */

struct recording {
	struct source_ctx	 ctx;
	struct source_types	 types;
	struct trace_reader	*reader;
};

#define NO_ROOM		4	/* ids of user stacks */
#define NO_MEMORY	5

static inline int64_t user_stack(void *user_stacks, uint32_t raw)
{
	(void)user_stacks;
	return raw == NO_MEMORY ? -ENOMEM : raw == NO_ROOM ? 0 : (int64_t)raw + 100;
}

static inline void begin(struct recording *r)
{
	const struct trace_host host = { .hostname = "host", .comm = "app", .pid = 1,
					 .attach_ts = TS };

	memset(r, 0, sizeof(*r));
	source_types__fill(&r->types);
	r->ctx.ksyms = &kernel;
	r->ctx.pid = getpid();
	r->ctx.user_stack = user_stack;
	/* without rights there are no maps behind it, and nothing is found in them */
	r->ctx.skel = dwell_bpf__open();
	assert_non_null(r->ctx.skel);
	assert_int_equal(trace_writer__new(path, &host, &r->ctx.trace), 0);
}

/* Decode the @size bytes at @raw; what decode() says. An event is written, too. */
static inline int take(struct recording *r, const void *raw, size_t size, struct trace_event *ev)
{
	struct raw_hdr *copy = malloc(size);
	int n;

	assert_non_null(copy);
	memcpy(copy, raw, size);
	assert_in_range(copy->type, 1, RAW_TYPE_NR - 1);
	assert_non_null(r->types.source[copy->type]);
	/* what the recorder sets; the rest is what was there before */
	memset(ev, 0xa5, sizeof(*ev));
	ev->ts = copy->ts;
	ev->tid = copy->tid;
	ev->cpu = copy->cpu;
	n = r->types.source[copy->type]->decode(&r->ctx, copy, ev);
	free(copy);
	if (n == 1)
		assert_int_equal(trace_writer__event(r->ctx.trace, ev), 0);
	return n;
}

static inline void finish(struct recording *r)
{
	const struct trace_totals totals = { .end_ts = 2 * TS, .ended_by = "test" };
	const char *why;
	int err;

	assert_int_equal(trace_writer__finish(r->ctx.trace, &totals), 0);
	trace_writer__free(r->ctx.trace);
	r->ctx.trace = NULL;
	err = trace_reader__open(path, &r->reader, &why);
	if (err)
		fail_msg("%s", why);
	assert_null(trace_reader__torn(r->reader));
}

static inline void end(struct recording *r)
{
	trace_reader__free(r->reader);
	trace_writer__free(r->ctx.trace);
	listeners__clear(&r->ctx.listeners);
	dwell_bpf__destroy(r->ctx.skel);
}

static inline struct raw_hdr head(unsigned int type, unsigned int nr)
{
	return (struct raw_hdr){ .ts = TS, .tid = TID, .cpu = 3, .type = (uint8_t)type,
				 .nr = (uint8_t)nr };
}

static inline void next(struct recording *r, struct trace_event *ev)
{
	assert_int_equal(trace_reader__next(r->reader, ev), 1);
	assert_int_equal(ev->ts, TS);
	assert_int_equal(ev->tid, TID);
	assert_int_equal(ev->cpu, 3);
}

static inline void no_more(struct recording *r)
{
	struct trace_event ev;

	assert_int_equal(trace_reader__next(r->reader, &ev), 0);
}

static inline struct raw_fd tcp(int fd, const char *local, uint16_t local_port, const char *remote,
			 uint16_t remote_port, uint8_t state)
{
	struct raw_fd raw = { .hdr = head(RAW_FD_ADD, 0), .token = 0x1000u + (uint64_t)fd,
			      .epfd = 4, .fd = fd, .mode = S_IFSOCK, .family = AF_INET,
			      .sk = 0xffff888000000000, .sk_type = SOCK_STREAM, .sk_state = state,
			      .local_port = local_port, .remote_port = remote_port };

	assert_int_equal(inet_pton(AF_INET, local, raw.local), 1);
	assert_int_equal(inet_pton(AF_INET, remote, raw.remote), 1);
	return raw;
}

#endif /* DWELL_TESTS_EVENTS_RECORDING_H */
