/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image model: what an executable says about its async code.
 *
 * Built from ELF and DWARF once, cached on disk by build-id. It is one flat
 * block of tables without pointers: strings are offsets into a pool, other
 * tables are referred to by index, so that a cached model is read and used
 * as it is, and the walk tables can be copied into BPF maps as they are.
 *
 * It must not know of processes, probes being attached, or events.
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

/* How much the binary gives away; each with the way to a better one. */
enum image_tier {
	IMAGE_TIER_NONE		= 0,	/* no supported async runtime found */
	IMAGE_TIER_STRIPPED	= 1,	/* no symbols: nothing to probe by name */
	IMAGE_TIER_SYMBOLS	= 2,	/* task kinds, no await points */
	IMAGE_TIER_FULL		= 3,	/* DWARF level 2: await points with file:line */
};

/* An offset into the string pool; 0 is the empty string. */
typedef uint32_t image_str;

/* A future type. Same index as its walk_type. */
struct image_type {
	image_str	name;		/* whole: "mini_redis::server::Listener::run", "Timeout<…>" */
	image_str	shortname;	/* generics shortened, safe for a folded frame */
	image_str	begin;		/* "{async block web.rs:112}"; 0: of no block or closure */
	/* What a task is called that turns out to hold it, behind a dyn Future; 0: not met so. */
	image_str	task;
	uint8_t		kind;		/* enum image_type_kind */
	uint8_t		leaf_key;	/* enum walk_key_kind, for a leaf */
	uint8_t		runtime_own;	/* defined by the runtime's crate or std */
	uint8_t		descriptor;	/* enum image_descriptor */
};

/* Has a future a descriptor of the reactor in its hands, beside the futures in it? */
enum image_descriptor {
	IMAGE_DESCRIPTOR_UNTOLD	= 0,	/* a trait object, say; of coroutines nothing is told */
	IMAGE_DESCRIPTOR_NONE	= 1,	/* so it cannot wait for one itself */
	IMAGE_DESCRIPTOR_OWN	= 2,
};

enum image_type_kind {
	IMAGE_TYPE_FN		= 0,	/* async fn, block or closure: has await points */
	IMAGE_TYPE_WRAPPER	= 1,	/* struct or enum with futures inside */
	IMAGE_TYPE_LEAF		= 2,	/* known leaf, or a future with nothing inside */
	IMAGE_TYPE_OPAQUE	= 3,	/* hand-written future, not looked through */
	IMAGE_TYPE_TRANSPARENT	= 4,	/* tuple, pointer, Option …: on the way, but no frame */
};

/* A variant (for IMAGE_TYPE_FN an await point). Same index as its walk_variant. */
struct image_variant {
	uint32_t	type;		/* whose variant it is */
	uint32_t	line;		/* of the .await; 0: unknown */
	image_str	file;		/* base name, "server.rs" */
	image_str	path;		/* as the line table has it, joined with its directory */
	image_str	name;		/* "Suspend0", "Done", … */
};

#define IMAGE_SITE_CODE	64	/* bytes of code that are kept of a site */

/*
 * A probe site: an instruction that the kernel emulates. With it goes the code
 * around it, as the file had it when the model was made: a program whose code is
 * another one there is not the program of the model, and must not be probed.
 */
struct image_site {
	uint64_t	file_off;	/* what uprobe_multi wants */
	uint64_t	vaddr;		/* of the probed instruction */
	int32_t		sp_adjust;	/* add to rsp there to get rsp at the function's entry */
	uint8_t		arg_reg;	/* register that holds the task: pt_regs order below */
	uint8_t		slow;		/* 1: no emulated instruction, the kernel single-steps */
	uint8_t		code_before;	/* bytes of code[] before the instruction … */
	uint8_t		code_len;	/* … and in all */
	uint8_t		code[IMAGE_SITE_CODE];
};

enum image_reg { IMAGE_REG_DI, IMAGE_REG_SI, IMAGE_REG_DX, IMAGE_REG_BX, IMAGE_REG_BP,
		 IMAGE_REG_R12, IMAGE_REG_R13, IMAGE_REG_R14, IMAGE_REG_R15, IMAGE_REG_AX,
		 IMAGE_REG_CX, IMAGE_REG_R8, IMAGE_REG_R9, IMAGE_REG_SP, IMAGE_REG_NR };

