/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integers of variable length (LEB128), with signed ones mapped to unsigned ones
 * (zigzag), and a cursor that never reads past its end.
 */
#ifndef DWELL_TRACE_VARINT_H
#define DWELL_TRACE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX	10	/* bytes of the longest one */

static inline uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)v | 0x80;
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/* The bytes that are still to be read. Once @bad is set, everything reads as 0. */
struct cursor {
	const uint8_t	*p, *end;
	bool		 bad;
};

static inline uint8_t get_byte(struct cursor *c)
{
	if (__builtin_expect(c->p >= c->end, 0)) {
		c->bad = true;
		return 0;
	}
	return *c->p++;
}

static inline uint64_t get_varint_slow(struct cursor *c, uint64_t v)
{
	unsigned int shift = 7;

	for (;;) {
		uint8_t b = get_byte(c);

		if (shift == 63 && b > 1) {
			c->bad = true;
			return 0;
		}
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return c->bad ? 0 : v;
		shift += 7;
	}
}

static inline uint64_t get_varint(struct cursor *c)
{
	uint8_t b = get_byte(c);

	return b & 0x80 ? get_varint_slow(c, b & 0x7f) : b;
}

/* A varint that must not exceed @max. */
static inline uint64_t get_varint_max(struct cursor *c, uint64_t max)
{
	uint64_t v = get_varint(c);

	if (v > max) {
		c->bad = true;
		return 0;
	}
	return v;
}

#endif /* DWELL_TRACE_VARINT_H */
