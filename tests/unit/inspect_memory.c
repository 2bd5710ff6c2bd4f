// SPDX-License-Identifier: GPL-2.0
/*
 * A live process's memory in blocks: what is handed out is what was there, twice; what is
 * not there, or not worth a block, is not. No place of it depends on how fast this runs.
 */
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/live_child.h"

#include "base/clock.h"
#include "inspect/memory.h"

#define BLOCK	32768u		/* as memory.c reads them */
#define BLOCKS	128

static uint8_t *area;		/* BLOCKS blocks, from a multiple of BLOCK on; the child's, too */
static void *mapped;

static uint64_t at(size_t off)
{
	return (uintptr_t)area + off;
}

static void make_area(void)
{
	mapped = mmap(NULL, (BLOCKS + 1) * (size_t)BLOCK, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	area = (uint8_t *)(((uintptr_t)mapped + BLOCK - 1) & ~(uintptr_t)(BLOCK - 1));
	for (size_t i = 0; i < BLOCKS * BLOCK; i += 8)
		*(uint64_t *)(area + i) = i * 0x9e3779b97f4a7c15ull;
}

struct world {
	struct process	 target;
	struct memory	*memory;
};

static void begin(struct world *w, void (*what)(void *ctx))
{
	w->target = (struct process){ .exe_fd = -1, .pid = child_begin(what, NULL) };
	w->memory = memory__new(&w->target);
	assert_non_null(w->memory);
}

static void end(struct world *w)
{
	memory__free(w->memory);
	child_end(w->target.pid);
	munmap(mapped, (BLOCKS + 1) * (size_t)BLOCK);
}

/* Copied, it is twice what is here, too, and its time lies between then and now. */
static void check_copied(struct world *w, size_t off, size_t len)
{
	uint8_t *first = malloc(len + 1), *again = malloc(len + 1);
	uint64_t ts = 0;

	assert_true(first && again);
	assert_true(memory__copy(w->memory, at(off), len, first, again, &ts));
	assert_memory_equal(first, area + off, len);
	assert_memory_equal(again, area + off, len);
	assert_in_range(ts, 1, clock__now());
	/* each of them may be left out */
	assert_true(memory__copy(w->memory, at(off), len, NULL, NULL, NULL));
	free(first);
	free(again);
}

static bool copied(struct world *w, uint64_t addr, size_t len)
{
	static uint8_t first[2 * BLOCK], again[2 * BLOCK];

	return memory__copy(w->memory, addr, len, first, again, NULL);
}

static void whole_blocks(void **state)
{
	struct world w;

	(void)state;
	skip_unless_readable();
	make_area();
	begin(&w, child_waits);
	check_copied(&w, 0, 1);
	check_copied(&w, 0, BLOCK);
	check_copied(&w, 12345, 100);
	check_copied(&w, BLOCK - 1, 1);
	check_copied(&w, 5 * BLOCK + 8, BLOCK - 8);
	/* not in one block */
	assert_false(copied(&w, at(BLOCK - 1), 2));
	assert_false(copied(&w, at(0), BLOCK + 1));
	assert_false(copied(&w, at(8), SIZE_MAX));
	/* where nothing is */
	assert_false(copied(&w, 0, 8));
	assert_false(copied(&w, 4096, 8));
	assert_false(copied(&w, BLOCK, 8));
	assert_false(copied(&w, ~0ull - 7, 8));
	assert_false(copied(&w, 1ull << 63, 8));
	end(&w);
}

/* Of a block with a hole there is what is before it. */
static void holes(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), hole = BLOCK + 3 * page;
	struct world w;

	(void)state;
	skip_unless_readable();
	make_area();
	assert_int_equal(mprotect(area + hole, page, PROT_NONE), 0);
	assert_int_equal(mprotect(area + 3 * BLOCK, page, PROT_NONE), 0);
	begin(&w, child_waits);
	check_copied(&w, BLOCK, 3 * page);
	check_copied(&w, hole - 1, 1);
	assert_false(copied(&w, at(hole - 1), 2));
	assert_false(copied(&w, at(hole), 1));
	/* behind it the memory is there, but not in the block */
	assert_false(copied(&w, at(hole + page), 1));
	/* and of one that begins with a hole nothing is */
	assert_false(copied(&w, at(3 * BLOCK), 8));
	assert_false(copied(&w, at(3 * BLOCK + page), 8));
	check_copied(&w, 2 * BLOCK, BLOCK);
	check_copied(&w, 4 * BLOCK, BLOCK);
	end(&w);
}

