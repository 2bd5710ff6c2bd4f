/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lets the running kernel verify every BPF program, even a kernel that is too old to
 * attach them: the oldest kernel that must accept them, 6.6, is offered by no
 * distribution any more, and its verifier is between those of 6.1 and 6.12. Prints
 * a line for each program: name, errno (0: accepted), instructions processed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"

#define LOG_WORDY	1
#define LOG_STATISTICS	4
#define TAIL		3000	/* bytes shown of a refusal */

static char said[64 << 20];

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* All that the recorder may switch on, so that no code is dead. */
static void configure(struct dwell_bpf *skel)
{
	volatile struct bpf_config *c = (volatile struct bpf_config *)&skel->rodata->config;

	c->nr_rings = 2;
	c->hide_switches = 2;
	c->cpu_limit = 1;
	c->operations = 1;
	c->io_wakers = 1;
	c->io_base = 64;
	c->io_len = IO_BLOCK;
	c->io_reader = 0;
	c->io_writer = 8;
	c->io_reader_vt = 16;
	c->io_writer_vt = 24;
	c->io_list = 32;
}

/* Each in an object of its own: libbpf gives up at the first that is refused. */
static int load(const char *name, unsigned int log_level)
{
	struct dwell_bpf *skel = dwell_bpf__open();
	struct bpf_program *p;
	int err;

	if (!skel)
		return -errno;
	configure(skel);
	bpf_object__for_each_program(p, skel->obj) {
		bool this = !strcmp(bpf_program__name(p), name);

		bpf_program__set_autoload(p, this);
		if (!this)
			continue;
		if (strstr(bpf_program__section_name(p), "uprobe.multi"))
			bpf_program__set_expected_attach_type(p, 0);
		bpf_program__set_log_buf(p, said, sizeof(said));
		bpf_program__set_log_level(p, log_level);
	}
	said[0] = '\0';
	err = dwell_bpf__load(skel);
	dwell_bpf__destroy(skel);
	return err;
}

static int verify(const char *name)
{
	int err = load(name, LOG_STATISTICS);
	const char *stats = strstr(said, "processed ");
	unsigned long looked = 0;

	if (stats)
		sscanf(stats, "processed %lu", &looked);
	printf("%s %d %lu\n", name, -err, looked);
	if (err) {
		size_t len;

		load(name, LOG_WORDY);
		len = strlen(said);
		fprintf(stderr, "%s: %s\n%s\n", name, strerror(-err),
			len > TAIL ? said + len - TAIL : said);
	}
	return err;
}

int main(void)
{
	struct dwell_bpf *skel;
	struct bpf_program *p;
	int err = 0;

	libbpf_set_print(quiet);
	skel = dwell_bpf__open();
	if (!skel)
		return 1;
	bpf_object__for_each_program(p, skel->obj)
		err |= verify(bpf_program__name(p));
	dwell_bpf__destroy(skel);
	return !!err;
}
