/* SPDX-License-Identifier: GPL-2.0 */
/* The flame graph of a difference. See svg_diff.h. */
#include "output/svg_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "diff/stacks.h"
#include "flamegraph/difference.h"
#include "flamegraph/flamegraph.h"
#include "output/svg_words.h"

/* How much work each side has done, and of what kind. */
struct work {
	uint64_t	done[SIDES];	/* 0 and 0: not known */
	bool		requests;	/* else ns */
};

static struct work work_of(const struct svg_diff_side sides[SIDES])
{
	struct work w = { .requests = sides[0].requests >= SVG_DIFF_REQUESTS_MIN &&
				      sides[1].requests >= SVG_DIFF_REQUESTS_MIN };

	for (unsigned int i = 0; i < SIDES; i++)
		w.done[i] = w.requests ? sides[i].requests : join__totals(sides[i].join)->wall_ns;
	if (!w.done[0] || !w.done[1])
		w.done[0] = w.done[1] = 0;
	return w;
}

/* What is there does not become nothing. */
static uint64_t scaled(const struct work *w, uint64_t ns)
{
	unsigned __int128 v = ns;

	if (!ns || !w->done[0])
		return ns;
	v = (v * w->done[1] + w->done[0] / 2) / w->done[0];
	return v > UINT64_MAX ? UINT64_MAX : v ? (uint64_t)v : 1;
}

/* "b.data, 10,412 requests in 2.00 s, 36.1 s of task time" */
static char *describe(const struct svg_diff_side *side, const struct work *w, uint64_t ns)
{
	return svg_words__format("%s, %s%s%s, %s of task time", side->path,
				 w->requests ? quantity__of_count(side->requests).s : "",
				 w->requests ? " requests in " : "",
				 quantity__of_time(join__totals(side->join)->wall_ns).s,
				 quantity__of_time(ns).s);
}

/* "before scaled by 0.945 to as many requests · 27.7 s → 29.6 s, +1.87 s (+6.73%)" */
static char *describe_scale(const struct work *w, uint64_t before, uint64_t after)
{
	char time[QUANTITY_MAX], share[QUANTITY_MAX];

	difference__time(before, after, time);
	difference__share(before, after, share);
	if (!w->done[0])
		return svg_words__format("before is not scaled: a recording has no length");
	return svg_words__format("before scaled by %.3g to %s · %s → %s, %s (%s)",
				 (double)w->done[1] / (double)w->done[0],
				 w->requests ? "as many requests" : "the same length",
				 quantity__of_time(before).s, quantity__of_time(after).s, time,
				 share);
}

static const char *left_out(const struct join *j)
{
	uint64_t ns;

	switch (join__idle(j, &ns)) {
	case JOIN_IDLE_HIDE:
		return ", without idle waits";
	case JOIN_IDLE_ONLY:
		return ", idle waits only";
	default:
		return "";
	}
}

static int words__make(struct svg_words *words, const struct svg_diff_side sides[SIDES],
		       const struct work *w, const uint64_t ns[SIDES])
{
	const char *comm = trace_reader__host(sides[1].reader)->comm, *pattern;
	char *before = describe(&sides[0], w, ns[0]), *after = describe(&sides[1], w, ns[1]);
	char *scale = describe_scale(w, scaled(w, ns[0]), ns[1]);
	struct join_all all;
	int err = -ENOMEM;

	pattern = join__selected(sides[1].join, &all);
	words->title = svg_words__format("%s: what changed, by %s%s%s%s%s",
					 comm && *comm ? comm : "?",
					 w->requests ? "request" : "time",
					 pattern ? ", of tasks '" : "", pattern ? pattern : "",
					 pattern ? "'" : "", left_out(sides[1].join));
	if (before && after && scale)
		words->subtitle = svg_words__format("before: %s · after: %s · %s", before, after,
						    scale);
	if (words->title && words->subtitle)
		err = svg_words__limits(words, "before: ", sides[0].join, sides[0].reader);
	if (!err)
		err = svg_words__limits(words, "after: ", sides[1].join, sides[1].reader);
	free(before);
	free(after);
	free(scale);
	return err;
}

int output_svg_diff__write(const struct svg_diff_side sides[SIDES], const struct output_opts *opts,
			   FILE *out)
{
	struct join *const joins[SIDES] = { sides[0].join, sides[1].join };
	struct flamegraph *fg = flamegraph__new();
	const struct work work = work_of(sides);
	struct stack_pairs pairs = { 0 };
	struct svg_words words = { 0 };
	uint64_t ns[SIDES] = { 0 };
	int err = fg ? stack_pairs__make(joins, &pairs) : -ENOMEM;

	for (size_t i = 0; i < pairs.nr && !err; i++) {
		const struct stack_pair *p = &pairs.list[i];

		err = flamegraph__add_change(fg, p->frames, p->row->nr, scaled(&work, p->ns[0]),
					     p->ns[1]);
		ns[0] += p->ns[0];
		ns[1] += p->ns[1];
	}
	if (!err)
		err = words__make(&words, sides, &work, ns);
	if (!err)
		err = svg_words__render(&words, fg, opts, out);
	svg_words__free(&words);
	stack_pairs__clear(&pairs);
	flamegraph__free(fg);
	return err;
}
