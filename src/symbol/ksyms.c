/* SPDX-License-Identifier: GPL-2.0 */
/* Names of kernel addresses. See ksyms.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "abi.h"
#include "base/hash_table.h"
#include "symbol/ksyms.h"

#define REMEMBERED	(64u << 10)	/* after so many, the kernel is asked each time */

_Static_assert(RAW_KSYM_LEN == KSYM_NAME_MAX, "names");

struct ksyms {
	int			prog;
	struct hash_table	names;		/* by address */
};

struct ksyms *ksyms__new(int prog)
{
	struct ksyms *k = calloc(1, sizeof(*k));

	if (k)
		k->prog = prog;
	return k;
}

/* Ask the kernel for the name of @addr. */
static void ask(const struct ksyms *k, uint64_t addr, char *out)
{
	struct raw_ksym asked = { .addr = addr };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &asked, .ctx_size_in = sizeof(asked));

	/* Where no function is, the kernel prints the address; a module's name follows a space. */
	if (bpf_prog_test_run_opts(k->prog, &run) || !asked.name[0] ||
	    !strncmp((const char *)asked.name, "0x", 2)) {
		snprintf(out, KSYM_NAME_MAX, "%s", KSYM_UNKNOWN);
		return;
	}
	memcpy(out, asked.name, KSYM_NAME_MAX);
	out[KSYM_NAME_MAX - 1] = '\0';
	out[strcspn(out, " ")] = '\0';
}

void ksyms__name(struct ksyms *k, uint64_t addr, char *out)
{
	const struct hash_slot *known = k ? hash_table__find(&k->names, addr) : NULL;
	struct hash_slot *slot;

	if (known) {
		snprintf(out, KSYM_NAME_MAX, "%s", (const char *)known->ptr);
		return;
	}
	if (!k) {
		snprintf(out, KSYM_NAME_MAX, "%s", KSYM_UNKNOWN);
		return;
	}
	ask(k, addr, out);
	if (k->names.nr < REMEMBERED) {
		char *name = strdup(out);

		slot = name ? hash_table__at(&k->names, addr) : NULL;
		if (slot)
			slot->ptr = name;
		else
			free(name);
	}
}

bool ksyms__any(const struct ksyms *k)
{
	return k && !access("/proc/kallsyms", F_OK);
}

void ksyms__free(struct ksyms *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->names.size; i++)
		if (k->names.slots[i].key)
			free(k->names.slots[i].ptr);
	if (k->names.has_zero)
		free(k->names.zero.ptr);
	hash_table__clear(&k->names);
	free(k);
}
