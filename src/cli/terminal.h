/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal that output is written to. */
#ifndef DWELL_CLI_TERMINAL_H
#define DWELL_CLI_TERMINAL_H

/*
 * The width of text for @fd: that of the terminal, which it tells itself or by
 * $COLUMNS; 80 if it does not, or if @fd is not a terminal.
 */
unsigned int terminal__columns(int fd);

#endif /* DWELL_CLI_TERMINAL_H */
