/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User stacks of the current thread, captured at the moment at which it goes to sleep, or
 * wakes another or a task: its registers and a copy of its stack, which the recorder unwinds. Equal
 * stacks are captured once. Which of them are equal is told without unwinding. What is looked
 * at is the instruction pointer and the stack, from the stack pointer to the caller of the
 * outermost poll and STACK_OUTER bytes further; in no poll, the first STACK_PLAIN bytes and
 * as much further:
 *
 * - When the recorder has unwound a stack, it tells in which places the return addresses are
 *   (a form). A stack that begins at the same instruction and has the same words in all these
 *   places has the same frames.
 * - Until then, and of other forms: by all words that look like addresses of code, in order.
 *   Return addresses are among them; what else is (pointers to functions, what earlier calls
 *   have left behind) can only tell equal stacks apart, which costs a capture more.
 *
 * Two different stacks look equal only if they differ where this does not look: farther out
 * than that, or beyond RAW_USER_STACK_BYTES; and, before a form is known, in code alone that
 * is mapped neither from the program nor between its first libraries. Outer frames of a sleep
 * are then told as another sleep's; those from the outermost poll inwards are right, but in
 * the latter case.
 *
 * It must not know what the stacks are for.
 */
#ifndef DWELL_USER_STACK_BPF_H
#define DWELL_USER_STACK_BPF_H

#include "maps.bpf.h"

#define STACK_OUTER	1024	/* bytes looked at of what called the outermost poll */
#define STACK_START	(16u << 10)	/* bytes copied of it */
#define STACK_PLAIN	3072	/* what takes the place of the distance to the outermost poll */
#define STACK_PAGE	4096
#define STACK_WORDS	8	/* looked at in one step of a loop */
#define STACK_STEP	(STACK_WORDS * 8)
#define STACK_STEPS	(RAW_USER_STACK_BYTES / STACK_STEP)

/* A copy is made page by page; the last one may extend beyond what was asked for. */
struct user_stack_buf {
	struct raw_user_stack	head;
	__u8			bytes[RAW_USER_STACK_BYTES + STACK_PAGE];
	__u32			busy;		/* in use by a program */
};

/*
 * Buffers for each CPU, too large for a map that says so itself: one for the scheduler's hooks,
 * which run with preemption disabled and do not nest, and one for probes, which may be preempted
 * while they use it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);		/* set before load */
	__type(key, __u32);
	__type(value, struct user_stack_buf);
} user_stack_bufs SEC(".maps");

/* What a stack looks like → its id. The recorder sets what of it could not be unwound. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RAW_USER_STACKS);
	__type(key, __u64);
	__type(value, struct user_stack_known);
} user_stacks SEC(".maps");

/* A hash of ip and of the distance to the outermost poll → the forms of such stacks. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RAW_USER_STACKS);
	__type(key, __u64);
	__type(value, struct user_stack_forms);
} user_stack_forms SEC(".maps");

/*
 * Captured stacks, apart from the events: however many there are, they cost no event. If
 * there is no room, a stack is captured the next time that a thread sleeps there.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RAW_USER_STACKS_RING);
} user_stack_ring SEC(".maps");

__u32 next_user_stack;
/*
 * Where code begins and how much there is, set by the recorder: of the program, at link time,
 * and of the libraries that are loaded with it, at run time. 0: not known yet.
 */
__u64 program_code[2] = {};
__u64 library_code[2] = {};
extern __u64 load_bias;
extern bool load_bias_known;

struct user_stack_copying {
	struct user_stack_buf	*buf;
	__u64			 sp;
	__u32			 have, want;
};

static long user_stack_page(__u64 i, void *arg)
{
	struct user_stack_copying *c = arg;
	__u32 have = c->have, want = c->want, len;

	len = STACK_PAGE - ((c->sp + have) & (STACK_PAGE - 1));
	if (have >= want)
		return 1;
	if (len > want - have)
		len = want - have;
	/* Checked right before use: older verifiers lose the bounds of spilled values. */
	asm volatile("" : "+r"(len), "+r"(have));
	if (have >= RAW_USER_STACK_BYTES || len > STACK_PAGE)
		return 1;
	if (bpf_probe_read_user(&c->buf->bytes[have], len, (void *)(c->sp + have)))
		return 1;
	c->have = have + len;
	return 0;
}

/*
 * Copy up to @want bytes from @sp + @have on. How many bytes there are now. Page by page, since
 * some may not be there.
 */
