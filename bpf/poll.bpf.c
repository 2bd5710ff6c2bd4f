/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runtime's probes: polls of tasks, wakes, spawns, drops. Only plain uprobes are
 * used. A return probe would replace a return address on the target's stack, and a
 * panic that unwinds through it would abort the target. The end of a poll is instead a
 * probe on the first branch behind the runtime's call of the poll function; begin and
 * end are paired by the stack pointer.
 */
#include "cookie.bpf.h"
#include "job.bpf.h"
#include "off_cpu.bpf.h"
#include "recipe.bpf.h"
#include "result.bpf.h"

const volatile struct bpf_config config = {};
bool enabled = false;
__u64 enabled_ts = 0;
__u32 target_tgid = 0;

/*
 * The number of polls on the thread, without those whose frame lies below @sp: the
 * stack grows down, so they have returned. The loop has its own counter because Linux
 * 6.12's verifier does not derive the bound of depth - 1 from that of depth.
 */
__noinline int drop_returned(struct thread *t, __u64 sp)
{
	__u32 depth;
	int i;

	if (!t)
		return 0;
	depth = t->depth;
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
 * Return addresses of polls are sent to the recorder to check that each has a probe:
 * those of the first LOOKS polls, and again of LOOKS polls whenever an end was missed.
 */
#define LOOKS	64

__u32 returns_wanted = LOOKS;

static __always_inline void tell_gone(struct thread *t, __u32 left, __u64 ts, __u32 tid)
{
	struct raw_hdr *ev = event_add(t, sizeof(*ev), ts, tid, RAW_POLLS_GONE);

	ev->nr = left;
	event_added(t, sizeof(*ev));
}

/* Only the outermost @depth polls of @t still go on; the ends of the others were missed. */
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

/* If this thread polls the task at @header, its memory must not be read when the poll ends. */
__noinline int mark_dropped(struct thread *t, __u64 header)
{
	int i;

	if (!t)
		return 0;
	for (i = 0; i < THREAD_MAX_POLLS; i++)
		if (i < t->depth && t->polls[i].task == header)
			t->polls[i].dropped = 1;
	return 0;
}

static __always_inline void tell_task(struct thread *t, __u64 header, __u64 ts, __u32 tid,
				      __u8 type)
{
	struct raw_task *ev = event_add(t, sizeof(*ev), ts, tid, type);

	ev->task = header;
	event_added(t, sizeof(*ev));
}

/* The bits of status->@mask that are set in the task at @header, whose poll function is @fn. */
#define TASK_HAS(header, fn, mask)						\
	({									\
		__u32 index = (fn);						\
		struct walk_cell *cell = bpf_map_lookup_elem(&walk_cells, &index);	\
		__u64 state = 0;						\
										\
		cell && !walk_far((header) + cell->status.off, cell->status.width, &state) ? \
			state & cell->status.mask : 0;				\
	})

static __always_inline void learn_bias(__u64 ip, __u64 vaddr)
{
	load_bias = ip - vaddr;
	load_bias_known = true;
}

/* A poll of @task begins inside @depth others. */
static __always_inline void poll_push(struct thread *t, __u32 depth, __u64 task, __u64 sp,
				      __u32 fn, enum thread_poll_root root, bool looks,
				      __u64 ts, __u32 tid)
{
	struct raw_poll_begin *ev;
	struct thread_poll *p;

	if (depth >= THREAD_MAX_POLLS) {
		count_loss(LOSS_POLL_NESTED);
		return;
	}
	p = &t->polls[depth & (THREAD_MAX_POLLS - 1)];
	p->task = task;
	p->sp = sp;
	p->fn = fn;
	p->dropped = 0;
	p->looks = looks;
	p->root = root;
	p->again = root && t->pending[depth & (THREAD_MAX_POLLS - 1)].root == task;
	/*
	 * A new poll: a root in this frame is no longer Pending, and nothing blocks
	 * inside yet.
	 */
	if (root)
		t->pending[depth & (THREAD_MAX_POLLS - 1)].root = 0;
	t->depth = depth + 1;
	t->pending[(depth + 1) & (THREAD_MAX_POLLS - 1)].root = 0;

	ev = event_add(t, sizeof(*ev), ts, tid, RAW_POLL_BEGIN);
	ev->task = task;
	ev->fn = fn;
	event_added(t, sizeof(*ev));
}

/* Polls that began before the probes were in place have not been set up yet: see seed_polls. */
bool polls_unknown = true;

int poll_pop(struct thread *t, __u8 said, __u64 ts, __u32 tid);

/* Is the innermost poll that of a root whose frame is at @sp? If so, its poll has ended. */
static __always_inline bool is_root_at(const struct thread *t, __u64 sp)
{
	__u32 depth = t->depth;
	const struct thread_poll *p;

	if (!depth || depth > THREAD_MAX_POLLS)
		return false;
	p = &t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)];
	return p->root && p->sp == sp;
}

