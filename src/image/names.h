/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names as the source spells them, from rustc's paths and mangled symbols:
 * "mini_redis::server::Handler::run" for mini_redis::server::{impl#3}::run::
 * {async_fn_env#0}.
 *
 * It must not know of layouts or of any runtime.
 */
#ifndef DWELL_IMAGE_NAMES_H
#define DWELL_IMAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "image/lines.h"
#include "image/scan.h"
#include "image/types.h"

struct rust_names;

/*
 * Has any function here had no memory, in this thread and since the last time
 * that this was asked? Where NULL means "none" as well, nothing else tells.
 */
bool names__no_memory(void);

/* What {impl#N} stands for is learnt from the symbols of functions. NULL: no memory. */
struct rust_names *rust_names__new(const struct types *ts);
void rust_names__free(struct rust_names *n);

/*
 * The type at @d as the source names it, generics and all. An async fn, block
 * or closure is called after the function that holds it. Caller frees; NULL:
 * no memory.
 */
char *rust_names__type(struct rust_names *n, const struct die *d);

/* Is @name that of a coroutine's environment: "{async_fn_env#0}<u8>"? */
bool name__is_coroutine(const char *name);
/* Does @name begin with a trait that is polled: "core::future::future::Future<Output=()> + …"? */
bool name__is_polled_trait(const char *name);
/* … of a closure's: "{closure_env#0}"? */
bool name__is_closure(const char *name);
/* Is @name ("<a::b::C as d::E>::f") in the crate or module @path ("a::b")? */
bool name__is_below(const char *name, const char *path);
/* … or in one of those that '|' parts in @paths, which may be NULL? */
bool name__is_below_any(const char *name, const char *paths);

/*
 * @name with its generics cut down to the last words of each: "Map<Fut, F>" of
 * "a::b::Map<c::Fut, d::{closure_env#0}>" if @last, else with the path left as
 * it is. Caller frees; NULL: no memory.
 */
char *name__shorten(const char *name, bool last);
/*
 * What stands in a frame for a type of @name: of a runtime's @own types the
 * name, with its module where that adds something ("oneshot::Receiver"), of
 * others the whole path; without generics, but for a @coroutine. Caller frees.
 */
char *name__frame(const char *name, bool coroutine, bool own);
/*
 * The same for a closure that is polled: it goes by the function that holds it,
 * which is what @name says; where that is not the runtime's @own, it is still
 * told from the function. Caller frees.
 */
char *name__closure_frame(const char *name, bool own);
/*
 * What tells a block or closure from others in its function: "{async block web.rs:112}"
 * of the environment @name ("{async_block_env#0}<…>") that begins at @at. NULL: @name is
 * a function's, the line is not known, or no memory. Caller frees.
 */
char *name__block(const char *name, struct source_line at);
/* @name without any generics. Caller frees. */
char *name__plain(const char *name);

/*
 * A mangled symbol (legacy or v0, ".llvm.N" cut off) as a path without
 * generics: "tokio::runtime::task::raw::poll". Caller frees; NULL: not
 * Rust's, or no memory. @generics, if not NULL, gets what the last generics
 * held, if the symbol tells (v0), else NULL; caller frees that too.
 */
char *name__of_symbol(const char *mangled, char **generics);

/*
 * Argument @nr of such @generics, as the source names it: "a::B::f<u8>" is the
 * first of "<a::B>::f::<u8>::{closure#0}, d::E". Caller frees; NULL: there is
 * none, or no memory.
 */
char *name__generic(const char *generics, unsigned int nr);

/* "a::f" of a mangled symbol in which @word<a::f> occurs. Caller frees; NULL: none. */
char *name__argument(const char *mangled, const char *word);

#endif /* DWELL_IMAGE_NAMES_H */
