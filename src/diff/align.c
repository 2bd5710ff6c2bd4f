/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of two versions of the code. See align.h. */
#include "diff/align.h"

#include <errno.h>
#include <stdlib.h>

int align__lines(const int64_t *few, size_t nr_few, const int64_t *many, size_t nr_many,
		 size_t *out)
{
	size_t width = nr_many + 1, i, k;
	uint64_t *cost = calloc((nr_few + 1) * width, sizeof(*cost));

	if (!cost)
		return -ENOMEM;
	/* cost[i][k]: of the first i of the few among the first k of the many */
	for (i = 1; i <= nr_few; i++) {
		for (k = i; k <= nr_many; k++) {
			uint64_t with = cost[(i - 1) * width + k - 1] +
					(uint64_t)llabs(few[i - 1] - many[k - 1]);

			cost[i * width + k] = with;
			if (k > i && cost[i * width + k - 1] <= with)
				cost[i * width + k] = cost[i * width + k - 1];
		}
	}
	for (i = nr_few, k = nr_many; i; k--) {
		if (k > i && cost[i * width + k] == cost[i * width + k - 1])
			continue;
		out[--i] = k - 1;
	}
	free(cost);
	return 0;
}
