/* SPDX-License-Identifier: GPL-2.0 */
/* dwell record: parses the options. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/duration.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "record/cpu_samples.h"
#include "record/recorder.h"

enum {
	OPT_DURATION = 256,
	OPT_DEBUG_FILE,
	OPT_RING,
	OPT_EMPTY,
	OPT_HIDE,
	OPT_NO_CACHE,
	OPT_NO_LOOKS,
	OPT_CPU,
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Attach to this running process", 0 },
	{ "output", 'o', "FILE", 0, "Write to FILE (default dwell.data, - for standard output)", 0 },
	{ "duration", OPT_DURATION, "TIME", 0, "Stop after so long: 10s, 500ms, 2m; seconds without a unit", 0 },
	{ "cpu", OPT_CPU, "HZ", OPTION_ARG_OPTIONAL, "Also sample what runs on the CPUs, so often a second (99): where the running time goes", 0 },
	{ "quiet", 'q', NULL, 0, "No progress line", 0 },
	{ "verbose", 'v', NULL, 0, "Show what libbpf says", 0 },
	{ "debug-file", OPT_DEBUG_FILE, "FILE", 0, "Separate debug file of the program", 1 },
	{ "buffer", OPT_RING, "KIB", 0, "Ring buffer per CPU (a power of two)", 1 },
	{ "no-cache", OPT_NO_CACHE, NULL, 0, "Read the program's DWARF again, do not cache the model", 1 },
	{ "no-looks", OPT_NO_LOOKS, NULL, 0, "Do not find out why tasks wait, at the start, the end and on SIGUSR1", 1 },
	/* For bench/ and tests/e2e/ground_truth.py; not in the help. */
	{ "empty-probes", OPT_EMPTY, NULL, OPTION_HIDDEN, "Probes that do nothing at the same sites", 1 },
	{ "hide-switches", OPT_HIDE, "N", OPTION_HIDDEN, "Miss one in N returns of a thread to a CPU", 1 },
	{ 0 }
};

struct arguments {
	struct recorder_opts	opts;
	char			**argv;		/* the arguments after the options */
};

static error_t set_duration(const struct argp_state *state, const char *text, uint64_t *ns)
{
	int err = duration__parse(text, ns);

	if (err == -ERANGE)
		return arguments__wrong(state, "too long a duration: %s", text);
	if (err || !*ns)
		return arguments__wrong(state, "not a duration, as 10s, 500ms, 2m or 1.5 are: %s",
					text);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	uint64_t n;

	switch (key) {
	case 'p':
		if (!arguments__number(arg, 1, INT_MAX, &n))
			return arguments__wrong(state, "not a process id: %s", arg);
		a->opts.pid = (pid_t)n;
		break;
	case 'o':
		a->opts.output = arg;
		break;
	case 'q':
		a->opts.quiet = true;
		break;
	case 'v':
		a->opts.verbose = true;
		break;
	case OPT_DURATION:
		return set_duration(state, arg, &a->opts.duration_ns);
	case OPT_DEBUG_FILE:
		a->opts.debug_file = arg;
		break;
	case OPT_RING:
		if (!arguments__number(arg, 4, 1u << 20, &n) || (n & (n - 1)))
			return arguments__wrong(state, "not a power of two between 4 and 1048576: %s",
						arg);
		a->opts.ring_bytes = n << 10;
		break;
	case OPT_EMPTY:
		a->opts.empty = true;
		break;
	case OPT_HIDE:
		if (!arguments__number(arg, 1, UINT32_MAX, &n))
			return arguments__wrong(state, "not a number of switches: %s", arg);
		a->opts.hide_switches = (uint32_t)n;
		break;
	case OPT_CPU:
		n = CPU_SAMPLES_HZ;
		if (arg && !arguments__number(arg, 1, CPU_SAMPLES_HZ_MAX, &n))
			return arguments__wrong(state, "not a number of samples a second, 1 to 9999: %s",
						arg);
		a->opts.sample_hz = (uint32_t)n;
		break;
	case OPT_NO_CACHE:
		a->opts.cache_dir = "";
		break;
	case OPT_NO_LOOKS:
		a->opts.no_looks = true;
		break;
	case ARGP_KEY_ARGS:
		a->opts.argv = state->argv + state->next;
		if (!a->opts.argv[0][strspn(a->opts.argv[0], "0123456789")])
			return arguments__wrong(state, "a running process is given with -p %s",
						a->opts.argv[0]);
		break;
	case ARGP_KEY_END:
		if (!a->opts.pid == !a->opts.argv)
			return arguments__wrong(state, "give either -p PID or -- COMMAND");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "-p PID\n-- COMMAND [ARGUMENT...]",
	.doc = "Record where the tasks of an async Rust program spend their time.\v"
	       "The program is neither stopped nor changed. Recording ends on Ctrl-C, SIGTERM or "
	       "SIGHUP, after --duration, or when the program ends. COMMAND is sent SIGTERM then.",
};

int cmd_record(int argc, char **argv)
{
	struct arguments a = { .opts = { .output = "dwell.data" } };
	int err = arguments__parse(&argp, argc, argv, ARGP_IN_ORDER, &a);

	return err ? err : recorder__run(&a.opts);
}
