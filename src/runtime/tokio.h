/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Indices of runtime_tokio's layouts. runtime.h describes their use: struct
 * runtime_tasks, runtime_list, runtime_reactor.
 *
 * It must not know offsets (image__layout() returns them) nor how memory is read.
 */
#ifndef DWELL_RUNTIME_TOKIO_H
#define DWELL_RUNTIME_TOKIO_H

enum tokio_layout {
	/*
	 * A reactor object, whose address is the epoll token: the wakers of poll_read
	 * and poll_write.
	 */
	TOKIO_IO_READER,	/* RawWaker's data: a task's header, if … */
	TOKIO_IO_READER_VT,	/* … its vtable is tokio's (0: no waker) */
	TOKIO_IO_WRITER,
	TOKIO_IO_WRITER_VT,
	/* A list of those who wait in its readiness(). */
	TOKIO_IO_WAITERS,	/* pointer to the first, 0: none */
	TOKIO_IO_WAITER_NEXT,	/* in a waiter: pointer to the next */
	TOKIO_IO_WAITER_WAKER,
	TOKIO_IO_WAITER_WAKER_VT,
	TOKIO_IO_WAITER_INTEREST, /* bits: 1 read, 2 write */
	TOKIO_HEADER_STATE,
	TOKIO_HEADER_VTABLE,
	TOKIO_HEADER_OWNER,	/* u64: id of the list that it is or was in */
	TOKIO_VTABLE_POLL,
	TOKIO_VTABLE_TRAILER,	/* usize: from the header to the trailer … */
	TOKIO_VTABLE_SCHEDULER,	/* … to S … */
	TOKIO_VTABLE_ID,	/* … to the task's id (u64, as tokio::task::Id shows it) */
	TOKIO_TRAILER_NEXT,
	TOKIO_TRAILER_WAKER,	/* of the task that joins it; valid if state & 0x10 */
	/* S = Arc<multi_thread::Handle>: shards since tokio 1.35, before that one list. */
	TOKIO_MT_SHARDS,	/* pointer to the first */
	TOKIO_MT_NR_SHARDS,
	TOKIO_MT_SHARD_HEAD,	/* off[2] is the offset in any shard */
	TOKIO_MT_SHARD,		/* its size is the distance between shards */
	TOKIO_MT_HEAD,		/* before tokio 1.35: the only list */
	/* S = Arc<current_thread::Handle>: the same. */
	TOKIO_CT_SHARDS,
	TOKIO_CT_NR_SHARDS,
	TOKIO_CT_SHARD_HEAD,
	TOKIO_CT_SHARD,
	TOKIO_CT_HEAD,
	/* S = Arc<local::Shared>, of a LocalSet. */
	TOKIO_LOCAL_HEAD,
	/*
	 * In a thread's context: the runtime that the thread belongs to, in two words,
	 * one of which is A (see runtime_tasks) of one of the kinds; or none.
	 */
	TOKIO_CONTEXT_HANDLE,
	/* runtime/blocking/pool.rs, of a multi_thread and of a current_thread runtime */
	TOKIO_MT_POOL_THREADS,
	TOKIO_MT_POOL_IDLE,
	TOKIO_MT_POOL_QUEUED,
	TOKIO_MT_POOL_LIMIT,
	TOKIO_CT_POOL_THREADS,
	TOKIO_CT_POOL_IDLE,
	TOKIO_CT_POOL_QUEUED,
	TOKIO_CT_POOL_LIMIT,
	/* sync/batch_semaphore.rs */
	TOKIO_SEM_PERMITS,
	TOKIO_SEM_FIRST,	/* pointer to the waiter that is next, 0: none */
	TOKIO_SEM_WAITER_STATE,	/* usize: permits that it still needs */
	TOKIO_SEM_WAITER_NEXT,
	TOKIO_ACQUIRE_PERMITS,	/* usize: that it asks for */
	TOKIO_ACQUIRE_QUEUED,	/* bool */
	/* util/idle_notified_set.rs: the set of a JoinSet */
	TOKIO_SET_LISTS,
	TOKIO_SET_IDLE,
	TOKIO_SET_NOTIFIED,
	TOKIO_SET_NEXT,
	TOKIO_SET_TASK,
	/* runtime/scheduler/multi_thread/worker.rs, queue.rs; scheduler/inject.rs */
	TOKIO_WORKER_SLOT,
	TOKIO_WORKER_HEAD,
	TOKIO_WORKER_TAIL,
	TOKIO_WORKER_RING,
	TOKIO_MT_INJECT,
	TOKIO_HEADER_QUEUE_NEXT,
	TOKIO_LAYOUT_NR
};

#endif /* DWELL_RUNTIME_TOKIO_H */
