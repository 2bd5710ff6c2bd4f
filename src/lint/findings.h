/* SPDX-License-Identifier: GPL-2.0 */
/* What the lints have collected, and how findings are made of it. Private to src/lint. */
#ifndef DWELL_LINT_FINDINGS_H
#define DWELL_LINT_FINDINGS_H

#include "join/map.h"
#include "lint/checks.h"

/* The cases of one lint, one kind of tasks and one place. */
struct lint_cases {
	struct lint_case	worst;
	uint64_t		count, total_ns;
	bool			excused;	/* it only looks like a case */
};

struct lints {
	struct join		*join;
	uint64_t		 limits[LINT_NR];
	struct lint_cases	*cases;
	size_t			 nr, cap;
	struct hash_table	 known;		/* index + 1 by lint, kind and place */
	struct join_kind	*kind;
	size_t			 nr_kind, cap_kind;
	struct hash_table	 kinds;		/* index + 1 of .kind by number */
	struct map		 lives;		/* struct lint_life by number */
	struct workers		 workers;
	struct lint_finding	*findings;
	size_t			 nr_findings;
};

/* Makes l->findings of l->cases. 0 or -ENOMEM. */
int findings__make(struct lints *l);
void findings__free(struct lints *l);

#endif /* DWELL_LINT_FINDINGS_H */
