/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Source files, named as a person would: by the crate they belong to and where in
 * it they are, without the machine that they were compiled on. It must not know
 * what a path is shown in.
 */
#ifndef DWELL_JOIN_CRATE_PATH_H
#define DWELL_JOIN_CRATE_PATH_H

#include <stdbool.h>

#define CRATE_PATH_MAX	512

/*
 * @path, as a line table has it, relative to the directory that holds its crate:
 *
 *	…/registry/src/index.crates.io-1949/hyper-1.6.0/src/proto/h1/mod.rs
 *						hyper-1.6.0/src/proto/h1/mod.rs
 *	…/git/checkouts/mini-redis-5f1b/e186482/src/server.rs	mini-redis/src/server.rs
 *	/rustc/17067e9ac6/library/core/src/future/mod.rs	core/src/future/mod.rs
 *	/home/me/shop/cart/src/main.rs			cart/src/main.rs
 *
 * Where no crate can be seen in an absolute path, its last directory and the file;
 * a relative path without one is whole. What is too long for @out loses its
 * beginning. "." and ".." are resolved, Windows' paths get slashes. Returns @out.
 */
char *crate_path(const char *path, char out[CRATE_PATH_MAX]);
/*
 * Whether a file's base name @file tells as good as nothing: mod.rs and lib.rs are
 * in every crate. (main.rs is not: a program has one, and its functions say which.)
 */
bool crate_path__needed(const char *file);
/* Whether @path is not of the program's own sources: a registry's crate, a git one, std. */
bool crate_path__foreign(const char *path);

#endif /* DWELL_JOIN_CRATE_PATH_H */
