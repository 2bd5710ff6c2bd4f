// SPDX-License-Identifier: GPL-2.0
/* Text for XML: escaping, wrong UTF-8, controls, numbers, widths. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "flamegraph/name_table.h"
#include "flamegraph/textbuf.h"
#include "base/utf8.h"

static void expect(void (*put)(struct textbuf *, const char *, size_t), const char *in, size_t len,
		   const char *want)
{
	struct textbuf b = { 0 };

	put(&b, in, len);
	textbuf__bytes(&b, "", 1);
	assert_int_equal(b.err, 0);
	assert_string_equal(b.data, want);
	textbuf__free(&b);
}

static void test_escape(void **state)
{
	(void)state;
	expect(textbuf__xml, "<a & 'b' \"c\">]]>", 16,
	       "&lt;a &amp; &#39;b&#39; &quot;c&quot;&gt;]]&gt;");
	expect(textbuf__clean, "<a & b>", 7, "<a & b>");
	expect(textbuf__xml, "", 0, "");
	expect(textbuf__xml, NULL, 0, "");
	expect(textbuf__xml, "größe→", strlen("größe→"), "größe→");
}

static void test_controls(void **state)
{
	(void)state;
	expect(textbuf__xml, "a\0b\tc\nd\x1b[0m\x7f" "e", 14, "abcd[0me");
	expect(textbuf__clean, "\xc2\x85x\xe2\x80\xa8\xef\xbf\xbe\xef\xbf\xbfy", 13, "xy");
}

static void test_wrong_utf8(void **state)
{
	(void)state;
	expect(textbuf__xml, "\xff", 1, "\xef\xbf\xbd");
	expect(textbuf__xml, "a\xc3", 2, "a\xef\xbf\xbd");			/* cut off */
	expect(textbuf__xml, "\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd");	/* overlong */
	expect(textbuf__xml, "\xe2\x82z", 3, "\xef\xbf\xbdz");
	expect(textbuf__xml, "\xed\xa0\x80<", 4,				/* a surrogate */
	       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;");
	expect(textbuf__xml, "\xf4\x90\x80\x80", 4,				/* too large */
	       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect(textbuf__xml, "\xf0\x9f\xa6\x80", 4, "\xf0\x9f\xa6\x80");
}

/* Whatever the bytes: what comes out is valid and has no control. */
static void test_random_bytes(void **state)
{
	struct textbuf b = { 0 };
	char in[64];
	bool valid;
	uint32_t cp;

	(void)state;
	srandom(7);
	for (int round = 0; round < 20000; round++) {
		size_t len = random() % sizeof(in);

		for (size_t i = 0; i < len; i++)
			in[i] = random() % 3 ? 0x80 | random() : random();
		b.len = 0;
		textbuf__xml(&b, in, len);
		for (size_t i = 0; i < b.len;) {
			i += utf8__read(b.data + i, b.len - i, &cp, &valid);
			assert_true(valid);
			assert_false(utf8__is_control(cp));
			assert_true(i <= b.len);
		}
	}
	textbuf__free(&b);
}

static void test_numbers(void **state)
{
	struct textbuf b = { 0 };

	(void)state;
	textbuf__u64(&b, 0);
	textbuf__str(&b, " ");
	textbuf__u64(&b, UINT64_MAX);
	for (int i = 0; i < 4; i++) {
		textbuf__str(&b, " ");
		textbuf__centi(&b, (const uint64_t[]){ 1200, 1250, 1205, 7 }[i]);
	}
	textbuf__bytes(&b, "", 1);
	assert_string_equal(b.data, "0 18446744073709551615 12 12.5 12.05 0.07");
	textbuf__free(&b);
}

static void test_columns(void **state)
{
	(void)state;
	assert_int_equal(utf8__columns("abc", 3), 3);
	assert_int_equal(utf8__columns("é…", 5), 2);
	assert_int_equal(utf8__columns("漢字", 6), 4);
	assert_int_equal(utf8__fit("漢字", 6, 3), 3);
	assert_int_equal(utf8__fit("abc", 3, 9), 3);
	assert_int_equal(utf8__fit("abc", 3, 0), 0);
}

#define RATIO	0x9e3779b97f4a7c15ull

/* The second word that makes all names of two words come to one product with RATIO. */
static uint64_t second_word(uint64_t first)
{
	uint64_t inverse = RATIO, h = (16 * RATIO ^ first) * RATIO;

	for (int i = 0; i < 6; i++)
		inverse *= 2 - RATIO * inverse;
	return 0x123456789abcdefull * inverse ^ h ^ h >> 32;
}

static bool is_printable(uint64_t word)
{
	for (; word; word >>= 8)
		if ((word & 0xff) < 0x21 || (word & 0xff) > 0x7e)
			return false;
	return true;
}

/* Names that are chosen to have the same hash, if it is one that can be known. */
static void test_chosen_names(void **state)
{
	struct name_table n = { 0 };
	uint32_t id, nr = 0;

	(void)state;
	for (uint64_t i = 0; nr < 200; i++) {
		uint64_t words[3] = { 0x4141414141414141 + (i & 7) + ((i >> 3 & 7) << 8) +
				      ((i >> 6 & 7) << 16) + ((i >> 9 & 7) << 24) +
				      ((i >> 12 & 7) << 32) + ((i >> 15 & 7) << 40) +
				      ((i >> 18 & 7) << 48) };

		words[1] = second_word(words[0]);
		if (!is_printable(words[1]) || words[1] >> 56 == 0)
			continue;
		assert_int_equal(name_table__intern(&n, (const char *)words, &id), 0);
		assert_int_equal(id, nr++);
		assert_true(id == 0 || n.list[id].hash != n.list[id - 1].hash);
		assert_in_range(name_table__spread(&n, id, 3), 0, 2);
	}
	name_table__free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_wrong_utf8),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_chosen_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
