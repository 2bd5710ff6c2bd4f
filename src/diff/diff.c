/* SPDX-License-Identifier: GPL-2.0 */
/* Two sets of recordings. See diff.h. */
#include "diff/diff.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "diff/causes.h"
#include "diff/comparable.h"
#include "diff/sets.h"
#include "diff/unseen.h"

#define REQUESTS_MIN	50	/* on each side, to be what is counted by */

int diff__new(const struct diff_opts *opts, struct diff **out)
{
	struct diff *d = calloc(1, sizeof(*d));

	*out = d;
	if (!d)
		return -ENOMEM;
	d->opts = *opts;
	d->names = frame_names__new();
	if (d->names)
		return 0;
	free(d);
	*out = NULL;
	return -ENOMEM;
}

void diff__free(struct diff *d)
{
	if (!d)
		return;
	for (unsigned int side = 0; side < SIDES; side++) {
		for (size_t i = 0; i < d->side[side].nr; i++)
			profile__free(d->side[side].profiles[i]);
		free(d->side[side].profiles);
		free(d->side[side].units);
	}
	for (size_t i = 0; i < d->nr_places; i++)
		free(d->places[i].parts);
	for (size_t i = 0; i < d->nr_notes; i++)
		free(d->notes[i]);
	free(d->notes);
	free(d->places);
	frame_names__free(d->names);
	free(d->why);
	free(d);
}

struct frame_names *diff__names(struct diff *d)
{
	return d->names;
}

int diff__add(struct diff *d, unsigned int side, struct profile *p)
{
	struct diff_side *s = &d->side[side];

	if (array__room(&s->profiles, &s->room, s->nr, sizeof(struct profile *)))
		return -ENOMEM;
	s->profiles[s->nr++] = p;
	return 0;
}

/* ---- repeats ---- */

size_t side__repeats(const struct diff_side *s)
{
	return s->nr == 1 ? s->profiles[0]->nr_windows : s->nr;
}

/* What of a cost, or of the requests, belongs to repeat @i. */
static double in_repeat(const struct diff_side *s, size_t run, const uint64_t *window,
			uint64_t amount, size_t i)
{
	if (s->nr == 1)
		return (double)window[i];
	return run == i ? (double)amount : 0;
}

/* ---- the unit ---- */

/* Is @key counted by the unit that the user has named? */
static bool is_unit(const struct diff *d, const struct cost_key *key)
{
	if (d->unit == UNIT_TASK)
		return key->kind == COST_TASKS && !fnmatch(d->opts.per, key->task, 0);
	return d->unit == UNIT_AWAIT && key->kind == COST_WAITS &&
	       !fnmatch(d->opts.per, key->function, 0);
}

static double seconds(const struct profile *p, size_t window)
{
	uint64_t from = window * p->window_ns, ns = p->facts.wall_ns;

	if (!p->nr_windows)
		return (double)ns / 1e9;
	ns = ns > from ? ns - from : 0;
	return (double)(ns < p->window_ns ? ns : p->window_ns) / 1e9;
}

static int count_units(const struct diff *d, struct diff_side *s)
{
	size_t repeats = side__repeats(s);

	s->units = calloc(repeats + 1, sizeof(*s->units));
	if (!s->units)
		return -ENOMEM;
	for (size_t run = 0; run < s->nr; run++) {
		const struct profile *p = s->profiles[run];

		for (size_t i = 0; i < repeats; i++) {
			if (d->unit == UNIT_SECOND && (s->nr == 1 || run == i))
				s->units[i] += seconds(p, s->nr == 1 ? i : 0);
			if (d->unit == UNIT_REQUEST)
				s->units[i] += in_repeat(s, run, p->request_window, p->requests, i);
		}
		for (size_t k = 0; k < p->nr; k++)
			for (size_t i = 0; is_unit(d, &p->costs[k].key) && i < repeats; i++)
				s->units[i] += in_repeat(s, run, p->costs[k].window,
							 p->costs[k].amount, i);
	}
	for (size_t i = 0; i < repeats; i++)
		s->nr_units += s->units[i];
	return 0;
}

static uint64_t requests(const struct diff_side *s)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < s->nr; i++)
		nr += s->profiles[i]->requests;
	return nr;
}

/* Has a task ended whose name matches --per? */
static bool is_task(const struct diff *d)
{
	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t run = 0; run < d->side[side].nr; run++) {
			const struct profile *p = d->side[side].profiles[run];

			for (size_t i = 0; i < p->nr; i++)
				if (p->costs[i].key.kind == COST_TASKS &&
				    !fnmatch(d->opts.per, p->costs[i].key.task, 0))
					return true;
		}
	return false;
}

