// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves of libraries that belong to no runtime: what waits in them is woken by
 * somebody who calls the waker, never by a driver. Names and members are those
 * of futures 0.3 and event-listener 3 to 5, on which async-channel, async-lock
 * and their kin rest; file names are theirs, below src/.
 */
#include "runtime/runtime.h"

const struct runtime_leaf library_leaves[] = {
	/* futures-channel: mpsc/mod.rs, oneshot.rs */
	{ .type = "futures_channel::mpsc::Receiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.data" },
	{ .type = "futures_channel::mpsc::UnboundedReceiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.data" },
	{ .type = "futures_channel::oneshot::Receiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.data" },
	{ .type = "futures_channel::oneshot::Cancellation", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.inner.*.data" },

	/* futures-util: lock/{mutex,bilock}.rs */
	{ .type = "futures_util::lock::mutex::MutexLockFuture", .key = WALK_KEY_ADDRESS,
	  .key_path = "mutex.*" },
	{ .type = "futures_util::lock::mutex::OwnedMutexLockFuture", .key = WALK_KEY_ADDRESS,
	  .key_path = "mutex.*.data" },
	{ .type = "futures_util::lock::bilock::BiLockAcquire", .key = WALK_KEY_ADDRESS,
	  .key_path = "bilock.*.arc.*.data" },

	/* event-listener: lib.rs; the event belongs to a channel, a lock, … */
	{ .type = "event_listener::EventListener", .key = WALK_KEY_ADDRESS,
	  .key_path = "listener.*.event.*.data" },
};

const size_t nr_library_leaves = sizeof(library_leaves) / sizeof(library_leaves[0]);