/* An address that code has at hand: reg + off, or the word that is there. */
struct image_loc {
	uint8_t		reg;		/* enum image_reg */
	uint8_t		deref;		/* 1: the word at reg + off */
	uint16_t	pad;
	int32_t		off;
};

/* A function of the runtime that is probed. */
struct image_fn {
	uint64_t		vaddr;		/* entry; RUNTIME_FN_ROOT: see image_root_site */
	uint8_t			role;		/* enum runtime_fn_role */
	uint8_t			runtime;	/* index into runtimes[] */
	uint8_t			blocking;	/* RUNTIME_FN_POLL: a spawn_blocking job */
	uint8_t			ambiguous;	/* several task types share this code */
	uint8_t			boxed;		/* a dyn Future is all of it: walks tell which */
	uint32_t		cell;		/* of a poll: index into cells, else WALK_NONE */
	image_str		task;		/* of a poll: name of the task kind, shortened */
	image_str		task_long;	/* whole name */
	image_str		scheduler;	/* S, shortened; also of others, if known */
	struct image_site	site;
};

/*
 * A place to which a poll function returns: the instruction after an indirect
 * call in the runtime. ret is where the poll's return address points; site is
 * the first branch at or after it, or one of several where the callers of a
 * function go on that returns at once (see returns.h).
 */
struct image_return {
	uint64_t		ret;		/* vaddr */
	struct image_site	site;		/* sp_adjust: to rsp right after the return */
};

/* What a probe at such a place tells of a root, a future that block_on polls. */
enum image_root_what {
	IMAGE_ROOT_BEGIN	= 0,	/* a poll of it begins */
	IMAGE_ROOT_GONE		= 1,	/* block_on is done with it: from here no way leads back */
	IMAGE_ROOT_PARK		= 2,	/* a poll of it has ended */
};

/*
 * A place in the code of a block_on, or in what it was inlined into. The root's address
 * is how it is told from others; rsp there is that of the frame that it belongs to.
 */
struct image_root_site {
	uint32_t		fn;		/* the root's type: index into fns */
	uint8_t			what;		/* enum image_root_what */
	uint8_t			shares;		/* see runtime_root */
	uint8_t			pad[2];
	struct image_loc	loc;		/* of the root */
	struct image_site	site;		/* sp_adjust: to rsp of the frame */
};

/* Code of a block_on; a thread that is behind a call in it has a root there. */
struct image_root_range {
	uint64_t		start, end;	/* vaddr */
	uint32_t		fn;
	uint8_t			polling;	/* 1: the root is being polled there */
	uint8_t			shares;		/* see runtime_root */
	uint8_t			holds;		/* its caller: it says where, for one of no loc */
	uint8_t			pad;
	struct image_loc	loc;		/* by registers that calls preserve, or reg
						 * IMAGE_REG_NR: not known here */
};

struct image_vtable {
	uint64_t	vaddr;
	uint32_t	type;		/* index of the concrete future type */
	uint32_t	pad;
};

/* A path through structures: offsets with dereferences between them. */
struct image_path {
	uint8_t		ok;		/* 0: not resolved in this binary */
	uint8_t		nr_hops;	/* dereferences; nr_hops + 1 offsets are valid */
	uint8_t		width;		/* bytes of the thing at its end (0: larger than 8) */
	uint8_t		pad;
	uint32_t	size;		/* bytes of the thing at its end: a slice's stride */
	uint32_t	off[6];
};

/* A crate that runs futures, of which the program has functions. */
struct image_runtime {
	image_str	name;		/* "tokio" */
	uint8_t		followed;	/* 1: its tasks are recorded; 0: no adapter is for it */
	uint8_t		pad[3];
};

/* A thread-local variable in which a runtime keeps its context. */
struct image_tls {
	uint32_t	runtime;	/* index into runtimes[] */
	uint32_t	pad;
	int64_t		off;		/* from the thread pointer (fs) */
	uint64_t	size;		/* bytes */
};

