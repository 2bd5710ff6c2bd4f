/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events to bytes; the format is described in packing.h. The recorder pays for each
 * event here, so nothing is allocated, and look-ups take a few loads only.
 */
#include <string.h>

#include "trace/packing.h"
#include "trace/varint.h"

static uint32_t hash(uint64_t v, uint32_t size)
{
	return (uint32_t)((v * 0x9e3779b97f4a7c15ull) >> 40) & (size - 1);
}

static uint32_t task_slot__find(const struct trace_codec *c, uint64_t task)
{
	uint32_t slot = c->task_hash[hash(task, TASK_HASH)];

	return slot != NO_SLOT && c->tasks[slot].task == task ? slot : NO_SLOT;
}

static uint32_t task_slot__enter(struct trace_codec *c, uint64_t task)
{
	uint32_t slot = task_slot__add(c, task);

	c->task_hash[hash(task, TASK_HASH)] = (uint16_t)slot;
	return slot;
}

static uint8_t *put_signed(uint8_t *p, int64_t v)
{
	return put_varint(p, zigzag(v));
}

static uint8_t *put_tid(struct trace_codec *c, uint8_t *p, uint32_t tid)
{
	uint8_t *place = &c->tid_hash[tid % TID_HASH];

	if (*place != 0xff && c->tids[*place] == tid)
		return put_varint(p, *place + 1u);
	*place = (uint8_t)(c->next_tid++ % NR_TIDS);
	c->tids[*place] = tid;
	*p++ = 0;
	return put_varint(p, tid);
}

/* Writes a task that is not the event's subject, and may be 0. */
static uint8_t *put_task_ref(struct trace_codec *c, uint8_t *p, uint64_t task, uint32_t *slot)
{
	uint64_t from = c->task_addr;

	*slot = NO_SLOT;
	if (!task) {
		*p++ = 0;
		return p;
	}
	*slot = task_slot__find(c, task);
	if (*slot != NO_SLOT)
		return put_varint(p, *slot + 2);
	*slot = task_slot__enter(c, task);
	*p++ = 1;
	return put_signed(p, (int64_t)(task - from));
}

static unsigned int magnitude(int64_t v)
{
	return 64 - (unsigned int)__builtin_clzll(zigzag(v) | 1);
}

/* The flags KEYS_TYPED and KEYS_TYPES_SAME for @keys. */
static uint8_t key_types(const struct task_slot *old, const struct walk_keys *keys, unsigned int nr)
{
	bool typed = false, same = nr <= NR_CACHED_KEYS && old->nr_keys == nr;

	for (unsigned int i = 0; i < nr; i++) {
		typed |= keys->kind[i] || keys->dir[i];
		same = same && keys->kind[i] == old->key_kind[i] && keys->dir[i] == old->key_dir[i];
	}
	return (uint8_t)(typed ? KEYS_TYPED | (same ? KEYS_TYPES_SAME : 0) : 0);
}

/* Writes the byte before the keys, and the keys. */
static uint8_t *put_keys(const struct task_slot *old, uint8_t *p, uint64_t ts, uint64_t task,
			 const struct walk_keys *keys, unsigned int nr, unsigned int low)
{
	uint8_t types = key_types(old, keys, nr), *modes;

	*p++ = (uint8_t)(low | nr << 2 | types);
	if (!nr)
		return p;
	modes = p++;
	*modes = 0;
	for (unsigned int i = 0; i < nr && types == KEYS_TYPED; i++)
		*p++ = (uint8_t)((keys->kind[i] & 15) | keys->dir[i] << 4);
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t key = keys->value[i], last = i < NR_CACHED_KEYS ? old->keys[i] : 0;
		int64_t delta = (int64_t)(key - last);
		enum key_mode mode = KEY_DELTA;

		if (!delta)
			continue; /* KEY_SAME */
		if (magnitude((int64_t)(key - ts)) < magnitude(delta)) {
			mode = KEY_TIME;
			delta = (int64_t)(key - ts);
		}
		if (magnitude((int64_t)(key - task)) < magnitude(delta)) {
			mode = KEY_TASK;
			delta = (int64_t)(key - task);
		}
		*modes |= (uint8_t)(mode << (2 * i));
		p = put_signed(p, delta);
	}
	return p;
}

