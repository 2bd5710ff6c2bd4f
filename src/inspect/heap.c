// SPDX-License-Identifier: GPL-2.0
/*
 * Searches the target's heap. See heap.h. What is mapped comes from /proc/PID/maps, and which
 * pages of it are there from /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst): the
 * kernel is asked for those that are (PAGEMAP_SCAN, Linux 6.7), so that a mapping of terabytes
 * which is hardly used takes no time. An older one tells of each page.
 */
#include "inspect/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"

#define PAGE		4096u		/* the unit of pagemap on x86-64 */
#define PAGES		128u		/* that one step looks at */
#define PRESENT		(1ull << 63)	/* in an entry of pagemap */
#define SWAPPED		(1ull << 62)
#define SPARSE_MIN	(64ull << 30)	/* bytes; to read pagemap of so much takes half a second */

/* include/uapi/linux/fs.h of Linux 6.7: struct page_region, struct pm_scan_arg, PAGEMAP_SCAN */
struct pages {
	uint64_t	from, to;
	uint64_t	are;		/* PAGES_PRESENT, PAGES_SWAPPED */
};

struct pages_asked {
	uint64_t	size, flags, from, to, stopped_at, answer, nr_answer, max_pages;
	uint64_t	inverted, all_of, any_of, told;
};

#define PAGES_PRESENT	(1u << 3)
#define PAGES_SWAPPED	(1u << 4)
#define PAGES_ASK	_IOWR('f', 16, struct pages_asked)

struct range {
	uint64_t	from, to;
};

struct stack {
	uint64_t	sp, fs;
};

struct heap {
	const struct process	*target;
	struct stack		*stacks;
	size_t			 nr_stacks, stacks_room;
	struct range		*ranges;	/* to be searched */
	size_t			 nr_ranges, ranges_room;
	size_t			 range_at;	/* the one that is being searched */
	struct range		 constants;	/* mappings of the program without its code */
	int			 pagemap;
	bool			 incomplete;
	bool			 reads_pagemap;	/* the kernel cannot be asked */
	struct pages		 pages[PAGES];
	uint64_t		 map[PAGES];
	uint64_t		 words[PAGES * PAGE / sizeof(uint64_t)];
};

struct heap *heap__new(const struct process *t)
{
	struct heap *h = malloc(sizeof(*h));

	if (!h)
		return NULL;
	/* not the buffers, which would be touched for nothing where no search is made */
	memset(h, 0, offsetof(struct heap, pages));
	h->target = t;
	h->pagemap = -1;
	return h;
}

void heap__free(struct heap *h)
{
	if (!h)
		return;
	if (h->pagemap >= 0)
		close(h->pagemap);
	free(h->stacks);
	free(h->ranges);
	free(h);
}

int heap__leave_out(struct heap *h, uint64_t sp, uint64_t fs)
{
	if (!sp)
		return 0;
	if (array__room(&h->stacks, &h->stacks_room, h->nr_stacks, sizeof(*h->stacks)))
		return -ENOMEM;
	h->stacks[h->nr_stacks++] = (struct stack){ sp, fs };
	return 0;
}

void heap__forget_stacks(struct heap *h)
{
	h->nr_stacks = 0;
}

void heap__read_pagemap(struct heap *h)
{
	h->reads_pagemap = true;
}

/* ---- what is mapped ---- */

static int add_range(struct heap *h, struct range r)
{
	/* a stack may have been merged with what is mapped above it */
	for (size_t i = 0; i < h->nr_stacks; i++) {
		const struct stack *s = &h->stacks[i];

		if (s->sp < r.from || s->sp >= r.to)
			continue;
		r.from = s->fs > s->sp && s->fs < r.to ? (s->fs & ~(uint64_t)(PAGE - 1)) : r.to;
	}
	if (r.from >= r.to)
		return 0;
	if (array__room(&h->ranges, &h->ranges_room, h->nr_ranges, sizeof(*h->ranges)))
		return -ENOMEM;
	h->ranges[h->nr_ranges++] = r;
	return 0;
}

static void add_constants(struct heap *h, const struct range *r)
{
	if (!h->constants.to || r->from < h->constants.from)
		h->constants.from = r->from;
	if (r->to > h->constants.to)
		h->constants.to = r->to;
}

/* One line of the target's maps; @exe is how its program is called there. */
static int add_mapping(struct heap *h, char *line, const char *exe)
{
	struct range r;
	uint64_t inode;
	int name_at = 0;
	const char *name;
	char rights[5];

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64 " %n", &r.from, &r.to,
		   rights, &inode, &name_at) < 4)
		return 0;
	name = name_at ? line + name_at : "";
	if (inode) {
		if (!strcmp(name, exe) && rights[0] == 'r' && rights[2] != 'x')
			add_constants(h, &r);
		return 0;
	}
	/* "[heap]", "[anon:…]", or no name; not "[stack]", "[vvar]" */
	if (strncmp(rights, "rw", 2) || rights[3] != 'p' ||
	    (*name && strcmp(name, "[heap]") && strncmp(name, "[anon:", 6)))
		return 0;
	return add_range(h, r);
}

