/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The async runtimes that dwell knows, in order of preference. It must not know what
 * any of them looks like.
 */
#include "runtime/runtime.h"

const struct runtime *const runtimes[] = {
	&runtime_tokio,
	&runtime_async_task,
	&runtime_futures,
	&runtime_pollster,
	&runtime_async_io,
	&runtime_tokio_uring,
	&runtime_monoio,
	&runtime_glommio,
	&runtime_compio,
	NULL,
};

const struct runtime_list runtime_searched[1] = {
	{ .scheduler = "", .head = RUNTIME_NO_LAYOUT, .searched = true },
};
