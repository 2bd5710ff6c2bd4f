/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of kernel addresses, asked of the kernel when they are needed, and remembered.
 */
#ifndef DWELL_SYMBOL_KSYMS_H
#define DWELL_SYMBOL_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

#define KSYM_NAME_MAX	64	/* longer names are truncated */
#define KSYM_UNKNOWN	"unknown function"

struct ksyms;

/*
 * @prog: the descriptor of the BPF program ksym_name (bpf/ksym.bpf.c), which must stay open as
 * long as the object is used. NULL: no memory.
 */
struct ksyms *ksyms__new(int prog);
/*
 * Write the name of the function that contains @addr to @out (KSYM_NAME_MAX bytes).
 * KSYM_UNKNOWN if it is not known; an address is never written, because it would reveal
 * the kernel's location to readers of a recording. @syms may be NULL.
 */
void ksyms__name(struct ksyms *syms, uint64_t addr, char *out);
/* False: this kernel has no table of its functions, so all names are KSYM_UNKNOWN. */
bool ksyms__any(const struct ksyms *k);
void ksyms__free(struct ksyms *syms);

#endif /* DWELL_SYMBOL_KSYMS_H */
