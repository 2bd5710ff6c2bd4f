/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes to events; the format is described in packing.h. The input is not trusted: any
 * error gives -EBADMSG.
 */
#include <errno.h>
#include <string.h>

#include "trace/packing.h"
#include "trace/varint.h"

static uint64_t get_signed_from(struct cursor *in, uint64_t from)
{
	return from + (uint64_t)unzigzag(get_varint(in));
}

static uint64_t get_before(struct cursor *in, uint64_t ts)
{
	return ts - (uint64_t)unzigzag(get_varint(in));
}

static int32_t get_int(struct cursor *in)
{
	return (int32_t)unzigzag(get_varint_max(in, UINT32_MAX));
}

static uint32_t get_tid(struct trace_codec *c, struct cursor *in)
{
	uint64_t v = get_varint(in);
	uint32_t tid;

	if (v) {
		if (!tid_slot__valid(c, v - 1)) {
			in->bad = true;
			return 0;
		}
		return c->tids[v - 1];
	}
	tid = (uint32_t)get_varint_max(in, UINT32_MAX);
	c->tids[c->next_tid++ % NR_TIDS] = tid;
	return tid;
}

/* The slot of a task, by number or as predicted; 0 and in->bad if it is empty. */
static uint32_t get_task_slot(struct trace_codec *c, struct cursor *in)
{
	uint64_t slot = get_varint(in);

	if (!task_slot__valid(c, slot)) {
		in->bad = true;
		return 0;
	}
	return (uint32_t)slot;
}

static uint32_t guess(struct cursor *in, uint32_t slot)
{
	if (slot != NO_SLOT)
		return slot;
	in->bad = true;
	return 0;
}

static uint64_t get_task_ref(struct trace_codec *c, struct cursor *in, uint32_t *slot)
{
	uint64_t v = get_varint(in);

	*slot = NO_SLOT;
	if (!v)
		return 0;
	if (v == 1) {
		*slot = task_slot__add(c, get_signed_from(in, c->task_addr));
		return c->task_addr;
	}
	if (!task_slot__valid(c, v - 2)) {
		in->bad = true;
		return 0;
	}
	*slot = (uint32_t)v - 2;
	return c->tasks[*slot].task;
}

/* Reads the kinds and directions of @keys, as the byte before them says. */
static void get_key_types(const struct task_slot *old, struct cursor *in, struct walk_keys *keys,
			  unsigned int nr, uint8_t byte)
{
	if ((byte & KEYS_TYPES_SAME) && (nr > NR_CACHED_KEYS || nr != old->nr_keys))
		in->bad = true;
	for (unsigned int i = 0; i < nr; i++) {
		keys->kind[i] = keys->dir[i] = 0;
		if ((byte & KEYS_TYPES_SAME) && i < NR_CACHED_KEYS) {
			keys->kind[i] = old->key_kind[i];
			keys->dir[i] = old->key_dir[i];
		} else if (byte & KEYS_TYPED) {
			uint8_t type = get_byte(in);

			keys->kind[i] = type & 15;
			keys->dir[i] = type >> 4;
		}
	}
}

static void get_keys(const struct task_slot *old, struct cursor *in, uint64_t ts, uint64_t task,
		     struct walk_keys *keys, unsigned int nr, uint8_t byte)
{
	uint8_t modes;

	if (!nr)
		return;
	modes = get_byte(in);
	get_key_types(old, in, keys, nr, byte);
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t last = i < NR_CACHED_KEYS ? old->keys[i] : 0;

		switch (modes >> (2 * i) & 3) {
		case KEY_SAME:
			keys->value[i] = last;
			break;
		case KEY_DELTA:
			keys->value[i] = get_signed_from(in, last);
			break;
		case KEY_TIME:
			keys->value[i] = get_signed_from(in, ts);
			break;
		case KEY_TASK:
			keys->value[i] = get_signed_from(in, task);
			break;
		}
	}
}

