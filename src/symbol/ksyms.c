/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of kernel addresses from /proc/kallsyms: text symbols only, sorted once, found
 * by bisection.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"
#include "symbol/ksyms.h"

#define READ_BYTES	(64u << 10)	/* at a time, at most: the usual 1 kB costs most in calls */

#define FUNCTION_MAX	(1u << 20)	/* bytes; BPF programs lie behind all symbols, a GB away */

struct ksym {
	uint64_t	addr;
	char		name[KSYM_NAME_MAX];
};

struct ksyms {
	struct ksym	*syms;
	size_t		 nr, room;
	pthread_t	 reader;
	bool		 reading;	/* the thread has not been joined yet */
};

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void *read_table(void *arg)
{
	struct ksyms *k = arg;
	char line[512];
	FILE *f;

	f = fopen("/proc/kallsyms", "re");
	if (!f)
		return NULL;
	setvbuf(f, NULL, _IOFBF, READ_BYTES);
	while (fgets(line, sizeof(line), f)) {
		uint64_t addr;
		char *at;

		/*
		 * "ffffffff81000000 T _text"; with sscanf, parsing would take most of
		 * the time to attach
		 */
		addr = strtoull(line, &at, 16);
		if (!addr || at[0] != ' ' || !at[1] || !strchr("tTwW", at[1]) || at[2] != ' ')
			continue;
		at += 3;
		if (array__room(&k->syms, &k->room, k->nr, sizeof(*k->syms)))
			break;
		k->syms[k->nr].addr = addr;
		at[strcspn(at, "\t \n")] = '\0';
		snprintf(k->syms[k->nr].name, KSYM_NAME_MAX, "%s", at);
		k->nr++;
	}
	fclose(f);
	if (k->nr)
		qsort(k->syms, k->nr, sizeof(*k->syms), by_addr);
	return NULL;
}

struct ksyms *ksyms__new(void)
{
	struct ksyms *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->reading = !pthread_create(&k->reader, NULL, read_table, k);
	if (!k->reading)
		read_table(k);
	return k;
}

static void ksyms__wait(struct ksyms *k)
{
	if (k && k->reading)
		pthread_join(k->reader, NULL);
	if (k)
		k->reading = false;
}

void ksyms__name(struct ksyms *k, uint64_t addr, char *out)
{
	size_t nr;

	ksyms__wait(k);
	nr = k ? BISECT(k->nr, i, k->syms[i].addr <= addr) : 0;
	/* The last symbol at or before addr, unless it is too far away to be that function. */
	if (nr && addr - k->syms[nr - 1].addr < FUNCTION_MAX)
		memcpy(out, k->syms[nr - 1].name, KSYM_NAME_MAX);
	else
		snprintf(out, KSYM_NAME_MAX, "%s", KSYM_UNKNOWN);
}

bool ksyms__any(struct ksyms *k)
{
	ksyms__wait(k);
	return k && k->nr;
}

void ksyms__free(struct ksyms *k)
{
	if (!k)
		return;
	ksyms__wait(k);
	free(k->syms);
	free(k);
}
