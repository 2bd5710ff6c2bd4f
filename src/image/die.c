// SPDX-License-Identifier: GPL-2.0
/*
 * Debugging information entries, read in place: units, abbreviations, forms.
 * See die.h. It must not know what Rust is, nor where the sections came from.
 */
#include "image/die.h"

#include <stdlib.h>
#include <string.h>

#include "image/array.h"

/*
 * How often all abbreviations may be read. Once, if each table is used by units
 * of one kind only; tables that overlap would take more memory than there is.
 */
#define ABBREV_TIMES	16

static uint64_t off_read(const uint8_t *p, unsigned int off_size)
{
	return read_le(p, off_size);
}

/* Bytes of a fixed-size form, -1 for the others. */
static int form__size(unsigned int form, unsigned int addr_size, unsigned int off_size,
		      unsigned int version)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1: case DW_FORM_ref1: case DW_FORM_flag:
	case DW_FORM_strx1: case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2: case DW_FORM_ref2: case DW_FORM_strx2: case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3: case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4: case DW_FORM_ref4: case DW_FORM_strx4: case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8: case DW_FORM_ref8: case DW_FORM_ref_sig8: case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return (int)addr_size;
	case DW_FORM_strp: case DW_FORM_line_strp: case DW_FORM_sec_offset:
	case DW_FORM_strp_sup: case DW_FORM_GNU_ref_alt: case DW_FORM_GNU_strp_alt:
		return (int)off_size;
	case DW_FORM_ref_addr:
		return (int)(version <= 2 ? addr_size : off_size);
	default:
		return -1;
	}
}

const uint8_t *form__read(const struct unit *u, unsigned int form, int64_t implicit,
			  const uint8_t *p, struct attr *out)
{
	const uint8_t *end = u->end;
	uint64_t v = 0;
	int64_t s;
	int size;

	if (form == DW_FORM_indirect) {
		if (!read_uleb(&p, end, &v) || v == DW_FORM_indirect ||
		    v == DW_FORM_implicit_const || v > 0xffff)
			return NULL;
		form = (unsigned int)v;
	}
	out->form = (uint16_t)form;
	out->p = p;
	size = form__size(form, u->addr_size, u->off_size, u->version);
	if (size >= 0) {
		if (end - p < size)
			return NULL;
		out->v = form == DW_FORM_implicit_const ? (uint64_t)implicit :
			 form == DW_FORM_flag_present ? 1 : read_le(p, (unsigned int)size);
		return p + size;
	}
	switch (form) {
	case DW_FORM_udata: case DW_FORM_ref_udata: case DW_FORM_strx: case DW_FORM_addrx:
	case DW_FORM_loclistx: case DW_FORM_rnglistx:
	case DW_FORM_GNU_str_index: case DW_FORM_GNU_addr_index:
		return read_uleb(&p, end, &out->v) ? p : NULL;
	case DW_FORM_sdata:
		if (!read_sleb(&p, end, &s))
			return NULL;
		out->v = (uint64_t)s;
		return p;
	case DW_FORM_string: {
		const uint8_t *nul = memchr(p, 0, (size_t)(end - p));

		if (!nul)
			return NULL;
		out->v = (uint64_t)(nul - p);
		return nul + 1;
	}
	case DW_FORM_block1:
		if (end - p < 1)
			return NULL;
		v = *p++;
		break;
	case DW_FORM_block2:
		if (end - p < 2)
			return NULL;
		v = read_le(p, 2);
		p += 2;
		break;
	case DW_FORM_block4:
		if (end - p < 4)
			return NULL;
		v = read_le(p, 4);
		p += 4;
		break;
	case DW_FORM_block: case DW_FORM_exprloc:
		if (!read_uleb(&p, end, &v))
			return NULL;
		break;
	default:
		return NULL;
	}
	if (v > (uint64_t)(end - p))
		return NULL;
	out->p = p;
	out->v = v;
	return p + v;
}