static __always_inline __u32 user_stack_copy(struct user_stack_buf *buf, __u64 sp, __u32 have,
					     __u32 want)
{
	struct user_stack_copying c = { buf, sp, have, want };

	bpf_loop(RAW_USER_STACK_BYTES / STACK_PAGE + 1, user_stack_page, &c, 0);
	return c.have < RAW_USER_STACK_BYTES ? c.have : RAW_USER_STACK_BYTES;
}

struct user_stack_look {
	struct user_stack_buf	*buf;
	__u64			 hash;
	__u64			 program, program_len;
	__u64			 library, library_len;
};

static long user_stack_look(__u64 step, void *arg)
{
	struct user_stack_look *look = arg;
	const __u64 *words;
	int i;

	if (step >= STACK_STEPS)
		return 1;
	words = (const __u64 *)&look->buf->bytes[step * STACK_STEP];
#pragma unroll
	for (i = 0; i < STACK_WORDS; i++) {
		__u64 word = words[i];

		if (word - look->program < look->program_len ||
		    word - look->library < look->library_len)
			look->hash = user_stack_mix(look->hash, word);
	}
	return 0;
}

/*
 * Global functions are verified by themselves: see GLOBAL_FN.
 *
 * A hash of @ip and of the words in the first @have bytes of @buf that look like code. */
__noinline __u64 user_stack_looks(struct user_stack_buf *buf, __u64 ip, __u32 have)
{
	struct user_stack_look look = {
		.buf = buf,
		.hash = user_stack_mix(USER_STACK_LOOK, ip),
		.program = program_code[0] + load_bias,
		.program_len = program_code[1],
		.library = library_code[0],
		.library_len = library_code[1],
	};

	if (buf)
		bpf_loop(have / STACK_STEP, user_stack_look, &look, 0);
	return look.hash;
}

/* How much of the ring is taken. */
static __always_inline __u64 user_stack_taken(void)
{
	return bpf_ringbuf_query(&user_stack_ring, BPF_RB_AVAIL_DATA);
}

/* Is there room for a stack? Asked first, because the copy is the most expensive part. */
static __always_inline bool user_stack_room(void)
{
	return user_stack_taken() < RAW_USER_STACKS_RING - 2 * RAW_USER_STACK_BYTES;
}

/* rsp at the entry of the innermost poll function of @t. */
static __always_inline __u64 innermost_sp(const struct thread *t)
{
	return t->depth ? t->polls[(t->depth - 1) & (THREAD_MAX_POLLS - 1)].sp : 0;
}

struct user_stack_places {
	struct user_stack_buf		*buf;
	const struct user_stack_form	*form;
	__u64				 hash;
};

struct user_stack_search {
	struct user_stack_forms		*forms;
	struct user_stack_places	 places;
	__u64				 ip;
	__u64				 found;	/* 0: nothing */
	__u32				 have;
};

static long user_stack_place(__u64 i, void *arg)
{
	struct user_stack_places *p = arg;
	__u32 off;

	if (i >= RAW_FORM_WORDS)
		return 1;
	off = p->form->off[i];
	p->hash = user_stack_mix(p->hash, *(__u64 *)&p->buf->bytes[off & ~7u]);
	return 0;
}

static long user_stack_try(__u64 i, void *arg)
{
	struct user_stack_search *s = arg;
	struct user_stack_places *p = &s->places;

	if (i >= RAW_FORMS)
		return 1;
	p->form = &s->forms->list[i];
	if (p->form->reach * 8u > s->have)
		return 0;
	p->hash = user_stack_mix(USER_STACK_FORM, s->ip);
	bpf_loop(p->form->nr, user_stack_place, p, 0);
	if (!bpf_map_lookup_elem(&user_stacks, &p->hash))
		return 0;
	s->found = p->hash;
	return 1;
}

/*
 * The key in user_stacks of the stack of which @have bytes are in @buf, by a form of those with
 * key @form; 0: there is none.
 */
__noinline __u64 user_stack_by_form(struct user_stack_buf *buf, __u64 form, __u64 ip, __u32 have)
{
	struct user_stack_search s = { .places = { .buf = buf }, .ip = ip, .have = have };

	s.forms = bpf_map_lookup_elem(&user_stack_forms, &form);
	if (s.forms && buf)
		bpf_loop(s.forms->nr, user_stack_try, &s, 0);
	return s.found;
}

/* How many bytes there are from @sp to the outermost poll of @t. */
static __always_inline __u64 user_stack_depth(const struct thread *t, __u64 sp)
{
	return t->depth ? t->polls[0].sp - sp : STACK_PLAIN;
}

