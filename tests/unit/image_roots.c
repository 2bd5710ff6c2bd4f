// SPDX-License-Identifier: GPL-2.0
/*
 * Roots in a program that is built here in several ways: at each site that the model has,
 * the place that it tells is where the root lies, which the root itself prints at each poll.
 * The sites are hit by the test, as a debugger does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "image_program.h"

#include "inspect/process.h"
#include "runtime/runtime.h"

#define SITES_MAX	256
#define HITS_MAX	256

/* ---- hits ---- */

struct hit {
	const char	*type;		/* the root's, shortened */
	uint8_t		 what;		/* enum image_root_what */
	uint64_t	 root;
	uint64_t	 in_frame;	/* where the code around says that it is, 0: it does not */
	long		 printed;	/* bytes that the program had printed */
};

struct run {
	const struct image		*img;
	const struct image_root_site	*sites;
	size_t				 nr_sites;
	const struct image_fn		*fns;
	pid_t				 pid;
	uint64_t			 bias;
	int				 out;
	struct hit			 hits[HITS_MAX];
	size_t				 nr_hits;
};

static uint64_t reg_value(unsigned int reg, const struct user_regs_struct *r)
{
	/* in the order of enum image_reg */
	const uint64_t values[] = { r->rdi, r->rsi, r->rdx, r->rbx, r->rbp, r->r12, r->r13,
				    r->r14, r->r15, r->rax, r->rcx, r->r8, r->r9, r->rsp };

	assert_true(reg < IMAGE_REG_NR);
	return values[reg];
}

static uint64_t word_at(pid_t pid, uint64_t addr)
{
	uint64_t word;

	errno = 0;
	word = (uint64_t)ptrace(PTRACE_PEEKTEXT, pid, (void *)addr, NULL);
	assert_int_equal(errno, 0);
	return word;
}

/* The root's address as the probe at @s computes it: see root_at() in poll.bpf.c. */
static uint64_t root_at(const struct run *run, const struct image_root_site *s,
			const struct user_regs_struct *r)
{
	uint64_t at = s->loc.reg == IMAGE_REG_SP ? r->rsp + (uint64_t)(int64_t)s->site.sp_adjust :
						   reg_value(s->loc.reg, r);

	at += (uint64_t)(int64_t)s->loc.off;
	return s->loc.deref ? word_at(run->pid, at) : at;
}

/* The same by the code that holds the site, for who looks at a stack; 0: by no frame's base. */
static uint64_t root_in_frame(const struct run *run, const struct image_root_site *s,
			      const struct user_regs_struct *r)
{
	const struct image_root_range *range = NULL;
	size_t nr;
	const struct image_root_range *ranges = image__root_ranges(run->img, &nr);

	for (size_t i = 0; i < nr; i++)
		if (s->site.vaddr >= ranges[i].start && s->site.vaddr < ranges[i].end)
			range = &ranges[i];
	if (!range || (range->loc.reg != IMAGE_REG_SP && range->loc.reg != IMAGE_REG_BP) ||
	    range->loc.deref)
		return 0;
	return reg_value(range->loc.reg, r) + (uint64_t)(int64_t)range->loc.off;
}

static void set_byte(const struct run *run, uint64_t addr, uint8_t byte)
{
	uint64_t word = word_at(run->pid, addr);

	word = (word & ~0xffull) | byte;
	assert_int_equal(ptrace(PTRACE_POKETEXT, run->pid, (void *)addr, (void *)word), 0);
}

static uint64_t address_of(const struct run *run, size_t site)
{
	return run->sites[site].site.vaddr + run->bias;
}

/* The instruction's first byte, as the model keeps it. */
static uint8_t own_byte(const struct run *run, size_t site)
{
	const struct image_site *s = &run->sites[site].site;

	return s->code[s->code_before];
}

static void break_all(const struct run *run)
{
	for (size_t i = 0; i < run->nr_sites; i++)
		set_byte(run, address_of(run, i), 0xcc);
}