static int scan_slot_of(unsigned int tag, unsigned int name)
{
	switch (name) {
	case DW_AT_name:
		return SCAN_NAME;
	case DW_AT_linkage_name: case DW_AT_MIPS_linkage_name:
		return tag == DW_TAG_subprogram ? SCAN_LINKAGE : SCAN_SLOTS;
	case DW_AT_declaration:
		return SCAN_DECLARATION;
	case DW_AT_byte_size:
		return SCAN_SIZE;
	case DW_AT_low_pc:
		return tag == DW_TAG_subprogram ? SCAN_LOW_PC : SCAN_SLOTS;
	case DW_AT_abstract_origin: case DW_AT_specification:
		return SCAN_ORIGIN;
	case DW_AT_location:
		return tag == DW_TAG_variable ? SCAN_LOCATION : SCAN_SLOTS;
	case DW_AT_inline:
		return SCAN_INLINE;
	default:
		return SCAN_SLOTS;
	}
}

static bool tag_scanned(unsigned int tag)
{
	switch (tag) {
	case DW_TAG_namespace: case DW_TAG_structure_type: case DW_TAG_union_type:
	case DW_TAG_enumeration_type: case DW_TAG_subprogram: case DW_TAG_variable:
		return true;
	default:
		return false;
	}
}

static int table__compile(struct abbrev_table *t, struct abbrev *ab, size_t *cap_steps,
			  size_t *nr_steps)
{
	bool want = tag_scanned(ab->tag);
	uint64_t skip = 0;

	ab->first_step = (uint32_t)*nr_steps;
	for (uint32_t i = 0; i <= ab->nr_attrs; i++) {
		const struct abbrev_attr *a = &t->attrs[ab->first_attr + i];
		int size = -1, slot = SCAN_SLOTS;

		if (i < ab->nr_attrs) {
			size = form__size(a->form, t->addr_size, t->off_size, t->version);
			if (want)
				slot = scan_slot_of(ab->tag, a->name);
			if (size >= 0 && slot == SCAN_SLOTS) {
				skip += (unsigned int)size;
				continue;
			}
		}
		if (skip) {
			if (array__room(&t->steps, cap_steps, *nr_steps, sizeof(*t->steps)))
				return -ENOMEM;
			t->steps[(*nr_steps)++] = (struct abbrev_step){
				.slot = SCAN_SLOTS, .skip = (uint32_t)skip };
			skip = 0;
		}
		if (i == ab->nr_attrs)
			break;
		if (array__room(&t->steps, cap_steps, *nr_steps, sizeof(*t->steps)))
			return -ENOMEM;
		t->steps[(*nr_steps)++] = (struct abbrev_step){
			.slot = (uint8_t)slot, .form = a->form, .implicit = a->implicit };
	}
	ab->nr_steps = (uint32_t)*nr_steps - ab->first_step;
	return 0;
}

static int abbrev__cmp(const void *a, const void *b)
{
	const struct abbrev *x = a, *y = b;

	return x->code < y->code ? -1 : x->code > y->code;
}

static void table__free(struct abbrev_table *t)
{
	if (!t)
		return;
	free(t->abbrevs);
	free(t->attrs);
	free(t->steps);
	free(t);
}

/*
 * Parse and compile one table. NULL with *@err = 0: nonsense; -ENOMEM: memory.
 * @left: bytes that may still be read.
 */
static struct abbrev_table *table__new(const struct unit *u, uint64_t *left, int *err)
{
	const struct debug_sec *sec = &u->secs->abbrev;
	size_t cap_abbrevs = 0, cap_attrs = 0, cap_steps = 0, nr_attrs = 0, nr_steps = 0;
	const uint8_t *p, *start, *end = sec->p + sec->n;
	struct abbrev_table *t;

