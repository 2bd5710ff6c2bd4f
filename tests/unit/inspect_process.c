// SPDX-License-Identifier: GPL-2.0
/*
 * A live process from outside: how it is found and what is said if it is not, its memory
 * with holes in it, its CPU time, its end; and what rights are said to be missing.
 */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/unit/live_child.h"

#include "inspect/rights.h"

#define NOBODY	65534

/* ---- memory ---- */

static size_t page;
static uint8_t *pages;		/* eight, of which the fourth is not there */

#define HOLE	(3 * page)

static void make_pages(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	for (size_t i = 0; i < 8 * page; i++)
		pages[i] = (uint8_t)(i * 7 + i / page);
	assert_int_equal(munmap(pages + HOLE, page), 0);
}

static void drop_pages(void)
{
	munmap(pages, 8 * page);
}

static uint64_t at(size_t off)
{
	return (uintptr_t)pages + off;
}

static void check_read(const struct process *p, size_t off, size_t len, size_t want)
{
	uint8_t *to = malloc(len + 1);
	ssize_t n;

	assert_non_null(to);
	memset(to, 0x11, len + 1);
	n = process__read_some(p, at(off), to, len);
	assert_int_equal(n, want ? (ssize_t)want : -EFAULT);
	assert_memory_equal(to, pages + off, want);
	/* all of it or an error */
	assert_int_equal(process__read(p, at(off), to, len), want == len ? 0 : -EFAULT);
	assert_int_equal(to[len], 0x11);
	free(to);
}

static void reading(void **state)
{
	struct process p = { .exe_fd = -1 };
	uint8_t byte;

	(void)state;
	skip_unless_readable();
	make_pages();
	p.pid = child_begin(child_waits, NULL);
	/* what happens here since is nothing to it */
	pages[0] ^= 0xff;
	assert_int_equal(process__read(&p, at(0), &byte, 1), 0);
	assert_int_equal(byte, pages[0] ^ 0xff);
	pages[0] ^= 0xff;
	check_read(&p, 0, 1, 1);
	check_read(&p, 0, HOLE, HOLE);
	check_read(&p, page - 4, 8, 8);
	/* up to the hole, from within it, behind it, around it */
	check_read(&p, HOLE - 8, 8, 8);
	check_read(&p, HOLE - 8, 9, 8);
	check_read(&p, page, 6 * page, 2 * page);
	check_read(&p, HOLE, 1, 0);
	check_read(&p, HOLE + page - 1, 2, 0);
	check_read(&p, HOLE + page, page, page);
	/* nowhere */
	assert_int_equal(process__read(&p, 0, &byte, 1), -EFAULT);
	assert_int_equal(process__read(&p, ~0ull, &byte, 1), -EFAULT);
	assert_int_equal(process__read(&p, 1ull << 63, &byte, 1), -EFAULT);
	assert_int_equal(process__read(&p, at(0), &byte, 0), 0);
	/* ended, and gone */
	child_becomes_zombie(p.pid);
	assert_int_equal(process__read(&p, at(0), &byte, 1), -ESRCH);
	child_end(p.pid);
	assert_int_equal(process__read(&p, at(0), &byte, 1), -ESRCH);
	drop_pages();
}

/* ---- finding ---- */

static void assert_none(const struct process *p)
{
	assert_int_equal(p->pidfd, -1);
	assert_int_equal(p->exe_fd, -1);
	assert_int_equal(p->pid, 0);
	assert_string_equal(p->exe_name, "");
}

