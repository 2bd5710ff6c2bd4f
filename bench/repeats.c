/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two sets of repeats of many figures, compared by the statistics of `dwell diff`, for run.py:
 *
 *	{"key": [[before, …], [after, …]], …} on standard input
 *	{"chance": 0.01, "least": 0.02, "figures": {"key": {…}}} on standard output
 *
 * A figure has before, after and change; and if there are two repeats of each at least: low, high,
 * p, p_of_all (among all figures) and smallest, as in src/diff/statistics.h.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"
#include "diff/statistics.h"

/* The numbers of @list as repeats of one unit each. NULL: there are others, or no memory. */
static struct repeat *repeats_of(const json_t *list, size_t *nr)
{
	struct repeat *r = calloc(json_array_size(list) + 1, sizeof(*r));

	*nr = json_array_size(list);
	for (size_t i = 0; r && i < *nr; i++) {
		const json_t *one = json_array_get(list, i);

		if (!json_is_number(one)) {
			free(r);
			return NULL;
		}
		r[i] = (struct repeat){ .amount = json_number_value(one), .units = 1 };
	}
	return r;
}

/* 0 or -EINVAL */
static int compare(const json_t *sides, struct difference *out)
{
	size_t nr_a, nr_b;
	struct repeat *a = repeats_of(json_array_get(sides, 0), &nr_a);
	struct repeat *b = repeats_of(json_array_get(sides, 1), &nr_b);
	int err = a && b && nr_a && nr_b ? 0 : -EINVAL;

	if (!err)
		*out = repeats__compare(a, nr_a, b, nr_b);
	free(a);
	free(b);
	return err;
}

static json_t *number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static json_t *figure(const struct difference *d, double p_of_all)
{
	json_t *o = json_pack("{s:f, s:f, s:f}", "before", d->before, "after", d->after, "change",
			      d->change);

	if (o && d->sure)
		json_object_update_new(o, json_pack("{s:o, s:o, s:f, s:f, s:o}", "low",
						    number(d->low), "high", number(d->high), "p",
						    d->p, "p_of_all", p_of_all, "smallest",
						    number(d->smallest)));
	return o;
}

/* Writes the comparison of all figures of @in. 0 or negative errno. */
static int compare_all(json_t *in, FILE *out)
{
	size_t nr = json_object_size(in), i = 0;
	struct difference *d = calloc(nr + 1, sizeof(*d));
	double *p = calloc(nr + 1, sizeof(*p));
	json_t *figures = json_object(), *o, *sides;
	const char *key;
	int err = d && p && figures ? 0 : -ENOMEM;

	json_object_foreach(in, key, sides) {
		if (!err)
			err = compare(sides, &d[i]);
		if (!err)
			p[i] = d[i].p;
		i++;
	}
	if (!err)
		err = probabilities__of_many(p, nr);
	i = 0;
	json_object_foreach(in, key, sides) {
		if (!err)
			err = json_object_set_new(figures, key, figure(&d[i], p[i])) ? -ENOMEM : 0;
		i++;
	}
	o = json_pack("{s:f, s:f, s:o}", "chance", DIFF_CHANCE, "least", DIFF_LEAST, "figures",
		      figures);
	if (!err && (!o || json_dumpf(o, out, JSON_PRESERVE_ORDER) || fputc('\n', out) == EOF))
		err = -EIO;
	json_decref(o);
	free(d);
	free(p);
	return err;
}

int main(void)
{
	json_error_t error;
	json_t *in = json_loadf(stdin, 0, &error);
	int err = json_is_object(in) ? compare_all(in, stdout) : -EINVAL;

	json_decref(in);
	if (err)
		fprintf(stderr, "repeats: %s\n",
			err == -EINVAL ? "standard input is not figures" : strerror(-err));
	return err ? 2 : 0;
}