	*err = 0;
	if (u->abbrev_off >= sec->n)
		return NULL;
	start = sec->p + u->abbrev_off;
	if ((uint64_t)(end - start) > *left)
		end = start + *left;
	t = calloc(1, sizeof(*t));
	if (!t)
		goto nomem;
	t->secs = u->secs;
	t->off = u->abbrev_off;
	t->addr_size = u->addr_size;
	t->off_size = u->off_size;
	t->version = u->version;
	p = start;
	for (;;) {
		uint64_t code, tag, name, form;
		struct abbrev *ab;
		int64_t implicit;

		if (!read_uleb(&p, end, &code))
			goto bad;
		if (!code)
			break;
		if (array__room(&t->abbrevs, &cap_abbrevs, t->nr_abbrevs, sizeof(*t->abbrevs)))
			goto nomem;
		ab = &t->abbrevs[t->nr_abbrevs];
		memset(ab, 0, sizeof(*ab));
		if (!read_uleb(&p, end, &tag) || p >= end)
			goto bad;
		ab->code = code;
		ab->tag = (uint16_t)tag;
		ab->children = *p++ != 0;
		ab->first_attr = (uint32_t)nr_attrs;
		for (;;) {
			implicit = 0;
			if (!read_uleb(&p, end, &name) || !read_uleb(&p, end, &form))
				goto bad;
			if (form == DW_FORM_implicit_const && !read_sleb(&p, end, &implicit))
				goto bad;
			if (!name && !form)
				break;
			if (array__room(&t->attrs, &cap_attrs, nr_attrs, sizeof(*t->attrs)))
				goto nomem;
			t->attrs[nr_attrs++] = (struct abbrev_attr){
				.name = (uint16_t)name, .form = (uint16_t)form,
				.implicit = implicit };
			ab->nr_attrs++;
		}
		t->nr_abbrevs++;
	}
	/* attrs is read one past a run's end by the compiler below */
	if (array__room(&t->attrs, &cap_attrs, nr_attrs, sizeof(*t->attrs)))
		goto nomem;
	t->dense = true;
	for (size_t i = 0; i < t->nr_abbrevs; i++) {
		if (t->abbrevs[i].code != i + 1)
			t->dense = false;
		if (table__compile(t, &t->abbrevs[i], &cap_steps, &nr_steps))
			goto nomem;
	}
	if (!t->dense)
		qsort(t->abbrevs, t->nr_abbrevs, sizeof(*t->abbrevs), abbrev__cmp);
	*left -= (uint64_t)(p - start);
	return t;
nomem:
	*err = -ENOMEM;
	table__free(t);
	return NULL;
bad:
	*left -= (uint64_t)(p - start);
	table__free(t);
	return NULL;
}

const struct abbrev *abbrev__find(const struct abbrev_table *t, uint64_t code)
{
	struct abbrev key = { .code = code };

	if (t->dense)
		return code - 1 < t->nr_abbrevs ? &t->abbrevs[code - 1] : NULL;
	if (!t->nr_abbrevs)
		return NULL;
	return bsearch(&key, t->abbrevs, t->nr_abbrevs, sizeof(key), abbrev__cmp);
}

