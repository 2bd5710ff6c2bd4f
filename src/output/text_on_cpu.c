/* SPDX-License-Identifier: GPL-2.0 */
/* The report's part about samples of the CPUs: in which functions tasks were running. */
#include "output/text.h"

#define HOT_SHOWN	10
#define THREADS_SHOWN	3

static void print_samples(struct text_report *t, const struct join_on_cpu *c)
{
	struct flow *f = &t->flow;

	fputc('\n', t->out);
	flow__begin(f, 0);
	flow__put(f, "On a CPU: %s sample%s, %u a second%s", count(c->samples).s,
		  plural(c->samples), c->hz, c->lost ? "" : ":");
	if (c->lost)
		flow__put(f, "(%s lost):", count(c->lost).s);
	flow__put(f, "%s in tasks,", count(c->in_tasks).s);
	if (c->in_jobs)
		flow__put(f, "%s in blocking jobs,", count(c->in_jobs).s);
	if (c->unplaced)
		flow__put(f, "%s in polls that are not fully known,", count(c->unplaced).s);
	flow__put(f, "%s in no poll%s", count(c->outside).s, c->outside ? "" : ".");
	for (size_t i = 0; i < c->nr_threads && i < THREADS_SHOWN; i++)
		flow__put(f, "%s%s %s%s", i ? "" : "(", c->threads[i].name,
			  count(c->threads[i].ns).s, i + 1 < c->nr_threads ? "," : ").");
	if (c->nr_threads > THREADS_SHOWN)
		flow__put(f, "and %s more).", count(c->nr_threads - THREADS_SHOWN).s);
	flow__end(f);
}

static void print_hot(struct text_report *t, const struct join_hot *h, size_t rank)
{
	bool inner = *h->self && h->self != h->place.function;
	bool more = inner || h->in_kernel || h->in_probes;
	struct flow *f = &t->flow;

	fprintf(t->out, "%3zu. ", rank);
	flow__begin_behind(f, 5);
	flow__put(f, "%s", *h->place.function ? h->place.function : "(function not known)");
	if (*h->place.file && h->place.line)
		text__path(f, h->place.foreign ? h->place.path : h->place.file, h->place.line);
	flow__end(f);
	flow__begin(f, 5);
	flow__put(f, "%s%s", h->job ? "blocking job " : task_noun(h->task), h->task);
	flow__end(f);
	flow__begin(f, 5);
	flow__put(f, "%s,", duration(h->ns).s);
	flow__put(f, "%s of its running time", percent(h->ns, h->running_ns).s);
	flow__put(f, "(%s sample%s%s", count(h->samples).s, plural(h->samples), more ? ");" : ")");
	if (inner)
		flow__put(f, "%s in %s%s", percent(h->self_samples, h->samples).s, h->self,
			  h->in_kernel || h->in_probes ? "," : "");
	if (h->in_kernel)
		flow__put(f, *h->kernel ? "kernel %s (%s)%s" : "kernel %s%s%s",
			  percent(h->in_kernel, h->samples).s, h->kernel, h->in_probes ? "," : "");
	if (h->in_probes)
		flow__put(f, "probes %s", percent(h->in_probes, h->samples).s);
	flow__end(f);
}

void text_on_cpu__print(struct text_report *t, size_t top)
{
	const struct join_on_cpu *c = join__on_cpu(t->join);
	struct flow *f = &t->flow;
	size_t shown;

	if (!c->hz && !c->samples)
		return;
	print_samples(t, c);
	if (!c->nr_hot)
		return;
	top = top ? top : HOT_SHOWN;
	shown = c->nr_hot < top ? c->nr_hot : top;
	flow__begin(f, 0);
	flow__words(f, "Where tasks were running, the longest first");
	flow__put(f, shown < c->nr_hot ? "(%zu of %zu;" : "(%zu of %zu):", shown, c->nr_hot);
	if (shown < c->nr_hot)
		flow__put(f, "--top %zu for all):", c->nr_hot);
	flow__end(f);
	for (size_t i = 0; i < shown; i++)
		print_hot(t, &c->hot[i], i + 1);
}
