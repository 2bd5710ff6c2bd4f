// SPDX-License-Identifier: GPL-2.0
/*
 * The model under construction, and the flat block that it becomes: see model.h. It
 * must not know where the contents come from.
 */
#include "image/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/utf8.h"

static const uint32_t elem_size[MODEL_TABLES] = {
	[MODEL_FNS]		= sizeof(struct image_fn),
	[MODEL_RETURNS]		= sizeof(struct image_return),
	[MODEL_TYPES]		= sizeof(struct image_type),
	[MODEL_VARIANTS]	= sizeof(struct image_variant),
	[MODEL_VTABLES]		= sizeof(struct image_vtable),
	[MODEL_CELLS]		= sizeof(struct walk_cell),
	[MODEL_TLS]		= sizeof(struct image_tls),
	[MODEL_RUNTIMES]	= sizeof(struct image_runtime),
	[MODEL_ROOT_SITES]	= sizeof(struct image_root_site),
	[MODEL_ROOT_RANGES]	= sizeof(struct image_root_range),
	[MODEL_WALK_TYPES]	= sizeof(struct walk_type),
	[MODEL_WALK_VARIANTS]	= sizeof(struct walk_variant),
	[MODEL_WALK_ARCS]	= sizeof(struct walk_arc),
	[MODEL_WALK_LEAVES]	= sizeof(struct walk_leaf),
	[MODEL_LAYOUTS]		= sizeof(struct image_path),
	[MODEL_PARTS]		= sizeof(struct image_part),
	[MODEL_HANDLES]		= sizeof(struct image_handle),
	[MODEL_VALUES]		= sizeof(struct image_value),
	[MODEL_ROWS]		= sizeof(struct image_row),
	[MODEL_NOTES]		= sizeof(image_str),
	[MODEL_STRINGS]		= 1,
};

void model__init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	model__add(m, MODEL_STRINGS, 1);	/* offset 0 is the empty string */
}

void model__free(struct model *m)
{
	for (int t = 0; t < MODEL_TABLES; t++)
		free(m->tables[t].p);
	hash_table__clear(&m->strs);
	memset(m, 0, sizeof(*m));
}

uint32_t model__add(struct model *m, enum model_table t, size_t nr)
{
	size_t size = elem_size[t], at = m->tables[t].nr;

	if (nr >= UINT32_MAX - at) {
		m->err = -ENOMEM;
		return WALK_NONE;
	}
	if (at + nr > m->tables[t].cap) {
		size_t cap = m->tables[t].cap ? m->tables[t].cap : 64;
		void *p;

		while (cap < at + nr)
			cap *= 2;
		p = realloc(m->tables[t].p, cap * size);
		if (!p) {
			m->err = -ENOMEM;
			return WALK_NONE;
		}
		m->tables[t].p = p;
		m->tables[t].cap = cap;
	}
	memset((char *)m->tables[t].p + at * size, 0, nr * size);
	m->tables[t].nr += nr;
	return (uint32_t)at;
}

void *model__at(const struct model *m, enum model_table t, uint32_t i)
{
	return (char *)m->tables[t].p + (size_t)i * elem_size[t];
}

const char *model__text(const struct model *m, image_str s)
{
	return (const char *)m->tables[MODEL_STRINGS].p + s;
}

static image_str model__intern(struct model *m, const char *s, size_t n)
{
	struct hash_slot *known;
	uint64_t key;
	uint32_t off;

	if (!n)
		return 0;
	for (key = hash_table__key(&m->strs, s, n);; key++) {
		const char *have;

		known = hash_table__at(&m->strs, key);
		if (!known) {
			m->err = -ENOMEM;
			return 0;
		}
		if (!known->value)
			break;
		have = model__text(m, (image_str)known->value);
		if (!strncmp(have, s, n) && !have[n])
			return (image_str)known->value;
	}
	off = model__add(m, MODEL_STRINGS, n + 1);
	if (off == WALK_NONE)
		return 0;
	memcpy((char *)m->tables[MODEL_STRINGS].p + off, s, n);
	known->value = off;
	return off;
}

static bool is_plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

image_str model__strn(struct model *m, const char *s, size_t n)
{
	image_str at;
	char *shown;

	if (is_plain(s, n))
		return model__intern(m, s, n);
	shown = strndup(s, n);
	if (!shown) {
		m->err = -ENOMEM;
		return 0;
	}
	utf8__make_printable(shown);
	at = model__intern(m, shown, strlen(shown));
	free(shown);
	return at;
}

image_str model__str(struct model *m, const char *s)
{
	return s ? model__strn(m, s, strlen(s)) : 0;
}