static void found(void **state)
{
	char self[256] = "", name[64] = "";
	struct stat own, its;
	const char *why = "";
	struct process p;
	pid_t pid;

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	process__init(&p);
	assert_none(&p);
	process__close(&p);
	prctl(PR_GET_NAME, name);
	pid = child_begin(child_waits, NULL);
	assert_int_equal(process__find(&p, pid, &why), 0);
	assert_int_equal(p.pid, pid);
	assert_true(p.pidfd >= 0);
	assert_string_equal(p.exe_name, self);
	assert_string_equal(p.comm, name);
	assert_int_equal(stat("/proc/self/exe", &own), 0);
	assert_int_equal(fstat(p.exe_fd, &its), 0);
	assert_int_equal(own.st_ino, its.st_ino);
	assert_int_equal(fcntl(p.exe_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(p.pidfd, F_GETFD), FD_CLOEXEC);
	assert_false(process__exited(&p));
	child_becomes_zombie(pid);
	assert_true(process__exited(&p));
	child_end(pid);
	assert_true(process__exited(&p));
	process__close(&p);
	assert_none(&p);
	process__close(&p);
}

/* What is said of @pid, which cannot be looked at. */
static void check_not_found(pid_t pid, int want, const char *word)
{
	const char *why = "nothing was said";
	struct process p;
	int err;

	process__init(&p);
	err = process__find(&p, pid, &why);
	if ((want && err != want) || err >= 0 || !strstr(why, word) || strchr(why, '\n'))
		fail_msg("pid %d: %d, not %d, with '%s' in: %s", pid, err, want, word, why);
	process__close(&p);
}

static void not_found(void **state)
{
	pid_t pid = child_begin(child_waits, NULL);

	(void)state;
	child_becomes_zombie(pid);
	check_not_found(pid, -ENOENT, "a kernel thread or a zombie");
	child_end(pid);
	check_not_found(pid, -ESRCH, "no such process");
	check_not_found(INT32_MAX, -ESRCH, "no such process");
	check_not_found(0, -EINVAL, "");
	check_not_found(-1, -EINVAL, "");
}

static void *wait_in_thread(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void have_a_thread(void *ctx)
{
	pthread_t thread;

	(void)ctx;
	if (pthread_create(&thread, NULL, wait_in_thread, NULL))
		_exit(1);
	child_waits(NULL);
}

/* A thread of @pid that is not its first; 0: it has none yet. */
static pid_t another_thread(pid_t pid)
{
	char path[64];
	struct dirent *d;
	pid_t tid = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !tid && (d = readdir(dir)))
		if (d->d_name[0] != '.' && atoi(d->d_name) != pid)
			tid = atoi(d->d_name);
	if (dir)
		closedir(dir);
	return tid;
}

/* Who gives a thread's id is told the process's. */
static void threads(void **state)
{
	char word[64];
	pid_t pid, tid;

	(void)state;
	pid = child_begin(have_a_thread, NULL);
	while (!(tid = another_thread(pid)))
		sched_yield();
	snprintf(word, sizeof(word), "a thread of process %d:", pid);
	check_not_found(tid, 0, word);
	child_end(pid);
}

/* As nobody, look at the test, which is not nobody's. */
static void look_as_nobody(void *ctx)
{
	const char *why = "";
	struct process p;
	int err;

	(void)ctx;
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(9);
	process__init(&p);
	err = process__find(&p, getppid(), &why);
	if (err != -EACCES && err != -EPERM)
		_exit(1);
	_exit(strncmp(why, "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE: not among", 47) ? 2 : 0);
}

static void others_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();	/* nobody else to be */
	pid = child_begin(look_as_nobody, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void look_from_a_namespace(void *ctx)
{
	const char *why = "";
	struct process p;

	(void)ctx;
	if (process__visible(&why))
		_exit(1);
	if (!strstr(why, "another pid namespace"))
		_exit(2);
	/* then no process is the one that its number says */
	process__init(&p);
	_exit(process__find(&p, getpid(), &why) == -ESRCH ? 0 : 3);
}

static void enter_namespace(void *ctx)
{
	int status;
	pid_t pid;

	(void)ctx;
	if (unshare(CLONE_NEWPID))
		_exit(9);
	pid = fork();
	if (!pid)
		look_from_a_namespace(NULL);
	_exit(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	      WEXITSTATUS(status) : 8);
}

static void visible(void **state)
{
	const char *why = "";
	int status;
	pid_t pid;

	(void)state;
	assert_true(process__visible(&why));
	pid = child_begin(enter_namespace, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 9)
		skip();	/* may not make a namespace */
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- where it is loaded ---- */

static int own_bias(struct dl_phdr_info *info, size_t size, void *out)
{
	(void)size;
	*(uint64_t *)out = info->dlpi_addr;
	return 1;	/* the first is the program */
}

static void bias(void **state)
{
	uint64_t want = 0, got = 0;
	struct process p = { .exe_fd = -1 };

	(void)state;
	dl_iterate_phdr(own_bias, &want);
	p.pid = child_begin(child_waits, NULL);
	assert_int_equal(process__load_bias(&p, 0, &got), 0);
	assert_int_equal(got, want);
	/* it is by what is first in the file, wherever that is linked to */
	assert_int_equal(process__load_bias(&p, 0x200000, &got), 0);
	assert_int_equal(got, want - 0x200000);
	child_becomes_zombie(p.pid);
	assert_true(process__load_bias(&p, 0, &got) < 0);
	child_end(p.pid);
	assert_true(process__load_bias(&p, 0, &got) < 0);
}

static char copied[128];

static void execute_copy(void *ctx)
{
	(void)ctx;
	execl(copied, "copy", "100", (char *)NULL);
	_exit(1);
}

/* The program's headers are at 64 of what is first in the file: where, the kernel has told it. */
static uint64_t told_base(pid_t pid)
{
	Elf64_auxv_t auxv[64];
	uint64_t base = 0;
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(auxv, sizeof(auxv[0]), 64, f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		if (auxv[i].a_type == AT_PHDR)
			base = auxv[i].a_un.a_val - sizeof(Elf64_Ehdr);
	return base;
}

static bool runs_copy(pid_t pid)
{
	char path[64], exe[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, exe, sizeof(exe) - 1) > 0 && strstr(exe, "dwell test");
}

/* Names with blanks in them, and programs that are not there any more. */
static void odd_names(void **state)
{
	char command[256], folder[] = "/tmp/dwell test  X-XXXXXX";
	struct process p;
	const char *why;
	uint64_t got;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(copied, sizeof(copied), "%s/a  b (c)", folder);
	snprintf(command, sizeof(command), "cp /bin/sleep '%s'", copied);
	assert_int_equal(system(command), 0);
	pid = child_begin(execute_copy, NULL);
	while (!runs_copy(pid))
		sched_yield();
	process__init(&p);
	assert_int_equal(process__find(&p, pid, &why), 0);
	assert_string_equal(p.exe_name, copied);
	assert_string_equal(p.comm, "a  b (c)");
	/* it may not have mapped itself yet */
	for (int i = 0; i < 100000 && process__load_bias(&p, 0, &got) == -ENOENT; i++)
		sched_yield();
	assert_int_equal(process__load_bias(&p, 0, &got), 0);
	assert_int_equal(got, told_base(pid));
	assert_int_equal(unlink(copied), 0);
	assert_int_equal(process__load_bias(&p, 0, &got), 0);
	assert_int_equal(got, told_base(pid));
	/* its file is still at hand */
	assert_int_equal(lseek(p.exe_fd, 1, SEEK_SET), 1);
	assert_int_equal(read(p.exe_fd, command, 3), 3);
	assert_memory_equal(command, "ELF", 3);
	process__close(&p);
	child_end(pid);
	assert_int_equal(rmdir(folder), 0);
}

/* ---- CPU time ---- */

static void burn(void *ctx)
{
	volatile uint64_t n = 0;

	(void)ctx;
	for (;;)
		n++;
}

static void cpu_time(void **state)
{
	uint64_t last = 0, now;
	struct process p;
	const char *why;
	pid_t pid;

	(void)state;
	process__init(&p);
	pid = child_begin(burn, NULL);
	assert_int_equal(process__find(&p, pid, &why), 0);
	/* it grows, and never less than it was */
	while (last < p.cpu_start + 5000000) {
		now = process__cpu_ns(&p);
		assert_true(now >= last);
		last = now;
	}
	/* a zombie's clock may fall back */
	child_becomes_zombie(pid);
	assert_true(process__cpu_ns(&p) >= last);
	last = process__cpu_ns(&p);
	child_end(pid);
	/* gone: as it was last */
	assert_int_equal(process__cpu_ns(&p), last);
	assert_int_equal(p.cpu_last, last);
	/* however much that was */
	p.cpu_last = UINT64_MAX;
	p.pid = getpid();
	assert_int_equal(process__cpu_ns(&p), UINT64_MAX);
	process__close(&p);
}

/* ---- rights ---- */

static const struct {
	unsigned int	 nr;
	const char	*name;
} needed[] = { { CAP_BPF, "CAP_BPF" }, { CAP_PERFMON, "CAP_PERFMON" },
	       { CAP_SYS_PTRACE, "CAP_SYS_PTRACE" } };

static void take_sets(struct __user_cap_data_struct sets[2], long call)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	if (syscall(call, &head, sets))
		_exit(7);
}

/* Keep those of needed[] that @keep has a bit for. 9: there are fewer. */
static void keep_rights(unsigned int keep)
{
	struct __user_cap_data_struct sets[2];

	take_sets(sets, SYS_capget);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int word = needed[i].nr / 32, bit = 1u << needed[i].nr % 32;

		if (keep & 1u << i && !(sets[word].effective & bit))
			_exit(9);
		if (!(keep & 1u << i))
			sets[word].effective &= ~bit;
	}
	take_sets(sets, SYS_capset);
}

/* With the rights that @ctx has a bit for each of, what is said. */
static void say_rights(void *ctx)
{
	unsigned int keep = *(unsigned int *)ctx;
	char want[256], out[256], part[257];

	keep_rights(keep);
	for (int others = 0; others < 2; others++) {
		unsigned int nr = others ? 3 : 2;

		want[0] = '\0';
		for (unsigned int i = 0; i < nr; i++)
			if (!(keep & 1u << i))
				sprintf(want + strlen(want), "%s%s", *want ? ", " : "",
					needed[i].name);
		if (*want)
			sprintf(want + strlen(want), ": not among the rights of dwell: run it as "
				"root, or with %s", others ?
				"CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE" : "CAP_BPF and CAP_PERFMON");
		rights__missing(others, out, sizeof(out));
		/* nothing is missing: but it may be a namespace's root */
		if (*want ? strcmp(out, want) : *out && !strstr(out, "user namespace"))
			_exit(1);
		/* cut where there is no room, with its end */
		for (size_t size = 1; size <= sizeof(out); size++) {
			memset(part, 0x11, sizeof(part));
			rights__missing(others, part, size);
			if (strlen(part) >= size || (*want && strncmp(part, want, strlen(part))))
				_exit(2);
			for (size_t i = size; i < sizeof(part); i++)
				if (part[i] != 0x11)
					_exit(3);
		}
	}
	_exit(0);
}

static void rights(void **state)
{
	unsigned int left_out = 0;

	(void)state;
	for (unsigned int keep = 0; keep < 8; keep++) {
		pid_t pid = child_begin(say_rights, &keep);
		int status;

		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 9)
			left_out++;
		else
			assert_int_equal(WEXITSTATUS(status), 0);
	}
	/* none of them is what anybody may have */
	assert_true(left_out < 8);
	if (left_out)
		skip();
}

static void enter_user_namespace(void *ctx)
{
	char out[256], map[32];
	int fd, n = snprintf(map, sizeof(map), "0 %u 1", geteuid());

	(void)ctx;
	if (unshare(CLONE_NEWUSER))
		_exit(9);
	fd = open("/proc/self/uid_map", O_WRONLY);
	if (fd < 0 || write(fd, map, (size_t)n) != n)
		_exit(9);
	close(fd);
	rights__missing(true, out, sizeof(out));
	if (strncmp(out, "root of a user namespace", 24))
		_exit(1);
	/* rights that it could have even there come first */
	keep_rights(6);
	rights__missing(true, out, sizeof(out));
	_exit(strncmp(out, "CAP_BPF: not among", 18) ? 2 : 0);
}

static void user_namespaces(void **state)
{
	pid_t pid = child_begin(enter_user_namespace, NULL);
	int status;

	(void)state;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 9)
		skip();	/* may not make a namespace */
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(found),
		cmocka_unit_test(not_found),
		cmocka_unit_test(threads),
		cmocka_unit_test(others_process),
		cmocka_unit_test(visible),
		cmocka_unit_test(bias),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(cpu_time),
		cmocka_unit_test(rights),
		cmocka_unit_test(user_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
