/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runtime's side: polls of tasks, wakes, spawns, drops. Plain uprobes
 * only. A return probe would replace a return address on the target's stack
 * and abort it when a panic unwinds through; the end of a poll is a probe on
 * the first branch behind the runtime's call instead, and begin and end are
 * paired by the stack pointer.
 */
#include "off_cpu.bpf.h"
#include "recipe.bpf.h"

const volatile struct bpf_config config = {};
bool enabled = false;
__u64 enabled_ts = 0;
__u32 target_tgid = 0;

/*
 * A probe's cookie: index of the function or site (0-31), what to add to rsp
 * to get it at the function's entry (32-47, signed), register that holds the
 * task (48-55, enum image_reg), whether the task's state has to be looked at
 * (56: see walk_status.cancelled and not_new).
 */
static __always_inline __u32 cookie_index(__u64 cookie)
{
	return (__u32)cookie;
}

static __always_inline __s64 cookie_sp(__u64 cookie)
{
	return (__s16)(cookie >> 32);
}

/*
 * In assembly, or the compiler would merge the loads into one of a computed
 * address, which the verifier refuses.
 */
#define REG(regs, name)								\
	({									\
		__u64 v;							\
		asm volatile("%0 = *(u64 *)(%1 + %2)"				\
			     : "=r"(v)						\
			     : "r"(regs), "i"(__builtin_offsetof(struct pt_regs, name)));	\
		v;								\
	})

static __always_inline __u64 cookie_arg(__u64 cookie, struct pt_regs *regs)
{
	switch ((__u8)(cookie >> 48)) {
	case 0: return REG(regs, di);
	case 1: return REG(regs, si);
	case 2: return REG(regs, dx);
	case 3: return REG(regs, bx);
	case 4: return REG(regs, bp);
	case 5: return REG(regs, r12);
	case 6: return REG(regs, r13);
	case 7: return REG(regs, r14);
	case 8: return REG(regs, r15);
	case 9: return REG(regs, ax);
	case 10: return REG(regs, cx);
	case 11: return REG(regs, r8);
	case 12: return REG(regs, r9);
	}
	return 0;
}

static __always_inline bool cookie_looks(__u64 cookie)
{
	return cookie >> 56 & 1;
}

/*
 * The polls under way on a thread without those entered below @sp: the stack
 * grows down, so they have returned. The loop has a counter of its own because
 * Linux 6.12's verifier does not see that a bound of depth - 1 is one of depth.
 */
static __always_inline __u32 drop_returned(struct thread *t, __u64 sp)
{
	__u32 depth = t->depth;
	int i;

	for (i = 0; i < THREAD_MAX_POLLS; i++) {
		if (!depth || depth > THREAD_MAX_POLLS ||
		    t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)].sp >= sp)
			break;
		depth--;
		count_loss(LOSS_POLL_UNENDED);
	}
	return depth;
}

/*
 * Where polls return to is known of most, but not of all: the first ones say it, and
 * some more whenever an end was not seen.
 */
#define LOOKS	64

__u32 returns_wanted = LOOKS;

static __always_inline void tell_gone(struct thread *t, __u32 left, __u64 ts, __u32 tid)
{
	struct raw_hdr *ev = event_add(t, sizeof(*ev), ts, tid, RAW_POLLS_GONE);

	ev->nr = left;
	event_added(t, sizeof(*ev));
}

/* Of @t's polls only the outermost @depth go on: the others' ends were not seen. */
static __always_inline void polls_gone(struct thread *t, __u32 depth, __u64 ts, __u32 tid)
{
	tell_gone(t, depth, ts, tid);
	t->depth = depth;
	returns_wanted = LOOKS;
}

static __always_inline void tell_return(__u64 sp, __u64 ts, __u32 tid)
{
	struct raw_return *r;

	returns_wanted--;
	r = event_reserve(sizeof(*r), ts, tid, RAW_RETURN);
	if (!r)
		return;
	if (bpf_probe_read_user(&r->addr, 8, (void *)sp))
		r->addr = 0;
	event_submit(r);
}

/* If @header is being polled by this thread, its memory is not to be read at the poll's end. */
static __always_inline void mark_dropped(struct thread *t, __u64 header)
{
	int i;

	for (i = 0; i < THREAD_MAX_POLLS; i++)
		if (i < t->depth && t->polls[i].task == header)
			t->polls[i].dropped = 1;
}

static __always_inline void tell_task(struct thread *t, __u64 header, __u64 ts, __u32 tid,
				      __u8 type)
{
	struct raw_task *ev = event_add(t, sizeof(*ev), ts, tid, type);

	ev->task = header;
	event_added(t, sizeof(*ev));
}

/* Which of the bits that status->@mask names the task at @header, function @fn's, has. */
#define TASK_HAS(header, fn, mask)						\
	({									\
		__u32 index = (fn);						\
		struct walk_cell *cell = bpf_map_lookup_elem(&walk_cells, &index);	\
		__u64 state = 0;						\
										\
		cell && !walk_far((header) + cell->status.off, cell->status.width, &state) ? \
			state & cell->status.mask : 0;				\
	})

