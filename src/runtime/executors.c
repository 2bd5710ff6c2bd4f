// SPDX-License-Identifier: GPL-2.0
/*
 * Executors that block a thread on one future and have no tasks, as data: where they
 * poll the future, and which functions they call to sleep. Names are those of
 * futures-executor 0.3, pollster 0.2 to 0.4, async-io 1 and 2 and futures-lite 1 and 2.
 */
#include "runtime/runtime.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* The waker for types that implement std's Wake; its data is an Arc of the type. */
#define STD_WAKER							\
	{ RUNTIME_FN_ROOT_WAKE, "alloc::task::raw_waker::wake", 0, false },	\
	{ RUNTIME_FN_ROOT_WAKE, "alloc::task::raw_waker::wake_by_ref", 0, false }, \
	{ RUNTIME_FN_ROOT_CLONE, "alloc::task::raw_waker::clone_waker", 0, false }

/* local_pool.rs: sleeps in std's park, and is woken by unpark */
static const struct runtime_fn futures_fns[] = {
	{ RUNTIME_FN_PARK, "std::thread::functions::park", 0, false },
	{ RUNTIME_FN_PARK, "std::thread::park", 0, false },
};

static const struct runtime_root futures_roots[] = {
	{ "futures_executor::local_pool::block_on", false, false, NULL },
};

const struct runtime runtime_futures = {
	.name		= "futures-executor",
	.crate		= "futures_executor",
	.fns		= futures_fns,
	.nr_fns		= ARRAY_SIZE(futures_fns),
	.roots		= futures_roots,
	.nr_roots	= ARRAY_SIZE(futures_roots),
};

static const struct runtime_fn pollster_fns[] = {
	{ RUNTIME_FN_PARK, "pollster::Signal::wait", 0, false },
};

static const struct runtime_root pollster_roots[] = {
	{ "pollster::block_on", false, false, NULL },
};

const struct runtime runtime_pollster = {
	.name		= "pollster",
	.crate		= "pollster",
	.fns		= pollster_fns,
	.nr_fns		= ARRAY_SIZE(pollster_fns),
	.roots		= pollster_roots,
	.nr_roots	= ARRAY_SIZE(pollster_roots),
};

/* driver.rs: the thread waits in the reactor if no other thread does, else it is parked */
static const struct runtime_fn async_io_fns[] = {
	{ RUNTIME_FN_PARK, "parking::Parker::park_timeout", 0, false },
	{ RUNTIME_FN_PARK, "parking::Parker::park", 0, false },
	{ RUNTIME_FN_PARK, "parking::Inner::park", 0, false },
	STD_WAKER,
};

static const struct runtime_root async_io_roots[] = {
	{ "async_io::driver::block_on", true, false, NULL },
	{ "async_io::driver::block_on::{closure}", true, false, NULL },
	{ "futures_lite::future::block_on", false, false, NULL },
	{ "futures_lite::future::block_on::{closure}", false, false, NULL },
};

const struct runtime runtime_async_io = {
	.name		= "async-io",
	.crate		= "async_io",
	.fns		= async_io_fns,
	.nr_fns		= ARRAY_SIZE(async_io_fns),
	.roots		= async_io_roots,
	.nr_roots	= ARRAY_SIZE(async_io_roots),
};
