// SPDX-License-Identifier: GPL-2.0
/*
 * What tasks and reactor objects look like in the memory of a live process: a child of the
 * test, which has all of this at the same addresses. Whole ones, ones that lead nowhere,
 * and such as only look like one.
 */
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/live_child.h"

#include "image/model.h"
#include "inspect/form.h"
#include "runtime/tokio.h"

#define BIAS	0x10000u
#define POLL	0x4000u		/* link-time address of a poll function */
#define OTHER	0x5000u		/* … of another */
#define WAKE	0x6000u		/* that of a function that polls nothing */
#define FOREIGN	0x7000u		/* of a poll function of another runtime */

/* A runtime's structures, as the layouts below say. */
struct vtable {
	uint64_t	 unused, poll;
	const uint64_t	*offsets;	/* trailer, scheduler */
};

struct task {
	uint64_t		 state, rest;
	const struct vtable	*vtable;
	uint64_t		 body[5], next;
};

struct waiter {
	struct waiter	*next;
	uint64_t	 task, vtable, interest;
};

struct reactor {
	uint64_t	 unused, reader, reader_vtable, writer, writer_vtable;
	struct waiter	*waiters;
};

static const uint64_t offsets[] = { offsetof(struct task, next), offsetof(struct task, body) };

/* ---- a model of it ---- */

static struct image_path path_to(uint32_t off)
{
	return (struct image_path){ .ok = 1, .width = 8, .size = 16, .off = { off } };
}

/* One hop, then @off. */
static struct image_path path_behind(uint32_t first, uint32_t off)
{
	return (struct image_path){ .ok = 1, .width = 8, .nr_hops = 1, .off = { first, off } };
}

static void set_paths(struct image_path *p)
{
	p[TOKIO_IO_READER] = path_to(offsetof(struct reactor, reader));
	p[TOKIO_IO_READER_VT] = path_to(offsetof(struct reactor, reader_vtable));
	p[TOKIO_IO_WRITER] = path_to(offsetof(struct reactor, writer));
	p[TOKIO_IO_WRITER_VT] = path_to(offsetof(struct reactor, writer_vtable));
	p[TOKIO_IO_WAITERS] = path_to(offsetof(struct reactor, waiters));
	p[TOKIO_IO_WAITER_NEXT] = path_to(offsetof(struct waiter, next));
	p[TOKIO_IO_WAITER_WAKER] = path_to(offsetof(struct waiter, task));
	p[TOKIO_IO_WAITER_WAKER_VT] = path_to(offsetof(struct waiter, vtable));
	p[TOKIO_IO_WAITER_INTEREST] = path_to(offsetof(struct waiter, interest));
	p[TOKIO_HEADER_STATE] = path_to(offsetof(struct task, state));
	p[TOKIO_HEADER_VTABLE] = path_to(offsetof(struct task, vtable));
	p[TOKIO_VTABLE_POLL] = path_to(offsetof(struct vtable, poll));
	p[TOKIO_VTABLE_TRAILER] = path_behind(offsetof(struct vtable, offsets), 0);
	p[TOKIO_VTABLE_SCHEDULER] = path_behind(offsetof(struct vtable, offsets), 8);
	p[TOKIO_TRAILER_NEXT] = path_to(0);
	p[TOKIO_CONTEXT_HANDLE] = path_to(24);
}

static void add_fn(struct model *m, uint64_t vaddr, unsigned int role, unsigned int runtime)
{
	uint32_t at = model__add(m, MODEL_FNS, 1);
	struct image_fn *fn = model__at(m, MODEL_FNS, at);

	fn->vaddr = vaddr;
	fn->role = (uint8_t)role;
	fn->runtime = (uint8_t)runtime;
	fn->cell = WALK_NONE;
}

/* @change, if not NULL, changes the paths of the model. */
static struct image *make_image(void (*change)(struct image_path *paths))
{
	struct model_block *block;
	struct image *img;
	struct model m;

	model__init(&m);
	model__add(&m, MODEL_LAYOUTS, TOKIO_LAYOUT_NR);
	set_paths(model__at(&m, MODEL_LAYOUTS, 0));
	if (change)
		change(model__at(&m, MODEL_LAYOUTS, 0));
	add_fn(&m, FOREIGN, RUNTIME_FN_POLL, 1);
	add_fn(&m, WAKE, RUNTIME_FN_WAKE, 0);
	add_fn(&m, POLL, RUNTIME_FN_POLL, 0);
	add_fn(&m, OTHER, RUNTIME_FN_POLL, 0);
	add_fn(&m, OTHER, RUNTIME_FN_POLL, 0);
	block = model__freeze(&m, 1);
	assert_non_null(block);
	img = image__adopt(block, block->size, false, "none");
	assert_non_null(img);
	model__free(&m);
	return img;
}

