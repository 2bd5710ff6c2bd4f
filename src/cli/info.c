// SPDX-License-Identifier: GPL-2.0
/* dwell info: what an executable tells about its async code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "image/image.h"

enum {
	OPT_DEBUG_FILE = 256,
	OPT_NO_CACHE,
};

struct options {
	const char		*path;
	struct image_opts	 image;
};

static const struct argp_option options[] = {
	{ "debug-file", OPT_DEBUG_FILE, "FILE", 0, "Separate debug file of the program", 0 },
	{ "no-cache", OPT_NO_CACHE, NULL, 0, "Read the program's DWARF again, do not cache the model", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_DEBUG_FILE:
		o->image.debug_file = arg;
		return 0;
	case OPT_NO_CACHE:
		o->image.cache_dir = "";
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			return arguments__wrong(state, "one executable only: %s, and then what is %s?",
						o->path, arg);
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->path)
			return arguments__wrong(state, "name an executable");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_info(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "BINARY",
		.doc = "Print what dwell knows of an executable's async code: task types, await "
		       "points, probe sites, and what is missing.",
	};
	struct options o = { .image.debuginfod = true };
	struct image *img;
	const char *why;
	int err;

	err = arguments__parse(&argp, argc, argv, 0, &o);
	if (err)
		return err;
	err = image__open(o.path, &o.image, &img, &why);
	if (err) {
		say__line("dwell: %s: %s%s%s", o.path, why, *why ? ": " : "", strerror(-err));
		return err;
	}
	image__print(img, stdout);
	image__free(img);
	return 0;
}
