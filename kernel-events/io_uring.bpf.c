/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The io_uring source: which operations the target submits, and what becomes of each:
 * done at once, left to poll for its file, given to a kernel thread (io-wq), completed.
 *
 * The tracepoints report every ring of the machine. A ring is the target's if one of its
 * threads creates it or submits to it, or has it open at attach; all others are left
 * after one look into a table, and where the target has no ring, after none.
 *
 * Raw tracepoints, because the arguments differ from kernel to kernel and the recorder
 * chooses what to attach: see io_uring.c.
 */
#include "fd.bpf.h"
#include "off_cpu.bpf.h"

#include "kernel-events/io_uring.h"

#define REQ_F_FIXED_FILE	1	/* include/linux/io_uring_types.h */

#define IORING_OP_POLL_ADD	6	/* include/uapi/linux/io_uring.h */
#define IORING_OP_ACCEPT	13
#define IORING_OP_CONNECT	16
#define IORING_OP_OPENAT	18
#define IORING_OP_CLOSE		19
#define IORING_OP_STATX		21
#define IORING_OP_OPENAT2	28
#define IORING_OP_RENAMEAT	35
#define IORING_OP_UNLINKAT	36
#define IORING_OP_MKDIRAT	37
#define IORING_OP_BIND		56
#define IORING_OP_LISTEN	57

/*
 * Operations on a descriptor (needs_file in io_uring/opdef.c); for others, the
 * descriptor in the request is not set.
 */
#define OP(nr)	(1ull << (nr))
#define ON_FD (OP(1) | OP(2) | OP(3) | OP(4) | OP(5) | OP(6) | OP(8) | OP(9) | OP(10) | OP(13) | \
	       OP(16) | OP(17) | OP(22) | OP(23) | OP(24) | OP(26) | OP(27) | OP(30) | OP(33) | \
	       OP(34) | OP(40) | OP(41) | OP(43) | OP(46) | OP(47) | OP(48) | OP(49) | OP(55) | \
	       OP(56) | OP(57) | OP(58) | OP(59) | OP(60) | OP(61))

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_RINGS);
	__type(key, __u64);
	__type(value, struct uring_ring);
} uring_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_FDS);
	__type(key, __u32);
	__type(value, struct uring_fd);
} uring_fds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_TALKS);
	__type(key, __u64);
	__type(value, struct uring_talk);
} uring_talks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_URING_FILES);
	__type(key, __u64);
	__type(value, struct uring_file);
} uring_files SEC(".maps");

__u32 uring_nr;		/* rings of the target so far */
__s32 uring_file_nr;	/* registered files that have been told */
__u32 uring_polls;	/* it has polled a connection by an operation */

/* Does this kernel have io_uring, and requests with what is read here? */
static __always_inline bool uring_known(void)
{
	return bpf_core_field_exists(((struct io_kiocb *)0)->cqe.user_data);
}

/* Ring @ctx, if it is the target's; NULL: it is not. */
static __always_inline struct uring_ring *ring_find(__u64 ctx)
{
	return uring_nr ? bpf_map_lookup_elem(&uring_rings, &ctx) : NULL;
}

/* The number of ring @ctx, which is the target's, and new unless it is known. 0: no room. */
static __always_inline __u32 ring_add(__u64 ctx, __s32 fd)
{
	struct uring_ring *known = bpf_map_lookup_elem(&uring_rings, &ctx), ring = { .fd = fd };

	if (known)
		return known->nr;
	ring.nr = __sync_fetch_and_add(&uring_nr, 1) + 1;
	if (!bpf_map_update_elem(&uring_rings, &ctx, &ring, BPF_NOEXIST))
		return ring.nr;
	known = bpf_map_lookup_elem(&uring_rings, &ctx);	/* another CPU added it first */
	if (known)
		return known->nr;
	count_loss(LOSS_URING_MAP);
	return 0;
}

