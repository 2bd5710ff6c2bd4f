// SPDX-License-Identifier: GPL-2.0
/*
 * What a suspended task has. See keeps.h. The walk leads to the futures that are awaited;
 * the image's parts (src/image/contents.h) lead from each of those to what else is live
 * there, and to futures from which the walk begins anew.
 */
#include "inspect/keeps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/walk.h"

#define MAX_ITEMS	4096	/* elements of a slice or table, messages of a channel */
#define MAX_BLOCKS	256	/* of a channel */
#define CONTROLS	64	/* bytes of a hash table that are read at once */
#define MAX_DEPTH	8	/* values in values */
#define MAX_FRAMES	65536	/* of one task */
#define MAX_LOOKS	100000	/* places of one task that are looked at */

/* A future that is kept, and not walked yet. */
struct kept {
	uint64_t	addr;
	uint32_t	type;
	uint32_t	at;		/* variant of the future that has it */
	uint32_t	part;		/* the variable that it is in */
};

struct keeps {
	struct picture			*p;
	struct walker			*walker;
	const struct image_type		*types;
	const struct image_variant	*variants;
	const struct image_part		*parts;
	const struct image_handle	*handles;
	const struct image_value	*values;
	const struct image_row		*rows;
	const struct walk_type		*walk_types;
	const struct walk_variant	*walk_variants;
	size_t				 nr_types, nr_variants, nr_parts, nr_handles, nr_values;
	size_t				 nr_rows, nr;
	struct kept			*kept;
	size_t				 nr_kept, cap_kept;
	/* the current task and future */
	uint32_t			 task, frame;
	struct kept			 from;		/* type WALK_NONE: awaited */
	uint32_t			 via;		/* see struct picture_handle */
	uint32_t			 looks;		/* left for the task */
	int				 err;
};

struct keeps *keeps__new(struct picture *p)
{
	struct keeps *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->p = p;
	k->walker = walker__new(p->img, p->target, p->bias);
	k->types = image__types(p->img, &k->nr_types);
	k->variants = image__variants(p->img, &k->nr_variants);
	k->parts = image__parts(p->img, &k->nr_parts);
	k->handles = image__handles(p->img, &k->nr_handles);
	k->values = image__values(p->img, &k->nr_values);
	k->rows = image__rows(p->img, &k->nr_rows);
	k->walk_types = image__walk_types(p->img, &k->nr);
	k->walk_variants = image__walk_variants(p->img, &k->nr);
	if (!k->walker) {
		free(k);
		return NULL;
	}
	return k;
}

void keeps__free(struct keeps *k)
{
	if (!k)
		return;
	walker__free(k->walker);
	free(k->kept);
	free(k);
}

static bool read_word(const struct keeps *k, uint64_t addr, uint64_t *out)
{
	return !process__read(k->p->target, addr, out, sizeof(*out));
}

static bool read_number(const struct keeps *k, uint64_t addr, unsigned int width, uint64_t *out)
{
	*out = 0;
	return width && width <= sizeof(*out) && !process__read(k->p->target, addr, out, width);
}

/* Where @path leads from @addr on; 0: nowhere. */
static uint64_t follow(const struct keeps *k, const struct image_path *path, uint64_t addr)
{
	for (unsigned int i = 0; i < path->nr_hops; i++)
		if (!read_word(k, addr + path->off[i], &addr) || !addr)
			return 0;
	return addr + path->off[path->nr_hops];
}

/* ---- visits ---- */

static bool visited(const struct keeps *k, uint64_t addr, uint32_t type)
{
	const struct picture_task *t = &k->p->tasks[k->task];

	for (size_t i = t->frames; i < k->p->nr_frames; i++)
		if (k->p->frames[i].addr == addr && k->p->frames[i].type == type)
			return true;
	return false;
}

static void on_visit(void *ctx, uint64_t addr, uint32_t type, uint32_t variant)
{
	struct keeps *k = ctx;
	struct picture *p = k->p;

	if (p->nr_frames - p->tasks[k->task].frames >= MAX_FRAMES)
		return;
	if (array__room(&p->frames, &p->cap_frames, p->nr_frames, sizeof(*p->frames))) {
		k->err = -ENOMEM;
		return;
	}
	p->frames[p->nr_frames++] = (struct picture_frame){
		.addr = addr, .type = type, .variant = variant,
		.kept_at = k->from.type == WALK_NONE ? WALK_NONE : k->from.at,
		.part = k->from.part,
	};
}

