/* SPDX-License-Identifier: GPL-2.0 */
/* dwell flamegraph --diff. See flamegraph_diff.h. */
#include "cli/flamegraph_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "cli/load.h"
#include "diff/comparable.h"
#include "diff/profile.h"
#include "output/svg_diff.h"

/* A recording and the profile of it, which counts its requests. */
struct side {
	const struct flamegraph_diff	*f;
	struct loaded			 loaded;
	struct profile			*profile;
};

static int prepare(void *ctx, struct join *j)
{
	struct side *s = ctx;

	join__select_idle(j, s->f->idle);
	join__add_sink(j, profile__sink(s->profile, j));
	return s->f->follow ? join__follow(j, s->f->follow) : 0;
}

/* 0, or negative errno with the message printed. */
static int side__load(struct side *s, const char *name, const char *path,
		      struct frame_names *names)
{
	int err = names ? profile__new(names, false, &s->profile) : -ENOMEM;

	if (!err) {
		err = load__trace_with(&s->loaded, name, path, s->f->task, prepare, s);
		if (err)
			return err;
		s->profile->facts.path = path;
		err = profile__finish(s->profile, s->loaded.reader);
	}
	if (err)
		say__line("%s: out of memory", name);
	return err;
}

/* 0, or negative errno with the message printed. */
static int check(const char *name, const struct side sides[SIDES])
{
	const struct profile_facts *facts[SIDES] = { &sides[0].profile->facts,
						     &sides[1].profile->facts };
	struct join *joins[SIDES] = { sides[0].loaded.join, sides[1].loaded.join };
	char *why;
	int err = comparable__refuse_joined(facts, joins, &why);

	if (err)
		say__line("%s: %s", name, err == -EINVAL ? why : strerror(-err));
	free(why);
	return err;
}

static bool is_empty(const struct join *j)
{
	size_t nr;

	join__rows(j, &nr);
	return !nr;
}

int flamegraph_diff__draw(const char *name, const struct flamegraph_diff *f, FILE *out,
			  int *status)
{
	struct frame_names *names = frame_names__new();
	struct side sides[SIDES] = { { .f = f }, { .f = f } };
	struct svg_diff_side drawn[SIDES];
	int err = 0;

	for (unsigned int i = 0; i < SIDES && !err; i++)
		err = side__load(&sides[i], name, f->paths[i], names);
	if (!err)
		err = check(name, sides);
	if (err)
		goto out;
	for (unsigned int i = 0; i < SIDES; i++) {
		drawn[i] = (struct svg_diff_side){
			.path = f->paths[i],
			.join = sides[i].loaded.join,
			.reader = sides[i].loaded.reader,
			.requests = sides[i].profile->requests,
		};
		if (!*status)
			*status = sides[i].loaded.status;
	}
	err = output_svg_diff__write(drawn, &f->output, out);
	if (err)
		say__line("%s: cannot draw the difference: %s", name,
			  err == -EOVERFLOW ? "the times add up to more than 584 years" :
					      strerror(-err));
	else if (is_empty(sides[0].loaded.join) && is_empty(sides[1].loaded.join))
		say__line("%s: no task time in %s and %s, the picture is empty", name, f->paths[0],
			  f->paths[1]);
out:
	for (unsigned int i = 0; i < SIDES; i++) {
		profile__free(sides[i].profile);
		load__free(&sides[i].loaded);
	}
	if (names)
		frame_names__free(names);
	return err;
}
