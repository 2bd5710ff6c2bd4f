/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes of a file, read into memory.
 *
 * Files are not mapped. If a mapped file is truncated, the next access kills the
 * process (SIGBUS); if it is written to, checked bytes may change before they are used.
 * Reading costs about as much as copying. Large blocks are allocated in huge pages,
 * otherwise most of the time would be spent in page faults.
 */
#ifndef DWELL_IMAGE_BYTES_H
#define DWELL_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Limits memory: a few kilobytes of compressed sections, or a sparse file, could fill
 * all memory. All compressed sections of a program's files together may unpack to
 * UNPACK_FREE bytes plus UNPACK_TIMES the size of each file that is loaded. Debug
 * information compresses to between a third and a tenth.
 */
#define UNPACK_FREE	(64ull << 20)
#define UNPACK_TIMES	32

struct stat;

/* Does the file consist mostly of holes? No real executable or debug file does. */
bool file__is_hollow(const struct stat *st);
#define FILE_IS_HOLLOW	"it is far larger than what is in it (a sparse file): it is not read"

struct bytes {
	uint8_t	*p;
	size_t	 n;
};

/*
 * Read @n bytes at @off into *@b, which the caller frees. 0; -ENOMEM; -ENODATA: the
 * file is shorter; else the errno of read.
 */
int bytes__read(struct bytes *b, int fd, uint64_t off, size_t n);
/* The same, into memory that the caller provides. */
int bytes__read_to(void *to, int fd, uint64_t off, size_t n);
/* A zeroed @b is allowed. */
void bytes__free(struct bytes *b);

#endif /* DWELL_IMAGE_BYTES_H */