/* Parse a unit's header; false at nonsense (*@next is set when the length is sane). */
static bool unit__parse(const struct debug_secs *secs, const uint8_t *p, struct unit *u,
			const uint8_t **next)
{
	const uint8_t *end = secs->info.p + secs->info.n;
	uint64_t len;

	memset(u, 0, sizeof(*u));
	u->secs = secs;
	u->start = p;
	*next = NULL;
	if (end - p < 4)
		return false;
	len = read_le(p, 4);
	p += 4;
	u->off_size = 4;
	if (len == 0xffffffff) {
		if (end - p < 8)
			return false;
		len = read_le(p, 8);
		p += 8;
		u->off_size = 8;
	} else if (len >= 0xfffffff0) {
		return false;
	}
	if (len > (uint64_t)(end - p) || len < 7)
		return false;
	u->end = p + len;
	*next = u->end;
	u->version = (uint8_t)read_le(p, 2);
	if (read_le(p, 2) < 2 || read_le(p, 2) > 5)
		return false;
	p += 2;
	if (u->version >= 5) {
		u->type = *p++;
		u->addr_size = *p++;
		if (u->end - p < u->off_size)
			return false;
		u->abbrev_off = off_read(p, u->off_size);
		p += u->off_size;
		if (u->type == DW_UT_skeleton || u->type == DW_UT_split_compile) {
			if (u->end - p < 8)
				return false;
			u->dwo_id = read_le(p, 8);
			p += 8;
		} else if (u->type == DW_UT_type || u->type == DW_UT_split_type) {
			if (u->end - p < 8 + u->off_size)
				return false;
			p += 8 + u->off_size;
		}
	} else {
		u->type = DW_UT_compile;
		if (u->end - p < u->off_size + 1)
			return false;
		u->abbrev_off = off_read(p, u->off_size);
		p += u->off_size;
		u->addr_size = *p++;
	}
	if (u->addr_size != 4 && u->addr_size != 8)
		return false;
	u->die = p;
	return true;
}

/* Attributes of the root that others need to be read. */
static void unit__root(struct unit *u)
{
	struct die root;
	uint64_t v;

	if (u->secs->split && u->version >= 5 && !u->str_offsets_base)
		u->str_offsets_base = u->off_size == 8 ? 16 : 8;
	if (!die__at(u, u->die, &root))
		return;
	if (die__uint(&root, DW_AT_str_offsets_base, &v))
		u->str_offsets_base = v;
	if (die__uint(&root, DW_AT_addr_base, &v) || die__uint(&root, DW_AT_GNU_addr_base, &v))
		u->addr_base = v;
	if (die__uint(&root, DW_AT_GNU_dwo_id, &v))
		u->dwo_id = v;
	if (die__uint(&root, DW_AT_language, &v))
		u->lang = (uint16_t)v;
	u->dwo_name = die__str(&root, DW_AT_dwo_name);
	if (!u->dwo_name)
		u->dwo_name = die__str(&root, DW_AT_GNU_dwo_name);
	u->comp_dir = die__str(&root, DW_AT_comp_dir);
	u->producer = die__str(&root, DW_AT_producer);
}

/* Where in .debug_cu_index the next unit's row is likely to be, and rows looked at so far. */
struct package_pos {
	uint64_t	row, looked;
};

#define MAX_ROWS	(1u << 26)	/* looked at in all: rows in no order, or nonsense */

/*
 * In a package the offsets of a unit's abbreviations and string offsets are
 * relative to its contributions, which .debug_cu_index lists.
 */
static bool unit__contributions(const struct debug_secs *secs, struct unit *u,
				struct package_pos *pos)
{
	const uint8_t *p = secs->cu_index.p, *rows, *end = p + secs->cu_index.n;
	uint64_t version, nr_cols, nr_units, nr_slots, at = (uint64_t)(u->start - secs->info.p);
	const uint8_t *cols, *sizes;

	if (secs->cu_index.n < 16)
		return true;
	version = read_le(p, 4);
	if (version != 2)
		version = read_le(p, 2);
	nr_cols = read_le(p + 4, 4);
	nr_units = read_le(p + 8, 4);
	nr_slots = read_le(p + 12, 4);
	if ((version != 2 && version != 5) || !nr_cols || nr_cols > 16 ||
	    nr_slots > (uint64_t)(end - p) / 12)
		return false;
	cols = p + 16 + nr_slots * 12;
	if (cols > end || nr_cols * 4 > (uint64_t)(end - cols))
		return false;
	rows = cols + nr_cols * 4;
	if (nr_units > (uint64_t)(end - rows) / (nr_cols * 8))
		return false;
	sizes = rows + nr_units * nr_cols * 4;
	for (uint64_t k = 0; k < nr_units && pos->looked < MAX_ROWS; k++, pos->looked++) {
		uint64_t r = (pos->row + k) % nr_units;
		bool mine = false;

		for (uint64_t c = 0; c < nr_cols; c++) {
			uint64_t off = read_le(rows + (r * nr_cols + c) * 4, 4);
			uint64_t len = read_le(sizes + (r * nr_cols + c) * 4, 4);

			/* DW_SECT_INFO is 1 in both versions */
			if (read_le(cols + c * 4, 4) == 1 && at >= off && at < off + len)
				mine = true;
		}
		if (!mine)
			continue;
		for (uint64_t c = 0; c < nr_cols; c++) {
			uint64_t off = read_le(rows + (r * nr_cols + c) * 4, 4);

			switch (read_le(cols + c * 4, 4)) {
			case 3:		/* DW_SECT_ABBREV */
				u->abbrev_off += off;
				break;
			case 6:		/* DW_SECT_STR_OFFSETS */
				u->str_offsets_base = off;
				if (u->version >= 5)
					u->str_offsets_base += u->off_size == 8 ? 16 : 8;
				break;
			}
		}
		pos->row = r + 1;
		return true;
	}
	return false;
}

