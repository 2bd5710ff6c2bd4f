/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk: the tables that the image model fills and the BPF
 * program follows, and the tokens in which it answers.
 *
 * Shared by BPF and userspace. It knows nothing of DWARF, of any runtime or
 * of how events travel; it only says how to get from a future's address to
 * its leaf.
 *
 * A *type* is a future (or a wrapper of one). Its *discriminant*, if it has
 * one, selects a *variant*; a variant has *arcs* to the futures that it holds.
 *   no arc:      the future is a leaf (or completed: WALK_VARIANT_DONE)
 *   one arc:     the chain goes on
 *   several:     several are awaited at once (select!, join!, tuple)
 *
 * The answer is the list of variants visited in pre-order, as indices into
 * the variant table. Since the number of arcs of a variant is fixed, the list
 * is self-delimiting. Where the walk cannot go on it puts one WALK_GAP_* in
 * place of the subtree.
 *
 * A type of one variant tells nothing by its token. It has none (it is silent)
 * where an inline arc leads to it: whoever reads the list knows from the tables
 * that it is there. Behind a pointer it has one, since there may be a gap in its
 * place.
 *
 * The walk ends early, with WALK_GAP_DEPTH in place of the next subtree, after
 * WALK_MAX_STEPS subtrees or WALK_MAX_TOKENS - 1 tokens, or where more than
 * WALK_MAX_TODO subtrees would be left to do at one time. Readers count alike.
 */
#ifndef DWELL_WALK_H
#define DWELL_WALK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define WALK_MAX_TOKENS	128	/* tokens of one chain, gaps included; a power of two */
#define WALK_MAX_STEPS	256	/* subtrees of one chain, silent ones and gaps included */
#define WALK_MAX_TODO	64	/* of these, known and not yet gone into; a power of two */
#define WALK_MAX_KEYS	4	/* leaves of one chain whose key is read */
#define WALK_MAX_HOPS	4	/* pointer hops from a leaf to its key */
#define WALK_MAX_BRANCHES	6	/* arcs of one variant that are followed */
#define WALK_WINDOW	2048	/* bytes of a task read at once: size hardly matters, calls do */
#define WALK_NONE	0xffffffffu

/* Tokens above every variant index: why a subtree is missing. */
enum walk_gap {
	WALK_GAP_FAULT		= 0xffffff01,	/* memory could not be read */
	WALK_GAP_DEPTH		= 0xffffff02,	/* longer than is followed: see above */
	WALK_GAP_VTABLE		= 0xffffff03,	/* dyn Future of an unknown vtable */
	WALK_GAP_STATE		= 0xffffff04,	/* discriminant without a variant */
	WALK_GAP_LAYOUT		= 0xffffff05,	/* the type's layout is unknown */
	WALK_GAP_STAGE		= 0xffffff06,	/* the task holds no running future */
	WALK_GAP_MOVED		= 0xffffff07,	/* polled elsewhere while walked */
	WALK_GAP_NULL		= 0xffffff08,	/* null pointer on the way */
	WALK_GAP_MORE		= 0xffffff09,	/* more elements than are followed */
	WALK_ABSENT		= 0xffffff0a,	/* no such element: nothing is missing */
};
#define WALK_IS_GAP(token)	((token) >= 0xffffff00u)

/* How an arc's offset leads to the next future. */
enum walk_arc_mode {
	WALK_ARC_INLINE	= 0,	/* the future lies at the offset */
	WALK_ARC_PTR	= 1,	/* a thin pointer to it lies there */
	WALK_ARC_DYN	= 2,	/* data pointer, then vtable pointer (x86-64: +8) */
	WALK_ARC_PTR2	= 3,	/* pointer to a pointer to it (select!'s by-reference captures) */
	/*
	 * One element of several, whose number is only known at run time. A
	 * variant has such an arc for each element that may be followed, and a
	 * last one with WALK_ARC_REST set, which stands for all others.
	 */
	WALK_ARC_SLICE	= 4,	/* pointer to the first, then their number (x86-64: +8) */
	WALK_ARC_LIST	= 5,	/* pointer to the first node of a linked list */
};

#define WALK_ARC_REST	0x80	/* in walk_arc.index */

