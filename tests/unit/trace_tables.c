// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata records with false lengths. Run under UBSan: not even a pointer may leave
 * its array.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/meta.h"
#include "trace/varint.h"

static int load(const uint8_t *bytes, size_t len, uint32_t nr)
{
	struct trace_tables *t = trace_tables__new();
	/* Exactly as large, so that the sanitizer sees a byte too far. */
	uint8_t *copy = malloc(len);
	int err;

	assert_non_null(t);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	err = trace_tables__load(t, copy, len, nr);
	free(copy);
	trace_tables__free(t);
	return err;
}

static void lengths(void **state)
{
	static const uint64_t lies[] = { 4, 127, 128, 1ull << 32, INT64_MAX, 1ull << 63,
					 UINT64_MAX - 1, UINT64_MAX };

	(void)state;
	for (uint8_t type = 0; type < 12; type++)
		for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
			uint8_t bytes[16] = { type }, *p = put_varint(bytes + 1, lies[i]);

			assert_int_equal(load(bytes, (size_t)(p - bytes) + 3, 1), -EBADMSG);
		}
}

static void counts(void **state)
{
	static const uint8_t note[] = { TRACE_RECORD_NOTE, 1, 0 };

	(void)state;
	assert_int_equal(load(note, sizeof(note), 1), 0);
	assert_int_equal(load(note, sizeof(note), 0), -EBADMSG);	/* bytes are left */
	assert_int_equal(load(note, sizeof(note), 2), -EBADMSG);
	assert_int_equal(load(note, sizeof(note), UINT32_MAX), -EBADMSG);
	assert_int_equal(load(note, sizeof(note) - 1, 1), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
