/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes of a file, read into memory of one's own.
 *
 * Not mapped: of a mapped file that gets shorter, the next look kills the
 * process (SIGBUS), and of one that is written to, what was checked may be
 * another thing when it is used. To read costs about what it costs to copy;
 * large pieces get huge pages, without which most of the time would go into
 * page faults.
 */
#ifndef DWELL_IMAGE_BYTES_H
#define DWELL_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many bytes compressed sections may come to, of all files of one program,
 * and a sparse file to how many: a few kilobytes can be made to fill all memory.
 * Each file that is loaded adds UNPACK_TIMES its size; debug information packs to
 * a third or a tenth.
 */
#define UNPACK_FREE	(64ull << 20)
#define UNPACK_TIMES	32

struct stat;

/* Mostly holes: no executable is, nor a debug file. */
bool file__is_hollow(const struct stat *st);
#define FILE_IS_HOLLOW	"it is far larger than what is in it (a sparse file): it is not read"

struct bytes {
	uint8_t	*p;
	size_t	 n;
};

/*
 * Read @n bytes at @off. 0 and *@b, to be freed; -ENOMEM; -ENODATA: the file
 * ends before; else what read said.
 */
int bytes__read(struct bytes *b, int fd, uint64_t off, size_t n);
/* The same into memory that is there. */
int bytes__read_to(void *to, int fd, uint64_t off, size_t n);
/* All zeros is fine. */
void bytes__free(struct bytes *b);

#endif /* DWELL_IMAGE_BYTES_H */
