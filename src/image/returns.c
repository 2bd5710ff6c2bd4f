// SPDX-License-Identifier: GPL-2.0
/* From return addresses of polls to probe sites at their ends. See returns.h. */
#include "image/returns.h"

#define LEVELS	3	/* callers in succession that return at once */

struct search {
	struct site_finder	*f;
	struct boundaries	*bs;
	uint64_t		 ret;		/* return address of the poll */
	int64_t			 popped;	/* bytes of stack popped since then */
	unsigned int		 level, nr;	/* level: callers gone through; nr: sites found */
	void			(*found)(void *ctx, const struct image_return *r);
	void			*ctx;
};

static void look_at(struct search *s, uint64_t ret);

static void found_call(void *ctx, uint64_t ret)
{
	look_at(ctx, ret);
}

/*
 * The function that contains @ret returns at once: continue in its callers. False: none
 * is known.
 */
static bool look_at_callers(struct search *s, uint64_t ret, int64_t popped)
{
	uint64_t entry = boundaries__entry_of(s->bs, ret);
	unsigned int before = s->nr;

	if (!entry || s->level == LEVELS)
		return false;
	s->level++;
	s->popped += popped;
	site_finder__calls_of(s->f, entry, found_call, s);
	s->popped -= popped;
	s->level--;
	return s->nr != before;
}

static void look_at(struct search *s, uint64_t ret)
{
	struct image_return r;
	int64_t popped;

	if (!boundaries__is_return(s->bs, ret) || site_finder__return(s->f, ret, &r))
		return;
	/*
	 * A branch is cheap to probe, even some instructions on; anything else has to
	 * be single-stepped.
	 */
	if (r.site.slow && !site_finder__returns_at_once(s->f, ret, &popped) &&
	    look_at_callers(s, ret, popped))
		return;
	r.ret = s->ret;
	r.site.sp_adjust -= (int32_t)s->popped;
	s->nr++;
	s->found(s->ctx, &r);
}

void returns__of(struct site_finder *f, struct boundaries *bs, uint64_t ret,
		 void (*found)(void *ctx, const struct image_return *r), void *ctx)
{
	struct search s = { .f = f, .bs = bs, .ret = ret, .found = found, .ctx = ctx };

	look_at(&s, ret);
}
