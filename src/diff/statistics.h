/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How two sets of repeats differ, and how sure that is. A repeat has an amount (ns, say) and
 * the units of work that it was spent on; what is compared is the amount of a unit, over all
 * repeats of a set. It must not know what is measured.
 *
 * Repeats are taken as independent of each other. The interval is that of a bootstrap over
 * repeats; the probability is that of Welch's test. With the same repeats both come out the
 * same, always.
 */
#ifndef DWELL_DIFF_STATISTICS_H
#define DWELL_DIFF_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

struct repeat {
	double	amount;
	double	units;
};

struct difference {
	double	before, after;		/* amount of a unit; 0 if there are no units */
	double	change;			/* after - before */
	/* false: fewer than two repeats on a side; what follows is 0, and p is 1 */
	bool	sure;
	double	low, high;		/* the change is in here with a probability of 95 % */
	double	p;			/* of a change as large as this one, if there were none */
	/* the smallest change that these repeats would have shown, 8 times of 10 (p <= 0.05) */
	double	smallest;
};

/* Compares @nr_a repeats with @nr_b. */
struct difference repeats__compare(const struct repeat *a, size_t nr_a, const struct repeat *b,
				   size_t nr_b);

/*
 * Raises each of the @nr probabilities of @p to what it is among so many: if all whose result
 * is at most x are believed, none of them is wrong with a probability of 1 - x (Holm).
 * 0 or -ENOMEM.
 */
int probabilities__of_many(double *p, size_t nr);

/* Student's distribution with @df degrees of freedom: P(T <= t), and t for a probability. */
double student__below(double t, double df);
double student__quantile(double p, double df);

#endif /* DWELL_DIFF_STATISTICS_H */
