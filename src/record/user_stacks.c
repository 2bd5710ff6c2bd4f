// SPDX-License-Identifier: GPL-2.0
/* User stacks of threads that sleep in polls. See user_stacks.h. */
#include "record/user_stacks.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash_table.h"
#include "dwell.skel.h"
#include "inspect/unwind.h"
#include "kernel-events/sched.h"
#include "symbol/source_lines.h"
#include "trace/task_frames.h"

#define TAKE_MAX_NS	5000000ull	/* at a time: the events' rings are to be drained */
#define SETTLE_NS	200000000ull	/* by then a program has mapped its first libraries */
#define FRAMES		256		/* of one stack that are kept */
#define SAMPLED_STACKS	(3 * RAW_USER_STACKS)	/* after so many, none of samples any more … */
#define STACKS		(4 * RAW_USER_STACKS)	/* … and after so many none at all */
#define NAMED_FRAMES	1000		/* of one stack, inlined functions counted */
#define NO_FILE		UINT32_MAX

struct place {
	uint64_t	vaddr;		/* a return address, but for the innermost; NO_FILE: pc */
	uint64_t	file;		/* of the unwinder, or NO_FILE */
};

/* What is compared is all of it, from nr on. */
struct stack {
	uint32_t	first;		/* the first id that it has got */
	uint32_t	nr;
	uint32_t	in_poll;	/* how many the innermost poll function called */
	int32_t		end;		/* as of unwinder__step(); -E2BIG: there are more */
	struct place	places[];	/* innermost first */
};

struct user_stacks {
	struct user_stacks_opts	 opts;
	struct unwinder		*unwinder;
	struct ring_buffer	*ring;
	int			 err;		/* of taking a stack */
	uint64_t		 until;		/* when to take no more; 0: never */
	bool			 more;		/* that has happened */
	bool			 placed;	/* where the program is mapped is known */
	uint64_t		 settle;	/* when to look once more; 0: no more */
	struct stack		**stacks;	/* their ids count from 1; NULL: not taken yet */
	size_t			 nr_stacks, cap_stacks;
	struct hash_table	 known;		/* id by content */
	struct hash_table	 by_raw;	/* id by raw id */
	struct stack		*unwound;	/* the one that is being unwound */
	uint64_t		 returns[FRAMES];	/* where its return addresses are */
	bool			 full;
	bool			 sampling;	/* the stack is that of a sample */
	uint64_t		*polled_from;	/* run-time addresses that polls return to */
	size_t			 nr_polled_from, cap_polled_from;
};

static size_t stack__bytes(uint32_t nr)
{
	return sizeof(struct stack) + nr * sizeof(struct place);
}

/* ---- where code is ---- */

/* Tell the kernel's side where the code of the program is, at link time. */
static void find_program(struct dwell_bpf *skel, int fd)
{
	uint64_t low = UINT64_MAX, high = 0;
	size_t nr = 0;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_getphdrnum(elf, &nr))
		nr = 0;
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD || !(ph.p_flags & PF_X))
			continue;
		low = ph.p_vaddr < low ? ph.p_vaddr : low;
		high = ph.p_vaddr + ph.p_memsz > high ? ph.p_vaddr + ph.p_memsz : high;
	}
	elf_end(elf);
	if (low >= high)
		return;
	skel->bss->program_code[0] = low;
	skel->bss->program_code[1] = high - low;
}

/*
 * Look where code is mapped: until the program's own is, and once more when it has had time to
 * map its libraries.
 */
static int look(struct user_stacks *s)
{
	__u64 *libraries = s->opts.skel->bss->library_code;
	uint64_t now = clock__now(), low = UINT64_MAX, high = 0;
	struct unwind_code code;
	int err;

	if (s->placed && (!s->settle || now < s->settle))
		return 0;
	err = unwinder__look(s->unwinder);
	s->settle = s->placed ? 0 : now + SETTLE_NS;
	for (size_t i = 0; unwinder__code(s->unwinder, i, &code); i++) {
		s->placed |= code.executable;
		if (code.executable)
			continue;
		low = code.from < low ? code.from : low;
		high = code.to > high ? code.to : high;
	}
	/* Not as long as it is still the process that is to become the program. */
	if (s->placed && low < high) {
		libraries[0] = low;
		libraries[1] = high - low;
	}
	return err;
}

