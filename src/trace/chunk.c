/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Converts the headers of files and chunks to and from bytes, and computes their
 * checksums. It must not know what payloads contain, nor do I/O.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "trace/chunk.h"
#include "trace/trace.h"

#define CHUNK_MAGIC	0x6b636c64u	/* the bytes "dlck" */

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

void trace_head__pack(uint8_t *out, uint32_t version)
{
	memcpy(out, TRACE_MAGIC, 8);
	put32(out + 8, version);
	put32(out + 12, 0);
}

int trace_head__unpack(const uint8_t *in, uint32_t *version)
{
	if (memcmp(in, TRACE_MAGIC, 8))
		return -EBADMSG;
	*version = get32(in + 8);
	return *version >= TRACE_VERSION_OLDEST && *version <= TRACE_VERSION ? 0 : -EPROTONOSUPPORT;
}

/*
 * Offsets of the fields:
 *	 0 magic   4 kind  5 0  6 cpu   8 length  12 nr
 *	16 first  24 last  32 crc of the payload  36 crc of bytes 0–35
 */
void trace_chunk_head__pack(const struct trace_chunk_head *h, uint8_t *out)
{
	put32(out, CHUNK_MAGIC);
	out[4] = h->kind;
	out[5] = 0;
	out[6] = h->cpu & 0xff;
	out[7] = h->cpu >> 8;
	put32(out + 8, h->length);
	put32(out + 12, h->nr);
	put64(out + 16, h->first);
	put64(out + 24, h->last);
	put32(out + 32, h->crc);
	put32(out + 36, crc32c(out, 36));
}

bool trace_chunk_head__unpack(struct trace_chunk_head *h, const uint8_t *in)
{
	if (get32(in) != CHUNK_MAGIC || get32(in + 36) != crc32c(in, 36))
		return false;
	h->kind = in[4];
	h->cpu = in[6] | in[7] << 8;
	h->length = get32(in + 8);
	h->nr = get32(in + 12);
	h->first = get64(in + 16);
	h->last = get64(in + 24);
	h->crc = get32(in + 32);
	if (h->length > TRACE_CHUNK_MAX)
		return false;
	/* An event takes at least two bytes. */
	if (h->kind == TRACE_CHUNK_EVENTS &&
	    (!h->nr || h->nr > TRACE_CHUNK_EVENTS_MAX || h->nr > h->length / 2 ||
	     h->first > h->last))
		return false;
	return true;
}

#define CRC32C_POLY	0x82f63b78u	/* bit-reversed */

static uint32_t crc32c_soft(uint32_t crc, const uint8_t *p, size_t len)
{
	/*
	 * Four bits at a time: a small table, only used on CPUs without the crc32
	 * instruction.
	 */
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	while (len--) {
		crc ^= *p++;
		crc = nibble[crc & 15] ^ crc >> 4;
		crc = nibble[crc & 15] ^ crc >> 4;
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static uint32_t crc32c_hard(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t c = crc;

	for (; len >= 8; len -= 8, p += 8) {
		uint64_t v;

		memcpy(&v, p, sizeof(v));
		c = __builtin_ia32_crc32di(c, v);
	}
	crc = (uint32_t)c;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

uint32_t crc32c(const void *data, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_hard(~0u, data, len);
#endif
	return ~crc32c_soft(~0u, data, len);
}
