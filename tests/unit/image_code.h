/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of functions (.eh_frame_hdr and .eh_frame) made by hand, for code that
 * tests have made by hand.
 */
#ifndef DWELL_TEST_IMAGE_CODE_H
#define DWELL_TEST_IMAGE_CODE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct code_fn {
	uint64_t	start, size;
};

#define CODE_FRAMES_MAX	512	/* bytes, for some twenty functions */

static inline uint8_t *code_put(uint8_t *p, uint64_t v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
	return p + n;
}

/*
 * Write a header, to be loaded at @vaddr, and the table behind it, as linkers do:
 * addresses as 32-bit distances. Returns the end.
 */
static inline uint8_t *code_frames(uint8_t *out, uint64_t vaddr, const struct code_fn *fns,
				   size_t nr)
{
	uint8_t *p = out, *cie;

	p = code_put(p, 0xffff1b01, 4);		/* version 1; pcrel sdata4; no index */
	p = code_put(p, 4, 4);			/* the table is behind this */
	cie = p;
	p = code_put(p, 16, 4);
	p = code_put(p, 0, 4);
	p = code_put(p, 1, 1);
	memcpy(p, "zR", 3);
	p += 3;
	p = code_put(p, 0x107801, 3);		/* alignments 1 and -8, register 16 */
	p = code_put(p, 0x1b01, 2);		/* one byte: pcrel sdata4 */
	p = code_put(p, 0, 3);
	for (size_t i = 0; i < nr; i++) {
		p = code_put(p, 16, 4);
		p = code_put(p, (uint64_t)(p - cie), 4);
		p = code_put(p, fns[i].start - (vaddr + (uint64_t)(p - out)), 4);
		p = code_put(p, fns[i].size, 4);
		p = code_put(p, 0, 4);
	}
	return code_put(p, 0, 4);
}

#endif /* DWELL_TEST_IMAGE_CODE_H */