/* ---- leaves ---- */

static const struct runtime_semaphore *semaphore_of(const struct keeps *k, uint32_t type,
						    unsigned int *runtime)
{
	const char *name = image__str(k->p->img, k->types[type].name);

	for (unsigned int r = 0; runtimes[r]; r++) {
		const struct runtime_semaphore *s = runtimes[r]->semaphore;
		size_t len = s ? strlen(s->type) : 0;

		if (s && !strncmp(name, s->type, len) && (!name[len] || name[len] == '<')) {
			*runtime = r;
			return s;
		}
	}
	return NULL;
}

static void read_request(const struct keeps *k, struct picture_wait *w)
{
	const struct picture_frame *f = &k->p->frames[w->frame];
	const struct image_path *needs, *wants, *queued;
	const struct runtime_semaphore *s;
	unsigned int runtime;
	uint64_t flag = 0;

	s = semaphore_of(k, f->type, &runtime);
	if (!s || k->types[f->type].node_off == WALK_NONE)
		return;
	needs = image__layout(k->p->img, runtime, s->waiter_needs);
	wants = image__layout(k->p->img, runtime, s->wants);
	queued = image__layout(k->p->img, runtime, s->queued);
	if (!needs->ok || !wants->ok || !queued->ok)
		return;
	w->node = f->addr + k->types[f->type].node_off;
	if (!read_number(k, w->node + needs->off[0], needs->width, &w->needs) ||
	    !read_number(k, f->addr + wants->off[0], wants->width, &w->wants) ||
	    !read_number(k, f->addr + queued->off[0], queued->width, &flag))
		w->node = 0;
	w->queued = flag & 1;
}

/* The leaves among the futures from @first on, whose keys are those of @chain in order. */
static int add_waits(struct keeps *k, size_t first, const struct walk_chain *chain)
{
	struct picture *p = k->p;
	uint32_t key = 0;

	for (size_t i = first; i < p->nr_frames; i++) {
		const struct picture_frame *f = &p->frames[i];
		struct picture_wait *w;

		if (f->type >= k->nr_types || k->walk_types[f->type].leaf == WALK_NONE ||
		    k->walk_variants[f->variant].flags & WALK_VARIANT_DONE)
			continue;
		if (array__room(&p->waits, &p->cap_waits, p->nr_waits, sizeof(*p->waits)))
			return -ENOMEM;
		w = &p->waits[p->nr_waits++];
		*w = (struct picture_wait){ .task = k->task, .frame = (uint32_t)i,
					    .key = { .kind = WALK_KEY_UNREAD },
					    .unpolled = k->from.type != WALK_NONE };
		if (key < chain->nr_keys && key < WALK_MAX_KEYS)
			w->key = walk_keys__get(&chain->keys, key);
		key++;
		read_request(k, w);
	}
	return 0;
}

/* ---- parts ---- */

static void look_at(struct keeps *k, const struct image_part *part, uint64_t addr,
		    const struct image_part *of, unsigned int depth);

static bool may_look(struct keeps *k)
{
	if (!k->looks) {
		k->p->incomplete = true;
		return false;
	}
	k->looks--;
	return true;
}

/* The messages in the block at @block that are there, from number @next on. Are there more? */
static bool look_at_block(struct keeps *k, const struct image_handle *h, uint64_t block,
			  uint64_t next, const struct image_part *of, unsigned int depth)
{
	const struct image_part part = { .kind = IMAGE_PART_VALUE, .index = h->message };
	uint64_t start, ready;

	if (!read_word(k, block + h->block_start, &start) ||
	    !read_word(k, block + h->block_ready, &ready))
		return false;
	for (uint32_t i = 0; i < h->nr_messages && i < 64; i++) {
		if (start + i < next || !(ready >> i & 1))
			continue;
		if (!may_look(k))
			return false;
		look_at(k, &part, block + h->block_messages + (uint64_t)i * h->message_size, of,
			depth);
	}
	return true;
}

