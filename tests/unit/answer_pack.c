/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An answer as bytes: what is packed comes back the same, and bytes that are no answer are
 * refused, whatever is wrong with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "answer/answer.h"
#include "printable.h"

#define ADD(a, list, ...)							\
	do {									\
		(a)->list = realloc((a)->list, ((a)->nr_##list + 1) * sizeof(*(a)->list)); \
		assert_non_null((a)->list);					\
		(a)->list[(a)->nr_##list++] = (typeof(*(a)->list)){ __VA_ARGS__ };	\
	} while (0)

/* Two tasks: the first holds what the second waits for, and waits for the second. */
static void make(struct answer *a, const char *name)
{
	const struct answer_place at = { "web::f", "web.rs", 12 };

	answer__init(a);
	a->ts = 1000000;
	a->span_ns = 60;
	a->untold = 3;
	ADD(a, findings, "deadlock", "2 tasks wait for each other", "", 60, 0, 2);
	ADD(a, findings, "chain", "one waits", "semaphore", 0, 2, 0);
	ADD(a, parties, "waits", 1, 1, at, "it waits");
	ADD(a, parties, "holder", ANSWER_NONE, 7, at, "it holds");
	ADD(a, tasks, 0x7f0000001000, name, ANSWER_IDLE, true, true, "", 5, 60, 0, 1, 0, 1, 0, 1, 1);
	ADD(a, tasks, 0x7f0000002000, "web::g", ANSWER_MOVING, false, true, "the queue of all", 7, 0, 1, 0, 1, 1, 1, 0, 0);
	ADD(a, places, "web::f", "web.rs", 12);
	ADD(a, waits, 0, at, "JoinHandle", 0, ANSWER_NONE, ANSWER_NONE, false, false, false, false);
	ADD(a, waits, 1, at, "Mutex::lock", 1, 2, 0, false, false, true, false);
	ADD(a, has, "guard", "MutexGuard", 0x5000, at, true);
	ADD(a, resources, ANSWER_TASK, "task", 0x7f0000002000, "", 0, 1);
	ADD(a, resources, ANSWER_ADDRESS, "semaphore", 0x5010, "0 permits free", 1, 2);
	ADD(a, holders, ANSWER_JOINED, 1, 0);
	ADD(a, holders, ANSWER_HAS, 0, 0);
	ADD(a, holders, ANSWER_GRANTED, 1, 1);
	ADD(a, threads, 77, "worker", 'S', -1, 0, 0, 0, false);
	ADD(a, threads, 78, "worker", 'R', 202, ANSWER_NONE, 0, 0, false);
	ADD(a, pools, 1, 2, 3, 4);
}

static char *printed(const struct answer *a, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	assert_non_null(out);
	answer__print(a, out);
	answer__print_tasks(a, "", out);
	assert_int_equal(answer__json(a, out), 0);
	fclose(out);
	return text;
}

static void comes_back(void **state)
{
	struct answer a, b;
	uint8_t *in, *again;
	size_t len, len_again, la, lb;
	char *ta, *tb;

	(void)state;
	make(&a, "web::f");
	assert_int_equal(answer__pack(&a, &in, &len), 0);
	answer__init(&b);
	assert_int_equal(answer__unpack(&b, in, len), 0);
	assert_int_equal(answer__pack(&b, &again, &len_again), 0);
	assert_int_equal(len, len_again);
	assert_memory_equal(in, again, len);
	ta = printed(&a, &la);
	tb = printed(&b, &lb);
	assert_string_equal(ta, tb);
	assert_non_null(strstr(ta, "web.rs:12"));
	assert_non_null(strstr(ta, "0 permits free"));
	assert_non_null(strstr(ta, "web::f has guard"));
	free(ta);
	free(tb);
	free(in);
	free(again);
	answer__free(&a);
	answer__free(&b);
}

static void empty_comes_back(void **state)
{
	struct answer a, b;
	uint8_t *in;
	size_t len;

	(void)state;
	answer__init(&a);
	answer__init(&b);
	assert_int_equal(answer__pack(&a, &in, &len), 0);
	assert_int_equal(answer__unpack(&b, in, len), 0);
	assert_int_equal(b.nr_tasks, 0);
	free(in);
	answer__free(&b);
}

/* Unpack @len bytes in memory of just that size; print what is taken for an answer. */
static int try(const uint8_t *in, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct answer a;
	size_t size;
	int err;

	assert_non_null(copy);
	memcpy(copy, in, len);
	answer__init(&a);
	err = answer__unpack(&a, copy, len);
	if (!err)
		free(printed(&a, &size));
	answer__free(&a);
	free(copy);
	return err;
}

static void wrong_bytes_are_refused(void **state)
{
	struct answer a;
	uint8_t *in;
	size_t len;

	(void)state;
	make(&a, "web::f");
	assert_int_equal(answer__pack(&a, &in, &len), 0);
	for (size_t i = 0; i < len; i++)
		assert_true(try(in, i) < 0);
	for (size_t i = 0; i < len; i++) {
		static const uint8_t bits[] = { 1, 2, 4, 0x40, 0x80, 0xff };

		for (size_t k = 0; k < sizeof(bits); k++) {
			in[i] ^= bits[k];
			try(in, len);
			in[i] ^= bits[k];
		}
	}
	in[0] = 99;
	assert_true(try(in, len) < 0);
	free(in);
	answer__free(&a);
}

/* Indices that lead nowhere, each alone. */
static void wrong_indices_are_refused(void **state)
{
	(void)state;
	for (int which = 0; which < 7; which++) {
		struct answer a;
		uint8_t *in;
		size_t len;

		make(&a, "web::f");
		switch (which) {
		case 0: a.parties[0].task = 2; break;
		case 1: a.waits[0].resource = 2; break;
		case 2: a.waits[1].ahead = 2; break;
		case 3: a.holders[1].by = 1; break;
		case 4: a.holders[0].task = ANSWER_NONE; break;
		case 5: a.threads[0].task = 2; break;
		case 6: a.tasks[1].nr_chain = 1; break;
		}
		assert_int_equal(answer__pack(&a, &in, &len), 0);
		assert_true(try(in, len) < 0);
		free(in);
		answer__free(&a);
	}
}

static void names_are_made_printable(void **state)
{
	struct answer a, b;
	uint8_t *in;
	size_t len;
	char *text;

	(void)state;
	make(&a, HOSTILE);
	assert_int_equal(answer__pack(&a, &in, &len), 0);
	answer__init(&b);
	assert_int_equal(answer__unpack(&b, in, len), 0);
	text = printed(&b, &len);
	assert_printable(text, len);
	free(text);
	free(in);
	answer__free(&a);
	answer__free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(empty_comes_back),
		cmocka_unit_test(wrong_bytes_are_refused),
		cmocka_unit_test(wrong_indices_are_refused),
		cmocka_unit_test(names_are_made_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
