/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of kernel addresses, from /proc/kallsyms.
 */
#ifndef DWELL_SYMBOL_KSYMS_H
#define DWELL_SYMBOL_KSYMS_H

#include <stdint.h>

#define KSYM_NAME_MAX	64	/* longer names are cut */

struct ksyms;

/* Read the table (some 10 ms). NULL: no memory; an unreadable table is empty. */
struct ksyms *ksyms__new(void);
/*
 * The function that holds @addr into @out (KSYM_NAME_MAX bytes); its address
 * in hexadecimal if it is not known. @syms may be NULL.
 */
void ksyms__name(const struct ksyms *syms, uint64_t addr, char *out);
void ksyms__free(struct ksyms *syms);

#endif /* DWELL_SYMBOL_KSYMS_H */