/* A completion makes the ring's own descriptor ready, which may be in epoll. */
static __always_inline void ring_ready(const struct uring_ring *ring, __u64 ts)
{
	struct fd_state *s;
	__u32 fd = ring->fd;

	if (ring->fd < 0)
		return;
	s = bpf_map_lookup_elem(&fds, &fd);
	/* the number may be another descriptor's by now; a socket's has a source of its own */
	if (s && s->known && !s->sk && !s->ready)
		s->ready = ts;
}

/* The state of the current thread, which is the target's, for an event at @ts. */
static __always_inline struct thread *uring_thread(struct task_struct *task, __u64 ts)
{
	struct thread *t = thread_get(task);

	if (!t)
		return NULL;
	thread_name(t, task, ts);
	on_cpu(t, ts);
	return t;
}

static __always_inline void step_fill(struct raw_uring_step_of *ev, __u32 ring, __u64 user_data,
				      __u8 step, __s32 res, __u32 flags)
{
	ev->user_data = user_data;
	ev->ring = ring;
	ev->res = res;
	ev->flags = flags;
	ev->step = step;
}

/* Operation @user_data of ring @ctx takes @step. */
static __always_inline void uring_step(__u64 ctx, __u64 user_data, __u8 step, __s32 res,
				       __u32 flags)
{
	struct uring_ring *known = ring_find(ctx);
	struct raw_uring_step_of *ev;
	struct task_struct *task;
	struct thread *t = NULL;
	__u32 ring, tid = 0;
	__u64 ts;

	if (!known || !enabled)
		return;
	ring = known->nr;
	ts = bpf_ktime_get_ns();
	if (step == RAW_URING_DONE)
		ring_ready(known, ts);
	/* A file may become ready in an interrupt, whose thread has nothing to do with it. */
	task = bpf_get_current_task_btf();
	if (step != RAW_URING_READY && task->tgid == target_tgid) {
		tid = task->pid;
		t = uring_thread(task, ts);
	}
	if (t && !t->batch_busy) {
		ev = event_add(t, sizeof(*ev), ts, tid, RAW_URING_STEP);
		step_fill(ev, ring, user_data, step, res, flags);
		event_added(t, sizeof(*ev));
		return;
	}
	ev = event_reserve(sizeof(*ev), ts, tid, RAW_URING_STEP);
	if (!ev)
		return;
	step_fill(ev, ring, user_data, step, res, flags);
	event_submit(ev);
}

/*
 * Kernel memory, read by ordinary loads that give 0 where there is none: a call for each read would
 * cost more than all else that is done for an operation.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

#define KERNEL(type, at)							\
	((const struct type *)bpf_rdonly_cast((const void *)(at),		\
					      bpf_core_type_id_kernel(struct type)))

static __always_inline void request_step(__u64 req, __u8 step, __s32 res)
{
	const struct io_kiocb *r;

	if (!uring_nr || !uring_known())
		return;
	r = KERNEL(io_kiocb, req);
	uring_step((__u64)r->ctx, r->cqe.user_data, step, res, 0);
}

/* To where @req connects. The address is still the program's: the kernel copies it later. */
static __always_inline void connect_peer(struct raw_fd *ev, struct io_kiocb *req)
{
	struct io_connect *c = (struct io_connect *)req;
	struct {
		__u16	family;
		__be16	port;
		__u8	v4[4];		/* v6: flow label, then the address */
		__u8	v6[16];
	} addr = {};
	int len;

	if (!bpf_core_field_exists(c->addr))
		return;
	len = BPF_CORE_READ(c, addr_len);
	if (ev->family == AF_UNIX && len > 2 && len - 2 <= RAW_UNIX_PATH) {
		if (!bpf_probe_read_user(ev->unix_path, sizeof(ev->unix_path),
					 (char *)BPF_CORE_READ(c, addr) + 2))
			ev->unix_len = len - 2;
		ev->unix_ends = FD_UNIX_PEER | FD_UNIX_PEER_NAMED;
		return;
	}
	if (ev->family != AF_INET && ev->family != AF_INET6)
		return;
	if (bpf_probe_read_user(&addr, ev->family == AF_INET ? 8 : sizeof(addr),
				BPF_CORE_READ(c, addr)) || addr.family != ev->family)
		return;
	if (ev->family == AF_INET)
		__builtin_memcpy(ev->remote, addr.v4, sizeof(addr.v4));
	else
		__builtin_memcpy(ev->remote, addr.v6, sizeof(addr.v6));
	ev->remote_port = __builtin_bswap16(addr.port);
}

