// SPDX-License-Identifier: GPL-2.0
/* Reads bytes of a file into memory: see bytes.h. It must not know what they mean. */
#include "image/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE	(2u << 20)	/* larger blocks are allocated in huge pages, if available */

bool file__is_hollow(const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size, held = 512 * (uint64_t)st->st_blocks;

	/* some file systems do not report the allocated size */
	return held && size > UNPACK_FREE && (size - UNPACK_FREE) / UNPACK_TIMES > held;
}

static uint8_t *get_memory(size_t n)
{
	void *p;

	if (n < HUGE)
		return malloc(n ? n : 1);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, n, MADV_HUGEPAGE);
	return p;
}

void bytes__free(struct bytes *b)
{
	if (b->n < HUGE)
		free(b->p);
	else
		munmap(b->p, b->n);
	*b = (struct bytes){ 0 };
}

int bytes__read_to(void *to, int fd, uint64_t off, size_t n)
{
	uint8_t *p = to;

	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENODATA;
		p += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int bytes__read(struct bytes *b, int fd, uint64_t off, size_t n)
{
	int err;

	*b = (struct bytes){ get_memory(n), n };
	if (!b->p) {
		b->n = 0;
		return -ENOMEM;
	}
	err = bytes__read_to(b->p, fd, off, n);
	if (err)
		bytes__free(b);
	return err;
}
