/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands, which main() calls. Each is a file, src/cli/NAME.c.
 *
 * A command gets its own arguments, with "dwell NAME" as argv[0], and prints its own
 * messages on standard error. It returns 0, a negative errno, CLI_USAGE or CLI_HELPED.
 */
#ifndef DWELL_CLI_H
#define DWELL_CLI_H

#define CLI_DEFAULT_FILE	"dwell.data"

/*
 * The command line is wrong, and one line has been printed that says how. This is also the
 * exit status.
 */
#define CLI_USAGE	2
/* Help was requested and has been printed: nothing else is to be done. */
#define CLI_HELPED	3

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_fold(int argc, char **argv);
int cmd_flamegraph(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_info(int argc, char **argv);

#endif /* DWELL_CLI_H */
