/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decodes io_uring's events; attaches the programs that suit this kernel; and finds rings
 * that were open before attach. Operations that were in flight then are not known.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/fd_name.h"
#include "kernel-events/io_uring.h"
#include "kernel-events/source.h"

#define PATHS_MAX	4096	/* named in a recording */

_Static_assert((int)RAW_URING_ARMED == (int)TRACE_URING_ARMED &&
	       (int)RAW_URING_READY == (int)TRACE_URING_READY &&
	       (int)RAW_URING_PUNTED == (int)TRACE_URING_PUNTED &&
	       (int)RAW_URING_DONE == (int)TRACE_URING_DONE &&
	       (int)RAW_URING_OVERFLOW == (int)TRACE_URING_OVERFLOW, "enum trace_uring_step");
_Static_assert(FD_TURN_KNOWN << 16 == TRACE_READY_TURN && FD_TURN_SENT << 16 == TRACE_READY_SENT &&
	       FD_TURN_FIRST << 16 == TRACE_READY_FIRST, "turns");
_Static_assert(URING_NO_FD == TRACE_URING_NO_FD && URING_FIXED_FD == TRACE_URING_FIXED_FD &&
	       URING_FILE == TRACE_URING_FILE && URING_DIRECT == TRACE_URING_DIRECT,
	       "descriptors of operations");

/*
 * Writes the path of @p to the file; the id there, 0: no memory. A program that opens ever new
 * files would make the file large, and no table would have room for them.
 */
static uint32_t path_name(struct source_ctx *ctx, const struct raw_uring_path *p)
{
	char path[RAW_URING_PATH_MAX + 8];
	uint32_t id;
	size_t len;

	if (ctx->nr_paths >= PATHS_MAX)
		return trace_writer__string(ctx->trace, "one of many paths");
	len = strnlen(p->path, RAW_URING_PATH_MAX - 1);
	snprintf(path, sizeof(path), "%.*s%s", (int)len, p->path,
		 len == RAW_URING_PATH_MAX - 1 ? "…" : "");
	id = trace_writer__string(ctx->trace, path);
	if (id > ctx->last_path) {	/* a new one: ids ascend */
		ctx->last_path = id;
		ctx->nr_paths++;
	}
	return id;
}

static int uring_decode(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev)
{
	const struct raw_uring_submit *submit = (const struct raw_uring_submit *)raw;
	const struct raw_uring_path *by_path = (const struct raw_uring_path *)raw;
	const struct raw_uring_step_of *step = (const struct raw_uring_step_of *)raw;
	const struct raw_uring_wait *wait = (const struct raw_uring_wait *)raw;
	int err;

	switch (raw->type) {
	case RAW_URING_SUBMIT:
		ev->type = TRACE_URING_SUBMIT;
		ev->submit.user_data = submit->user_data;
		ev->submit.ring = submit->ring;
		ev->submit.fd = submit->fd;
		ev->submit.opcode = submit->opcode;
		ev->submit.path = 0;
		return 1;
	case RAW_URING_PATH:
		ev->type = TRACE_URING_SUBMIT;
		ev->submit.user_data = by_path->user_data;
		ev->submit.ring = by_path->ring;
		ev->submit.fd = TRACE_URING_NO_FD;
		ev->submit.opcode = by_path->opcode;
		ev->submit.path = path_name(ctx, by_path);
		return ev->submit.path ? 1 : -ENOMEM;
	case RAW_URING_STEP:
		ev->type = TRACE_URING_STEP;
		ev->step.user_data = step->user_data;
		ev->step.ring = step->ring;
		ev->step.res = step->res;
		ev->step.flags = step->flags;
		ev->step.step = step->step;
		return 1;
	case RAW_URING_WAIT:
		ev->type = TRACE_URING_WAIT;
		ev->waited.nr = wait->nr;
		ev->waited.fd = wait->fd;
		return 1;
	case RAW_URING_FD:
		ev->type = TRACE_URING_FD;
		ev->file.fd = ((const struct raw_fd *)raw)->fd;
		err = source_fd_name(ctx, (const struct raw_fd *)raw, &ev->file.name);
		/* listeners are known now */
		ev->file.role = fd_role(&ctx->listeners, (const struct raw_fd *)raw);
		return err;
	}
	return 0;
}

/* ---- attach ---- */

