/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the symbol of a poll function tells of its task, where there is no debug
 * information. It must not know where the function is.
 */
#ifndef DWELL_IMAGE_POLL_SYMBOL_H
#define DWELL_IMAGE_POLL_SYMBOL_H

#include <stdbool.h>

#include "runtime/runtime.h"

struct poll_symbol {
	char	*name;		/* of the future, or of the job; NULL: not told */
	char	*scheduler;	/* NULL: not told */
	bool	 blocking;	/* a job of the blocking pool */
};

/*
 * A poll function's T and S, from the @generics of its symbol as name__of_symbol()
 * gives them; legacy mangling does not tell them, and fills in nothing. The texts
 * are the caller's to free. False: it polls a worker of the runtime itself.
 */
bool poll_symbol__describe(const struct runtime *rt, const char *generics,
			   struct poll_symbol *out);

#endif /* DWELL_IMAGE_POLL_SYMBOL_H */
