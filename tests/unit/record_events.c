// SPDX-License-Identifier: GPL-2.0
/*
 * The events of the runtime's probes on their way to the file, field by field, also with
 * numbers that no program sends; and what the recorder learns from them: which tasks lead
 * to lists, that events were lost, that another program runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What makes an event of the file of one of the rings is nobody's business but recorder.c's. */
#include "src/record/recorder.c"

#include "image/model.h"
#include "tests/unit/trace_path.h"

/* ---- in the place of record/roster.c: it notes what it is told ---- */

struct roster {
	uint64_t	offered[8], at[8];
	unsigned int	nr, lost;
	int		answer;		/* of roster__offer() */
};

int roster__new(const struct roster_opts *opts, struct roster **out)
{
	(void)opts;
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

int roster__start(struct roster *r)
{
	(void)r;
	return 0;
}

int roster__step(struct roster *r, uint64_t until)
{
	(void)r;
	(void)until;
	return 0;
}

bool roster__waits(const struct roster *r)
{
	(void)r;
	return false;
}

int roster__offer(struct roster *r, uint64_t task, uint64_t ts)
{
	assert_true(r->nr < 8);
	r->offered[r->nr] = task;
	r->at[r->nr++] = ts;
	return r->answer;
}

void roster__lost(struct roster *r)
{
	r->lost++;
}

bool roster__polled(const struct roster *r)
{
	return r->nr;
}

int roster__finish(struct roster *r)
{
	(void)r;
	return 0;
}

void roster__free(struct roster *r)
{
	free(r);
}

/* ---- a recording ---- */

#define TS	1000000u

/* A program with a task's poll function and a root's. */
static struct image *make_image(void)
{
	struct model_block *block;
	struct image_fn *fn;
	struct image *img;
	struct model m;

	model__init(&m);
	assert_int_equal(model__add(&m, MODEL_FNS, 2), 0);
	fn = model__at(&m, MODEL_FNS, 0);
	fn->role = RUNTIME_FN_POLL;
	fn->cell = WALK_NONE;
	fn = model__at(&m, MODEL_FNS, 1);
	fn->role = RUNTIME_FN_ROOT;
	fn->cell = WALK_NONE;
	block = model__freeze(&m, 1);
	assert_non_null(block);
	img = image__adopt(block, block->size, false, "none");
	assert_non_null(img);
	model__free(&m);
	return img;
}

static uint32_t kinds[] = { 41, 42 };

static void begin(struct recorder *r)
{
	const struct trace_host host = { .hostname = "host", .comm = "app", .pid = 1,
					 .attach_ts = TS };

	memset(r, 0, sizeof(*r));
	r->img = make_image();
	r->kinds = kinds;
	source_types__fill(&r->types);
	assert_int_equal(roster__new(NULL, &r->roster), 0);
	assert_int_equal(trace_writer__new(path, &host, &r->trace), 0);
	r->sources.trace = r->trace;
}

static struct trace_reader *finish_file(struct recorder *r)
{
	const struct trace_totals totals = { .end_ts = 2 * TS, .ended_by = "test" };
	struct trace_reader *reader;
	const char *why;

	assert_int_equal(trace_writer__finish(r->trace, &totals), 0);
	assert_int_equal(trace_reader__open(path, &reader, &why), 0);
	return reader;
}

static void end(struct recorder *r)
{
	trace_writer__free(r->trace);
	roster__free(r->roster);
	image__free(r->img);
}

static struct raw_hdr head(unsigned int type, unsigned int nr)
{
	return (struct raw_hdr){ .ts = TS, .tid = 77, .cpu = 3, .type = (uint8_t)type,
				 .nr = (uint8_t)nr };
}

/* Hand over @raw as the rings do, in memory of its size. */
static int hand_over(struct recorder *r, const void *raw, size_t size)
{
	void *copy = malloc(size);
	int err;

	assert_non_null(copy);
	memcpy(copy, raw, size);
	err = one_event(r, copy);
	free(copy);
	return err;
}

static void next(struct trace_reader *reader, struct trace_event *ev, unsigned int type)
{
	assert_int_equal(trace_reader__next(reader, ev), 1);
	assert_int_equal(ev->type, type);
	assert_int_equal(ev->ts, TS);
	assert_int_equal(ev->tid, type == TRACE_LOST ? ev->tid : 77);
	assert_int_equal(ev->cpu, 3);
}

/* ---- tests ---- */

static void polls_begin(void **state)
{
	struct raw_poll_begin raw = { .hdr = head(RAW_POLL_BEGIN, 0), .task = 0x7000 };
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	begin(&r);
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	raw.task = 0x8000;
	raw.fn = 1;
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	/* a task may lead to others; a root is in no list */
	assert_int_equal(r.roster->nr, 2);
	assert_int_equal(r.roster->offered[0], 0x7000);
	assert_int_equal(r.roster->at[0], TS);
	assert_int_equal(r.roster->offered[1], 0);
	/* what goes wrong there ends it */
	r.roster->answer = -ENOMEM;
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), -ENOMEM);
	reader = finish_file(&r);
	next(reader, &ev, TRACE_POLL_BEGIN);
	assert_int_equal(ev.poll.task, 0x7000);
	assert_int_equal(ev.poll.kind, 41);
	next(reader, &ev, TRACE_POLL_BEGIN);
	assert_int_equal(ev.poll.task, 0x8000);
	assert_int_equal(ev.poll.kind, 42);
	assert_int_equal(trace_reader__next(reader, &ev), 0);
	trace_reader__free(reader);
	end(&r);
}

