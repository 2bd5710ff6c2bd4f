/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lives and states of tasks, for the files that say what events mean for them: task.c, of what
 * probes see, and task_seen.c, of what is read from the target's memory. Private to these.
 */
#ifndef DWELL_JOIN_TASK_H
#define DWELL_JOIN_TASK_H

#include "join/timeline.h"

/* Begins a life at @start, READY. NULL: no memory. */
struct task *task__create(struct join *j, uint64_t addr, uint64_t start);
/* Ends the life of @t at @now; everything up to @now has been charged. */
void task__over(struct join *j, struct task *t, enum task_end how, uint64_t now);
/* Forgets @t, whose life is over. */
void task__remove(struct join *j, struct task *t);

/* Charges the wait of @t as it is split in @s. */
void task__charge_split(struct join *j, struct task *t, const struct split *s);
/* Charges an IDLE task: its wait up to @known, then lost events up to @now. */
void task__charge_lost_wait(struct join *j, struct task *t, uint64_t known, uint64_t now);
/*
 * Charges a READY task up to @known, then lost events up to @now. @worker polls it now, or
 * is the one that has it in its queue; NULL: not known.
 */
void task__charge_ready(struct join *j, struct task *t, struct thread *worker, uint64_t known,
			uint64_t now);
/*
 * Charges the time up to @now of a state that ended irregularly: by a poll's end
 * without a begin, by a new life at the same address, or not at all.
 */
void task__charge_broken(struct join *j, struct task *t, uint64_t now, enum part why);
/* The end of the poll of @t is missing: what happened in the poll is not known. */
void task__break_poll(struct join *j, struct task *t);

/* @by: the thread that woke or spawned it; NULL: not known. */
void task__set_ready(struct task *t, const struct thread *by, uint64_t now, enum part how,
		     bool waited);
/* @t waits at @chain since @now, for @keys. */
void task__set_idle(struct join *j, struct task *t, uint64_t now, uint32_t chain,
		    const struct walk_keys *keys, unsigned int nr_keys);

#endif /* DWELL_JOIN_TASK_H */
