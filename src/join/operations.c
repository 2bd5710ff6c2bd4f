/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of operations of io_uring. See operations.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "join/driver.h"
#include "join/operations.h"
#include "join/part.h"

/* A completed operation whose wake has not come within this time will have none. */
#define KEPT_NS		10000000000ull
#define SWEEP_MIN	1024	/* operations of a ring, above which old ones are removed */

#define PERIODS_MAX	64	/* of one operation; further ones are not told apart */

/* A thread of io-wq. */
struct worker {
	uint64_t	done;		/* when it had done what it did before */
	uint32_t	nr;
	struct period {
		uint64_t	out, wake, in;
		uint64_t	allowed;	/* to run, from then on; wake, or later */
		uint32_t	stack;
		bool		slept;
	}		periods[PERIODS_MAX];	/* off the CPU since */
};

/* What a descriptor is, and whose turn it is there, if it is a connection. */
struct operation_file {
	uint32_t	name;		/* a string id; 0: none */
	uint8_t		role;		/* enum trace_fd_role */
	bool		fresh;		/* it was accepted during the recording */
	bool		came;		/* something has been received since it was first seen … */
	bool		sent;		/* … and something sent since then */
};

struct ring {
	struct hash_table	ops;	/* struct operation by user_data */
	size_t			sweep_at;	/* when so many are there */
};

#define RINGS_MAX	8	/* of one thread; that which it has not used longest is forgotten */

/* A thread that submits: its rings, that of the last submission first. */
struct submitter {
	uint32_t	rings[RINGS_MAX];
	uint32_t	nr;
};

#define OPCODE_POLL_ADD	6
#define OPCODE_ACCEPT	13

/* readv, read_fixed, recvmsg, read, recv, read_multishot, recv_zc, readv_fixed */
#define OP(nr)		(1ull << (nr))
#define RECEIVES	(OP(1) | OP(4) | OP(10) | OP(22) | OP(27) | OP(49) | OP(58) | OP(60))
/* writev, write_fixed, sendmsg, write, send, send_zc, sendmsg_zc, writev_fixed */
#define SENDS		(OP(2) | OP(5) | OP(9) | OP(23) | OP(26) | OP(47) | OP(48) | OP(61))

static bool is_of(uint8_t opcode, uint64_t set)
{
	return opcode < 64 && set & OP(opcode);
}

/* enum io_uring_op, include/uapi/linux/io_uring.h */
static const char *const opcodes[] = {
	"nop", "readv", "writev", "fsync", "read_fixed", "write_fixed", "poll_add", "poll_remove",
	"sync_file_range", "sendmsg", "recvmsg", "timeout", "timeout_remove", "accept",
	"async_cancel", "link_timeout", "connect", "fallocate", "openat", "close", "files_update",
	"statx", "read", "write", "fadvise", "madvise", "send", "recv", "openat2", "epoll_ctl",
	"splice", "provide_buffers", "remove_buffers", "tee", "shutdown", "renameat", "unlinkat",
	"mkdirat", "symlinkat", "linkat", "msg_ring", "fsetxattr", "setxattr", "fgetxattr",
	"getxattr", "socket", "uring_cmd", "send_zc", "sendmsg_zc", "read_multishot", "waitid",
	"futex_wait", "futex_wake", "futex_waitv", "fixed_fd_install", "ftruncate", "bind",
	"listen", "recv_zc", "epoll_wait", "readv_fixed", "writev_fixed", "pipe",
};

const char *operation__opcode(uint8_t opcode)
{
	return opcode < sizeof(opcodes) / sizeof(opcodes[0]) ? opcodes[opcode] : NULL;
}

/* ---- names ---- */

static bool name__is(const struct operation_name *a, const struct operation_name *b)
{
	return a->opcode == b->opcode && a->unseen == b->unseen && a->fd == b->fd &&
	       a->string == b->string && a->stack == b->stack;
}

