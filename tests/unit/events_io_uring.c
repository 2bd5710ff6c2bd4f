// SPDX-License-Identifier: GPL-2.0
/* The decoder of io_uring's events: operations, the paths that they open, and their files. */
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kernel-events/fd.h"
#include "kernel-events/io_uring.h"
#include "tests/unit/events_recording.h"

static void operations(void **state)
{
	static const struct raw_uring_submit submits[] = {
		{ .user_data = 0, .ring = 1, .fd = 0, .opcode = 22 },
		{ .user_data = ~0ull, .ring = UINT32_MAX, .fd = URING_FIXED_FD, .opcode = 255 },
		{ .user_data = 0x7f0000001000, .ring = 2, .fd = URING_NO_FD, .opcode = 11 },
	};
	static const struct raw_uring_step_of steps[] = {
		{ .user_data = 0, .ring = 1, .step = RAW_URING_ARMED, .res = EPOLLIN },
		{ .user_data = 0, .ring = 1, .step = RAW_URING_READY },
		{ .user_data = ~0ull, .ring = UINT32_MAX, .step = RAW_URING_PUNTED },
		{ .user_data = 1, .ring = 1, .step = RAW_URING_DONE, .res = INT32_MIN,
		  .flags = UINT32_MAX },
		{ .user_data = 1, .ring = 1, .step = RAW_URING_OVERFLOW, .res = -125 },
	};
	struct raw_uring_wait wait = { .hdr = head(RAW_URING_WAIT, 0), .nr = -62, .fd = 7 };
	struct trace_event ev;
	struct recording r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < 3; i++) {
		struct raw_uring_submit raw = submits[i];

		raw.hdr = head(RAW_URING_SUBMIT, 0);
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	for (size_t i = 0; i < 5; i++) {
		struct raw_uring_step_of raw = steps[i];

		raw.hdr = head(RAW_URING_STEP, 0);
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	assert_int_equal(take(&r, &wait, sizeof(wait), &ev), 1);
	finish(&r);
	for (size_t i = 0; i < 3; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_URING_SUBMIT);
		assert_int_equal(ev.submit.user_data, submits[i].user_data);
		assert_int_equal(ev.submit.ring, submits[i].ring);
		assert_int_equal(ev.submit.fd, submits[i].fd);
		assert_int_equal(ev.submit.opcode, submits[i].opcode);
		assert_int_equal(ev.submit.path, 0);
	}
	for (size_t i = 0; i < 5; i++) {
		next(&r, &ev);
		assert_int_equal(ev.type, TRACE_URING_STEP);
		assert_int_equal(ev.step.user_data, steps[i].user_data);
		assert_int_equal(ev.step.ring, steps[i].ring);
		assert_int_equal(ev.step.step, steps[i].step);
		assert_int_equal(ev.step.res, steps[i].res);
		assert_int_equal(ev.step.flags, steps[i].flags);
	}
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_URING_WAIT);
	assert_int_equal(ev.waited.nr, -62);
	assert_int_equal(ev.waited.fd, 7);
	no_more(&r);
	end(&r);
}

/* An operation by a path: short, as long as fits, and without an end. */
static void operations_by_path(void **state)
{
	struct raw_uring_path raw = { .hdr = head(RAW_URING_PATH, 0), .user_data = 3, .ring = 1,
				      .opcode = 18, .path = "/srv/x" };
	char cut[RAW_URING_PATH_MAX + 8];
	struct trace_event ev;
	struct recording r;
	uint32_t many;

	(void)state;
	begin(&r);
	assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	memset(raw.path, 'p', sizeof(raw.path));
	assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(raw.path, sizeof(raw.path), "/srv/%u", i);
		assert_int_equal(take(&r, &raw, sizeof(raw), &ev), 1);
	}
	many = trace_writer__string(r.ctx.trace, "one of many paths");
	assert_int_equal(ev.submit.path, many);
	assert_in_range(many, 4000, 4200);
	finish(&r);
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_URING_SUBMIT);
	assert_int_equal(ev.submit.user_data, 3);
	assert_int_equal(ev.submit.ring, 1);
	assert_int_equal(ev.submit.fd, TRACE_URING_NO_FD);
	assert_int_equal(ev.submit.opcode, 18);
	assert_string_equal(trace_reader__string(r.reader, ev.submit.path), "/srv/x");
	next(&r, &ev);
	memset(cut, 'p', sizeof(cut));
	strcpy(cut + RAW_URING_PATH_MAX - 1, "…");
	assert_string_equal(trace_reader__string(r.reader, ev.submit.path), cut);
	end(&r);
}

/* What a descriptor is that operations name; it is called as in epoll. */
static void files_of_operations(void **state)
{
	struct raw_fd listener = tcp(11, "127.0.0.1", 80, "0.0.0.0", 0, TCP_LISTEN);
	struct raw_fd server = tcp(12, "127.0.0.1", 80, "10.0.0.9", 50000, TCP_ESTABLISHED);
	struct trace_event ev;
	struct recording r;

	(void)state;
	listener.hdr = server.hdr = head(RAW_URING_FD, 0);
	begin(&r);
	assert_int_equal(take(&r, &listener, sizeof(listener), &ev), 1);
	assert_int_equal(take(&r, &server, sizeof(server), &ev), 1);
	finish(&r);
	next(&r, &ev);
	assert_int_equal(ev.type, TRACE_URING_FD);
	assert_int_equal(ev.file.fd, 11);
	assert_string_equal(trace_reader__string(r.reader, ev.file.name), "tcp listen 127.0.0.1:80");
	next(&r, &ev);
	assert_int_equal(ev.file.fd, 12);
	assert_string_equal(trace_reader__string(r.reader, ev.file.name),
			    "tcp 10.0.0.9 → 127.0.0.1:80");
	no_more(&r);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations),
		cmocka_unit_test(operations_by_path),
		cmocka_unit_test(files_of_operations),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