/* ---- stacks ---- */

/* The stack from *@f on becomes s->unwound. @poll_sp: see struct raw_user_stack. */
static void unwind(struct user_stacks *s, struct unwind_frame *f, uint64_t poll_sp)
{
	struct stack *st = s->unwound;
	int step = 1;

	memset(st, 0, sizeof(*st));
	while (step == 1) {
		struct place *p = &st->places[st->nr++];
		uint32_t file;

		/* A call may be the last instruction of what is mapped. */
		if (unwinder__place(s->unwinder, f->pc - !f->innermost, &file, &p->vaddr)) {
			p->file = file;
			p->vaddr += !f->innermost;
		} else {
			*p = (struct place){ f->pc, NO_FILE };
		}
		step = st->nr < FRAMES ? unwinder__step(s->unwinder, f) : -E2BIG;
		if (step != 1)
			break;
		/* Now sp is that of the caller, behind the return address. */
		s->returns[st->nr - 1] = f->sp - 8;
		if (poll_sp && f->sp - 8 < poll_sp)
			st->in_poll = st->nr;
	}
	st->end = step;
}

static int64_t add_id(struct user_stacks *s, struct stack *st)
{
	if (s->nr_stacks >= (s->sampling ? SAMPLED_STACKS : STACKS)) {
		s->full = true;
		return 0;
	}
	if (array__room(&s->stacks, &s->cap_stacks, s->nr_stacks, sizeof(*s->stacks)))
		return -ENOMEM;
	s->stacks[s->nr_stacks++] = st;
	return (int64_t)s->nr_stacks;
}

/* Keep s->unwound as a new stack. @id: the id that it has got already; 0: none. */
static int64_t keep(struct user_stacks *s, int64_t id)
{
	size_t bytes = stack__bytes(s->unwound->nr);
	struct stack *st = malloc(bytes);

	if (!st)
		return -ENOMEM;
	memcpy(st, s->unwound, bytes);
	if (!id)
		id = add_id(s, NULL);
	if (id <= 0) {
		free(st);
		return id;
	}
	st->first = (uint32_t)id;
	s->stacks[id - 1] = st;
	return id;
}

/* The id of the stack that equals s->unwound, as keep(). */
static int64_t stack_id(struct user_stacks *s, int64_t id)
{
	size_t from = offsetof(struct stack, nr), bytes = stack__bytes(s->unwound->nr) - from;
	const char *content = (const char *)s->unwound + from;
	uint64_t key = hash_table__key(&s->known, content, bytes);

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&s->known, key);
		struct stack *st;

		if (!slot)
			return -ENOMEM;
		if (!slot->value) {
			id = keep(s, id);
			if (id > 0)
				slot->value = (uint64_t)id;
			return id;
		}
		st = s->stacks[slot->value - 1];
		if (st->nr != s->unwound->nr || memcmp((const char *)st + from, content, bytes))
			continue;
		if (id)
			s->stacks[id - 1] = st;
		return id ? id : (int64_t)slot->value;
	}
}

/* ---- captured stacks ---- */

/* Adds @form to those that stacks with key @key may have. False: there is no room. */
static bool add_form(int map, uint64_t key, const struct user_stack_form *form)
{
	struct user_stack_forms forms = { 0 };

	if (bpf_map_lookup_elem(map, &key, &forms))
		forms.nr = 0;
	for (uint32_t i = 0; i < forms.nr; i++)
		if (!memcmp(&forms.list[i], form, sizeof(*form)))
			return true;
	if (forms.nr >= RAW_FORMS)
		return false;
	forms.list[forms.nr++] = *form;
	return !bpf_map_update_elem(map, &key, &forms, BPF_ANY);
}

/*
 * Tell the kernel's side by what stacks with the same frames as s->unwound can be known, which
 * was captured as @raw.
 */