/* What a leaf's key is. Append only: it is on disk as well. */
enum walk_key_kind {
	WALK_KEY_NONE		= 0,
	WALK_KEY_IO		= 1,	/* what the driver knows the descriptor by: epoll's token */
	WALK_KEY_DEADLINE	= 2,	/* ns of CLOCK_MONOTONIC, from a Timespec */
	WALK_KEY_TASK		= 3,	/* address of the awaited task's header */
	WALK_KEY_ADDRESS	= 4,	/* address of the lock, channel, … */
	WALK_KEY_YIELD		= 5,	/* gives way to others; its own address */
	WALK_KEY_UNREAD		= 6,	/* the memory on the way to it could not be read */
};

/* For what a descriptor is waited: a bit each. On disk. */
enum walk_dir {
	WALK_DIR_READ		= 1,
	WALK_DIR_WRITE		= 2,
};

struct walk_key {
	__u64	value;
	__u8	kind;		/* enum walk_key_kind */
	__u8	dir;		/* IO: enum walk_dir; 0: not known */
};

/* Those of a chain's leaves, in their order; what is behind the last is not read. */
struct walk_keys {
	__u8	kind[WALK_MAX_KEYS];
	__u8	dir[WALK_MAX_KEYS];
	__u64	value[WALK_MAX_KEYS];
};

enum walk_type_flags {
	WALK_TYPE_OPAQUE	= 1 << 0,	/* written by hand: what is inside is not known */
};

/* How a leaf's key is found: hops are added, dereferenced, added, … */
struct walk_leaf {
	__u8	key;			/* enum walk_key_kind */
	__u8	nr_hops;		/* dereferences before the last offset */
	__u8	dir;			/* WALK_KEY_IO: enum walk_dir; 0: read it at dir_off */
	__u8	dir_width;		/* bytes at dir_off (from the leaf's start), 0 = none */
	__u32	dir_off;
	__u16	dir_read;		/* bits of what is there: any of them means reading … */
	__u16	dir_write;		/* … and writing */
	__u32	hop[WALK_MAX_HOPS];	/* offset, then *(…) + offset, … */
	__u32	value_width;		/* bytes of a number at the path's end; 0: see below */
	/*
	 * After nr_hops dereferences the address A = … + hop[nr_hops].
	 * IO, TASK, ADDRESS, YIELD: the key is the number at A if it has a width, else
	 * A itself (end a path with a dereference and offset 0 to take a pointer's value).
	 * DEADLINE: i64 seconds at A, u32 nanoseconds at A + 8; no deadline is told by
	 * nanoseconds that make a second or more (as an Option<Instant> that is None).
	 */
};

struct walk_type {
	__u32	size;		/* bytes; reads stay inside */
	__u32	disc_off;
	__u8	disc_width;	/* 0, 1, 2, 4, 8; 0: one variant, the first */
	__u8	flags;		/* enum walk_type_flags */
	__u16	pad;
	__u32	leaf;		/* index into the leaf table, WALK_NONE: none */
	__u64	disc_base;	/* value of the first entry of the variant range */
	__u32	first_variant;
	__u32	nr_variants;	/* entries first_variant + (value - disc_base) */
	__u32	default_variant;/* for values outside the range, WALK_NONE: none */
	__u32	pad2;
};

struct walk_variant {
	__u32	arc_type;	/* the only arc, unpacked here to save a look-up */
	__u32	arc_off;
	__u8	arc_mode;	/* enum walk_arc_mode */
	__u8	nr_arcs;	/* > 1: arcs[first_arc …] and none here */
	__u8	flags;		/* enum walk_variant_flags */
	__u8	pad;
	__u32	first_arc;
};

enum walk_variant_flags {
	WALK_VARIANT_DONE	= 1 << 0,	/* completed, taken, not started: nothing awaited */
	WALK_VARIANT_HOLE	= 1 << 1,	/* no such variant: WALK_GAP_STATE */
};

struct walk_arc {
	__u32	type;
	__u32	off;
	__u8	mode;		/* enum walk_arc_mode */
	__u8	index;		/* SLICE, LIST: which element */
	__u16	next;		/* LIST: where a node has the pointer to the next one … */
	__u32	item;		/* … and the future; SLICE: bytes from one element to the next */
};

