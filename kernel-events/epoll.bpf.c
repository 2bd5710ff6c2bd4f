/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The epoll source: which descriptor was registered under which token, and what each
 * epoll_wait returned. The kernel has no tracepoints for epoll. So this hooks the exit
 * of all system calls and handles epoll's; the arguments are still in the saved
 * registers at that point, so that the entry need not be hooked.
 */
#include "fd.bpf.h"
#include "off_cpu.bpf.h"

#include "kernel-events/epoll.h"

extern bool wakers_wanted;

/* The io_uring source's: another program on all system calls would cost every process. */
int uring_entered(__u32 fd, __u32 min, __s32 nr);

#define NR_CONNECT	42	/* arch/x86/entry/syscalls/syscall_64.tbl */
#define NR_EPOLL_WAIT	232
#define NR_EPOLL_CTL	233
#define NR_EPOLL_PWAIT	281
#define NR_IO_URING_ENTER 426
#define NR_EPOLL_PWAIT2	441

#define EPOLL_CTL_ADD	1
#define EPOLL_CTL_DEL	2
#define EPOLL_CTL_MOD	3

#define BATCH		16
#define EVENT_SIZE	12	/* struct epoll_event is packed on x86-64 */

/* Per-thread buffers that are too large for the stack. */
struct epoll_thread {
	struct raw_fd	fd;
	__u8		events[BATCH * EVENT_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct epoll_thread);
} epoll_threads SEC(".maps");

struct batch {
	struct thread	*t;
	struct epoll_thread *e;
	__u64		events;
	__u64		ts;
	__u32		tid;
	__u32		nr;
};

static __always_inline struct epoll_thread *epoll_thread_get(struct task_struct *task)
{
	struct epoll_thread *e;

	e = bpf_task_storage_get(&epoll_threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!e)
		count_loss(LOSS_THREAD_STATE);
	return e;
}

/*
 * Read from the runtime's I/O object, which the token points to, whose wakers are
 * registered with the descriptor.
 */
static __always_inline void read_wakers(struct raw_epoll_ready *ev, __u64 token)
{
	__u64 block[IO_BLOCK / 8];
	__u32 r, w, rv, wv, l;

	if (!config.io_wakers || !wakers_wanted || token < 4096)
		return;
	if (config.io_len > sizeof(block) ||
	    bpf_probe_read_user(block, sizeof(block), (void *)(token + config.io_base)))
		return;
	r = config.io_reader / 8;
	w = config.io_writer / 8;
	rv = config.io_reader_vt / 8;
	wv = config.io_writer_vt / 8;
	l = config.io_list / 8;
	if (r < 8 && rv < 8 && block[rv & 7])
		ev->reader = block[r & 7];
	if (w < 8 && wv < 8 && block[wv & 7])
		ev->writer = block[w & 7];
	if (l < 8 && !ev->reader && !ev->writer && block[l & 7])
		ev->reader = 1;		/* a list of waiters: whose wakers is not read */
}

/* Event @i of those in @e->events. */
__noinline int ready_event(struct thread *t, struct epoll_thread *e, __u32 i, __u64 ts, __u32 tid)
{
	struct raw_epoll_ready *ev;
	struct fd_state *s;
	__u32 *fd, events;
	__u64 token;

	if (!t || !e || i >= BATCH)
		return 0;
	__builtin_memcpy(&events, &e->events[i * EVENT_SIZE], 4);
	__builtin_memcpy(&token, &e->events[i * EVENT_SIZE + 4], 8);
	ev = event_add(t, sizeof(*ev), ts, tid, RAW_EPOLL_READY);
	ev->token = token;
	ev->events = events;
	ev->ready = 0;
	ev->reader = 0;
	ev->writer = 0;
	ev->turn = 0;
	fd = bpf_map_lookup_elem(&tokens, &token);
	s = fd ? bpf_map_lookup_elem(&fds, fd) : NULL;
	if (s && s->token == token) {
		ev->ready = s->ready;
		s->ready = 0;
		ev->turn = s->turn;
		s->turn = 0;
		read_wakers(ev, token);
	}
	event_added(t, sizeof(*ev));
	return 0;
}

static long ready_batch(__u32 index, struct batch *b)
{
	struct epoll_thread *e = b->e;
	__u32 first = index * BATCH, n = b->nr - first;
	int i;

	if (first >= b->nr)
		return 1;
	if (n > BATCH)
		n = BATCH;
	if (bpf_probe_read_user(e->events, n * EVENT_SIZE,
				(void *)(b->events + (__u64)first * EVENT_SIZE))) {
		count_loss(LOSS_EPOLL_EVENTS);
		return 1;
	}
	for (i = 0; i < BATCH; i++) {
		if (i >= n)
			break;
		ready_event(b->t, e, i, b->ts, b->tid);
	}
	return 0;
}

