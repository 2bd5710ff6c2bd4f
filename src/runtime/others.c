// SPDX-License-Identifier: GPL-2.0
/*
 * Crates that run futures and whose tasks are not recorded. All that can be told is
 * that a program contains them.
 */
#include "runtime/runtime.h"

const struct runtime_other other_runtimes[] = {
	{ "compio", "compio_runtime" },
	{ "embassy", "embassy_executor" },
	{ "futures-executor", "futures_executor" },	/* futures::executor */
	{ "glib", "glib::main_context" },
	{ "glommio", "glommio" },
	{ "monoio", "monoio" },
	{ "pollster", "pollster" },
	{ NULL, NULL },
};
