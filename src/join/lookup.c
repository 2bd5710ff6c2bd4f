/* SPDX-License-Identifier: GPL-2.0 */
/* What numbers stand for. See lookup.h. */
#include "join/lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "join/blocks.h"
#include "join/timeline.h"

int join__kind(struct join *j, uint32_t kind, struct join_kind *out)
{
	*out = (struct join_kind){ .name = accounts__task_name(j->accounts, kind),
				   .scheduler = accounts__scheduler(j->accounts, kind),
				   .job = accounts__blocking(j->accounts, kind),
				   .root = accounts__root(j->accounts, kind) };
	return out->name ? 0 : -ENOMEM;
}

int join__wait_place(struct join *j, uint32_t kind, uint32_t chain, uint16_t branch,
		     struct join_place *out, const char **leaf)
{
	int64_t account = accounts__get(j->accounts, kind, chain, branch);
	const struct point *p;

	if (account < 0)
		return (int)account;
	p = accounts__point(j->accounts,
			    accounts__account(j->accounts, (uint32_t)account)->point);
	*out = (struct join_place){ .function = p->function, .file = p->file, .path = p->path,
				    .line = p->line, .foreign = p->foreign };
	*leaf = p->leaf;
	return 0;
}

struct join_frame *join__chain(struct join *j, uint32_t chain, uint16_t branch, size_t *nr)
{
	struct join_frame *frames = calloc(ACCOUNT_FRAMES_MAX, sizeof(*frames));
	int n = frames ? accounts__frames(j->accounts, chain, branch, frames) : -ENOMEM;

	if (n < 0) {
		free(frames);
		return NULL;
	}
	*nr = (size_t)n;
	return frames;
}

size_t join__deadlines(struct join *j, uint32_t kind, uint32_t chain, const struct walk_keys *keys,
		       unsigned int nr_keys, struct join_deadline *out, size_t max)
{
	const struct shape *sh = chain != NO_CHAIN ? accounts__shape(j->accounts, chain) : NULL;
	size_t nr = 0;

	for (uint32_t i = 0; sh && i < sh->nr_leaves && nr < max; i++) {
		const struct chain_leaf *l = &sh->leaves[i];
		int64_t account;

		if (l->key != WALK_KEY_DEADLINE || l->key_index >= nr_keys)
			continue;
		account = accounts__get(j->accounts, kind, chain, l->node);
		if (account < 0) {
			join__note_err(j, (int)account);
			break;
		}
		out[nr++] = (struct join_deadline){
			keys->value[l->key_index],
			accounts__account(j->accounts, (uint32_t)account)->point };
	}
	return nr;
}

const char *join__detail(struct join *j, struct detail d)
{
	return d.kind == DETAIL_NONE || d.kind == DETAIL_SLEEP ? "" : detail_name(j, d);
}

int join__sleep(struct join *j, uint32_t number, struct join_sleep *out)
{
	return blocks__sleep(j, number, out);
}

const char *join__thread(struct join *j, uint32_t tid)
{
	const char *name = trace_reader__thread_name(j->reader, tid);

	return name && *name ? frame_names__safe(j->names, name) : "";
}