#define FN_POLL		2
#define FN_OTHER	3

struct world {
	struct image	*img;
	struct process	 target;
	struct forms	*forms;
};

static void begin(struct world *w)
{
	w->img = make_image(NULL);
	w->target = (struct process){ .exe_fd = -1, .pid = child_begin(child_waits, NULL) };
	w->forms = forms__new(w->img, &w->target, BIAS);
	assert_non_null(w->forms);
	assert_int_equal(w->forms->nr, 1);
}

static void end(struct world *w)
{
	forms__free(w->forms);
	image__free(w->img);
	child_end(w->target.pid);
}

static uint64_t address(const void *p)
{
	return (uintptr_t)p;
}

/* ---- forms ---- */

static void no_state(struct image_path *p)
{
	p[TOKIO_HEADER_STATE].ok = 0;
}

static void no_vtable(struct image_path *p)
{
	p[TOKIO_HEADER_VTABLE].ok = 0;
}

static void vtable_elsewhere(struct image_path *p)
{
	p[TOKIO_HEADER_VTABLE].nr_hops = 1;
}

static void no_next(struct image_path *p)
{
	p[TOKIO_TRAILER_NEXT].ok = 0;
}

static void next_elsewhere(struct image_path *p)
{
	p[TOKIO_TRAILER_NEXT].nr_hops = 1;
}

static void no_poll(struct image_path *p)
{
	p[TOKIO_VTABLE_POLL].ok = 0;
}

static void far_trailer(struct image_path *p)
{
	p[TOKIO_VTABLE_TRAILER].nr_hops = 2;
}

static void no_scheduler(struct image_path *p)
{
	p[TOKIO_VTABLE_SCHEDULER].ok = 0;
}

static void large_head(struct image_path *p)
{
	p[TOKIO_HEADER_VTABLE].off[0] = WALK_WINDOW - 7;
}

static void unknown_forms(void **state)
{
	static void (*const changes[])(struct image_path *p) = {
		no_state, no_vtable, vtable_elsewhere, no_next, next_elsewhere, no_poll,
		far_trailer, no_scheduler, large_head,
	};
	struct process self = { .pid = getpid() };

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct image *img = make_image(changes[i]);

		if (forms__new(img, &self, BIAS))
			fail_msg("change %zu", i);
		image__free(img);
	}
	forms__free(NULL);
}

static void far_vtable(struct image_path *p)
{
	p[TOKIO_HEADER_VTABLE].off[0] = WALK_WINDOW - 8;
}

static void context_of_one_word(struct image_path *p)
{
	p[TOKIO_CONTEXT_HANDLE].size = 8;
}

static void context_elsewhere(struct image_path *p)
{
	p[TOKIO_CONTEXT_HANDLE].nr_hops = 1;
}

static void no_context(struct image_path *p)
{
	p[TOKIO_CONTEXT_HANDLE].ok = 0;
}

/* The form and the place of the context, of the image that @change makes. */
static void check_form(void (*change)(struct image_path *p), size_t head_size, bool context)
{
	struct process self = { .pid = getpid() };
	struct image *img = make_image(change);
	struct forms *fs = forms__new(img, &self, BIAS);
	const struct form *f;

	assert_non_null(fs);
	f = &fs->list[0];
	assert_int_equal(f->runtime, 0);
	assert_true(f->linked);
	assert_int_equal(f->head_size, head_size);
	assert_int_equal(form__context(fs, f) != NULL, context);
	if (context)
		assert_int_equal(form__context(fs, f)->off[0], 24);
	forms__free(fs);
	image__free(img);
}

static void known_forms(void **state)
{
	(void)state;
	check_form(NULL, 24, true);
	check_form(far_vtable, WALK_WINDOW, true);
	check_form(context_of_one_word, 24, false);
	check_form(context_elsewhere, 24, false);
	check_form(no_context, 24, false);
}

/* ---- tasks ---- */

static const struct vtable usual = { 0, POLL + BIAS, offsets },
			   second = { 0, OTHER + BIAS, offsets },
			   waking = { 0, WAKE + BIAS, offsets },
			   foreign = { 0, FOREIGN + BIAS, offsets },
			   unbiased = { 0, POLL, offsets }, lost = { 0, POLL + BIAS, NULL };

