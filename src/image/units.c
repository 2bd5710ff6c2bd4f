// SPDX-License-Identifier: GPL-2.0
/*
 * Units of debug information: headers, tables of abbreviations, and the contributions
 * in a package. See units.h. It must not know what Rust is, nor where the sections came
 * from.
 */
#include "image/units.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "image/bytes.h"
#include "image/die.h"

/*
 * Limits how often abbreviations are parsed: overlapping tables could claim more memory
 * than the machine has. Normally each is parsed once.
 */
#define ABBREV_TIMES	16

bool debug_sec__read(const struct debug_sec *s, uint64_t off, void *to, size_t n)
{
	if (off > s->n || n > s->n - off)
		return false;
	if (!s->p)
		return !bytes__read_to(to, s->fd, s->off + off, n);
	memcpy(to, s->p + off, n);
	return true;
}

/* ---- abbreviations -------------------------------------------------------- */

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
 * Parses and compiles one table. NULL with *@err = 0: malformed; -ENOMEM: no memory.
 * @left: bytes that may still be parsed.
 */
static struct abbrev_table *table__new(const struct unit *u, uint64_t *left, int *err)
{
	const struct debug_sec *sec = &u->secs->abbrev;
	size_t cap_abbrevs = 0, cap_attrs = 0, cap_steps = 0, nr_attrs = 0, nr_steps = 0;
	const uint8_t *p, *start, *end;
	struct abbrev_table *t;

	*err = 0;
	if (u->abbrev_off >= sec->n)
		return NULL;
	start = sec->p + u->abbrev_off;
	end = sec->p + sec->n;
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
	/* room for one more than is used, also for a table without steps */
	if (array__room(&t->attrs, &cap_attrs, nr_attrs, sizeof(*t->attrs)) ||
	    array__room(&t->steps, &cap_steps, nr_steps, sizeof(*t->steps)))
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

/* ---- headers -------------------------------------------------------------- */

/* Parses a unit's header; false: malformed (*@next is set if the length is plausible). */
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
		u->abbrev_off = read_le(p, u->off_size);
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
		u->abbrev_off = read_le(p, u->off_size);
		p += u->off_size;
		u->addr_size = *p++;
	}
	if (u->addr_size != 4 && u->addr_size != 8)
		return false;
	u->die = p;
	return true;
}

/* Reads the attributes of the root entry that are needed to read others. */
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
	if (die__uint(&root, DW_AT_GNU_ranges_base, &v))
		u->gnu_ranges_base = v;
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

/* ---- packages ------------------------------------------------------------- */

/* The parts of shared sections that belong to a unit of a package. */
struct contribution {
	uint32_t	info, info_size, abbrev, str_offsets, loc, rnglists;
};

/* The rows of .debug_cu_index. */
struct package {
	bool			 is;		/* the section exists: units need a row */
	struct contribution	*rows;		/* sorted by position in .debug_info */
	size_t			 nr;
};

static int contribution__cmp(const void *a, const void *b)
{
	const struct contribution *x = a, *y = b;

	if (x->info != y->info)
		return x->info < y->info ? -1 : 1;
	return x->info_size < y->info_size ? -1 : x->info_size > y->info_size;
}

/* The value in column @col of a row of offsets; 0: there is no such column. */
static uint32_t package__cell(const uint8_t *row, uint64_t nr_cols, uint64_t col)
{
	return col < nr_cols ? (uint32_t)read_le(row + col * 4, 4) : 0;
}

/*
 * The index is a hash table of ids, which is not needed here, and two tables, of
 * offsets and of sizes, with a row for each unit and a column for each section. If it
 * is malformed, there are no rows. Line tables are only those of type units: other
 * units number source files by their skeletons' tables.
 */