static bool task_slot__same_wait(const struct task_slot *s, const struct trace_event *ev)
{
	return ev->end.result == TRACE_POLL_PENDING && s->chain == ev->end.chain &&
	       s->nr_keys == ev->end.nr_keys && ev->end.nr_keys <= NR_CACHED_KEYS &&
	       (ev->end.nr_keys < 1 ||
		walk_key__same(task_slot__key(s, 0), walk_keys__get(&ev->end.keys, 0))) &&
	       (ev->end.nr_keys < 2 ||
		walk_key__same(task_slot__key(s, 1), walk_keys__get(&ev->end.keys, 1)));
}

static uint8_t *put_begin(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			  unsigned int *mode)
{
	uint64_t from = c->task_addr;
	uint32_t slot = c->woken;

	if (slot != NO_SLOT && c->tasks[slot].task == ev->poll.task &&
	    c->tasks[slot].kind == ev->poll.kind) {
		*mode = MODE_GUESS;
		c->begun = slot;
		return p;
	}
	slot = task_slot__find(c, ev->poll.task);
	if (slot == NO_SLOT) {
		*mode = MODE_NEW;
		slot = task_slot__enter(c, ev->poll.task);
		p = put_signed(p, (int64_t)(ev->poll.task - from));
	} else {
		*mode = c->tasks[slot].kind == ev->poll.kind ? MODE_SLOT : MODE_SPECIAL;
		p = put_varint(p, slot);
	}
	if (*mode != MODE_SLOT)
		p = put_varint(p, ev->poll.kind);
	c->tasks[slot].kind = ev->poll.kind;
	c->begun = slot;
	return p;
}

static uint8_t *put_end(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			unsigned int *mode)
{
	unsigned int nr = ev->end.nr_keys > WALK_MAX_KEYS ? WALK_MAX_KEYS : ev->end.nr_keys;
	uint64_t from = c->task_addr;
	uint32_t slot = c->begun;
	struct task_slot *s;

	if (slot != NO_SLOT && c->tasks[slot].task == ev->end.task) {
		*mode = MODE_GUESS;
	} else {
		slot = task_slot__find(c, ev->end.task);
		if (slot == NO_SLOT) {
			*mode = MODE_NEW;
			slot = task_slot__enter(c, ev->end.task);
			p = put_signed(p, (int64_t)(ev->end.task - from));
		} else {
			*mode = MODE_SLOT;
			p = put_varint(p, slot);
		}
	}
	c->ended = slot;
	s = &c->tasks[slot];
	if (*mode == MODE_GUESS && task_slot__same_wait(s, ev)) {
		*mode = MODE_SPECIAL;
		return p;
	}
	p = put_varint(p, ev->end.chain);
	p = put_keys(s, p, ev->ts, ev->end.task, &ev->end.keys, nr, ev->end.result & 3);
	task_slot__remember(s, ev->end.chain, &ev->end.keys, nr);
	return p;
}

static uint8_t *put_task(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			 unsigned int *mode)
{
	uint64_t from = c->task_addr;
	uint64_t task = ev->task.task;
	uint32_t slot;

	if (c->named != NO_SLOT && c->tasks[c->named].task == task) {
		*mode = MODE_SPECIAL;
		slot = c->named;
	} else if (c->ended != NO_SLOT && c->tasks[c->ended].task == task) {
		*mode = MODE_GUESS;
		slot = c->ended;
	} else {
		slot = task_slot__find(c, task);
		if (slot == NO_SLOT) {
			*mode = MODE_NEW;
			slot = task_slot__enter(c, task);
			p = put_signed(p, (int64_t)(task - from));
		} else {
			*mode = MODE_SLOT;
			p = put_varint(p, slot);
		}
	}
	if (ev->type != TRACE_TASK_DROP)
		c->woken = slot;
	return p;
}

static uint8_t *put_off(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			unsigned int *mode)
{
	uint8_t told = ev->off.open ? TRACE_OFF_SEEN : ev->off.told;
	bool woken = ev->off.open ? ev->off.woken : told;

	*p++ = (uint8_t)((ev->off.reason & 3) | (ev->off.open ? OFF_OPEN : 0) |
			 (woken ? OFF_WOKEN : 0) | (ev->off.wake ? OFF_WAKE : 0) |
			 (ev->off.waker ? OFF_WAKER : 0) | (ev->off.stack ? OFF_STACK : 0) |
			 (ev->off.syscall >= 0 ? OFF_SYSCALL : 0));
	if (told)
		*p++ = told;
	p = put_signed(p, (int64_t)(ev->ts - ev->off.out));
	if (ev->off.wake)
		p = put_signed(p, (int64_t)(ev->ts - ev->off.wake));
	if (ev->off.waker)
		p = put_tid(c, p, ev->off.waker);
	if (ev->off.stack)
		p = put_varint(p, ev->off.stack);
	if (ev->off.syscall >= 0)
		p = put_varint(p, (uint64_t)ev->off.syscall);
	if (ev->off.user) {
		*mode |= MODE_USER_STACK;
		p = put_varint(p, ev->off.user);
	}
	if (ev->off.waker_user) {
		*mode |= MODE_WAKER_STACK;
		p = put_varint(p, ev->off.waker_user);
	}
	return p;
}

