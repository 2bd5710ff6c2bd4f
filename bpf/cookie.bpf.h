/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a probe's cookie says: which function or place it is at, and where the task and the
 * stack pointer are found in the registers there. attach.c makes it.
 */
#ifndef DWELL_COOKIE_BPF_H
#define DWELL_COOKIE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/*
 * The cookie of a probe:
 *	bits 0-31	index of the function or of the root's place
 *	bits 32-47	what to add to rsp to get rsp at the function's entry, signed
 *	bits 48-55	the register that holds the task, or what the poll has returned
 *			(enum image_reg; IMAGE_REG_NR: none)
 *	bit 56		the task's state word has to be read: see walk_status.cancelled
 *			and not_new
 *	bits 57-63	enum probe_kind
 */
static __always_inline __u32 cookie_index(__u64 cookie)
{
	return (__u32)cookie;
}

static __always_inline __s64 cookie_sp(__u64 cookie)
{
	return (__s16)(cookie >> 32);
}

/*
 * In assembly, because the compiler would merge the loads into one from a computed
 * address, which the verifier rejects.
 */
#define REG(regs, name)								\
	({									\
		__u64 v;							\
		asm volatile("%0 = *(u64 *)(%1 + %2)"				\
			     : "=r"(v)						\
			     : "r"(regs), "i"(__builtin_offsetof(struct pt_regs, name)));	\
		v;								\
	})

static __always_inline __u64 reg_value(__u8 reg, struct pt_regs *regs)
{
	switch (reg) {
	case 0: return REG(regs, di);
	case 1: return REG(regs, si);
	case 2: return REG(regs, dx);
	case 3: return REG(regs, bx);
	case 4: return REG(regs, bp);
	case 5: return REG(regs, r12);
	case 6: return REG(regs, r13);
	case 7: return REG(regs, r14);
	case 8: return REG(regs, r15);
	case 9: return REG(regs, ax);
	case 10: return REG(regs, cx);
	case 11: return REG(regs, r8);
	case 12: return REG(regs, r9);
	case 13: return REG(regs, sp);
	}
	return 0;
}

static __always_inline bool cookie_looks(__u64 cookie)
{
	return cookie >> 56 & 1;
}

static __always_inline __u64 cookie_arg(__u64 cookie, struct pt_regs *regs)
{
	return reg_value(cookie >> 48, regs);
}

/* Is there a register at all? */
static __always_inline bool cookie_has_arg(__u64 cookie)
{
	return (cookie >> 48 & 0xff) < 14;
}

#endif /* DWELL_COOKIE_BPF_H */