static void teach(struct user_stacks *s, const struct raw_user_stack *raw)
{
	int map = bpf_map__fd(s->opts.skel->maps.user_stacks);
	struct user_stack_known known = { raw->id, s->unwound->end == -ENODATA };
	uint64_t hash = user_stack_mix(USER_STACK_FORM, raw->ip), word;
	struct user_stack_form form = { 0 };

	for (uint32_t i = 0; i + 1 < s->unwound->nr; i++) {
		uint64_t off = s->returns[i] - raw->sp;

		if (off + 8 > raw->looked || off + 8 > raw->len)
			break;
		if (form.nr == RAW_FORM_WORDS || off % 8)
			return;
		memcpy(&word, (const char *)(raw + 1) + off, sizeof(word));
		hash = user_stack_mix(hash, word);
		form.off[form.nr++] = (uint16_t)off;
		form.reach = (uint16_t)(off / 8 + 1);
	}
	/* Before its form, by which it will be looked for. */
	bpf_map_update_elem(map, &hash, &known, BPF_NOEXIST);
	if (add_form(bpf_map__fd(s->opts.skel->maps.user_stack_forms), raw->form, &form))
		bpf_map_delete_elem(map, &raw->key);
}

static int take(struct user_stacks *s, const struct raw_user_stack *raw)
{
	struct unwind_copy copy = { raw->sp, raw + 1, raw->len };
	struct hash_slot *slot;
	int64_t id;

	/* Twice, if there is code that was not mapped when it was looked at last. */
	for (int i = 0; i < 2; i++) {
		struct unwind_frame f = { .pc = raw->ip, .innermost = true, .sp = raw->sp };

		if (unwinder__from_copy(s->unwinder, &copy))
			return -ENOMEM;
		memcpy(f.saved, raw->saved, sizeof(f.saved));
		unwind(s, &f, raw->poll_sp);
		if (s->unwound->end != -ENOENT)
			break;
	}
	if (s->unwound->end == -ENODATA) {
		/* As long as a thread sleeps there, its memory has all of it. */
		struct user_stack_known known = { raw->id, 1 };

		bpf_map_update_elem(bpf_map__fd(s->opts.skel->maps.user_stacks), &raw->key, &known,
				    BPF_EXIST);
	}
	teach(s, raw);
	slot = hash_table__at(&s->by_raw, raw->id);
	if (!slot)
		return -ENOMEM;
	id = stack_id(s, (int64_t)slot->value);
	if (id > 0)
		slot->value = (uint64_t)id;
	return id < 0 ? (int)id : 0;
}

int64_t user_stacks__sample(struct user_stacks *s, const struct unwind_frame *f,
			    const struct unwind_copy *copy)
{
	int64_t id;

	/* Twice, if there is code that was not mapped when it was looked at last. */
	for (int i = 0; i < 2; i++) {
		struct unwind_frame from = *f;

		if (unwinder__from_copy(s->unwinder, copy))
			return -ENOMEM;
		unwind(s, &from, 0);
		if (s->unwound->end != -ENOENT)
			break;
	}
	s->sampling = true;
	id = stack_id(s, 0);
	s->sampling = false;
	return id;
}

int user_stacks__add_return(struct user_stacks *s, uint64_t ret)
{
	if (array__room(&s->polled_from, &s->cap_polled_from, s->nr_polled_from,
			sizeof(*s->polled_from)))
		return -ENOMEM;
	s->polled_from[s->nr_polled_from++] = ret;
	return 0;
}

static int one_stack(void *ctx, void *data, size_t size)
{
	const struct raw_user_stack *raw = data;
	struct user_stacks *s = ctx;

	if (size < sizeof(*raw) || raw->len > size - sizeof(*raw))
		return 0;
	s->err = take(s, raw);
	s->more = s->until && clock__now() > s->until;
	return s->err || s->more ? -ECANCELED : 0;
}

int user_stacks__take(struct user_stacks *s, bool all)
{
	int err = look(s);

	if (err)
		return err;
	s->until = all ? 0 : clock__now() + TAKE_MAX_NS;
	s->more = false;
	ring_buffer__consume(s->ring);
	return s->err ? s->err : s->more;
}

int user_stacks__fd(const struct user_stacks *s)
{
	return ring_buffer__epoll_fd(s->ring);
}