/* Remember @file, which is polled, if it is a TCP connection. */
static __always_inline void talk_begin(struct file *file)
{
	struct uring_talk talk = {};
	__u64 key = (__u64)file;
	struct socket *socket;
	struct sock *sk;

	if (bpf_map_lookup_elem(&uring_talks, &key) ||
	    (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return;
	socket = (struct socket *)BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP ||
	    BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN ||
	    !bpf_core_field_exists(((struct tcp_sock *)sk)->bytes_received))
		return;
	talk.sk = (__u64)sk;
	talk.written = BPF_CORE_READ((struct tcp_sock *)sk, write_seq);
	talk.came = BPF_CORE_READ((struct tcp_sock *)sk, bytes_received) ? URING_CAME_BEFORE :
									   URING_CAME_NEVER;
	bpf_map_update_elem(&uring_talks, &key, &talk, BPF_ANY);
	uring_polls = 1;
}

/* The poll @req has completed: enum fd_turn of its connection; 0: it is none, or not known. */
static __always_inline __u32 talk_came(__u64 req)
{
	struct uring_talk *talk;
	__u32 written, turn = 0;
	__u64 file;

	if (!uring_polls || !uring_known() ||
	    KERNEL(io_kiocb, req)->opcode != IORING_OP_POLL_ADD)
		return 0;
	file = (__u64)KERNEL(io_kiocb, req)->file;
	talk = bpf_map_lookup_elem(&uring_talks, &file);
	if (!talk)
		return 0;
	written = KERNEL(tcp_sock, talk->sk)->write_seq;
	if (written != talk->written)
		turn = FD_TURN_KNOWN | FD_TURN_SENT;
	else if (talk->came == URING_CAME_SEEN)
		turn = FD_TURN_KNOWN;
	if (talk->came == URING_CAME_NEVER)
		turn |= FD_TURN_KNOWN | FD_TURN_FIRST;
	talk->written = written;
	talk->came = URING_CAME_SEEN;
	return turn;
}

/*
 * Send what @file is, on which @req is, as that of descriptor @fd, or of a registered file with
 * that number. False: there is no room, which is counted.
 */
static __noinline bool file_send(struct file *file, struct io_kiocb *req, __s32 fd, __u8 opcode,
				 __u64 ts)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct raw_fd *ev = event_reserve(sizeof(*ev), ts, task->pid, RAW_URING_FD);
	long len;

	if (!ev)
		return false;
	ev->token = 0;
	ev->epfd = -1;
	ev->fd = fd;
	ev->events = 0;
	fd_describe(ev, kernel_address(file));
	fd_listens(ev);
	if (opcode == IORING_OP_CONNECT)
		connect_peer(ev, req);
	/* Of what it is called, /proc only tells by descriptors. */
	if (fd <= URING_FILE && ev->mode == S_IFREG) {
		len = bpf_probe_read_kernel_str(ev->unix_path, sizeof(ev->unix_path),
						BPF_CORE_READ(file, f_path.dentry, d_name.name));
		ev->unix_len = len > 1 ? len - 1 : 0;
	}
	event_submit(ev);
	return true;
}

/* A connection that is polled: @known tells if it is the file that was there before. */
static __always_inline void talk_with(struct file *file, bool known, __u8 opcode)
{
	__u64 key = (__u64)file;

	if (opcode != IORING_OP_POLL_ADD)
		return;
	if (!known)
		bpf_map_delete_elem(&uring_talks, &key);	/* that was another file's */
	talk_begin(file);
}

