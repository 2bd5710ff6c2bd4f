/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image model: what an executable tells about its async code.
 *
 * It is built from ELF and DWARF once and cached on disk by build-id. It is one flat
 * block of tables without pointers: strings are offsets into a pool, and tables refer
 * to each other by index. So a cached model can be used as it is read, and the walk
 * tables can be copied into BPF maps unchanged.
 *
 * It must not know processes, attached probes, or events.
 */
#ifndef DWELL_IMAGE_H
#define DWELL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/runtime.h"
#include "walk.h"

struct image;

/* How much the binary tells. For each tier there is a hint how to get a better one. */
enum image_tier {
	IMAGE_TIER_NONE		= 0,	/* no supported async runtime found */
	IMAGE_TIER_STRIPPED	= 1,	/* no symbols: nothing to probe by name */
	IMAGE_TIER_SYMBOLS	= 2,	/* task kinds, no await points */
	IMAGE_TIER_FULL		= 3,	/* DWARF level 2: await points with file:line */
};

/* An offset into the string pool; 0 is the empty string. */
typedef uint32_t image_str;

/* A type of future. It has the same index as its walk_type. */
struct image_type {
	/* complete: "mini_redis::server::Listener::run", "Timeout<…>" */
	image_str	name;
	image_str	shortname;	/* generics shortened; safe as a frame */
	image_str	begin;		/* "{async block web.rs:112}"; 0: not a block or closure */
	/* name of a task that holds it behind a dyn Future; 0: no vtable leads to it */
	image_str	task;
	uint8_t		kind;		/* enum image_type_kind */
	uint8_t		leaf_key;	/* enum walk_key_kind, for a leaf */
	uint8_t		runtime_own;	/* defined by the runtime's crate or by std */
	uint8_t		descriptor;	/* enum image_descriptor */
	/* of a leaf: sides that can end its wait (enum runtime_side) */
	uint8_t		ended_by;
	uint8_t		idle;		/* of a leaf: enum runtime_idle */
	uint8_t		pad[2];
	/* of a leaf: offset of its node in the resource's queue; WALK_NONE: none */
	uint32_t	node_off;
	uint32_t	last_line;	/* of an async fn, block or closure; 0: not known */
};

/* Does a future hold a descriptor of the reactor itself, apart from the futures in it? */
enum image_descriptor {
	IMAGE_DESCRIPTOR_UNTOLD	= 0,	/* not known (a trait object), or a coroutine */
	IMAGE_DESCRIPTOR_NONE	= 1,	/* it cannot wait for one itself */
	IMAGE_DESCRIPTOR_OWN	= 2,
};

enum image_type_kind {
	IMAGE_TYPE_FN		= 0,	/* an async fn, block or closure: has await points */
	IMAGE_TYPE_WRAPPER	= 1,	/* struct or enum with futures inside */
	IMAGE_TYPE_LEAF		= 2,	/* a known leaf, or a future without content */
	IMAGE_TYPE_OPAQUE	= 3,	/* a hand-written future whose inside is not known */
	/* tuple, pointer, Option …: walked through, makes no frame */
	IMAGE_TYPE_TRANSPARENT	= 4,
};

/*
 * A variant; for an IMAGE_TYPE_FN, an await point. It has the same index as its
 * walk_variant.
 */
struct image_variant {
	uint32_t	type;		/* the type that it is a variant of */
	uint32_t	line;		/* of the .await; 0: unknown */
	image_str	file;		/* base name, "server.rs" */
	image_str	path;		/* as in the line table, joined with its directory */
	image_str	name;		/* "Suspend0", "Done", … */
	/* what is live there besides what is awaited: a range of the parts */
	uint32_t	first_part, nr_parts;
};

/* A path through structures: offsets with dereferences in between. */
struct image_path {
	uint8_t		ok;		/* 0: not found in this binary */
	uint8_t		nr_hops;	/* dereferences; nr_hops + 1 offsets are valid */
	uint8_t		width;		/* size of the value at its end; 0: larger than 8 bytes */
	uint8_t		pad;
	/* size of the object at its end; the stride, if it is in a slice */
	uint32_t	size;
	uint32_t	off[6];
};

/* ---- what is live at an await point: see contents.h ---- */

enum image_part_kind {
	IMAGE_PART_HANDLE	= 0,	/* index into handles */
	IMAGE_PART_FUTURE	= 1,	/* index into types; it may or may not be awaited */
	IMAGE_PART_DYN		= 2,	/* a Box<dyn Future>: data pointer, vtable pointer */
	IMAGE_PART_VALUE	= 3,	/* index into values */
};