static unsigned int get_nr_keys(struct cursor *in, uint8_t byte)
{
	unsigned int nr = byte >> 2 & 7;

	if (nr > WALK_MAX_KEYS || byte & 0x80) {
		in->bad = true;
		return 0;
	}
	return nr;
}

static void get_begin(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		      unsigned int mode)
{
	uint32_t slot;

	switch (mode) {
	case MODE_NEW:
		slot = task_slot__add(c, get_signed_from(in, c->task_addr));
		break;
	case MODE_GUESS:
		slot = guess(in, c->woken);
		break;
	default:
		slot = get_task_slot(c, in);
		break;
	}
	if (mode == MODE_NEW || mode == MODE_SPECIAL)
		c->tasks[slot].kind = (uint32_t)get_varint_max(in, UINT32_MAX);
	ev->poll.task = c->tasks[slot].task;
	ev->poll.kind = c->tasks[slot].kind;
	c->begun = slot;
}

static void get_end(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		    unsigned int mode)
{
	struct task_slot *s;
	uint32_t slot;
	uint8_t byte;

	switch (mode) {
	case MODE_NEW:
		slot = task_slot__add(c, get_signed_from(in, c->task_addr));
		break;
	case MODE_SLOT:
		slot = get_task_slot(c, in);
		break;
	default:
		slot = guess(in, c->begun);
		break;
	}
	c->ended = slot;
	s = &c->tasks[slot];
	ev->end.task = s->task;
	if (mode == MODE_SPECIAL) {
		ev->end.result = TRACE_POLL_PENDING;
		ev->end.chain = s->chain;
		ev->end.nr_keys =
			(uint8_t)(s->nr_keys < NR_CACHED_KEYS ? s->nr_keys : NR_CACHED_KEYS);
		for (unsigned int i = 0; i < ev->end.nr_keys; i++)
			walk_keys__set(&ev->end.keys, i, task_slot__key(s, i));
		return;
	}
	ev->end.chain = (uint32_t)get_varint_max(in, UINT32_MAX);
	byte = get_byte(in);
	ev->end.result = byte & 3;
	ev->end.nr_keys = (uint8_t)get_nr_keys(in, byte);
	get_keys(s, in, ev->ts, s->task, &ev->end.keys, ev->end.nr_keys, byte);
	task_slot__remember(s, ev->end.chain, &ev->end.keys, ev->end.nr_keys);
}

static void get_task(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		     unsigned int mode)
{
	uint32_t slot;

	switch (mode) {
	case MODE_NEW:
		slot = task_slot__add(c, get_signed_from(in, c->task_addr));
		break;
	case MODE_SLOT:
		slot = get_task_slot(c, in);
		break;
	case MODE_GUESS:
		slot = guess(in, c->ended);
		break;
	default:
		slot = guess(in, c->named);
		break;
	}
	ev->task.task = c->tasks[slot].task;
	if (ev->type != TRACE_TASK_DROP)
		c->woken = slot;
}

static void get_off(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		    unsigned int mode)
{
	uint8_t flags = get_byte(in);

	ev->off.reason = flags & 3;
	ev->off.open = !!(flags & OFF_OPEN);
	ev->off.woken = ev->off.open && (flags & OFF_WOKEN);
	ev->off.told = !ev->off.open && (flags & OFF_WOKEN) ? get_byte(in) : TRACE_OFF_SEEN;
	ev->off.out = get_before(in, ev->ts);
	if (flags & OFF_WAKE)
		ev->off.wake = get_before(in, ev->ts);
	if (flags & OFF_WAKER)
		ev->off.waker = get_tid(c, in);
	if (flags & OFF_STACK)
		ev->off.stack = (uint32_t)get_varint_max(in, UINT32_MAX);
	ev->off.syscall = flags & OFF_SYSCALL ? (int16_t)get_varint_max(in, INT16_MAX) : -1;
	if (mode & MODE_USER_STACK)
		ev->off.user = (uint32_t)get_varint_max(in, UINT32_MAX);
	if (mode & MODE_WAKER_STACK)
		ev->off.waker_user = (uint32_t)get_varint_max(in, UINT32_MAX);
}

