/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The await-chain walk: the tables, which the image model fills and the walk follows,
 * and the tokens that it produces.
 *
 * Shared by BPF and user space. It knows nothing of DWARF, runtimes or events; it only
 * describes how to get from a future's address to its leaves.
 *
 * A *type* is a future (or a wrapper of one). Its *discriminant*, if it has one,
 * selects a *variant*; a variant has *arcs* to the futures that it holds.
 *   no arc:      the future is a leaf (or completed: WALK_VARIANT_DONE)
 *   one arc:     the chain continues there
 *   several:     several futures are awaited at once (select!, join!, tuple)
 *
 * The result is the list of variants visited, in pre-order, as indices into the variant
 * table. Since a variant has a fixed number of arcs, the list is self-delimiting. Where
 * the walk cannot continue, a WALK_GAP_* stands in place of the subtree.
 *
 * A type with one variant only would add no information. If an inline arc leads to it,
 * it has no token (it is silent): a reader of the list knows from the tables that it is
 * there. If a pointer leads to it, it has a token, since a gap may stand in its place.
 *
 * The walk is truncated, with WALK_GAP_DEPTH in place of the next subtree, after
 * WALK_MAX_STEPS subtrees or WALK_MAX_TOKENS - 1 tokens, or when more than
 * WALK_MAX_TODO subtrees would be pending at one time. Readers apply the same limits.
 */
#ifndef DWELL_WALK_H
#define DWELL_WALK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define WALK_MAX_TOKENS	128	/* tokens of a chain, gaps included; a power of two */
#define WALK_MAX_STEPS	256	/* subtrees of a chain, including silent ones and gaps */
#define WALK_MAX_TODO	64	/* subtrees found but not visited yet; a power of two */
#define WALK_MAX_KEYS	4	/* leaves of a chain whose keys are read */
#define WALK_MAX_HOPS	4	/* pointer hops from a leaf to its key */
#define WALK_MAX_BRANCHES	6	/* arcs of one variant that are followed */
#define WALK_WINDOW	2048	/* bytes of a task read at once: the call is what costs */
#define WALK_NONE	0xffffffffu

/* Tokens above every variant index: a subtree is missing, and why. */
enum walk_gap {
	WALK_GAP_FAULT		= 0xffffff01,	/* memory could not be read */
	WALK_GAP_DEPTH		= 0xffffff02,	/* beyond the limits above */
	WALK_GAP_VTABLE		= 0xffffff03,	/* dyn Future with an unknown vtable */
	WALK_GAP_STATE		= 0xffffff04,	/* the discriminant selects no variant */
	WALK_GAP_LAYOUT		= 0xffffff05,	/* the type's layout is unknown */
	WALK_GAP_STAGE		= 0xffffff06,	/* the task does not hold a future */
	WALK_GAP_MOVED		= 0xffffff07,	/* polled by another thread during the walk */
	WALK_GAP_NULL		= 0xffffff08,	/* a null pointer in the path */
	WALK_GAP_MORE		= 0xffffff09,	/* more elements than are followed */
	WALK_ABSENT		= 0xffffff0a,	/* no such element: nothing is missing */
};
#define WALK_IS_GAP(token)	((token) >= 0xffffff00u)

/* How to get from an arc's offset to the next future. */
enum walk_arc_mode {
	WALK_ARC_INLINE	= 0,	/* the future lies at the offset */
	WALK_ARC_PTR	= 1,	/* a thin pointer to it lies there */
	WALK_ARC_DYN	= 2,	/* data pointer, then vtable pointer (x86-64: +8) */
	WALK_ARC_PTR2	= 3,	/* pointer to a pointer to it (select!'s by-reference captures) */
	/*
	 * One element of several, whose number is known only at run time. A variant has
	 * one such arc for each element that may be followed, and a last one, with
	 * WALK_ARC_REST set, for all others.
	 */
	WALK_ARC_SLICE	= 4,	/* pointer to the first, then their number (x86-64: +8) */
	WALK_ARC_LIST	= 5,	/* pointer to the first node of a linked list */
};

#define WALK_ARC_REST	0x80	/* in walk_arc.index */

