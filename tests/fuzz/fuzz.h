/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the harnesses share: files in memory, and what must hold of any output.
 * libFuzzer calls the two functions below for each input and once at the start;
 * what is wrong ends the process, and it keeps the input.
 */
#ifndef DWELL_FUZZ_H
#define DWELL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text_file.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define must(what) do {								\
	if (!(what)) {								\
		fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
		abort();							\
	}									\
} while (0)

/* A file without a name, whose contents are set for each input. */
struct memory_file {
	int	fd;
	char	path[40];
};

static inline void memory_file__set(struct memory_file *f, const void *data, size_t size)
{
	if (!f->path[0]) {
		f->fd = memfd_create("fuzz", MFD_CLOEXEC);
		must(f->fd >= 0);
		snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	}
	must(!ftruncate(f->fd, 0));
	must(pwrite(f->fd, data, size, 0) == (ssize_t)size);
}

/* Nothing that a terminal would obey. Tabs are in the picture's script. */
static inline void must_be_printable(const char *text)
{
	size_t len = strlen(text), at = 0;
	bool valid;
	uint32_t cp;

	while (at < len) {
		at += utf8__read(text + at, len - at, &cp, &valid);
		must(valid && (cp == '\n' || cp == '\t' || !utf8__is_control(cp)));
	}
}

/* Numbers for mutations, by seed. */
static inline uint64_t random_below(uint64_t *seed, uint64_t n)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return n ? (z ^ z >> 31) % n : 0;
}

#endif /* DWELL_FUZZ_H */
