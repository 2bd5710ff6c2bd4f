/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands: what main() calls. One file each, src/cli/NAME.c.
 *
 * A command gets its own arguments, argv[0] being "dwell NAME", and prints its
 * own messages on standard error. It returns 0, a negative errno, CLI_USAGE or
 * CLI_HELPED.
 */
#ifndef DWELL_CLI_H
#define DWELL_CLI_H

#define CLI_DEFAULT_FILE	"dwell.data"

/*
 * The command line is wrong, and the command has said how. Also the exit
 * status then.
 */
#define CLI_USAGE	2
/* The help was asked for and is printed: there is nothing else to do. */
#define CLI_HELPED	3

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_fold(int argc, char **argv);
int cmd_flamegraph(int argc, char **argv);
int cmd_info(int argc, char **argv);

#endif /* DWELL_CLI_H */