enum image_part_way {
	IMAGE_PART_INLINE	= 0,	/* it lies at off */
	IMAGE_PART_POINTER	= 1,	/* a pointer to it lies at off */
	IMAGE_PART_SLICE	= 2,	/* a pointer to the first of several */
	/*
	 * A hash table of hashbrown's (src/raw.rs), std's HashMap among them: a pointer to its
	 * control bytes lies at off. Each that is below 128 stands for an element: the first one
	 * for the element right before the control bytes, the next one for that before, …
	 */
	IMAGE_PART_TABLE	= 3,
};

struct image_part {
	uint32_t	off;		/* from the start of what it is a part of */
	uint32_t	index;		/* see enum image_part_kind */
	uint8_t		kind, way;
	uint8_t		temporary;	/* of the compiler: the value may have been moved on */
	/* in a struct, enum, … of the local variable, out of which it may have been moved */
	uint8_t		nested;
	/* relative to off: of their number (SLICE), of the number of control bytes - 1 (TABLE) */
	int32_t		len_off;
	uint32_t	item;		/* SLICE, TABLE: bytes from one to the next */
	image_str	name;		/* of the local variable; 0: none */
	/* where the variable is declared: base name and line; 0: not known */
	image_str	file;
	uint32_t	line;
};

#define IMAGE_LIBRARY	0xff

enum image_stream_kind {
	IMAGE_STREAM_NONE	= 0,	/* not the handle of a stream, or not all was found */
	IMAGE_STREAM_ONE	= 1,	/* that of a stream */
	IMAGE_STREAM_ALL	= 2,	/* in what reads and writes the connection; no offsets */
};

/* struct runtime_stream, in this program; all are offsets. */
struct image_stream {
	uint8_t			kind;		/* enum image_stream_kind */
	uint8_t			pad[3];
	uint32_t		index, id;		/* in the handle; 4 bytes each */
	/* in the connection: the pointer to the entries, and how many there are; 8 bytes each */
	uint32_t		entries, nr_entries;
	uint32_t		entry_size;
	/* by enum runtime_window: 4 bytes each, but 8 of READER and WRITER */
	uint32_t		windows[RUNTIME_WINDOW_NR];
};

/* A type of handle: struct runtime_handle, in this program. */
struct image_handle {
	/* index into runtimes[]; IMAGE_LIBRARY: of a library that belongs to none */
	uint8_t			runtime;
	uint8_t			side;		/* enum runtime_side */
	uint8_t			only;		/* there is at most one at a time */
	uint8_t			pad;
	image_str		name;		/* "OwnedSemaphorePermit" */
	/* the way to the object, and its size */
	struct image_path	object;
	struct image_path	amount;		/* how much it holds; ok = 0: one */
	struct image_path	count;		/* from the object: how many there are */
	/* from the object: the member, of so many bytes, in which those wait whom it wakes */
	struct image_path	wakes;		/* ok = 0: nobody */
	uint32_t		wakes_size;
	/*
	 * Of a receiver: the kind of message in its channel, an index into values; WALK_NONE:
	 * nothing is to be found in them. Messages lie in blocks, from the first block on.
	 */
	uint32_t		message;
	/* from the object: the pointer to the first block; the number of the next message */
	struct image_path	first_block, next_message;
	/*
	 * In a block: the number of its first message; the next block; a bit for each message that
	 * is there; the messages, which are so many, of so many bytes each.
	 */
	uint32_t		block_start, block_next, block_ready, block_messages;
	uint32_t		nr_messages, message_size;
	struct image_stream	stream;
};

/* A type of value that may have parts, decided at run time by a discriminant. */
struct image_value {
	uint32_t	size;
	uint32_t	disc_off;
	uint8_t		disc_width;	/* 0: there is one row */
	uint8_t		pad[3];
	uint32_t	first_row, nr_rows;
};

/* A variant of a value. */
struct image_row {
	uint64_t	value;		/* of the discriminant */
	uint32_t	otherwise;	/* 1: for all values that no other row has */
	uint32_t	first_part, nr_parts;
	uint32_t	pad;
};

#define IMAGE_SITE_CODE	64	/* bytes of code that are stored for a site */

/*
 * A probe site: an instruction that the kernel can emulate. The code around it, as the
 * file had it when the model was made, is stored with it: a process whose code differs
 * there is not running this program, and must not be probed.
 */