/* With as many keys as it says, in a batch no longer than these. */
static void polls_end(void **state)
{
	struct raw_poll_end raw = { .task = 0x7000, .chain = 9, .result = RAW_READY };
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	for (unsigned int k = 0; k < WALK_MAX_KEYS; k++)
		walk_keys__set(&raw.keys, k, (struct walk_key){ .value = 0x100 + k,
								.kind = WALK_KEY_ADDRESS });
	begin(&r);
	for (unsigned int nr = 0; nr <= WALK_MAX_KEYS; nr++) {
		raw.hdr = head(RAW_POLL_END, nr);
		assert_int_equal(hand_over(&r, &raw, raw_size(&raw.hdr)), 0);
	}
	/* more than there are */
	raw.hdr = head(RAW_POLL_END, 255);
	raw.result = RAW_UNKNOWN;
	assert_int_equal(decode(&r, &raw.hdr, &ev), 1);
	assert_int_equal(ev.end.nr_keys, WALK_MAX_KEYS);
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	reader = finish_file(&r);
	for (unsigned int i = 0; i <= WALK_MAX_KEYS + 1; i++) {
		unsigned int nr = i <= WALK_MAX_KEYS ? i : WALK_MAX_KEYS;

		next(reader, &ev, TRACE_POLL_END);
		assert_int_equal(ev.end.task, 0x7000);
		assert_int_equal(ev.end.chain, 9);
		assert_int_equal(ev.end.result, i <= WALK_MAX_KEYS ? TRACE_POLL_READY :
								     TRACE_POLL_UNKNOWN);
		assert_int_equal(ev.end.nr_keys, nr);
		for (unsigned int k = 0; k < nr; k++) {
			assert_int_equal(walk_keys__get(&ev.end.keys, k).value, 0x100 + k);
			assert_int_equal(walk_keys__get(&ev.end.keys, k).kind, WALK_KEY_ADDRESS);
		}
	}
	assert_int_equal(trace_reader__next(reader, &ev), 0);
	trace_reader__free(reader);
	end(&r);
}

static void tasks(void **state)
{
	static const uint8_t types[][2] = { { RAW_WAKE, TRACE_WAKE },
					    { RAW_TASK_NEW, TRACE_TASK_NEW },
					    { RAW_TASK_DROP, TRACE_TASK_DROP } };
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	begin(&r);
	for (uint64_t i = 0; i < 3; i++) {
		struct raw_task raw = { .hdr = head(types[i][0], 0), .task = ~0ull - i };

		assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	}
	reader = finish_file(&r);
	for (uint64_t i = 0; i < 3; i++) {
		next(reader, &ev, types[i][1]);
		assert_int_equal(ev.task.task, ~0ull - i);
	}
	assert_int_equal(r.roster->nr, 0);
	trace_reader__free(reader);
	end(&r);
}

