/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tokio-uring, as data: futures of operations of io_uring. Its tasks are tokio's, in a
 * LocalSet of a current_thread runtime; each runtime has a ring, whose descriptor one of
 * those tasks waits for. That task looks for completions and wakes the others.
 *
 * Names are those of tokio-uring 0.5; file names in comments are relative to its src/.
 */
#include "runtime/runtime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * runtime/driver/op/mod.rs. An operation's index in the driver's slab is its user_data. It
 * is reused as soon as the future has got the result.
 */
#define OP	"tokio_uring::runtime::driver::op::"

static const struct runtime_leaf leaves[] = {
	{ .type = OP "Op", .key = WALK_KEY_OPERATION, .key_path = "index", .by_value = true },
	/* writes */
	{ .type = OP "InFlightOneshot", .key = WALK_KEY_OPERATION, .key_path = "inner.Some.index",
	  .by_value = true },
};

const struct runtime runtime_tokio_uring = {
	.name		= "tokio-uring",
	.crate		= "tokio_uring",
	.leaves		= leaves,
	.nr_leaves	= ARRAY_SIZE(leaves),
};
