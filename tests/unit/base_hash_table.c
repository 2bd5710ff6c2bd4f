// SPDX-License-Identifier: GPL-2.0
/* The hash table against a plain list of what is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash_table.h"
#include "failing_malloc.h"

#define KEYS	512	/* different ones, so that most steps meet a known key */
#define STEPS	200000

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

/* 0 and the largest among them, runs, and some that differ above only. */
static uint64_t key_of(uint64_t i)
{
	return i < 64 ? i : i < 128 ? UINT64_MAX - (i - 64) : i < 256 ? i << 56 : i * 4096;
}

static void as_a_list_would(void **state)
{
	uint64_t want[KEYS] = {}, seed = 7, nr = 0;
	struct hash_table t = {};
	struct hash_slot *s;

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		uint64_t k = next(&seed) % KEYS;

		switch (next(&seed) % 4) {
		case 0:
			hash_table__del(&t, key_of(k));
			nr -= want[k] != 0;
			want[k] = 0;
			break;
		case 1:
			s = hash_table__find(&t, key_of(k));
			assert_int_equal(s ? s->value : 0, want[k]);
			break;
		default:
			s = hash_table__at(&t, key_of(k));
			assert_non_null(s);
			assert_int_equal(s->key, key_of(k));
			assert_int_equal(s->value, want[k]);
			nr += !want[k];
			s->value = want[k] = i + 1;
		}
		assert_int_equal(t.nr, nr);
		assert_true(t.size >= 2 * t.nr || t.has_zero);
	}
	for (uint64_t k = 0; k < KEYS; k++) {
		s = hash_table__find(&t, key_of(k));
		assert_int_equal(s ? s->value : 0, want[k]);
	}
	hash_table__clear(&t);
	assert_null(hash_table__find(&t, 0));
	assert_null(hash_table__find(&t, 1));
}

static void sorted_is_by_key(void **state)
{
	struct hash_table t = {};
	struct hash_slot *list;

	(void)state;
	list = hash_table__sorted(&t);
	assert_non_null(list);
	free(list);
	for (uint64_t k = KEYS; k--;)
		hash_table__at(&t, key_of(k))->value = k + 1;
	list = hash_table__sorted(&t);
	assert_int_equal(list[0].key, 0);
	assert_int_equal(list[0].value, 1);
	for (uint64_t k = 1; k < KEYS; k++) {
		assert_true(list[k - 1].key < list[k].key);
		assert_int_equal(key_of(list[k].value - 1), list[k].key);
	}
	free(list);
	hash_table__clear(&t);
}

/* What the header shows: texts are found by their hash, and compared. */
static uint64_t intern(struct hash_table *t, char (*texts)[24], const char *text, uint64_t *nr,
		       uint64_t key)
{
	struct hash_slot *s;

	for (;; key++) {
		s = hash_table__at(t, key);
		assert_non_null(s);
		if (!s->value)
			break;
		if (!strcmp(texts[s->value - 1], text))
			return s->value - 1;
	}
	strcpy(texts[*nr], text);
	s->value = ++*nr;
	return *nr - 1;
}

static void texts_of_one_hash_are_told_apart(void **state)
{
	struct hash_table t = {};
	char texts[300][24], text[24];
	uint64_t nr = 0, key;

	(void)state;
	for (int again = 0; again < 2; again++) {
		for (uint64_t i = 0; i < 200; i++) {
			snprintf(text, sizeof(text), "text number %d", (int)i);
			key = hash_table__key(&t, text, strlen(text));
			assert_int_equal(intern(&t, texts, text, &nr, key), i);
		}
	}
	for (int again = 0; again < 2; again++) {
		for (uint64_t i = 200; i < 300; i++) {
			snprintf(text, sizeof(text), "of one hash: %d", (int)i);
			assert_int_equal(intern(&t, texts, text, &nr, UINT64_MAX - 5), i);
		}
	}
	assert_int_equal(nr, 300);
	hash_table__clear(&t);
}

static void the_hash_of_bytes_sees_all_of_them(void **state)
{
	const struct hash_key k = hash_key__new(), other = hash_key__new();
	char text[40] = {};

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		uint64_t h = hash__bytes(&k, text, len);

		assert_int_not_equal(h, hash__bytes(&k, text, len + 1));
		if (len)
			assert_int_not_equal(h, hash__bytes(&other, text, len));
		for (size_t i = 0; i < len; i++) {
			text[i] ^= 1;
			assert_int_not_equal(h, hash__bytes(&k, text, len));
			text[i] ^= 1;
		}
	}
}

static void without_memory_it_is_as_it_was(void **state)
{
	struct hash_table t = {};
	uint64_t nr = 0;

	(void)state;
	if (!CAN_FAIL)
		skip();
	memory__start(0, true);
	assert_null(hash_table__at(&t, 5));
	assert_null(hash_table__at(&t, 0));
	memory__stop();
	while (2 * t.nr < t.size || !t.size) {
		assert_non_null(hash_table__at(&t, nr));
		hash_table__find(&t, nr)->value = nr + 1;
		nr++;
	}
	memory__start(0, true);
	assert_null(hash_table__at(&t, nr));
	assert_null(hash_table__sorted(&t));
	memory__stop();
	assert_int_equal(t.nr, nr);
	for (uint64_t k = 0; k < nr; k++)
		assert_int_equal(hash_table__find(&t, k)->value, k + 1);
	hash_table__clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_list_would),
		cmocka_unit_test(sorted_is_by_key),
		cmocka_unit_test(texts_of_one_hash_are_told_apart),
		cmocka_unit_test(the_hash_of_bytes_sees_all_of_them),
		cmocka_unit_test(without_memory_it_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