/* What is in the messages of the channel at @object, whose receiver is handle @receiver. */
static void look_at_messages(struct keeps *k, const struct image_handle *h, uint64_t object,
			     uint32_t receiver, const struct image_part *of, unsigned int depth)
{
	uint32_t outer = k->via;
	uint64_t block, next;

	if (h->message == WALK_NONE || h->message >= k->nr_values ||
	    !read_word(k, object + h->first_block.off[0], &block) ||
	    !read_word(k, object + h->next_message.off[0], &next))
		return;
	block += h->first_block.off[1];
	k->via = receiver;
	for (unsigned int i = 0; i < MAX_BLOCKS && block && !k->err; i++)
		if (!look_at_block(k, h, block, next, of, depth) ||
		    !read_word(k, block + h->block_next, &block))
			break;
	k->via = outer;
}

/* A handle of type @part at @addr, in local @of. */
static void add_handle(struct keeps *k, const struct image_part *part, uint64_t addr,
		       const struct image_part *of, unsigned int depth)
{
	const struct image_handle *h = &k->handles[part->index];
	struct picture *p = k->p;
	struct picture_handle *out;
	uint64_t object = follow(k, &h->object, addr);

	if (object < 4096 || object % 4)
		return;
	if (array__room(&p->handles, &p->cap_handles, p->nr_handles, sizeof(*p->handles))) {
		k->err = -ENOMEM;
		return;
	}
	out = &p->handles[p->nr_handles++];
	*out = (struct picture_handle){
		.task = k->task, .handle = part->index, .frame = k->frame,
		.part = (uint32_t)(of - k->parts),
		.addr = addr, .object = object, .size = h->object.size, .amount = 1,
		.via = k->via,
		.unpolled = k->from.type != WALK_NONE,
		.polled = p->tasks[k->task].state == PICTURE_POLLED,
	};
	if (h->amount.ok)
		read_number(k, addr + h->amount.off[0], h->amount.width, &out->amount);
	look_at_messages(k, h, object, (uint32_t)p->nr_handles - 1, of, depth + 1);
}

static void keep(struct keeps *k, uint64_t addr, uint32_t type, const struct image_part *of)
{
	if (!addr || type >= k->nr_types || visited(k, addr, type))
		return;
	if (array__room(&k->kept, &k->cap_kept, k->nr_kept, sizeof(*k->kept))) {
		k->err = -ENOMEM;
		return;
	}
	k->kept[k->nr_kept++] = (struct kept){ addr, type, k->p->frames[k->frame].variant,
					       (uint32_t)(of - k->parts) };
}

static void look_at_parts(struct keeps *k, uint32_t first, uint32_t nr, uint64_t base,
			  const struct image_part *of, unsigned int depth);

static const struct image_row *row_of(const struct keeps *k, const struct image_value *v,
				      uint64_t addr)
{
	const struct image_row *other = NULL;
	uint64_t disc = 0;

	if (v->disc_width && !read_number(k, addr + v->disc_off, v->disc_width, &disc))
		return NULL;
	for (uint32_t i = v->first_row; i < v->first_row + v->nr_rows && i < k->nr_rows; i++) {
		if (k->rows[i].otherwise)
			other = &k->rows[i];
		else if (!v->disc_width || k->rows[i].value == disc)
			return &k->rows[i];
	}
	return other;
}

/* What is at @addr, of kind @part, in the local @of. */
static void look_at(struct keeps *k, const struct image_part *part, uint64_t addr,
		    const struct image_part *of, unsigned int depth)
{
	const struct image_row *row;
	uint64_t vtable, data;

	switch (part->kind) {
	case IMAGE_PART_HANDLE:
		if (part->index < k->nr_handles)
			add_handle(k, part, addr, of, depth);
		break;
	case IMAGE_PART_FUTURE:
		keep(k, addr, part->index, of);
		break;
	case IMAGE_PART_DYN:
		if (read_word(k, addr, &data) && read_word(k, addr + 8, &vtable))
			keep(k, data, walker__vtable(k->walker, vtable), of);
		break;
	case IMAGE_PART_VALUE:
		if (part->index >= k->nr_values || depth > MAX_DEPTH)
			break;
		row = row_of(k, &k->values[part->index], addr);
		if (row)
			look_at_parts(k, row->first_part, row->nr_parts, addr, of, depth + 1);
		break;
	}
}