/* Where a task's header says what becomes of it: a word of bits, which differ by runtime. */
struct walk_status {
	__u32	off;		/* from the header */
	__u32	width;		/* bytes: 1, 2, 4, 8 */
	__u64	running;	/* any of these bits: it is being polled */
	__u64	complete;	/* … it has completed, or is cancelled for good */
	__u64	notified;	/* … it is woken, and waits to be polled */
	/*
	 * 0 where the runtime needs them not. A task that has any of these bits when its
	 * poll function is entered is not polled: it has been cancelled, and is dropped.
	 */
	__u64	cancelled;
	/*
	 * … when it wakes another in its poll has completed: that one may free it before
	 * the poll returns.
	 */
	__u64	completed;
	/*
	 * No task has any of these bits: its memory was freed, with the poll that it was
	 * read after. That memory cannot be read any more means the same then.
	 */
	__u64	freed;
	/*
	 * The function that is called with a new task is called with others too: those
	 * that have any of these bits, that the same thread polls or has just woken.
	 */
	__u64	not_new;
};

/* One task poll function: where its future lies in the task's allocation. */
struct walk_cell {
	__u32	size;		/* of the allocation: reads stay inside */
	__u32	future_off;	/* from the task's header to its future */
	__u32	root_type;	/* index into the type table, WALK_NONE: unknown */
	__u32	stage_off;	/* discriminant of the stage that holds the future */
	__u64	stage_running;	/* its value while the future is there */
	__u8	stage_width;	/* bytes, 0: no discriminant */
	__u8	pad;
	__u16	recipes;	/* for the BPF side: which group of recipes, + 1; 0: none */
	__u32	window;		/* bytes from the header worth reading at once, 0: read by need */
	struct walk_status status;	/* filled in by who uses the cell, from the adapter */
};

static inline struct walk_key walk_keys__get(const struct walk_keys *keys, unsigned int i)
{
	return (struct walk_key){ keys->value[i], keys->kind[i], keys->dir[i] };
}

static inline void walk_keys__set(struct walk_keys *keys, unsigned int i, struct walk_key key)
{
	keys->value[i] = key.value;
	keys->kind[i] = key.kind;
	keys->dir[i] = key.dir;
}

static inline int walk_key__same(struct walk_key a, struct walk_key b)
{
	return a.value == b.value && a.kind == b.kind && a.dir == b.dir;
}

static inline int walk_keys__same(const struct walk_keys *a, const struct walk_keys *b,
				  unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!walk_key__same(walk_keys__get(a, i), walk_keys__get(b, i)))
			return 0;
	return 1;
}

/* What a walk has come to. */
struct walk_chain {
	__u32		nr_tokens;
	__u32		nr_keys;
	__u32		blind;		/* not all that is waited for is known */
	__u32		pad;
	__u64		hash;		/* of the tokens */
	struct walk_keys keys;
	__u32		tokens[WALK_MAX_TOKENS];
};

/* A subtree that is known of and not gone into yet. */
struct walk_todo {
	__u64	addr;
	__u64	limit;		/* end of the block that holds it */
	__u32	type;		/* or a gap */
	__u16	block;		/* index of that block, for who reads by blocks */
	__u16	mode;		/* enum walk_arc_mode of the arc that led here */
};

/* Where a walk is. */
struct walk_way {
	__u32			nr_todo;
	__u32			nr_steps;
	__u32			block;		/* of the future that is being looked at */
	__u32			cut;		/* more to do than there is room for */
	struct walk_todo	todo[WALK_MAX_TODO];
};

/* Has the type at the end of an arc of @mode, with variant @v, no token? */
static inline int walk_silent(const struct walk_type *t, const struct walk_variant *v,
			      unsigned int mode)
{
	return mode == WALK_ARC_INLINE && !t->disc_width && !(v->flags & WALK_VARIANT_HOLE);
}

#ifndef __bpf__
_Static_assert(sizeof(struct walk_keys) == 40, "walk_keys");
_Static_assert(sizeof(struct walk_leaf) == 32, "walk_leaf");
_Static_assert(sizeof(struct walk_type) == 40, "walk_type");
_Static_assert(sizeof(struct walk_variant) == 16, "walk_variant");
_Static_assert(sizeof(struct walk_arc) == 16, "walk_arc");
_Static_assert(sizeof(struct walk_status) == 64, "walk_status");
_Static_assert(sizeof(struct walk_cell) == 96, "walk_cell");
#endif

#endif /* DWELL_WALK_H */
