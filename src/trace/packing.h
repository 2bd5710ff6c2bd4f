/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packing of events, and the state that writer and reader keep alike.
 *
 *	event	= [0 varint(step back)] head varint(time since the last event)
 *		  [thread] body
 *	head	= type (bits 0–4), mode (5–6), same thread as the last event (7)
 *	thread	= varint: 0 varint(tid) or place in the table of threads + 1
 *
 * Tasks, threads and tokens are kept in tables filled in order of appearance
 * and overwritten in a ring; both sides fill them alike. What mode means is
 * said at each type below. Time goes back only where a thread was held up
 * between taking the time and writing.
 *
 * Private to encode.c, decode.c and codec.c.
 */
#ifndef DWELL_TRACE_PACKING_H
#define DWELL_TRACE_PACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/codec.h"
#include "trace/event.h"

#define NR_TASKS	1024u
#define NR_TOKENS	256u
#define NR_TIDS		64u
#define TASK_HASH	4096u
#define TOKEN_HASH	1024u
#define TID_HASH	256u
#define NO_SLOT		0xffffu
#define NR_CACHED_KEYS	2	/* a task's further keys are written whole */

/* Modes of POLL_BEGIN, POLL_END, WAKE, TASK_NEW, TASK_DROP: how the task is named. */
enum task_mode {
	MODE_NEW	= 0,	/* by address: it enters the table */
	MODE_SLOT	= 1,	/* by its place in the table */
	MODE_GUESS	= 2,	/* begin: last woken; end: last begun; else: last ended */
	/* begin: by place, but its kind follows; end: as GUESS, and what it
	 * waits for is what it waited for last; else: named by the last READY */
	MODE_SPECIAL	= 3,
};

/* Mode of EPOLL_WAIT: the same epoll instance as last time. */
#define MODE_SAME_EPFD	1

/*
 * First byte of OFF_CPU: reason in bits 0–1, then what is there. WOKEN without
 * OPEN: a byte follows, enum trace_off_told.
 */
enum off_flags {
	OFF_OPEN	= 1 << 2,
	OFF_WOKEN	= 1 << 3,
	OFF_WAKE	= 1 << 4,
	OFF_WAKER	= 1 << 5,
	OFF_STACK	= 1 << 6,
	OFF_SYSCALL	= 1 << 7,
};

/* Modes of EPOLL_READY. */
enum ready_mode {
	READY_NEW	= 0,	/* token, then the rest */
	READY_SAME	= 1,	/* place of the token; the rest as last time */
	READY_SLOT	= 2,	/* place of the token, then the rest */
};

/* How a key is written: two bits each. */
enum key_mode {
	KEY_SAME	= 0,	/* the task's last one */
	KEY_DELTA	= 1,	/* difference to that */
	KEY_TIME	= 2,	/* difference to the event's time */
	KEY_TASK	= 3,	/* difference to the task's address */
};

/*
 * The byte of a poll's end and of a task that was seen: result or state in bits 0–1,
 * number of keys in bits 2–4, then these. What follows: a byte of key_modes, then, if
 * they are TYPED and not TYPES_SAME, a byte for each key (kind in bits 0–3, direction
 * in bits 4–7), then the values.
 */
#define KEYS_TYPED	(1u << 5)	/* keys have kinds: since version 2 */
#define KEYS_TYPES_SAME	(1u << 6)	/* those of the task's last ones */

struct task_slot {
	uint64_t	task;
	uint64_t	keys[NR_CACHED_KEYS];
	uint8_t		key_kind[NR_CACHED_KEYS], key_dir[NR_CACHED_KEYS];
	uint32_t	kind;
	uint32_t	chain;
	uint32_t	nr_keys;
};

struct token_slot {
	uint64_t	token;
	uint64_t	reader, writer;
	uint64_t	events;		/* events << 1 | ready is known */
	uint32_t	named;		/* task slot of reader, or else of writer */
};

struct trace_codec {
	uint64_t	 ts;		/* of the last event */
	uint64_t	 task_addr;	/* last one named by address */
	uint64_t	 token_last;
	uint32_t	 tid;
	int32_t		 epfd;
	uint32_t	 next_task, next_token, next_tid;	/* ring positions, never wrapped */
	uint32_t	 woken, begun, ended, named;		/* slots guessed */
	struct task_slot tasks[NR_TASKS];
	struct token_slot tokens[NR_TOKENS];
	uint32_t	 tids[NR_TIDS];
	/* Writer only: where a value may be in the table. */
	uint16_t	 task_hash[TASK_HASH];
	uint16_t	 token_hash[TOKEN_HASH];
	uint8_t		 tid_hash[TID_HASH];
};

/* ---- what both sides do to the tables ---- */

static inline uint32_t task_slot__add(struct trace_codec *c, uint64_t task)
{
	uint32_t slot = c->next_task++ % NR_TASKS;

	c->tasks[slot] = (struct task_slot){ .task = task };
	c->task_addr = task;
	return slot;
}

static inline uint32_t token_slot__add(struct trace_codec *c, uint64_t token)
{
	uint32_t slot = c->next_token++ % NR_TOKENS;

	c->tokens[slot] = (struct token_slot){ .token = token, .named = NO_SLOT };
	c->token_last = token;
	return slot;
}

static inline bool task_slot__valid(const struct trace_codec *c, uint64_t slot)
{
	return slot < NR_TASKS && slot < c->next_task;
}

static inline bool token_slot__valid(const struct trace_codec *c, uint64_t slot)
{
	return slot < NR_TOKENS && slot < c->next_token;
}

static inline bool tid_slot__valid(const struct trace_codec *c, uint64_t slot)
{
	return slot < NR_TIDS && slot < c->next_tid;
}

static inline struct walk_key task_slot__key(const struct task_slot *s, unsigned int i)
{
	return (struct walk_key){ s->keys[i], s->key_kind[i], s->key_dir[i] };
}

static inline void task_slot__remember(struct task_slot *s, uint32_t chain,
				       const struct walk_keys *keys, unsigned int nr)
{
	s->chain = chain;
	s->nr_keys = nr;
	for (unsigned int i = 0; i < NR_CACHED_KEYS; i++) {
		s->keys[i] = i < nr ? keys->value[i] : 0;
		s->key_kind[i] = i < nr ? keys->kind[i] : 0;
		s->key_dir[i] = i < nr ? keys->dir[i] : 0;
	}
}

#endif /* DWELL_TRACE_PACKING_H */