/*
 * Note the registers of the poll function's caller, from where the thread's stack can
 * be unwound while the thread runs. The callee-saved registers are known only at the
 * function's entry.
 */
static __always_inline void note_entry(struct thread *t, __u64 sp, struct pt_regs *regs)
{
	bool entry = regs->sp == sp;

	if (bpf_probe_read_user(&t->entered.ret, 8, (void *)sp))
		return;
	t->entered.sp = sp;
	t->entered.saved[0] = entry ? regs->bx : 0;
	t->entered.saved[1] = entry ? regs->bp : 0;
	t->entered.saved[2] = entry ? regs->r12 : 0;
	t->entered.saved[3] = entry ? regs->r13 : 0;
	t->entered.saved[4] = entry ? regs->r14 : 0;
	t->entered.saved[5] = entry ? regs->r15 : 0;
}

static __always_inline int on_poll_begin(struct pt_regs *regs, __u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 sp = regs->sp + cookie_sp(cookie);
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
	on_cpu(t, ts);
	if (!load_bias_known) {
		__u32 fn = cookie_index(cookie);
		__u64 *site = bpf_map_lookup_elem(&poll_sites, &fn);

		if (site)
			learn_bias(regs->ip, *site);
	}
	/*
	 * A task is polled from the root's frame, so the root itself is not being
	 * polled now.
	 */
	if (is_root_at(t, sp))
		poll_pop(t, SAID_NOTHING, ts, task->pid);

	/* A poll that began at the same sp has returned, too. */
	depth = drop_returned(t, sp + 1);
	if (depth != t->depth)
		polls_gone(t, depth, ts, task->pid);
	if (returns_wanted)
		tell_return(sp, ts, task->pid);
	if (polls_unknown)
		note_entry(t, sp, regs);
	header = cookie_arg(cookie, regs);
	t->woken = 0;
	t->works = cookie >> PROBE_KIND_SHIFT != PROBE_JOB_BEGIN;
	if (cookie_looks(cookie) && TASK_HAS(header, cookie_index(cookie), cancelled)) {
		tell_task(t, header, ts, task->pid, RAW_TASK_DROP);
		return 0;
	}
	poll_push(t, depth, header, sp, cookie_index(cookie), POLL_OF_TASK, cookie_looks(cookie),
		  ts, task->pid);
	return 0;
}

/*
 * From now on the thread may sleep until the root of @p is woken: see root_woken() in
 * sched.bpf.c.
 */
static __always_inline void root_pends(struct thread *t, const struct thread_poll *p, __u32 around)
{
	struct thread_root *r = &t->pending[around & (THREAD_MAX_POLLS - 1)];

	r->shares = p->root == POLL_SHARES;
	r->woken = 0;
	r->root = p->task;
	r->sp = p->sp;
}

/* The innermost poll has ended. @said: what is known of its result, enum poll_said. */
__noinline int poll_pop(struct thread *t, __u8 said, __u64 ts, __u32 tid)
{
	__u32 keys = 0, chain = 0, depth;
	struct walk_state *w = NULL;
	struct raw_poll_end *ev;
	struct thread_poll *p;
	__u8 result;

	if (!t)
		return 0;
	depth = t->depth;
	if (!depth || depth > THREAD_MAX_POLLS)
		return 0;
	p = &t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)];
	if (p->dropped || said == SAID_COMPLETED) {
		/*
		 * Completed, and possibly freed, during the poll: its memory must not
		 * be read.
		 */
		result = RAW_READY;
	} else {
		w = walk_get();
		if (w) {
			result = poll_result(t, w, p->task, p->fn, said, ts, tid, &chain);
		} else {
			result = RAW_UNKNOWN;
			count_loss(LOSS_WALK);
		}
	}
	ev = event_add(t, sizeof(*ev), ts, tid, RAW_POLL_END);
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
	if (p->root && result != RAW_READY)
		root_pends(t, p, depth - 1);
	t->depth = depth - 1;
	return 0;
}