static void choose_unit(struct diff *d)
{
	if (d->opts.per)
		d->unit = is_task(d) ? UNIT_TASK : UNIT_AWAIT;
	else if (requests(&d->side[0]) >= REQUESTS_MIN && requests(&d->side[1]) >= REQUESTS_MIN)
		d->unit = UNIT_REQUEST;
	else
		d->unit = UNIT_SECOND;
}

/* ---- amounts ---- */

/* A cost on both sides, for each repeat; what belongs together is added up. */
struct line {
	struct cost_id	 id;
	struct cost_key	 key[SIDES];
	bool		 is[SIDES];
	double		*amount[SIDES];
};

struct lines {
	struct diff		*diff;
	struct line		*list;
	size_t			 nr, room;
	struct hash_table	 known;		/* index + 1 by id */
};

static void lines__clear(struct lines *l)
{
	for (size_t i = 0; i < l->nr; i++)
		for (unsigned int side = 0; side < SIDES; side++)
			free(l->list[i].amount[side]);
	free(l->list);
	hash_table__clear(&l->known);
}

static struct line *lines__at(struct lines *l, const struct cost_id *id)
{
	uint64_t hash = hash_table__key(&l->known, (const char *)id, sizeof(*id));

	for (;; hash++) {
		struct hash_slot *slot = hash_table__at(&l->known, hash);
		struct line *line;

		if (!slot)
			return NULL;
		if (slot->value && memcmp(&l->list[slot->value - 1].id, id, sizeof(*id)))
			continue;
		if (slot->value)
			return &l->list[slot->value - 1];
		if (array__room(&l->list, &l->room, l->nr, sizeof(*l->list)))
			return NULL;
		line = &l->list[l->nr];
		*line = (struct line){ .id = *id };
		slot->value = ++l->nr;
		for (unsigned int side = 0; side < SIDES; side++) {
			line->amount[side] = calloc(side__repeats(&l->diff->side[side]) + 1,
						    sizeof(double));
			if (!line->amount[side])
				return NULL;
		}
		return line;
	}
}

/* Adds @c of run @run to the line with @id. */
static int lines__add(struct lines *l, const struct cost_id *id, unsigned int side, size_t run,
		      const struct cost *c)
{
	const struct diff_side *s = &l->diff->side[side];
	struct line *line = lines__at(l, id);

	if (!line)
		return -ENOMEM;
	if (!line->is[side] || c->key.line < line->key[side].line)
		line->key[side] = c->key;
	line->is[side] = true;
	for (size_t i = 0; i < side__repeats(s); i++)
		line->amount[side][i] += in_repeat(s, run, c->window, c->amount, i);
	return 0;
}

/* All costs of both sides: @parts, and @places, which do not tell parts apart. */
static int add_up(struct diff *d, struct match *m, struct lines *parts, struct lines *places)
{
	for (unsigned int side = 0; side < SIDES; side++) {
		for (size_t run = 0; run < d->side[side].nr; run++) {
			const struct profile *p = d->side[side].profiles[run];

			for (size_t i = 0; i < p->nr; i++) {
				struct cost_id id;
				int err = match__get(m, side, &p->costs[i].key, &id);

				if (!err && !id.idle)
					err = lines__add(parts, &id, side, run, &p->costs[i]);
				id.part = "";
				if (!err && !id.idle)
					err = lines__add(places, &id, side, run, &p->costs[i]);
				if (err)
					return err;
			}
		}
	}
	return 0;
}

/* Compares @amount with @units; NULL for @amount: there is none. */
static int compare(const struct diff *d, double *const amount[SIDES], double *const units[SIDES],
		   struct difference *out)
{
	struct repeat *r[SIDES] = { NULL, NULL };
	size_t nr[SIDES];
	int err = 0;

	for (unsigned int side = 0; side < SIDES; side++) {
		nr[side] = side__repeats(&d->side[side]);
		r[side] = calloc(nr[side] + 1, sizeof(struct repeat));
		if (!r[side])
			err = -ENOMEM;
		for (size_t i = 0; i < nr[side] && !err; i++)
			r[side][i] = (struct repeat){ amount[side] ? amount[side][i] : 0,
						      units[side][i] };
	}
	if (!err)
		*out = repeats__compare(r[0], nr[0], r[1], nr[1]);
	free(r[0]);
	free(r[1]);
	return err;
}

static int compare_units(const struct diff *d, const struct line *line, struct difference *out)
{
	double *units[SIDES] = { d->side[0].units, d->side[1].units };

	return compare(d, line->amount, units, out);
}

static int add_part(struct diff_place *place, const struct line *line,
		    const struct difference *cost)
{
	if (array__room(&place->parts, &place->room_parts, place->nr_parts, sizeof(*place->parts)))
		return -ENOMEM;
	place->parts[place->nr_parts++] = (struct diff_part){
		.name = line->is[1] ? line->key[1].part : line->key[0].part, .cost = *cost
	};
	return 0;
}

