// SPDX-License-Identifier: GPL-2.0
/*
 * Where functions begin and end. See eh_frame.h.
 *
 * The format is that of the Linux Standard Base (core, "Exception Frames"): a list of
 * records with lengths. A CIE tells the encoding of addresses in the FDEs that refer to
 * it; an FDE describes one function. Nothing in it is trusted.
 */
#include "image/eh_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "image/die.h"

/* Encodings of an address (LSB core, "DWARF Exception Header Encoding"). */
enum {
	PE_ABSPTR	= 0x00,
	PE_UDATA2	= 0x02,
	PE_UDATA4	= 0x03,
	PE_UDATA8	= 0x04,
	PE_SDATA2	= 0x0a,
	PE_SDATA4	= 0x0b,
	PE_SDATA8	= 0x0c,
	PE_FORMAT	= 0x0f,
	PE_PCREL	= 0x10,		/* relative to the address of the value */
	PE_BASE		= 0xf0,
};

/* A piece of the table, and its load address. */
struct part {
	const uint8_t	*p, *end;
	uint64_t	 vaddr;		/* of p */
};

static unsigned int encoded_size(uint8_t enc)
{
	switch (enc & PE_FORMAT) {
	case PE_ABSPTR: case PE_UDATA8: case PE_SDATA8:
		return 8;
	case PE_UDATA4: case PE_SDATA4:
		return 4;
	case PE_UDATA2: case PE_SDATA2:
		return 2;
	}
	return 0;
}

static bool skip(struct part *in, size_t n)
{
	if ((size_t)(in->end - in->p) < n)
		return false;
	in->p += n;
	in->vaddr += n;
	return true;
}

static bool read_encoded(struct part *in, uint8_t enc, uint64_t *out)
{
	unsigned int size = encoded_size(enc), shift = 64 - 8 * size;
	uint64_t v;

	if (!size || (size_t)(in->end - in->p) < size)
		return false;
	v = read_le(in->p, size);
	if ((enc & PE_FORMAT) >= PE_SDATA2)
		v = (uint64_t)((int64_t)(v << shift) >> shift);
	if ((enc & PE_BASE) == PE_PCREL)
		v += in->vaddr;
	else if (enc & PE_BASE)
		return false;
	*out = v;
	return skip(in, size);
}

static bool read_leb(struct part *in, uint64_t *out)
{
	const uint8_t *p = in->p;

	if (!read_uleb(&p, in->end, out))
		return false;
	in->vaddr += (uint64_t)(p - in->p);
	in->p = p;
	return true;
}

/* Reads the encoding of addresses in FDEs from the augmentation of a CIE. */
static bool augmentation(struct part *in, const char *aug, uint8_t *enc)
{
	uint64_t len, ignored;

	if (*aug++ != 'z' || !read_leb(in, &len))
		return false;
	for (; *aug && *aug != 'R'; aug++) {
		uint8_t e;

		if (*aug == 'S' || *aug == 'B')
			continue;
		if (in->p == in->end)
			return false;
		e = *in->p;
		skip(in, 1);
		/* 'P': a personality routine; 'L': the encoding of another address */
		if (*aug == 'P' && !read_encoded(in, e & PE_FORMAT, &ignored))
			return false;
		if (*aug != 'P' && *aug != 'L')
			return false;
	}
	if (!*aug)
		return true;
	if (in->p == in->end)
		return false;
	*enc = *in->p;
	return true;
}

/* Reads the encoding that the FDEs use from the body of a CIE, behind its id. */
static bool cie__encoding(struct part in, uint8_t *enc)
{
	uint8_t version;
	const char *aug;
	uint64_t ignored;
	size_t len;

	*enc = PE_ABSPTR;
	if (in.p == in.end)
		return false;
	version = *in.p;
	if ((version != 1 && version != 3) || !skip(&in, 1))
		return false;
	aug = (const char *)in.p;
	len = strnlen(aug, (size_t)(in.end - in.p));
	/* code alignment, data alignment, return address register */
	if (!skip(&in, len + 1) || !read_leb(&in, &ignored) || !read_leb(&in, &ignored) ||
	    (version == 1 ? !skip(&in, 1) : !read_leb(&in, &ignored)))
		return false;
	return !*aug || augmentation(&in, aug, enc);
}

/* A record: its id with the id's position, and the body behind it. */
struct record {
	struct part	 body;
	const uint8_t	*id_at;
	uint64_t	 id;
};