static __always_inline int on_poll_begin(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(regs);
	__u64 sp = regs->sp + cookie_sp(cookie);
	struct raw_poll_begin *ev;
	struct thread_poll *p;
	struct thread *t;
	__u64 ts, header;
	__u32 depth;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	ts = bpf_ktime_get_ns();
	t = thread_get(task);
	if (!t)
		return 0;
	thread_name(t, task, ts);
	on_cpu(t, task, ts);
	if (!load_bias_known) {
		__u32 fn = cookie_index(cookie);
		__u64 *site = bpf_map_lookup_elem(&poll_sites, &fn);

		if (site) {
			load_bias = regs->ip - *site;
			load_bias_known = true;
		}
	}

	/* One entered at the same place has returned as well. */
	depth = drop_returned(t, sp + 1);
	if (depth != t->depth)
		polls_gone(t, depth, ts, task->pid);
	if (returns_wanted)
		tell_return(sp, ts, task->pid);
	header = cookie_arg(cookie, regs);
	t->woken = 0;
	if (cookie_looks(cookie) && TASK_HAS(header, cookie_index(cookie), cancelled)) {
		tell_task(t, header, ts, task->pid, RAW_TASK_DROP);
		return 0;
	}
	if (depth >= THREAD_MAX_POLLS) {
		count_loss(LOSS_POLL_NESTED);
		return 0;
	}
	p = &t->polls[depth & (THREAD_MAX_POLLS - 1)];
	p->task = header;
	p->sp = sp;
	p->fn = cookie_index(cookie);
	p->dropped = 0;
	p->looks = cookie_looks(cookie);
	t->depth = depth + 1;

	ev = event_add(t, sizeof(*ev), ts, task->pid, RAW_POLL_BEGIN);
	ev->task = header;
	ev->fn = p->fn;
	event_added(t, sizeof(*ev));
	return 0;
}

/*
 * What has become of the task at @header, function @fn's, after a poll: whether
 * it is done, and if not, its chain and keys, in @w.
 */
static __always_inline __u8 poll_result(struct thread *t, struct walk_state *w, __u64 header,
					__u32 fn, __u64 ts, __u32 tid, __u32 *chain)
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
	if (walk_read(w, header + status->off, status->width, &state))
		return status->freed ? RAW_READY : RAW_UNKNOWN;
	if (state & (status->complete | status->freed))
		return RAW_READY;
	if (!(state & (status->running | status->notified)) &&
	    recipe_follow(t, w, cell->recipes, chain))
		return RAW_PENDING;
	walk_task(w, header, cell, state & status->running);
	/*
	 * An idle task cannot change under the walk: to be polled it must be
	 * woken and begun, two probes away. One that is queued already can:
	 * look again.
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

/* The polls that were under way when there were no probes are not known yet. */
bool polls_unknown = true;

static __always_inline int on_poll_end(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	/* The return has popped the return address: 8 above the entry's rsp. */
	__u64 sp = regs->sp + cookie_sp(bpf_get_attach_cookie(regs)) - 8;
	struct walk_state *w = NULL;
	struct raw_poll_end *ev;
	struct thread_poll *p;
	struct thread *t;
	__u32 depth, keys = 0, chain = 0;
	__u8 result;
	__u64 ts;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	t = polls_unknown ? thread_get(task) : bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t)
		return 0;
	if (polls_unknown && sp > t->ended_sp)
		t->ended_sp = sp;
	depth = drop_returned(t, sp);
	if (depth != t->depth)
		polls_gone(t, depth, bpf_ktime_get_ns(), task->pid);
	if (!depth && polls_unknown)	/* it began before the recording */
		tell_gone(t, RAW_POLLS_ANY, bpf_ktime_get_ns(), task->pid);
	if (!depth || depth > THREAD_MAX_POLLS)
		return 0;
	p = &t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)];
	if (p->sp != sp)
		return 0;	/* the branch was reached from elsewhere */
	ts = bpf_ktime_get_ns();
	on_cpu(t, task, ts);
	if (p->dropped) {
		/* Completed and freed within the poll: nothing there to read. */
		result = RAW_READY;
	} else {
		w = walk_get();
		if (w) {
			result = poll_result(t, w, p->task, p->fn, ts, task->pid, &chain);
		} else {
			result = RAW_UNKNOWN;
			count_loss(LOSS_WALK);
		}
	}
	ev = event_add(t, sizeof(*ev), ts, task->pid, RAW_POLL_END);
	ev->task = p->task;
	ev->chain = chain;
	ev->result = result;
	if (w) {
		keys = w->chain.nr_keys & (2 * WALK_MAX_KEYS - 1);
		if (keys > WALK_MAX_KEYS)
			keys = WALK_MAX_KEYS;
		ev->keys = w->chain.keys;
		walk_put(w);
	}
	ev->hdr.nr = keys;
	event_added(t, sizeof(*ev) - (WALK_MAX_KEYS - keys) * sizeof(ev->keys.value[0]));
	t->depth = depth - 1;
	return 0;
}

