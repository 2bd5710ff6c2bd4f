/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The io_uring driver. A task that waits for an operation has its user_data as its leaf's
 * key; which ring is meant is told by the thread that wakes it, since a runtime has a ring
 * for each thread, or one for all. The wait is over for the kernel when the operation has
 * completed, or when its file has become ready; what follows is the thread's doing: to run,
 * to find the completion, and to wake the task.
 *
 * A runtime's thread either waits in io_uring_enter, and is back when that returns; or it
 * waits in epoll for the ring's own descriptor, and then it is the epoll driver that it
 * comes back from.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "join/driver.h"
#include "join/idle.h"
#include "join/leaves.h"
#include "join/operations.h"
#include "join/timeline.h"

#define NR_IO_URING_ENTER	426	/* the same on all architectures */

static bool uring__waits_in(int syscall)
{
	return syscall == NR_IO_URING_ENTER;
}

static uint64_t uring__instance(const struct trace_event *ev)
{
	return (uint32_t)ev->waited.fd;
}

static struct driver *uring__new(void)
{
	return calloc(1, sizeof(struct driver));
}

static void uring__free(struct driver *d)
{
	free(d);
}

static int uring__heard(struct join *j, const struct trace_event *ev, uint64_t now)
{
	const struct thread *th;

	if (ev->type == TRACE_OFF_CPU) {
		if (!j->drivers[DRIVER_io_uring] || ev->off.open)
			return 0;
		th = map__get(&j->threads, ev->tid);
		return operations__off_cpu(j->drivers[DRIVER_io_uring], ev,
					   th ? thread__throttled_ns(th, ev) : 0, now);
	}
	if (!j->drivers[DRIVER_io_uring])
		j->drivers[DRIVER_io_uring] = calloc(1, sizeof(struct operations));
	if (!j->drivers[DRIVER_io_uring])
		return -ENOMEM;
	if (ev->type == TRACE_URING_STEP && ev->step.step == TRACE_URING_OVERFLOW)
		j->overflows++;
	return operations__event(j->drivers[DRIVER_io_uring], ev, now);
}

static void uring__forget(struct join *j)
{
	struct operations *o = j->drivers[DRIVER_io_uring];

	if (o)
		operations__clear(o);
	free(o);
	j->drivers[DRIVER_io_uring] = NULL;
}

/* ---- why ---- */

/* The part of a phase of @op, for a leaf that waits in direction @dir, if that is known. */
static enum part uring__part(const struct operation *op, uint8_t part, uint8_t dir)
{
	if (part != PART_NO_DATA)
		return (enum part)part;
	return op->receives ? idle__role_part(op->role, op->turn) : driver__idle_part(dir);
}

/*
 * The way of @op so far, for a leaf that waits in direction @dir; the last of its phases is the
 * part that the event ends.
 */
static void uring__cause(const struct operation *op, uint8_t dir, struct cause *c)
{
	unsigned int last = op->nr_phases - 1u;

	c->detail = (struct detail){ .kind = DETAIL_OPERATION, .id = op->name };
	c->nr_steps = 0;
	if (op->submitted)
		c->steps[c->nr_steps++] = (struct cause_step){ .part = PART_NOT_SUBMITTED,
							       .until = op->phases[0].since };
	for (unsigned int i = 0; i < last; i++)
		c->steps[c->nr_steps++] = (struct cause_step){
			.part = (uint8_t)uring__part(op, op->phases[i].part, dir),
			.until = op->phases[i + 1].since };
	c->part = uring__part(op, op->phases[last].part, dir);
	c->pieces = op->wq.nr ? &op->wq : NULL;
	c->ready = op->ready ? op->ready : op->done;
	c->looked = 0;
}

static bool uring__happened(const struct join *j, const struct task *t, const struct shape *sh,
			    const struct thread *w, struct cause *c)
{
	const struct operations *o = j->drivers[DRIVER_io_uring];
	struct walk_key key;

	for (uint32_t i = 0; o && i < sh->nr_leaves; i++) {
		struct operation *op;

		if (!leaf_key(t, &sh->leaves[i], WALK_KEY_OPERATION, &key))
			continue;
		op = operations__of_thread(o, w->tid, key.value);
		if (!op || !op->done || op->told)
			continue;
		op->told = true;
		uring__cause(op, key.dir, c);
		c->branch = sh->leaves[i].node;
		return true;
	}
	return false;
}

static bool uring__outstanding(const struct join *j, const struct task *t,
			       const struct chain_leaf *l, struct cause *c)
{
	const struct operations *o = j->drivers[DRIVER_io_uring];
	const struct operation *op;
	struct walk_key key;

	if (!o || !leaf_key(t, l, WALK_KEY_OPERATION, &key))
		return false;
	/* its thread will find the completion; of a ring for several threads, any of them */
	op = t->polled_on ? operations__of_thread(o, t->polled_on, key.value) : NULL;
	if (!op || (op->done && op->told))
		op = operations__only(o, key.value);
	if (!op)
		return false;
	uring__cause(op, key.dir, c);
	c->branch = l->node;
	c->ready = 0;
	if (op->done && c->nr_steps < CAUSE_STEPS) {
		c->steps[c->nr_steps++] = (struct cause_step){ .part = c->part, .until = op->done };
		c->part = PART_OPEN;
		c->pieces = NULL;
	}
	return true;
}

static enum part uring__blind(const struct join *j, const struct driver *d)
{
	(void)j;
	(void)d;
	return PART_DRIVER;
}

/* "read on file /x", "accept on tcp listen 127.0.0.1:80", "openat of /x", "timeout" */
static const char *uring__operation(struct join *j, uint32_t id, uint32_t *stack)
{
	const struct operations *o = j->drivers[DRIVER_io_uring];
	const struct operation_name *name = o && id < o->nr_names ? &o->names[id] : NULL;
	const char *what, *on;
	char number[32];

	*stack = name ? name->stack : 0;
	if (!name || name->unseen)
		return frame_names__safe(j->names, "operation whose submission was not seen");
	what = operation__opcode(name->opcode);
	if (!what) {
		snprintf(number, sizeof(number), "operation %u", name->opcode);
		what = number;
	}
	on = name->string ? trace_reader__string(j->reader, name->string) : NULL;
	if (on)
		return frame_names__safef(j->names, name->fd == TRACE_URING_NO_FD ? "%s of %s"
										  : "%s on %s",
					  what, on);
	if (name->fd >= 0)
		return frame_names__safef(j->names, "%s on fd %d", what, name->fd);
	return frame_names__safef(j->names, name->fd <= TRACE_URING_FIXED_FD ?
				  "%s on a registered file" : "%s", what);
}

const struct driver_ops driver_io_uring = {
	.id		= DRIVER_io_uring,
	.returned_by	= TRACE_URING_WAIT,
	.waiting	= PART_IO_URING,
	.waits_in	= uring__waits_in,
	.instance	= uring__instance,
	.new		= uring__new,
	.free		= uring__free,
	.blind		= uring__blind,
	.heard		= uring__heard,
	.happened	= uring__happened,
	.outstanding	= uring__outstanding,
	.operation	= uring__operation,
	.forget		= uring__forget,
};
