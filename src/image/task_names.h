/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tasks are called: by the future that somebody wrote. Not by what a runtime, std
 * or a library puts around it, and a block or closure by where it begins:
 *
 *	Instrumented<app::serve::{async_fn_env#0}>	app::serve
 *	app::main::{async_block_env#1}			app::main {async block main.rs:40}
 *	Pin<Box<dyn Future<Output=()>>>			what the walk finds in it
 *
 * It must not know of functions or probes.
 */
#ifndef DWELL_IMAGE_TASK_NAMES_H
#define DWELL_IMAGE_TASK_NAMES_H

#include <stdbool.h>

#include "image/futures.h"

struct task_names {
	struct model		*m;
	const struct types	*ts;
	struct rust_names	*names;
	const struct futures	*futures;	/* all explored */
};

/*
 * The name of a task whose future is of @type. *@boxed: it is a dyn Future, so another
 * one may be in each task. *@begin, if not NULL, is image_type.begin of what named it.
 * Caller frees; NULL: no memory.
 */
char *task_names__of(const struct task_names *n, uint32_t type, bool *boxed, image_str *begin);
/* Give each future that a dyn Future may be the name of a task that holds it so. */
void task_names__behind_dyn(const struct task_names *n);

#endif /* DWELL_IMAGE_TASK_NAMES_H */
