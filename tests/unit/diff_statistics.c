/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two sets of repeats: Student's distribution as in tables, changes that are known, how often
 * the interval has the truth in it, and how often there is a change where there is none.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "diff/statistics.h"

static void is_close(double got, double want, double off)
{
	if (!(fabs(got - want) <= off))
		fail_msg("%.9g, not %.9g", got, want);
}

static void student(void **state)
{
	/* any table of the t distribution: two-sided 95 %, 99 %; 80 % one-sided */
	static const double table[][3] = {
		{ 1, 0.975, 12.7062 }, { 4, 0.975, 2.7764 },   { 9, 0.975, 2.2622 },
		{ 9, 0.995, 3.2498 },  { 30, 0.975, 2.0423 },  { 120, 0.8, 0.8446 },
		{ 2.5, 0.5, 0 },       { 1e6, 0.975, 1.95996 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		is_close(student__quantile(table[i][1], table[i][0]), table[i][2], 1e-4);
		is_close(student__below(table[i][2], table[i][0]), table[i][1], 1e-4);
		is_close(student__below(-table[i][2], table[i][0]), 1 - table[i][1], 1e-4);
	}
}

/* Welch's example: two samples whose t, degrees of freedom and p are known. */
static void welch(void **state)
{
	static const double x[] = { 19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0 };
	static const double y[] = { 28.2, 26.6, 20.1, 23.3, 25.2, 22.1, 17.7, 27.6, 20.6, 13.7,
				    23.2, 17.5, 20.6, 18.0, 23.9, 21.6, 24.3, 20.4, 23.9, 13.3 };
	struct repeat a[10], b[20];
	struct difference d;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		a[i] = (struct repeat){ x[i], 1 };
	for (size_t i = 0; i < 20; i++)
		b[i] = (struct repeat){ y[i], 1 };
	d = repeats__compare(a, 10, b, 20);
	assert_true(d.sure);
	is_close(d.before, 19.37, 1e-9);
	is_close(d.after, 21.59, 1e-9);
	/* t = 2.21916, 24.4956 degrees of freedom */
	is_close(d.p, 0.0355, 1e-4);
	assert_true(d.low > 0 && d.low < d.change && d.change < d.high);
}

/* With unequal units it is the ratio of sums that counts. */
static void units(void **state)
{
	const struct repeat a[] = { { 100, 10 }, { 2000, 200 } };
	const struct repeat b[] = { { 120, 10 }, { 2400, 200 } };
	struct difference d = repeats__compare(a, 2, b, 2);

	(void)state;
	is_close(d.before, 10, 1e-9);
	is_close(d.after, 12, 1e-9);
	/* all repeats of a side agree */
	assert_true(d.p == 0);
	is_close(d.low, 2, 1e-9);
	is_close(d.high, 2, 1e-9);
}

static void few(void **state)
{
	const struct repeat a[] = { { 100, 10 } }, b[] = { { 300, 10 }, { 310, 10 } };
	struct difference d = repeats__compare(a, 1, b, 2);

	(void)state;
	assert_false(d.sure);
	assert_true(d.p == 1);
	is_close(d.change, 20.5, 1e-9);
	d = repeats__compare(a, 0, b, 2);
	is_close(d.before, 0, 0);
	d = repeats__compare(b, 2, b, 2);
	assert_true(d.sure && d.p == 1 && d.low <= 0 && d.high >= 0);
}

/* From 0 to 1; the same in each run. */
static double uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

/* Skewed, as durations are; its mean is exp(0.045). */
static double noise(uint64_t *state)
{
	double u = uniform(state), v = uniform(state);

	return exp(0.3 * sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

static void draw(struct repeat *r, size_t nr, double mean, uint64_t *state)
{
	for (size_t i = 0; i < nr; i++) {
		r[i].units = 80 + 40 * uniform(state);
		r[i].amount = r[i].units * mean * noise(state);
	}
}

/* Of 1000 comparisons: in how many the truth is in the interval, and in how many p <= 0.05. */
static void try(size_t nr, double change, unsigned int *inside, unsigned int *found)
{
	double truth = exp(0.045) * 100 * change;
	struct repeat a[10], b[10];
	uint64_t state = 7;

	*inside = *found = 0;
	for (int i = 0; i < 1000; i++) {
		struct difference d;

		draw(a, nr, 100, &state);
		draw(b, nr, 100 * (1 + change), &state);
		d = repeats__compare(a, nr, b, nr);
		*inside += d.low <= truth && truth <= d.high;
		*found += d.p <= 0.05;
	}
}

static void coverage(void **state)
{
	unsigned int inside, found;

	(void)state;
	for (size_t nr = 4; nr <= 10; nr += 3) {
		try(nr, 0, &inside, &found);
		if (inside < 920 || found > 70)
			fail_msg("%zu repeats, no change: in %u of 1000 intervals, found in %u", nr,
				 inside, found);
		try(nr, 0.2, &inside, &found);
		if (inside < 920)
			fail_msg("%zu repeats: the truth is in %u of 1000 intervals", nr, inside);
	}
	/* what would be found 8 times of 10 is found about so often */
	{
		struct repeat a[10], b[10];
		uint64_t seed = 3;
		double smallest = 0;

		for (int i = 0; i < 100; i++) {
			draw(a, 10, 100, &seed);
			draw(b, 10, 100, &seed);
			smallest += repeats__compare(a, 10, b, 10).smallest / 100;
		}
		try(10, smallest / (exp(0.045) * 100), &inside, &found);
		if (found < 550 || found > 950)
			fail_msg("a change of the smallest size is found in %u of 1000", found);
	}
}

static void many(void **state)
{
	double p[] = { 0.01, 0.04, 0.03, 0.005 };	/* Holm: 0.03, 0.06, 0.06, 0.02 */

	(void)state;
	assert_int_equal(probabilities__of_many(p, 4), 0);
	is_close(p[0], 0.03, 1e-12);
	is_close(p[1], 0.06, 1e-12);
	is_close(p[2], 0.06, 1e-12);
	is_close(p[3], 0.02, 1e-12);
	p[0] = 0.9;
	assert_int_equal(probabilities__of_many(p, 2), 0);
	is_close(p[0], 0.9, 1e-12);
	assert_int_equal(probabilities__of_many(p, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(student), cmocka_unit_test(welch),    cmocka_unit_test(units),
		cmocka_unit_test(few),	   cmocka_unit_test(coverage), cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