static __always_inline int on_poll_end(struct pt_regs *regs, __u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	/*
	 * The return has popped the return address, so rsp is 8 above its value at the
	 * entry.
	 */
	__u64 sp = regs->sp + cookie_sp(cookie) - 8;
	__u8 said = SAID_NOTHING;
	struct thread_poll *p;
	struct thread *t;
	__u32 depth;
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
	if (!depth && polls_unknown)	/* began before the recording */
		tell_gone(t, RAW_POLLS_ANY, bpf_ktime_get_ns(), task->pid);
	if (!depth || depth > THREAD_MAX_POLLS)
		return 0;
	p = &t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)];
	if (p->sp != sp)
		return 0;	/* this branch was reached without that poll */
	ts = bpf_ktime_get_ns();
	on_cpu(t, ts);
	if (cookie_has_arg(cookie))
		said = cookie_arg(cookie, regs) & 0xff ? SAID_PENDING : SAID_READY;
	poll_pop(t, said, ts, task->pid);
	return 0;
}

/*
 * Is this call of the function that gets new tasks about a new task? See
 * walk_status.not_new.
 */
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
 * In its last poll, a task wakes the task that joins it. That one may free it before
 * the poll returns, and a new task may get its address. So its end is sent before the
 * wake. sched.bpf.c calls it too: a root that joins is woken with its thread.
 */
__noinline int tell_completed(struct thread *t, __u64 ts, __u32 tid)
{
	struct thread_poll *p;

	if (!t)
		return 0;
	p = &t->polls[(t->depth - 1) & (THREAD_MAX_POLLS - 1)];
	if (!t->depth || !p->looks || p->dropped || !TASK_HAS(p->task, p->fn, completed))
		return 0;
	p->dropped = 1;
	tell_task(t, p->task, ts, tid, RAW_TASK_DROP);
	return 0;
}

/* In kernel-events/user_stack.bpf.h. */
__u64 user_stack_intern(struct thread *t, __u32 probe, __u64 ts);

/*
 * The id of the user stack of the current thread, whose state is @t, which wakes a task; 0:
 * there is none, or something else tells more: a worker wakes because of the task that it polls
 * or of what its driver found, a job that has ended because of that, and a root because of what it
 * has waited for; in its first poll it is what a thread blocks on to do a thing (to send). @probe:
 * see user_stack_intern(). sched.bpf.c calls it, too.
 */
__noinline __u64 wake_stack(struct thread *t, __u32 probe, __u64 ts)
{
	struct thread_poll *p;
	__u32 depth;

	if (!t || t->works)
		return 0;
	depth = t->depth;
	if (depth > THREAD_MAX_POLLS || t->pending[depth & (THREAD_MAX_POLLS - 1)].root)
		return 0;
	p = &t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)];
	if (depth && (p->again || p->dropped || TASK_HAS(p->task, p->fn, complete)))
		return 0;
	return (__u32)user_stack_intern(t, probe, ts);
}

/* The thread wakes a task or a root. */
__noinline int tell_wake(struct thread *t, __u64 woken, __u64 ts, __u32 tid)
{
	struct raw_off_more *ev;
	__u64 user;

	if (!t)
		return 0;
	tell_completed(t, ts, tid);
	t->woken = woken;
	user = wake_stack(t, 1, ts);
	if (user) {
		ev = event_add(t, sizeof(*ev), ts, tid, RAW_WAKE_STACK);
		ev->value = user;
		event_added(t, sizeof(*ev));
	}
	tell_task(t, woken, ts, tid, RAW_WAKE);
	return 0;
}

static __always_inline int task_event(struct pt_regs *regs, __u64 cookie, __u8 type)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 header, ts;
	struct thread *t;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	ts = bpf_ktime_get_ns();
	t = thread_get(task);
	if (!t)
		return 0;
	header = cookie_arg(cookie, regs);
	on_cpu(t, ts);
	if (type == RAW_TASK_NEW && !is_new(t, cookie, header))
		return 0;
	if (type == RAW_TASK_DROP)
		mark_dropped(t, header);
	if (type == RAW_WAKE)
		return tell_wake(t, header, ts, task->pid);
	tell_task(t, header, ts, task->pid, type);
	return 0;
}

/* ---- roots: futures that block_on polls, in the frame of whoever blocks on them ---- */

/* Where probes find roots; a probe's cookie has the index. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct root_place);
} root_places SEC(".maps");

/* The address of the root; 0: it could not be read. */
static __always_inline __u64 root_at(const struct root_place *place, __u64 frame,
				     struct pt_regs *regs)
{
	__u64 at = (place->reg == 13 ? frame : reg_value(place->reg, regs)) + (__s64)place->off;

