/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the target's code at the probe sites. See code.h. */
#include "record/code.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BREAKPOINT	0xcc	/* int3, which the kernel writes at a probed site */

static const char other_file[] =
	"its executable is not the one that was looked at a moment ago, or was changed since: "
	"try again";
static const char other_memory[] =
	"its code in memory is not that of its executable (it changes itself, or the file was "
	"overwritten while it ran): restart it, then record";

/*
 * Another tool's breakpoint is no difference: the kernel executes the file's
 * instruction in its place, and that has been compared.
 */
static bool same_code(const uint8_t *memory, const uint8_t *file, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memory[i] != file[i] && memory[i] != BREAKPOINT)
			return false;
	return true;
}

int code__check(const struct process *t, const struct image_site *site, const uint64_t *bias,
		const char **why)
{
	size_t before = site->code_before, len = site->code_len;
	uint8_t have[IMAGE_SITE_CODE];
	ssize_t n;
	int err;

	*why = other_file;
	if (len > sizeof(have) || before >= len || before > site->file_off)
		return -ENOEXEC;
	n = pread(t->exe_fd, have, len, (off_t)(site->file_off - before));
	if (n < 0) {
		*why = strerror(errno);
		return -errno;
	}
	if ((size_t)n != len || memcmp(have, site->code, len))
		return -ENOEXEC;
	if (!bias)
		return 0;
	err = process__read(t, *bias + site->vaddr - before, have, len);
	if (err) {
		*why = err == -ESRCH ? "it has ended" : err == -EFAULT ? other_memory :
		       strerror(-err);
		return err;
	}
	*why = other_memory;
	return same_code(have, site->code, len) ? 0 : -ENOEXEC;
}

static size_t breakpoint_at(const struct process *t, const struct image_site *site, uint64_t bias)
{
	uint8_t byte = 0;

	return !process__read(t, bias + site->vaddr, &byte, 1) && byte == BREAKPOINT &&
	       site->code[site->code_before] != BREAKPOINT;
}

size_t code__breakpoints(const struct process *t, const struct image *img, uint64_t bias)
{
	const struct image_root_site *roots;
	const struct image_return *returns;
	const struct image_fn *fns;
	size_t nr, found = 0;

	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr; i++)
		found += breakpoint_at(t, &fns[i].site, bias);
	returns = image__returns(img, &nr);
	for (size_t i = 0; i < nr; i++)
		found += breakpoint_at(t, &returns[i].site, bias);
	roots = image__root_sites(img, &nr);
	for (size_t i = 0; i < nr; i++)
		found += breakpoint_at(t, &roots[i].site, bias);
	return found;
}

int code__check_all(const struct process *t, const struct image *img, const uint64_t *bias,
		    const char **why)
{
	const struct image_root_site *roots;
	const struct image_return *returns;
	const struct image_fn *fns;
	size_t i, nr;
	int err = 0;

	fns = image__fns(img, &nr);
	for (i = 0; i < nr && !err; i++)
		err = code__check(t, &fns[i].site, bias, why);
	returns = image__returns(img, &nr);
	for (i = 0; i < nr && !err; i++)
		err = code__check(t, &returns[i].site, bias, why);
	roots = image__root_sites(img, &nr);
	for (i = 0; i < nr && !err; i++)
		err = code__check(t, &roots[i].site, bias, why);
	return err;
}
