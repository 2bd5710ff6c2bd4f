/* SPDX-License-Identifier: GPL-2.0 */
/* Functions in which tasks were on a CPU. See sampled.h. */
#include "join/sampled.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sum.h"
#include "join/blocks.h"
#include "join/crate_path.h"
#include "join/others.h"
#include "join/probe_stack.h"
#include "trace/task_frames.h"

struct sampled {
	struct join_on_cpu	 told;
	struct join_hot		*hot;
	struct join_sum		*threads;
};

/* A count, with what makes it one of a function. */
struct hot_sum {
	struct join_hot	hot;
	const char	*self;
	const char	*kernel;	/* "": it was not there, or in a probe */
};

/* ---- functions ---- */

static bool is_std(const struct trace_user_frame *f)
{
	static const char *const crates[] = { "std/", "core/", "alloc/" };
	char crate[CRATE_PATH_MAX];

	crate_path(f->path, crate);
	for (size_t i = 0; i < sizeof(crates) / sizeof(*crates); i++)
		if (!strncmp(crate, crates[i], strlen(crates[i])))
			return true;
	return false;
}

/* The innermost function of the program's own; else outside std; else any. */
static const struct trace_user_frame *place_of(const struct trace_user_stack *inside)
{
	const struct trace_user_frame *place = sleep__place(inside);

	if (!place)
		return &inside->frames[0];
	if (!crate_path__foreign(place->path))
		return place;
	for (uint32_t i = 0; i < inside->nr; i++)
		if (*inside->frames[i].function && *inside->frames[i].path &&
		    !is_std(&inside->frames[i]))
			return &inside->frames[i];
	return place;
}

/* Where in the program user stack @st is, without the runtime; function "": not known. */
static int make_place(struct join *j, const struct trace_user_stack *st, struct join_place *out)
{
	struct trace_user_stack inside;
	uint32_t of_task = st ? task_frames__of(st) : 0;

	*out = (struct join_place){ "", "", "", 0, false };
	if (!st || !st->nr)
		return 0;
	inside = *st;
	inside.nr = of_task ? of_task : st->nr;
	return blocks__place(j, place_of(&inside), out);
}

/* The outermost function that tells what for the program is in the kernel: a system call's, … */
static const char *way_in(const struct trace_stack *st)
{
	static const char *const all[] = { "entry_", "asm_", "do_syscall_64", "x64_sys_call" };

	for (uint32_t i = st ? st->nr : 0; i--;) {
		size_t k = 0;

		while (k < sizeof(all) / sizeof(*all) &&
		       strncmp(st->frames[i], all[k], strlen(all[k])))
			k++;
		if (k == sizeof(all) / sizeof(*all))
			return st->frames[i];
	}
	return st && st->nr ? st->frames[0] : "";
}

static int make_hot(struct join *j, const struct sample_count *c, struct hot_sum *out)
{
	const struct sample *s = samples__get(&j->samples, c->sample);
	const struct trace_user_stack *st = trace_reader__user_stack(j->reader, s->user);
	uint32_t kind = accounts__account(j->accounts, c->account)->kind;
	const struct trace_stack *kernel = trace_reader__stack(j->reader, s->kernel);
	struct join_hot *h = &out->hot;

	*h = (struct join_hot){ .task = accounts__task_name(j->accounts, kind), .samples = c->nr,
				.job = accounts__blocking(j->accounts, kind), .self = "",
				.kernel = "" };
	out->self = out->kernel = "";
	if (probe_stack__is(kernel)) {
		h->in_probes = c->nr;
	} else if (s->kernel) {
		h->in_kernel = c->nr;
		out->kernel = *way_in(kernel) ? frame_names__safe(j->names, way_in(kernel)) : "";
	}
	if (make_place(j, st, &h->place) || !h->task || !out->kernel)
		return -ENOMEM;
	if (!st || !st->nr)
		return 0;
	out->self = frame_names__safe(j->names, *st->frames[0].function ?
						st->frames[0].function : "?");
	return out->self ? 0 : -ENOMEM;
}

/* What is one function of one kind lies together; equal names have equal pointers. */
static int by_function(const void *a, const void *b)
{
	const struct join_hot *x = &((const struct hot_sum *)a)->hot;
	const struct join_hot *y = &((const struct hot_sum *)b)->hot;
	int c = strcmp(x->task, y->task);

	if (!c)
		c = strcmp(x->place.function, y->place.function);
	return c ? c : strcmp(x->place.path, y->place.path);
}

