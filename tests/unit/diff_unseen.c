/* SPDX-License-Identifier: GPL-2.0 */
/* Sleeps whose place was not seen: they count where others were, if that is one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diff/unseen.h"

/* A recording of a task that slept at these lines; 0: not seen. */
static void add(struct diff *d, unsigned int side, const char *task, const uint32_t *lines,
		size_t nr)
{
	struct profile *p = calloc(1, sizeof(*p));

	p->costs = calloc(nr, sizeof(*p->costs));
	p->nr = nr;
	for (size_t i = 0; i < nr; i++)
		p->costs[i].key = (struct cost_key){
			.kind = COST_BLOCKED,
			.task = frame_names__safe(d->names, task),
			.function = lines[i] ? frame_names__safe(d->names, "app::log") : "",
			.path = lines[i] ? frame_names__safe(d->names, "app/src/main.rs") : "",
			.what = frame_names__safe(d->names, "poll"), .part = "",
			.line = lines[i],
		};
	assert_int_equal(diff__add(d, side, p), 0);
}

static struct diff *make(void)
{
	struct diff *d;

	assert_int_equal(diff__new(&(struct diff_opts){ .per = NULL }, &d), 0);
	return d;
}

static const struct cost_key *key(const struct diff *d, unsigned int side, size_t run, size_t i)
{
	return &d->side[side].profiles[run]->costs[i].key;
}

static void one_place(void **state)
{
	struct diff *d = make();

	(void)state;
	/* seen in another recording of this side */
	add(d, 1, "app::serve", (const uint32_t[]){ 0 }, 1);
	add(d, 1, "app::serve", (const uint32_t[]){ 12, 0 }, 2);
	add(d, 1, "app::other", (const uint32_t[]){ 0 }, 1);
	assert_int_equal(unseen__place(d), 0);
	assert_int_equal(key(d, 1, 0, 0)->line, 12);
	assert_string_equal(key(d, 1, 0, 0)->function, "app::log");
	assert_string_equal(key(d, 1, 0, 0)->part, UNSEEN_PART);
	assert_int_equal(key(d, 1, 1, 1)->line, 12);
	assert_string_equal(key(d, 1, 1, 0)->part, "");
	/* another task says nothing of this one */
	assert_string_equal(key(d, 1, 2, 0)->function, "");
	diff__free(d);
}

static void several_places(void **state)
{
	struct diff *d = make();

	(void)state;
	add(d, 0, "app::serve", (const uint32_t[]){ 12, 30, 0 }, 3);
	assert_int_equal(unseen__place(d), 0);
	assert_string_equal(key(d, 0, 0, 2)->function, "");
	diff__free(d);
}

static void not_on_the_other_side(void **state)
{
	struct diff *d = make();

	(void)state;
	/* the task is the same, its line is not */
	add(d, 0, "app::serve {async block main.rs:5}", (const uint32_t[]){ 0 }, 1);
	add(d, 1, "app::serve {async block main.rs:9}", (const uint32_t[]){ 12, 0 }, 2);
	assert_int_equal(unseen__place(d), 0);
	assert_string_equal(key(d, 0, 0, 0)->function, "");
	assert_string_equal(key(d, 1, 0, 1)->function, "");
	diff__free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_place),
		cmocka_unit_test(several_places),
		cmocka_unit_test(not_on_the_other_side),
	};

	return cmocka_run_group_tests_name("diff_unseen", tests, NULL, NULL);
}