	if (place->deref && bpf_probe_read_user(&at, 8, (void *)at))
		return 0;
	return at;
}

/* rsp of the frame that contains the root. */
static __always_inline __u64 root_frame(struct pt_regs *regs, __u64 cookie)
{
	return regs->sp + cookie_sp(cookie);
}

static __always_inline int on_root_begin(struct pt_regs *regs, __u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 index = cookie_index(cookie), depth;
	__u64 frame = root_frame(regs, cookie), root, ts;
	struct root_place *place;
	struct thread *t;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	place = bpf_map_lookup_elem(&root_places, &index);
	t = place ? thread_get(task) : NULL;
	if (!t)
		return 0;
	ts = bpf_ktime_get_ns();
	thread_name(t, task, ts);
	on_cpu(t, ts);
	if (!load_bias_known)
		learn_bias(regs->ip, place->vaddr);
	/*
	 * The root is polled again, so what was found in this frame at attach is out of
	 * date.
	 */
	if (polls_unknown && frame - 8 > t->ended_sp)
		t->ended_sp = frame - 8;
	root = root_at(place, frame, regs);
	/* One poll may pass several of the places where probes are. */
	if (is_root_at(t, frame - 8) &&
	    t->polls[(t->depth - 1) & (THREAD_MAX_POLLS - 1)].task == root)
		return 0;
	depth = drop_returned(t, frame - 8 + 1);
	if (depth != t->depth)
		polls_gone(t, depth, ts, task->pid);
	if (root)
		poll_push(t, depth, root, frame - 8, place->fn,
			  place->shares ? POLL_SHARES : POLL_OF_ROOT, false, ts, task->pid);
	return 0;
}

/*
 * The thread goes to sleep in block_on, so the root's poll has ended if this is the
 * root's frame. @pushed: 8 if the probe is at the call itself, which has not pushed its
 * return address yet.
 */
static __always_inline int on_root_park(struct pt_regs *regs, __u64 cookie, __u64 pushed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 sp = root_frame(regs, cookie) - pushed, ts;
	struct thread *t;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !is_root_at(t, sp))
		return 0;
	ts = bpf_ktime_get_ns();
	on_cpu(t, ts);
	poll_pop(t, SAID_NOTHING, ts, task->pid);
	return 0;
}

/* block_on has finished with its root, which has completed, unless a panic is unwinding. */
static __always_inline int on_root_gone(struct pt_regs *regs, __u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 frame = root_frame(regs, cookie), ts, root;
	struct thread_root *r;
	__u32 depth;
	struct thread *t;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	t = polls_unknown ? thread_get(task) : bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t)
		return 0;
	if (polls_unknown && frame - 8 > t->ended_sp)
		t->ended_sp = frame - 8;
	ts = bpf_ktime_get_ns();
	on_cpu(t, ts);
	depth = t->depth;
	/* The thread may have run the tasks of a runtime meanwhile. */
	if (!depth || (depth == 1 && t->polls[0].root))
		t->works = 0;
	if (is_root_at(t, frame - 8)) {
		poll_pop(t, SAID_COMPLETED, ts, task->pid);
		return 0;
	}
	r = &t->pending[depth & (THREAD_MAX_POLLS - 1)];
	if (!r->root || r->sp != frame - 8)
		return 0;
	root = r->root;
	r->root = 0;
	tell_task(t, root, ts, task->pid, RAW_TASK_DROP);
	return 0;
}

/* From a waker's data pointer to its root. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} root_wakers SEC(".maps");

/* The root that the thread polls or that is Pending in its innermost frame; 0: none. */
__noinline __u64 root_of_thread(const struct thread *t)
{
	const struct thread_poll *p;
	__u32 depth;
	int i;

	if (!t)
		return 0;
	depth = t->depth;
	if (depth > THREAD_MAX_POLLS)
		return 0;
	if (depth) {
		p = &t->polls[(depth - 1) & (THREAD_MAX_POLLS - 1)];
		if (p->root)
			return p->task;
	}
	for (i = THREAD_MAX_POLLS - 1; i >= 0; i--)
		if ((__u32)i <= depth && t->pending[i].root)
			return t->pending[i].root;
	return 0;
}