/* What an operation makes of its file, the next one on it tells. */
static __always_inline bool alters_file(__u8 opcode)
{
	return opcode == IORING_OP_CONNECT || opcode == IORING_OP_BIND ||
	       opcode == IORING_OP_LISTEN;
}

/* Tell what file @fd is, unless it was told before and is still the same. */
static __always_inline void fd_tell(struct task_struct *task, struct io_kiocb *req, __u32 fd,
				    __u8 opcode, __u64 ts)
{
	struct uring_fd *known, now;
	struct files_struct *open = task->files;
	struct file *file = NULL;
	struct fdtable *fdt;
	bool same;

	if (!open)
		return;
	fdt = open->fdt;
	if (!fdt || fd >= fdt->max_fds ||
	    bpf_probe_read_kernel(&file, sizeof(file), (void *)((__u64)fdt->fd + fd * 8ull)) ||
	    !file)
		return;
	now.file = (__u64)file;
	now.ino = KERNEL(file, file)->f_inode->i_ino;
	known = bpf_map_lookup_elem(&uring_fds, &fd);
	same = known && known->file == now.file && known->ino == now.ino;
	talk_with(file, same, opcode);
	if (same || !file_send(file, req, fd, opcode, ts))
		return;
	if (alters_file(opcode))
		bpf_map_delete_elem(&uring_fds, &fd);
	else
		bpf_map_update_elem(&uring_fds, &fd, &now, BPF_ANY);
}

/* The file that is at @index among those that are registered with ring @ctx now; or NULL. */
static __always_inline struct file *registered(__u64 ctx, __u32 index)
{
	struct io_ring_ctx___before_6_13 *before = (void *)ctx;
	struct io_ring_ctx *ring = (void *)ctx;
	struct io_rsrc_node *node = NULL;
	unsigned long ptr = 0;

	if (bpf_core_field_exists(((struct io_rsrc_data *)0)->nodes)) {
		if (index >= BPF_CORE_READ(ring, file_table.data.nr) ||
		    bpf_probe_read_kernel(&node, sizeof(node),
					  BPF_CORE_READ(ring, file_table.data.nodes) + index) ||
		    !node)
			return NULL;
		ptr = BPF_CORE_READ(node, file_ptr);
	} else if (bpf_core_field_exists(before->file_table.files)) {
		if (index >= BPF_CORE_READ(before, nr_user_files) ||
		    bpf_probe_read_kernel(&ptr, sizeof(ptr),
					  (void *)((__u64)BPF_CORE_READ(before, file_table.files) +
						   index * sizeof(ptr))))
			return NULL;
	}
	return (struct file *)(ptr & ~7ul);	/* the lowest bits are flags */
}

/*
 * The number of the registered file that @req, which is @r, is on, and what that is unless it was
 * told before. URING_FIXED_FD: it cannot be read.
 */
static __always_inline __s32 registered_tell(const struct io_kiocb *r, struct io_kiocb *req,
					     __u8 opcode, __u64 ts)
{
	struct file *file = registered((__u64)r->ctx, r->cqe.fd);
	struct uring_file *known, now = {};
	__u64 key = (__u64)file;

	if (!file)
		return URING_FIXED_FD;
	now.ino = BPF_CORE_READ(file, f_inode, i_ino);
	known = bpf_map_lookup_elem(&uring_files, &key);
	if (known && known->ino == now.ino) {
		talk_with(file, true, opcode);
		return known->nr;
	}
	talk_with(file, false, opcode);
	now.nr = URING_FILE - __sync_fetch_and_add(&uring_file_nr, 1);
	if (now.nr > URING_FILE || !file_send(file, req, now.nr, opcode, ts))
		return URING_FIXED_FD;
	if (alters_file(opcode))
		bpf_map_delete_elem(&uring_files, &key);
	else
		bpf_map_update_elem(&uring_files, &key, &now, BPF_ANY);
	return now.nr;
}