bool model__has_polls(const struct model *m, unsigned int runtime)
{
	for (size_t i = 0; i < m->tables[MODEL_FNS].nr; i++) {
		const struct image_fn *fn = model__at(m, MODEL_FNS, (uint32_t)i);

		if (fn->role == RUNTIME_FN_POLL && fn->runtime == runtime)
			return true;
	}
	return false;
}

void model__note(struct model *m, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	uint32_t i;
	image_str s;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s = model__str(m, text);
	for (size_t k = 0; k < m->tables[MODEL_NOTES].nr; k++)
		if (*(image_str *)model__at(m, MODEL_NOTES, (uint32_t)k) == s)
			return;
	i = model__add(m, MODEL_NOTES, 1);
	if (i != WALK_NONE)
		*(image_str *)model__at(m, MODEL_NOTES, i) = s;
}

static uint64_t checksum(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t a = 1, b = 0, w;

	/* Fletcher's checksum over 64-bit words: detects damage, not tampering */
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		a += w;
		b += a;
	}
	w = 0;
	if (n)
		memcpy(&w, p, n);
	a += w;
	b += a;
	return a ^ (b << 32 | b >> 32);
}

static uint64_t block__checksum(const struct model_block *b)
{
	size_t from = offsetof(struct model_block, key);

	return checksum((const char *)b + from, b->size - from);
}

struct model_block *model__freeze(const struct model *m, uint64_t key)
{
	size_t size = (sizeof(struct model_block) + 7) & ~(size_t)7;
	struct model_block *b;

	for (int t = 0; t < MODEL_TABLES; t++)
		size += (m->tables[t].nr * elem_size[t] + 7) & ~(size_t)7;
	b = calloc(1, size);
	if (!b)
		return NULL;
	memcpy(b->magic, MODEL_MAGIC, sizeof(b->magic));
	b->version = MODEL_VERSION;
	b->head_size = sizeof(*b);
	b->size = size;
	b->key = key;
	b->tier = m->tier;
	b->hint = m->hint;
	b->build_id = m->build_id;
	b->debug_path = m->debug_path;
	b->producer = m->producer;
	b->torn = m->torn;
	size = (sizeof(struct model_block) + 7) & ~(size_t)7;
	for (int t = 0; t < MODEL_TABLES; t++) {
		size_t bytes = m->tables[t].nr * elem_size[t];

		b->tables[t].off = size;
		b->tables[t].nr = (uint32_t)m->tables[t].nr;
		b->tables[t].elem = elem_size[t];
		if (bytes)
			memcpy((char *)b + size, m->tables[t].p, bytes);
		size += (bytes + 7) & ~(size_t)7;
	}
	b->checksum = block__checksum(b);
	return b;
}

bool model__check(const struct model_block *b, size_t size, uint64_t key)
{
	if (size < sizeof(*b) || memcmp(b->magic, MODEL_MAGIC, sizeof(b->magic)) ||
	    b->version != MODEL_VERSION || b->head_size != sizeof(*b) || b->size != size ||
	    b->key != key || b->checksum != block__checksum(b))
		return false;
	for (int t = 0; t < MODEL_TABLES; t++) {
		if (b->tables[t].elem != elem_size[t] || b->tables[t].off % 8 ||
		    b->tables[t].off > size ||
		    (uint64_t)b->tables[t].nr * elem_size[t] > size - b->tables[t].off)
			return false;
	}
	/* every string ends before the end of the pool */
	if (!b->tables[MODEL_STRINGS].nr ||
	    ((const char *)b)[b->tables[MODEL_STRINGS].off + b->tables[MODEL_STRINGS].nr - 1])
		return false;
	return true;
}

static const void *table(const struct image *img, enum model_table t, size_t *nr)
{
	if (nr)
		*nr = img->block->tables[t].nr;
	return (const char *)img->block + img->block->tables[t].off;
}

struct image *image__adopt(struct model_block *b, size_t size, bool cached, const char *path)
{
	struct image *img = calloc(1, sizeof(*img));
	const image_str *notes;
	size_t nr;

	if (!img)
		goto fail;
	img->block = b;
	img->size = size;
	img->cached = cached;
	notes = table(img, MODEL_NOTES, &nr);
	img->notes = calloc(nr + 1, sizeof(*img->notes));
	img->path = strdup(path);
	if (!img->notes || !img->path)
		goto fail;
	for (size_t i = 0; i < nr; i++)
		img->notes[i] = image__str(img, notes[i]);
	return img;
fail:
	if (img) {
		free(img->notes);
		free(img->path);
		free(img);
	}
	free(b);
	return NULL;
}

void image__free(struct image *img)
{
	if (!img)
		return;
	if (img->binary) {
		binary__close(img->binary);
		free(img->binary);
	}
	free((void *)(uintptr_t)img->block);
	free(img->notes);
	free(img->path);
	free(img);
}