static int by_change(const void *a, const void *b)
{
	double x = fabs(((const struct diff_part *)a)->cost.change);
	double y = fabs(((const struct diff_part *)b)->cost.change);

	return x > y ? -1 : x < y;
}

static int add_parts(struct diff *d, struct lines *parts, struct lines *places,
		     const uint32_t *place_of)
{
	for (size_t i = 0; i < parts->nr; i++) {
		struct line *line = &parts->list[i], *whole;
		struct cost_id id = line->id;
		struct difference cost;
		int err;

		if (id.kind >= COST_TIMES)
			continue;
		id.part = "";
		whole = lines__at(places, &id);
		err = whole ? compare_units(d, line, &cost) : -ENOMEM;
		if (!err)
			err = add_part(&d->places[place_of[whole - places->list] - 1], line, &cost);
		if (err)
			return err;
	}
	for (size_t i = 0; i < d->nr_places; i++)
		if (d->places[i].nr_parts)
			qsort(d->places[i].parts, d->places[i].nr_parts, sizeof(struct diff_part),
			      by_change);
	return 0;
}

/* How often a place waits, and for how long each time. */
static int add_times(struct diff *d, struct lines *places, const struct line *line,
		     struct diff_place *out)
{
	struct cost_id id = line->id;
	const struct line *waits;

	if (line->id.kind != COST_AWAIT)
		return 0;
	id.kind = COST_WAITS;
	waits = lines__at(places, &id);
	if (!waits)
		return -ENOMEM;
	if (compare_units(d, waits, &out->times))
		return -ENOMEM;
	return compare(d, line->amount, waits->amount, &out->each);
}

/* Place number + 1 of each line in @place_of; the total of all. */
static int make_places(struct diff *d, struct lines *places, uint32_t *place_of)
{
	double *all[SIDES] = { NULL, NULL }, *units[SIDES] = { d->side[0].units, d->side[1].units };
	size_t nr = places->nr;
	int err = 0;

	for (unsigned int side = 0; side < SIDES; side++) {
		all[side] = calloc(side__repeats(&d->side[side]) + 1, sizeof(double));
		if (!all[side])
			err = -ENOMEM;
	}
	d->places = calloc(nr + 1, sizeof(*d->places));
	if (!d->places)
		err = -ENOMEM;
	for (size_t i = 0; i < nr && !err; i++) {
		struct line line = places->list[i];
		struct diff_place *p;

		if (line.id.kind >= COST_TIMES)
			continue;
		p = &d->places[d->nr_places++];
		place_of[i] = (uint32_t)d->nr_places;
		*p = (struct diff_place){ .kind = (uint8_t)line.id.kind,
					  .is = { line.is[0], line.is[1] },
					  .key = { line.key[0], line.key[1] } };
		p->key[0].part = p->key[1].part = "";
		for (unsigned int side = 0; side < SIDES; side++)
			for (size_t k = 0; k < side__repeats(&d->side[side]); k++)
				all[side][k] += line.amount[side][k];
		err = compare_units(d, &line, &p->cost);
		if (!err)
			err = add_times(d, places, &line, p);
	}
	if (!err)
		err = compare(d, all, units, &d->total);
	free(all[0]);
	free(all[1]);
	return err;
}

/* ---- verdicts ---- */

double diff__least(const struct diff *d)
{
	return d->opts.least *
	       (d->total.before > d->total.after ? d->total.before : d->total.after);
}

static enum verdict judge(const struct diff *d, const struct difference *cost, double p)
{
	if (!cost->sure || p > DIFF_CHANCE || fabs(cost->change) < diff__least(d))
		return VERDICT_SAME;
	return cost->change > 0 ? VERDICT_WORSE : VERDICT_BETTER;
}

/* Windows of one recording are not sure enough to tell of what is small. */
static bool is_small(const struct diff *d, const struct diff_place *p)
{
	return p->verdict == VERDICT_SAME && p->cost.sure && p->p <= DIFF_CHANCE &&
	       d->side[0].nr > 1 && d->side[1].nr > 1;
}

/* Which of the two factors of its cost has changed more. */
static enum diff_change change_of(const struct diff_place *p)
{
	double often, longer;

	if (p->verdict == VERDICT_SAME && !p->small)
		return CHANGE_NONE;
	if (!p->is[0] || !p->is[1])
		return p->is[1] ? CHANGE_NEW : CHANGE_GONE;
	if (p->kind == COST_AWAIT && p->times.before > 0 && p->times.after > 0 &&
	    p->each.before > 0 && p->each.after > 0) {
		often = log(p->times.after / p->times.before);
		longer = log(p->each.after / p->each.before);
		if (fabs(often) > fabs(longer))
			return often > 0 ? CHANGE_MORE_OFTEN : CHANGE_LESS_OFTEN;
	}
	return p->cost.change > 0 ? CHANGE_LONGER : CHANGE_SHORTER;
}

