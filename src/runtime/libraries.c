// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves and handles in libraries that belong to no runtime. Leaves are woken by whoever calls the
 * waker, never by a driver. Names and members are those of futures 0.3 and of
 * event-listener 3 to 5, on which async-channel, async-lock and similar crates are
 * based. File names in comments are relative to the crates' src/.
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

	/* async-lock: mutex.rs, rwlock/, semaphore.rs, barrier.rs, once_cell.rs */
	{ .type = "async_lock::mutex::Lock", .key = WALK_KEY_ADDRESS, .key_path = "mutex.*" },
	{ .type = "async_lock::rwlock::futures::Read", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*" },
	{ .type = "async_lock::rwlock::futures::ReadArc", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*" },
	{ .type = "async_lock::rwlock::futures::UpgradableRead", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*" },
	{ .type = "async_lock::rwlock::futures::Write", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*" },
	{ .type = "async_lock::rwlock::futures::WriteArc", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*" },
	{ .type = "async_lock::semaphore::Acquire", .key = WALK_KEY_ADDRESS,
	  .key_path = "semaphore.*" },
	{ .type = "async_lock::semaphore::AcquireArc", .key = WALK_KEY_ADDRESS,
	  .key_path = "semaphore.*.data" },
	{ .type = "async_lock::barrier::BarrierWait", .key = WALK_KEY_ADDRESS,
	  .key_path = "barrier.*" },

	/* async-channel: lib.rs */
	{ .type = "async_channel::Send", .key = WALK_KEY_ADDRESS,
	  .key_path = "sender.*.channel.*.data" },
	{ .type = "async_channel::Recv", .key = WALK_KEY_ADDRESS,
	  .key_path = "receiver.*.channel.*.data" },
	{ .type = "async_channel::Receiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "channel.*.data" },

	/* They wait for nothing: core/future/pending.rs, async-std's future/pending.rs */
	{ .type = "core::future::pending::Pending", .key = WALK_KEY_NONE },
	{ .type = "async_std::future::pending::Pending", .key = WALK_KEY_NONE },

	/* event-listener: lib.rs; the event is part of a channel, a lock, … */
	{ .type = "event_listener::EventListener", .key = WALK_KEY_ADDRESS,
	  .key_path = "listener.*.event.*.data" },
};

const size_t nr_library_leaves = sizeof(library_leaves) / sizeof(library_leaves[0]);

#define HOLDS	RUNTIME_SIDE_HOLDS

/*
 * Guards of locks for which a thread sleeps, and no task: std's sync/poison/{mutex,rwlock}.rs
 * (before 1.85 sync/{mutex,rwlock}.rs), lock_api's {mutex,rwlock}.rs (parking_lot, DashMap).
 */
const struct runtime_handle library_handles[] = {
	{ "std::sync::poison::mutex::MutexGuard", HOLDS, "lock.*.inner", NULL, NULL, true },
	{ "std::sync::poison::mutex::MappedMutexGuard", HOLDS, "inner.*", NULL, NULL, true },
	{ "std::sync::poison::rwlock::RwLockReadGuard", HOLDS, "inner_lock.*", NULL, NULL, false },
	{ "std::sync::poison::rwlock::RwLockWriteGuard", HOLDS, "lock.*.inner", NULL, NULL, true },
	{ "std::sync::nonpoison::mutex::MutexGuard", HOLDS, "lock.*.inner", NULL, NULL, true },
	{ "std::sync::nonpoison::rwlock::RwLockReadGuard", HOLDS, "inner_lock.*", NULL, NULL, false },
	{ "std::sync::nonpoison::rwlock::RwLockWriteGuard", HOLDS, "lock.*.inner", NULL, NULL, true },
	{ "std::sync::mutex::MutexGuard", HOLDS, "lock.*.inner", NULL, NULL, true },
	{ "std::sync::rwlock::RwLockReadGuard", HOLDS, "inner_lock.*", NULL, NULL, false },
	{ "std::sync::rwlock::RwLockWriteGuard", HOLDS, "lock.*.inner", NULL, NULL, true },
	{ "lock_api::mutex::MutexGuard", HOLDS, "mutex.*.raw", NULL, NULL, true },
	{ "lock_api::mutex::MappedMutexGuard", HOLDS, "raw.*", NULL, NULL, true },
	{ "lock_api::mutex::ArcMutexGuard", HOLDS, "mutex.*.data.raw", NULL, NULL, true },
	{ "lock_api::rwlock::RwLockReadGuard", HOLDS, "rwlock.*.raw", NULL, NULL, false },
	{ "lock_api::rwlock::RwLockWriteGuard", HOLDS, "rwlock.*.raw", NULL, NULL, true },
	{ "lock_api::rwlock::RwLockUpgradableReadGuard", HOLDS, "rwlock.*.raw", NULL, NULL, true },
	{ "lock_api::rwlock::MappedRwLockReadGuard", HOLDS, "raw.*", NULL, NULL, false },
	{ "lock_api::rwlock::MappedRwLockWriteGuard", HOLDS, "raw.*", NULL, NULL, true },
	{ "lock_api::rwlock::ArcRwLockReadGuard", HOLDS, "rwlock.*.data.raw", NULL, NULL, false },
	{ "lock_api::rwlock::ArcRwLockWriteGuard", HOLDS, "rwlock.*.data.raw", NULL, NULL, true },
};

const size_t nr_library_handles = sizeof(library_handles) / sizeof(library_handles[0]);

/* Crates of combinators, of HTTP layers and of tracing. */
const char library_adapters[] =
	"futures_util|futures_lite|tower|tower_http|tracing|tracing_futures|opentelemetry|"
	"async_compat|sync_wrapper|pin_utils";
