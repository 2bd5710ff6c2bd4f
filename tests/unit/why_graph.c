/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who waits for whom: pictures made by hand, of this very process, and what follows. A
 * deadlock must be all of its tasks and no other; whoever could be ended by somebody unknown
 * is not stuck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "image/model.h"
#include "why/graph.h"

#define TASKS	8

enum type { LOCKS, RECEIVES, SENDS_ONE, READS };	/* leaves */
enum handle { GUARD, SENDER, RECEIVER, ONLY_SENDER };

/* An object in this process; a channel counts its senders. */
struct object {
	uint64_t	body[4];
	uint64_t	senders;
};

struct scene {
	struct model		 m;
	struct image		*img;
	struct process		 self;
	struct picture		 p;
	struct picture_task	 tasks[TASKS];
	struct picture_frame	 frames[TASKS];
	struct picture_wait	 waits[TASKS];
	struct picture_handle	 handles[TASKS];
	struct object		 objects[TASKS];
	bool			 steady[TASKS];
	struct graph		 g;
};

static void add_type(struct model *m, uint8_t ended_by)
{
	uint32_t at = model__add(m, MODEL_TYPES, 1);

	((struct image_type *)model__at(m, MODEL_TYPES, at))->ended_by = ended_by;
}

static void add_handle(struct model *m, uint8_t side, bool only, bool counted)
{
	uint32_t at = model__add(m, MODEL_HANDLES, 1);
	struct image_handle *h = model__at(m, MODEL_HANDLES, at);

	h->side = side;
	h->only = only;
	if (counted)
		h->count = (struct image_path){ .ok = 1, .width = 8,
						.off = { offsetof(struct object, senders) } };
}

static int begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct model_block *block;

	model__init(&s->m);
	add_type(&s->m, RUNTIME_SIDE_HOLDS | RUNTIME_SIDE_RECEIVES);
	add_type(&s->m, RUNTIME_SIDE_SENDS);
	add_type(&s->m, RUNTIME_SIDE_SENDS);
	add_type(&s->m, 0);
	add_handle(&s->m, RUNTIME_SIDE_HOLDS, false, false);
	add_handle(&s->m, RUNTIME_SIDE_SENDS, false, true);
	add_handle(&s->m, RUNTIME_SIDE_RECEIVES, true, false);
	add_handle(&s->m, RUNTIME_SIDE_SENDS, true, false);
	model__add(&s->m, MODEL_PARTS, 3);
	((struct image_part *)model__at(&s->m, MODEL_PARTS, 1))->temporary = 1;
	((struct image_part *)model__at(&s->m, MODEL_PARTS, 2))->nested = 1;
	block = model__freeze(&s->m, 0);
	s->img = image__adopt(block, block->size, false, "none");
	process__init(&s->self);
	s->self.pid = getpid();
	s->p = (struct picture){ .img = s->img, .target = &s->self, .tasks = s->tasks,
				 .frames = s->frames, .waits = s->waits, .handles = s->handles };
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	graph__free(&s->g);
	image__free(s->img);
	model__free(&s->m);
	free(s);
	return 0;
}

/* The next task; its waits and handles follow. */
static uint32_t task(struct scene *s)
{
	uint32_t at = (uint32_t)s->p.nr_tasks++;

	s->tasks[at] = (struct picture_task){ .id = 0x1000 + at, .waits = (uint32_t)s->p.nr_waits,
					      .handles = (uint32_t)s->p.nr_handles };
	s->steady[at] = true;
	return at;
}

static void waits(struct scene *s, enum type type, int object)
{
	uint32_t at = (uint32_t)s->p.nr_waits++;
	struct picture_wait *w = &s->waits[at];

	s->frames[at] = (struct picture_frame){ .type = type, .kept_at = WALK_NONE };
	s->p.nr_frames = at + 1;
	*w = (struct picture_wait){ .task = (uint32_t)s->p.nr_tasks - 1, .frame = at };
	w->key.kind = type == READS ? WALK_KEY_IO : WALK_KEY_ADDRESS;
	/* somewhere inside of the object */
	w->key.value = (uint64_t)(uintptr_t)&s->objects[object].body[1];
	s->tasks[s->p.nr_tasks - 1].nr_waits++;
}

static void joins(struct scene *s, uint32_t other)
{
	waits(s, READS, 0);
	s->waits[s->p.nr_waits - 1].key = (struct walk_key){ 0x1000 + other, WALK_KEY_TASK, 0 };
}

static struct picture_handle *has(struct scene *s, enum handle handle, int object)
{
	struct picture_handle *h = &s->handles[s->p.nr_handles++];

	*h = (struct picture_handle){ .task = (uint32_t)s->p.nr_tasks - 1, .handle = handle,
				      .object = (uint64_t)(uintptr_t)&s->objects[object],
				      .size = sizeof(struct object) };
	s->tasks[s->p.nr_tasks - 1].nr_handles++;
	return h;
}

static const char *stuck(struct scene *s)
{
	static char text[TASKS + 1];

	graph__free(&s->g);
	assert_int_equal(graph__make(&s->g, &s->p, s->steady), 0);
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < s->p.nr_tasks; i++)
		text[i] = s->g.part[i] ? (char)('0' + s->g.part[i]) : s->g.stuck[i] ? 'x' : '.';
	return text;
}

static void two_cross(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 0);
	waits(s, LOCKS, 1);
	task(s);
	has(s, GUARD, 1);
	waits(s, LOCKS, 0);
	assert_string_equal(stuck(s), "11");
	/* one of them was elsewhere a moment before */
	s->steady[1] = false;
	assert_string_equal(stuck(s), "..");
	s->steady[1] = true;
	/* … or is about to be polled */
	s->tasks[0].state = PICTURE_READY;
	assert_string_equal(stuck(s), "..");
}

