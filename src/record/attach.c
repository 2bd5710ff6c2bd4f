/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF side: from the image model to probes in place. Only uprobe_multi links are
 * used, because perf-event uprobes take a tenth of a second each to detach. No return
 * probes, because a panic that unwinds through one aborts the target.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/say.h"
#include "dwell.skel.h"
#include "kernel-events/process.h"
#include "kernel-events/source.h"
#include "record/attach.h"
#include "record/calibrate.h"
#include "record/code.h"
#include "record/keeper.h"
#include "inspect/rights.h"
#include "record/rings.h"
#include "record/tables.h"

#define RINGS_TOTAL	(64u << 20)	/* bytes for all CPUs together */
#define MAX_RETURNS	256	/* places that poll functions return to */
#define LEARNT_SITES	32	/* probes for one return address learnt at run time */
#define DETACH_LOOKS	400	/* for two seconds in total */

struct attach {
	struct dwell_bpf	*skel;
	const struct image	*img;
	const struct process	*target;
	/* holds all uprobes; NULL: they have been taken off */
	struct keeper		*keeper;
	struct calibration	*calibration;	/* under way */
	bool			 by_thread;	/* see links_go_by_thread() */
	size_t			 breakpoints;	/* in the target's code before our probes */
	uint64_t		 returns[MAX_RETURNS];	/* link-time addresses that have a probe */
	size_t			 nr_returns;
	size_t			 nr_sites;
	size_t			 nr_far;	/* places in frames that are too large */
	char			 far_note[128];
	size_t			 nr_unprobed;	/* learnt places that could not be probed */
	int			 unprobed_err;	/* why the last of them could not */
	uint64_t		 loss[LOSS_NR];	/* counted in user space */
	struct rings		*rings;
	struct source_types	 types;
	int			(*each)(void *ctx, const struct raw_hdr *raw);
	void			*each_ctx;
	int			 each_err;
	const char		*notes[ATTACH_MAX_NOTES];
	size_t			 nr_notes;
	char			 why[512];
};

static bool verbose;

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!verbose || level == LIBBPF_DEBUG)
		return 0;
	say__lines(format, args);
	return 0;
}

/* The size of event @raw if it may be in a batch, else 0. */
static unsigned int size_in_batch(const struct attach *a, const struct raw_hdr *raw)
{
	if (raw->type < RAW_TYPE_NR && a->types.source[raw->type])
		return a->types.batched[raw->type];
	return raw_size(raw);
}

/* Handles a record, which is one event or a batch of events. */
static int handle(void *ctx, void *data, size_t size)
{
	struct attach *a = ctx;
	size_t at = 0;

	while (at + sizeof(struct raw_hdr) <= size) {
		const struct raw_hdr *raw = (const void *)((const char *)data + at);
		unsigned int len = size_in_batch(a, raw);

		if (len && at + len > size)
			break;
		a->each_err = a->each(a->each_ctx, raw);
		if (a->each_err < 0)
			return a->each_err;
		if (!len)
			break;
		at += len;
	}
	return 0;
}

static int handle_batch(void *arg, const void *record)
{
	const struct raw_batch *b = record;

	return handle(arg, (void *)(uintptr_t)b->events,
		      b->len < BATCH_BYTES ? b->len : BATCH_BYTES);
}

static void note(struct attach *a, const char *text)
{
	if (a->nr_notes < ATTACH_MAX_NOTES)
		a->notes[a->nr_notes++] = text;
}

static int size_maps(struct attach *a, const struct attach_opts *opts)
{
	struct dwell_bpf *skel = a->skel;
	unsigned int cpus = libbpf_num_possible_cpus();
	size_t bytes = opts->ring_bytes;

	tables__size(skel, a->img);
	if (!bytes)
		for (bytes = 4u << 20; bytes > (256u << 10) && bytes * cpus > RINGS_TOTAL;)
			bytes /= 2;
	bpf_map__set_max_entries(skel->maps.user_stack_bufs, 2 * cpus);
	skel->rodata->config.nr_rings = cpus;
	skel->rodata->config.hide_switches = opts->hide_switches;
	skel->rodata->config.cpu_limit = opts->cpu_limit;
	return rings__new(cpus, bytes, skel->maps.rings, &a->rings);
}