static uint8_t *put_epoll(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			  unsigned int *mode)
{
	if (ev->epoll.epfd == c->epfd)
		*mode |= MODE_SAME_EPFD;
	else
		p = put_signed(p, ev->epoll.epfd);
	c->epfd = ev->epoll.epfd;
	p = put_signed(p, ev->epoll.nr);
	return p;
}

static uint8_t *put_ready(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			  unsigned int *mode)
{
	uint64_t events = (uint64_t)ev->ready.events << 1 | !!ev->ready.ready;
	uint64_t from = c->token_last;
	uint16_t *place = &c->token_hash[hash(ev->ready.token, TOKEN_HASH)];
	struct token_slot *s;

	if (*place != NO_SLOT && c->tokens[*place].token == ev->ready.token) {
		s = &c->tokens[*place];
		*mode = s->reader == ev->ready.reader && s->writer == ev->ready.writer &&
					s->events == events ?
				READY_SAME :
				READY_SLOT;
		p = put_varint(p, *place);
	} else {
		*mode = READY_NEW;
		*place = (uint16_t)token_slot__add(c, ev->ready.token);
		s = &c->tokens[*place];
		p = put_signed(p, (int64_t)(ev->ready.token - from));
	}
	if (*mode != READY_SAME) {
		uint32_t reader, writer;

		p = put_varint(p, events);
		p = put_task_ref(c, p, ev->ready.reader, &reader);
		p = put_task_ref(c, p, ev->ready.writer, &writer);
		s->events = events;
		s->reader = ev->ready.reader;
		s->writer = ev->ready.writer;
		s->named = reader != NO_SLOT ? reader : writer;
	}
	c->named = s->named;
	if (ev->ready.ready)
		p = put_signed(p, (int64_t)(ev->ts - ev->ready.ready));
	return p;
}

/* Which operation: its ring, unless it is that of the last one, and its user_data. */
static uint8_t *put_operation(struct trace_codec *c, uint8_t *p, uint32_t ring, uint64_t user_data,
			      unsigned int *mode)
{
	if (ring == c->ring)
		*mode |= MODE_SAME_RING;
	else
		p = put_varint(p, ring);
	p = put_signed(p, (int64_t)(user_data - c->user_data));
	c->ring = ring;
	c->user_data = user_data;
	return p;
}

static uint8_t *put_submit(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			   unsigned int *mode)
{
	p = put_operation(c, p, ev->submit.ring, ev->submit.user_data, mode);
	*p++ = ev->submit.opcode;
	p = put_signed(p, ev->submit.fd);
	return ev->submit.fd == TRACE_URING_NO_FD ? put_varint(p, ev->submit.path) : p;
}

static uint8_t *put_step(struct trace_codec *c, const struct trace_event *ev, uint8_t *p,
			 unsigned int *mode)
{
	p = put_operation(c, p, ev->step.ring, ev->step.user_data, mode);
	*p++ = (uint8_t)((ev->step.step & 15) | (ev->step.res ? STEP_RES : 0) |
			 (ev->step.flags ? STEP_FLAGS : 0));
	if (ev->step.res)
		p = put_signed(p, ev->step.res);
	if (ev->step.flags)
		p = put_varint(p, ev->step.flags);
	return p;
}

static uint8_t *put_seen(struct trace_codec *c, const struct trace_event *ev, uint8_t *p)
{
	static const struct task_slot none;
	unsigned int nr = ev->seen.nr_keys > WALK_MAX_KEYS ? WALK_MAX_KEYS : ev->seen.nr_keys;
	uint32_t slot;

	p = put_task_ref(c, p, ev->seen.task, &slot);
	p = put_varint(p, ev->seen.kind);
	p = put_varint(p, ev->seen.chain);
	return put_keys(&none, p, ev->ts, ev->seen.task, &ev->seen.keys, nr, ev->seen.state & 3);
}