/* The number of a name; or -ENOMEM. */
static int64_t name_number(struct operations *o, const struct operation_name *name)
{
	const uint32_t content[] = { name->opcode, name->unseen, (uint32_t)name->fd, name->string,
				     name->stack };
	uint64_t key = hash_table__key(&o->name_of, (const char *)content, sizeof(content));
	struct hash_slot *s;

	for (;; key++) {
		s = hash_table__at(&o->name_of, key);
		if (!s)
			return -ENOMEM;
		if (!s->value)
			break;
		if (name__is(&o->names[s->value - 1], name))
			return (int64_t)s->value - 1;
	}
	if (o->nr_names == o->names_size) {
		uint32_t size = o->names_size ? o->names_size * 2 : 16;
		void *names = reallocarray(o->names, size, sizeof(*o->names));

		if (!names)
			return -ENOMEM;
		o->names = names;
		o->names_size = size;
	}
	o->names[o->nr_names] = *name;
	s->value = ++o->nr_names;
	return (int64_t)s->value - 1;
}

/* ---- operations ---- */

static struct ring *ring__get(struct operations *o, uint32_t number)
{
	struct ring *r = map__get(&o->rings, number);

	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r || map__add(&o->rings, number, r)) {
		free(r);
		return NULL;
	}
	r->sweep_at = SWEEP_MIN;
	return r;
}

/*
 * Removes operations that will explain no wake any more: programs that never reuse a
 * user_data would fill the memory.
 */
static int ring__sweep(struct ring *r, uint64_t now)
{
	struct hash_slot *ops = hash_table__sorted(&r->ops);
	size_t nr = r->ops.nr;

	if (!ops)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		struct operation *op = ops[i].ptr;

		if (!op->done || op->more || (!op->told && op->done + KEPT_NS > now))
			continue;
		hash_table__del(&r->ops, ops[i].key);
		free(op->wq.list);
		free(op);
	}
	free(ops);
	r->sweep_at = r->ops.nr * 2 > SWEEP_MIN ? r->ops.nr * 2 : SWEEP_MIN;
	return 0;
}

static struct operation *ring__find(const struct ring *r, uint64_t user_data)
{
	struct hash_slot *s = hash_table__find(&r->ops, user_data);

	return s ? s->ptr : NULL;
}

/* The operation's place, for a new one. NULL: no memory. */
static struct operation *ring__at(struct ring *r, uint64_t user_data, uint64_t now)
{
	struct hash_slot *s;

	if (r->ops.nr >= r->sweep_at && ring__sweep(r, now))
		return NULL;
	s = hash_table__at(&r->ops, user_data);
	if (!s)
		return NULL;
	if (!s->ptr)
		s->ptr = calloc(1, sizeof(struct operation));
	if (!s->ptr)
		hash_table__del(&r->ops, user_data);
	return s->ptr;
}

static void phase__begin(struct operation *op, enum part part, uint64_t now)
{
	if (op->phases[op->nr_phases - 1].part == part)
		return;
	if (op->nr_phases == OPERATION_PHASES)
		op->nr_phases--;
	op->phases[op->nr_phases].part = (uint8_t)part;
	op->phases[op->nr_phases++].since = now;
}

static struct operation *operation__begin(struct operations *o, struct ring *r, uint64_t user_data,
					  const struct operation_name *name, uint64_t now)
{
	struct operation *op = ring__at(r, user_data, now);
	int64_t number = name_number(o, name);
	struct pieces wq;

	if (!op || number < 0)
		return NULL;
	wq = op->wq;
	wq.nr = 0;
	*op = (struct operation){ .nr_phases = 1, .submitted = !name->unseen, .wq = wq,
				  .name = (uint32_t)number };
	op->phases[0].part = PART_OPERATION;
	op->phases[0].since = now;
	return op;
}

/* Thread @tid has submitted to @ring. */
static int submitter__note(struct operations *o, uint32_t tid, uint32_t ring)
{
	struct submitter *s = map__get(&o->submitters, tid);
	uint32_t at = 0;

	if (s && s->nr && s->rings[0] == ring)
		return 0;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s || map__add(&o->submitters, tid, s)) {
			free(s);
			return -ENOMEM;
		}
	}
	while (at < s->nr && s->rings[at] != ring)
		at++;
	if (at == s->nr && s->nr < RINGS_MAX)
		s->nr++;
	if (at == RINGS_MAX)
		at--;
	memmove(s->rings + 1, s->rings, at * sizeof(s->rings[0]));
	s->rings[0] = ring;
	return 0;
}

/* ---- whose turn it is ---- */