/* … and @more bytes further. */
static __always_inline __u32 user_stack_extent(const struct thread *t, __u64 sp, __u32 more)
{
	__u64 extent = user_stack_depth(t, sp);

	/* It may have switched to another stack in its poll. */
	if (extent > RAW_USER_STACK_BYTES - more)
		extent = RAW_USER_STACK_BYTES - more;
	return (__u32)(extent + more) & ~(STACK_STEP - 1u);
}

/*
 * Send the stack of thread @tid, whose state is @t: @have bytes of it are in @buf, and what
 * is to be in the header's id and key. False: there is no room.
 */
static __always_inline bool user_stack_send(struct user_stack_buf *buf, const struct pt_regs *regs,
					    const struct thread *t, __u32 have, __u64 ts, __u32 tid)
{
	struct raw_user_stack *head = &buf->head;
	__u32 len;

	len = user_stack_copy(buf, regs->sp, have, user_stack_extent(t, regs->sp, STACK_START));
	head->hdr.ts = ts;
	head->hdr.tid = tid;
	head->hdr.cpu = bpf_get_smp_processor_id();
	head->hdr.type = RAW_USER_STACK;
	head->hdr.nr = 0;
	head->len = len;
	head->poll_sp = innermost_sp(t);
	head->ip = regs->ip;
	head->sp = regs->sp;
	regs_saved(head->saved, regs);
	asm volatile("" : "+r"(len));
	if (len > RAW_USER_STACK_BYTES)
		return false;
	/* Stacks that are new come rarely, and then many at once. */
	return !bpf_ringbuf_output(&user_stack_ring, buf, sizeof(*head) + len,
				   user_stack_taken() > RAW_USER_STACKS_RING / 4 ?
					   BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* What is known of the user stack of @task, with @buf as a buffer: see user_stack_intern(). */
static __always_inline struct user_stack_known
user_stack_look_up(struct user_stack_buf *buf, const struct thread *t, struct task_struct *task,
		   __u64 ts)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u64 sp = regs->sp, ip = regs->ip, form, key;
	struct user_stack_known *known, new = {}, none = {};
	__u32 have;

	have = user_stack_copy(buf, sp, 0, user_stack_extent(t, sp, STACK_OUTER));
	form = user_stack_mix(user_stack_mix(USER_STACK_FORM, ip), user_stack_depth(t, sp));
	key = user_stack_by_form(buf, form, ip, have);
	if (!key)
		key = user_stack_looks(buf, ip, have);
	known = bpf_map_lookup_elem(&user_stacks, &key);
	if (known)
		return *known;
	if (!user_stack_room())
		goto no_room;
	new.id = __sync_fetch_and_add(&next_user_stack, 1) + 1;
	if (bpf_map_update_elem(&user_stacks, &key, &new, BPF_NOEXIST)) {
		known = bpf_map_lookup_elem(&user_stacks, &key);	/* another CPU was first */
		if (known)
			return *known;
		count_loss(LOSS_USER_STACK_MAP);
		return none;
	}
	buf->head.id = new.id;
	buf->head.key = key;
	buf->head.form = form;
	buf->head.looked = have;
	buf->head.pad = 0;
	if (user_stack_send(buf, regs, t, have, ts, task->pid))
		return new;
	bpf_map_delete_elem(&user_stacks, &key);
no_room:
	count_loss(LOSS_USER_STACK);
	return none;
}

/*
 * What is known of the user stack of the current thread, whose state is @t; it is captured if
 * nothing is. @probe: the caller is a probe, not the scheduler's hook. The two members of struct
 * user_stack_known, the first in the low half; an id of 0: there is none. In bpf/poll.bpf.c, too.
 */
__noinline __u64 user_stack_intern(struct thread *t, __u32 probe, __u64 ts)
{
	__u32 slot = bpf_get_smp_processor_id() + (probe ? config.nr_rings : 0);
	struct user_stack_buf *buf = bpf_map_lookup_elem(&user_stack_bufs, &slot);
	struct user_stack_known known;

	if (!t || !buf || !program_code[1] || !load_bias_known)
		return 0;
	if (__sync_val_compare_and_swap(&buf->busy, 0, 1)) {
		count_loss(LOSS_USER_STACK);
		return 0;
	}
	known = user_stack_look_up(buf, t, bpf_get_current_task_btf(), ts);
	barrier();
	buf->busy = 0;
	return known.id | (__u64)known.cut << 32;
}

#endif /* DWELL_USER_STACK_BPF_H */