static uint64_t cookie(uint32_t index, const struct image_site *site, enum probe_kind kind)
{
	return index | (uint64_t)(uint16_t)site->sp_adjust << 32 | (uint64_t)site->arg_reg << 48 |
	       (uint64_t)kind << PROBE_KIND_SHIFT;
}

/* Cookies have 16 bits for what is between rsp at the site and rsp at the entry. */
static bool has_cookie(struct attach *a, const struct image_site *site)
{
	bool fits = site->sp_adjust == (int16_t)site->sp_adjust;

	a->nr_far += !fits;
	return fits;
}

/* Must the probe of @fn read the task's state word? */
static bool looks(const struct attach *a, const struct image_fn *fn)
{
	struct walk_status s = image__status(a->img, fn->runtime);

	return (fn->role == RUNTIME_FN_POLL && s.cancelled) ||
	       (fn->role == RUNTIME_FN_NEW && s.not_new);
}

/*
 * Linux 6.6 to 6.9 (except later stable releases) take a link's pid for that of a
 * single thread, so the probes would ignore all other threads. There, links are made
 * for all processes, and the programs check the process themselves. A fixed kernel
 * rejects a pid below 0 before it looks at the path.
 */
static bool links_go_by_thread(const struct bpf_program *prog)
{
	unsigned long offset = 0;
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .uprobe_multi = {
			    .path = "/",
			    .offsets = &offset,
			    .cnt = 1,
			    .pid = UINT32_MAX,
		    });
	int link = bpf_link_create(bpf_program__fd(prog), 0, BPF_TRACE_UPROBE_MULTI, &opts);

	if (link >= 0)
		close(link);
	return link != -EINVAL;
}

/* Returns @out with the load bias in it; NULL while it is not known. */
static const uint64_t *load_bias(const struct attach *a, uint64_t *out)
{
	*out = a->skel->bss->load_bias;
	return a->skel->bss->load_bias_known ? out : NULL;
}

/* Places of probes, with their cookies. */
struct sites {
	uint64_t	*offsets, *cookies;
	size_t		 nr, cap_offsets, cap_cookies;
};

static void sites__clear(struct sites *s)
{
	free(s->offsets);
	free(s->cookies);
	*s = (struct sites){ 0 };
}

static int sites__add(struct sites *s, uint64_t offset, uint64_t cookie)
{
	if (array__room(&s->offsets, &s->cap_offsets, s->nr, sizeof(*s->offsets)) ||
	    array__room(&s->cookies, &s->cap_cookies, s->nr, sizeof(*s->cookies)))
		return -ENOMEM;
	s->offsets[s->nr] = offset;
	s->cookies[s->nr++] = cookie;
	return 0;
}

/* Puts probes at @s, which is empty afterwards. */
static int attach_sites(struct attach *a, struct bpf_program *prog, struct sites *s)
{
	int err = 0;

	if (s->nr)
		err = keeper__attach(a->keeper, bpf_program__fd(prog), a->target->exe_fd,
				     a->by_thread ? 0 : a->target->pid, s->offsets, s->cookies,
				     s->nr);
	if (!err)
		a->nr_sites += s->nr;
	sites__clear(s);
	return err;
}

static int add_role(struct attach *a, struct sites *s, enum runtime_fn_role role,
		    enum probe_kind kind)
{
	const struct image_fn *fns;
	size_t nr, first = s->nr;
	bool begin = kind == PROBE_POLL_BEGIN;
	int err = 0;

	fns = image__fns(a->img, &nr);
	for (size_t i = 0; i < nr && !err; i++) {
		size_t k = first;

		if (fns[i].role != role || !has_cookie(a, &fns[i].site))
			continue;
		/* Two names of one function (folded code) share one site. */
		while (k < s->nr && s->offsets[k] != fns[i].site.file_off)
			k++;
		if (k == s->nr)
			err = sites__add(s, fns[i].site.file_off,
					 cookie(i, &fns[i].site, begin && fns[i].blocking ?
									 PROBE_JOB_BEGIN : kind) |
						 (uint64_t)looks(a, &fns[i]) << 56);
	}
	return err;
}

