// SPDX-License-Identifier: GPL-2.0
/*
 * The search of a process's heap, on this process: what is found, what is left out (stacks,
 * files, shared memory), and that pages which are not there stay away. Each test is made twice:
 * which pages are there is asked of the kernel, and read page by page, as before Linux 6.7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/heap.h"

#define PAGE	4096u
#define PAGES	300u	/* more than one step looks at */

/* What is searched for: its address is one of the program's constants. */
static const uint64_t constant = 0x1234;
static const uint64_t other = 0x5678;

#define FOUND_MAX	64

struct found {
	uint64_t	at[FOUND_MAX];
	size_t		nr;
};

static int note(void *ctx, uint64_t at, uint64_t word)
{
	struct found *f = ctx;

	if (word == (uint64_t)(uintptr_t)&constant && f->nr < FOUND_MAX)
		f->at[f->nr++] = at;
	return 0;
}

static int refuse(void *ctx, uint64_t at, uint64_t word)
{
	return note(ctx, at, word) || word != (uint64_t)(uintptr_t)&constant ? 0 : -7;
}

static bool was_found(const struct found *f, const void *at)
{
	for (size_t i = 0; i < f->nr; i++)
		if (f->at[i] == (uint64_t)(uintptr_t)at)
			return true;
	return false;
}

static struct process self(void)
{
	struct process p;

	process__init(&p);
	p.pid = getpid();
	return p;
}

static char reads, asks;

/* @state: of one of these two. */
static struct heap *begin(const struct process *p, void **state)
{
	struct heap *h = heap__new(p);

	assert_non_null(h);
	if (*state == &reads)
		heap__read_pagemap(h);
	return h;
}

static void search(struct heap *h, struct found *f)
{
	int err;

	*f = (struct found){ 0 };
	assert_int_equal(heap__begin(h), 0);
	do {
		err = heap__step(h, note, f);
	} while (err > 0);
	assert_int_equal(err, 0);
}