static __always_inline void epoll_returned(struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t = thread_get(task);
	struct raw_epoll_wait *ev;
	struct batch b;
	__u64 ts;

	if (!t)
		return;
	ts = bpf_ktime_get_ns();
	thread_name(t, task, ts);
	on_cpu(t, ts);
	t->works = 1;
	ev = event_add(t, sizeof(*ev), ts, task->pid, RAW_EPOLL_WAIT);
	ev->nr = ret;
	ev->epfd = regs->di;
	event_added(t, sizeof(*ev));
	if (ret <= 0)
		return;
	b.t = t;
	b.e = epoll_thread_get(task);
	if (!b.e)
		return;
	b.events = regs->si;
	b.ts = ts;
	b.tid = task->pid;
	b.nr = ret;
	bpf_loop(MAX_EPOLL_EVENTS / BATCH, ready_batch, &b, 0);
	if (ret > MAX_EPOLL_EVENTS)
		count_loss(LOSS_EPOLL_EVENTS);
}

/* Is @fd registered with @token already? If so, only readiness from now on counts. */
static __always_inline bool fd_asked_again(__u32 fd, __u64 token)
{
	struct fd_state *s = bpf_map_lookup_elem(&fds, &fd);

	if (!s || !s->known || s->token != token)
		return false;
	s->ready = 0;
	return true;
}

static __always_inline struct file *open_file(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), &files[fd]))
		return NULL;
	return file;
}

static __always_inline void send_fd(const struct raw_fd *ev, __u32 tid, __u8 type)
{
	struct raw_fd *out = event_reserve(sizeof(*out), bpf_ktime_get_ns(), tid, type);

	if (!out)
		return;
	bpf_probe_read_kernel((char *)out + sizeof(out->hdr), sizeof(*out) - sizeof(out->hdr),
			      (char *)ev + sizeof(ev->hdr));
	event_submit(out);
}

/*
 * A socket without connections that was registered before it got its peer, as programs do with
 * those of UDP: tell what it is once more.
 */
static __always_inline void datagrams_connected(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 fd = regs->di;
	struct fd_state *s = bpf_map_lookup_elem(&fds, &fd);
	struct epoll_thread *e;
	struct file *file;

	if (!s || !s->known || !s->sk || s->tcp)
		return;
	e = epoll_thread_get(task);
	file = open_file(task, fd);
	if (!e || !file)
		return;
	e->fd.token = s->token;
	e->fd.epfd = s->epfd;
	e->fd.fd = fd;
	fd_describe(&e->fd, (__u64)file);
	if (e->fd.sk != s->sk || e->fd.sk_type != SOCK_DGRAM)
		return;
	s->counts = fd_counts(&e->fd);
	send_fd(&e->fd, task->pid, RAW_FD_ADD);
}

static __always_inline void epoll_controlled(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 op = regs->si, fd = regs->dx;
	struct epoll_thread *e = epoll_thread_get(task);
	struct raw_fd *ev;
	struct {
		__u32	events;
		__u64	data;
	} __attribute__((packed)) event;
	struct file *file;

	if (!e)
		return;
	ev = &e->fd;
	ev->token = 0;
	ev->epfd = regs->di;
	ev->fd = fd;
	if (op == EPOLL_CTL_DEL) {
		struct fd_state *s = bpf_map_lookup_elem(&fds, &fd);

		if (s)
			ev->token = s->token;
		fd_forget(fd);
	} else {
		if (bpf_probe_read_user(&event, sizeof(event), (void *)regs->r10))
			return;
		/*
		 * A descriptor with EPOLLONESHOT is re-armed each time it is used.
		 * Nothing else has changed, and its earlier readiness has been handled.
		 */
		if (op == EPOLL_CTL_MOD && fd_asked_again(fd, event.data))
			return;
		ev->token = event.data;
		ev->events = event.events;
		file = open_file(task, fd);
		if (!file)
			return;
		fd_describe(ev, (__u64)file);
		fd_listens(ev);
		fd_remember(fd, ev);
	}
	send_fd(ev, task->pid, op == EPOLL_CTL_DEL ? RAW_FD_DEL : RAW_FD_ADD);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(epoll_exit, struct pt_regs *regs, long ret)
{
	long nr = regs->orig_ax;

	if (nr < NR_EPOLL_WAIT && nr != NR_CONNECT)	/* most calls: read, write, futex, … */
		return 0;
	if (nr != NR_CONNECT && nr != NR_EPOLL_WAIT && nr != NR_EPOLL_PWAIT && nr != NR_EPOLL_CTL &&
	    nr != NR_EPOLL_PWAIT2 && nr != NR_IO_URING_ENTER)
		return 0;
	if (bpf_get_current_task_btf()->tgid != target_tgid || !enabled)
		return 0;
	if (nr == NR_IO_URING_ENTER) {
		uring_entered(regs->di, regs->dx, ret);
	} else if (nr == NR_CONNECT) {
		if (!ret)
			datagrams_connected(regs);
	} else if (nr == NR_EPOLL_CTL) {
		if (!ret)
			epoll_controlled(regs);
	} else {
		epoll_returned(regs, ret);
	}
	return 0;
}

/*
 * Run at attach over the target's open files, to find descriptors that are registered
 * already.
 */
SEC("iter/task_file")
int fd_snapshot(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct raw_fd ev;

	if (!task || !file || task->tgid != target_tgid)
		return 0;
	__builtin_memset(&ev, 0, sizeof(ev));
	ev.fd = ctx->fd;
	fd_describe(&ev, kernel_address(file));
	bpf_seq_write(ctx->meta->seq, &ev, sizeof(ev));
	return 0;
}
