/* SPDX-License-Identifier: GPL-2.0 */
/* Which waits are idle. See idle.h for the rules. */
#include "join/idle.h"

#include "join/leaves.h"

enum part idle__read_part(const struct join *j, uint64_t token, int32_t epfd, uint32_t events)
{
	return idle__role_part(fds__talk(&j->fds, token, epfd).role, events);
}

enum part idle__role_part(uint8_t role, uint32_t events)
{
	if (role == TRACE_FD_LISTENS)
		return PART_NO_CONNECTION;
	if (!(events & TRACE_READY_TURN))
		return PART_NO_DATA;
	if (role == TRACE_FD_ACCEPTED)
		return events & (TRACE_READY_SENT | TRACE_READY_FIRST) ? PART_NO_REQUEST :
									 PART_NO_DATA;
	if (role != TRACE_FD_CONNECTED)
		return PART_NO_DATA;
	/* whoever connects may be greeted first */
	return events & TRACE_READY_SENT  ? PART_NO_REPLY :
	       events & TRACE_READY_FIRST ? PART_NO_DATA : PART_NOT_ASKED;
}

enum part idle__read_part_open(const struct join *j, uint64_t token)
{
	const struct fd_talk talk = fds__talk(&j->fds, token, ANY_EPFD);
	uint32_t events = 0;

	if (talk.sent_known)
		events = TRACE_READY_TURN | (talk.sent ? TRACE_READY_SENT : 0);
	/* no data has come, so nothing was sent since: as if none had come before */
	if (talk.sent_known && !talk.seen)
		events |= TRACE_READY_FIRST;
	return idle__read_part(j, token, ANY_EPFD, events);
}

/* @part, of a wait that is not idle. */
static enum part plain(enum part part)
{
	switch (part) {
	case PART_NO_CONNECTION:
	case PART_NO_REQUEST:
	case PART_NOT_ASKED:
		return PART_NO_DATA;
	default:
		return part;
	}
}

/* May @t wait at @l and be idle, if it is idle otherwise? */
static bool beside(const struct join *j, const struct task *t, const struct chain_leaf *l)
{
	struct walk_key key;

	if (l->idle != TRACE_IDLE_NOT || l->key == WALK_KEY_DEADLINE)
		return true;
	if (!leaf_key(t, l, WALK_KEY_IO, &key) || !(key.dir & WALK_DIR_READ))
		return false;
	switch (fds__talk(&j->fds, key.value, ANY_EPFD).role) {
	case TRACE_FD_LISTENS:
	case TRACE_FD_ACCEPTED:
		return true;
	default:
		return false;
	}
}

static bool all_beside(const struct join *j, const struct task *t, const struct shape *sh,
		       uint16_t branch)
{
	for (uint32_t i = 0; i < sh->nr_leaves; i++)
		if (sh->leaves[i].node != branch && !beside(j, t, &sh->leaves[i]))
			return false;
	return true;
}

static bool joins_job(const struct join *j, const struct task *t, const struct chain_leaf *l)
{
	const struct task *joined;
	struct walk_key key;

	joined = leaf_key(t, l, WALK_KEY_TASK, &key) ? task__find(j, key.value) : NULL;
	return joined && joined->job;
}

/* The idle form of @part for leaf @l. */
static enum part idle_form(const struct join *j, const struct task *t, const struct chain_leaf *l,
			   enum part part)
{
	switch (l->idle) {
	case TRACE_IDLE_TICK:
		return part == PART_DEADLINE ? PART_NEXT_TICK : part;
	case TRACE_IDLE_QUEUE:
		return part == PART_WOKEN || part == PART_OPEN ? PART_NO_WORK : part;
	case TRACE_IDLE_SIGNAL:
		return part == PART_TIMER_OR_SIGNAL || part == PART_DRIVER || part == PART_OPEN ?
			       PART_NO_SIGNAL : part;
	case TRACE_IDLE_TASKS:
		return (part == PART_WOKEN || part == PART_OPEN) &&
				       accounts__root(j->accounts, t->kind) && !joins_job(j, t, l) ?
			       PART_TASKS_GO_ON : part;
	default:
		return part;
	}
}

/*
 * What @t was idle for when the deadline at @branch ended its wait: what has not come at another
 * leaf. PART_DEADLINE: nothing that is known to be idle.
 */
static enum part limited(const struct join *j, const struct task *t, const struct shape *sh,
			 uint16_t branch)
{
	struct walk_key key;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		const struct chain_leaf *l = &sh->leaves[i];
		enum part part = PART_OPEN;

		if (l->node == branch)
			continue;
		if (l->idle == TRACE_IDLE_QUEUE || l->idle == TRACE_IDLE_SIGNAL)
			part = idle_form(j, t, l, PART_OPEN);
		else if (leaf_key(t, l, WALK_KEY_IO, &key) && key.dir == WALK_DIR_READ &&
			 fds__talk(&j->fds, key.value, ANY_EPFD).role == TRACE_FD_LISTENS)
			part = PART_NO_CONNECTION;
		if (part != PART_OPEN)
			return part;
	}
	return PART_DEADLINE;
}

enum part idle__part(const struct join *j, const struct task *t, const struct shape *sh,
		     enum part part, uint16_t branch)
{
	enum part idle = part;

	for (uint32_t i = 0; i < sh->nr_leaves; i++)
		if (sh->leaves[i].node == branch)
			idle = idle_form(j, t, &sh->leaves[i], part);
	if (idle == PART_DEADLINE)
		idle = limited(j, t, sh, branch);
	if (!part__idle(idle) || idle == PART_NO_REQUEST)
		return idle;
	return all_beside(j, t, sh, branch) ? idle : plain(part);
}

/* The part for time in which @t waits at @l and nothing has come. */
static enum part leaf_part_open(const struct join *j, const struct task *t,
				const struct chain_leaf *l)
{
	struct walk_key key;

	if (leaf_key(t, l, WALK_KEY_IO, &key) && key.dir == WALK_DIR_READ)
		return idle__read_part_open(j, key.value);
	if (l->key == WALK_KEY_DEADLINE)
		return idle_form(j, t, l, PART_DEADLINE);
	return idle_form(j, t, l, PART_OPEN);
}

enum part idle__open(const struct join *j, const struct task *t, const struct shape *sh)
{
	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		const struct chain_leaf *l = &sh->leaves[i];
		enum part part = leaf_part_open(j, t, l);

		if (part == PART_NO_REQUEST ||
		    (part__idle(part) && all_beside(j, t, sh, l->node)))
			return part;
	}
	return PART_NONE;
}
