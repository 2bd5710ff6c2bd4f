/* SPDX-License-Identifier: GPL-2.0 */
/* A comparison as text for people. */
#include <math.h>
#include <string.h>

#include "base/quantity.h"
#include "diff/diff.h"
#include "diff/text.h"
#include "diff/words.h"

#define PARTS_SHOWN	4
#define PLACES_SHOWN	10

/* "+1.20 ms", "−45.0 µs", "no change" */
static void print_change(FILE *out, double ns)
{
	fprintf(out, "%s%s", ns < 0 ? "−" : "+", quantity__of_time((uint64_t)llround(fabs(ns))).s);
}

static const char *time_of(double ns, char text[QUANTITY_MAX])
{
	return quantity__time((uint64_t)llround(ns > 0 ? ns : 0), text);
}

/* " (+12%)"; nothing if there was nothing before */
static void print_percent(FILE *out, const struct difference *d)
{
	double percent = d->before > 0 ? 100 * d->change / d->before : 0;

	if (d->before > 0)
		fprintf(out, " (%s%.*f%%)", percent < 0 ? "−" : "+", fabs(percent) < 10 ? 1 : 0,
			fabs(percent));
}

/* "2.96 ms → 4.95 ms, +1.99 ms (+67%), 95%: +1.90 to +2.08 ms" */
static void print_difference(FILE *out, const struct difference *d)
{
	char before[QUANTITY_MAX], after[QUANTITY_MAX];

	fprintf(out, "%s → %s, ", time_of(d->before, before), time_of(d->after, after));
	print_change(out, d->change);
	print_percent(out, d);
	if (!d->sure || !isfinite(d->low) || !isfinite(d->high))
		return;
	fprintf(out, "; 95%%: ");
	print_change(out, d->low);
	fprintf(out, " to ");
	print_change(out, d->high);
}

static void print_head(const struct diff *d, FILE *out)
{
	enum diff_unit unit = diff__unit(d);
	bool windows[SIDES];
	size_t repeats[SIDES], nr;
	const struct profile *const *first = diff__profiles(d, 0, &nr);
	enum verdict verdict;
	const struct difference *total = diff__total(d, &verdict);
	double smallest;

	for (unsigned int side = 0; side < SIDES; side++)
		repeats[side] = diff__repeats(d, side, &windows[side]);
	fprintf(out, "%s, for %s: ", first[0]->facts.comm, unit__what(unit));
	for (unsigned int side = 0; side < SIDES; side++)
		fprintf(out, "%.0f %s (%zu %s%s)%s", diff__units(d, side), side ? "after" : "before",
			repeats[side], windows[side] ? "window" : "recording",
			repeats[side] == 1 ? "" : "s", side ? ".\n" : ", ");
	fprintf(out, "Time of tasks for each %s, without idle waits: ", unit__name(unit));
	print_difference(out, total);
	fprintf(out, ".\n");
	fprintf(out, "%s.", verdict == VERDICT_SAME   ? "No change" :
			    verdict == VERDICT_WORSE ? "Worse" :
						       "Better");
	smallest = fmax(total->smallest, diff__least(d));
	if (total->sure && verdict == VERDICT_SAME && fabs(total->change) < smallest)
		fprintf(out, " In all, a change of %s would have shown.",
			quantity__of_time((uint64_t)llround(smallest)).s);
	fprintf(out, "\n");
}

static void print_times(FILE *out, const struct diff_place *p, const char *unit)
{
	if (p->kind != COST_AWAIT)
		return;
	fprintf(out, "     each wait ");
	print_difference(out, &p->each);
	fprintf(out, "\n     waits for each %s: %.3g → %.3g\n", unit, p->times.before, p->times.after);
}

static void print_parts(const struct diff_place *all, FILE *out, const struct diff_place *p)
{
	char name[PLACE_MAX];

	for (size_t i = 0; i < p->nr_parts && i < PARTS_SHOWN; i++) {
		const struct diff_part *part = &p->parts[i];

		/* a part that has not changed much is no news */
		if (!*part->name || fabs(part->cost.change) < fabs(p->cost.change) / 20)
			continue;
		fprintf(out, "       ");
		print_change(out, part->cost.change);
		fprintf(out, "  %s", part->name);
		if (part->cause)
			fprintf(out, ", because of %u. %s", part->cause,
				place__name(&all[part->cause - 1], name));
		fprintf(out, "\n");
	}
}

static void print_place(const struct diff *d, FILE *out, const struct diff_place *all, size_t i)
{
	const char *unit = unit__name(diff__unit(d));
	const struct diff_place *p = &all[i];
	char name[PLACE_MAX];

	fprintf(out, "%3zu. %s %s", i + 1, place__name(p, name), place__change(p));
	if (p->kind == COST_AWAIT || p->kind == COST_BLOCKED)
		fprintf(out, "\n     task %s", p->key[p->is[1] ? 1 : 0].task);
	fprintf(out, "\n     each %s ", unit);
	print_difference(out, &p->cost);
	fprintf(out, "\n");
	print_times(out, p, unit);
	print_parts(all, out, p);
	if (fabs(p->explains) > 0) {
		fprintf(out, "     through it, at other places: ");
		print_change(out, p->explains);
		fprintf(out, "\n");
	}
}

/* What has changed by less than counts: it may be what the user looks for. */
static void print_small(const struct diff *d, FILE *out, const struct diff_place *places, size_t nr)
{
	char name[PLACE_MAX];
	size_t shown = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct diff_place *p = &places[i];

		if (!p->small || shown++ >= PLACES_SHOWN)
			continue;
		if (shown == 1)
			fprintf(out, "\nMore than chance, but less than what counts, %s of a %s (--least):\n",
				quantity__of_time((uint64_t)llround(diff__least(d))).s,
				unit__name(diff__unit(d)));
		fprintf(out, "     %s %s: ", place__name(p, name), place__change(p));
		print_change(out, p->cost.change);
		fprintf(out, "\n");
	}
	if (shown > PLACES_SHOWN)
		fprintf(out, "     and %zu more places; --json has all.\n", shown - PLACES_SHOWN);
}

void diff__text(const struct diff *d, FILE *out)
{
	size_t nr, changed = 0, nr_notes;
	const struct diff_place *places = diff__places(d, &nr);
	const char *const *notes = diff__notes(d, &nr_notes);

	print_head(d, out);
	while (changed < nr && places[changed].verdict != VERDICT_SAME)
		changed++;
	if (changed)
		fprintf(out, "\nWhat has changed, first what explains most:\n");
	for (size_t i = 0; i < changed && i < PLACES_SHOWN; i++)
		print_place(d, out, places, i);
	if (changed > PLACES_SHOWN)
		fprintf(out, "     and %zu more places; --json has all.\n", changed - PLACES_SHOWN);
	print_small(d, out, places, nr);
	fprintf(out, "\nNo change at %zu of %zu places.\n", nr - changed, nr);
	for (size_t i = 0; i < nr_notes; i++)
		fprintf(out, "%s- %s\n", i ? "" : "\n", notes[i]);
}
