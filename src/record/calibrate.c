// SPDX-License-Identifier: GPL-2.0
/* The cost of one hit of a probe on this machine. See calibrate.h. */
#include "record/calibrate.h"

#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/clock.h"

struct calibration {
	pthread_t		 thread;
	bool			 started;
	struct bpf_program	*empty;
	bool			 by_thread;
	uint64_t		 probe_ns, cpu_ns;
};

#define ROUNDS	5
#define HITS	2000

/* A function whose first instruction is a one-byte nop, which the kernel emulates. */
void calibrate_site(void);
__asm__(".text\n"
	".p2align 4\n"
	".type calibrate_site, @function\n"
	"calibrate_site:\n"
	"	nop\n"
	"	ret\n"
	".size calibrate_site, . - calibrate_site\n");

static uint64_t round_ns(void)
{
	uint64_t began = clock__now();

	for (int i = 0; i < HITS; i++)
		calibrate_site();
	return clock__now() - began;
}

static uint64_t best_ns(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t ns = round_ns();

		best = ns < best ? ns : best;
	}
	return best;
}

/* Converts an address in this program to an offset in its file. */
static int file_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint64_t addr = (uint64_t)(uintptr_t)calibrate_site;
	unsigned long *off = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type != PT_LOAD || addr < start || addr - start >= ph->p_filesz)
			continue;
		*off = addr - start + ph->p_offset;
		return 1;
	}
	return 0;
}

static uint64_t probe_ns(struct bpf_program *empty, bool by_thread)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .cnt = 1);
	uint64_t bare, probed;
	struct bpf_link *link;
	unsigned long off;

	if (!dl_iterate_phdr(file_offset, &off))
		return 0;
	bare = best_ns();
	opts.offsets = &off;
	link = bpf_program__attach_uprobe_multi(empty, by_thread ? gettid() : getpid(), "/proc/self/exe", NULL, &opts);
	if (!link)
		return 0;
	probed = best_ns();
	bpf_link__destroy(link);
	return probed > bare ? (probed - bare) / HITS : 0;
}

static void *measure(void *arg)
{
	struct calibration *c = arg;

	c->probe_ns = probe_ns(c->empty, c->by_thread);
	c->cpu_ns = clock__ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

struct calibration *calibrate__start(struct bpf_program *empty, bool by_thread)
{
	struct calibration *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->empty = empty;
	c->by_thread = by_thread;
	c->started = !pthread_create(&c->thread, NULL, measure, c);
	return c;
}

uint64_t calibrate__finish(struct calibration *c, uint64_t *cpu_ns)
{
	uint64_t ns = 0, cpu = 0;

	if (c && c->started) {
		pthread_join(c->thread, NULL);
		ns = c->probe_ns;
		cpu = c->cpu_ns;
	}
	free(c);
	if (cpu_ns)
		*cpu_ns = cpu;
	return ns;
}