static uint64_t *map(int flags)
{
	void *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static uint64_t *page(uint64_t *of, size_t nr)
{
	return of + nr * PAGE / sizeof(*of);
}

static void put(uint64_t *at, const uint64_t *what)
{
	*(volatile uint64_t *)at = (uint64_t)(uintptr_t)what;
}

static void finds_words(void **state)
{
	struct process p = self();
	struct heap *h = begin(&p, state);
	uint64_t *mapped = map(MAP_PRIVATE), *small = malloc(64);
	struct found f;

	assert_non_null(small);
	put(page(mapped, 0), &constant);
	put(page(mapped, 1) - 1, &constant);	/* the last word of a page */
	put(page(mapped, PAGES) - 1, &constant);
	put(page(mapped, 200) + 3, &other);
	put(small + 5, &constant);
	search(h, &f);
	assert_true(was_found(&f, page(mapped, 0)));
	assert_true(was_found(&f, page(mapped, 1) - 1));
	assert_true(was_found(&f, page(mapped, PAGES) - 1));
	assert_true(was_found(&f, small + 5));
	assert_false(was_found(&f, page(mapped, 200) + 3));
	/* what is gone is not found again */
	*page(mapped, 0) = 0;
	search(h, &f);
	assert_false(was_found(&f, page(mapped, 0)));
	assert_true(was_found(&f, page(mapped, PAGES) - 1));
	munmap(mapped, PAGES * PAGE);
	search(h, &f);
	assert_false(was_found(&f, page(mapped, PAGES) - 1));
	free(small);
	heap__free(h);
}

static void touches_nothing(void **state)
{
	struct process p = self();
	struct heap *h = begin(&p, state);
	uint64_t *mapped = map(MAP_PRIVATE);
	unsigned char there[PAGES];
	struct found f;

	madvise(mapped, PAGES * PAGE, MADV_NOHUGEPAGE);
	put(page(mapped, 7), &constant);
	search(h, &f);
	assert_true(was_found(&f, page(mapped, 7)));
	assert_int_equal(mincore(mapped, PAGES * PAGE, there), 0);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(there[i] & 1, i == 7);
	munmap(mapped, PAGES * PAGE);
	heap__free(h);
}

static void leaves_out(void **state)
{
	struct process p = self();
	struct heap *h = begin(&p, state);
	uint64_t *stack = map(MAP_PRIVATE), *shared = map(MAP_SHARED), local[8];
	struct found f;

	put(page(stack, 0), &constant);		/* below the stack pointer */
	put(page(stack, 20), &constant);
	put(page(stack, 101), &constant);	/* merged with the stack, above it */
	put(shared, &constant);
	put(&local[3], &constant);
	search(h, &f);
	assert_true(was_found(&f, page(stack, 0)));
	assert_true(was_found(&f, page(stack, 20)));
	assert_false(was_found(&f, shared));
	assert_false(was_found(&f, &local[3]));	/* the main thread's is known by its name */
	assert_int_equal(heap__leave_out(h, (uint64_t)(uintptr_t)page(stack, 10),
					 (uint64_t)(uintptr_t)page(stack, 100)), 0);
	assert_int_equal(heap__leave_out(h, 0, 0), 0);
	search(h, &f);
	assert_false(was_found(&f, page(stack, 0)));
	assert_false(was_found(&f, page(stack, 20)));
	assert_true(was_found(&f, page(stack, 101)));
	/* without a thread pointer in it, all of the mapping is the stack */
	heap__forget_stacks(h);
	assert_int_equal(heap__leave_out(h, (uint64_t)(uintptr_t)page(stack, 10), 0), 0);
	search(h, &f);
	assert_false(was_found(&f, page(stack, 101)));
	munmap(stack, PAGES * PAGE);
	munmap(shared, PAGES * PAGE);
	heap__free(h);
}

static void ends_when_told(void **state)
{
	struct process p = self();
	struct heap *h = begin(&p, state);
	uint64_t *mapped = map(MAP_PRIVATE);
	struct found f = { 0 };
	int err;

	put(page(mapped, 3), &constant);
	assert_int_equal(heap__begin(h), 0);
	do {
		err = heap__step(h, refuse, &f);
	} while (err > 0);
	assert_int_equal(err, -7);
	munmap(mapped, PAGES * PAGE);
	/* a process that is not there */
	p.pid = 0x7ffffff0;
	assert_true(heap__begin(h) < 0);
	assert_true(heap__incomplete(h));
	/* that tells nothing of the next search */
	p.pid = getpid();
	assert_int_equal(heap__begin(h), 0);
	assert_false(heap__incomplete(h));
	heap__free(h);
	heap__free(NULL);
}

/* Programs reserve terabytes and use some pages of them: sanitizers, engines of WebAssembly. */
static void passes_over_what_is_not_there(void **state)
{
	const size_t size = 1ull << 40;
	struct process p = self();
	struct heap *h = begin(&p, state);
	uint64_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct found f;

	assert_ptr_not_equal(at, MAP_FAILED);
	put(at + size / sizeof(*at) / 2 + 5, &constant);
	put(at + size / sizeof(*at) - 1, &constant);
	search(h, &f);
	if (was_found(&f, at + size / sizeof(*at) / 2 + 5))
		assert_true(was_found(&f, at + size / sizeof(*at) - 1));
	else
		assert_true(heap__incomplete(h));
	munmap(at, size);
	heap__free(h);
}

#define BOTH_WAYS(test) \
	cmocka_unit_test_prestate(test, &asks), cmocka_unit_test_prestate(test, &reads)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_WAYS(finds_words),
		BOTH_WAYS(touches_nothing),
		BOTH_WAYS(leaves_out),
		BOTH_WAYS(ends_when_told),
		BOTH_WAYS(passes_over_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