static void itself(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 0);
	waits(s, LOCKS, 0);
	assert_string_equal(stuck(s), "1");
}

static void whoever_joins_them_is_behind(void **state)
{
	struct scene *s = *state;

	task(s);
	joins(s, 1);
	task(s);
	has(s, GUARD, 0);
	waits(s, LOCKS, 0);
	task(s);
	waits(s, READS, 0);
	task(s);
	joins(s, 2);
	assert_string_equal(stuck(s), "x1..");
}

/* A select over something that may come. */
static void another_wait_may_end(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 0);
	waits(s, LOCKS, 1);
	waits(s, READS, 2);
	task(s);
	has(s, GUARD, 1);
	waits(s, LOCKS, 0);
	assert_string_equal(stuck(s), "..");
	/* it does not poll that one */
	s->waits[1].unpolled = true;
	assert_string_equal(stuck(s), "11");
}

static void not_everything_is_known(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 0);
	waits(s, LOCKS, 0);
	s->tasks[0].chain.blind = 1;
	assert_string_equal(stuck(s), ".");
}

/* Two receivers, each of which has the sender of the other's channel. */
static void receivers(void **state)
{
	struct scene *s = *state;

	s->objects[0].senders = s->objects[1].senders = 1;
	task(s);
	has(s, SENDER, 1);
	has(s, RECEIVER, 0);
	waits(s, RECEIVES, 0);
	task(s);
	has(s, SENDER, 0);
	has(s, RECEIVER, 1);
	waits(s, RECEIVES, 1);
	assert_string_equal(stuck(s), "11");
	/* somebody else has another sender, in a value that no task owns */
	s->objects[0].senders = 2;
	assert_string_equal(stuck(s), "..");
}

static void temporaries_do_not_count_beside_others(void **state)
{
	struct scene *s = *state;

	/* the sender was moved on to task 1, which reads; its old place still has the bits */
	task(s);
	has(s, ONLY_SENDER, 0)->part = 1;
	waits(s, SENDS_ONE, 0);
	task(s);
	has(s, ONLY_SENDER, 0);
	waits(s, READS, 1);
	assert_string_equal(stuck(s), "..");
	/* without the other one, it may be with somebody who was not found */
	s->p.nr_handles = 1;
	assert_string_equal(stuck(s), "..");
	/* … but not if another task has it that is stuck, too */
	s->handles[0].task = 1;
	s->waits[1] = s->waits[0];
	s->waits[1].task = 1;
	s->frames[1].type = SENDS_ONE;
	s->handles[1] = s->handles[0];
	s->handles[1].task = 0;
	s->handles[1].object = (uint64_t)(uintptr_t)&s->objects[1];
	s->waits[1].key.value = (uint64_t)(uintptr_t)&s->objects[1];
	s->waits[1].frame = 1;
	s->p.nr_handles = 2;
	assert_string_equal(stuck(s), "11");
}

/* A sender that was moved from one temporary to the next is one sender. */
static void moved_about(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 1);
	waits(s, SENDS_ONE, 0);
	task(s);
	has(s, ONLY_SENDER, 0)->part = 1;
	has(s, ONLY_SENDER, 0)->part = 1;
	waits(s, LOCKS, 1);
	assert_string_equal(stuck(s), "11");
}

/* A sender in an enum, out of which it may have been moved: to a variable, a task, a thread. */
static void nested(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 1);
	waits(s, SENDS_ONE, 0);
	task(s);
	has(s, ONLY_SENDER, 0)->part = 2;
	has(s, ONLY_SENDER, 0)->part = 2;
	waits(s, LOCKS, 1);
	assert_string_equal(stuck(s), "11");
	task(s);
	has(s, ONLY_SENDER, 0)->part = 1;
	waits(s, READS, 2);
	assert_string_equal(stuck(s), "...");
	/* that is all the same if it is in a variable of its own */
	s->handles[1].part = 0;
	assert_string_equal(stuck(s), "11.");
	s->handles[1].elsewhere = true;
	assert_string_equal(stuck(s), "...");
}

/* The address is not in the object of the handle. */
static void objects_end(void **state)
{
	struct scene *s = *state;

	task(s);
	has(s, GUARD, 0)->size = 8;
	waits(s, LOCKS, 0);
	assert_string_equal(stuck(s), ".");
}

static void granted_and_first_in_line(void **state)
{
	struct scene *s = *state;

	/* its own other future has been granted the permit: it waits for itself */
	task(s);
	waits(s, LOCKS, 0);
	waits(s, LOCKS, 0);
	s->waits[0].node = 0x10000;
	s->waits[0].queued = true;
	s->waits[0].needs = 1;
	s->waits[1].node = 0x20000;
	s->waits[1].queued = true;
	s->waits[1].unpolled = true;
	assert_string_equal(stuck(s), "1");
	assert_int_equal(s->g.edges[0].reason, GRAPH_GRANTED);
	assert_true(s->g.waits[1].granted);
	/* what has been granted to itself only has to be polled */
	s->waits[0].needs = 0;
	assert_string_equal(stuck(s), ".");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(two_cross),
		T(itself),
		T(whoever_joins_them_is_behind),
		T(another_wait_may_end),
		T(not_everything_is_known),
		T(receivers),
		T(temporaries_do_not_count_beside_others),
		T(moved_about),
		T(nested),
		T(objects_end),
		T(granted_and_first_in_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
