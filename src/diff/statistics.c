/* SPDX-License-Identifier: GPL-2.0 */
/* Two sets of repeats. See statistics.h. */
#include "diff/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define RESAMPLES	2000
#define SHARE		0.025	/* of the resamples beyond each end of the interval */
#define POWER		0.8

/* ---- Student's distribution ---- */

/*
 * The continued fraction of the incomplete beta function, by the method of Lentz: Numerical
 * Recipes, 6.4. It converges within some 100 steps for all that is asked of it here.
 */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), f;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (int m = 1; m <= 300; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		f *= d * c;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		f *= d * c;
		if (fabs(d * c - 1) < 1e-14)
			break;
	}
	return f;
}

/* The regularized incomplete beta function. */
static double beta(double a, double b, double x)
{
	double front;

	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student__below(double t, double df)
{
	double tail = beta(df / 2, 0.5, df / (df + t * t)) / 2;

	return t > 0 ? 1 - tail : tail;
}

double student__quantile(double p, double df)
{
	double low = -1, high = 1;

	if (p <= 0 || p >= 1)
		return p <= 0 ? -INFINITY : INFINITY;
	while (student__below(low, df) > p)
		low *= 2;
	while (student__below(high, df) < p)
		high *= 2;
	for (int i = 0; i < 100; i++) {
		double mid = (low + high) / 2;

		if (student__below(mid, df) < p)
			low = mid;
		else
			high = mid;
	}
	return (low + high) / 2;
}

/* P(Z <= z) of the normal distribution. */
static double normal__below(double z)
{
	return erfc(-z / sqrt(2)) / 2;
}

/* ---- repeats ---- */

static double ratio(double amount, double units)
{
	return units > 0 ? amount / units : 0;
}

static double amount_of_unit(const struct repeat *r, size_t nr)
{
	double amount = 0, units = 0;

	for (size_t i = 0; i < nr; i++) {
		amount += r[i].amount;
		units += r[i].units;
	}
	return ratio(amount, units);
}

/*
 * The variance of amount_of_unit(), as that of a ratio: Cochran, Sampling Techniques, 6.4. A
 * repeat counts by how far it is from what its units would be expected to take.
 */
static double variance(const struct repeat *r, size_t nr, double mean)
{
	double units = 0, squares = 0;

	for (size_t i = 0; i < nr; i++) {
		double off = r[i].amount - mean * r[i].units;

		units += r[i].units;
		squares += off * off;
	}
	units /= (double)nr;
	return units > 0 ? squares / ((double)(nr - 1) * (double)nr * units * units) : 0;
}

/* splitmix64; the same sequence in each run. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static double resample(const struct repeat *r, size_t nr, uint64_t *state)
{
	double amount = 0, units = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct repeat *one = &r[next_random(state) % nr];

		amount += one->amount;
		units += one->units;
	}
	return ratio(amount, units);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The value below which @share of @sorted is. */
static double quantile(const double *sorted, size_t nr, double share)
{
	double at = share * (double)(nr - 1);
	size_t i = (size_t)at;

	if (i + 1 >= nr)
		return sorted[nr - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/*
 * Which share of resamples is to be beyond an end so that few repeats do not make the interval
 * too narrow: Hesterberg, What Teachers Should Know About the Bootstrap, 2015, 5.4.
 */
static double expanded(double share, size_t nr, double df)
{
	double n = (double)nr;

	return normal__below(sqrt(n / (n - 1)) * student__quantile(share, df));
}

/* The interval of the change, by a bootstrap of both sides. */
static void interval(const struct repeat *a, size_t nr_a, const struct repeat *b, size_t nr_b,
		     double df, struct difference *out)
{
	static const uint64_t seed = 0x5ba5e11;
	double *changes = calloc(RESAMPLES, sizeof(*changes)), share;
	uint64_t state = seed;

	out->low = out->high = out->change;
	if (!changes) {
		out->low = -INFINITY;
		out->high = INFINITY;
		return;
	}
	for (size_t i = 0; i < RESAMPLES; i++)
		changes[i] = resample(b, nr_b, &state) - resample(a, nr_a, &state);
	qsort(changes, RESAMPLES, sizeof(*changes), by_value);
	share = expanded(SHARE, nr_a < nr_b ? nr_a : nr_b, df);
	out->low = quantile(changes, RESAMPLES, share);
	out->high = quantile(changes, RESAMPLES, 1 - share);
	free(changes);
}

struct difference repeats__compare(const struct repeat *a, size_t nr_a, const struct repeat *b,
				   size_t nr_b)
{
	struct difference d = { .before = amount_of_unit(a, nr_a),
				.after = amount_of_unit(b, nr_b), .p = 1 };
	double va, vb, error, df, t;

	d.change = d.after - d.before;
	if (nr_a < 2 || nr_b < 2)
		return d;
	d.sure = true;
	va = variance(a, nr_a, d.before);
	vb = variance(b, nr_b, d.after);
	error = sqrt(va + vb);
	if (!(error > 0)) {
		/* all repeats are the same: any change is one */
		d.p = d.change != 0 ? 0 : 1;
		d.low = d.high = d.change;
		return d;
	}
	df = (va + vb) * (va + vb) /
	     (va * va / (double)(nr_a - 1) + vb * vb / (double)(nr_b - 1));
	t = fabs(d.change) / error;
	d.p = 2 * (1 - student__below(t, df));
	d.smallest = error * (student__quantile(1 - SHARE, df) + student__quantile(POWER, df));
	interval(a, nr_a, b, nr_b, df, &d);
	return d;
}

/* ---- many ---- */

struct ranked {
	double	p;
	size_t	index;
};

static int by_p(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->p != y->p)
		return x->p < y->p ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

int probabilities__of_many(double *p, size_t nr)
{
	struct ranked *order = calloc(nr + 1, sizeof(*order));
	double most = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		order[i] = (struct ranked){ p[i], i };
	qsort(order, nr, sizeof(*order), by_p);
	for (size_t i = 0; i < nr; i++) {
		double raised = order[i].p * (double)(nr - i);

		most = raised > most ? raised : most;
		p[order[i].index] = most < 1 ? most : 1;
	}
	free(order);
	return 0;
}