static int judge_all(struct diff *d)
{
	double *p = calloc(d->nr_places + 1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < d->nr_places; i++)
		p[i] = d->places[i].cost.p;
	err = probabilities__of_many(p, d->nr_places);
	for (size_t i = 0; i < d->nr_places && !err; i++) {
		d->places[i].p = p[i];
		d->places[i].verdict = judge(d, &d->places[i].cost, p[i]);
		d->places[i].small = is_small(d, &d->places[i]);
		d->places[i].change = change_of(&d->places[i]);
	}
	d->verdict = judge(d, &d->total, d->total.p);
	for (size_t i = 0; i < d->nr_places && d->verdict == VERDICT_SAME; i++)
		if (d->places[i].verdict == VERDICT_WORSE)
			d->verdict = VERDICT_WORSE;
	free(p);
	return err;
}

/* What a place explains: its own change, as far as that is no other's, and that of others. */
static double weight(const struct diff_place *p)
{
	return fabs(p->cost.change - p->explained + p->explains);
}

static int by_weight(const void *a, const void *b)
{
	const struct diff_place *x = a, *y = b;
	double wx = weight(x), wy = weight(y);

	if (!x->verdict != !y->verdict)
		return x->verdict ? -1 : 1;
	return wx > wy ? -1 : wx < wy;
}

/* ---- results ---- */

const char *diff__why(const struct diff *d)
{
	return d->why ? d->why : "";
}

const struct difference *diff__total(const struct diff *d, enum verdict *verdict)
{
	*verdict = d->verdict;
	return &d->total;
}

enum diff_unit diff__unit(const struct diff *d)
{
	return d->unit;
}

double diff__units(const struct diff *d, unsigned int side)
{
	return d->side[side].nr_units;
}

double diff__units_of(const struct diff *d, unsigned int side, size_t i)
{
	return d->side[side].nr > 1 && i < d->side[side].nr ? d->side[side].units[i] : 0;
}

size_t diff__repeats(const struct diff *d, unsigned int side, bool *windows)
{
	*windows = d->side[side].nr == 1;
	return side__repeats(&d->side[side]);
}

const struct diff_place *diff__places(const struct diff *d, size_t *nr)
{
	*nr = d->nr_places;
	return d->places;
}

const struct profile *const *diff__profiles(const struct diff *d, unsigned int side, size_t *nr)
{
	*nr = d->side[side].nr;
	return (const struct profile *const *)d->side[side].profiles;
}

const char *const *diff__notes(const struct diff *d, size_t *nr)
{
	*nr = d->nr_notes;
	return (const char *const *)d->notes;
}

/* ---- the comparison ---- */

static int match_all(const struct diff *d, struct match *m)
{
	for (unsigned int side = 0; side < SIDES; side++)
		for (size_t run = 0; run < d->side[side].nr; run++) {
			const struct profile *p = d->side[side].profiles[run];

			for (size_t i = 0; i < p->nr; i++)
				if (match__add(m, side, &p->costs[i].key))
					return -ENOMEM;
		}
	return match__settle(m);
}

/* How many places are on both sides. */
static size_t common(const struct lines *places)
{
	size_t nr = 0;

	for (size_t i = 0; i < places->nr; i++)
		nr += places->list[i].is[0] && places->list[i].is[1];
	return nr;
}

int diff__compare(struct diff *d)
{
	struct lines parts = { .diff = d }, places = { .diff = d };
	struct match *m = NULL;
	uint32_t *place_of = NULL;
	int err;

	if (d->opts.least < 0)
		d->opts.least = d->side[0].nr == 1 || d->side[1].nr == 1 ? DIFF_LEAST_ALONE :
									   DIFF_LEAST;
	err = comparable__check(d);
	if (err)
		return err;
	choose_unit(d);
	for (unsigned int side = 0; side < SIDES && !err; side++)
		err = count_units(d, &d->side[side]);
	if (!err)
		err = comparable__check_units(d);
	if (err)
		return err;
	err = unseen__place(d);
	if (err)
		return err;
	m = match__new(d->names);
	err = m ? match_all(d, m) : -ENOMEM;
	if (!err)
		err = add_up(d, m, &parts, &places);
	if (!err)
		err = comparable__check_places(d, common(&places));
	if (!err)
		place_of = calloc(places.nr + 1, sizeof(*place_of));
	if (!place_of)
		err = err ? err : -ENOMEM;
	if (!err)
		err = make_places(d, &places, place_of);
	if (!err)
		err = add_parts(d, &parts, &places, place_of);
	if (!err)
		err = judge_all(d);
	if (!err)
		err = causes__find(d);
	if (!err)
		causes__sort(d, by_weight);
	free(place_of);
	lines__clear(&parts);
	lines__clear(&places);
	match__free(m);
	return err;
}
