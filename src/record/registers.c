// SPDX-License-Identifier: GPL-2.0
/* The registers of a process's threads. See registers.h. */
#include "record/registers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dwell.skel.h"
#include "inspect/rights.h"
#include "kernel-events/process.h"
#include "kernel-events/source.h"

struct registers {
	struct dwell_bpf	*skel;
};

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int one_process(void *arg, const void *record)
{
	const struct raw_process *p = record;

	*(uint32_t *)arg = p->tgid;
	return 1;
}

/* Only the iterators, and the map that they refer to. */
static int load(struct dwell_bpf *skel)
{
	struct bpf_program *p;
	struct bpf_map *m;

	bpf_object__for_each_program(p, skel->obj)
		bpf_program__set_autoload(p, p == skel->progs.thread_regs ||
						     p == skel->progs.target_process);
	bpf_object__for_each_map(m, skel->obj)
		if (!bpf_map__is_internal(m) && m != skel->maps.threads)
			bpf_map__set_autocreate(m, false);
	return dwell_bpf__load(skel);
}

int registers__new(const struct process *target, struct registers **out, const char **why)
{
	static char rights[256];
	struct registers *r = calloc(1, sizeof(*r));
	uint32_t tgid = 0;
	int err = -ENOMEM;

	*out = NULL;
	*why = "out of memory";
	if (!r)
		return err;
	libbpf_set_print(silent);
	r->skel = dwell_bpf__open();
	*why = "the kernel refuses the BPF iterator that reads threads' registers";
	err = r->skel ? load(r->skel) : -errno;
	if (!err)
		err = source_iterate(r->skel->progs.target_process, target->pid,
				     sizeof(struct raw_process), one_process, &tgid);
	if (err >= 0 && !tgid) {
		*why = "it has ended";
		err = -ESRCH;
	}
	if ((err == -EPERM || err == -EACCES) && *rights__missing(false, rights, sizeof(rights)))
		*why = rights;
	if (err < 0) {
		registers__free(r);
		return err;
	}
	r->skel->bss->target_tgid = tgid;
	*out = r;
	return 0;
}

void registers__free(struct registers *r)
{
	if (!r)
		return;
	dwell_bpf__destroy(r->skel);
	free(r);
}

int registers__each(struct registers *r, int (*each)(void *ctx, const void *regs), void *ctx)
{
	return source_iterate(r->skel->progs.thread_regs, 0, sizeof(struct raw_thread_regs), each,
			      ctx);
}
