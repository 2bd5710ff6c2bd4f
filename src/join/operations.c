/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of operations of io_uring. See operations.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "join/driver.h"
#include "join/operations.h"
#include "join/part.h"

/* A completed operation whose wake has not come within this time will have none. */
#define KEPT_NS		10000000000ull
#define SWEEP_MIN	1024	/* operations of a ring, above which old ones are removed */

struct ring {
	struct hash_table	ops;	/* struct operation by user_data */
	size_t			sweep_at;	/* when so many are there */
};

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

/* The number of a name; or -ENOMEM. */
static int64_t name_number(struct operations *o, const struct operation_name *name)
{
	uint64_t key = (uint64_t)name->opcode << 40 | (uint64_t)name->unseen << 48 |
		       (uint64_t)!!name->string << 49 |
		       (uint64_t)(name->fd == TRACE_URING_NO_FD) << 50 |
		       (name->string ? name->string : (uint32_t)name->fd);
	struct hash_slot *s = hash_table__at(&o->name_of, key);

	if (!s)
		return -ENOMEM;
	if (s->value)
		return (int64_t)s->value - 1;
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

	if (!op || number < 0)
		return NULL;
	*op = (struct operation){ .nr_phases = 1, .submitted = !name->unseen,
				  .name = (uint32_t)number };
	op->phases[0].part = PART_OPERATION;
	op->phases[0].since = now;
	return op;
}

static int operations__submit(struct operations *o, const struct trace_event *ev, uint64_t now)
{
	struct operation_name name = { .opcode = ev->submit.opcode, .fd = ev->submit.fd };
	struct ring *r = ring__get(o, ev->submit.ring);
	struct hash_slot *s;

	if (!r)
		return -ENOMEM;
	s = hash_table__at(&o->submitters, ev->tid);
	if (!s)
		return -ENOMEM;
	s->value = ev->submit.ring;
	if (name.fd >= 0) {
		s = hash_table__find(&o->fds, (uint32_t)name.fd);
		name.string = s ? (uint32_t)s->value : 0;
	} else if (name.fd == TRACE_URING_NO_FD) {
		name.string = ev->submit.path;
	}
	return operation__begin(o, r, ev->submit.user_data, &name, now) ? 0 : -ENOMEM;
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
		phase__begin(op, driver__idle_part(ev->step.res & (EPOLLIN | EPOLLPRI) ?
						   WALK_DIR_READ : WALK_DIR_WRITE), now);
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
		break;
	}
	return 0;
}

int operations__event(struct operations *o, const struct trace_event *ev, uint64_t now)
{
	struct hash_slot *s;

	switch (ev->type) {
	case TRACE_URING_SUBMIT:
		return operations__submit(o, ev, now);
	case TRACE_URING_STEP:
		return operations__step(o, ev, now);
	case TRACE_URING_FD:
		s = hash_table__at(&o->fds, (uint32_t)ev->file.fd);
		if (!s)
			return -ENOMEM;
		s->value = ev->file.name;
		return 0;
	}
	return 0;
}

struct operation *operations__of_thread(const struct operations *o, uint32_t tid,
					uint64_t user_data)
{
	const struct hash_slot *s = hash_table__find(&o->submitters, tid);
	const struct ring *r = NULL;

	if (s)
		r = map__get(&o->rings, s->value);
	for (uint32_t i = 0; !r && o->rings.nr == 1 && i < o->rings.size; i++)
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

		for (size_t k = 0; ops && k < r->ops.nr; k++)
			free(ops[k].ptr);
		free(ops);
		if (r)
			hash_table__clear(&r->ops);
		free(r);
	}
	map__clear(&o->rings);
	hash_table__clear(&o->submitters);
	hash_table__clear(&o->fds);
	hash_table__clear(&o->name_of);
	free(o->names);
}