/* Is there a task at @header? If so its function is @fn. */
static void check_task(struct world *w, const void *header, bool want, uint32_t fn)
{
	const struct form *f = &w->forms->list[0];
	struct task_vtable v = { .fn = 77 };
	bool is = form__task(w->forms, f, address(header), &v);

	assert_int_equal(is, want);
	assert_ptr_equal(forms__task(w->forms, address(header), &v), want ? f : NULL);
	if (!want)
		return;
	assert_int_equal(v.fn, fn);
	assert_int_equal(v.trailer, offsetof(struct task, next));
	assert_int_equal(v.scheduler, offsetof(struct task, body));
}

static void tasks(void **state)
{
	struct task a = { .state = 5, .vtable = &usual }, b = { .vtable = &second };
	struct task none[] = { { .vtable = NULL }, { .vtable = &waking }, { .vtable = &foreign },
			       { .vtable = &unbiased }, { .vtable = &lost },
			       { .vtable = (const void *)((const char *)&usual + 4) },
			       { .vtable = (const void *)8 }, { .vtable = (const void *)~7ull } };
	uint64_t status = 1, odd[16] = { 0 };
	char *misplaced = (char *)odd + 4;
	struct world w;

	(void)state;
	skip_unless_readable();
	memcpy(misplaced, &a, sizeof(a));
	begin(&w);
	for (int round = 0; round < 2; round++) {	/* looked up, and remembered */
		check_task(&w, &a, true, FN_POLL);
		/* of two that share their code the first is named */
		check_task(&w, &b, true, FN_OTHER);
		for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
			check_task(&w, &none[i], false, 0);
	}
	/* not an address, though it would be one; nothing there */
	check_task(&w, NULL, false, 0);
	check_task(&w, misplaced, false, 0);
	check_task(&w, (void *)8, false, 0);
	check_task(&w, (void *)(1ull << 62), false, 0);
	assert_true(form__read_status(w.forms, &w.forms->list[0], address(&a), &status));
	assert_int_equal(status, 5);
	assert_false(form__read_status(w.forms, &w.forms->list[0], 8, &status));
	assert_int_equal(status, 0);
	end(&w);
}

/* Vtables are constants: each is read once. */
static void vtables_are_remembered(void **state)
{
	struct task_vtables *vs;
	struct task_vtable v;
	uint64_t odd[8] = { 0 };
	struct world w;

	(void)state;
	skip_unless_readable();
	memcpy((char *)odd + 4, &usual, sizeof(usual));
	begin(&w);
	vs = task_vtables__new(w.img, &w.target, BIAS, 0);
	assert_non_null(vs);
	assert_true(task_vtables__find(vs, address(&usual), &v));
	assert_false(task_vtables__find(vs, address(&waking), &v));
	assert_false(task_vtables__find(vs, 0, &v));
	assert_false(task_vtables__find(vs, address(odd) + 4, &v));
	child_becomes_zombie(w.target.pid);
	memset(&v, 0, sizeof(v));
	assert_true(task_vtables__find(vs, address(&usual), &v));
	assert_int_equal(v.addr, address(&usual));
	assert_int_equal(v.fn, FN_POLL);
	assert_int_equal(v.trailer, offsetof(struct task, next));
	assert_false(task_vtables__find(vs, address(&waking), &v));
	assert_false(task_vtables__find(vs, address(&second), &v));
	task_vtables__free(vs);
	task_vtables__free(NULL);
	end(&w);
}

#define MANY	70000	/* more than are remembered */

static void many_vtables(void **state)
{
	struct vtable *table = calloc(MANY, sizeof(*table));
	struct task_vtable v;
	struct world w;

	(void)state;
	assert_non_null(table);
	skip_unless_readable();
	for (size_t i = 0; i < MANY; i++)
		table[i] = i % 3 == 0 ? waking : i % 3 == 1 ? usual : second;
	begin(&w);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < MANY; i++) {
			struct task_vtables *vs = w.forms->list[0].vtables;
			bool is = task_vtables__find(vs, address(&table[i]), &v);

			assert_int_equal(is, i % 3 != 0);
			if (is)
				assert_int_equal(v.fn, i % 3 == 1 ? FN_POLL : FN_OTHER);
		}
	}
	end(&w);
	free(table);
}

/* ---- reactor objects ---- */

struct heard {
	unsigned int	nr;
	uint64_t	tasks[128];
	unsigned int	dirs[128];
	unsigned int	stop_at;	/* the call that -EINTR is returned for; 0: none */
};