/* Wait until it has stopped: 0, or has ended: 1. */
static int wait_for(const struct run *run, int signal)
{
	int status;

	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return 1;
	}
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != signal)
		fail_msg("the program was stopped or ended by %d", status);
	return 0;
}

/* It has come to a site, or to several that are at the same place. */
static void take_hit(struct run *run)
{
	struct user_regs_struct r;
	uint64_t at;

	assert_int_equal(ptrace(PTRACE_GETREGS, run->pid, NULL, &r), 0);
	at = --r.rip;
	for (size_t i = 0; i < run->nr_sites; i++) {
		const struct image_root_site *s = &run->sites[i];

		if (address_of(run, i) != at)
			continue;
		assert_true(run->nr_hits < HITS_MAX);
		run->hits[run->nr_hits++] = (struct hit){
			.type = image__str(run->img, run->fns[s->fn].task), .what = s->what,
			.root = s->what == IMAGE_ROOT_BEGIN ? root_at(run, s, &r) : 0,
			.in_frame = root_in_frame(run, s, &r),
			.printed = lseek(run->out, 0, SEEK_END),
		};
		set_byte(run, at, own_byte(run, i));
	}
	/* on from there, with the breakpoint set anew behind it */
	assert_int_equal(ptrace(PTRACE_SETREGS, run->pid, NULL, &r), 0);
	assert_int_equal(ptrace(PTRACE_SINGLESTEP, run->pid, NULL, NULL), 0);
	if (!wait_for(run, SIGTRAP))
		set_byte(run, at, 0xcc);
}

static void execute(const struct run *run, const char *path)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(run->out, STDOUT_FILENO) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(99);
	execl(path, path, (char *)NULL);
	_exit(98);
}