struct image_site {
	uint64_t	file_off;	/* as uprobe_multi wants it */
	uint64_t	vaddr;		/* of the probed instruction */
	/* add to rsp at the site to get rsp at the function's entry */
	int32_t		sp_adjust;
	/*
	 * The register that holds the task, or, where a poll has ended, what it has returned;
	 * enum image_reg, IMAGE_REG_NR: none does.
	 */
	uint8_t		arg_reg;
	uint8_t		slow;		/* 1: not emulated, the kernel single-steps it */
	uint8_t		code_before;	/* bytes in code[] before the instruction */
	uint8_t		code_len;	/* bytes in code[] in total */
	uint8_t		code[IMAGE_SITE_CODE];
};

enum image_reg { IMAGE_REG_DI, IMAGE_REG_SI, IMAGE_REG_DX, IMAGE_REG_BX, IMAGE_REG_BP,
		 IMAGE_REG_R12, IMAGE_REG_R13, IMAGE_REG_R14, IMAGE_REG_R15, IMAGE_REG_AX,
		 IMAGE_REG_CX, IMAGE_REG_R8, IMAGE_REG_R9, IMAGE_REG_SP, IMAGE_REG_NR };

/* An address that is available to a probe: reg + off, or the word stored there. */
struct image_loc {
	uint8_t		reg;		/* enum image_reg */
	uint8_t		deref;		/* 1: the word stored at reg + off */
	uint16_t	pad;
	int32_t		off;
};

/* A function of the runtime that gets a probe. */
struct image_fn {
	uint64_t		vaddr;		/* entry; RUNTIME_FN_ROOT: see image_root_site */
	uint8_t			role;		/* enum runtime_fn_role */
	uint8_t			runtime;	/* index into runtimes[] */
	uint8_t			blocking;	/* RUNTIME_FN_POLL: a spawn_blocking job */
	uint8_t			ambiguous;	/* several types of task share this code */
	uint8_t			boxed;		/* nothing but a dyn Future: walks name it */
	/* of a poll function: index into cells; else WALK_NONE */
	uint32_t		cell;
	/* of a poll function: name of the task kind, shortened */
	image_str		task;
	image_str		task_long;	/* complete name */
	image_str		scheduler;	/* S, shortened; of other functions too, if known */
	struct image_site	site;
};

/*
 * A place that poll functions return to, behind an indirect call in the runtime. ret is
 * the return address. site is the first branch at or behind it. If the calling function
 * returns before it reaches a branch, there are several such entries, with sites in its
 * callers (see returns.h).
 */
struct image_return {
	uint64_t		ret;		/* vaddr */
	/* sp_adjust: to get rsp directly after the return */
	struct image_site	site;
};

/* What a probe there reports about a root, a future that block_on polls. */
enum image_root_what {
	IMAGE_ROOT_BEGIN	= 0,	/* a poll of it begins */
	IMAGE_ROOT_GONE		= 1,	/* block_on has finished with it and cannot poll it again */
	IMAGE_ROOT_PARK		= 2,	/* a poll of it has ended */
};

/*
 * A place in the code of a block_on, or in the code that it was inlined into. A root is
 * identified by its address; rsp is that of the frame that holds the root.
 */
struct image_root_site {
	uint32_t		fn;		/* the root's type: index into fns */
	uint8_t			what;		/* enum image_root_what */
	uint8_t			shares;		/* see struct runtime_root */
	uint8_t			pad[2];
	struct image_loc	loc;		/* address of the root */
	struct image_site	site;		/* sp_adjust: to get rsp of the frame */
};

/* Code of a block_on. A thread that has called something from here has a root in this frame. */
struct image_root_range {
	uint64_t		start, end;	/* vaddr */
	uint32_t		fn;
	uint8_t			polling;	/* 1: the root is being polled there */
	uint8_t			shares;		/* see struct runtime_root */
	/* code of a caller, which tells the root's place for ranges without loc */
	uint8_t			holds;
	uint8_t			pad;
	struct image_loc	loc;		/* by callee-saved registers, or reg
						 * IMAGE_REG_NR: not known here */
};

struct image_vtable {
	uint64_t	vaddr;
	uint32_t	type;		/* index of the concrete type of future */
	uint32_t	pad;
};

/* A crate that runs futures and has functions in the program. */
struct image_runtime {
	image_str	name;		/* "tokio" */
	/* 1: its tasks are recorded; 0: there is no adapter for it */
	uint8_t		followed;
	uint8_t		pad[3];
};

/* A thread-local variable that holds a runtime's context. */
struct image_tls {
	uint32_t	runtime;	/* index into runtimes[] */
	uint32_t	pad;
	int64_t		off;		/* relative to the thread pointer (fs) */
	uint64_t	size;		/* bytes */
};

