// SPDX-License-Identifier: GPL-2.0
/*
 * Models on disk, keyed by build-id and code. See cache.h. It must not know what a
 * model contains.
 *
 * A file is written under a temporary name and renamed, so it is either complete or
 * absent; a checksum guards against other damage. Only files of the own user are read.
 */
#include "image/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	for (w = n; n; n--)
		w = w << 8 | *p++;
	h = (h ^ w) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/*
 * The build-id alone is not a safe key: the linker or a later tool wrote it, and
 * different builds may share one. Code that is equal byte by byte has the same layouts.
 */
static uint64_t mix_code(uint64_t h, const struct binary *b)
{
	for (size_t i = 0; i < b->nr_segs; i++) {
		const struct segment *s = &b->segs[i];
		const uint8_t *code;
		size_t n;

		code = binary__code(b, s->vaddr, &n);
		if (!code)
			continue;
		h = mix(h, &s->vaddr, sizeof(s->vaddr));
		h = mix(h, code, n);
	}
	return h;
}

uint64_t cache__key(const struct binary *b, const struct image_opts *opts)
{
	uint64_t h = 0xcbf29ce484222325ull, adapters;
	struct stat st;

	if (!b->build_id[0])
		return 0;
	h = mix(h, b->build_id, strlen(b->build_id));
	/* stripping changes neither build-id nor code, but the size */
	h = mix(h, &b->size, sizeof(b->size));
	h = mix_code(h, b);
	adapters = runtimes__digest(runtimes);
	h = mix(h, &adapters, sizeof(adapters));
	if (opts->debug_file) {
		if (stat(opts->debug_file, &st))
			return 0;
		h = mix(h, &st.st_size, sizeof(st.st_size));
		h = mix(h, &st.st_mtim, sizeof(st.st_mtim));
		h = mix(h, &st.st_ino, sizeof(st.st_ino));
	}
	return h ? h : 1;
}

static bool site_matches(const struct binary *b, const struct image_site *site)
{
	const uint8_t *p;
	size_t n;

	p = binary__code(b, site->vaddr - site->code_before, &n);
	return p && site->code_len <= IMAGE_SITE_CODE && n >= site->code_len &&
	       !memcmp(p, site->code, site->code_len);
}

/*
 * A check in addition to the key: does the code at the model's probe sites match the
 * program's?
 */
static bool sites_match(const struct binary *b, const struct image *img)
{
	const struct image_return *returns;
	const struct image_fn *fns;
	size_t nr;

	fns = image__fns(img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (!site_matches(b, &fns[i].site))
			return false;
	returns = image__returns(img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (!site_matches(b, &returns[i].site))
			return false;
	return true;
}

/* The cache directory, created if @make. False: there is none. */
static bool cache__dir(const struct image_opts *opts, bool make, char *out, size_t size)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (opts->cache_dir) {
		if (!opts->cache_dir[0])
			return false;
		n = snprintf(out, size, "%s", opts->cache_dir);
	} else if (base && base[0] == '/') {
		if (make)
			mkdir(base, 0700);
		n = snprintf(out, size, "%s/dwell", base);
	} else if (home && home[0] == '/') {
		n = snprintf(out, size, "%s/.cache", home);
		if (make && n > 0 && (size_t)n < size)
			mkdir(out, 0700);
		n = snprintf(out, size, "%s/.cache/dwell", home);
	} else {
		return false;
	}
	if (n <= 0 || (size_t)n >= size)
		return false;
	return !make || !mkdir(out, 0700) || errno == EEXIST;
}

static bool cache__path(const struct binary *b, const struct image_opts *opts, bool make,
			char *out, size_t size)
{
	char dir[3072];
	int n;

	if (!cache__dir(opts, make, dir, sizeof(dir)))
		return false;
	n = snprintf(out, size, "%s/%s.model", dir, b->build_id);
	return n > 0 && (size_t)n < size;
}

struct image *cache__load(const struct binary *b, const struct image_opts *opts, uint64_t key)
{
	struct model_block *block;
	struct image *img = NULL;
	char path[4096];
	struct stat st;
	int fd;

	if (!key || !cache__path(b, opts, false, path, sizeof(path)))
		return NULL;
	/* does not block if the path is a pipe */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_size <= 0)
		goto out;
	block = malloc((size_t)st.st_size);
	if (block && !bytes__read_to(block, fd, 0, (size_t)st.st_size) &&
	    model__check(block, (size_t)st.st_size, key))
		img = image__adopt(block, (size_t)st.st_size, true, b->path);
	else
		free(block);
	if (img && !sites_match(b, img)) {
		image__free(img);
		img = NULL;
	}
out:
	close(fd);
	return img;
}

void cache__store(const struct binary *b, const struct image_opts *opts,
		  const struct model_block *block)
{
	const char *p = (const char *)block;
	char path[4096], temp[4200];
	size_t left = block->size;
	int fd;

	if (!cache__path(b, opts, true, path, sizeof(path)))
		return;
	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return;
	while (left) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		p += n;
		left -= (size_t)n;
	}
	if (close(fd) || left || rename(temp, path))
		unlink(temp);
}