static int table__cmp(const struct unit *a, const struct unit *b)
{
	if (a->abbrev_off != b->abbrev_off)
		return a->abbrev_off < b->abbrev_off ? -1 : 1;
	if (a->addr_size != b->addr_size)
		return a->addr_size < b->addr_size ? -1 : 1;
	if (a->off_size != b->off_size)
		return a->off_size < b->off_size ? -1 : 1;
	return (int)a->version - (int)b->version;
}

static int unit__cmp_table(const void *a, const void *b)
{
	return table__cmp(*(struct unit *const *)a, *(struct unit *const *)b);
}

int debug_info__add(struct debug_info *di, const struct debug_secs *secs, bool *torn)
{
	const uint8_t *p = secs->info.p, *next;
	size_t first = di->nr_units;
	const struct abbrev_table *table = NULL;
	uint64_t left = ABBREV_TIMES * (uint64_t)secs->abbrev.n;
	struct unit u, *last = NULL;
	struct package_pos pos = { 0 };
	int err;

	*torn = false;
	while (p && p < secs->info.p + secs->info.n) {
		struct unit *copy;
		bool ok = unit__parse(secs, p, &u, &next);

		if (!next) {
			*torn = true;
			break;
		}
		p = next;
		if (!ok || (secs->split && !unit__contributions(secs, &u, &pos))) {
			*torn = true;
			continue;
		}
		if (array__room(&di->units, &di->cap_units, di->nr_units, sizeof(*di->units)))
			return -ENOMEM;
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = u;
		di->units[di->nr_units++] = copy;
	}
	if (di->nr_units == first)
		return 0;
	/* units that share a table are neighbours after this */
	qsort(di->units + first, di->nr_units - first, sizeof(*di->units), unit__cmp_table);
	for (size_t i = first; i < di->nr_units; i++) {
		struct unit *unit = di->units[i];

		if (!last || table__cmp(last, unit)) {
			struct abbrev_table *t;

			if (array__room(&di->tables, &di->cap_tables, di->nr_tables,
					sizeof(*di->tables)))
				return -ENOMEM;
			t = table__new(unit, &left, &err);
			if (err) {
				/* the rest is freed with the array */
				return err;
			}
			if (t)
				di->tables[di->nr_tables++] = t;
			table = t;
		}
		last = unit;
		unit->abbrevs = table;
	}
	for (size_t i = first; i < di->nr_units; i++) {
		if (di->units[i]->abbrevs)
			unit__root(di->units[i]);
		else
			*torn = true;
	}
	return 0;
}