/* Adds @ret to the known ones. False: it is known, or there is no room. */
static bool remember_return(struct attach *a, uint64_t ret)
{
	for (size_t i = 0; i < a->nr_returns; i++)
		if (a->returns[i] == ret)
			return false;
	if (a->nr_returns == MAX_RETURNS)
		return false;
	a->returns[a->nr_returns++] = ret;
	return true;
}

/* Adds the @nr sites @r; equal sites get one probe. */
static int add_return_sites(struct attach *a, struct sites *s, const struct image_return *r,
			    size_t nr)
{
	size_t first = s->nr;
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		uint64_t c = cookie(0, &r[i].site, PROBE_POLL_END);
		size_t k = first;

		if (!has_cookie(a, &r[i].site))
			continue;
		while (k < s->nr && (s->offsets[k] != r[i].site.file_off || s->cookies[k] != c))
			k++;
		if (k == s->nr)
			err = sites__add(s, r[i].site.file_off, c);
	}
	return err;
}

static int add_returns(struct attach *a, struct sites *s)
{
	const struct image_return *r;
	size_t nr;

	r = image__returns(a->img, &nr);
	for (size_t i = 0; i < nr; i++)
		remember_return(a, r[i].ret);
	return add_return_sites(a, s, r, nr);
}

void attach__add_return(struct attach *a, uint64_t addr)
{
	struct image_return r[LEARNT_SITES];
	struct sites sites = { 0 };
	const char *why;
	uint64_t bias;
	size_t nr;
	int err;

	addr -= a->skel->bss->load_bias;
	if (!a->keeper || !remember_return(a, addr))
		return;
	nr = image__return_sites(a->img, addr, r, LEARNT_SITES);
	for (size_t i = 0; i < nr; i++)
		if (code__check(a->target, &r[i].site, load_bias(a, &bias), &why))
			return;
	err = add_return_sites(a, &sites, r, nr);
	if (!err)
		err = attach_sites(a, a->skel->progs.probe, &sites);
	sites__clear(&sites);
	/* If the target or the keeper is gone, the recorder will notice it. */
	if (!err || err == -ESRCH || err == -EPIPE)
		return;
	a->nr_unprobed++;
	a->unprobed_err = err;
}

void attach__forget_keeper(struct attach *a)
{
	a->keeper = NULL;
}

const char *attach__unprobed(struct attach *a)
{
	if (!a->nr_unprobed)
		return NULL;
	snprintf(a->why, sizeof(a->why),
		 "%zu place%s to which polls return could not be probed (%s): their ends are "
		 "missing", a->nr_unprobed, a->nr_unprobed == 1 ? "" : "s",
		 strerror(-a->unprobed_err));
	return a->why;
}

bool attach__load_bias(const struct attach *a, uint64_t *bias)
{
	return load_bias(a, bias);
}

static void set_load_bias(struct attach *a, uint64_t bias)
{
	a->skel->bss->load_bias = bias;
	a->skel->bss->load_bias_known = true;
}

/* Adds the places where the code of roots does @what. */
static int add_roots(struct attach *a, struct sites *s, enum image_root_what what,
		     enum probe_kind kind)
{
	const struct image_root_site *roots;
	size_t nr;
	int err = 0;