int heap__begin(struct heap *h)
{
	char path[64], exe[PATH_MAX], *line = NULL;
	size_t room = 0;
	int err = 0;
	ssize_t n;
	FILE *f;

	h->nr_ranges = h->range_at = 0;
	h->constants = (struct range){ 0 };
	h->incomplete = true;
	snprintf(path, sizeof(path), "/proc/%d/exe", h->target->pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return -errno;
	exe[n] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/pagemap", h->target->pid);
	if (h->pagemap < 0)
		h->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (h->pagemap < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d/maps", h->target->pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (!err && getline(&line, &room, f) > 0)
		err = add_mapping(h, line, exe);
	free(line);
	fclose(f);
	h->incomplete = err;
	return err;
}

/* ---- the search ---- */

/* The pages at @at, @nr of which are there and follow each other. */
static int search(struct heap *h, uint64_t at, size_t nr,
		  int (*each)(void *ctx, uint64_t at, uint64_t word), void *ctx)
{
	uint64_t from = h->constants.from, size = h->constants.to - from;
	ssize_t got = process__read_some(h->target, at, h->words, nr * PAGE);
	int err = 0;

	if (got == -ESRCH)
		return -ESRCH;
	/* unmapped in the meantime: what was in it is gone */
	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(h->words[0]) && !err; i++)
		if (h->words[i] - from < size)
			err = each(ctx, at + i * sizeof(h->words[0]), h->words[i]);
	return err;
}

/*
 * Asks for the first pages in @r that are there, or swapped out; sets where those end that were
 * looked at. How many pieces are in h->pages; negative errno.
 */
static int ask_pages(struct heap *h, const struct range *r, uint64_t *end)
{
	struct pages_asked a = {
		.size = sizeof(a), .from = r->from, .to = r->to,
		.answer = (uint64_t)(uintptr_t)h->pages, .nr_answer = PAGES, .max_pages = PAGES,
		.any_of = PAGES_PRESENT | PAGES_SWAPPED, .told = PAGES_PRESENT | PAGES_SWAPPED,
	};
	int nr = ioctl(h->pagemap, PAGES_ASK, &a);

	*end = a.stopped_at;
	return nr < 0 ? -errno : nr;
}

/* The same from the entries of pagemap. */
static int read_pages(struct heap *h, const struct range *r, uint64_t *end)
{
	size_t nr = 0, all = (r->to - r->from) / PAGE;
	ssize_t n;

	if (all > SPARSE_MIN / PAGE)
		return -EFBIG;
	if (all > PAGES)
		all = PAGES;
	*end = r->from + all * PAGE;
	n = pread(h->pagemap, h->map, all * sizeof(h->map[0]),
		  (off_t)(r->from / PAGE * sizeof(h->map[0])));
	if (n < 0 || (size_t)n < all * sizeof(h->map[0]))
		return -EIO;
	for (size_t i = 0; i < all; i++) {
		uint64_t at = r->from + i * PAGE;
		uint64_t are = h->map[i] & PRESENT ? PAGES_PRESENT :
			       h->map[i] & SWAPPED ? PAGES_SWAPPED : 0;

		if (nr && h->pages[nr - 1].to == at && h->pages[nr - 1].are == are)
			h->pages[nr - 1].to += PAGE;
		else if (are)
			h->pages[nr++] = (struct pages){ at, at + PAGE, are };
	}
	return (int)nr;
}

static int next_pages(struct heap *h, const struct range *r, uint64_t *end)
{
	int nr = -ENOTTY;

	if (!h->reads_pagemap)
		nr = ask_pages(h, r, end);
	if (nr == -ENOTTY) {
		h->reads_pagemap = true;
		nr = read_pages(h, r, end);
	}
	return nr;
}

int heap__step(struct heap *h, int (*each)(void *ctx, uint64_t at, uint64_t word), void *ctx)
{
	struct range *r;
	uint64_t end = 0;
	int nr, err = 0;

	if (h->range_at == h->nr_ranges)
		return 0;
	r = &h->ranges[h->range_at];
	nr = next_pages(h, r, &end);
	if (nr < 0 || end <= r->from) {
		h->incomplete = true;
		end = r->to;
	}
	for (int i = 0; i < nr && !err; i++) {
		const struct pages *p = &h->pages[i];
		uint64_t of = (p->to - p->from) / PAGE;

		if (p->are & PAGES_PRESENT && of <= PAGES)
			err = search(h, p->from, of, each, ctx);
		else
			h->incomplete = true;
	}
	r->from = end;
	h->range_at += r->from >= r->to;
	return err ? err : h->range_at < h->nr_ranges;
}

bool heap__incomplete(const struct heap *h)
{
	return h->incomplete;
}
