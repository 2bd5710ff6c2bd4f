/* SPDX-License-Identifier: GPL-2.0 */
/* A comparison as one JSON object. Times are ns, of a unit unless the key says otherwise. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "diff/diff.h"
#include "diff/text.h"
#include "diff/words.h"

#define VERSION	1	/* changes when a key changes its meaning or is removed */

/* A number that JSON has; null for others. */
static json_t *number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

/* The name of a file may be any bytes. */
static json_t *path(const char *text)
{
	json_t *value = json_string(text);
	char *copy;

	if (value)
		return value;
	copy = strdup(text);
	if (copy)
		utf8__make_printable(copy);
	value = copy ? json_string(copy) : NULL;
	free(copy);
	return value;
}

static json_t *difference(const struct difference *d)
{
	json_t *o = json_pack("{s:o, s:o, s:o}", "before", number(d->before), "after",
			      number(d->after), "change", number(d->change));

	if (o && d->sure)
		json_object_update_new(o, json_pack("{s:o, s:o, s:o, s:o}", "low", number(d->low),
						    "high", number(d->high), "p", number(d->p),
						    "smallest", number(d->smallest)));
	return o;
}

/* Where it is on a side; null: not there. */
static json_t *place_on(const struct diff_place *p, unsigned int side)
{
	const struct cost_key *key = &p->key[side];

	if (!p->is[side])
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:i, s:s}", "task", key->task, "function", key->function,
			 "path", key->path, "line", (int)key->line, "what", key->what);
}

static json_t *parts(const struct diff_place *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->nr_parts; i++) {
		const struct diff_part *part = &p->parts[i];
		json_t *o = json_pack("{s:s, s:o}", "part", part->name, "cost",
				      difference(&part->cost));

		if (o && part->cause)
			json_object_set_new(o, "because_of", json_integer(part->cause - 1));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *place(const struct diff_place *p)
{
	json_t *o = json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "segment",
			      cost_kind__name(p->kind), "verdict", verdict__name(p->verdict), "small", p->small,
			      "what", place__change(p), "before", place_on(p, 0), "after",
			      place_on(p, 1), "cost", difference(&p->cost), "p_of_all",
			      number(p->p), "explains", number(p->explains), "parts", parts(p));

	if (o && p->kind == COST_AWAIT) {
		json_object_set_new(o, "waits", difference(&p->times));
		json_object_set_new(o, "each", difference(&p->each));
	}
	return o;
}

static json_t *recordings(const struct diff *d, unsigned int side)
{
	json_t *list = json_array();
	size_t nr;
	const struct profile *const *p = diff__profiles(d, side, &nr);

	for (size_t i = 0; list && i < nr; i++) {
		const struct profile_facts *f = &p[i]->facts;

		json_array_append_new(
			list, json_pack("{s:o, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:b, s:f}",
					"file", path(f->path), "comm", f->comm, "build_id", f->build_id,
					"tier", f->tier, "kernel", f->kernel, "wall_ns",
					(json_int_t)f->wall_ns, "events", (json_int_t)f->events,
					"lost", (json_int_t)f->lost, "task_ns",
					(json_int_t)f->task_ns, "idle_ns", (json_int_t)f->idle_ns,
					"target_cpu_ns", (json_int_t)f->target_cpu_ns, "workers",
					(int)f->nr_workers, "torn", f->torn, "units", diff__units_of(d, side, i)));
	}
	return list;
}

int diff__json(const struct diff *d, FILE *out)
{
	json_t *places = json_array(), *notes = json_array(), *o;
	size_t nr, nr_notes, repeats[SIDES];
	const struct diff_place *p = diff__places(d, &nr);
	const char *const *n = diff__notes(d, &nr_notes);
	enum verdict verdict;
	const struct difference *total = diff__total(d, &verdict);
	bool windows;
	int err = 0;

	for (size_t i = 0; places && i < nr; i++)
		json_array_append_new(places, place(&p[i]));
	for (size_t i = 0; notes && i < nr_notes; i++)
		json_array_append_new(notes, json_string(n[i]));
	for (unsigned int side = 0; side < SIDES; side++)
		repeats[side] = diff__repeats(d, side, &windows);
	o = json_pack("{s:i, s:s, s:s, s:[f,f], s:[I,I], s:f, s:o, s:o, s:o, s:o, s:o}", "version",
		      VERSION, "verdict", verdict__name(verdict), "unit", unit__name(diff__unit(d)),
		      "units", diff__units(d, 0), diff__units(d, 1), "repeats",
		      (json_int_t)repeats[0], (json_int_t)repeats[1], "least", diff__least(d),
		      "total", difference(total),
		      "places", places, "notes", notes, "before", recordings(d, 0), "after",
		      recordings(d, 1));
	if (!o || json_array_size(places) != nr)
		err = -ENOMEM;
	else if (json_dumpf(o, out,
			    JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) ||
		 fputc('\n', out) == EOF)
		err = errno ? -errno : -EIO;
	json_decref(o);
	return err;
}