/* The entry for descriptor @fd; NULL: no memory. */
static struct operation_file *file__get(struct operations *o, int32_t fd)
{
	struct operation_file *file = map__get(&o->files, (uint32_t)fd);

	if (file)
		return file;
	file = calloc(1, sizeof(*file));
	if (!file || map__add(&o->files, (uint32_t)fd, file)) {
		free(file);
		return NULL;
	}
	return file;
}

/* Is @fd, of a submission, a descriptor or a registered file, and not in place of one? */
static bool is_file(int32_t fd)
{
	return fd >= 0 || fd <= TRACE_URING_FILE;
}

/* Who is to speak: TRACE_READY_*; 0: not known, as it was open before the recording. */
static uint32_t file__turn(const struct operation_file *file)
{
	if (!file->sent && !file->came && !file->fresh)
		return 0;
	return TRACE_READY_TURN | (file->sent ? TRACE_READY_SENT : 0) |
	       (file->fresh && !file->came ? TRACE_READY_FIRST : 0);
}

/* @op, of @opcode on @fd, has been submitted. 0 or -ENOMEM. */
static int talk__submitted(struct operations *o, struct operation *op, uint8_t opcode, int32_t fd)
{
	struct operation_file *file = file__get(o, fd);

	if (!file)
		return -ENOMEM;
	op->role = file->role;
	op->receives = is_of(opcode, RECEIVES);
	if (op->receives)
		op->turn = file__turn(file);
	if (is_of(opcode, SENDS))
		file->sent = true;
	return 0;
}

/* @op has completed with @res. 0 or -ENOMEM. */
static int talk__done(struct operations *o, struct operation *op, int32_t res, uint32_t flags)
{
	const struct operation_name *name = &o->names[op->name];
	struct operation_file *file;

	if (name->opcode == OPCODE_ACCEPT && res >= 0 && !name->unseen && !op->direct) {
		file = file__get(o, res);
		if (!file)
			return -ENOMEM;
		*file = (struct operation_file){ .role = TRACE_FD_ACCEPTED, .fresh = true };
	}
	if (name->opcode == OPCODE_POLL_ADD && flags & TRACE_READY_TURN) {
		op->turn = flags & (TRACE_READY_TURN | TRACE_READY_SENT | TRACE_READY_FIRST);
		op->receives = true;
	}
	if (!op->receives || name->opcode == OPCODE_POLL_ADD)
		return 0;
	file = map__get(&o->files, (uint32_t)name->fd);
	if (!file)
		return 0;
	op->turn = file__turn(file);	/* what was sent after the submission counts, too */
	if (res > 0) {
		file->came = true;
		file->sent = false;
	}
	return 0;
}

static int talk__file(struct operations *o, const struct trace_event *ev)
{
	struct operation_file *file = file__get(o, ev->file.fd);
	bool fresh;

	if (!file)
		return -ENOMEM;
	/* an accepted connection gets its name when it is used first */
	fresh = file->fresh && !file->name && ev->file.role == TRACE_FD_ACCEPTED;
	*file = (struct operation_file){ .name = ev->file.name, .role = ev->file.role,
					 .fresh = fresh };
	return 0;
}

static int operations__submit(struct operations *o, const struct trace_event *ev, uint64_t now)
{
	struct operation_name name = { .opcode = ev->submit.opcode & ~TRACE_URING_DIRECT,
				       .fd = ev->submit.fd };
	struct ring *r = ring__get(o, ev->submit.ring);
	const struct operation_file *file;
	struct operation *op;

	if (!r || submitter__note(o, ev->tid, ev->submit.ring))
		return -ENOMEM;
	if (is_file(name.fd)) {
		file = map__get(&o->files, (uint32_t)name.fd);
		name.string = file ? file->name : 0;
	} else if (name.fd == TRACE_URING_NO_FD) {
		name.string = ev->submit.path;
	}
	op = operation__begin(o, r, ev->submit.user_data, &name, now);
	if (!op)
		return -ENOMEM;
	op->direct = ev->submit.opcode & TRACE_URING_DIRECT;
	/* it is never armed: to wait is all that it does */
	if (name.opcode == OPCODE_POLL_ADD)
		op->phases[0].part = PART_NO_DATA;
	return is_file(name.fd) ? talk__submitted(o, op, name.opcode, name.fd) : 0;
}