/* What a leaf's key is. Also on disk: append only. */
enum walk_key_kind {
	WALK_KEY_NONE		= 0,
	WALK_KEY_IO		= 1,	/* the driver's id of the descriptor: epoll's token */
	WALK_KEY_DEADLINE	= 2,	/* ns of CLOCK_MONOTONIC, from a Timespec */
	WALK_KEY_TASK		= 3,	/* address of the awaited task's header */
	WALK_KEY_ADDRESS	= 4,	/* address of the lock, channel, … */
	WALK_KEY_YIELD		= 5,	/* a yield; its own address */
	WALK_KEY_UNREAD		= 6,	/* the memory of the key could not be read */
	WALK_KEY_OPERATION	= 7,	/* the driver's number of an operation (user_data) */
};

/* What a wait for a descriptor is for; one bit each. On disk. */
enum walk_dir {
	WALK_DIR_READ		= 1,
	WALK_DIR_WRITE		= 2,
};

struct walk_key {
	__u64	value;
	__u8	kind;		/* enum walk_key_kind */
	__u8	dir;		/* IO: enum walk_dir; 0: not known */
};

/* The keys of a chain's leaves, in order. Entries behind the last are undefined. */
struct walk_keys {
	__u8	kind[WALK_MAX_KEYS];
	__u8	dir[WALK_MAX_KEYS];
	__u64	value[WALK_MAX_KEYS];
};

enum walk_type_flags {
	WALK_TYPE_OPAQUE	= 1 << 0,	/* written by hand; its inside is not known */
};

/* How to find a leaf's key: add hop[0], dereference, add hop[1], dereference, … */
struct walk_leaf {
	__u8	key;			/* enum walk_key_kind */
	__u8	nr_hops;		/* dereferences before the last hop is added */
	__u8	dir;			/* WALK_KEY_IO: enum walk_dir; 0: read it from dir_off */
	__u8	dir_width;		/* bytes at dir_off (relative to the leaf); 0: none */
	__u32	dir_off;
	__u16	dir_read;		/* reading, if any of these bits is set there */
	__u16	dir_write;		/* writing, if any of these bits is set there */
	__u32	hop[WALK_MAX_HOPS];	/* offset, then *(…) + offset, … */
	__u8	value_width;		/* size of the number at A; 0: see below */
	__u8	add;			/* to that number */
	/*
	 * For a key in an enum: the size of its discriminant, at A + there_off; 0: none. The
	 * key can be read if that is there_value (there_is 1), or anything else (0).
	 */
	__u8	there_width;
	__u8	there_is;
	__s32	there_off;
	__u32	there_value;
	/*
	 * Let A be the address after nr_hops dereferences and the addition of
	 * hop[nr_hops].
	 *	IO, TASK, ADDRESS, YIELD,	the key is the number at A if value_width is not 0,
	 *	OPERATION			else A itself (a path to take a pointer's value
	 *					ends in a dereference and offset 0)
	 *	DEADLINE			i64 seconds at A, u32 nanoseconds at A + 8; a full
	 *					second or more of nanoseconds means no deadline
	 *					(an Option<Instant> that is None)
	 */
};

struct walk_type {
	__u32	size;		/* bytes; reads stay within */
	__u32	disc_off;
	__u8	disc_width;	/* 0, 1, 2, 4, 8; 0: it has one variant, the first */
	__u8	flags;		/* enum walk_type_flags */
	__u16	pad;
	__u32	leaf;		/* index into the leaf table, WALK_NONE: none */
	__u64	disc_base;	/* value that selects the first variant */
	__u32	first_variant;
	__u32	nr_variants;	/* value v selects first_variant + (v - disc_base) */
	__u32	default_variant;/* for all other values; WALK_NONE: none */
	__u32	pad2;
};

struct walk_variant {
	__u32	arc_type;	/* if it has one arc: copied here to save a look-up */
	__u32	arc_off;
	__u8	arc_mode;	/* enum walk_arc_mode */
	__u8	nr_arcs;	/* > 1: arcs[first_arc …], and the fields above are unused */
	__u8	flags;		/* enum walk_variant_flags */
	__u8	pad;
	__u32	first_arc;
};

enum walk_variant_flags {
	WALK_VARIANT_DONE	= 1 << 0,	/* completed, moved out, not started: no await */
	WALK_VARIANT_HOLE	= 1 << 1,	/* no such variant: gives WALK_GAP_STATE */
};