static int hear(void *ctx, uint64_t task, unsigned int dir)
{
	struct heard *h = ctx;

	assert_true(h->nr < 128);
	h->tasks[h->nr] = task;
	h->dirs[h->nr++] = dir;
	return h->nr == h->stop_at ? -EINTR : 0;
}

static void check_heard(struct world *w, const void *token, const char *want)
{
	struct heard h = { .nr = 0 };
	char text[1024] = "";

	assert_int_equal(forms__waiters(w->forms, address(token), hear, &h), 0);
	for (unsigned int i = 0; i < h.nr; i++)
		sprintf(text + strlen(text), "%s%llu:%u", i ? " " : "",
			(unsigned long long)h.tasks[i], h.dirs[i]);
	assert_string_equal(text, want);
}

/* Linked one to the next; the last one's next is 0. */
static void link_waiters(struct waiter *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		list[i] = (struct waiter){ i + 1 < nr ? &list[i + 1] : NULL, 20 + i, 1, i % 4 };
}

static void waiters(void **state)
{
	struct waiter list[5], around[3], broken[2], none = { NULL, 30, 0, 1 };
	struct reactor objects[] = {
		{ .reader = 11, .reader_vtable = 1 },
		{ .writer = 12, .writer_vtable = 1 },
		{ 0, 11, 1, 12, 1, NULL },
		{ .reader = 11, .writer = 12 },		/* wakers that are none */
		{ .waiters = list },
		{ 0, 11, 1, 12, 1, list },
		{ .waiters = (struct waiter *)8 },
		{ .waiters = &none },
		{ .waiters = broken },
	};
	static const char *const want[] = {
		"11:1", "12:2", "11:1 12:2", "", "20:0 21:1 22:2 23:3 24:0",
		"11:1 12:2 20:0 21:1 22:2 23:3 24:0", "", "", "20:0 21:1",
	};
	struct reactor circle = { .waiters = around };
	struct heard h = { .nr = 0 };
	struct world w;

	(void)state;
	skip_unless_readable();
	link_waiters(list, 5);
	link_waiters(around, 3);
	around[2].next = around;
	link_waiters(broken, 2);
	broken[1].next = (struct waiter *)(1ull << 62);
	begin(&w);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		check_heard(&w, &objects[i], want[i]);
	/* what leads back into itself is gone through for a while */
	assert_int_equal(forms__waiters(w.forms, address(&circle), hear, &h), 0);
	assert_int_equal(h.nr, 64);
	/* whoever has heard enough is not told more */
	for (unsigned int i = 1; i <= 7; i++) {
		h = (struct heard){ .stop_at = i };
		assert_int_equal(forms__waiters(w.forms, address(&objects[5]), hear, &h), -EINTR);
		assert_int_equal(h.nr, i);
	}
	/* tokens that are no addresses */
	check_heard(&w, NULL, "");
	check_heard(&w, (void *)8, "");
	check_heard(&w, (void *)4088, "");
	check_heard(&w, (char *)&objects[2] + 4, "");
	check_heard(&w, (void *)(1ull << 62), "");
	end(&w);
}

static void no_interest(struct image_path *p)
{
	p[TOKIO_IO_WAITER_INTEREST].ok = 0;
}

static void list_elsewhere(struct image_path *p)
{
	p[TOKIO_IO_WAITERS].nr_hops = 1;
}

/* What is not known of a reactor's object is left out. */
static void half_known_objects(void **state)
{
	struct waiter list[2];
	struct reactor object = { 0, 11, 1, 0, 0, list };
	struct world w;

	(void)state;
	skip_unless_readable();
	link_waiters(list, 2);
	begin(&w);
	forms__free(w.forms);
	image__free(w.img);
	/* then it may wait for either */
	w.img = make_image(no_interest);
	w.forms = forms__new(w.img, &w.target, BIAS);
	check_heard(&w, &object, "11:1 20:3 21:3");
	forms__free(w.forms);
	image__free(w.img);
	w.img = make_image(list_elsewhere);
	w.forms = forms__new(w.img, &w.target, BIAS);
	check_heard(&w, &object, "11:1");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_forms),
		cmocka_unit_test(known_forms),
		cmocka_unit_test(tasks),
		cmocka_unit_test(vtables_are_remembered),
		cmocka_unit_test(many_vtables),
		cmocka_unit_test(waiters),
		cmocka_unit_test(half_known_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