static int by_line(const void *a, const void *b)
{
	const struct join_hot *x = &((const struct hot_sum *)a)->hot;
	const struct join_hot *y = &((const struct hot_sum *)b)->hot;
	int c = by_function(a, b);

	return c ? c : x->place.line < y->place.line ? -1 : x->place.line > y->place.line;
}

static int by_self(const void *a, const void *b)
{
	const struct hot_sum *x = a, *y = b;
	int c = by_function(a, b);

	return c ? c : strcmp(x->self, y->self);
}

static int by_kernel(const void *a, const void *b)
{
	const struct hot_sum *x = a, *y = b;
	int c = by_function(a, b);

	return c ? c : strcmp(x->kernel, y->kernel);
}

static int by_time(const void *a, const void *b)
{
	const struct join_hot *x = a, *y = b;
	int c;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	c = strcmp(x->task, y->task);
	if (!c)
		c = strcmp(x->place.function, y->place.function);
	return c ? c : strcmp(x->place.path, y->place.path);
}

/*
 * Sorts @sums by @order, which has functions in the same order as all others: sets @most[i] to
 * the index of the first of those that have the most samples together, and @nr[i] to how
 * many, for the function that begins at i.
 */
static void find_most(struct hot_sum *sums, size_t nr_sums,
		      int (*order)(const void *a, const void *b), size_t *most, uint64_t *nr)
{
	qsort(sums, nr_sums, sizeof(*sums), order);
	for (size_t first = 0, end; first < nr_sums; first = end) {
		size_t at = first;

		nr[first] = 0;
		most[first] = first;
		for (end = first; end < nr_sums && !by_function(&sums[first], &sums[end]);) {
			uint64_t together = 0;

			for (at = end; end < nr_sums && !order(&sums[at], &sums[end]); end++)
				together += order == by_kernel ? sums[end].hot.in_kernel :
								 sums[end].hot.samples;
			if (together > nr[first]) {
				nr[first] = together;
				most[first] = at;
			}
		}
	}
}

/* One for each function. @most, @nr: room for as many as there are sums. */
static size_t merge_hot(struct hot_sum *sums, size_t nr_sums, struct join_hot *out, size_t *most,
			uint64_t *nr)
{
	size_t made = 0;

	find_most(sums, nr_sums, by_self, most, nr);
	for (size_t i = 0; i < nr_sums; i++) {
		const struct join_hot *h = &sums[i].hot;

		if (!i || by_function(&sums[i - 1], &sums[i])) {
			out[made] = *h;
			out[made].self = sums[most[i]].self;
			out[made].self_samples = nr[i];
			made++;
			continue;
		}
		out[made - 1].samples += h->samples;
		out[made - 1].in_kernel += h->in_kernel;
		out[made - 1].in_probes += h->in_probes;
		sum__add(&out[made - 1].ns, h->ns);
	}
	find_most(sums, nr_sums, by_line, most, nr);
	made = 0;
	for (size_t i = 0; i < nr_sums; i++)
		if (!i || by_function(&sums[i - 1], &sums[i]))
			out[made++].place.line = sums[most[i]].hot.place.line;
	find_most(sums, nr_sums, by_kernel, most, nr);
	made = 0;
	for (size_t i = 0; i < nr_sums; i++)
		if (!i || by_function(&sums[i - 1], &sums[i]))
			out[made++].kernel = nr[i] ? sums[most[i]].kernel : "";
	return made;
}

/* The running time of accounts, by number; *@nr of them. NULL: no memory. */
static uint64_t *running_of_accounts(const struct join *j, size_t *nr)
{
	const struct sums *sums = &j->sums.sums;
	uint64_t *ns;

	*nr = 0;
	for (uint32_t i = 0; i < sums->size; i++)
		if (sums->entries[i].ns && sums->entries[i].key.account >= *nr)
			*nr = sums->entries[i].key.account + 1ul;
	ns = calloc(*nr + 1, sizeof(*ns));
	for (uint32_t i = 0; ns && i < sums->size; i++) {
		const struct sum_key *k = &sums->entries[i].key;

		if (sums->entries[i].ns && k->segment == JOIN_RUNNING && k->part == PART_NONE)
			sum__add(&ns[k->account], sums->entries[i].ns);
	}
	return ns;
}