/* The record at @in, which is moved to the next one. False: the end of the list. */
static bool next_record(struct part *in, struct record *r)
{
	unsigned int id_size = 4;
	uint64_t len;

	if (in->end - in->p < 4)
		return false;
	len = read_le(in->p, 4);
	skip(in, 4);
	if (len == 0xffffffff) {
		if (in->end - in->p < 8)
			return false;
		len = read_le(in->p, 8);
		skip(in, 8);
		id_size = 8;
	}
	if (len < id_size || len > (size_t)(in->end - in->p))
		return false;
	r->id_at = in->p;
	r->id = read_le(in->p, id_size);
	r->body = (struct part){ in->p + id_size, in->p + len, in->vaddr + id_size };
	return skip(in, (size_t)len);
}

static int add_range(struct eh_frame *t, size_t *cap, uint64_t start, uint64_t size)
{
	if (!size || start + size < start)
		return 0;
	if (array__room(&t->ranges, cap, t->nr, sizeof(*t->ranges)))
		return -ENOMEM;
	t->ranges[t->nr++] = (struct eh_range){ start, start + size };
	return 0;
}

static int range__cmp(const void *a, const void *b)
{
	const struct eh_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* Reads all records from @all on; FDEs refer to CIEs before them. */
static int read_table(struct eh_frame *t, const struct part all)
{
	const uint8_t *cie = NULL;
	struct part in = all;
	struct record r, c;
	uint8_t enc = 0;
	bool known = false;
	size_t cap = 0;

	while (next_record(&in, &r)) {
		uint64_t start, size;
		struct part at = all;

		if (!r.id)
			continue;
		/* an FDE's id is the distance back to its CIE */
		if (r.id > (uint64_t)(r.id_at - all.p))
			continue;
		if (r.id_at - r.id != cie) {
			cie = r.id_at - r.id;
			skip(&at, (size_t)(cie - all.p));
			known = next_record(&at, &c) && !c.id && cie__encoding(c.body, &enc);
		}
		if (!known || !read_encoded(&r.body, enc, &start) ||
		    !read_encoded(&r.body, enc & PE_FORMAT, &size))
			continue;
		if (add_range(t, &cap, start, size))
			return -ENOMEM;
	}
	return 0;
}

/*
 * Functions do not overlap. Where the table says that they do, the earlier one is made
 * to end where the next begins; otherwise a few records could claim all code many
 * times.
 */
static void clip(struct eh_frame *t)
{
	size_t out = 0;

	for (size_t i = 0; i < t->nr; i++) {
		struct eh_range r = t->ranges[i];

		if (i + 1 < t->nr && r.end > t->ranges[i + 1].start)
			r.end = t->ranges[i + 1].start;
		if (r.end > r.start)
			t->ranges[out++] = r;
	}
	t->nr = out;
}

/* Finds the table by its header, as the program does; false: there is none. */
static bool find_table(const struct binary *b, struct part *out)
{
	struct part in = { .vaddr = b->eh_frame_hdr };
	uint8_t enc;
	size_t n;

	in.p = in.vaddr ? binary__bytes(b, in.vaddr, &n) : NULL;
	/* version; encodings of: the pointer to the table, the count, the search table */
	if (!in.p || n < 4 || in.p[0] != 1)
		return false;
	in.end = in.p + n;
	enc = in.p[1];
	if (!skip(&in, 4) || !read_encoded(&in, enc, &out->vaddr))
		return false;
	out->p = binary__bytes(b, out->vaddr, &n);
	out->end = out->p ? out->p + n : NULL;
	return out->p;
}

int eh_frame__load(struct eh_frame *t, const struct binary *b)
{
	struct part all;

	memset(t, 0, sizeof(*t));
	if (!find_table(b, &all))
		return 0;
	if (read_table(t, all)) {
		eh_frame__free(t);
		return -ENOMEM;
	}
	if (t->nr)
		qsort(t->ranges, t->nr, sizeof(*t->ranges), range__cmp);
	clip(t);
	return 0;
}

void eh_frame__free(struct eh_frame *t)
{
	free(t->ranges);
	memset(t, 0, sizeof(*t));
}

const struct eh_range *eh_frame__find(const struct eh_frame *t, uint64_t vaddr)
{
	size_t lo = BISECT(t->nr, k, t->ranges[k].start <= vaddr);
	return lo && vaddr < t->ranges[lo - 1].end ? &t->ranges[lo - 1] : NULL;
}
