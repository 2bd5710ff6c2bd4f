/* SPDX-License-Identifier: GPL-2.0 */
/*
 * On which file a thread goes to sleep: the one whose descriptor its system call has as its
 * first argument; in a page fault the one that is mapped there, which file.bpf.c has noted.
 * A file is described once, when a thread first sleeps on it.
 */
#ifndef DWELL_FILE_BPF_H
#define DWELL_FILE_BPF_H

#include "fd.bpf.h"

#include "kernel-events/file.h"

#define FILES_MAX	8192

#define S_IFDIR		0040000
#define S_IFBLK		0060000

/* What makes it another file than others. */
struct file_key {
	__u64	ino;
	/*
	 * What has a path: its file system, and how often the number was given to an inode or
	 * the like. All else: its struct file.
	 */
	__u64	of;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FILES_MAX);
	__type(key, struct file_key);
	__type(value, __u32);
} files SEC(".maps");

__u32 next_file;

/*
 * System calls (x86-64) whose first argument is a descriptor, and that may sleep for what it
 * is: read, write, ioctl, pread64, pwrite64, readv, writev, sendfile, connect, accept, sendto,
 * recvfrom, sendmsg, recvmsg; fcntl, flock, fsync, fdatasync, ftruncate, getdents, readahead,
 * getdents64, fadvise64; splice, tee, sync_file_range, fallocate, accept4, preadv, pwritev,
 * recvmmsg, syncfs, sendmmsg; copy_file_range, preadv2, pwritev2.
 */
#define CALL(nr)	(1ull << ((nr) & 63))
static const __u64 calls_on_files[6] = {
	CALL(0) | CALL(1) | CALL(16) | CALL(17) | CALL(18) | CALL(19) | CALL(20) | CALL(40) |
		CALL(42) | CALL(43) | CALL(44) | CALL(45) | CALL(46) | CALL(47),
	CALL(72) | CALL(73) | CALL(74) | CALL(75) | CALL(77) | CALL(78),
	CALL(187),
	CALL(217) | CALL(221),
	CALL(275) | CALL(276) | CALL(277) | CALL(285) | CALL(288) | CALL(295) | CALL(296) |
		CALL(299) | CALL(306) | CALL(307),
	CALL(326) | CALL(327) | CALL(328),
};
#undef CALL

static __always_inline struct file *file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(fdt, fd) + fd);
	return file;
}

/*
 * The id of the struct file at @file_at, which is open as @fd; or, if it is 0, of the inode at
 * @inode_at, which is mapped. A global function, which takes no pointers: see GLOBAL_FN.
 */
__noinline __u32 file_id(__u64 file_at, __u64 inode_at, __s32 fd, __u32 tid, __u64 ts)
{
	struct file *file = (struct file *)file_at;
	struct inode *inode = (struct inode *)inode_at;
	__u32 mode, id, *known;
	struct file_key key;
	struct raw_file *ev;

	if (file)
		inode = BPF_CORE_READ(file, f_inode);
	if (!inode)
		return FILE_NONE;
	mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	key.ino = BPF_CORE_READ(inode, i_ino);
	if (!file || mode == S_IFREG || mode == S_IFDIR || mode == S_IFBLK)
		key.of = (__u64)BPF_CORE_READ(inode, i_generation) << 32 |
			 BPF_CORE_READ(inode, i_sb, s_dev);
	else
		key.of = (__u64)file;
	known = bpf_map_lookup_elem(&files, &key);
	if (known)
		return *known;
	id = FILE_FIRST + __sync_fetch_and_add(&next_file, 1);
	if (bpf_map_update_elem(&files, &key, &id, BPF_NOEXIST)) {
		known = bpf_map_lookup_elem(&files, &key);	/* another CPU added it first */
		return known ? *known : FILE_MANY;
	}
	ev = event_reserve(sizeof(*ev), ts, tid, RAW_FILE);
	if (!ev) {
		bpf_map_delete_elem(&files, &key);
		return FILE_NONE;
	}
	ev->id = id;
	ev->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	ev->fd.token = 0;
	ev->fd.epfd = -1;
	ev->fd.fd = fd;
	ev->fd.events = 0;
	ev->name[0] = '\0';
	if (file) {
		fd_describe(&ev->fd, file_at);
		bpf_probe_read_kernel_str(ev->name, sizeof(ev->name),
					  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	} else {
		ev->fd.mode = mode;
		ev->fd.ino = key.ino;
		ev->fd.sk = 0;
		ev->fd.family = 0;
	}
	event_submit(ev);
	return id;
}

/* What @task, whose state is @t and whose user registers are @regs, sleeps on from @ts on. */
static __always_inline __u32 file_slept_on(struct thread *t, struct task_struct *task,
					   const struct pt_regs *regs, __u64 ts)
{
	__u64 inode = t->sched.fault_inode;
	__s64 call = regs->orig_ax;
	__u64 fd = regs->di;
	struct file *file;

	t->sched.fault_inode = 0;
	if (call == -1)
		return inode ? file_id(0, inode, -1, task->pid, ts) : FILE_NONE;
	if (call < 0 || call >= 6 * 64 || !(calls_on_files[call >> 6] & 1ull << (call & 63)))
		return FILE_NONE;
	file = file_of(task, fd);
	return file ? file_id((__u64)file, 0, fd, task->pid, ts) : FILE_NONE;
}

#endif /* DWELL_FILE_BPF_H */