/* How long tasks of @name were running. */
static uint64_t running_of(struct join *j, const uint64_t *running, size_t nr, const char *name)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < nr; i++)
		if (running[i] && accounts__task_name(j->accounts,
			accounts__account(j->accounts, (uint32_t)i)->kind) == name)
			sum__add(&ns, running[i]);
	return ns;
}

/* A sum of each count of the selected kinds, *@nr of them; and how many are in which kind. */
static int collect(struct join *j, const uint64_t *running, size_t nr_running,
		   struct hot_sum *sums, size_t *nr, struct join_on_cpu *told)
{
	uint64_t total, before;
	size_t nr_counts;

	*nr = 0;
	for (uint32_t account = 0; account < nr_running; account++) {
		const struct sample_count *counts;
		uint32_t kind = accounts__account(j->accounts, account)->kind;

		counts = samples__of(&j->samples, account, &nr_counts, &total);
		if (accounts__blocking(j->accounts, kind))
			told->in_jobs += total;
		else
			told->in_tasks += total;
		before = 0;
		for (size_t i = 0; i < nr_counts; i++) {
			struct hot_sum *s = &sums[*nr];
			uint64_t after = before + counts[i].nr;

			if (!selection__has(j, kind))
				continue;
			if (make_hot(j, &counts[i], s))
				return -ENOMEM;
			s->hot.ns = samples__part(running[account], before, after, total);
			before = after;
			++*nr;
		}
	}
	return 0;
}

static int make_functions(struct join *j, struct sampled *c)
{
	size_t room = j->samples.nr_counts + 1, nr, nr_running, *most = calloc(room, sizeof(*most));
	uint64_t *running = running_of_accounts(j, &nr_running), *most_nr;
	struct hot_sum *sums = calloc(room, sizeof(*sums));
	int err = -ENOMEM;

	most_nr = calloc(room, sizeof(*most_nr));
	c->hot = calloc(room, sizeof(*c->hot));
	if (!most || !running || !sums || !most_nr || !c->hot)
		goto out;
	err = collect(j, running, nr_running, sums, &nr, &c->told);
	if (err)
		goto out;
	c->told.nr_hot = merge_hot(sums, nr, c->hot, most, most_nr);
	qsort(c->hot, c->told.nr_hot, sizeof(*c->hot), by_time);
	for (size_t i = 0; i < c->told.nr_hot; i++)
		c->hot[i].running_ns = running_of(j, running, nr_running, c->hot[i].task);
out:
	free(most);
	free(most_nr);
	free(running);
	free(sums);
	return err;
}

static int by_place(const void *a, const void *b)
{
	const struct join_place *x = &((const struct sampled_function *)a)->place;
	const struct join_place *y = &((const struct sampled_function *)b)->place;
	int c = strcmp(x->function, y->function);

	if (!c)
		c = strcmp(x->path, y->path);
	return c ? c : x->line < y->line ? -1 : x->line > y->line;
}

/* Makes one of those that differ in the line alone, with the line that has the most samples. */
static size_t merge_lines(struct sampled_function *list, size_t nr)
{
	uint64_t most = 0, here = 0;
	size_t out = 0;

	for (size_t i = 0; i < nr; i++) {
		struct sampled_function f = list[i];
		struct sampled_function *last = out ? &list[out - 1] : NULL;

		if (!last || strcmp(last->place.function, f.place.function) ||
		    strcmp(last->place.path, f.place.path)) {
			most = here = f.samples;
			list[out++] = f;
			continue;
		}
		/* Those of one line lie together. */
		here = i && list[i - 1].place.line == f.place.line ? here + f.samples : f.samples;
		if (here > most) {
			most = here;
			last->place.line = f.place.line;
		}
		last->samples += f.samples;
	}
	return out;
}

struct sampled_function *sampled__functions(struct join *j, uint32_t account, size_t *nr)
{
	uint64_t total;
	const struct sample_count *counts = samples__of(&j->samples, account, nr, &total);
	struct sampled_function *list = calloc(*nr + 1, sizeof(*list));