struct image_opts {
	/* NULL: $XDG_CACHE_HOME/dwell or ~/.cache/dwell; "": no cache */
	const char	*cache_dir;
	unsigned int	 jobs;		/* threads for the index; 0: one per CPU */
	/* ask the servers in $DEBUGINFOD_URLS if DWARF is missing */
	bool		 debuginfod;
	const char	*debug_file;	/* a debug file that the user named, or NULL */
	void		(*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
	void		*ctx;
};

/*
 * Build or load the model of the executable at @path, which may be "/proc/PID/exe". 0
 * and *@out on success, even if the tier is low. -ENOENT and other errno of open and
 * read; -ENOEXEC: not an ELF file that can be used (also a truncated or hostile one);
 * -ENOTSUP: an ELF file for another machine than x86-64. *@why, never NULL afterwards,
 * tells what is wrong and how to cure it; it is static, or valid until the next call in
 * this thread.
 */
int image__open(const char *path, const struct image_opts *opts, struct image **out,
		const char **why);
void image__free(struct image *img);

enum image_tier image__tier(const struct image *img);
/* The tier and how to get a better one, in one line. */
const char *image__tier_hint(const struct image *img);
const char *image__str(const struct image *img, image_str s);
/* The build-id in lower-case hexadecimal; "" if there is none. */
const char *image__build_id(const struct image *img);
/* The path of the file that the DWARF is from; "" if there is none. */
const char *image__debug_path(const struct image *img);
/* rustc's version, from .comment or DW_AT_producer; "" if it is not known. */
const char *image__producer(const struct image *img);

/* The link-time address of the file's first segment (0 in most PIEs). */
uint64_t image__first_vaddr(const struct image *img);

/* The tables. *@nr is set to the number of entries. Valid until image__free(). */
const struct image_fn		*image__fns(const struct image *img, size_t *nr);
const struct image_return	*image__returns(const struct image *img, size_t *nr);
const struct image_root_site	*image__root_sites(const struct image *img, size_t *nr);
/* Sorted by start. Of the ranges that contain an address, the last is the innermost. */
const struct image_root_range	*image__root_ranges(const struct image *img, size_t *nr);
const struct image_type		*image__types(const struct image *img, size_t *nr);
const struct image_variant	*image__variants(const struct image *img, size_t *nr);
const struct image_part		*image__parts(const struct image *img, size_t *nr);
const struct image_handle	*image__handles(const struct image *img, size_t *nr);
const struct image_value	*image__values(const struct image *img, size_t *nr);
const struct image_row		*image__rows(const struct image *img, size_t *nr);
const struct image_vtable	*image__vtables(const struct image *img, size_t *nr);
const struct walk_cell		*image__cells(const struct image *img, size_t *nr);
const struct walk_type		*image__walk_types(const struct image *img, size_t *nr);
const struct walk_variant	*image__walk_variants(const struct image *img, size_t *nr);
const struct walk_arc		*image__walk_arcs(const struct image *img, size_t *nr);
const struct walk_leaf		*image__walk_leaves(const struct image *img, size_t *nr);

/* The path of runtimes[@runtime]->layouts[@layout] in this binary; ok = 0 if not found. */
const struct image_path *image__layout(const struct image *img, unsigned int runtime,
				       unsigned int layout);

/* The state word of the tasks of runtimes[@runtime], for this binary. */
struct walk_status image__status(const struct image *img, unsigned int runtime);

/* Where each thread has the runtime's context: *@nr places, usually one. */
const struct image_tls *image__tls(const struct image *img, size_t *nr);

/* The *@nr runtimes in the program; those that are followed come first. */
const struct image_runtime *image__runtimes(const struct image *img, size_t *nr);

/*
 * The names of the runtimes that are followed, or of the others, separated by commas;
 * "" if there are none. Written to @out, truncated to @size bytes; returns @out.
 */
char *image__runtime_names(const struct image *img, bool followed, char *out, size_t size);

/*
 * *@nr notes for the user about what could not be modelled; each has the subject and
 * the reason ("task foo: layout of its Cell not found: …").
 */
const char *const *image__notes(const struct image *img, size_t *nr);

/*
 * Choose probe sites for return address @vaddr (link time), found at run time. Returns
 * how many were written to @out, at most @max; 0: there is no call before it.
 */
size_t image__return_sites(const struct image *img, uint64_t vaddr, struct image_return *out,
			   size_t max);

/* Print the model in words: tier, runtimes, types of tasks, await points of each. */
void image__print(const struct image *img, FILE *out);

#endif /* DWELL_IMAGE_H */