static int unit__cmp(const void *a, const void *b)
{
	const struct unit *x = *(struct unit *const *)a, *y = *(struct unit *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void debug_info__sort(struct debug_info *di)
{
	if (di->nr_units)
		qsort(di->units, di->nr_units, sizeof(*di->units), unit__cmp);
}

void debug_info__free(struct debug_info *di)
{
	for (size_t i = 0; i < di->nr_units; i++)
		free(di->units[i]);
	for (size_t i = 0; i < di->nr_tables; i++)
		table__free(di->tables[i]);
	free(di->units);
	free(di->tables);
	memset(di, 0, sizeof(*di));
}

const struct unit *debug_info__unit_at(const struct debug_info *di, const uint8_t *p)
{
	size_t lo = 0, hi = di->nr_units;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p < di->units[mid]->start)
			hi = mid;
		else if (p >= di->units[mid]->end)
			lo = mid + 1;
		else
			return di->units[mid];
	}
	return NULL;
}

bool die__at(const struct unit *u, const uint8_t *p, struct die *out)
{
	uint64_t code;

	if (!u->abbrevs || p < u->die || p >= u->end)
		return false;
	out->u = u;
	out->p = p;
	if (!read_uleb(&p, u->end, &code) || !code)
		return false;
	out->attrs = p;
	out->ab = abbrev__find(u->abbrevs, code);
	return out->ab != NULL;
}

bool die__at_addr(const struct debug_info *di, const uint8_t *p, struct die *out)
{
	const struct unit *u = debug_info__unit_at(di, p);

	return u && die__at(u, p, out);
}

bool die__root(const struct unit *u, struct die *out)
{
	return die__at(u, u->die, out);
}

const uint8_t *die__end_of_attrs(const struct die *d)
{
	const struct abbrev_table *t = d->u->abbrevs;
	const uint8_t *p = d->attrs;
	struct attr a;

	for (uint32_t i = 0; i < d->ab->nr_steps; i++) {
		const struct abbrev_step *s = &t->steps[d->ab->first_step + i];

		if (!s->form) {
			if (s->skip > (uint64_t)(d->u->end - p))
				return NULL;
			p += s->skip;
		} else {
			p = form__read(d->u, s->form, s->implicit, p, &a);
			if (!p)
				return NULL;
		}
	}
	return p;
}

bool die__child(const struct die *d, struct die *out)
{
	const uint8_t *p;

	if (!d->ab->children)
		return false;
	p = die__end_of_attrs(d);
	return p && die__at(d->u, p, out);
}

bool die__next(struct debug_info *di, const struct die *d, struct die *out)
{
	const struct unit *u = d->u;
	struct die at = *d;
	unsigned long depth = 0;
	uint64_t code;

	for (;;) {
		const uint8_t *p = die__end_of_attrs(&at);

		di->steps++;
		if (!p)
			return false;
		if (at.ab->children)
			depth++;
		/* nulls close the levels below @d; one more closes its own */
		while (p < u->end && !*p) {
			if (!depth)
				return false;
			depth--;
			p++;
			if (!depth)
				break;
		}
		if (p >= u->end)
			return false;
		out->u = u;
		out->p = p;
		if (!read_uleb(&p, u->end, &code) || !code)
			return false;
		out->attrs = p;
		out->ab = abbrev__find(u->abbrevs, code);
		if (!out->ab)
			return false;
		if (!depth)
			return true;
		at = *out;
	}
}

bool die__attr(const struct die *d, unsigned int name, struct attr *out)
{
	const struct abbrev_attr *a = d->u->abbrevs->attrs + d->ab->first_attr;
	const uint8_t *p = d->attrs;
	bool there = false;

	/* most questions are about attributes that an entry does not have */
	for (uint32_t i = 0; i < d->ab->nr_attrs && !there; i++)
		there = a[i].name == name;
	if (!there)
		return false;
	for (uint32_t i = 0; i < d->ab->nr_attrs; i++) {
		p = form__read(d->u, a[i].form, a[i].implicit, p, out);
		if (!p)
			return false;
		if (a[i].name == name)
			return true;
	}
	return false;
}

/* A string of a pool, if its end is there too. */
static const char *pool_str(const struct debug_sec *sec, uint64_t off)
{
	/* a pool is known to end in NUL: see debug_file.c */
	return off < sec->n ? (const char *)sec->p + off : NULL;
}

