/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk: from a task's header to the leaves that the task waits for,
 * through the tables of walk.h. This one source is compiled for BPF (walk.bpf.h: when a
 * poll has ended, on the thread that polled) and for user space (for a task at rest,
 * from another process), so that both produce the same tokens, keys and hash.
 *
 * It must not know how memory is read nor where the tables are. The file that includes
 * it defines struct walk_state, with the members
 *
 *	struct walk_chain chain;	the result of the walk
 *	struct walk_way   way;		the position of the walk
 *
 * and the following functions. Those that return int return 0, or a negative number if
 * the memory could not be read:
 *
 *	read	int  walk_read(w, addr, width, &val)	1, 2, 4 or 8 bytes
 *		int  walk_decide(w, addr, width, first, nr, &val)
 *			the same, for a word that decides where the walk goes: by which of
 *			the @nr values from @first on it is, or by being none of them
 *		int  walk_pointer(w, addr, len, &to)	the pointer at @addr, to @len bytes
 *		void walk_nearby(w, addr, at, width, limit)
 *			a hint: @width bytes at @at will be read next, of a future at
 *			@addr that ends before @limit
 *	look up	walk_type_at(w, i), walk_variant_at(w, i), walk_arc_at(w, i),
 *		walk_leaf_at(w, i)	an entry of a table; NULL: there is none
 *		__u32 walk_vtable_at(w, addr)	type of the vtable there, or WALK_NONE
 *	push	void walk_key_push(w, addr, leaf)	the next key is of leaf @leaf at @addr
 *		void walk_visit(w, addr, type, variant)	a future of @type is at @addr, in
 *			this variant
 *		void walk_begin(w)	a walk begins
 *	fault	void walk_stray(w)	the walk depends on more than walk_decide() and
 *			walk_pointer() have read: it may go elsewhere next time
 *
 * WALK_FN is the linkage of the functions defined here.
 */
#ifndef DWELL_WALK_STEP_H
#define DWELL_WALK_STEP_H

static __always_inline void walk_token(struct walk_state *w, __u32 token)
{
	struct walk_chain *c = &w->chain;
	__u32 n = c->nr_tokens;

	if (n < WALK_MAX_TOKENS) {
		c->tokens[n & (WALK_MAX_TOKENS - 1)] = token;
		c->nr_tokens = n + 1;
		/* FNV-like; a multiply per token is all it costs. */
		c->hash = (c->hash ^ token) * 0x9e3779b97f4a7c15ull;
		c->hash ^= c->hash >> 29;
	}
}

/* Something is unknown here, so not everything that the task waits for is known. */
static __always_inline void walk_gap(struct walk_state *w, __u32 gap)
{
	w->chain.blind = 1;
	walk_token(w, gap);
}

static __always_inline void walk_push(struct walk_state *w, __u64 addr, __u64 limit, __u32 type,
				      __u32 mode)
{
	struct walk_todo *t;

	if (w->way.nr_todo >= WALK_MAX_TODO) {
		/* There is no room to note what is missing: the walk is truncated here. */
		w->way.truncated = 1;
		return;
	}
	t = &w->way.todo[w->way.nr_todo & (WALK_MAX_TODO - 1)];
	t->addr = addr;
	t->limit = limit;
	t->type = type;
	t->block = w->way.block;
	t->mode = mode;
	w->way.nr_todo++;
}

/* Append a gap, or a placeholder for an absent element, in place of a subtree. */
static __always_inline void walk_push_gap(struct walk_state *w, __u32 gap)
{
	walk_push(w, 0, 0, gap, WALK_ARC_PTR);
}

/*
 * Append the leaf's key; WALK_KEY_UNREAD if it cannot be read, so that keys stay in the
 * order of leaves.
 */
