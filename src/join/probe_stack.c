/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel functions that handle a uprobe. See probe_stack.h. */
#include <string.h>

#include "join/probe_stack.h"

/*
 * How a thread enters the kernel by a uprobe on x86-64: an int3 in the program's text,
 * handled on the way back to user space (kernel/events/uprobes.c); the trap after an
 * instruction that the kernel single-steps; since Linux 6.18 a system call in place of
 * a nop.
 */
static const char *const ways_in[] = {
	"asm_exc_int3", "exc_int3", "uprobe_notify_resume", "handle_swbp", "asm_exc_debug",
	"__x64_sys_uprobe", "__do_sys_uprobe",	/* two names of one function */
};

bool probe_stack__is(const struct trace_stack *st)
{
	for (uint32_t i = 0; st && i < st->nr; i++)
		for (size_t k = 0; k < sizeof(ways_in) / sizeof(ways_in[0]); k++)
			if (!strcmp(st->frames[i], ways_in[k]))
				return true;
	return false;
}
