// SPDX-License-Identifier: GPL-2.0
/* User stacks of threads. See stacks.h. */
#include "why/stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/unwind.h"
#include "symbol/source_lines.h"

#define FRAMES		512	/* of a stack */
#define INLINED		64	/* functions at one address */

/* Calls @each with the functions at @pc of the program; elsewhere (a library) with one. */
static int walk_frame(const struct why *y, uint64_t pc, bool innermost,
		      int (*each)(void *ctx, const struct stack_function *f), void *ctx)
{
	struct source_frame found[INLINED];
	int nr = source_lines__at(y->lines, pc - y->p.bias - !innermost, found, INLINED);
	struct stack_function f = { pc, "", "", 0, false };
	int err = 0;

	if (nr <= 0)
		return each(ctx, &f);
	for (int i = 0; i < nr && !err; i++) {
		f = (struct stack_function){ pc, found[i].function, found[i].path, found[i].line,
					     i + 1 < nr };
		err = each(ctx, &f);
	}
	return err;
}

int stack__walk(const struct why *y, struct unwinder *u, const struct picture_thread *t,
		int (*each)(void *ctx, const struct stack_function *f), void *ctx)
{
	struct unwind_frame f = { .pc = t->regs.ip, .innermost = true, .sp = t->regs.sp };
	int err = 0, step = 1;

	memcpy(f.saved, t->regs.saved, sizeof(f.saved));
	for (unsigned int i = 0; i < FRAMES && step == 1 && !err; i++) {
		err = walk_frame(y, f.pc, f.innermost, each, ctx);
		step = unwinder__step(u, &f);
	}
	return err ? err : !step ? STACK_ENDED : 0;
}

static int tell_function(void *ctx, const struct stack_function *f)
{
	const char *base = strrchr(f->path, '/'), *function, *file;
	struct answer *a = ctx;

	function = answer__text(a, f->function);
	file = answer__text(a, base ? base + 1 : f->path);
	if (!function || !file ||
	    array__room(&a->frames, &a->cap_frames, a->nr_frames, sizeof(*a->frames)))
		return -ENOMEM;
	a->frames[a->nr_frames++] = (struct answer_frame){ f->pc, { function, file, f->line },
							   f->inlined };
	return 0;
}

/* Is the thread still where its registers say? Then nothing below has changed either. */
static bool stands(const struct why *y, const struct picture_thread *t)
{
	uint64_t sp = 0, ip = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%" PRIu32 "/syscall", y->p.target->pid, t->tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* number, six arguments, stack pointer, program counter; or -1 and the last two */
	if (fscanf(f, "%*s %*s %*s %*s %*s %*s %*s %" SCNx64 " %" SCNx64, &sp, &ip) != 2) {
		rewind(f);
		if (fscanf(f, "-1 %" SCNx64 " %" SCNx64, &sp, &ip) != 2)
			sp = 0;
	}
	fclose(f);
	return sp == t->regs.sp && ip == t->regs.ip;
}

static int tell_stack(const struct why *y, struct unwinder *u, const struct picture_thread *t,
		      struct answer *a, struct answer_thread *told)
{
	int err = unwinder__again(u);

	told->frames = (uint32_t)a->nr_frames;
	if (!err)
		err = stack__walk(y, u, t, tell_function, a);
	if (!stands(y, t)) {
		a->nr_frames = told->frames;
		return err < 0 ? err : 0;
	}
	told->nr_frames = (uint32_t)a->nr_frames - told->frames;
	told->complete = err == STACK_ENDED;
	return err < 0 ? err : 0;
}

int stacks__tell(const struct why *y, struct answer *a)
{
	struct unwinder *u = unwinder__new(y->p.target);
	int err = u ? 0 : -ENOMEM;

	for (size_t i = 0; i < a->nr_threads && !err; i++)
		if (y->p.threads[i].state != 'R' && y->p.threads[i].regs.sp)
			err = tell_stack(y, u, &y->p.threads[i], a, &a->threads[i]);
	unwinder__free(u);
	return err;
}