static void run_program(struct run *run, const struct image *img, const char *path)
{
	struct process p = { .exe_fd = -1 };
	size_t nr;

	memset(run, 0, sizeof(*run));
	run->img = img;
	run->sites = image__root_sites(img, &run->nr_sites);
	run->fns = image__fns(img, &nr);
	assert_in_range(run->nr_sites, 1, SITES_MAX);
	run->out = open(at("printed"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	assert_true(run->out >= 0);
	run->pid = fork();
	assert_true(run->pid >= 0);
	if (!run->pid)
		execute(run, path);
	assert_int_equal(wait_for(run, SIGTRAP), 0);
	p.pid = run->pid;
	assert_int_equal(process__load_bias(&p, image__first_vaddr(img), &run->bias), 0);
	break_all(run);
	while (!ptrace(PTRACE_CONT, run->pid, NULL, NULL) && !wait_for(run, SIGTRAP))
		take_hit(run);
}

/* ---- what must be so ---- */

/* A poll, as its root has printed it. */
struct printed {
	char			type[64];
	unsigned long long	root;
	long			at;	/* where the line begins */
};

static size_t read_printed(const struct run *run, struct printed *polls, size_t max)
{
	FILE *out = fdopen(dup(run->out), "r");
	size_t nr = 0;

	assert_non_null(out);
	rewind(out);
	for (; nr < max; nr++) {
		polls[nr].at = nr ? ftell(out) + 1 : 0;
		if (fscanf(out, "%63s %llx", polls[nr].type, &polls[nr].root) != 2)
			break;
	}
	fclose(out);
	return nr;
}

static bool is_of(const struct hit *h, const struct printed *p)
{
	const char *type = strrchr(h->type, ':');

	return h->root == p->root && !strcmp(type ? type + 1 : h->type, p->type);
}

/*
 * Before a poll prints, a probe is hit that tells of it, with its address. More of them may
 * be, also when a poll goes on behind what it has called; but none says another address.
 */
static void check_polls(const struct run *run, const char *how, unsigned int *framed)
{
	struct printed polls[64];
	size_t nr = read_printed(run, polls, 64);

	assert_int_equal(nr, 3 + 2 + 2 + 2 + 3);
	for (size_t i = 0; i < nr; i++) {
		bool told = false;

		for (size_t k = 0; k < run->nr_hits; k++) {
			const struct hit *h = &run->hits[k];

			if (h->what != IMAGE_ROOT_BEGIN || h->printed != polls[i].at)
				continue;
			told |= is_of(h, &polls[i]);
			if (h->in_frame && h->in_frame != h->root)
				fail_msg("%s: %s is at %llx, and in its frame at %llx", how, h->type,
					 (unsigned long long)h->root,
					 (unsigned long long)h->in_frame);
			*framed += h->in_frame != 0;
			if (!is_of(h, &polls[i]) && !(i && is_of(h, &polls[i - 1])))
				fail_msg("%s: poll %zu is of %s at %llx: a probe says %s at %llx", how,
					 i, polls[i].type, polls[i].root, h->type,
					 (unsigned long long)h->root);
		}
		if (!told)
			fail_msg("%s: no probe tells of poll %zu, of %s", how, i, polls[i].type);
	}
}

/* Until its last poll has printed a root is not gone; before the next root begins it is. */
static void check_ends(const struct run *run, const char *how)
{
	static const unsigned int last[] = { 2, 4, 6, 8, 11 };
	struct printed polls[64];
	size_t nr = read_printed(run, polls, 64);
	long ends[64];

	for (size_t i = 0; i < nr; i++)
		ends[i] = i + 1 < nr ? polls[i + 1].at : lseek(run->out, 0, SEEK_END);
	for (size_t i = 0; i < 5; i++) {
		unsigned int gone = 0;

		for (size_t k = 0; k < run->nr_hits; k++)
			gone += run->hits[k].what == IMAGE_ROOT_GONE &&
				run->hits[k].printed == ends[last[i]];
		if (!gone)
			fail_msg("%s: root %zu never goes", how, i);
	}
	for (size_t k = 0; k < run->nr_hits; k++) {
		bool at_an_end = false;

		for (size_t i = 0; i < 5; i++)
			at_an_end |= run->hits[k].printed == ends[last[i]];
		if (run->hits[k].what == IMAGE_ROOT_GONE && !at_an_end)
			fail_msg("%s: %s is gone before its last poll", how, run->hits[k].type);
	}
}

static void check_ranges(const struct image *img)
{
	const struct image_root_range *r;
	size_t nr, nr_fns;

	image__fns(img, &nr_fns);
	r = image__root_ranges(img, &nr);
	assert_true(nr);
	for (size_t i = 0; i < nr; i++) {
		assert_true(r[i].start < r[i].end);
		assert_true(r[i].fn < nr_fns);
		assert_true(!i || r[i - 1].start < r[i].start ||
			    (r[i - 1].start == r[i].start && r[i - 1].end >= r[i].end));
	}
}

static void check_build(const char *flags)
{
	static const struct image_opts opts = { .cache_dir = "" };
	char source[PATH_MAX];
	static struct run run;
	unsigned int framed = 0;
	struct image *img;
	const char *why;

	snprintf(source, sizeof(source), "%s", __FILE__);
	strcpy(strrchr(source, '/'), "/image_roots.rs");
	if (!try_sh("PATH=$PATH:$HOME/.cargo/bin rustc --edition 2021 --crate-name pollster "
		    "--crate-type bin -g %s %s -o %s", flags, source, at("roots")))
		skip();
	if (image__open(at("roots"), &opts, &img, &why))
		fail_msg("%s: %s", flags, why);
	run_program(&run, img, at("roots"));
	check_polls(&run, flags, &framed);
	assert_true(framed);
	check_ends(&run, flags);
	check_ranges(img);
	close(run.out);
	image__free(img);
}

static void release(void **state)
{
	(void)state;
	check_build("-O");
}

static void one_unit_no_unwinding(void **state)
{
	(void)state;
	check_build("-O -C codegen-units=1 -C panic=abort -C lto=fat");
}

static void frame_pointers(void **state)
{
	(void)state;
	check_build("-O -C force-frame-pointers=yes");
}

static void small_code(void **state)
{
	(void)state;
	check_build("-C opt-level=s -C panic=abort");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(release),
		TEST(one_unit_no_unwinding),
		TEST(frame_pointers),
		TEST(small_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