const char *attr__str(const struct unit *u, const struct attr *a)
{
	uint64_t at;

	switch (a->form) {
	case DW_FORM_string:
		return (const char *)a->p;
	case DW_FORM_strp:
		return pool_str(&u->secs->str, a->v);
	case DW_FORM_line_strp:
		return pool_str(&u->secs->line_str, a->v);
	case DW_FORM_strx: case DW_FORM_strx1: case DW_FORM_strx2: case DW_FORM_strx3:
	case DW_FORM_strx4: case DW_FORM_GNU_str_index:
		if (a->v > u->secs->str_offsets.n)
			return NULL;
		at = u->str_offsets_base + a->v * u->off_size;
		if (at < u->str_offsets_base || at > u->secs->str_offsets.n ||
		    u->secs->str_offsets.n - at < u->off_size)
			return NULL;
		return pool_str(&u->secs->str,
				off_read(u->secs->str_offsets.p + at, u->off_size));
	default:
		return NULL;
	}
}

const char *die__str(const struct die *d, unsigned int name)
{
	struct attr a;

	return die__attr(d, name, &a) ? attr__str(d->u, &a) : NULL;
}

bool attr__is_block(const struct attr *a)
{
	switch (a->form) {
	case DW_FORM_exprloc: case DW_FORM_block: case DW_FORM_block1:
	case DW_FORM_block2: case DW_FORM_block4:
		return true;
	}
	return false;
}

bool die__uint(const struct die *d, unsigned int name, uint64_t *out)
{
	struct attr a;

	if (!die__attr(d, name, &a) || attr__is_block(&a) || a.form == DW_FORM_string ||
	    a.form == DW_FORM_data16)
		return false;
	*out = a.v;
	return true;
}

bool die__flag(const struct die *d, unsigned int name)
{
	struct attr a;

	return die__attr(d, name, &a) && a.v;
}

const uint8_t *attr__target(const struct debug_info *di, const struct unit *u,
			    const struct attr *a)
{
	(void)di;
	switch (a->form) {
	case DW_FORM_ref1: case DW_FORM_ref2: case DW_FORM_ref4: case DW_FORM_ref8:
	case DW_FORM_ref_udata:
		return a->v < (uint64_t)(u->end - u->start) ? u->start + a->v : NULL;
	case DW_FORM_ref_addr:
		return a->v < u->secs->info.n ? u->secs->info.p + a->v : NULL;
	default:
		return NULL;
	}
}

bool die__ref(const struct debug_info *di, const struct die *d, unsigned int name,
	      struct die *out)
{
	const uint8_t *p;
	struct attr a;

	if (!die__attr(d, name, &a))
		return false;
	p = attr__target(di, d->u, &a);
	if (!p)
		return false;
	if (p >= d->u->start && p < d->u->end)
		return die__at(d->u, p, out);
	return die__at_addr(di, p, out);
}

bool attr__addr(const struct unit *u, const struct attr *a, uint64_t *out)
{
	const struct unit *main = u->skeleton ? u->skeleton : u;
	uint64_t at;

	switch (a->form) {
	case DW_FORM_addr:
		*out = a->v;
		return true;
	case DW_FORM_addrx: case DW_FORM_addrx1: case DW_FORM_addrx2: case DW_FORM_addrx3:
	case DW_FORM_addrx4: case DW_FORM_GNU_addr_index:
		if (a->v > main->secs->addr.n)
			return false;
		at = main->addr_base + a->v * main->addr_size;
		if (at < main->addr_base || at > main->secs->addr.n ||
		    main->secs->addr.n - at < main->addr_size)
			return false;
		*out = read_le(main->secs->addr.p + at, main->addr_size);
		return true;
	default:
		return false;
	}
}

bool die__addr(const struct die *d, unsigned int name, uint64_t *out)
{
	struct attr a;

	return die__attr(d, name, &a) && attr__addr(d->u, &a, out);
}
