/* SPDX-License-Identifier: GPL-2.0 */
/* Blocking jobs by kind. See job_kinds.h. It must not know what events mean. */
#include "join/job_kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"

struct job_times {
	struct hist	queue, run;
	uint64_t	from_wait;	/* of the times in the queue: from the begin of a wait */
};

/* The times of kind @id, created on first use. NULL: no memory. */
static struct job_times *times_of(struct map *kinds, uint32_t id)
{
	struct kind *k = kinds__get(kinds, id);

	if (k && !k->job)
		k->job = calloc(1, sizeof(*k->job));
	return k ? k->job : NULL;
}

int job_kinds__queued(struct map *kinds, uint32_t id, uint64_t ns, bool spawn_seen)
{
	struct job_times *t = times_of(kinds, id);

	if (!t)
		return -ENOMEM;
	t->from_wait += !spawn_seen;
	return hist__add(&t->queue, ns);
}

int job_kinds__ran(struct map *kinds, uint32_t id, uint64_t ns)
{
	struct job_times *t = times_of(kinds, id);

	return t ? hist__add(&t->run, ns) : -ENOMEM;
}

void job_times__free(struct job_times *t)
{
	if (!t)
		return;
	hist__clear(&t->queue);
	hist__clear(&t->run);
	free(t);
}

/* ---- the list ---- */

/* Kinds of one name, as they are added up. */
struct named {
	struct join_job		job;
	struct job_times	times;
};

/* Equal names have equal pointers. */
static struct named *named__of(struct named *list, size_t *nr, const char *task)
{
	for (size_t i = 0; i < *nr; i++)
		if (list[i].job.task == task)
			return &list[i];
	list[*nr].job.task = task;
	return &list[(*nr)++];
}

static int add_kind(struct named *n, const struct kind *k)
{
	int err;

	for (int i = 0; i < END_NR; i++)
		n->job.count += k->ends[i];
	n->job.alive_at_end += k->ends[END_ALIVE];
	if (!k->job)
		return 0;
	n->times.from_wait += k->job->from_wait;
	err = hist__merge(&n->times.queue, &k->job->queue);
	return err ? err : hist__merge(&n->times.run, &k->job->run);
}

static void add_sums(struct join *j, struct named *list, size_t nr)
{
	for (uint32_t i = 0; i < j->sums.sums.size; i++) {
		const struct sum *s = &j->sums.sums.entries[i];
		const char *task;
		uint32_t kind;

		if (!s->ns)
			continue;
		kind = accounts__account(j->accounts, s->key.account)->kind;
		if (!accounts__blocking(j->accounts, kind))
			continue;
		task = accounts__task_name(j->accounts, kind);
		for (size_t k = 0; k < nr; k++) {
			if (list[k].job.task != task)
				continue;
			sum__add(&list[k].job.segments[s->key.segment], s->ns);
			if (s->key.part == PART_THROTTLED)
				sum__add(&list[k].job.throttled_ns, s->ns);
		}
	}
}

static uint64_t ran_ns(const struct join_job *job)
{
	uint64_t ns = job->segments[JOIN_RUNNING];

	sum__add(&ns, job->segments[JOIN_PREEMPTED]);
	sum__add(&ns, job->segments[JOIN_BLOCKED]);
	return ns;
}

static int by_run(const void *a, const void *b)
{
	const struct join_job *x = a, *y = b;
	uint64_t x_ns = ran_ns(x), y_ns = ran_ns(y);

	if (x_ns != y_ns)
		return x_ns > y_ns ? -1 : 1;
	return strcmp(x->task, y->task);
}

static int make_list(struct join *j, struct named *list, size_t *nr)
{
	int err = 0;

	for (uint32_t i = 0; i < j->kinds.size && !err; i++) {
		const struct kind *k = j->kinds.entries[i].value;
		const char *task;

		if (!k || !accounts__blocking(j->accounts, (uint32_t)k->id) ||
		    !selection__has(j, (uint32_t)k->id))
			continue;
		task = accounts__task_name(j->accounts, (uint32_t)k->id);
		err = task ? add_kind(named__of(list, nr, task), k) : -ENOMEM;
	}
	return err;
}

int job_kinds__make(struct join *j)
{
	struct named *list = calloc(j->kinds.nr + 1ul, sizeof(*list));
	size_t nr = 0;
	int err = list ? make_list(j, list, &nr) : -ENOMEM;

	if (!err) {
		add_sums(j, list, nr);
		j->jobs = calloc(nr + 1, sizeof(*j->jobs));
		err = j->jobs ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < nr; i++) {
		struct named *n = &list[i];

		n->job.queue = hist__quantiles(&n->times.queue);
		n->job.run = hist__quantiles(&n->times.run);
		n->job.queue_from_wait = n->times.from_wait;
		if (!err)
			j->jobs[i] = n->job;
		hist__clear(&n->times.queue);
		hist__clear(&n->times.run);
	}
	free(list);
	if (err)
		return err;
	j->nr_jobs = nr;
	qsort(j->jobs, nr, sizeof(*j->jobs), by_run);
	return 0;
}

const struct join_job *join__jobs(const struct join *j, size_t *nr)
{
	*nr = j->nr_jobs;
	return j->jobs;
}