	roots = image__root_sites(a->img, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		if (roots[i].what == what && has_cookie(a, &roots[i].site))
			err = sites__add(s, roots[i].site.file_off,
					 cookie(i, &roots[i].site, kind));
	return err;
}

static int add_ends(struct attach *a, struct sites *s, bool empty)
{
	size_t nr_roots;
	int err = add_returns(a, s);

	image__root_sites(a->img, &nr_roots);
	if (!err)
		err = add_role(a, s, RUNTIME_FN_WAKE, PROBE_WAKE);
	if (!err && !empty)
		err = add_role(a, s, RUNTIME_FN_DROP, PROBE_DROP);
	if (!err && !empty)
		err = add_role(a, s, RUNTIME_FN_END, PROBE_DROP);
	if (!err && !empty)
		err = add_role(a, s, RUNTIME_FN_NEW, PROBE_NEW);
	if (!err && !empty)
		err = add_role(a, s, RUNTIME_FN_JOB, PROBE_JOB);
	if (err || !nr_roots)
		return err;
	err = add_roots(a, s, IMAGE_ROOT_GONE, PROBE_ROOT_GONE);
	if (!err)
		err = add_roots(a, s, IMAGE_ROOT_PARK, PROBE_ROOT_CALLS);
	if (!err)
		err = add_role(a, s, RUNTIME_FN_PARK, PROBE_ROOT_PARK);
	if (!err)
		err = add_role(a, s, RUNTIME_FN_ROOT_WAKE, PROBE_ROOT_WAKE);
	if (!err)
		err = add_role(a, s, RUNTIME_FN_ROOT_CLONE, PROBE_ROOT_CLONE);
	return err;
}

static int attach_uprobes(struct attach *a, bool empty)
{
	struct bpf_program *prog = empty ? a->skel->progs.empty : a->skel->progs.probe;
	struct sites sites = { 0 };
	int err = add_ends(a, &sites, empty);

	/*
	 * Ends before begins: a begin without an end counts as a loss, an end without a
	 * begin is ignored.
	 */
	if (!err)
		err = attach_sites(a, prog, &sites);
	if (!err)
		err = add_roots(a, &sites, IMAGE_ROOT_BEGIN, PROBE_ROOT_BEGIN);
	if (!err)
		err = add_role(a, &sites, RUNTIME_FN_POLL, PROBE_POLL_BEGIN);
	if (!err)
		err = attach_sites(a, prog, &sites);
	sites__clear(&sites);
	if (a->nr_far) {
		snprintf(a->far_note, sizeof(a->far_note),
			 "%zu places in functions with frames of 32 kB and more are not probed",
			 a->nr_far);
		note(a, a->far_note);
	}
	return err;
}

/* Iterators are not attached with the tracepoints, but run on demand. */
static void keep_iterators(struct dwell_bpf *skel)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, skel->obj)
		if (bpf_program__expected_attach_type(p) == BPF_TRACE_ITER)
			bpf_program__set_autoattach(p, false);
}

/* Leaves out the programs of kernel sources that tell nothing of this program. */
static void choose_programs(struct attach *a)
{
	const struct kernel_source *const *s;
	const struct walk_leaf *leaves;
	struct source_wants wants = {};
	size_t nr;

	leaves = image__walk_leaves(a->img, &nr);
	for (size_t i = 0; i < nr; i++)
		wants.operations |= leaves[i].key == WALK_KEY_OPERATION;
	for (s = kernel_sources; *s; s++)
		if ((*s)->choose)
			(*s)->choose(a->skel, &wants);
}

static int attach_sources(struct attach *a)
{
	const struct kernel_source *const *s;
	const char *text;
	int err;

	for (s = kernel_sources; *s; s++) {
		if (!(*s)->attach)
			continue;
		text = NULL;
		err = (*s)->attach(a->skel, &text);
		if (text)
			note(a, text);
		if (err)
			return err;
	}
	return dwell_bpf__attach(a->skel);
}

/*
 * What this kernel lacks, as a message; NULL: nothing. Looked at when something has failed,
 * because it takes as long as anything else at attach to read the kernel's types.
 */
static const char *lacking(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool multi;

	if (!kernel)
		return "this kernel has no BTF (/sys/kernel/btf/vmlinux): it must be built with "
		       "CONFIG_DEBUG_INFO_BTF";
	multi = btf__find_by_name_kind(kernel, "bpf_uprobe_multi_link", BTF_KIND_STRUCT) > 0;
	btf__free(kernel);
	return multi ? NULL : "this kernel has no uprobe_multi links: dwell needs Linux 6.6 or later";
}

/* In this lockdown mode the kernel lets no BPF program read its memory, whatever the rights. */
static bool locked_down(void)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char text[128] = "";

	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return strstr(text, "[confidentiality]");
}