static __always_inline int on_root_waker(struct pt_regs *regs, __u64 cookie, bool wake)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 data = cookie_arg(cookie, regs), ts, root, *known;
	struct thread *t;

	if (!enabled || task->tgid != target_tgid)
		return 0;
	t = thread_get(task);
	if (!t)
		return 0;
	root = root_of_thread(t);
	known = bpf_map_lookup_elem(&root_wakers, &data);
	/* Cloned during the root's poll, or first called on the root's own thread. */
	if (root && (!wake || !known) && (!known || *known != root))
		bpf_map_update_elem(&root_wakers, &data, &root, BPF_ANY);
	else if (known)
		root = *known;
	if (!wake || !root)
		return 0;
	ts = bpf_ktime_get_ns();
	on_cpu(t, ts);
	return tell_wake(t, root, ts, task->pid);
}

static __always_inline void on_probe(struct pt_regs *regs, __u64 cookie)
{
	switch (cookie >> PROBE_KIND_SHIFT) {
	case PROBE_POLL_BEGIN:
	case PROBE_JOB_BEGIN:
		on_poll_begin(regs, cookie);
		break;
	case PROBE_POLL_END:
		on_poll_end(regs, cookie);
		break;
	case PROBE_WAKE:
		task_event(regs, cookie, RAW_WAKE);
		break;
	case PROBE_NEW:
		task_event(regs, cookie, RAW_TASK_NEW);
		break;
	case PROBE_DROP:
		task_event(regs, cookie, RAW_TASK_DROP);
		break;
	case PROBE_ROOT_BEGIN:
		on_root_begin(regs, cookie);
		break;
	case PROBE_ROOT_PARK:
		on_root_park(regs, cookie, 0);
		break;
	case PROBE_ROOT_CALLS:
		on_root_park(regs, cookie, 8);
		break;
	case PROBE_ROOT_GONE:
		on_root_gone(regs, cookie);
		break;
	case PROBE_ROOT_WAKE:
		on_root_waker(regs, cookie, true);
		break;
	case PROBE_ROOT_CLONE:
		on_root_waker(regs, cookie, false);
		break;
	case PROBE_JOB:
		on_job(regs, cookie);
		break;
	}
}

/*
 * All probes run one program: each program takes the kernel's time to be verified, and
 * each link takes its time to be removed.
 */
SEC("uprobe.multi")
int probe(struct pt_regs *regs)
{
	struct counters *c;
	__u64 begin = hit_begin(&c);

	on_probe(regs, bpf_get_attach_cookie(regs));
	hit_end(c, begin);
	return 0;
}

/* What the recorder has found out about polls that began before the recording, by thread. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct raw_under_way);
} under_way SEC(".maps");

/*
 * Run by the recorder over the target's threads: sets up the state of polls that began
 * before the probes were in place, so that their ends are seen. Polls that have ended
 * since the thread's stack was read are left out; a thread that is in a new poll inside
 * of them is left for later. For each thread the recorder gets the number of polls that
 * were set up, counted from the outermost.
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
	/* the outermost is first, and no inner poll outlives it */
	if (w->nr && w->polls[0].sp <= t->ended_sp)
		goto out;
	if (t->depth && w->nr)
		return 0;
	for (i = 0; i < RAW_UNDER_WAY; i++) {
		if (i >= w->nr || w->polls[i].sp <= t->ended_sp)
			break;
		t->polls[i].task = w->polls[i].task;
		t->polls[i].sp = w->polls[i].sp;
		t->polls[i].fn = w->polls[i].fn;
		t->polls[i].dropped = 0;
		t->polls[i].again = w->polls[i].root;
		t->polls[i].looks = 0;
		t->polls[i].root = w->polls[i].root;
	}
	if (w->nr) {
		t->depth = i;
		t->works = w->works;
	}
	seeded.nr = i;
	for (i = 0; i < RAW_UNDER_WAY; i++) {
		/* It has not been polled since then; a probe would have noticed. */
		if (!w->pending[i].task || (__u32)i > t->depth || t->pending[i].root ||
		    w->pending[i].sp <= t->ended_sp)
			continue;
		t->pending[i].sp = w->pending[i].sp;
		t->pending[i].shares = w->pending[i].root == POLL_SHARES;
		t->pending[i].woken = 0;
		t->pending[i].root = w->pending[i].task;
		seeded.pending |= 1u << i;
	}
out:
	bpf_map_delete_elem(&under_way, &tid);
	bpf_seq_write(ctx->meta->seq, &seeded, sizeof(seeded));
	return 0;
}

/* Run by the recorder at the end: the events that threads have not sent yet. */
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

/* An empty program for the same places: measures what the probes alone cost. */
SEC("?uprobe.multi")
int empty(struct pt_regs *regs)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
