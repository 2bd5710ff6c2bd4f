/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The format of events in a chunk, and the state that writer and reader both keep.
 *
 *	event	= [0 varint(step back)] head varint(time since the last event)
 *		  [thread] body
 *	head	= type (bits 0–4), mode (5–6), same thread as the last event (7)
 *	thread	= varint: 0 varint(tid), or the slot in the table of threads + 1
 *
 * Tasks, threads and tokens are kept in tables. A new one takes the next slot; a full
 * table is overwritten from its beginning. Both sides do this in the same way. The mode
 * depends on the type, see below. Time steps back only if a thread was delayed between
 * reading the clock and writing the event.
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
#define NR_CACHED_KEYS	2	/* further keys of a task are written in full */

/* Modes of POLL_BEGIN, POLL_END, WAKE, TASK_NEW, TASK_DROP: how the event's task is given. */
enum task_mode {
	MODE_NEW	= 0,	/* by its address; it enters the table */
	MODE_SLOT	= 1,	/* by its slot in the table */
	/*
	 * predicted; POLL_BEGIN: the task last woken; POLL_END: the one last begun;
	 * others: the one last ended
	 */
	MODE_GUESS	= 2,
	/*
	 * POLL_BEGIN: by its slot, and its kind follows. POLL_END: predicted as with
	 * MODE_GUESS, and it waits for the same as last time. Others: the task that the
	 * last EPOLL_READY refers to.
	 */
	MODE_SPECIAL	= 3,
};

/* Mode of EPOLL_WAIT: the same epoll instance as in the last one. */
#define MODE_SAME_EPFD	1

/* Mode of URING_SUBMIT and URING_STEP: the same ring as in the last one of either. */
#define MODE_SAME_RING	1

/*
 * The byte in URING_STEP: the step in bits 0–3, then flags for what is present.
 */
enum step_flags {
	STEP_RES	= 1 << 4,
	STEP_FLAGS	= 1 << 5,
};

/*
 * First byte of OFF_CPU: the reason in bits 0–1, then flags for what is present. If
 * WOKEN is set and OPEN is not, a byte with the enum trace_off_told follows. Mode: the ids of
 * its user stack and of its waker's are present, at the end.
 */
enum off_flags {
	OFF_OPEN	= 1 << 2,
	OFF_WOKEN	= 1 << 3,
	OFF_WAKE	= 1 << 4,
	OFF_WAKER	= 1 << 5,
	OFF_STACK	= 1 << 6,
	OFF_SYSCALL	= 1 << 7,
};

/* Modes of OFF_CPU: it has a user stack; its waker has. */
#define MODE_USER_STACK		1
#define MODE_WAKER_STACK	2

/* Modes of EPOLL_READY. */
enum ready_mode {
	READY_NEW	= 0,	/* the token, then all other fields */
	READY_SAME	= 1,	/* the token's slot; other fields as last time */
	READY_SLOT	= 2,	/* the token's slot, then all other fields */
};

/* How a key is written; two bits each. */
enum key_mode {
	KEY_SAME	= 0,	/* equal to the task's last one */
	KEY_DELTA	= 1,	/* difference to the task's last one */
	KEY_TIME	= 2,	/* difference to the event's time */
	KEY_TASK	= 3,	/* difference to the task's address */
};

/*
 * The byte in POLL_END and TASK_SEEN: result or state in bits 0–1, number of keys in
 * bits 2–4, then these flags. After it: a byte of key_modes; if TYPED is set and
 * TYPES_SAME is not, a byte for each key (kind in bits 0–3, direction in bits 4–7);
 * then the values.
 */
#define KEYS_TYPED	(1u << 5)	/* keys have kinds; always, since version 2 */
#define KEYS_TYPES_SAME	(1u << 6)	/* kinds are those of the task's last keys */

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
	uint64_t	events;		/* events << 1 | (ready is known) */
	uint32_t	named;		/* slot of the reader's task, or else of the writer's */
};

struct trace_codec {
	uint64_t	 ts;		/* of the last event */
	uint64_t	 task_addr;	/* the last one given by its address */
	uint64_t	 token_last;
	uint32_t	 tid;
	int32_t		 epfd;
	uint64_t	 user_data;	/* of the last operation */
	uint32_t	 ring;
	/* next slots; they never wrap, a mask is applied */
	uint32_t	 next_task, next_token, next_tid;
	uint32_t	 woken, begun, ended, named;		/* slots used for prediction */
	struct task_slot tasks[NR_TASKS];
	struct token_slot tokens[NR_TOKENS];
	uint32_t	 tids[NR_TIDS];
	/* Writer only: index of a value in the table. */
	uint16_t	 task_hash[TASK_HASH];
	uint16_t	 token_hash[TOKEN_HASH];
	uint8_t		 tid_hash[TID_HASH];
};

/* ---- how both sides update the tables ---- */

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