struct image_opts {
	const char	*cache_dir;	/* NULL: $XDG_CACHE_HOME/dwell or ~/.cache/dwell; "": no cache */
	unsigned int	 jobs;		/* threads for the index; 0: one per CPU */
	bool		 debuginfod;	/* ask $DEBUGINFOD_URLS if DWARF is missing */
	const char	*debug_file;	/* NULL, or a separate debug file named by the user */
	void		(*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
	void		*ctx;
};

/*
 * Build or load the model of the executable at @path ("/proc/PID/exe" is fine).
 * 0 and *@out on success, also when the tier is low. Errors: -ENOENT and other
 * errno of open/read; -ENOEXEC not an ELF file that can be used (also: torn or
 * hostile); -ENOTSUP an ELF file of another machine than x86-64.
 * *@why (never NULL afterwards, static or owned by the image library until the
 * next call in this thread) says what and how to cure it.
 */
int image__open(const char *path, const struct image_opts *opts, struct image **out,
		const char **why);
void image__free(struct image *img);

enum image_tier image__tier(const struct image *img);
/* One line: what the tier is and how to get a better one. */
const char *image__tier_hint(const struct image *img);
const char *image__str(const struct image *img, image_str s);
/* Lower-case hexadecimal build-id, "" if there is none. */
const char *image__build_id(const struct image *img);
/* Where the DWARF came from: path, or "" if there is none. */
const char *image__debug_path(const struct image *img);
/* rustc's version as .comment or DW_AT_producer has it, "" if unknown. */
const char *image__producer(const struct image *img);

/* Link-time address at which the file's first segment is mapped (0 for most PIEs). */
uint64_t image__first_vaddr(const struct image *img);

/* The tables; *@nr is set to the number of entries. Valid until image__free. */
const struct image_fn		*image__fns(const struct image *img, size_t *nr);
const struct image_return	*image__returns(const struct image *img, size_t *nr);
const struct image_root_site	*image__root_sites(const struct image *img, size_t *nr);
/* Sorted by start; of those that hold an address the last is the innermost. */
const struct image_root_range	*image__root_ranges(const struct image *img, size_t *nr);
const struct image_type		*image__types(const struct image *img, size_t *nr);
const struct image_variant	*image__variants(const struct image *img, size_t *nr);
const struct image_vtable	*image__vtables(const struct image *img, size_t *nr);
const struct walk_cell		*image__cells(const struct image *img, size_t *nr);
const struct walk_type		*image__walk_types(const struct image *img, size_t *nr);
const struct walk_variant	*image__walk_variants(const struct image *img, size_t *nr);
const struct walk_arc		*image__walk_arcs(const struct image *img, size_t *nr);
const struct walk_leaf		*image__walk_leaves(const struct image *img, size_t *nr);

/* The resolved path of runtimes[@runtime]->layouts[@layout]; ok = 0 if unknown. */
const struct image_path *image__layout(const struct image *img, unsigned int runtime,
				       unsigned int layout);

/* The state word of the tasks of runtimes[@runtime], as it lies in this program. */
struct walk_status image__status(const struct image *img, unsigned int runtime);

/* Where the runtime's context is in each thread; *@nr of them, mostly one. */
const struct image_tls *image__tls(const struct image *img, size_t *nr);

/* The runtimes in the program, those that are followed first; *@nr of them. */
const struct image_runtime *image__runtimes(const struct image *img, size_t *nr);

/*
 * Their names, with commas between: of those that are followed, or of the others. ""
 * if there is none. Into @out, which is cut at @size bytes; returns @out.
 */
char *image__runtime_names(const struct image *img, bool followed, char *out, size_t size);

/*
 * Things that the model could not do, for the user: *@nr lines. Each names the
 * thing and the reason ("task foo: layout of its Cell not found: …").
 */
const char *const *image__notes(const struct image *img, size_t *nr);

/*
 * Choose probe sites for a return address that was learnt at run time: @vaddr is
 * the link-time address. How many were put into @out, at most @max; 0: it lies
 * behind no call.
 */
size_t image__return_sites(const struct image *img, uint64_t vaddr, struct image_return *out,
			   size_t max);

/* Print the model in words: tier, runtime, task types, await points of each. */
void image__print(const struct image *img, FILE *out);

#endif /* DWELL_IMAGE_H */
