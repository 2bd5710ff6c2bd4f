/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the symbols of all functions with a given path, whatever their generics: for
 * example all copies of tokio::runtime::task::raw::poll.
 *
 * It must not know what the functions are for.
 */
#ifndef DWELL_IMAGE_SYMBOLS_OF_H
#define DWELL_IMAGE_SYMBOLS_OF_H

#include "image/binary.h"

/*
 * Call @each with each function symbol of @b whose path without generics is @path.
 * @generics are as in name__of_symbol(): NULL if the symbol does not have them.
 */
void symbols__of(const struct binary *b, const char *path,
		 void (*each)(void *ctx, const struct symbol *sym, const char *generics),
		 void *ctx);

#endif /* DWELL_IMAGE_SYMBOLS_OF_H */
