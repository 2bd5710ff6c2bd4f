/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's functions that handle a uprobe. See probe_stack.h.
 */
#include <string.h>

#include "join/probe_stack.h"

/*
 * On x86-64 an int3 in the program's text, which the kernel looks into on the way
 * back to it (kernel/events/uprobes.c); a trap after an instruction that it had to
 * single-step; since Linux 6.18 a call of the kernel in place of a nop.
 */
static const char *const ways_in[] = {
	"asm_exc_int3", "exc_int3", "uprobe_notify_resume", "handle_swbp", "asm_exc_debug",
	"__x64_sys_uprobe",
};

bool probe_stack__is(const struct trace_stack *st)
{
	for (uint32_t i = 0; st && i < st->nr; i++)
		for (size_t k = 0; k < sizeof(ways_in) / sizeof(ways_in[0]); k++)
			if (!strcmp(st->frames[i], ways_in[k]))
				return true;
	return false;
}