/* Blocks whose numbers collide take turns. */
static void many_blocks(void **state)
{
	struct world w;

	(void)state;
	skip_unless_readable();
	make_area();
	begin(&w, child_waits);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < BLOCKS; i++)
			for (size_t k = 0; k < 16; k++)
				check_copied(&w, i * BLOCK + k * 1000, 8);
	end(&w);
}

/* ---- what changes ---- */

static volatile uint64_t *counter;	/* in the area */

static void count(void *ctx)
{
	(void)ctx;
	for (;;)
		(*counter)++;
}

static void make_counter(void)
{
	make_area();
	counter = (uint64_t *)(area + 3 * BLOCK + 64);
	*counter = 0;
}

/* What was changed meanwhile is not the same in both copies. */
static void changing(void **state)
{
	uint64_t first, again, until = clock__now() + 60000000000;
	struct world w;

	(void)state;
	skip_unless_readable();
	make_counter();
	begin(&w, count);
	while (!*counter)
		;
	do {
		memory__forget(w.memory);
		assert_true(memory__copy(w.memory, (uintptr_t)counter, 8, &first, &again, NULL));
		assert_true(first <= again);
	} while (first == again && clock__now() < until);
	assert_int_not_equal(first, again);
	end(&w);
}

/* A block is what it was when it was read, until it is too old, or forgotten. */
static void ages(void **state)
{
	uint64_t value, then = 0, ts, before, old;
	struct world w;

	(void)state;
	skip_unless_readable();
	make_counter();
	*counter = 1;
	begin(&w, child_waits);
	assert_true(memory__copy(w.memory, (uintptr_t)counter, 8, &value, NULL, &ts));
	assert_int_equal(value, 1);
	*counter = 2;
	assert_true(memory__copy(w.memory, (uintptr_t)counter, 8, &value, NULL, &then));
	/* the same reading, unless it took so long to come here */
	assert_int_equal(value, then == ts ? 1 : 2);
	memory__forget(w.memory);
	before = clock__now();
	assert_true(memory__copy(w.memory, (uintptr_t)counter, 8, &value, NULL, &old));
	assert_int_equal(value, 2);
	assert_true(old >= before);
	*counter = 3;
	usleep(30000);
	assert_true(memory__copy(w.memory, (uintptr_t)counter, 8, &value, NULL, &ts));
	assert_true(ts > old);
	assert_int_equal(value, 3);
	end(&w);
}

static void gone(void **state)
{
	struct world w;

	(void)state;
	skip_unless_readable();
	make_area();
	begin(&w, child_waits);
	check_copied(&w, 0, 8);
	child_becomes_zombie(w.target.pid);
	memory__forget(w.memory);
	assert_false(copied(&w, at(0), 8));
	assert_false(copied(&w, at(BLOCK), 8));
	end(&w);
}

/* ---- whether they pay ---- */

/*
 * A word here and a word there: after 32 blocks that were of use once each there are none
 * for a while. Then they are tried again; and at once if all is forgotten.
 */
static void all_over_the_place(void **state)
{
	size_t given = 0, refused = 0;
	struct world w;

	(void)state;
	skip_unless_readable();
	make_area();
	begin(&w, child_waits);
	while (given < BLOCKS && copied(&w, at(given * BLOCK), 8))
		given++;
	assert_int_equal(given, 32);
	while (refused < 100000 && !copied(&w, at(64 * BLOCK), 8))
		refused++;
	assert_int_equal(refused, 4096);
	for (size_t i = 65; i < BLOCKS && copied(&w, at(i * BLOCK), 8); i++)
		given++;
	assert_in_range(given, 32 + 30, 32 + 32);
	memory__forget(w.memory);
	assert_true(copied(&w, at(BLOCK), 8));
	end(&w);
}

/* Blocks that are of use eight times each, and more if one has been read anew, go on. */
static void close_together(void **state)
{
	struct world w;

	(void)state;
	skip_unless_readable();
	make_area();
	begin(&w, child_waits);
	for (size_t i = 0; i < BLOCKS; i++)
		for (size_t k = 0; k < 12; k++)
			if (!copied(&w, at(i * BLOCK + 8 * k), 8))
				fail_msg("block %zu", i);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_blocks),
		cmocka_unit_test(holes),
		cmocka_unit_test(many_blocks),
		cmocka_unit_test(changing),
		cmocka_unit_test(ages),
		cmocka_unit_test(gone),
		cmocka_unit_test(all_over_the_place),
		cmocka_unit_test(close_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