WALK_FN int walk_leaf_key(struct walk_state *w, __u64 addr, __u32 index)
{
	const struct walk_leaf *leaf = walk_leaf_at(w, index);
	__u64 at = addr, v;
	struct walk_keys *keys;
	__u32 n;
	int i;

	if (!w || !leaf)
		return 0;
	n = w->chain.nr_keys;
	if (n >= WALK_MAX_KEYS)
		return 0;
	w->chain.nr_keys = n + 1;
	walk_key_push(w, addr, index);
	n &= WALK_MAX_KEYS - 1;
	keys = &w->chain.keys;
	keys->value[n] = 0;
	keys->kind[n] = WALK_KEY_UNREAD;
	keys->dir[n] = leaf->dir;
	if (leaf->dir_width && !walk_read(w, addr + leaf->dir_off, leaf->dir_width, &v))
		keys->dir[n] = (v & leaf->dir_read ? WALK_DIR_READ : 0) |
			       (v & leaf->dir_write ? WALK_DIR_WRITE : 0);
	for (i = 0; i < WALK_MAX_HOPS; i++) {
		at += leaf->hop[i];
		if (i >= leaf->nr_hops)
			break;
		if (walk_read(w, at, 8, &v) || !v)
			return 0;
		at = v;
	}
	if (leaf->there_width &&
	    (walk_read(w, at + leaf->there_off, leaf->there_width, &v) ||
	     (v == leaf->there_value) != leaf->there_is))
		return 0;
	if (leaf->key == WALK_KEY_DEADLINE) {
		__u64 sec, nsec;

		if (walk_read(w, at, 8, &sec) || walk_read(w, at + 8, 4, &nsec) ||
		    nsec >= 1000000000)
			return 0;
		at = sec * 1000000000ull + nsec;
	} else if (leaf->value_width) {
		if (walk_read(w, at, leaf->value_width, &v))
			return 0;
		at = v + leaf->add;
	}
	keys->value[n] = at;
	keys->kind[n] = leaf->key;
	return 0;
}

/* Follow an arc at address @next: note the address, limit and type of the next future. */
WALK_FN int walk_follow(struct walk_state *w, __u64 next, __u64 limit, __u32 mode, __u32 type)
{
	__u32 size, block;
	const struct walk_type *t;
	__u64 to;

	if (!w)
		return 0;
	if (mode == WALK_ARC_INLINE) {
		walk_push(w, next, limit, type, WALK_ARC_INLINE);
		return 0;
	}
	block = w->way.block;
	if (mode == WALK_ARC_DYN) {
		if (walk_decide(w, next + 8, 8, 0, ~0ull, &to))
			goto fault;
		type = walk_vtable_at(w, to);
		if (type == WALK_NONE) {
			walk_push_gap(w, WALK_GAP_VTABLE);
			return 0;
		}
	} else if (mode == WALK_ARC_PTR2) {
		if (walk_pointer(w, next, 8, &next))
			goto fault;
	}
	t = walk_type_at(w, type);
	size = t ? t->size : 0;
	if (!next)
		to = 0;
	else if (walk_pointer(w, next, size, &to))
		goto fault;
	if (!to)
		walk_push_gap(w, WALK_GAP_NULL);
	else
		walk_push(w, to, to + size, type, WALK_ARC_PTR);
	w->way.block = block;
	return 0;
fault:
	walk_stray(w);
	w->way.block = block;
	walk_push_gap(w, WALK_GAP_FAULT);
	return 0;
}

/* Follow arc @arc, which is one element of a slice or list. */
WALK_FN int walk_element(struct walk_state *w, __u64 addr, __u32 arc)
{
	const struct walk_arc *a = walk_arc_at(w, arc);
	__u32 index, type;
	__u64 at, len;
	const struct walk_type *t;
	int i;

	if (!w || !a)
		return 0;
	walk_stray(w);
	index = a->index & (WALK_ARC_REST - 1);
	type = a->type;
	if (walk_read(w, addr + a->off, 8, &at))
		goto fault;
	if (a->mode == WALK_ARC_SLICE) {
		if (walk_read(w, addr + a->off + 8, 8, &len))
			goto fault;
		if (index >= len) {
			walk_push_gap(w, WALK_ABSENT);
			return 0;
		}
		at += (__u64)index * a->item;
	} else {
		for (i = 0; i < WALK_MAX_BRANCHES; i++) {
			if ((__u32)i >= index || !at)
				break;
			if (walk_read(w, at + a->next, 8, &at))
				goto fault;
		}
		if (!at) {
			walk_push_gap(w, WALK_ABSENT);
			return 0;
		}
		at += a->item;
	}
	if (a->index & WALK_ARC_REST) {
		walk_push_gap(w, WALK_GAP_MORE);
		return 0;
	}
	t = walk_type_at(w, type);
	walk_push(w, at, at + (t ? t->size : 0), type, WALK_ARC_PTR);
	return 0;
fault:
	walk_push_gap(w, WALK_GAP_FAULT);
	return 0;
}