	for (size_t i = 0; list && i < *nr; i++) {
		const struct sample *s = samples__get(&j->samples, counts[i].sample);

		list[i].samples = counts[i].nr;
		if (make_place(j, trace_reader__user_stack(j->reader, s->user), &list[i].place)) {
			free(list);
			return NULL;
		}
	}
	if (list) {
		qsort(list, *nr, sizeof(*list), by_place);
		*nr = merge_lines(list, *nr);
	}
	return list;
}

/* ---- time ---- */

const struct sample_count *sampled__in(struct join *j, const struct sum_key *k, size_t *nr,
				       uint64_t *total)
{
	int64_t account;

	*nr = *total = 0;
	if (!j->samples.nr_counts)
		return NULL;
	if (k->segment == JOIN_RUNNING && k->part == PART_NONE)
		return samples__of(&j->samples, k->account, nr, total);
	if (k->segment != JOIN_AWAIT || k->part != PART_JOB_RUNNING ||
	    k->detail.kind != DETAIL_TASK)
		return NULL;
	/* As its own time: a job waits for nothing. */
	account = accounts__get(j->accounts, k->detail.id, NO_CHAIN, NO_BRANCH);
	if (account < 0) {
		join__note_err(j, (int)account);
		return NULL;
	}
	return samples__of(&j->samples, (uint32_t)account, nr, total);
}

/* ---- threads ---- */

static int by_thread(const void *a, const void *b)
{
	const struct join_sum *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_count(const void *a, const void *b)
{
	const struct join_sum *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Adds how many samples one thread has. */
static int add_thread(struct join *j, const struct hash_slot *slot, struct sampled *c)
{
	uint32_t tid = (uint32_t)slot->key;
	const char *name = trace_reader__thread_name(j->reader, tid);
	struct join_sum *sum = &c->threads[c->told.nr_threads];

	*sum = (struct join_sum){ .ns = slot->value };
	sum->name = name && *name ? frame_names__safe(j->names, name) :
				    frame_names__safef(j->names, "thread %u", tid);
	c->told.nr_threads++;
	return sum->name ? 0 : -ENOMEM;
}

static int make_threads(struct join *j, struct sampled *c)
{
	const struct hash_table *t = &j->samples.outside;
	size_t out = 0;
	int err = 0;

	c->threads = calloc(t->nr + 1, sizeof(*c->threads));
	if (!c->threads)
		return -ENOMEM;
	if (t->has_zero)
		err = add_thread(j, &t->zero, c);
	for (size_t i = 0; i < t->size && !err; i++)
		if (t->slots[i].key)
			err = add_thread(j, &t->slots[i], c);
	if (err)
		return err;
	qsort(c->threads, c->told.nr_threads, sizeof(*c->threads), by_thread);
	for (size_t i = 0; i < c->told.nr_threads; i++) {
		if (out && !strcmp(c->threads[out - 1].name, c->threads[i].name))
			c->threads[out - 1].ns += c->threads[i].ns;
		else
			c->threads[out++] = c->threads[i];
	}
	c->told.nr_threads = out;
	qsort(c->threads, out, sizeof(*c->threads), by_count);
	return others__sums(j->names, c->threads, &c->told.nr_threads);
}

static uint64_t lost_samples(const struct join *j)
{
	const char *cause;
	uint64_t total;

	for (size_t i = 0; trace_reader__loss(j->reader, i, &cause, &total); i++)
		if (!strcmp(cause, TRACE_LOSS_SAMPLES))
			return total;
	return 0;
}

int sampled__make(struct join *j)
{
	struct sampled *c = j->sampled = calloc(1, sizeof(*c));
	int err = c ? 0 : -ENOMEM;

	if (err)
		return err;
	c->told.hz = trace_reader__host(j->reader)->sample_hz;
	c->told.samples = j->samples.taken;
	c->told.outside = j->samples.nr_outside;
	c->told.lost = lost_samples(j);
	if (!c->told.samples)
		return 0;
	err = make_functions(j, c);
	if (!err)
		err = make_threads(j, c);
	c->told.unplaced = c->told.samples - c->told.outside - c->told.in_tasks - c->told.in_jobs;
	c->told.hot = c->hot;
	c->told.threads = c->threads;
	return err;
}

void sampled__free(struct sampled *c)
{
	if (!c)
		return;
	free(c->hot);
	free(c->threads);
	free(c);
}

const struct join_on_cpu *join__on_cpu(const struct join *j)
{
	return &j->sampled->told;
}
