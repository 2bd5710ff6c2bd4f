// SPDX-License-Identifier: GPL-2.0
/* The looks in a recording. See looks.h. */
#include "cli/looks.h"

#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/text_file.h"

/* How far apart two times are. */
static uint64_t between(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Reads the @i-th. 0, -ENOMEM; 1: it is damaged. */
static int read_one(struct look *l, const struct trace_reader *r, size_t i)
{
	const struct trace_host *host = trace_reader__host(r);
	struct look one = { .found = true };
	uint8_t *data;
	uint64_t ts;
	size_t len;
	int err = trace_reader__answer(r, i, &ts, &data, &len);

	if (err)
		return err == -ENOMEM ? err : 1;
	answer__init(&one.answer);
	err = answer__unpack(&one.answer, data, len);
	free(data);
	/* what is told is of its last picture */
	ts = one.answer.ts;
	one.at = ts > host->attach_ts ? ts - host->attach_ts : 0;
	if (err) {
		answer__free(&one.answer);
		return err == -ENOMEM ? err : 1;
	}
	look__free(l);
	*l = one;
	return 0;
}

int look__load(struct look *l, const struct trace_reader *r, const uint64_t *at)
{
	size_t nr = trace_reader__answers(r);
	struct look best = { .found = false };
	bool damaged = false;
	int err = 0;

	*l = best;
	for (size_t i = 0; i < nr && err >= 0; i++) {
		struct look one = { .found = false };

		err = read_one(&one, r, i);
		damaged |= err > 0;
		if (!one.found)
			continue;
		if (l->found && at && between(l->at, *at) <= between(one.at, *at)) {
			look__free(&one);
			continue;
		}
		look__free(l);
		*l = one;
	}
	if (damaged)
		l->why = "what `dwell why' found during the recording is damaged";
	return err < 0 ? err : 0;
}

void look__free(struct look *l)
{
	if (l->found)
		answer__free(&l->answer);
	*l = (struct look){ .found = false };
}

void look__text(const struct look *l, FILE *out)
{
	if (!l->found)
		return;
	fprintf(out, "A look at %.6f s: ", (double)l->at / 1e9);
	if (!l->answer.nr_findings) {
		fputs("nobody waits for what cannot come, as far as can be seen.\n\n", out);
		return;
	}
	fprintf(out, "%zu finding%s.\n\n", l->answer.nr_findings,
		l->answer.nr_findings == 1 ? "" : "s");
	answer__print_findings(&l->answer, out);
}

void look__text_tasks(const struct look *l, const char *pattern, FILE *out)
{
	struct text_file t;
	FILE *tasks = l->found ? text_file__open(&t) : NULL;
	size_t nr;
	char *text;

	if (!tasks)
		return;
	nr = answer__print_tasks(&l->answer, pattern, tasks);
	text = text_file__close(&t);
	if (nr && text)
		fprintf(out, "A look at %.6f s:\n\n%s", (double)l->at / 1e9, text);
	free(text);
}

int look__add_to_json(const struct look *l, struct json_t *all)
{
	json_t *own = l->found ? answer__to_json(&l->answer) : NULL;
	json_t *findings = json_object_get(own, "findings"), *finding;
	size_t i;

	if (!l->found)
		return 0;
	if (!own)
		return -ENOMEM;
	json_array_foreach(findings, i, finding)
		json_object_set_new(finding, "at_ns", json_integer((json_int_t)l->at));
	json_array_extend(findings, json_object_get(all, "findings"));
	json_object_set(all, "findings", findings);
	if (!json_array_size(json_object_get(all, "tasks")))
		json_object_set(all, "tasks", json_object_get(own, "tasks"));
	json_object_set(all, "resources", json_object_get(own, "resources"));
	json_object_set(all, "threads", json_object_get(own, "threads"));
	json_object_set(all, "runtime", json_object_get(own, "runtime"));
	json_object_set_new(all, "look_ns", json_integer((json_int_t)l->at));
	json_decref(own);
	return 0;
}
