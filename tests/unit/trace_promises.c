// SPDX-License-Identifier: GPL-2.0
/*
 * Headers of chunks that claim more than there is, with correct checksums: they are
 * not believed. No huge allocation, no hang, and time is conserved. Errors inside
 * chunks are tested by tests/fuzz/trace.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "join/join.h"
#include "output/output.h"
#include "tests/replay/text_trace.c"
#include "tests/replay/text_words.c"
#include "trace/chunk.h"

/* One of each kind of thing. */
static const char *const text =
	"kind 1 app::a\nkind 2 app::b blocking\nthread 10 worker\nstack 1 read sys_read\n"
	"note remark\nloss 3 ring\n"
	"chain 1\n. await a::b @a.rs:1\n. . wrapper select!\n. . . leaf R io:0\n"
	". . . await c::d @c.rs:2 own\n. . . . leaf S deadline:1\n. . . gap why\n. . . done D\n"
	"chain 2\n. opaque hyper::C\n"
	"1000 0 10 add S fd=9 name=tcp_1:2\n1000 0 10 new A\n1001 0 10 begin A\n"
	"1002 0 10 end A pending chain=1 S:r at 1200\n1005 1 11 begin B kind=2\n"
	"1006 0 10 off asleep out=1003 wake=1005 waker=11 stack=1 epoll\n1007 0 10 epoll 1\n"
	"1007 0 10 ready S in since=1004 reader=A writer=B\n1008 0 10 wake A\n"
	"1009 1 11 end B pending chain=2\n1010 0 10 begin A\n1011 0 10 begin C\n"
	"1012 0 10 end C ready\n1013 0 10 drop A\n1014 0 10 end A ready\n1020 0 0 lost 5 first=1015\n"
	"1021 1 12 seen D idle chain=1 S:w at 5\n1022 0 10 del S\n1023 0 10 thread-exit\n"
	"1024 1 11 process-exit\nend 1100\n";

static size_t make_trace(uint8_t *out, size_t size)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	char path[] = "/tmp/dwell-fuzz-XXXXXX", why[200] = "";
	int fd = mkstemp(path);
	ssize_t n;

	assert_true(fd >= 0);
	if (text_trace__write(in, path, why, sizeof(why)))
		fail_msg("%s", why);
	fclose(in);
	n = pread(fd, out, size, 0);
	assert_in_range(n, 100, size - 1);
	close(fd);
	unlink(path);
	return (size_t)n;
}

/* Where the chunks begin; a mutated length ends the list. */
static size_t find_chunks(const uint8_t *data, size_t len, size_t *at, size_t max)
{
	size_t nr = 0, off = TRACE_HEAD_SIZE;

	while (nr < max && off + TRACE_CHUNK_HEAD_SIZE <= len) {
		uint32_t length;

		memcpy(&length, data + off + 8, sizeof(length));
		at[nr++] = off;
		if (length > len - off - TRACE_CHUNK_HEAD_SIZE)
			break;
		off += TRACE_CHUNK_HEAD_SIZE + length;
	}
	return nr;
}

static void make_sums_right(uint8_t *data, size_t len)
{
	size_t at[64], nr = find_chunks(data, len, at, 64);

	for (size_t i = 0; i < nr; i++) {
		uint8_t *head = data + at[i];
		uint32_t length, crc;

		memcpy(&length, head + 8, sizeof(length));
		if (length <= len - at[i] - TRACE_CHUNK_HEAD_SIZE) {
			crc = crc32c(head + TRACE_CHUNK_HEAD_SIZE, length);
			memcpy(head + 32, &crc, sizeof(crc));
		}
		crc = crc32c(head, 36);
		memcpy(head + 36, &crc, sizeof(crc));
	}
}

static void run(int fd, const uint8_t *data, size_t len, FILE *sink)
{
	struct trace_reader *r;
	const char *why;
	struct join *j;
	char name[40];
	int err;

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, data, len, 0), len);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	err = trace_reader__open(name, &r, &why);
	if (err) {
		assert_true(*why);
		return;
	}
	assert_int_equal(join__new(r, &j), 0);
	err = join__run(j);
	/* Time is conserved whatever the events say. */
	if (err == -EPROTO)
		fail_msg("%s", join__why(j));
	if (err) {
		assert_true(*join__why(j));
	} else {
		assert_int_equal(output_format__write(output_format__find("text"), j, r,
						      NULL, sink), 0);
		assert_int_equal(output_format__write(output_format__find("json"), j, r,
						      NULL, sink), 0);
	}
	join__free(j);
	trace_reader__free(r);
}

static void promises(void **state)
{
	static uint8_t base[16384];
	size_t len = make_trace(base, sizeof(base)), at[64];
	size_t nr = find_chunks(base, len, at, 64);
	int fd = memfd_create("promises", 0);
	FILE *sink = fopen("/dev/null", "w");
	static const uint32_t big[] = { 0x7fffffff, 0xffffffff, 0x10000, 0xffff, 16 << 20 };

	(void)state;
	for (size_t i = 0; i < nr; i++)
		for (size_t b = 0; b < sizeof(big) / sizeof(*big); b++)
			for (size_t field = 8; field <= 12; field += 4) {
				uint8_t copy[16384];

				memcpy(copy, base, len);
				memcpy(copy + at[i] + field, &big[b], 4);
				make_sums_right(copy, len);
				run(fd, copy, len, sink);
			}
	fclose(sink);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