/* A job is new, and of the kind that its poll function says; of others, nothing is written. */
static void jobs(void **state)
{
	struct raw_job raw = { .hdr = head(RAW_JOB_NEW, 0), .task = 0x7000, .poll = 0x500000 };
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	begin(&r);
	hash_table__at(&r.job_fns, 0x500000)->value = 1;
	hash_table__at(&r.job_fns, 0x600000)->value = NO_JOB;
	assert_int_equal(hand_over(&r, &raw, raw_size(&raw.hdr)), 0);
	raw.poll = 0x600000;
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	reader = finish_file(&r);
	next(reader, &ev, TRACE_TASK_NEW);
	assert_int_equal(ev.task.task, 0x7000);
	next(reader, &ev, TRACE_TASK_SEEN);
	assert_int_equal(ev.seen.task, 0x7000);
	assert_int_equal(ev.seen.kind, 41);
	assert_int_equal(ev.seen.state, TRACE_TASK_NOTIFIED);
	assert_int_equal(ev.seen.nr_keys, 0);
	assert_int_equal(trace_reader__next(reader, &ev), 0);
	trace_reader__free(reader);
	hash_table__clear(&r.job_fns);
	end(&r);
}

/* Lost events are in the file, where and how many, and tasks are looked for once more. */
static void losses(void **state)
{
	struct raw_lost raw = { .hdr = head(RAW_LOST, 0), .first = TS - 500, .count = 1ull << 40 };
	struct raw_hdr gone = head(RAW_POLLS_GONE, 2), any = head(RAW_POLLS_GONE, RAW_POLLS_ANY);
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	begin(&r);
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	assert_int_equal(r.roster->lost, 1);
	assert_int_equal(hand_over(&r, &gone, sizeof(gone)), 0);
	assert_int_equal(hand_over(&r, &any, sizeof(any)), 0);
	assert_int_equal(r.roster->lost, 1);
	reader = finish_file(&r);
	next(reader, &ev, TRACE_LOST);
	assert_int_equal(ev.lost.first, TS - 500);
	assert_int_equal(ev.lost.count, 1ull << 40);
	assert_int_equal(ev.lost.cause, TRACE_LOST_RING);
	next(reader, &ev, TRACE_POLLS_GONE);
	assert_int_equal(ev.polls.nr, 2);
	next(reader, &ev, TRACE_POLLS_GONE);
	assert_int_equal(ev.polls.nr, RAW_POLLS_ANY);
	assert_int_equal(trace_reader__next(reader, &ev), 0);
	trace_reader__free(reader);
	end(&r);
}

/* A chain is in the file before it is needed, whatever its tokens are. */
static void chains(void **state)
{
	struct raw_chain raw = { .hdr = head(RAW_CHAIN, 0), .chain = 5 };
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	begin(&r);
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	raw.chain = 6;
	raw.hdr.nr = WALK_MAX_TOKENS;
	memset(raw.tokens, 0xff, sizeof(raw.tokens));
	assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	reader = finish_file(&r);
	assert_int_equal(trace_reader__next(reader, &ev), 0);
	assert_non_null(trace_reader__chain(reader, 5));
	/* of no tokens, and of none that is known, it is a gap */
	assert_int_equal(trace_reader__chain(reader, 5)->nr, 1);
	assert_int_equal(trace_reader__chain(reader, 5)->nodes[0].kind, TRACE_NODE_GAP);
	assert_non_null(trace_reader__chain(reader, 6));
	assert_int_equal(trace_reader__chain(reader, 6)->nodes[0].kind, TRACE_NODE_GAP);
	assert_null(trace_reader__chain(reader, 7));
	trace_reader__free(reader);
	end(&r);
}

/* A source's events are its own; what nobody sends is nothing. */
static void others(void **state)
{
	struct raw_hdr exec = head(RAW_EXEC, 0), exit = head(RAW_THREAD_EXIT, 0);
	struct trace_reader *reader;
	struct trace_event ev;
	struct recorder r;

	(void)state;
	begin(&r);
	for (unsigned int type = 0; type < 256; type = type ? type + 1 : RAW_TYPE_NR) {
		struct raw_hdr raw = head(type, 255);

		assert_int_equal(hand_over(&r, &raw, sizeof(raw)), 0);
	}
	assert_int_equal(hand_over(&r, &exec, sizeof(exec)), 0);
	assert_int_equal(r.sources.execs, 1);
	assert_int_equal(hand_over(&r, &exit, sizeof(exit)), 0);
	reader = finish_file(&r);
	next(reader, &ev, TRACE_THREAD_EXIT);
	assert_int_equal(trace_reader__next(reader, &ev), 0);
	trace_reader__free(reader);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polls_begin),
		cmocka_unit_test(polls_end),
		cmocka_unit_test(tasks),
		cmocka_unit_test(jobs),
		cmocka_unit_test(losses),
		cmocka_unit_test(chains),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