const char *image__str(const struct image *img, image_str s)
{
	size_t n;
	const char *pool = table(img, MODEL_STRINGS, &n);

	return s < n ? pool + s : "";
}

enum image_tier image__tier(const struct image *img)
{
	return (enum image_tier)img->block->tier;
}

const char *image__tier_hint(const struct image *img)
{
	return image__str(img, img->block->hint);
}

const char *image__build_id(const struct image *img)
{
	return image__str(img, img->block->build_id);
}

const char *image__debug_path(const struct image *img)
{
	return image__str(img, img->block->debug_path);
}

const char *image__producer(const struct image *img)
{
	return image__str(img, img->block->producer);
}

const struct image_fn *image__fns(const struct image *img, size_t *nr)
{
	return table(img, MODEL_FNS, nr);
}

const struct image_return *image__returns(const struct image *img, size_t *nr)
{
	return table(img, MODEL_RETURNS, nr);
}

const struct image_root_site *image__root_sites(const struct image *img, size_t *nr)
{
	return table(img, MODEL_ROOT_SITES, nr);
}

const struct image_root_range *image__root_ranges(const struct image *img, size_t *nr)
{
	return table(img, MODEL_ROOT_RANGES, nr);
}

const struct image_type *image__types(const struct image *img, size_t *nr)
{
	return table(img, MODEL_TYPES, nr);
}

const struct image_variant *image__variants(const struct image *img, size_t *nr)
{
	return table(img, MODEL_VARIANTS, nr);
}

const struct image_vtable *image__vtables(const struct image *img, size_t *nr)
{
	return table(img, MODEL_VTABLES, nr);
}

const struct walk_cell *image__cells(const struct image *img, size_t *nr)
{
	return table(img, MODEL_CELLS, nr);
}

const struct walk_type *image__walk_types(const struct image *img, size_t *nr)
{
	return table(img, MODEL_WALK_TYPES, nr);
}

const struct walk_variant *image__walk_variants(const struct image *img, size_t *nr)
{
	return table(img, MODEL_WALK_VARIANTS, nr);
}

const struct walk_arc *image__walk_arcs(const struct image *img, size_t *nr)
{
	return table(img, MODEL_WALK_ARCS, nr);
}

const struct walk_leaf *image__walk_leaves(const struct image *img, size_t *nr)
{
	return table(img, MODEL_WALK_LEAVES, nr);
}

const struct image_part *image__parts(const struct image *img, size_t *nr)
{
	return table(img, MODEL_PARTS, nr);
}

const struct image_handle *image__handles(const struct image *img, size_t *nr)
{
	return table(img, MODEL_HANDLES, nr);
}

const struct image_value *image__values(const struct image *img, size_t *nr)
{
	return table(img, MODEL_VALUES, nr);
}

const struct image_row *image__rows(const struct image *img, size_t *nr)
{
	return table(img, MODEL_ROWS, nr);
}

const struct image_path *image__layout(const struct image *img, unsigned int runtime,
				       unsigned int layout)
{
	static const struct image_path unknown;
	const struct image_path *paths;
	size_t nr, at = 0;

	paths = table(img, MODEL_LAYOUTS, &nr);
	for (unsigned int r = 0; runtimes[r]; r++) {
		if (r == runtime)
			return layout < runtimes[r]->nr_layouts && at + layout < nr ?
			       &paths[at + layout] : &unknown;
		at += runtimes[r]->nr_layouts;
	}
	return &unknown;
}

struct walk_status image__status(const struct image *img, unsigned int runtime)
{
	const struct runtime *rt = runtimes[runtime];
	const struct image_path *p = image__layout(img, runtime, rt->status_layout);
	struct walk_status status = rt->status;

	if (p->ok && !p->nr_hops)
		status.off = p->off[0];
	return status;
}

const struct image_tls *image__tls(const struct image *img, size_t *nr)
{
	return table(img, MODEL_TLS, nr);
}

const struct image_runtime *image__runtimes(const struct image *img, size_t *nr)
{
	return table(img, MODEL_RUNTIMES, nr);
}

char *image__runtime_names(const struct image *img, bool followed, char *out, size_t size)
{
	const struct image_runtime *r;
	size_t nr, at = 0;

	out[0] = '\0';
	r = image__runtimes(img, &nr);
	for (size_t i = 0; i < nr && at < size; i++)
		if (r[i].followed == followed)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "",
					       image__str(img, r[i].name));
	return out;
}

const char *const *image__notes(const struct image *img, size_t *nr)
{
	*nr = img->block->tables[MODEL_NOTES].nr;
	return img->notes;
}
