/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names source files by the crate that they belong to and their path inside it, without
 * the directories of the machine that compiled them. It must not know where the result
 * is shown.
 */
#ifndef DWELL_JOIN_CRATE_PATH_H
#define DWELL_JOIN_CRATE_PATH_H

#include <stdbool.h>

#define CRATE_PATH_MAX	512

/*
 * The part of @path, a path from a line table, from the directory of its crate on:
 *
 *	…/registry/src/index.crates.io-1949/hyper-1.6.0/src/proto/h1/mod.rs
 *						hyper-1.6.0/src/proto/h1/mod.rs
 *	…/git/checkouts/mini-redis-5f1b/e186482/src/server.rs	mini-redis/src/server.rs
 *	/rustc/17067e9ac6/library/core/src/future/mod.rs	core/src/future/mod.rs
 *	/home/me/shop/cart/src/main.rs			cart/src/main.rs
 *
 * If no crate is recognised in an absolute path, the result is its last directory and
 * the file name; a relative path is then returned whole. A result too long for @out
 * loses its first components. "." and ".." are resolved; Windows' backslashes become
 * slashes. Returns @out.
 */
char *crate_path(const char *path, char out[CRATE_PATH_MAX]);
/*
 * Is the base name @file too common to identify a file? mod.rs and lib.rs occur in
 * every crate. (main.rs is not too common: a program has one, and function names tell
 * which.)
 */
bool crate_path__needed(const char *file);
/*
 * Is @path outside the program's own sources, that is in a crate from a registry, in
 * one from git, or in std?
 */
bool crate_path__foreign(const char *path);
/* Is @path one of the sources of std, core or alloc? */
bool crate_path__std(const char *path);
/* Has a build script written @path? Cargo has such files in build/CRATE-HASH/out. */
bool crate_path__generated(const char *path);

#endif /* DWELL_JOIN_CRATE_PATH_H */