int64_t user_stacks__id(void *ctx, uint32_t raw)
{
	struct user_stacks *s = ctx;
	struct hash_slot *slot = hash_table__at(&s->by_raw, raw);
	int64_t id;

	if (!slot)
		return -ENOMEM;
	if (slot->value)
		return (int64_t)slot->value;
	id = add_id(s, NULL);
	if (id > 0)
		slot->value = (uint64_t)id;
	return id;
}

int64_t user_stacks__read(struct user_stacks *s, const struct raw_sleeper *raw)
{
	struct unwind_frame f = { .pc = raw->ip, .innermost = true, .sp = raw->sp };

	if (unwinder__again(s->unwinder))
		return -ENOMEM;
	memcpy(f.saved, raw->saved, sizeof(f.saved));
	unwind(s, &f, raw->poll_sp);
	return stack_id(s, 0);
}

/* ---- what is the task's ---- */

/* Does a poll function return to @vaddr of the program? */
static bool is_return(const struct user_stacks *s, uint64_t vaddr)
{
	const struct image_return *known;
	size_t nr;

	known = image__returns(s->opts.img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (known[i].ret == vaddr)
			return true;
	for (size_t i = 0; i < s->nr_polled_from; i++)
		if (s->polled_from[i] - s->opts.skel->bss->load_bias == vaddr)
			return true;
	return false;
}

/* Is @vaddr of the program in a function that polls a root there? */
static bool polls_root(const struct user_stacks *s, uint64_t vaddr)
{
	const struct image_root_range *ranges;
	size_t nr;

	ranges = image__root_ranges(s->opts.img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (ranges[i].polling && vaddr >= ranges[i].start && vaddr < ranges[i].end)
			return true;
	return false;
}

/*
 * Where the frames of a stack that are inside the innermost poll end, by @p, from which on the
 * frames from @first on are; 0: not there.
 */
static uint32_t end_of_poll(const struct user_stacks *s, const struct trace_user_stack *st,
			    const struct place *p, bool innermost, uint32_t first)
{
	if (p->file == NO_FILE || !unwinder__is_executable(s->unwinder, (uint32_t)p->file))
		return 0;
	if (!innermost && is_return(s, p->vaddr))
		return first;
	if (polls_root(s, p->vaddr - !innermost))
		return task_frames__begin_of_block_on(st->frames, first, st->nr);
	return 0;
}

/* ---- names ---- */

/* A file that code is in, opened when a stack leads there. */
struct named_file {
	struct source_lines	*lines;
	char			 name[64];	/* "[libc.so.6]", for code without a name */
};

struct names {
	struct named_file	**files;	/* NULL: not opened yet */
	uint32_t		 nr;
};

static struct named_file *named_file__new(struct user_stacks *s, uint32_t file)
{
	struct named_file *out = calloc(1, sizeof(*out));
	bool own = unwinder__is_executable(s->unwinder, file);
	char path[64], target[4096];
	const char *base;
	ssize_t n;

	if (!out)
		return NULL;
	/* The kernel's vdso has no file. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", unwinder__fd(s->unwinder, file));
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	base = strrchr(target, '/');
	snprintf(out->name, sizeof(out->name), "[%.60s]", base ? base + 1 : "vdso");
	out->lines = source_lines__new(path, own ? image__debug_path(s->opts.img) : "");
	if (!out->lines) {
		free(out);
		return NULL;
	}
	return out;
}

/* NULL: no memory. */
static struct named_file *names__of(struct user_stacks *s, struct names *n, uint32_t file)
{
	struct named_file **grown;

	if (file >= n->nr) {
		grown = reallocarray(n->files, file + 1, sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + n->nr, 0, (file + 1 - n->nr) * sizeof(*grown));
		n->files = grown;
		n->nr = file + 1;
	}
	if (!n->files[file])
		n->files[file] = named_file__new(s, file);
	return n->files[file];
}

static void names__clear(struct names *n)
{
	for (uint32_t i = 0; i < n->nr; i++) {
		if (n->files[i])
			source_lines__free(n->files[i]->lines);
		free(n->files[i]);
	}
	free(n->files);
}

/* Why a stack does not reach the thread's start. */
static const char *why_cut(int end)
{
	switch (end) {
	case -E2BIG:
		return "[gap: more frames than are kept]";
	case -ENODATA:
		return "[gap: the stack is deeper than what was copied of it]";
	case -ENOENT:
		return "[gap: code without tables for unwinding]";
	case -ENOTSUP:
		return "[gap: a rule for unwinding that is not known]";
	}
	return "[gap: the stack could not be read]";
}

static int write_stack(struct user_stacks *s, struct names *names, size_t at)
{
	const struct stack *st = s->stacks[at];
	struct source_frame found[NAMED_FRAMES];
	struct trace_user_frame frames[NAMED_FRAMES + 1];
	struct trace_user_stack out = { .id = (uint32_t)at + 1, .frames = frames,
					.end = TRACE_STACK_START };
	uint32_t inside = 0;

	for (uint32_t i = 0; i < st->nr && out.nr < NAMED_FRAMES; i++) {
		const struct place *p = &st->places[i];
		uint32_t first = out.nr;
		struct named_file *file = NULL;
		int nr = 0;

		if (p->file != NO_FILE) {
			file = names__of(s, names, (uint32_t)p->file);
			if (!file)
				return -ENOMEM;
			/* A call may be the last instruction of its line. */
			nr = source_lines__at(file->lines, p->vaddr - (i > 0), found,
					      (int)(NAMED_FRAMES - out.nr));
		}
		if (nr < 0)
			return nr;
		for (int k = 0; k < nr; k++)
			frames[out.nr++] = (struct trace_user_frame){ found[k].function,
								      found[k].path,
								      found[k].line };
		if (!nr)
			frames[out.nr++] = (struct trace_user_frame){
				file ? file->name : "[unknown]", "", 0 };
		if (i + 1 == st->in_poll)
			out.in_poll = out.nr;
		/* Of a sample nothing tells it but the addresses. */
		if (!inside && !st->in_poll)
			inside = end_of_poll(s, &out, p, !i, first);
	}
	if (inside)
		out.of_task = task_frames__without_runtime(frames, inside,
							   inside < out.nr ?
							   frames[inside].function : "");
	if (st->end) {
		frames[out.nr++] = (struct trace_user_frame){ why_cut(st->end), "", 0 };
		out.end = TRACE_STACK_CUT;
	}
	return trace_writer__user_stack(s->opts.trace, &out);
}

int user_stacks__finish(struct user_stacks *s)
{
	struct names names = { 0 };
	int err = user_stacks__take(s, true);

	/* The debug information that is read for names needs more memory than all before. */
	ring_buffer__free(s->ring);
	s->ring = NULL;
	for (size_t i = 0; i < s->nr_stacks && !err; i++)
		if (s->stacks[i])
			err = write_stack(s, &names, i);
	names__clear(&names);
	if (!err && s->full)
		err = trace_writer__note(s->opts.trace,
					 "there were more different user stacks than are kept apart: of "
					 "some sleeps and samples only the kernel's side is told");
	return err;
}

/* ---- life ---- */

int user_stacks__new(const struct user_stacks_opts *opts, struct user_stacks **out)
{
	struct user_stacks *s = *out = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	s->unwound = malloc(stack__bytes(FRAMES));
	s->unwinder = unwinder__new(opts->target);
	if (!s->unwinder || !s->unwound)
		return -ENOMEM;
	s->ring = ring_buffer__new(bpf_map__fd(opts->skel->maps.user_stack_ring), one_stack, s,
				   NULL);
	if (!s->ring)
		return -errno;
	find_program(opts->skel, opts->target->exe_fd);
	return 0;
}

void user_stacks__free(struct user_stacks *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	unwinder__free(s->unwinder);
	for (size_t i = 0; i < s->nr_stacks; i++)
		if (s->stacks[i] && s->stacks[i]->first == i + 1)
			free(s->stacks[i]);
	free(s->stacks);
	free(s->unwound);
	free(s->polled_from);
	hash_table__clear(&s->known);
	hash_table__clear(&s->by_raw);
	free(s);
}