/* The path that @req names its file by; NULL: it does not, or has none (but a descriptor). */
static __always_inline const char *request_path(struct io_kiocb *req, __u8 opcode)
{
	struct filename *name = NULL;

	if ((opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2) &&
	    bpf_core_field_exists(((struct io_open *)req)->filename))
		name = BPF_CORE_READ((struct io_open *)req, filename);
	else if (opcode == IORING_OP_STATX &&
		 bpf_core_field_exists(((struct io_statx *)req)->filename))
		name = BPF_CORE_READ((struct io_statx *)req, filename);
	else if (opcode == IORING_OP_UNLINKAT &&
		 bpf_core_field_exists(((struct io_unlink *)req)->filename))
		name = BPF_CORE_READ((struct io_unlink *)req, filename);
	else if (opcode == IORING_OP_MKDIRAT &&
		 bpf_core_field_exists(((struct io_mkdir *)req)->filename))
		name = BPF_CORE_READ((struct io_mkdir *)req, filename);
	else if (opcode == IORING_OP_RENAMEAT &&
		 bpf_core_field_exists(((struct io_rename *)req)->oldpath))
		name = BPF_CORE_READ((struct io_rename *)req, oldpath);
	return name ? BPF_CORE_READ(name, name) : NULL;
}

/* The descriptor that @req, which is @r, is on; or URING_NO_FD, URING_FIXED_FD. */
static __always_inline __s32 request_fd(const struct io_kiocb *r, struct io_kiocb *req,
					__u8 opcode)
{
	if (opcode < 64 && ON_FD & OP(opcode))
		return r->flags & REQ_F_FIXED_FILE ? URING_FIXED_FD : r->cqe.fd;
	if (opcode == IORING_OP_CLOSE && bpf_core_field_exists(((struct io_close *)req)->fd))
		return BPF_CORE_READ((struct io_close *)req, fd);
	return URING_NO_FD;
}

/* Send the submission of operation @user_data with its @path. False: it is empty or unreadable. */
static __always_inline bool submit_by_path(__u64 user_data, const char *path, __u32 ring,
					   __u8 opcode, __u64 ts, __u32 tid)
{
	struct raw_uring_path *ev = event_reserve(sizeof(*ev), ts, tid, RAW_URING_PATH);

	if (!ev)
		return true;		/* which is counted */
	if (bpf_probe_read_kernel_str(ev->path, sizeof(ev->path), path) <= 1) {
		bpf_ringbuf_discard(ev, 0);
		return false;
	}
	ev->user_data = user_data;
	ev->ring = ring;
	ev->opcode = opcode;
	event_submit(ev);
	return true;
}

/* args: req; in older kernels there are more */
SEC("raw_tp/io_uring_submit_req")
int uring_submit(__u64 *args)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io_kiocb *req = (struct io_kiocb *)args[0];
	struct raw_uring_submit *ev;
	const struct io_kiocb *r;
	__u64 ts, user_data;
	const char *path;
	struct thread *t;
	__u32 ring;
	__u8 opcode;
	__s32 fd;

	if (task->tgid != target_tgid || !enabled || !uring_known())
		return 0;
	r = KERNEL(io_kiocb, req);
	ring = ring_add((__u64)r->ctx, -1);
	if (!ring)
		return 0;
	ts = bpf_ktime_get_ns();
	t = uring_thread(task, ts);
	if (!t)
		return 0;
	user_data = r->cqe.user_data;
	opcode = r->opcode;
	path = request_path(req, opcode);
	if (path && submit_by_path(user_data, path, ring, opcode, ts, task->pid))
		return 0;
	fd = request_fd(r, req, opcode);
	if (opcode == IORING_OP_STATX && bpf_core_field_exists(((struct io_statx *)req)->dfd))
		fd = BPF_CORE_READ((struct io_statx *)req, dfd);
	if (fd >= 0)
		fd_tell(task, req, fd, opcode, ts);
	else if (fd == URING_FIXED_FD)
		fd = registered_tell(r, req, opcode, ts);
	if (opcode == IORING_OP_ACCEPT &&
	    bpf_core_field_exists(((struct io_accept *)req)->file_slot) &&
	    BPF_CORE_READ((struct io_accept *)req, file_slot))
		opcode |= URING_DIRECT;
	ev = event_add(t, sizeof(*ev), ts, task->pid, RAW_URING_SUBMIT);
	ev->user_data = user_data;
	ev->ring = ring;
	ev->fd = fd;
	ev->opcode = opcode;
	event_added(t, sizeof(*ev));
	return 0;
}