/* Visit one subtree: take it off the list, append its token, put its arcs on the list. */
WALK_FN int walk_step(struct walk_state *w)
{
	struct walk_todo *todo;
	const struct walk_variant *v;
	const struct walk_type *t;
	__u64 addr, limit, disc = 0;
	__u32 type, index, n, mode;

	if (!w)
		return 1;
	n = w->way.nr_todo;
	if (!n)
		return 1;
	if (w->way.truncated || w->chain.nr_tokens >= WALK_MAX_TOKENS - 1 ||
	    w->way.nr_steps >= WALK_MAX_STEPS) {
		walk_stray(w);
		walk_gap(w, WALK_GAP_DEPTH);
		return 1;
	}
	w->way.nr_steps++;
	n--;
	w->way.nr_todo = n;
	todo = &w->way.todo[n & (WALK_MAX_TODO - 1)];
	addr = todo->addr;
	limit = todo->limit;
	type = todo->type;
	mode = todo->mode;
	w->way.block = todo->block;

	if (WALK_IS_GAP(type)) {
		if (type != WALK_ABSENT)
			w->chain.blind = 1;
		walk_token(w, type);
		return 0;
	}
	t = walk_type_at(w, type);
	if (!t) {
		walk_gap(w, WALK_GAP_LAYOUT);
		return 0;
	}
	index = t->first_variant;
	if (t->disc_width) {
		__u64 at = addr + t->disc_off;

		if (at + t->disc_width > limit) {
			walk_gap(w, WALK_GAP_LAYOUT);
			return 0;
		}
		walk_nearby(w, addr, at, t->disc_width, limit);
		if (walk_decide(w, at, t->disc_width, t->disc_base, t->nr_variants, &disc)) {
			walk_stray(w);
			walk_gap(w, WALK_GAP_FAULT);
			return 0;
		}
		disc -= t->disc_base;
		if (disc < t->nr_variants) {
			index += disc;
		} else if (t->default_variant != WALK_NONE) {
			index = t->default_variant;
		} else {
			walk_gap(w, WALK_GAP_STATE);
			return 0;
		}
	}
	v = walk_variant_at(w, index);
	if (!v || (v->flags & WALK_VARIANT_HOLE)) {
		walk_gap(w, WALK_GAP_STATE);
		return 0;
	}
	walk_visit(w, addr, type, index);
	if (!walk_silent(t, v, mode))
		walk_token(w, index);
	if (v->nr_arcs == 0) {
		if ((t->flags & WALK_TYPE_OPAQUE) || (v->flags & WALK_VARIANT_DONE))
			w->chain.blind = 1;
		if (t->leaf != WALK_NONE && !(v->flags & WALK_VARIANT_DONE))
			walk_leaf_key(w, addr, t->leaf);
		return 0;
	}
	if (v->nr_arcs == 1 && v->arc_mode < WALK_ARC_SLICE) {
		walk_follow(w, addr + v->arc_off, limit, v->arc_mode, v->arc_type);
	} else {
		__u32 first = v->first_arc, nr = v->nr_arcs;
		int i;

		/* In reverse order, so that the first branch is visited first. */
		if (nr > WALK_MAX_BRANCHES)
			nr = WALK_MAX_BRANCHES;
		for (i = WALK_MAX_BRANCHES - 1; i >= 0; i--) {
			__u32 at = first + i;
			const struct walk_arc *a;

			if ((__u32)i >= nr)
				continue;
			a = walk_arc_at(w, at);
			if (!a)
				continue;
			if (a->mode >= WALK_ARC_SLICE)
				walk_element(w, addr, at);
			else
				walk_follow(w, addr + a->off, limit, a->mode, a->type);
		}
	}
	return 0;
}

/*
 * Walk the chain of the task at @task; w->chain is the result. @moved: the task is
 * being polled again, so its memory is changing.
 */
WALK_FN int walk_task(struct walk_state *w, __u64 task, const struct walk_cell *cell, bool moved)
{
	__u64 stage;
	int i;

	if (!w || !cell)
		return 0;
	w->way.nr_todo = 0;
	w->way.nr_steps = 0;
	w->way.truncated = 0;
	w->way.block = 0;
	w->chain.nr_tokens = 0;
	w->chain.nr_keys = 0;
	w->chain.blind = 0;
	w->chain.hash = 0x51ed270b27b4f3cfull;
	walk_begin(w);

	if (moved) {
		walk_stray(w);
		walk_token(w, WALK_GAP_MOVED);
		return 0;
	}
	if (cell->root_type == WALK_NONE) {
		walk_token(w, WALK_GAP_LAYOUT);
		return 0;
	}
	if (cell->stage_width) {
		if (walk_decide(w, task + cell->stage_off, cell->stage_width,
				cell->stage_running, 1, &stage)) {
			walk_stray(w);
			walk_gap(w, WALK_GAP_FAULT);
			return 0;
		}
		if (stage != cell->stage_running) {
			walk_token(w, WALK_GAP_STAGE);
			return 0;
		}
	}
	walk_push(w, task + cell->future_off, task + cell->size, cell->root_type, WALK_ARC_PTR);
	for (i = 0; i <= WALK_MAX_STEPS; i++)
		if (walk_step(w))
			break;
	return 0;
}

#endif /* DWELL_WALK_STEP_H */