static int explain(struct attach *a, int err, const char *what, const char **why)
{
	const char *lack = lacking();
	char rights[256];

	*why = a->why;
	if (lack) {
		*why = lack;
		return -ENOTSUP;
	}
	if (locked_down())
		snprintf(a->why, sizeof(a->why),
			 "%s: this kernel is locked down (/sys/kernel/security/lockdown: "
			 "confidentiality): no BPF program may read its memory",
			 what);
	else if ((err == -EPERM || err == -EACCES || err == -EINVAL) &&
		 *rights__missing(false, rights, sizeof(rights)))
		/* A program that may not call some function is "invalid". */
		snprintf(a->why, sizeof(a->why), "%s: %s", what, rights);
	else if (err == -EPERM || err == -EACCES)
		/* A program that the verifier rejects also gives "permission denied". */
		snprintf(a->why, sizeof(a->why),
			 "%s: refused, though dwell has the rights for it: a security module may "
			 "forbid it, or this kernel refuses a program (-v shows what it says)",
			 what);
	else if (err == -EPIPE)
		snprintf(a->why, sizeof(a->why), "%s: the process that holds the probes is gone",
			 what);
	else
		snprintf(a->why, sizeof(a->why), "%s: %s (-v shows what the kernel says)", what,
			 strerror(-err));
	return err;
}

/* ---- the target ---- */

/* Nothing is probed unless the code at every site equals the model's. */
static int check_code(struct attach *a, const char **why)
{
	uint64_t at;
	const uint64_t *bias = load_bias(a, &at);
	int err = code__check_all(a->target, a->img, bias, why);

	if (!err && bias)
		a->breakpoints = code__breakpoints(a->target, a->img, *bias);
	return err;
}

static int one_process(void *arg, const void *record)
{
	const struct raw_process *p = record;

	*(uint32_t *)arg = p->tgid;
	return 0;
}

/*
 * Finds the target's process id in the first pid namespace, which tracepoints use.
 * dwell may run in another namespace; the kernel's task iterator knows both ids.
 */
static int find_tgid(struct attach *a)
{
	uint32_t tgid = 0;
	int err;

	err = source_iterate(a->skel->progs.target_process, a->target->pid,
			     sizeof(struct raw_process), one_process, &tgid);
	if (err)
		return err;
	if (!tgid)
		return -ESRCH;
	a->skel->bss->target_tgid = tgid;
	return 0;
}

/* ---- life ---- */

int attach__new(const struct image *img, const struct process *target, const uint64_t *bias,
		struct keeper *keeper, const struct attach_opts *opts, struct attach **out,
		const char **why)
{
	static char no_memory[] = "out of memory";
	struct attach *a;
	size_t nr;
	int err;

	*out = NULL;
	*why = no_memory;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*out = a;
	source_types__fill(&a->types);
	a->img = img;
	a->target = target;
	a->keeper = keeper;
	verbose = opts->verbose;
	libbpf_set_print(print);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);

	a->skel = dwell_bpf__open();
	if (!a->skel)
		return explain(a, -errno, "opening the BPF programs", why);
	image__walk_types(img, &nr);
	if (nr && !tables__io_wakers(a->skel, a->img))
		note(a, "layout of the reactor's objects not known: waits of hand-written futures "
			"have no descriptor");
	tables__jobs(a->skel, a->img);
	bpf_program__set_autoload(a->skel->progs.empty, true);
	keep_iterators(a->skel);
	choose_programs(a);
	err = size_maps(a, opts);
	if (err)
		return explain(a, err, "preparing the BPF programs", why);
	err = dwell_bpf__load(a->skel);
	if (err)
		return explain(a, err, "loading the BPF programs", why);
	err = tables__fill(a->skel, a->img);
	if (!err)
		err = rings__wait(a->rings, handle, a);
	if (err)
		return explain(a, err, "filling the BPF maps", why);
	err = find_tgid(a);
	if (err)
		return explain(a, err, "finding the process in the kernel", why);
	if (bias)
		set_load_bias(a, *bias);
	err = check_code(a, why);
	if (err)
		return err;
	if (!opts->empty) {
		err = attach_sources(a);
		if (err)
			return explain(a, err, "attaching to the kernel's tracepoints", why);
	}
	a->by_thread = links_go_by_thread(a->skel->progs.empty);
	if (a->by_thread)
		note(a, "this kernel cannot confine probes to a process: others that ran the same "
			"file hit them too, and their hits are in the cost");
	err = attach_uprobes(a, opts->empty);
	if (err)
		return explain(a, err, "attaching the uprobes", why);
	return 0;
}