size_t trace_codec__encode(struct trace_codec *c, const struct trace_event *ev, uint8_t *out)
{
	unsigned int mode = 0;
	bool same_tid = ev->tid == c->tid;
	uint8_t *p = out, *head;
	uint32_t slot;

	if (ev->ts < c->ts) {
		*p++ = 0;
		p = put_varint(p, c->ts - ev->ts);
		c->ts = ev->ts;
	}
	head = p++;
	p = put_varint(p, ev->ts - c->ts);
	c->ts = ev->ts;
	if (!same_tid) {
		p = put_tid(c, p, ev->tid);
		c->tid = ev->tid;
	}

	switch (ev->type) {
	case TRACE_POLL_BEGIN:
		p = put_begin(c, ev, p, &mode);
		break;
	case TRACE_POLL_END:
		p = put_end(c, ev, p, &mode);
		break;
	case TRACE_WAKE:
	case TRACE_TASK_NEW:
	case TRACE_TASK_DROP:
		p = put_task(c, ev, p, &mode);
		break;
	case TRACE_TASK_SEEN:
		p = put_seen(c, ev, p);
		break;
	case TRACE_OFF_CPU:
		p = put_off(c, ev, p, &mode);
		break;
	case TRACE_EPOLL_WAIT:
		p = put_epoll(c, ev, p, &mode);
		break;
	case TRACE_EPOLL_READY:
		p = put_ready(c, ev, p, &mode);
		break;
	case TRACE_FD_ADD:
	case TRACE_FD_DEL:
	case TRACE_FD_TURN:
		mode = ev->type == TRACE_FD_ADD ? ev->fd.role & 3 :
		       ev->type == TRACE_FD_TURN ?
			       (ev->fd.sent ? 1u : 0u) | (ev->fd.seen ? 2u : 0u) : 0;
		p = put_varint(p, ev->fd.token);
		p = put_signed(p, ev->fd.epfd);
		p = put_signed(p, ev->fd.fd);
		p = put_varint(p, ev->fd.name);
		if (ev->type == TRACE_FD_TURN)
			p = put_signed(p, (int64_t)(ev->ts - ev->fd.came));
		break;
	case TRACE_LOST:
		p = put_signed(p, (int64_t)(ev->ts - ev->lost.first));
		p = put_varint(p, ev->lost.count);
		*p++ = ev->lost.cause;
		break;
	case TRACE_POLLS_GONE:
		p = put_varint(p, ev->polls.nr);
		break;
	case TRACE_FD_WAITER:
		p = put_varint(p, ev->waiter.token);
		p = put_task_ref(c, p, ev->waiter.task, &slot);
		*p++ = ev->waiter.dir;
		break;
	case TRACE_TASKS_LISTED:
		p = put_signed(p, (int64_t)(ev->ts - ev->listed.begin));
		break;
	case TRACE_SLEEP_STACK:
		p = put_signed(p, (int64_t)(ev->ts - ev->sleep.out));
		p = put_varint(p, ev->sleep.stack);
		break;
	case TRACE_CPU_SAMPLE:
		p = put_varint(p, ev->sample.user);
		p = put_varint(p, ev->sample.kernel);
		break;
	case TRACE_THROTTLED:
		p = put_varint(p, ev->throttled.ns);
		break;
	case TRACE_WAKE_STACK:
		p = put_varint(p, ev->wake_stack.user);
		break;
	case TRACE_FUTEX:
		p = put_varint(p, ev->futex.word);
		break;
	case TRACE_SLEPT_ON:
		p = put_varint(p, ev->slept_on.file);
		break;
	case TRACE_FILE:
		p = put_varint(p, ev->named.file);
		p = put_varint(p, ev->named.name);
		break;
	case TRACE_URING_SUBMIT:
		p = put_submit(c, ev, p, &mode);
		break;
	case TRACE_URING_STEP:
		p = put_step(c, ev, p, &mode);
		break;
	case TRACE_URING_WAIT:
		p = put_signed(p, ev->waited.nr);
		p = put_signed(p, ev->waited.fd);
		break;
	case TRACE_URING_FD:
		mode = ev->file.role & 3;
		p = put_signed(p, ev->file.fd);
		p = put_varint(p, ev->file.name);
		break;
	case TRACE_THREAD_EXIT:
	case TRACE_PROCESS_EXIT:
		break;
	default:
		return 0;
	}
	*head = (uint8_t)(ev->type | mode << 5 | same_tid << 7);
	return (size_t)(p - out);
}