/* args: req, the events that it is ready for now, the events that it waits for */
SEC("raw_tp/io_uring_poll_arm")
int uring_poll_arm(__u64 *args)
{
	request_step(args[0], RAW_URING_ARMED, args[2]);
	return 0;
}

/* args: req, …; the file of a request that polls has become ready */
SEC("raw_tp/io_uring_task_add")
int uring_task_add(__u64 *args)
{
	request_step(args[0], RAW_URING_READY, 0);
	return 0;
}

/* args: req, … */
SEC("raw_tp/io_uring_queue_async_work")
int uring_punt(__u64 *args)
{
	request_step(args[0], RAW_URING_PUNTED, 0);
	return 0;
}

/* args: ctx, req, cqe */
SEC("raw_tp/io_uring_complete")
int uring_complete(__u64 *args)
{
	const struct io_uring_cqe *cqe;

	if (!uring_nr || !bpf_core_type_exists(struct io_uring_cqe))
		return 0;
	cqe = KERNEL(io_uring_cqe, args[2]);
	uring_step(args[0], cqe->user_data, RAW_URING_DONE, cqe->res,
		   cqe->flags | talk_came(args[1]) << 16);
	return 0;
}

/* args: ctx, req, user_data, res, flags, … */
SEC("raw_tp/io_uring_complete")
int uring_complete_by_value(__u64 *args)
{
	uring_step(args[0], args[2], RAW_URING_DONE, args[3], args[4] | talk_came(args[1]) << 16);
	return 0;
}

/* args: ctx, user_data, res, flags, … */
SEC("raw_tp/io_uring_cqe_overflow")
int uring_overflow(__u64 *args)
{
	uring_step(args[0], args[1], RAW_URING_OVERFLOW, args[2], args[3]);
	return 0;
}

/* args: fd, ctx, … A ring of another process may have had the same address. */
SEC("raw_tp/io_uring_create")
int uring_create(__u64 *args)
{
	__u64 ctx = args[1];

	if (uring_nr)
		bpf_map_delete_elem(&uring_rings, &ctx);
	if (bpf_get_current_task_btf()->tgid == target_tgid)
		ring_add(ctx, args[0]);
	return 0;
}

/*
 * Called by the epoll source, which sees the end of all system calls: io_uring_enter for
 * ring @fd has returned @nr, and had been asked to wait for @min completions.
 */
int uring_entered(__u32 fd, __u32 min, __s32 nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct raw_uring_wait *ev;
	struct thread *t;
	__u64 ts;

	if (!config.operations || !min)
		return 0;
	ts = bpf_ktime_get_ns();
	t = uring_thread(task, ts);
	if (!t)
		return 0;
	t->works = 1;
	ev = event_add(t, sizeof(*ev), ts, task->pid, RAW_URING_WAIT);
	ev->nr = nr;
	ev->fd = fd;
	event_added(t, sizeof(*ev));
	return 0;
}

/* Run at attach over the target's open files: a ring's file has its ctx as private data. */
SEC("iter/task_file")
int uring_snapshot(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct raw_uring_open ev = {};

	if (!task || !file || task->tgid != target_tgid)
		return 0;
	ev.fd = ctx->fd;
	ev.ctx = (__u64)BPF_CORE_READ(file, private_data);
	bpf_seq_write(ctx->meta->seq, &ev, sizeof(ev));
	return 0;
}