struct walk_arc {
	__u32	type;
	__u32	off;
	__u8	mode;		/* enum walk_arc_mode */
	__u8	index;		/* SLICE, LIST: which element */
	__u16	next;		/* LIST: offset of the next pointer in a node */
	__u32	item;		/* LIST: of the future; SLICE: element size */
};

/* The state word in a task's header; the meaning of its bits differs by runtime. */
struct walk_status {
	__u32	off;		/* offset in the header */
	__u16	width;		/* size: 1, 2, 4, 8 bytes */
	/*
	 * The poll function returns a Poll<()>: 0, it is ready. The state word does not say so
	 * yet when it returns.
	 */
	__u16	returned;
	__u64	running;	/* any of these bits set: it is being polled */
	__u64	complete;	/* any set: it has completed, or been cancelled */
	__u64	notified;	/* any set: it has been woken and waits to be polled */
	/*
	 * 0 if the runtime does not need it. If any of these bits is set when the
	 * task's poll function is entered, the task is not polled: it has been
	 * cancelled, and is dropped.
	 */
	__u64	cancelled;
	/*
	 * 0 if not needed. If any is set when the task wakes another one in its poll,
	 * it has completed: the woken task may free it before the poll returns.
	 */
	__u64	completed;
	/*
	 * 0 if not needed. No live task has any of these bits. If any is set after a
	 * poll, the task was freed during the poll; so it was if its memory cannot be
	 * read.
	 */
	__u64	freed;
	/*
	 * 0 if not needed. The function that the runtime calls with a new task is also
	 * called with other tasks: with those that have any of these bits set, that the
	 * same thread polls, or that it has just woken.
	 */
	__u64	not_new;
};

/* One poll function of tasks, and where the future lies in the task's allocation. */
struct walk_cell {
	__u32	size;		/* of the allocation; reads stay within */
	__u32	future_off;	/* of the future, relative to the task's header */
	__u32	root_type;	/* type of the future, WALK_NONE: unknown */
	__u32	stage_off;	/* the discriminant of the stage that holds the future */
	__u64	stage_running;	/* its value while the future exists */
	__u8	stage_width;	/* its size in bytes; 0: no discriminant */
	__u8	pad;
	__u16	recipes;	/* BPF only: index + 1 of its group of recipes; 0: none */
	__u32	window;		/* bytes from the header to read at once; 0: read when needed */
	struct walk_status status;	/* filled in by the user of the cell, from the adapter */
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

/* The result of a walk. */
struct walk_chain {
	__u32		nr_tokens;
	__u32		nr_keys;
	__u32		blind;		/* not everything that the task waits for is known */
	__u32		pad;
	__u64		hash;		/* of the tokens */
	struct walk_keys keys;
	__u32		tokens[WALK_MAX_TOKENS];
};

/* A subtree that was found and not visited yet. */
struct walk_todo {
	__u64	addr;
	__u64	limit;		/* end of the block that contains it */
	__u32	type;		/* or a WALK_GAP_* */
	__u16	block;		/* index of that block, if memory is read in blocks */
	__u16	mode;		/* enum walk_arc_mode of the arc that led here */
};

/* The current position of a walk. */
struct walk_way {
	__u32			nr_todo;
	__u32			nr_steps;
	__u32			block;		/* of the future that is being visited */
	__u32			truncated;	/* todo had no room for a subtree */
	struct walk_todo	todo[WALK_MAX_TODO];
};

/* Is the type at the end of an arc of mode @mode silent, in variant @v? */
static inline int walk_silent(const struct walk_type *t, const struct walk_variant *v,
			      unsigned int mode)
{
	return mode == WALK_ARC_INLINE && !t->disc_width && !(v->flags & WALK_VARIANT_HOLE);
}

#ifndef __bpf__
_Static_assert(sizeof(struct walk_keys) == 40, "walk_keys");
_Static_assert(sizeof(struct walk_leaf) == 40, "walk_leaf");
_Static_assert(sizeof(struct walk_type) == 40, "walk_type");
_Static_assert(sizeof(struct walk_variant) == 16, "walk_variant");
_Static_assert(sizeof(struct walk_arc) == 16, "walk_arc");
_Static_assert(sizeof(struct walk_status) == 64, "walk_status");
_Static_assert(sizeof(struct walk_cell) == 96, "walk_cell");
#endif

#endif /* DWELL_WALK_H */
