/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The result of a poll that has ended: whether the task has completed, and if not, where it waits.
 * Most runtimes say so in the task's state word; some only by what the poll returns.
 */
#ifndef DWELL_RESULT_BPF_H
#define DWELL_RESULT_BPF_H

#include "recipe.bpf.h"

/* What is known of the result of a poll before its memory is read. */
enum poll_said {
	SAID_NOTHING	= 0,
	SAID_COMPLETED	= 1,	/* it has completed: its memory must not be read */
	SAID_READY	= 2,	/* the register that a Poll<()> is returned in says so … */
	SAID_PENDING	= 3,	/* … or so, which counts if the poll returns one */
};

/*
 * A root has no state word. It has completed if its future's state says so. If the
 * future does not tell, the root counts as Pending here; on_root_gone() reports its
 * end.
 */
static __always_inline __u8 root_result(struct thread *t, struct walk_state *w, __u64 root,
					const struct walk_cell *cell, __u64 ts, __u32 tid,
					__u32 fn, __u32 *chain)
{
	const struct walk_variant *v;

	*chain = recipe_follow(t, w, cell->recipes);
	if (*chain)
		return RAW_PENDING;
	walk_task(w, root, cell, false);
	v = walk_variant_at(w, w->chain.tokens[0]);
	if (w->chain.nr_tokens == 1 && v && (v->flags & WALK_VARIANT_DONE))
		return RAW_READY;
	if (w->chain.blind)
		wakers_wanted = true;
	*chain = walk_intern(t, w, ts, tid, fn);
	recipe_learn(w, cell->recipes, *chain);
	return RAW_PENDING;
}

/*
 * The result of a poll of the task at @header with poll function @fn: completed or not,
 * and if not, its chain and keys, in @w. @said: what it has returned (enum poll_said).
 */
static __always_inline __u8 poll_result(struct thread *t, struct walk_state *w, __u64 header,
					__u32 fn, __u8 said, __u64 ts, __u32 tid, __u32 *chain)
{
	struct walk_cell *cell = bpf_map_lookup_elem(&walk_cells, &fn);
	const struct walk_status *status;
	__u64 state;

	w->nr_blocks = 0;
	w->chain.nr_keys = 0;
	if (!cell)
		return RAW_UNKNOWN;
	walk_window(w, header, cell);
	status = &cell->status;
	if (status->returned && said != SAID_PENDING)
		return said == SAID_READY ? RAW_READY : RAW_UNKNOWN;
	if (!status->width)
		return root_result(t, w, header, cell, ts, tid, fn, chain);
	if (walk_read(w, header + status->off, status->width, &state))
		return status->freed ? RAW_READY : RAW_UNKNOWN;
	if (state & (status->complete | status->freed))
		return RAW_READY;
	if (!(state & (status->running | status->notified))) {
		*chain = recipe_follow(t, w, cell->recipes);
		if (*chain)
			return RAW_PENDING;
	}
	walk_task(w, header, cell, state & status->running);
	/*
	 * An idle task cannot change during the walk: it would have to be woken and
	 * polled, which are two probes away. A task that is queued already can be
	 * polled at any time, so its state is read again.
	 */
	if ((state & status->notified) &&
	    (walk_far(header + status->off, status->width, &state) || (state & status->running)))
		walk_task(w, header, cell, true);
	if (w->chain.blind)
		wakers_wanted = true;
	*chain = walk_intern(t, w, ts, tid, fn);
	recipe_learn(w, cell->recipes, *chain);
	return RAW_PENDING;
}

#endif /* DWELL_RESULT_BPF_H */