static void uring_choose(struct dwell_bpf *skel, const struct source_wants *wants)
{
	struct bpf_program *progs[] = {
		skel->progs.uring_create, skel->progs.uring_submit, skel->progs.uring_poll_arm,
		skel->progs.uring_task_add, skel->progs.uring_punt, skel->progs.uring_overflow,
		skel->progs.uring_complete, skel->progs.uring_complete_by_value,
		skel->progs.uring_snapshot,
	};
	struct bpf_map *maps[] = {
		skel->maps.uring_rings, skel->maps.uring_fds, skel->maps.uring_talks,
		skel->maps.uring_files,
	};

	for (size_t i = 0; i < sizeof(progs) / sizeof(progs[0]); i++)
		bpf_program__set_autoload(progs[i], wants->operations);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bpf_map__set_autocreate(maps[i], wants->operations);
	skel->rodata->config.operations = wants->operations;
}

/* Attaches @prog to tracepoint @name. 0, or -ENOENT: this kernel does not have it; … */
static int attach_to(struct bpf_program *prog, struct bpf_link **link, const char *name)
{
	*link = bpf_program__attach_raw_tracepoint(prog, name);
	return *link ? 0 : -errno;
}

/*
 * What a completion is told with has changed: in 6.18 it is the entry itself. The kernel
 * refuses a program that looks at more arguments than there are.
 */
static int attach_complete(struct dwell_bpf *skel)
{
	int err = attach_to(skel->progs.uring_complete_by_value,
			    &skel->links.uring_complete_by_value, "io_uring_complete");

	if (err != -EINVAL)
		return err;
	return attach_to(skel->progs.uring_complete, &skel->links.uring_complete,
			 "io_uring_complete");
}

static int uring_attach(struct dwell_bpf *skel, const char **note)
{
	const struct {
		struct bpf_program	 *prog;
		struct bpf_link		**link;
		const char		 *name;
	} tracepoints[] = {
		{ skel->progs.uring_create, &skel->links.uring_create, "io_uring_create" },
		{ skel->progs.uring_submit, &skel->links.uring_submit, "io_uring_submit_req" },
		{ skel->progs.uring_poll_arm, &skel->links.uring_poll_arm, "io_uring_poll_arm" },
		{ skel->progs.uring_task_add, &skel->links.uring_task_add, "io_uring_task_add" },
		{ skel->progs.uring_punt, &skel->links.uring_punt, "io_uring_queue_async_work" },
		{ skel->progs.uring_overflow, &skel->links.uring_overflow,
		  "io_uring_cqe_overflow" },
	};
	int err;

	if (!bpf_program__autoload(skel->progs.uring_submit))
		return 0;
	err = attach_complete(skel);
	bpf_program__set_autoattach(skel->progs.uring_complete, false);
	bpf_program__set_autoattach(skel->progs.uring_complete_by_value, false);
	for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
		bpf_program__set_autoattach(tracepoints[i].prog, false);
		if (!err)
			err = attach_to(tracepoints[i].prog, tracepoints[i].link,
					tracepoints[i].name);
	}
	if (err != -ENOENT)
		return err;
	*note = "this kernel lacks a tracepoint of io_uring's: operations of io_uring are not "
		"followed";
	return 0;
}

/* ---- rings that were open before attach ---- */

static int one_file(void *arg, const void *record)
{
	const struct raw_uring_open *open = record;
	struct source_ctx *ctx = arg;
	struct uring_ring ring = { .fd = open->fd };
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", ctx->pid, open->fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return 0;	/* closed in the meantime */
	target[n] = '\0';
	if (strcmp(target, "anon_inode:[io_uring]"))
		return 0;
	ring.nr = __atomic_fetch_add(&ctx->skel->bss->uring_nr, 1, __ATOMIC_RELAXED) + 1;
	/* It fails if the target has used the ring since attach. */
	bpf_map_update_elem(bpf_map__fd(ctx->skel->maps.uring_rings), &open->ctx, &ring,
			    BPF_NOEXIST);
	return 0;
}

static int uring_start(struct source_ctx *ctx)
{
	if (!bpf_program__autoload(ctx->skel->progs.uring_snapshot))
		return 0;
	return source_iterate(ctx->skel->progs.uring_snapshot, ctx->pid,
			      sizeof(struct raw_uring_open), one_file, ctx);
}

static const struct source_event events[] = {
	{ RAW_URING_SUBMIT, sizeof(struct raw_uring_submit) },
	{ RAW_URING_STEP, sizeof(struct raw_uring_step_of) },
	{ RAW_URING_WAIT, sizeof(struct raw_uring_wait) },
	{ RAW_URING_FD, 0 },
	{ RAW_URING_PATH, 0 },
	{}
};

static const struct source_loss losses[] = {
	{
		LOSS_URING_MAP, "io_uring table full",
		"the program has more instances of io_uring than are followed: waits for operations "
		"of some of them are not split",
	},
	{}
};

const struct kernel_source source_io_uring = {
	.name	= "io_uring",
	.events	= events,
	.losses	= losses,
	.choose	= uring_choose,
	.attach	= uring_attach,
	.start	= uring_start,
	.decode	= uring_decode,
};
