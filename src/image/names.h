/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names as in the source, from rustc's paths and mangled symbols:
 * "mini_redis::server::Handler::run" for
 * mini_redis::server::{impl#3}::run::{async_fn_env#0}.
 *
 * It must not know layouts or runtimes.
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
 * Was there no memory in any function of this file, in this thread, since this was
 * asked last? Needed where a result of NULL also means "none".
 */
bool names__no_memory(void);

/* Learns from the symbols of functions what each {impl#N} stands for. NULL: no memory. */
struct rust_names *rust_names__new(const struct types *ts);
void rust_names__free(struct rust_names *n);

/*
 * The name of the type at @d as in the source, with generics. An async fn, block or
 * closure is named by the function that contains it. Caller frees; NULL: no memory.
 */
char *rust_names__type(struct rust_names *n, const struct die *d);

/* Is @name a coroutine's environment, such as "{async_fn_env#0}<u8>"? */
bool name__is_coroutine(const char *name);
/*
 * Does @name begin with a trait that is polled, such as
 * "core::future::future::Future<Output=()> + …"?
 */
bool name__is_polled_trait(const char *name);
/* Is @name a closure's environment, such as "{closure_env#0}"? */
bool name__is_closure(const char *name);
/* Is @name ("<a::b::C as d::E>::f") in the crate or module @path ("a::b")? */
bool name__is_below(const char *name, const char *path);
/*
 * Is @name in one of the crates or modules in @paths, which are separated by '|'?
 * @paths may be NULL.
 */
bool name__is_below_any(const char *name, const char *paths);

/*
 * @name with its generics reduced to the last word of each: "Map<Fut, F>" of
 * "a::b::Map<c::Fut, d::{closure_env#0}>" if @last; if not, its own path stays. Caller
 * frees; NULL: no memory.
 */
char *name__shorten(const char *name, bool last);
/*
 * The text of a frame for a type called @name. For a runtime's @own types it is the
 * name, with the module if that adds something ("oneshot::Receiver"); for others the
 * complete path. Generics are left out, except for a @coroutine. Caller frees.
 */
char *name__frame(const char *name, bool coroutine, bool own);
/*
 * The same for a closure that is polled. It is named by the function that contains it,
 * which is in @name; unless that is the runtime's @own, the text shows that it is a
 * closure in the function. Caller frees.
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
 * The path, without generics, of a mangled symbol (legacy or v0; a ".llvm.N" suffix is
 * ignored): "tokio::runtime::task::raw::poll". Caller frees. NULL: not a Rust symbol,
 * or no memory. @generics, if not NULL, is set to the contents of the last generics if
 * the symbol has them (v0), else to NULL; the caller frees that too.
 */
char *name__of_symbol(const char *mangled, char **generics);

/*
 * Argument @nr of such @generics, as in the source: the first of
 * "<a::B>::f::<u8>::{closure#0}, d::E" is "a::B::f<u8>". Caller frees; NULL: there is
 * none, or no memory.
 */
char *name__generic(const char *generics, unsigned int nr);

/* "a::f" of a mangled symbol that contains @word<a::f>. Caller frees; NULL: none. */
char *name__argument(const char *mangled, const char *word);

#endif /* DWELL_IMAGE_NAMES_H */