/* The elements of a hash table with control bytes at @ctrl, whose mask is @mask. */
static void look_at_table(struct keeps *k, const struct image_part *part, uint64_t ctrl,
			  uint64_t mask, const struct image_part *of, unsigned int depth)
{
	uint8_t bytes[CONTROLS];

	for (uint64_t n = 0; n <= mask && n < MAX_ITEMS && !k->err; n++) {
		uint64_t left = mask + 1 - n;

		if (n % CONTROLS == 0 &&
		    process__read(k->p->target, ctrl + n, bytes, left < CONTROLS ? left : CONTROLS))
			return;
		if (bytes[n % CONTROLS] & 0x80)
			continue;
		if (!may_look(k))
			return;
		look_at(k, part, ctrl - (n + 1) * part->item, of, depth);
	}
}

/* @of: the local that they are in; NULL: they are locals. */
static void look_at_parts(struct keeps *k, uint32_t first, uint32_t nr, uint64_t base,
			  const struct image_part *of, unsigned int depth)
{
	for (uint32_t i = first; i < first + nr && i < k->nr_parts; i++) {
		const struct image_part *part = &k->parts[i];
		const struct image_part *local = of ? of : part;
		uint64_t addr = base + part->off, len = 1;

		if (part->way != IMAGE_PART_INLINE && !read_word(k, addr, &addr))
			continue;
		if ((part->way == IMAGE_PART_SLICE || part->way == IMAGE_PART_TABLE) &&
		    !read_word(k, base + part->off + (uint64_t)(int64_t)part->len_off, &len))
			continue;
		if (part->way == IMAGE_PART_TABLE) {
			look_at_table(k, part, addr, len, local, depth);
			continue;
		}
		for (uint64_t n = 0; n < len && n < MAX_ITEMS && addr; n++) {
			if (!may_look(k))
				return;
			look_at(k, part, addr + n * part->item, local, depth);
		}
	}
}

static void look_at_frames(struct keeps *k, size_t first)
{
	for (size_t i = first, end = k->p->nr_frames; i < end && !k->err; i++) {
		const struct picture_frame f = k->p->frames[i];

		k->frame = (uint32_t)i;
		if (f.variant < k->nr_variants)
			look_at_parts(k, k->variants[f.variant].first_part,
				      k->variants[f.variant].nr_parts, f.addr, NULL, 0);
	}
}

/* ---- a task ---- */

/* Futures that are kept, and what these keep in turn. */
static void look_at_kept(struct keeps *k)
{
	struct walk_answer answer;

	for (size_t i = 0; i < k->nr_kept && !k->err; i++) {
		size_t first = k->p->nr_frames;

		/* it may be awaited by another one that was kept */
		if (visited(k, k->kept[i].addr, k->kept[i].type))
			continue;
		k->from = k->kept[i];
		walker__future(k->walker, k->from.type, k->from.addr, &answer);
		if (!k->err)
			k->err = add_waits(k, first, &answer.chain);
		look_at_frames(k, first);
	}
}

int keeps__of(struct keeps *k, uint32_t task)
{
	struct picture *p = k->p;
	struct picture_task *t = &p->tasks[task];
	const struct walk_cell *cells;
	const struct image_fn *fns;
	struct walk_answer answer;
	size_t nr_cells, nr_fns;

	fns = image__fns(p->img, &nr_fns);
	cells = image__cells(p->img, &nr_cells);
	k->task = task;
	k->err = 0;
	k->looks = MAX_LOOKS;
	k->via = WALK_NONE;
	k->nr_kept = 0;
	k->from = (struct kept){ .type = WALK_NONE };
	t->frames = (uint32_t)p->nr_frames;
	t->waits = (uint32_t)p->nr_waits;
	t->handles = (uint32_t)p->nr_handles;
	if (t->fn >= nr_fns || fns[t->fn].cell >= nr_cells)
		return 0;
	walker__on_visit(k->walker, on_visit, k);
	walker__task(k->walker, &cells[fns[t->fn].cell], t->id, NULL, 0, &answer);
	t->chain = answer.chain;
	if (!k->err)
		k->err = add_waits(k, t->frames, &t->chain);
	look_at_frames(k, t->frames);
	look_at_kept(k);
	walker__on_visit(k->walker, NULL, NULL);
	/* it awaits nothing while it is polled */
	if (t->state == PICTURE_POLLED) {
		p->nr_waits = t->waits;
		t->chain = (struct walk_chain){ .nr_tokens = 0 };
	}
	t->nr_frames = (uint32_t)p->nr_frames - t->frames;
	t->nr_waits = (uint32_t)p->nr_waits - t->waits;
	t->nr_handles = (uint32_t)p->nr_handles - t->handles;
	return k->err;
}
