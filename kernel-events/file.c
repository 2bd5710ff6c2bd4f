/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names files that threads sleep on, and attaches the program for page faults where this
 * kernel has a tracepoint for it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/file.h"
#include "kernel-events/sched.h"
#include "kernel-events/source.h"

#define NAMES_MAX	1024	/* different ones in a recording */
#define DEVICE		64
#define MANY		"one of many files"

/* The link /proc/PID/fd/N, if it is still the file with this inode. */
static bool path_of_fd(pid_t pid, const struct raw_file *f, char *out, size_t size)
{
	char link[64];
	struct stat st;
	ssize_t n;

	if (f->fd.fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, f->fd.fd);
	n = readlink(link, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 && !stat(link, &st) && st.st_ino == f->fd.ino;
}

/* By /proc/PID/maps: a line is "begin-end rights offset major:minor inode  path". */
static bool path_of_map(pid_t pid, const struct raw_file *f, char *out, size_t size)
{
	char path[64], line[4096 + 128];
	unsigned long long ino;
	bool found = false;
	FILE *maps;
	int at;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps)) {
		at = 0;
		if (sscanf(line, "%*s %*s %*s %*s %llu %n", &ino, &at) < 1 || !at ||
		    ino != f->fd.ino || line[at] != '/')
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, size, "%s", line + at);
		found = true;
	}
	if (maps)
		fclose(maps);
	return found;
}

/* " on vda1"; "": it is on no block device. */
static void device_of(const struct raw_file *f, char out[DEVICE])
{
	char link[64], target[256];
	const char *name;
	ssize_t n;

	*out = '\0';
	if (!(f->dev >> 20))
		return;
	snprintf(link, sizeof(link), "/sys/dev/block/%llu:%llu", (unsigned long long)f->dev >> 20,
		 (unsigned long long)f->dev & ((1u << 20) - 1));
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	name = strrchr(target, '/');
	if (name)
		snprintf(out, DEVICE, " on %.32s", name + 1);
}

static int file_string(struct source_ctx *ctx, const struct raw_file *f, uint32_t *string)
{
	uint32_t mode = f->fd.mode & S_IFMT;
	char path[FD_NAME_MAX - DEVICE], device[DEVICE], name[FD_NAME_MAX];

	if (mode != S_IFREG && mode != S_IFDIR && mode != S_IFBLK)
		return source_fd_name_unnumbered(ctx, &f->fd, string);
	device_of(f, device);
	if (path_of_fd(ctx->pid, f, path, sizeof(path)) ||
	    path_of_map(ctx->pid, f, path, sizeof(path)))
		snprintf(name, sizeof(name), "file %s%s", path, device);
	else if (*f->name)	/* closed by now */
		snprintf(name, sizeof(name), "file …/%.*s%s", (int)sizeof(f->name), f->name, device);
	else
		snprintf(name, sizeof(name), "file (inode %llu)%s", (unsigned long long)f->fd.ino,
			 device);
	*string = trace_writer__string(ctx->trace, name);
	return *string ? 1 : -ENOMEM;
}

/* The name of a file; of further ones, if there are many, one for all. */
static int file_name(struct source_ctx *ctx, const struct raw_file *f, uint32_t *string)
{
	int err;

	if (ctx->nr_files >= NAMES_MAX) {
		*string = trace_writer__string(ctx->trace, MANY);
		return *string ? 1 : -ENOMEM;
	}
	err = file_string(ctx, f, string);
	if (err > 0 && *string > ctx->last_file) {	/* a new one: ids ascend */
		ctx->last_file = *string;
		ctx->nr_files++;
	}
	return err;
}

static int file_decode(struct source_ctx *ctx, const struct raw_hdr *raw, struct trace_event *ev)
{
	if (raw->type == RAW_SLEPT_ON) {
		ev->type = TRACE_SLEPT_ON;
		ev->slept_on.file = (uint32_t)((const struct raw_off_more *)raw)->value;
		return 1;
	}
	if (raw->type != RAW_FILE)
		return 0;
	ev->type = TRACE_FILE;
	ev->named.file = ((const struct raw_file *)raw)->id;
	return file_name(ctx, (const struct raw_file *)raw, &ev->named.name);
}

static int file_attach(struct dwell_bpf *skel, const char **note)
{
	(void)note;
	bpf_program__set_autoattach(skel->progs.file_fault, false);
	skel->links.file_fault = bpf_program__attach_raw_tracepoint(skel->progs.file_fault,
								    "mm_filemap_fault");
	/* Without it page faults are told without their files. */
	return skel->links.file_fault || errno == ENOENT ? 0 : -errno;
}

static int file_start(struct source_ctx *ctx)
{
	struct trace_event ev = { .type = TRACE_FILE, .ts = ctx->attach_ts };

	ev.named.file = FILE_MANY;
	ev.named.name = trace_writer__string(ctx->trace, MANY);
	return ev.named.name ? trace_writer__event(ctx->trace, &ev) : -ENOMEM;
}

static const struct source_event events[] = {
	{ RAW_FILE, 0 },
	{ RAW_SLEPT_ON, sizeof(struct raw_off_more) },
	{}
};

const struct kernel_source source_file = {
	.name	= "file",
	.events	= events,
	.attach	= file_attach,
	.start	= file_start,
	.decode	= file_decode,
};