static void get_epoll(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		      unsigned int mode)
{
	if (!(mode & MODE_SAME_EPFD))
		c->epfd = get_int(in);
	ev->epoll.epfd = c->epfd;
	ev->epoll.nr = get_int(in);
}

static void get_ready(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		      unsigned int mode)
{
	struct token_slot *s;
	uint64_t slot;

	if (mode == READY_NEW) {
		slot = token_slot__add(c, get_signed_from(in, c->token_last));
	} else {
		slot = get_varint(in);
		if (!token_slot__valid(c, slot)) {
			in->bad = true;
			return;
		}
	}
	s = &c->tokens[slot];
	if (mode != READY_SAME) {
		uint32_t reader, writer;

		s->events = get_varint_max(in, (uint64_t)UINT32_MAX << 1 | 1);
		s->reader = get_task_ref(c, in, &reader);
		s->writer = get_task_ref(c, in, &writer);
		s->named = reader != NO_SLOT ? reader : writer;
	}
	c->named = s->named;
	ev->ready.token = s->token;
	ev->ready.events = (uint32_t)(s->events >> 1);
	ev->ready.reader = s->reader;
	ev->ready.writer = s->writer;
	if (s->events & 1)
		ev->ready.ready = get_before(in, ev->ts);
}

static void get_operation(struct trace_codec *c, struct cursor *in, unsigned int mode)
{
	if (!(mode & MODE_SAME_RING))
		c->ring = (uint32_t)get_varint_max(in, UINT32_MAX);
	c->user_data = get_signed_from(in, c->user_data);
}

static void get_submit(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		       unsigned int mode)
{
	get_operation(c, in, mode);
	ev->submit.ring = c->ring;
	ev->submit.user_data = c->user_data;
	ev->submit.opcode = get_byte(in);
	ev->submit.fd = get_int(in);
	if (ev->submit.fd == TRACE_URING_NO_FD)
		ev->submit.path = (uint32_t)get_varint_max(in, UINT32_MAX);
}

static void get_step(struct trace_codec *c, struct cursor *in, struct trace_event *ev,
		     unsigned int mode)
{
	uint8_t byte;

	get_operation(c, in, mode);
	ev->step.ring = c->ring;
	ev->step.user_data = c->user_data;
	byte = get_byte(in);
	ev->step.step = byte & 15;
	if (byte & STEP_RES)
		ev->step.res = get_int(in);
	if (byte & STEP_FLAGS)
		ev->step.flags = (uint32_t)get_varint_max(in, UINT32_MAX);
}

static void get_seen(struct trace_codec *c, struct cursor *in, struct trace_event *ev)
{
	static const struct task_slot none;
	uint32_t slot;
	uint8_t byte;

	ev->seen.task = get_task_ref(c, in, &slot);
	ev->seen.kind = (uint32_t)get_varint_max(in, UINT32_MAX);
	ev->seen.chain = (uint32_t)get_varint_max(in, UINT32_MAX);
	byte = get_byte(in);
	ev->seen.state = byte & 3;
	ev->seen.nr_keys = (uint8_t)get_nr_keys(in, byte);
	get_keys(&none, in, ev->ts, ev->seen.task, &ev->seen.keys, ev->seen.nr_keys, byte);
}