static int package__read(struct package *pk, const struct debug_sec *index)
{
	const uint8_t *p = index->p, *end, *cols, *rows, *sizes;
	uint64_t version, nr_cols, nr_rows, nr_slots, col[DW_SECT_RNGLISTS + 1];

	memset(pk, 0, sizeof(*pk));
	if (index->n < 16)
		return 0;
	pk->is = true;
	end = p + index->n;
	version = read_le(p, 4);
	if (version != 2)
		version = read_le(p, 2);
	nr_cols = read_le(p + 4, 4);
	nr_rows = read_le(p + 8, 4);
	nr_slots = read_le(p + 12, 4);
	if ((version != 2 && version != 5) || !nr_cols || nr_cols > 16 ||
	    nr_slots > (index->n - 16) / 12)
		return 0;
	cols = p + 16 + nr_slots * 12;
	if (nr_cols * 4 > (uint64_t)(end - cols))
		return 0;
	rows = cols + nr_cols * 4;
	if (nr_rows > (uint64_t)(end - rows) / (nr_cols * 8))
		return 0;
	sizes = rows + nr_rows * nr_cols * 4;
	/* these sections have the same numbers in both versions (LOC is LOCLISTS) */
	memset(col, 0xff, sizeof(col));
	for (uint64_t c = 0; c < nr_cols; c++) {
		uint64_t sect = read_le(cols + c * 4, 4);

		/* packages before DWARF 5 have no range lists, and macros under this number */
		if (sect < DW_SECT_RNGLISTS || (sect == DW_SECT_RNGLISTS && version == 5))
			col[sect] = c;
	}
	if (col[DW_SECT_INFO] >= nr_cols || !nr_rows)
		return 0;
	pk->rows = calloc(nr_rows, sizeof(*pk->rows));
	if (!pk->rows)
		return -ENOMEM;
	pk->nr = nr_rows;
	for (uint64_t r = 0; r < nr_rows; r++, rows += nr_cols * 4, sizes += nr_cols * 4) {
		struct contribution *row = &pk->rows[r];

		row->info = (uint32_t)read_le(rows + col[DW_SECT_INFO] * 4, 4);
		row->info_size = (uint32_t)read_le(sizes + col[DW_SECT_INFO] * 4, 4);
		row->abbrev = package__cell(rows, nr_cols, col[DW_SECT_ABBREV]);
		row->str_offsets = package__cell(rows, nr_cols, col[DW_SECT_STR_OFFSETS]);
		row->loc = package__cell(rows, nr_cols, col[DW_SECT_LOCLISTS]);
		row->rnglists = package__cell(rows, nr_cols, col[DW_SECT_RNGLISTS]);
	}
	qsort(pk->rows, pk->nr, sizeof(*pk->rows), contribution__cmp);
	return 0;
}

/* Makes a unit's offsets absolute; false: the package has no row for it. */
static bool package__place(const struct package *pk, struct unit *u)
{
	uint64_t at = (uint64_t)(u->start - u->secs->info.p);
	const struct contribution *row;
	size_t lo;

	if (!pk->is)
		return true;
	/* the last row that begins at or before @at */
	lo = BISECT(pk->nr, k, pk->rows[k].info <= at);
	if (!lo)
		return false;
	row = &pk->rows[lo - 1];
	if (at - row->info >= row->info_size)
		return false;
	u->abbrev_off += row->abbrev;
	u->str_offsets_base = row->str_offsets;
	u->loc_base = row->loc;
	u->rnglists_base = row->rnglists;
	if (u->version >= 5)
		u->str_offsets_base += u->off_size == 8 ? 16 : 8;
	return true;
}

/* ---- all units ------------------------------------------------------------ */

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

/* Reads the headers. Malformed units, and those without a row in a package, are left out. */
static int add_units(struct debug_info *di, const struct debug_secs *secs,
		     const struct package *pk, bool *torn)
{
	const uint8_t *p = secs->info.p, *next;
	struct unit u;

	while (p && p < secs->info.p + secs->info.n) {
		struct unit *copy;
		bool ok = unit__parse(secs, p, &u, &next);

		if (!next) {
			*torn = true;
			break;
		}
		p = next;
		if (!ok || !package__place(pk, &u)) {
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
	return 0;
}

/* Assigns abbreviations to the units from @first on. */
static int add_tables(struct debug_info *di, const struct debug_secs *secs, size_t first)
{
	uint64_t left = ABBREV_TIMES * (uint64_t)secs->abbrev.n;
	struct abbrev_table *table = NULL;
	struct unit *last = NULL;
	int err;

	/* sorts units that share a table next to each other */
	qsort(di->units + first, di->nr_units - first, sizeof(*di->units), unit__cmp_table);
	for (size_t i = first; i < di->nr_units; i++) {
		struct unit *unit = di->units[i];

		if (!last || table__cmp(last, unit)) {
			if (array__room(&di->tables, &di->cap_tables, di->nr_tables,
					sizeof(*di->tables)))
				return -ENOMEM;
			table = table__new(unit, &left, &err);
			if (err)
				return err;
			if (table)
				di->tables[di->nr_tables++] = table;
		}
		last = unit;
		unit->abbrevs = table;
	}
	return 0;
}

int debug_info__add(struct debug_info *di, const struct debug_secs *secs, bool *torn)
{
	size_t first = di->nr_units;
	struct package pk;
	int err;

	*torn = false;
	err = package__read(&pk, &secs->cu_index);
	if (!err)
		err = add_units(di, secs, &pk, torn);
	free(pk.rows);
	if (!err && di->nr_units > first)
		err = add_tables(di, secs, first);
	if (err)
		return err;
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
	size_t i = BISECT(di->nr_units, k, di->units[k]->end <= p);

	return i < di->nr_units && di->units[i]->start <= p ? di->units[i] : NULL;
}
