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
	  .key_path = "inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = "futures_channel::mpsc::UnboundedReceiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = "futures_channel::oneshot::Receiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS },
	{ .type = "futures_channel::oneshot::Cancellation", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.*.inner.*.data",
	  .ended_by = RUNTIME_SIDE_RECEIVES },

	/* futures-util: lock/{mutex,bilock}.rs */
	{ .type = "futures_util::lock::mutex::MutexLockFuture", .key = WALK_KEY_ADDRESS,
	  .key_path = "mutex.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "futures_util::lock::mutex::OwnedMutexLockFuture", .key = WALK_KEY_ADDRESS,
	  .key_path = "mutex.*.data",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "futures_util::lock::bilock::BiLockAcquire", .key = WALK_KEY_ADDRESS,
	  .key_path = "bilock.*.arc.*.data" },

	/* async-lock: mutex.rs, rwlock/, semaphore.rs, barrier.rs, once_cell.rs */
	{ .type = "async_lock::mutex::Lock", .key = WALK_KEY_ADDRESS, .key_path = "mutex.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::rwlock::futures::Read", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::rwlock::futures::ReadArc", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::rwlock::futures::UpgradableRead", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::rwlock::futures::Write", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::rwlock::futures::WriteArc", .key = WALK_KEY_ADDRESS,
	  .key_path = "raw.lock.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::semaphore::Acquire", .key = WALK_KEY_ADDRESS,
	  .key_path = "semaphore.*",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::semaphore::AcquireArc", .key = WALK_KEY_ADDRESS,
	  .key_path = "semaphore.*.data",
	  .ended_by = RUNTIME_SIDE_HOLDS },
	{ .type = "async_lock::barrier::BarrierWait", .key = WALK_KEY_ADDRESS,
	  .key_path = "barrier.*" },

	/* async-channel: lib.rs */
	{ .type = "async_channel::Send", .key = WALK_KEY_ADDRESS,
	  .key_path = "sender.*.channel.*.data",
	  .ended_by = RUNTIME_SIDE_RECEIVES },
	{ .type = "async_channel::Recv", .key = WALK_KEY_ADDRESS,
	  .key_path = "receiver.*.channel.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = "async_channel::Receiver", .key = WALK_KEY_ADDRESS,
	  .key_path = "channel.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },

	/* tokio-stream: wrappers/{mpsc_bounded,mpsc_unbounded}.rs */
	{ .type = "tokio_stream::wrappers::mpsc_bounded::ReceiverStream", .key = WALK_KEY_ADDRESS,
	  .key_path = "inner.chan.inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },
	{ .type = "tokio_stream::wrappers::mpsc_unbounded::UnboundedReceiverStream",
	  .key = WALK_KEY_ADDRESS, .key_path = "inner.chan.inner.*.data",
	  .ended_by = RUNTIME_SIDE_SENDS,
	  .idle = RUNTIME_IDLE_QUEUE },

	/* They wait for nothing: core/future/pending.rs, async-std's future/pending.rs */
	{ .type = "core::future::pending::Pending", .key = WALK_KEY_NONE },
	{ .type = "async_std::future::pending::Pending", .key = WALK_KEY_NONE },

	/* event-listener: lib.rs; the event is part of a channel, a lock, … */
	{ .type = "event_listener::EventListener", .key = WALK_KEY_ADDRESS,
	  .key_path = "listener.*.event.*.data" },
};

const size_t nr_library_leaves = sizeof(library_leaves) / sizeof(library_leaves[0]);

/*
 * futures-util's lock/bilock.rs: the two halves of a stream that was split share the whole, and
 * poll it.
 */
const struct runtime_wrapper library_wrappers[] = {
	{ "futures_util::lock::bilock::BiLock", "arc", NULL },
};

const size_t nr_library_wrappers = sizeof(library_wrappers) / sizeof(library_wrappers[0]);

#define HOLDS	RUNTIME_SIDE_HOLDS
#define SENDS	RUNTIME_SIDE_SENDS
#define RECEIVES RUNTIME_SIDE_RECEIVES

/*
 * Guards of locks for which a thread sleeps, and no task: std's sync/poison/{mutex,rwlock}.rs
 * (before 1.85 sync/{mutex,rwlock}.rs), lock_api's {mutex,rwlock}.rs (parking_lot, DashMap).
 */
const struct runtime_handle library_handles[] = {
	{ "std::sync::poison::mutex::MutexGuard", HOLDS, "lock.*.inner", NULL, NULL, true, NULL },
	{ "std::sync::poison::mutex::MappedMutexGuard", HOLDS, "inner.*", NULL, NULL, true, NULL },
	{ "std::sync::poison::rwlock::RwLockReadGuard", HOLDS, "inner_lock.*", NULL, NULL, false, NULL },
	{ "std::sync::poison::rwlock::RwLockWriteGuard", HOLDS, "lock.*.inner", NULL, NULL, true, NULL },
	{ "std::sync::nonpoison::mutex::MutexGuard", HOLDS, "lock.*.inner", NULL, NULL, true, NULL },
	{ "std::sync::nonpoison::rwlock::RwLockReadGuard", HOLDS, "inner_lock.*", NULL, NULL, false, NULL },
	{ "std::sync::nonpoison::rwlock::RwLockWriteGuard", HOLDS, "lock.*.inner", NULL, NULL, true, NULL },
	{ "std::sync::mutex::MutexGuard", HOLDS, "lock.*.inner", NULL, NULL, true, NULL },
	{ "std::sync::rwlock::RwLockReadGuard", HOLDS, "inner_lock.*", NULL, NULL, false, NULL },
	{ "std::sync::rwlock::RwLockWriteGuard", HOLDS, "lock.*.inner", NULL, NULL, true, NULL },
	{ "lock_api::mutex::MutexGuard", HOLDS, "mutex.*.raw", NULL, NULL, true, NULL },
	{ "lock_api::mutex::MappedMutexGuard", HOLDS, "raw.*", NULL, NULL, true, NULL },
	{ "lock_api::mutex::ArcMutexGuard", HOLDS, "mutex.*.data.raw", NULL, NULL, true, NULL },
	{ "lock_api::rwlock::RwLockReadGuard", HOLDS, "rwlock.*.raw", NULL, NULL, false, NULL },
	{ "lock_api::rwlock::RwLockWriteGuard", HOLDS, "rwlock.*.raw", NULL, NULL, true, NULL },
	{ "lock_api::rwlock::RwLockUpgradableReadGuard", HOLDS, "rwlock.*.raw", NULL, NULL, true, NULL },
	{ "lock_api::rwlock::MappedRwLockReadGuard", HOLDS, "raw.*", NULL, NULL, false, NULL },
	{ "lock_api::rwlock::MappedRwLockWriteGuard", HOLDS, "raw.*", NULL, NULL, true, NULL },
	{ "lock_api::rwlock::ArcRwLockReadGuard", HOLDS, "rwlock.*.data.raw", NULL, NULL, false, NULL },
	{ "lock_api::rwlock::ArcRwLockWriteGuard", HOLDS, "rwlock.*.data.raw", NULL, NULL, true, NULL },

	/* futures-channel: mpsc/mod.rs, oneshot.rs; futures-util: lock/mutex.rs */
	{ "futures_channel::mpsc::Sender", SENDS, "inner.*.data", NULL, "num_senders", false, NULL },
	{ "futures_channel::mpsc::UnboundedSender", SENDS, "inner.*.data", NULL, "num_senders", false,
	  NULL },
	{ "futures_channel::oneshot::Sender", SENDS, "inner.*.data", NULL, NULL, true, NULL },
	{ "futures_channel::oneshot::Receiver", RECEIVES, "inner.*.data", NULL, NULL, true, NULL },
	{ "futures_util::lock::mutex::MutexGuard", HOLDS, "mutex.*", NULL, NULL, true, NULL },
	{ "futures_util::lock::mutex::OwnedMutexGuard", HOLDS, "mutex.*.data", NULL, NULL, true, NULL },

	/* async-lock: mutex.rs, rwlock.rs, semaphore.rs */
	{ "async_lock::mutex::MutexGuard", HOLDS, "*", NULL, NULL, true, NULL },
	{ "async_lock::mutex::MutexGuardArc", HOLDS, "*.data", NULL, NULL, true, NULL },
	{ "async_lock::rwlock::RwLockReadGuard", HOLDS, "lock.*", NULL, NULL, false, NULL },
	{ "async_lock::rwlock::RwLockUpgradableReadGuard", HOLDS, "lock.*", NULL, NULL, true, NULL },
	{ "async_lock::rwlock::RwLockWriteGuard", HOLDS, "lock.*", NULL, NULL, true, NULL },
	{ "async_lock::rwlock::RwLockUpgradableReadGuardArc", HOLDS, "lock.*.data.raw", NULL, NULL,
	  true, NULL },
	{ "async_lock::rwlock::RwLockWriteGuardArc", HOLDS, "lock.*.data.raw", NULL, NULL, true, NULL },
	{ "async_lock::semaphore::SemaphoreGuard", HOLDS, "*", NULL, NULL, false, NULL },
	{ "async_lock::semaphore::SemaphoreGuardArc", HOLDS, "*.data", NULL, NULL, false, NULL },

	/* async-channel: lib.rs */
	{ "async_channel::Sender", SENDS, "channel.*.data", NULL, "sender_count", false, NULL },
	{ "async_channel::Receiver", RECEIVES, "channel.*.data", NULL, "receiver_count", false, NULL },

	/* tokio-stream: wrappers/{mpsc_bounded,mpsc_unbounded}.rs */
	{ "tokio_stream::wrappers::mpsc_bounded::ReceiverStream", RECEIVES, "inner.chan.inner.*.data",
	  NULL, NULL, true, "notify_rx_closed" },
	{ "tokio_stream::wrappers::mpsc_unbounded::UnboundedReceiverStream", RECEIVES,
	  "inner.chan.inner.*.data", NULL, NULL, true, "notify_rx_closed" },

	/*
	 * Pools: what has been taken out holds a permit of the semaphore in the pool. deadpool's
	 * managed/object.rs (an Object's Weak points to the same block as an Arc), sqlx-core's
	 * pool/connection.rs.
	 */
	{ "deadpool::managed::object::Object", HOLDS, "pool.*.data", NULL, NULL, false, NULL },
	{ "deadpool::managed::Object", HOLDS, "pool.*.data", NULL, NULL, false, NULL },
	{ "sqlx_core::pool::connection::PoolConnection", HOLDS, "pool.*.data", NULL, NULL, false,
	  NULL },

	/* h2: share.rs, proto/streams/streams.rs; the object is what the lock protects */
	{ "h2::share::RecvStream", RECEIVES, "inner.inner.inner.*.data.data.value", NULL, NULL, false,
	  NULL },
	{ "h2::share::SendStream", SENDS, "inner.opaque.inner.*.data.data.value", NULL, NULL, false,
	  NULL },
	{ "h2::proto::connection::ConnectionInner", RECEIVES, "streams.inner.*.data.data.value", NULL,
	  NULL, true, NULL },
};

const size_t nr_library_handles = sizeof(library_handles) / sizeof(library_handles[0]);

/* h2: proto/streams/{streams,recv,prioritize,stream,flow_control,store}.rs */
#define H2_STREAM(type, of) { \
	.handle = type, \
	.index = of ".key.index.__0", \
	.id = of ".key.stream_id.__0", \
	.streams = "store.slab.entries", \
	.windows = { \
		[RUNTIME_WINDOW_RECV]	= "actions.recv.flow.window_size.__0", \
		[RUNTIME_WINDOW_HELD]	= "actions.recv.in_flight_data", \
		[RUNTIME_WINDOW_SEND]	= "actions.send.prioritize.flow.window_size.__0", \
		[RUNTIME_STREAM_ID]	= "Occupied.__0.id.__0", \
		[RUNTIME_STREAM_RECV]	= "Occupied.__0.recv_flow.window_size.__0", \
		[RUNTIME_STREAM_HELD]	= "Occupied.__0.in_flight_recv_data", \
		[RUNTIME_STREAM_SEND]	= "Occupied.__0.send_flow.window_size.__0", \
		[RUNTIME_STREAM_READER]	= "Occupied.__0.recv_task.Some.__0.waker.vtable", \
		[RUNTIME_STREAM_WRITER]	= "Occupied.__0.send_task.Some.__0.waker.vtable", \
	}, \
}

const struct runtime_stream library_streams[] = {
	H2_STREAM("h2::share::RecvStream", "inner.inner"),
	H2_STREAM("h2::share::SendStream", "inner.opaque"),
	{ .handle = "h2::proto::connection::ConnectionInner" },
};

const size_t nr_library_streams = sizeof(library_streams) / sizeof(library_streams[0]);

/* future/maybe_done.rs of tokio, future/{maybe_done,try_maybe_done}.rs of futures-util */
const char *const library_branches[] = {
	"tokio::future::maybe_done::MaybeDone",
	"futures_util::future::maybe_done::MaybeDone",
	"futures_util::future::try_maybe_done::TryMaybeDone",
	NULL,
};

/* Crates of combinators, of HTTP layers and of tracing. */
const char library_adapters[] =
	"futures_util|futures_lite|tower|tower_http|tracing|tracing_futures|opentelemetry|"
	"async_compat|sync_wrapper|pin_utils";