/* ---- what threads of io-wq do ---- */

int operations__off_cpu(struct operations *o, const struct trace_event *ev, uint64_t throttled,
			uint64_t now)
{
	struct worker *w = map__get(&o->workers, ev->tid);
	struct period *p;

	if (!w) {
		if (!ev->off.stack)
			return 0;
		w = calloc(1, sizeof(*w));
		if (!w || map__add(&o->workers, ev->tid, w)) {
			free(w);
			return -ENOMEM;
		}
	}
	if (w->nr == PERIODS_MAX)
		return 0;
	p = &w->periods[w->nr++];
	p->out = ev->off.out;
	p->in = now;
	p->slept = ev->off.reason != TRACE_OFF_PREEMPTED;
	p->wake = p->slept ? ev->off.wake ? ev->off.wake : now : p->out;
	p->allowed = p->wake;
	if (p->wake < now)
		p->allowed += throttled < now - p->wake ? throttled : now - p->wake;
	p->stack = ev->off.stack;
	return 0;
}

/* Adds what the operation's time up to @to was, from *@at on, which is moved there. */
static int wq__add(struct operation *op, enum part part, uint32_t name, uint64_t *at, uint64_t to)
{
	struct piece p = { .segment = JOIN_AWAIT, .part = (uint8_t)part, .from = *at };

	if (to <= *at)
		return 0;
	p.ns = to - *at;
	p.detail = (struct detail){ .kind = DETAIL_OPERATION, .id = name };
	*at = to;
	return pieces__add(&op->wq, &p);
}

/* The end of @p, in which the thread was runnable. */
static int wq__runnable(struct operation *op, const struct period *p, uint64_t *at)
{
	int err = 0;

	if (p->allowed > p->wake)
		err = wq__add(op, PART_IO_WQ_THROTTLED, op->name, at, p->allowed);
	return err ? err : wq__add(op, PART_IO_WQ_QUEUE, op->name, at, p->in);
}

/*
 * @w has completed @op, with which it was alone since the operation was given to io-wq, or
 * since it completed another one. If it slept then without a stack, it was idle: the
 * operation had to wait for a thread.
 */
static int wq__completed(struct operations *o, struct worker *w, struct operation *op,
			 uint64_t now)
{
	uint64_t at = op->phases[op->nr_phases - 1].since;
	int err;

	err = wq__add(op, PART_IO_WQ_QUEUE, op->name, &at, w->done < now ? w->done : now);
	for (uint32_t i = 0; i < w->nr && !err; i++) {
		const struct period *p = &w->periods[i];
		struct operation_name name = o->names[op->name];
		int64_t slept;

		if (p->in <= at || p->in > now)
			continue;
		if (p->slept && !p->stack) {
			err = wq__add(op, PART_IO_WQ_QUEUE, op->name, &at, p->wake);
			if (!err)
				err = wq__runnable(op, p, &at);
			continue;
		}
		name.stack = p->stack;
		slept = name_number(o, &name);
		if (slept < 0)
			return -ENOMEM;
		err = wq__add(op, PART_IO_WQ, op->name, &at, p->out);
		if (!err && p->slept)
			err = wq__add(op, PART_IO_WQ, (uint32_t)slept, &at, p->wake);
		if (!err)
			err = wq__runnable(op, p, &at);
	}
	return err ? err : wq__add(op, PART_IO_WQ, op->name, &at, now);
}

static int wq__done(struct operations *o, struct operation *op, uint32_t tid, uint64_t now)
{
	struct worker *w = map__get(&o->workers, tid);
	int err = 0;

	if (!w)
		return 0;
	if (op->phases[op->nr_phases - 1].part == PART_IO_WQ && !op->wq.nr)
		err = wq__completed(o, w, op, now);
	w->nr = 0;
	w->done = now;
	return err;
}

/* The part for time in which the kernel waits for @events of the file of @op. */
static enum part armed_part(const struct operations *o, const struct operation *op, uint32_t events)
{
	if (o->names[op->name].opcode == OPCODE_ACCEPT)
		return PART_NO_CONNECTION;
	return driver__idle_part(events & (EPOLLIN | EPOLLPRI) ? WALK_DIR_READ : WALK_DIR_WRITE);
}

