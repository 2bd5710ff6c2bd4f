/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that runs out when a test says so: all that the program and its
 * libraries allocate is counted, and one allocation, or all from one on, fail.
 * Not under a sanitizer, which has an allocator of its own.
 */
#ifndef DWELL_TEST_FAILING_MALLOC_H
#define DWELL_TEST_FAILING_MALLOC_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__	1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#define CAN_FAIL	false
#else
#define CAN_FAIL	true
#endif

static struct {
	bool		counting, for_good;
	uint64_t	nr;		/* allocations since the start */
	uint64_t	fail_at;	/* the first that fails; UINT64_MAX: none */
	uint64_t	failed, spared;
} memory = { .fail_at = UINT64_MAX };

static inline void memory__start(uint64_t fail_at, bool for_good)
{
	memory.nr = memory.failed = memory.spared = 0;
	memory.fail_at = fail_at;
	memory.for_good = for_good;
	memory.counting = true;
}

static inline void memory__stop(void)
{
	memory.counting = false;
}

#if !defined(__SANITIZE_ADDRESS__)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);
extern void *__libc_realloc(void *p, size_t size);

#define POOL	2048	/* libdw's pools are larger, and its other tables smaller */

/*
 * Capstone does not look at what it gets, nor does libdw but for its pools, and to libdw
 * a section that libelf had no memory for is one that is not there; that is not ours to
 * mend.
 */
static bool of_library(void *caller, size_t size)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname &&
	       (strstr(info.dli_fname, "capstone") ||
		(size < POOL && strstr(info.dli_fname, "libdw")));
}

static bool memory__fails(void *caller, size_t size)
{
	if (!memory.counting)
		return false;
	if (memory.for_good ? memory.nr++ < memory.fail_at : memory.nr++ != memory.fail_at)
		return false;
	if (of_library(caller, size)) {
		memory.spared++;
		return false;
	}
	memory.failed++;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return memory__fails(__builtin_return_address(0), size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return memory__fails(__builtin_return_address(0), nr * size) ? NULL :
		__libc_calloc(nr, size);
}

void *realloc(void *p, size_t size)
{
	return memory__fails(__builtin_return_address(0), size) ? NULL :
		__libc_realloc(p, size);
}

#endif

#endif /* DWELL_TEST_FAILING_MALLOC_H */
