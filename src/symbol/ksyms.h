/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of kernel addresses, from /proc/kallsyms.
 */
#ifndef DWELL_SYMBOL_KSYMS_H
#define DWELL_SYMBOL_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

#define KSYM_NAME_MAX	64	/* longer names are truncated */
#define KSYM_UNKNOWN	"unknown function"

struct ksyms;

/*
 * Read the table, in a thread, since it takes the kernel some 70 ms. The other functions
 * wait for its end. NULL: no memory; an unreadable table is empty.
 */
struct ksyms *ksyms__new(void);
/*
 * Write the name of the function that contains @addr to @out (KSYM_NAME_MAX bytes).
 * KSYM_UNKNOWN if it is not known; an address is never written, because it would reveal
 * the kernel's location to readers of a recording. @syms may be NULL.
 */
void ksyms__name(struct ksyms *syms, uint64_t addr, char *out);
/* False: the kernel hides its addresses from this process, so all names are KSYM_UNKNOWN. */
bool ksyms__any(struct ksyms *k);
void ksyms__free(struct ksyms *syms);

#endif /* DWELL_SYMBOL_KSYMS_H */