static int operations__step(struct operations *o, const struct trace_event *ev, uint64_t now)
{
	const struct operation_name unseen = { .unseen = true, .fd = TRACE_URING_NO_FD };
	struct ring *r = ring__get(o, ev->step.ring);
	struct operation *op;

	if (!r)
		return -ENOMEM;
	if (ev->step.step == TRACE_URING_OVERFLOW)	/* after DONE of the same */
		return 0;
	op = ring__find(r, ev->step.user_data);
	if (!op || (op->done && !op->more))
		op = operation__begin(o, r, ev->step.user_data, &unseen, now);
	if (!op)
		return -ENOMEM;
	switch (ev->step.step) {
	case TRACE_URING_ARMED:
		op->ready = 0;
		phase__begin(op, armed_part(o, op, ev->step.res), now);
		break;
	case TRACE_URING_READY:
		if (op->ready <= op->done)
			op->ready = now;
		break;
	case TRACE_URING_PUNTED:
		op->ready = 0;
		phase__begin(op, PART_IO_WQ, now);
		break;
	case TRACE_URING_DONE:
		if (op->ready <= op->done)
			op->ready = 0;		/* that was for the completion before */
		op->more = ev->step.flags & TRACE_URING_MORE;
		op->done = now;
		op->told = false;
		if (talk__done(o, op, ev->step.res, ev->step.flags))
			return -ENOMEM;
		return wq__done(o, op, ev->tid, now);
	}
	return 0;
}

int operations__event(struct operations *o, const struct trace_event *ev, uint64_t now)
{
	switch (ev->type) {
	case TRACE_URING_SUBMIT:
		return operations__submit(o, ev, now);
	case TRACE_URING_STEP:
		return operations__step(o, ev, now);
	case TRACE_URING_FD:
		return talk__file(o, ev);
	}
	return 0;
}

/* Is @b, an operation with the number of @a, rather the one that is meant? NULL: there is none. */
static bool operation__later(const struct operation *a, const struct operation *b)
{
	if (!a || !b)
		return b;
	return b->phases[0].since > a->phases[0].since;
}

struct operation *operations__of_thread(const struct operations *o, uint32_t tid,
					uint64_t user_data)
{
	const struct submitter *s = map__get(&o->submitters, tid);
	struct operation *found = NULL;
	const struct ring *r = NULL;

	for (uint32_t i = 0; s && i < s->nr; i++) {
		struct operation *op;

		r = map__get(&o->rings, s->rings[i]);
		op = r ? ring__find(r, user_data) : NULL;
		if (operation__later(found, op))
			found = op;
	}
	if (s)
		return found;
	if (o->rings.nr != 1)
		return operations__only(o, user_data);
	for (uint32_t i = 0; !r && i < o->rings.size; i++)
		r = o->rings.entries[i].value;
	return r ? ring__find(r, user_data) : NULL;
}

struct operation *operations__only(const struct operations *o, uint64_t user_data)
{
	struct operation *found = NULL;

	for (uint32_t i = 0; i < o->rings.size; i++) {
		const struct ring *r = o->rings.entries[i].value;
		struct operation *op = r ? ring__find(r, user_data) : NULL;

		if (!op || (op->done && op->told))
			continue;
		if (found)
			return NULL;
		found = op;
	}
	return found;
}

void operations__clear(struct operations *o)
{
	for (uint32_t i = 0; i < o->rings.size; i++) {
		struct ring *r = o->rings.entries[i].value;
		struct hash_slot *ops = r ? hash_table__sorted(&r->ops) : NULL;

		for (size_t k = 0; ops && k < r->ops.nr; k++) {
			free(((struct operation *)ops[k].ptr)->wq.list);
			free(ops[k].ptr);
		}
		free(ops);
		if (r)
			hash_table__clear(&r->ops);
		free(r);
	}
	map__clear(&o->rings);
	for (uint32_t i = 0; i < o->workers.size; i++)
		free(o->workers.entries[i].value);
	map__clear(&o->workers);
	for (uint32_t i = 0; i < o->submitters.size; i++)
		free(o->submitters.entries[i].value);
	map__clear(&o->submitters);
	for (uint32_t i = 0; i < o->files.size; i++)
		free(o->files.entries[i].value);
	map__clear(&o->files);
	hash_table__clear(&o->name_of);
	free(o->names);
}