uint64_t attach__enable(struct attach *a)
{
	uint64_t ts = clock__now();

	a->skel->bss->enabled_ts = ts;
	__atomic_store_n(&a->skel->bss->enabled, true, __ATOMIC_RELEASE);
	a->calibration = calibrate__start(a->skel->progs.empty, a->by_thread);
	return ts;
}

uint64_t attach__disable(struct attach *a)
{
	static const struct timespec grace = { .tv_nsec = 2000000 };
	uint64_t ts;

	a->skel->bss->enabled = false;
	ts = clock__now();
	/* let programs that are running finish */
	nanosleep(&grace, NULL);
	return ts;
}

struct dwell_bpf *attach__skel(struct attach *a)
{
	return a->skel;
}

const char *const *attach__notes(const struct attach *a, size_t *nr)
{
	*nr = a->nr_notes;
	return a->notes;
}

size_t attach__sites(const struct attach *a)
{
	return a->nr_sites;
}

unsigned int attach__fill(const struct attach *a)
{
	return rings__fill(a->rings);
}

int attach__drain(struct attach *a, int (*each)(void *ctx, const struct raw_hdr *raw), void *ctx)
{
	int n;

	a->each = each;
	a->each_ctx = ctx;
	a->each_err = 0;
	n = ring_buffer__consume(rings__buffer(a->rings));
	return a->each_err < 0 ? a->each_err : n;
}

int attach__drain_threads(struct attach *a, int (*each)(void *ctx, const struct raw_hdr *raw),
			  void *ctx)
{
	int err;

	a->each = each;
	a->each_ctx = ctx;
	a->each_err = 0;
	err = source_iterate(a->skel->progs.thread_batches, 0, sizeof(struct raw_batch),
			     handle_batch, a);
	return a->each_err < 0 ? a->each_err : err;
}

void attach__free_rings(struct attach *a)
{
	rings__free(a->rings);
	a->rings = NULL;
}

void attach__counters(struct attach *a, struct counters *sum)
{
	unsigned int cpus = libbpf_num_possible_cpus(), i, j;
	struct counters *per_cpu = calloc(cpus, sizeof(*per_cpu));
	uint32_t zero = 0;

	memset(sum, 0, sizeof(*sum));
	if (!per_cpu)
		return;
	if (!bpf_map_lookup_elem(bpf_map__fd(a->skel->maps.counters), &zero, per_cpu)) {
		for (i = 0; i < cpus; i++) {
			for (j = 0; j < LOSS_NR; j++)
				sum->loss[j] += per_cpu[i].loss[j];
			sum->hits += per_cpu[i].hits;
			sum->timed += per_cpu[i].timed;
			sum->timed_ns += per_cpu[i].timed_ns;
		}
	}
	free(per_cpu);
	for (j = 0; j < LOSS_NR; j++)
		sum->loss[j] += a->loss[j];
}

void attach__count_loss(struct attach *a, unsigned int loss)
{
	a->loss[loss]++;
}

uint64_t attach__probe_cost(struct attach *a, const struct counters *c, uint64_t *cpu_ns)
{
	uint64_t each = calibrate__finish(a->calibration, cpu_ns);

	a->calibration = NULL;
	if (c->timed)
		each += c->timed_ns / c->timed;
	return c->hits * each;
}

size_t attach__left_behind(struct attach *a)
{
	static const struct timespec look = { .tv_nsec = 5000000 };
	size_t left = 0;
	uint64_t at;
	const uint64_t *bias = a->skel ? load_bias(a, &at) : NULL;

	for (int i = 0; bias && a->nr_sites && i < DETACH_LOOKS; i++) {
		left = code__breakpoints(a->target, a->img, *bias);
		if (left <= a->breakpoints)
			return 0;
		nanosleep(&look, NULL);
	}
	return left;
}

void attach__free(struct attach *a)
{
	if (!a)
		return;
	calibrate__finish(a->calibration, NULL);
	rings__free(a->rings);
	dwell_bpf__destroy(a->skel);
	free(a);
}