static void get_event(struct trace_codec *c, struct cursor *in, struct trace_event *ev)
{
	uint8_t head = get_byte(in);
	unsigned int mode;
	uint32_t slot;

	if (!head) {
		c->ts -= get_varint(in);
		head = get_byte(in);
	}
	c->ts += get_varint(in);
	ev->ts = c->ts;
	ev->type = head & 31;
	mode = head >> 5 & 3;
	if (!(head & 0x80))
		c->tid = get_tid(c, in);
	ev->tid = c->tid;

	switch (ev->type) {
	case TRACE_POLL_BEGIN:
		get_begin(c, in, ev, mode);
		break;
	case TRACE_POLL_END:
		get_end(c, in, ev, mode);
		break;
	case TRACE_WAKE:
	case TRACE_TASK_NEW:
	case TRACE_TASK_DROP:
		get_task(c, in, ev, mode);
		break;
	case TRACE_TASK_SEEN:
		get_seen(c, in, ev);
		break;
	case TRACE_OFF_CPU:
		get_off(c, in, ev, mode);
		break;
	case TRACE_EPOLL_WAIT:
		get_epoll(c, in, ev, mode);
		break;
	case TRACE_EPOLL_READY:
		get_ready(c, in, ev, mode);
		break;
	case TRACE_FD_ADD:
	case TRACE_FD_DEL:
	case TRACE_FD_TURN:
		ev->fd.role = ev->type == TRACE_FD_ADD ? (uint8_t)mode : TRACE_FD_OTHER;
		ev->fd.sent = ev->type == TRACE_FD_TURN && mode & 1;
		ev->fd.seen = ev->type == TRACE_FD_TURN && mode & 2;
		ev->fd.token = get_varint(in);
		ev->fd.epfd = get_int(in);
		ev->fd.fd = get_int(in);
		ev->fd.name = (uint32_t)get_varint_max(in, UINT32_MAX);
		if (ev->type == TRACE_FD_TURN)
			ev->fd.came = get_before(in, ev->ts);
		break;
	case TRACE_LOST:
		ev->lost.first = get_before(in, ev->ts);
		ev->lost.count = get_varint(in);
		ev->lost.cause = get_byte(in);
		break;
	case TRACE_POLLS_GONE:
		ev->polls.nr = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_FD_WAITER:
		ev->waiter.token = get_varint(in);
		ev->waiter.task = get_task_ref(c, in, &slot);
		ev->waiter.dir = get_byte(in);
		break;
	case TRACE_TASKS_LISTED:
		ev->listed.begin = get_before(in, ev->ts);
		break;
	case TRACE_SLEEP_STACK:
		ev->sleep.out = get_before(in, ev->ts);
		ev->sleep.stack = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_CPU_SAMPLE:
		ev->sample.user = (uint32_t)get_varint_max(in, UINT32_MAX);
		ev->sample.kernel = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_THROTTLED:
		ev->throttled.ns = get_varint(in);
		break;
	case TRACE_WAKE_STACK:
		ev->wake_stack.user = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_FUTEX:
		ev->futex.word = get_varint(in);
		break;
	case TRACE_SLEPT_ON:
		ev->slept_on.file = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_FILE:
		ev->named.file = (uint32_t)get_varint_max(in, UINT32_MAX);
		ev->named.name = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_URING_SUBMIT:
		get_submit(c, in, ev, mode);
		break;
	case TRACE_URING_STEP:
		get_step(c, in, ev, mode);
		break;
	case TRACE_URING_WAIT:
		ev->waited.nr = get_int(in);
		ev->waited.fd = get_int(in);
		break;
	case TRACE_URING_FD:
		ev->file.role = (uint8_t)mode;
		ev->file.fd = get_int(in);
		ev->file.name = (uint32_t)get_varint_max(in, UINT32_MAX);
		break;
	case TRACE_THREAD_EXIT:
	case TRACE_PROCESS_EXIT:
		break;
	default:
		in->bad = true;
		break;
	}
}

int trace_codec__decode(struct trace_codec *c, const uint8_t *in, size_t len, uint16_t cpu,
			struct trace_event *out, uint32_t nr)
{
	struct cursor cur = { .p = in, .end = in + len };

	trace_codec__reset(c);
	for (uint32_t i = 0; i < nr; i++) {
		memset(&out[i], 0, sizeof(out[i]));
		out[i].cpu = cpu;
		get_event(c, &cur, &out[i]);
		if (cur.bad)
			return -EBADMSG;
	}
	return cur.p == cur.end ? 0 : -EBADMSG;
}