/* Whether the function that new tasks come by is called with one: see walk_status.not_new. */
static __always_inline bool is_new(struct thread *t, __u64 cookie, __u64 header)
{
	bool woken = t->woken == header;
	int i;

	if (!cookie_looks(cookie))
		return true;
	t->woken = 0;
	for (i = 0; i < THREAD_MAX_POLLS; i++)
		if (i < t->depth && t->polls[i].task == header)
			return false;
	return !woken && !TASK_HAS(header, cookie_index(cookie), not_new);
}

/*
 * In its last poll a task wakes who awaits it, who may free it before that poll returns,
 * and put another one in its place: its end has to be told before.
 */
static __always_inline void tell_completed(struct thread *t, __u64 ts, __u32 tid)
{
	struct thread_poll *p = &t->polls[(t->depth - 1) & (THREAD_MAX_POLLS - 1)];

	if (!t->depth || !p->looks || p->dropped || !TASK_HAS(p->task, p->fn, completed))
		return;
	p->dropped = 1;
	tell_task(t, p->task, ts, tid, RAW_TASK_DROP);
}

static __always_inline int task_event(struct pt_regs *regs, __u8 type)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(regs), header;
	struct thread *t;
	__u64 ts;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	ts = bpf_ktime_get_ns();
	t = thread_get(task);
	if (!t)
		return 0;
	header = cookie_arg(cookie, regs);
	on_cpu(t, task, ts);
	if (type == RAW_TASK_NEW && !is_new(t, cookie, header))
		return 0;
	if (type == RAW_TASK_DROP)
		mark_dropped(t, header);
	if (type == RAW_WAKE) {
		t->woken = header;
		tell_completed(t, ts, task->pid);
	}
	tell_task(t, header, ts, task->pid, type);
	return 0;
}

#define PROBE(name, call)				\
	SEC("uprobe.multi")				\
	int name(struct pt_regs *regs)			\
	{						\
		struct counters *c;			\
		__u64 begin = hit_begin(&c);		\
							\
		call;					\
		hit_end(c, begin);			\
		return 0;				\
	}

PROBE(poll_begin, on_poll_begin(regs))
PROBE(poll_end, on_poll_end(regs))
PROBE(task_wake, task_event(regs, RAW_WAKE))
PROBE(task_new, task_event(regs, RAW_TASK_NEW))
PROBE(task_drop, task_event(regs, RAW_TASK_DROP))
/* Completed or cancelled: for a recording as good as dropped. */
PROBE(task_end, task_event(regs, RAW_TASK_DROP))

/* What the recorder has found out about polls that began before it, by thread. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct raw_under_way);
} under_way SEC(".maps");

/*
 * Run by the recorder, over the target's threads: their polls that are under way
 * are put where those are that the probes see begin, so that their ends are seen. Not
 * those that have ended since the thread's stack was looked at, and not while it is
 * in another one inside of them. The recorder gets the ids of the threads and how
 * many of their polls, from the outermost, were put.
 */
SEC("iter/task")
int seed_polls(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct raw_seeded seeded = {};
	struct raw_under_way *w;
	struct thread *t;
	__u32 tid;
	int i;

	if (!task || task->tgid != target_tgid)
		return 0;
	tid = task->pid;
	w = bpf_map_lookup_elem(&under_way, &tid);
	t = w ? thread_get(task) : NULL;
	if (!t)
		return 0;
	seeded.tid = tid;
	/* the outermost comes first, and no poll outlives it */
	if (w->polls[0].sp <= t->ended_sp)
		goto out;
	if (t->depth)
		return 0;
	for (i = 0; i < RAW_UNDER_WAY; i++) {
		if (i >= w->nr || w->polls[i].sp <= t->ended_sp)
			break;
		t->polls[i].task = w->polls[i].task;
		t->polls[i].sp = w->polls[i].sp;
		t->polls[i].fn = w->polls[i].fn;
		t->polls[i].dropped = 0;
		t->polls[i].looks = 0;
	}
	t->depth = i;
	seeded.nr = i;
out:
	bpf_map_delete_elem(&under_way, &tid);
	bpf_seq_write(ctx->meta->seq, &seeded, sizeof(seeded));
	return 0;
}

/* Run by the recorder at the end: what threads have not put into a ring. */
SEC("iter/task")
int thread_batches(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread *t;
	__u32 len;

	if (!task || task->tgid != target_tgid)
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !t->batch_len || t->batch_len > BATCH_BYTES)
		return 0;
	len = t->batch_len;
	bpf_seq_write(ctx->meta->seq, &len, sizeof(len));
	bpf_seq_write(ctx->meta->seq, &t->batch_nr, sizeof(t->batch_nr));
	bpf_seq_write(ctx->meta->seq, t->batch, BATCH_BYTES);
	return 0;
}

/* The same sites with nothing to do: what the probes cost by themselves. */
SEC("?uprobe.multi")
int empty(struct pt_regs *regs)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
