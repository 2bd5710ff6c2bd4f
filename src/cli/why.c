// SPDX-License-Identifier: GPL-2.0
/* dwell why: why tasks wait, of a running program or in a recording. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/priority.h"
#include "base/say.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/why_recording.h"
#include "image/image.h"
#include "inspect/process.h"
#include "record/code.h"
#include "record/registers.h"
#include "why/why.h"

enum {
	OPT_JSON = 256,
	OPT_DEBUG_FILE,
	OPT_NO_CACHE,
};

struct options {
	pid_t			 pid;
	bool			 json;
	const char		*pattern;	/* NULL: findings and all tasks */
	struct image_opts	 image;
	struct why_recording	 recording;
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "The process to look at", 0 },
	{ "input", 'i', "FILE", 0, "The recording to look at; - is standard input", 0 },
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ "debug-file", OPT_DEBUG_FILE, "FILE", 0, "Separate debug file of the program", 1 },
	{ "no-cache", OPT_NO_CACHE, NULL, 0, "Read the program's DWARF again, do not cache the model", 1 },
	WHY_RECORDING_OPTIONS
	{ 0 }
};

/* Either a process or a recording, and what it is asked for. */
static error_t check(const struct options *o, const struct argp_state *state)
{
	if (!o->pid && !o->recording.input)
		return arguments__wrong(state, "give a process with -p PID, or a recording with -i "
					"FILE");
	if (o->pid && o->recording.input)
		return arguments__wrong(state, "-p and -i exclude each other: a process or a "
					"recording");
	if (o->pid && o->recording.asked_by)
		return arguments__wrong(state, "%s is for recordings: give one with -i FILE",
					o->recording.asked_by);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	uint64_t n;

	switch (key) {
	case 'p':
		if (!arguments__number(arg, 1, INT_MAX, &n))
			return arguments__wrong(state, "not a process id: %s", arg);
		o->pid = (pid_t)n;
		return 0;
	case 'i':
		return arguments__input(state, &o->recording.input, arg);
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_DEBUG_FILE:
		o->image.debug_file = arg;
		return 0;
	case OPT_NO_CACHE:
		o->image.cache_dir = "";
		return 0;
	case ARGP_KEY_ARG:
		if (o->pattern)
			return arguments__wrong(state, "one task or pattern only: %s, and then what is "
						"%s?", o->pattern, arg);
		o->pattern = arg;
		return 0;
	case ARGP_KEY_END:
		return check(o, state);
	}
	return why_recording__parse(&o->recording, key, arg, state);
}

static int each_register(void *of, int (*each)(void *ctx, const void *regs), void *ctx)
{
	return registers__each(of, each, ctx);
}

static int print(const struct options *o, const struct answer *a, const char **why)
{
	if (o->json)
		return answer__json(a, stdout);
	if (!o->pattern) {
		answer__print(a, stdout);
	} else if (!answer__print_tasks(a, o->pattern, stdout)) {
		*why = "no task has such a name or id";
		return -ENOENT;
	}
	return 0;
}

static int look(const struct options *o, const struct process *target, const char **why)
{
	struct picture_registers regs = { .each = each_register };
	struct registers *registers = NULL;
	struct image *img = NULL;
	struct why y = { .nr_findings = 0 };
	struct answer a;
	uint64_t bias;
	int err = image__open(target->exe, &o->image, &img, why);

	if (err)
		return err;
	answer__init(&a);
	if (image__tier(img) != IMAGE_TIER_FULL) {
		*why = image__tier_hint(img);
		say__line("dwell: %s: %s", target->comm, *why);
		err = -ENOTSUP;
		*why = NULL;
		goto out;
	}
	err = process__load_bias(target, image__first_vaddr(img), &bias);
	*why = "where its program lies in memory is not known";
	if (!err)
		err = code__check_all(target, img, &bias, why);
	if (err)
		goto out;
	err = registers__new(target, &registers, why);
	if (err)
		goto out;
	regs.of = registers;
	err = why__look(&y, img, target, bias, &regs);
	*why = process__exited(target) ? "it has ended" : strerror(-err);
	if (!err)
		err = why__answer(&y, o->json || o->pattern, &a);
	why__free(&y);
	if (!err)
		err = print(o, &a, why);
	answer__free(&a);
out:
	registers__free(registers);
	image__free(img);
	return err;
}

int cmd_why(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "-p PID|-i FILE [TASK|PATTERN]",
		.doc = "Tell why tasks of a running program wait: who holds what they wait for, and "
		       "what ends the chain; or of a recording, what lints find amiss and where tasks "
		       "waited longest.\vA running program is neither stopped nor changed, and no "
		       "probe is attached. What is told was the same in two or three looks. TASK is the id "
		       "of a task, PATTERN a part of its name: it is told in depth; of a recording, with its "
		       "history.",
	};
	struct options o = { .image = { .debuginfod = true } };
	const char *why = NULL;
	struct process target;
	int err;

	why_recording__init(&o.recording);
	err = arguments__parse(&argp, argc, argv, 0, &o);
	if (err)
		return err;
	if (o.recording.input) {
		o.recording.json = o.json;
		o.recording.past.pattern = o.pattern;
		return why_recording__run(&o.recording, argv[0]);
	}
	priority__give_way();
	process__init(&target);
	err = process__find(&target, o.pid, &why);
	if (!err)
		err = look(&o, &target, &why);
	if (err && why)
		say__line("dwell: pid %d: %s", (int)o.pid, why);
	process__close(&target);
	return err;
}
