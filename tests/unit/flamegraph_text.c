// SPDX-License-Identifier: GPL-2.0
/* Text for XML: escaping, wrong UTF-8, controls, numbers, widths. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_wrong_utf8),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
