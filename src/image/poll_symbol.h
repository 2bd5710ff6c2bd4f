/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the symbol of a poll function tells about its task, if there is no debug
 * information. It must not know where the function is.
 */
#ifndef DWELL_IMAGE_POLL_SYMBOL_H
#define DWELL_IMAGE_POLL_SYMBOL_H

#include <stdbool.h>

#include "runtime/runtime.h"

struct poll_symbol {
	char	*name;		/* of the future or the job; NULL: not known */
	char	*scheduler;	/* NULL: not known */
	bool	 blocking;	/* it is a job of the blocking pool */
};

/*
 * Take a poll function's T and S from @generics, the generics of its symbol as
 * name__of_symbol() returns them. Legacy mangling does not have them: then nothing is
 * filled in. The caller frees the texts. False: it polls a worker of the runtime
 * itself.
 */
bool poll_symbol__describe(const struct runtime *rt, const char *generics,
			   struct poll_symbol *out);

#endif /* DWELL_IMAGE_POLL_SYMBOL_H */
