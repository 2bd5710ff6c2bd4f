/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal that output goes to.
 */
#ifndef DWELL_CLI_TERMINAL_H
#define DWELL_CLI_TERMINAL_H

/*
 * How wide text should be that goes to @fd: as wide as the terminal, which says
 * it itself or by $COLUMNS; 80 if it does not, or if @fd is no terminal.
 */
unsigned int terminal__columns(int fd);

#endif /* DWELL_CLI_TERMINAL_H */
