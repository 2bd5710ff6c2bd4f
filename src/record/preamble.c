/* SPDX-License-Identifier: GPL-2.0 */
/* What a recording contains before its first event. See preamble.h. */
#include "record/preamble.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"

/* Does a probe see the spawn of a task of @fn? A job is seen by its only poll. */
static bool sees_spawns(const struct image *img, const struct image_fn *fns, size_t nr,
			const struct image_fn *fn)
{
	for (size_t i = 0; i < nr; i++) {
		const char *scheduler = image__str(img, fns[i].scheduler);

		/* a function without a scheduler's name serves all schedulers */
		if (fns[i].role == RUNTIME_FN_NEW && fns[i].runtime == fn->runtime &&
		    (!*scheduler || !strcmp(scheduler, image__str(img, fn->scheduler))))
			return true;
	}
	return fn->blocking;
}

/* Copies of one poll function, and copies for schedulers with equal names, are one kind. */
static int write_kinds(struct trace_writer *w, const struct image *img, uint32_t *kinds)
{
	struct trace_task_kind k = {};
	const struct image_fn *fns;
	size_t i, j, nr;
	int err;

	fns = image__fns(img, &nr);
	for (i = 0; i < nr; i++) {
		if (fns[i].role != RUNTIME_FN_POLL && fns[i].role != RUNTIME_FN_ROOT)
			continue;
		for (j = 0; j < i; j++)
			if (fns[j].role == fns[i].role &&
			    fns[j].task_long == fns[i].task_long &&
			    fns[j].scheduler == fns[i].scheduler)
				break;
		if (j < i) {
			kinds[i] = kinds[j];
			continue;
		}
		kinds[i] = i + 1;
		k.id = i + 1;
		k.name = image__str(img, fns[i].task);
		k.name_long = image__str(img, fns[i].task_long);
		k.scheduler = image__str(img, fns[i].scheduler);
		k.blocking = fns[i].blocking;
		k.root = fns[i].role == RUNTIME_FN_ROOT;
		k.boxed = fns[i].boxed;
		k.unseen_spawns = !k.root && !sees_spawns(img, fns, nr, &fns[i]);
		err = trace_writer__task_kind(w, &k);
		if (err)
			return err;
	}
	return 0;
}

const char *preamble__tier(const struct image *img)
{
	static const char *const names[] = { "none", "stripped", "symbols", "full" };

	return names[image__tier(img)];
}

static int write_notes(struct trace_writer *w, const char *const *notes, size_t nr)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++)
		err = trace_writer__note(w, notes[i]);
	return err;
}

int preamble__write(const struct trace_sink *sink, const struct image *img,
		    const struct process *target, const struct attach *attach, uint64_t attach_ts,
		    uint32_t sample_hz, struct trace_writer **out, uint32_t **kinds)
{
	char hostname[256] = "", runtime[256], others[256];
	struct utsname uts;
	const char *const *notes;
	struct trace_host host = {
		.hostname = hostname,
		.kernel = uts.release,
		.machine = uts.machine,
		.comm = target->comm,
		.exe = target->exe_name,
		.build_id = image__build_id(img),
		.tier = preamble__tier(img),
		.tier_hint = image__tier_hint(img),
		.runtime = runtime,
		.other_runtimes = others,
		.pid = (uint32_t)target->pid,
		.nr_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
		.attach_ts = attach_ts,
		.sample_hz = sample_hz,
	};
	size_t nr;
	int err;

	image__runtime_names(img, true, runtime, sizeof(runtime));
	image__runtime_names(img, false, others, sizeof(others));
	uname(&uts);
	gethostname(hostname, sizeof(hostname) - 1);
	host.realtime_ns = clock__ns(CLOCK_REALTIME) - (clock__now() - attach_ts);
	image__fns(img, &nr);
	*kinds = calloc(nr + 1, sizeof(**kinds));
	if (!*kinds)
		return -ENOMEM;
	err = trace_writer__new_on(sink, &host, out);
	if (!err)
		err = write_kinds(*out, img, *kinds);
	notes = attach__notes(attach, &nr);
	if (!err)
		err = write_notes(*out, notes, nr);
	notes = image__notes(img, &nr);
	return err ? err : write_notes(*out, notes, nr);
}
