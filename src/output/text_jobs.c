/* SPDX-License-Identifier: GPL-2.0 */
/* The report's part about blocking jobs: how long they were queued, and what they did. */
#include "base/sum.h"
#include "output/text.h"

#define JOBS_SHOWN	10

static void print_quantiles(struct flow *f, const struct join_quantiles *q, const char *end)
{
	if (q->count > 1) {
		flow__put(f, "p50 %s,", duration(q->p50).s);
		flow__put(f, "p99 %s,", duration(q->p99).s);
		flow__put(f, "max");
	}
	flow__put(f, "%s%s", duration(q->max).s, end);
}

static void print_times(struct flow *f, const struct join_job *job)
{
	flow__begin(f, 5);
	flow__put(f, "%s job%s:", count(job->count).s, plural(job->count));
	flow__put(f, "queued");
	if (job->queue.count) {
		print_quantiles(f, &job->queue, job->queue_from_wait ? "" : ";");
		if (job->queue_from_wait)
			flow__words(f, "(from the begin of the wait);");
	} else {
		flow__words(f, "for a time not known;");
	}
	if (job->run.count) {
		flow__put(f, "ran");
		print_quantiles(f, &job->run, job->alive_at_end ? ";" : "");
	}
	if (job->alive_at_end)
		flow__put(f, "%s not ended", count(job->alive_at_end).s);
	flow__end(f);
}

static void print_split(struct flow *f, const struct join_job *job)
{
	const struct {
		const char	*words;
		uint64_t	 ns;
	} parts[] = {
		{ "on a CPU", job->segments[JOIN_RUNNING] },
		{ "run queue", job->segments[JOIN_PREEMPTED] - job->throttled_ns },
		{ "throttled", job->throttled_ns },
		{ "blocked", job->segments[JOIN_BLOCKED] },
		{ "not known", job->segments[JOIN_UNATTRIBUTED] },
	};
	const size_t nr = sizeof(parts) / sizeof(parts[0]);
	uint64_t all = 0;
	size_t last = 0;

	for (size_t i = 0; i < nr; i++) {
		sum__add(&all, parts[i].ns);
		last = parts[i].ns ? i : last;
	}
	if (!all)
		return;
	flow__begin(f, 5);
	flow__put(f, "ran %s in all:", duration(all).s);
	for (size_t i = 0; i < nr; i++)
		if (parts[i].ns)
			flow__put(f, "%s %s%s", parts[i].words, percent(parts[i].ns, all).s,
				  i < last ? "," : "");
	flow__end(f);
}

void text_jobs__print(struct text_report *t, size_t top)
{
	struct flow *f = &t->flow;
	size_t nr, shown;
	const struct join_job *jobs = join__jobs(t->join, &nr);

	if (!nr)
		return;
	top = top ? top : JOBS_SHOWN;
	shown = nr < top ? nr : top;
	fputc('\n', t->out);
	flow__begin(f, 0);
	flow__words(f, "Blocking jobs, those that ran longest first");
	flow__put(f, shown < nr ? "(%zu of %zu;" : "(%zu of %zu):", shown, nr);
	if (shown < nr)
		flow__put(f, "--top %zu for all):", nr);
	flow__end(f);
	for (size_t i = 0; i < shown; i++) {
		fprintf(t->out, "%3zu. ", i + 1);
		flow__begin_behind(f, 5);
		flow__put(f, "%s", jobs[i].task);
		flow__end(f);
		print_times(f, &jobs[i]);
		print_split(f, &jobs[i]);
	}
}
