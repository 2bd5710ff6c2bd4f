/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random events for tests of the trace and of the join, by seed.
 */
#ifndef DWELL_TEST_TRACE_RANDOM_H
#define DWELL_TEST_TRACE_RANDOM_H

#include <stdint.h>
#include <string.h>

#include "trace/event.h"

static inline uint64_t rnd(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline uint64_t below(uint64_t *seed, uint64_t n)
{
	return rnd(seed) % n;
}

/* Numbers of all magnitudes, the extremes too. */
static inline uint64_t any(uint64_t *seed)
{
	uint64_t v = rnd(seed);

	switch (below(seed, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	default:
		return v >> below(seed, 64);
	}
}

/* A key of each kind, also of none, as version 1 has them. */
static inline struct walk_key random_key(uint64_t *seed, uint64_t ts, uint64_t token, int wild)
{
	switch (below(seed, wild ? 6 : 5)) {
	case 4:
		return (struct walk_key){ .value = below(seed, 5), .kind = WALK_KEY_OPERATION };
	case 0:
		return (struct walk_key){ .value = token | 1 };
	case 1:
		return (struct walk_key){ .value = token, .kind = WALK_KEY_IO,
					  .dir = (uint8_t)below(seed, 4) };
	case 2:
		return (struct walk_key){ .value = ts + below(seed, 10000) - 5000,
					  .kind = WALK_KEY_DEADLINE };
	case 3:
		return (struct walk_key){ .value = 0x7f0000000000ull + 0x80 * below(seed, 12),
					  .kind = WALK_KEY_TASK };
	}
	return (struct walk_key){ .value = any(seed), .kind = (uint8_t)below(seed, 16),
				  .dir = (uint8_t)below(seed, 16) };
}

/* Some event near @ts: few tasks, threads and tokens, or wild values. */
static inline void random_event(uint64_t *seed, uint64_t ts, int wild, struct trace_event *ev)
{
	uint64_t task = wild ? any(seed) : 0x7f0000000000ull + 0x80 * below(seed, 12);
	uint64_t token = wild ? any(seed) : 0x7f1000000000ull + 0x100 * below(seed, 5);

	memset(ev, 0, sizeof(*ev));
	ev->ts = wild && !below(seed, 50) ? any(seed) : ts;
	ev->tid = wild ? (uint32_t)any(seed) : 100 + (uint32_t)below(seed, 4);
	ev->cpu = (uint16_t)below(seed, 3);
	ev->type = (uint8_t)(1 + below(seed, TRACE_EVENT_NR - 1));
	switch (ev->type) {
	case TRACE_POLL_BEGIN:
		ev->poll.task = task;
		ev->poll.kind = wild ? (uint32_t)any(seed) : 1 + (uint32_t)below(seed, 3);
		break;
	case TRACE_POLL_END:
		ev->end.task = task;
		ev->end.result = (uint8_t)below(seed, 3);
		ev->end.chain = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 6);
		ev->end.nr_keys = (uint8_t)below(seed, WALK_MAX_KEYS + 1);
		for (unsigned int i = 0; i < ev->end.nr_keys; i++)
			walk_keys__set(&ev->end.keys, i, random_key(seed, ts, token, wild));
		break;
	case TRACE_TASK_SEEN:
		ev->seen.task = task;
		ev->seen.kind = 1 + (uint32_t)below(seed, 3);
		ev->seen.chain = (uint32_t)below(seed, 5);
		ev->seen.state = (uint8_t)below(seed, 3);
		ev->seen.nr_keys = (uint8_t)below(seed, WALK_MAX_KEYS + 1);
		for (unsigned int i = 0; i < ev->seen.nr_keys; i++)
			walk_keys__set(&ev->seen.keys, i, random_key(seed, ts, token, 1));
		break;
	case TRACE_WAKE:
	case TRACE_TASK_NEW:
	case TRACE_TASK_DROP:
		ev->task.task = task;
		break;
	case TRACE_OFF_CPU:
		ev->off.out = wild ? any(seed) : ts - below(seed, 3000);
		ev->off.wake = below(seed, 2) ? ts - below(seed, 1000) : 0;
		ev->off.waker = (uint32_t)below(seed, 2) * 101;
		ev->off.stack = (uint32_t)below(seed, 3);
		ev->off.waker_user = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		ev->off.user = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		ev->off.reason = (uint8_t)below(seed, 4);
		ev->off.open = (uint8_t)below(seed, 2);
		ev->off.woken = ev->off.open ? (uint8_t)below(seed, 2) : 0;
		ev->off.told = ev->off.open ? 0 : (uint8_t)below(seed, wild ? 256 : 3);
		ev->off.syscall = below(seed, 2) ? 232 : wild ? (int16_t)below(seed, 32768) : -1;
		break;
	case TRACE_EPOLL_WAIT:
		ev->epoll.nr = wild ? (int32_t)any(seed) : (int32_t)below(seed, 3);
		ev->epoll.epfd = wild ? (int32_t)any(seed) : 5 + 4 * (int32_t)below(seed, 2);
		break;
	case TRACE_EPOLL_READY:
		ev->ready.token = token;
		ev->ready.ready = below(seed, 2) ? ts - below(seed, 2000) : 0;
		ev->ready.reader = below(seed, 2) ? task : 0;
		ev->ready.writer = below(seed, 2) ? 0x7f0000000000ull + 0x80 * below(seed, 12) : 0;
		ev->ready.events = wild ? (uint32_t)any(seed) : 1 + 4 * (uint32_t)below(seed, 2);
		break;
	case TRACE_FD_ADD:
	case TRACE_FD_DEL:
	case TRACE_FD_TURN:
		if (ev->type == TRACE_FD_ADD)
			ev->fd.role = (uint8_t)below(seed, 4);
		if (ev->type == TRACE_FD_TURN) {
			ev->fd.sent = (uint8_t)below(seed, 2);
			ev->fd.seen = (uint8_t)below(seed, 2);
			ev->fd.came = wild ? any(seed) : ts - below(seed, 5000);
		}
		ev->fd.token = token;
		ev->fd.epfd = wild ? (int32_t)any(seed) : 5;
		ev->fd.fd = wild ? (int32_t)any(seed) : 9;
		ev->fd.name = (uint32_t)below(seed, 4);
		break;
	case TRACE_POLLS_GONE:
		ev->polls.nr = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		break;
	case TRACE_FD_WAITER:
		ev->waiter.token = token;
		ev->waiter.task = task;
		ev->waiter.dir = (uint8_t)below(seed, wild ? 256 : 4);
		break;
	case TRACE_TASKS_LISTED:
		ev->listed.begin = wild ? any(seed) : ts - below(seed, 3000);
		break;
	case TRACE_SLEEP_STACK:
		ev->sleep.out = wild ? any(seed) : ts - below(seed, 3000);
		ev->sleep.stack = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		break;
	case TRACE_CPU_SAMPLE:
		ev->sample.user = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		ev->sample.kernel = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		break;
	case TRACE_THROTTLED:
		ev->throttled.ns = wild ? any(seed) : below(seed, 3000);
		break;
	case TRACE_WAKE_STACK:
		ev->wake_stack.user = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 3);
		break;
	case TRACE_FUTEX:
		ev->futex.word = wild ? any(seed) : 0x7f0000001000 + 8 * below(seed, 9);
		break;
	case TRACE_SLEPT_ON:
		ev->slept_on.file = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 4);
		break;
	case TRACE_FILE:
		ev->named.file = wild ? (uint32_t)any(seed) : (uint32_t)below(seed, 4);
		ev->named.name = (uint32_t)below(seed, 4);
		break;
	case TRACE_URING_SUBMIT:
		ev->submit.user_data = wild ? any(seed) : below(seed, 5);
		ev->submit.ring = wild ? (uint32_t)any(seed) : 1 + (uint32_t)below(seed, 2);
		ev->submit.fd = wild ? (int32_t)any(seed) : (int32_t)below(seed, 5) - 2;
		ev->submit.opcode = (uint8_t)below(seed, 256);
		if (ev->submit.fd == TRACE_URING_NO_FD)
			ev->submit.path = (uint32_t)below(seed, 4);
		break;
	case TRACE_URING_STEP:
		ev->step.user_data = wild ? any(seed) : below(seed, 5);
		ev->step.ring = wild ? (uint32_t)any(seed) : 1 + (uint32_t)below(seed, 2);
		ev->step.step = (uint8_t)below(seed, wild ? 16 : TRACE_URING_OVERFLOW + 1);
		ev->step.res = below(seed, 2) ? (int32_t)any(seed) : 0;
		ev->step.flags = below(seed, 2) ? (uint32_t)any(seed) : 0;
		break;
	case TRACE_URING_WAIT:
		ev->waited.nr = wild ? (int32_t)any(seed) : (int32_t)below(seed, 3);
		ev->waited.fd = wild ? (int32_t)any(seed) : 7;
		break;
	case TRACE_URING_FD:
		ev->file.fd = wild ? (int32_t)any(seed) : (int32_t)below(seed, 3);
		ev->file.name = (uint32_t)below(seed, 4);
		ev->file.role = (uint8_t)below(seed, 4);
		break;
	case TRACE_LOST:
		ev->lost.first = wild ? any(seed) : ts - below(seed, 5000);
		ev->lost.count = any(seed);
		ev->lost.cause = (uint8_t)below(seed, TRACE_LOST_NR);
		break;
	}
}

#endif /* DWELL_TEST_TRACE_RANDOM_H */
