// SPDX-License-Identifier: GPL-2.0
/*
 * Where the DWARF of an executable is: in itself, named by the user, by
 * .gnu_debuglink, in a running target's view of the file system, from
 * debuginfod. For split DWARF see image_debug_split.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "image_debug.h"

static void refused(const char *exe, const char *debug, int want, const char *part)
{
	const struct image_opts opts = { .debug_file = debug };
	struct debug_file *df;
	struct binary b;
	const char *why;

	assert_int_equal(binary__open(&b, exe, &why), 0);
	assert_int_equal(debug_file__open(&df, &b, &opts, &why), want);
	assert_null(df);
	if (!strstr(why, part) || !strstr(why, debug))
		fail_msg("'%s' does not say '%s' of %s", why, part, debug);
	binary__close(&b);
}

/* ---- in the executable ---------------------------------------------------- */

static void embedded(void **state)
{
	static const char *const flags[] = { "-g", "-g -gdwarf-4", "-g -gz", "-g -gz=zlib-gnu",
					     "-g -gz -no-pie", "-g -Wl,--build-id=none" };
	struct found f;

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		build(flags[i], "prog");
		find(&f, at("prog"), NULL);
		assert_whole(&f);
		assert_nr_notes(&f, 0);
		assert_string_equal(debug_file__path(f.df), at("prog"));
		assert_ptr_equal(debug_file__symbols(f.df), f.b.elf);
		done(&f);
	}
}

static void stripped(void **state)
{
	struct found f;

	(void)state;
	build("", "prog");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_false(f.torn);
	assert_nr_notes(&f, 0);
	assert_int_not_equal(symbol(&f, "the_answer"), 0);
	done(&f);

	build("-s", "prog");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_int_equal(symbol(&f, "the_answer"), 0);
	done(&f);
}

/* Cut behind the segments: it runs, but its DWARF is gone. */
static void embedded_torn(void **state)
{
	struct found f;
	uint8_t *data;
	size_t n;

	(void)state;
	build("-g", "prog");
	data = read_file(at("prog"), &n);
	write_file(at("torn"), data, n - 64);
	free(data);
	find(&f, at("torn"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "torn");
	done(&f);
}

/* ---- named by the user ---------------------------------------------------- */

static void named(void **state)
{
	char debug[PATH_MAX];
	struct image_opts opts = { .debug_file = debug };
	struct found f;

	(void)state;
	build("-g", "prog");
	separate("prog");
	strcpy(debug, at("elsewhere"));
	in_dir("mv prog.debug elsewhere");
	find(&f, at("prog"), &opts);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	assert_string_equal(debug_file__path(f.df), debug);
	done(&f);

	/* where a build-id is missing, the places of the functions prove it */
	in_dir("objcopy --remove-section=.note.gnu.build-id prog bare");
	find(&f, at("bare"), &opts);
	assert_string_equal(debug_file__path(f.df), debug);
	assert_int_not_equal(f.di.nr_units, 0);
	done(&f);
}

static void named_wrongly(void **state)
{
	uint8_t *data;
	size_t n;

	(void)state;
	build("-g", "prog");
	separate("prog");
	sources(7);
	build("-g", "other");
	separate("other");
	in_dir("gcc -g -c answer.c -o answer.o && mkfifo pipe");
	refused(at("prog"), at("none"), -ENOENT, "no such file");
	refused(at("prog"), at("prog/none"), -ENOENT, "no such file");
	refused(at("prog"), at("answer.c"), -ENOEXEC, "no ELF file");
	refused(at("prog"), "/dev/null", -ENOEXEC, "no regular file");
	refused(at("prog"), at("pipe"), -ENOEXEC, "no regular file");
	refused(at("prog"), "/proc/self/status", -ENOEXEC, "no ELF file");
	refused(at("prog"), program_dir, -EISDIR, "directory");
	refused(at("prog"), at("other.debug"), -ENOEXEC, "another build");
	refused(at("prog"), at("answer.o"), -ENOEXEC, "object file");
	refused(at("prog"), at("prog"), -ENOEXEC, "no DWARF");
	data = read_file(at("prog.debug"), &n);
	write_file(at("torn"), data, n / 2);
	refused(at("prog"), at("torn"), -ENOEXEC, "torn");
	write_file(at("torn"), data, 40);
	refused(at("prog"), at("torn"), -ENOEXEC, "no ELF file");
	data[4] = ELFCLASS32;
	write_file(at("small"), data, n);
	refused(at("prog"), at("small"), -ENOEXEC, "");
	free(data);
}

/* Builds that have no build-id, or claim to have the same one. */
static void named_without_proof(void **state)
{
	static const char longer[] = "int the_answer(int x)\n{\n\treturn x * x / (x + 3);\n}\n";

	(void)state;
	build("-g", "prog");
	separate("prog");
	write_file(at("answer.c"), longer, sizeof(longer) - 1);
	build("-g", "other");
	separate("other");
	in_dir("objcopy --remove-section=.note.gnu.build-id other.debug bare.debug");
	refused(at("prog"), at("bare.debug"), -ENOEXEC, "another build");
	/* the same length in all, but not of each function */
	sources(5);
	in_dir("gcc -O1 -g -Wl,--build-id=none answer.c main.c -o one && "
	       "gcc -O1 -g -Wl,--build-id=none main.c answer.c -o two && "
	       "objcopy --only-keep-debug two two.debug && strip one");
	refused(at("one"), at("two.debug"), -ENOEXEC, "not in the same places");
	/* the other one's id put in */
	in_dir("objcopy -O binary --only-section=.note.gnu.build-id prog id && "
	       "objcopy --update-section .note.gnu.build-id=id other.debug forged.debug");
	refused(at("prog"), at("forged.debug"), -ENOEXEC, "another build");
	/* nothing to tell by */
	in_dir("objcopy --remove-section=.note.gnu.build-id --strip-all --keep-section='.debug*' "
	       "prog.debug silent.debug");
	refused(at("prog"), at("silent.debug"), -ENOEXEC, "cannot be told");
}

/* A file that has symbols only is used for them; the DWARF comes from elsewhere. */
static void named_symbols(void **state)
{
	char symbols[PATH_MAX];
	const struct image_opts opts = { .debug_file = symbols };
	struct found f;

	(void)state;
	build("-g", "prog");
	in_dir("strip --strip-debug -o symbols prog && strip --keep-section='.debug_*' prog");
	strcpy(symbols, at("symbols"));
	find(&f, at("prog"), &opts);
	assert_whole(&f);
	assert_noted(&f, "only its symbols are used");
	assert_string_equal(debug_file__path(f.df), at("prog"));
	done(&f);
}

/* ---- by .gnu_debuglink ---------------------------------------------------- */

static void debuglink(void **state)
{
	struct found f;

	(void)state;
	build("-g -gz", "prog");
	separate("prog");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	assert_string_equal(debug_file__path(f.df), at("prog.debug"));
	done(&f);

	in_dir("mkdir .debug && mv prog.debug .debug");
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_string_equal(debug_file__path(f.df), at(".debug/prog.debug"));
	done(&f);

	/* by another name of the executable: what counts is where it lies */
	in_dir("mkdir bin && ln -s ../prog bin/short");
	find(&f, at("bin/short"), NULL);
	assert_whole(&f);
	assert_string_equal(debug_file__path(f.df), at(".debug/prog.debug"));
	done(&f);

	in_dir("rm .debug/prog.debug");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);

	in_dir("mkfifo prog.debug");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "no regular file");
	done(&f);
}

static void debuglink_wrong(void **state)
{
	struct found f;
	uint8_t *data;
	size_t n;

	(void)state;
	build("-g", "prog");
	separate("prog");
	sources(7);
	build("-g", "other");
	separate("other");

	data = read_file(at("prog.debug"), &n);
	in_dir("cp other.debug prog.debug");
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);

	/* a good one further on is still found */
	in_dir("mkdir .debug");
	write_file(at(".debug/prog.debug"), data, n);
	find(&f, at("prog"), NULL);
	assert_whole(&f);
	assert_noted(&f, "another build");
	done(&f);
	in_dir("rm -r .debug");

	data[n / 2] ^= 1;
	write_file(at("prog.debug"), data, n);
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "checksum");
	done(&f);

	/* what is left of a half-copied file has its build-id, too */
	write_file(at("prog.debug"), data, n / 2);
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "torn");
	done(&f);
	write_file(at("prog.debug"), "nonsense", 8);
	find(&f, at("prog"), NULL);
	assert_nothing(&f);
	assert_noted(&f, "no ELF file");
	done(&f);
	free(data);
}

static void debuglink_nonsense(void **state)
{
	/* a path; no end; no checksum; nothing; the file itself */
	static const struct {
		const char	*text;
		size_t		 n;
		bool		 noted;
	} links[] = {
		{ "../../etc/passwd\0\0\0\0\1\2\3\4", 24, true },
		{ "aaaaaaaaaaaa", 12, true },
		{ "aaaaaaaaaaa", 12, true },
		{ "\0\0\0\0\0\0\0\0", 8, true },
		{ "a", 1, true },
		{ "..\0\0\0\0\0\0", 8, true },
		{ "prog\0\0\0\0\0\0\0\0", 12, true },
	};
	struct found f;

	(void)state;
	build("-s", "prog");
	if (!have_objcopy)
		skip();
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		write_file(at("link"), links[i].text, links[i].n);
		in_dir("cp prog p && objcopy --add-section=.gnu_debuglink=link p");
		find(&f, at("p"), NULL);
		assert_nothing(&f);
		if (links[i].noted != !!a_note(&f, ""))
			fail_msg("link %zu", i);
		done(&f);
	}
}

/* ---- a running target ----------------------------------------------------- */

/* Start @exe in its own view of the file system; 0: not allowed. */
static pid_t start(const char *exe, const char *new_root, bool new_mounts)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (new_mounts && (unshare(CLONE_NEWNS) ||
				   mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
				   mount(at("inside"), at("mnt"), NULL, MS_BIND, NULL)))
			_exit(1);
		if (new_root && (chroot(new_root) || chdir("/")))
			_exit(1);
		if (write(ready[1], "1", 1) != 1)
			_exit(1);
		execl(exe, exe, "wait", NULL);
		_exit(1);
	}
	close(ready[1]);
	/* two ends: "1" before exec, end of file after it */
	if (read(ready[0], &byte, 1) != 1 || read(ready[0], &byte, 1) != 0) {
		close(ready[0]);
		waitpid(pid, NULL, 0);
		return 0;
	}
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void proc_exe(void **state)
{
	char exe[64];
	struct found f;
	pid_t pid;

	(void)state;
	build(split_flags[0], "prog");
	separate("prog");
	pid = start(at("prog"), NULL, false);
	assert_int_not_equal(pid, 0);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	find(&f, exe, NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	assert_string_equal(debug_file__path(f.df), at("prog.debug"));
	done(&f);

	/* replaced by another build: what runs is still the old one */
	in_dir("cp prog.debug kept && sed -i 's/x +/x + 2 +/' answer.c");
	in_dir("rm prog prog.debug");
	build("-g", "prog");
	separate("prog");
	find(&f, exe, NULL);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);
	in_dir("mv kept prog.debug");
	find(&f, exe, NULL);
	assert_whole(&f);
	done(&f);
	stop(pid);
}

/* In another mount namespace, the name means another file. */
static void proc_container(void **state)
{
	char exe[64];
	struct found f;
	pid_t pid;

	(void)state;
	build("-g -static", "prog");
	separate("prog");
	in_dir("mkdir inside mnt && mv prog prog.debug inside");
	pid = start(at("mnt/prog"), NULL, true);
	if (!pid)
		skip();
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	find(&f, exe, NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	if (strncmp(debug_file__path(f.df), "/proc/", 6))
		fail_msg("%s", debug_file__path(f.df));
	done(&f);

	/* a link in the container is followed in the container */
	in_dir("mv inside/prog.debug secret && ln -s %s inside/prog.debug", at("mnt/real"));
	find(&f, exe, NULL);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);
	in_dir("mv secret inside/real");
	find(&f, exe, NULL);
	assert_whole(&f);
	done(&f);
	stop(pid);
}

/* The target's own /usr/lib/debug, with a root that we choose. */
static void proc_chroot(void **state)
{
	char exe[64], *id;
	struct found f;
	pid_t pid;

	(void)state;
	build("-g -static", "prog");
	separate("prog");
	find(&f, at("prog"), NULL);
	id = strdup(f.b.build_id);
	done(&f);
	in_dir("mkdir -p root/usr/lib/debug/.build-id/%.2s && mv prog root && mkdir -p usr/lib && "
	       "mv prog.debug root/usr/lib/debug/.build-id/%.2s/%s.debug", id, id, id + 2);
	pid = start("/prog", at("root"), false);
	if (!pid) {
		free(id);
		skip();
	}
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	find(&f, exe, NULL);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	done(&f);

	/* there, by the name that the program has in that root */
	in_dir("cd root/usr/lib/debug && mv .build-id/%.2s/%s.debug prog.debug", id, id + 2);
	find(&f, exe, NULL);
	assert_whole(&f);
	done(&f);
	in_dir("cd root/usr/lib/debug && mv prog.debug .build-id/%.2s/%s.debug", id, id + 2);

	/* a link to outside leads nowhere */
	in_dir("cd root/usr/lib/debug/.build-id/%.2s && mv %s.debug %s/secret && "
	       "ln -s %s/secret %s.debug", id, id + 2, program_dir, program_dir, id + 2);
	find(&f, exe, NULL);
	assert_nothing(&f);
	done(&f);

	sources(7);
	build("-g", "other");
	in_dir("cd root/usr/lib/debug/.build-id/%.2s && rm %s.debug && cp %s/other %s.debug", id,
	       id + 2, program_dir, id + 2);
	find(&f, exe, NULL);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);
	stop(pid);
	free(id);
}

/* ---- debuginfod ----------------------------------------------------------- */

/* A server of one file, or of errors; it may be silent instead. Its port. */
static int serve(const char *id, const char *file, pid_t *pid)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(addr);

	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(s, 8), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
	*pid = fork();
	assert_int_not_equal(*pid, -1);
	if (*pid) {
		close(s);
		return ntohs(addr.sin_port);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!id)
		pause();
	for (;;) {
		int c = accept(s, NULL, NULL);
		char request[4096], want[512];
		ssize_t n = read(c, request, sizeof(request) - 1);

		request[n > 0 ? n : 0] = 0;
		snprintf(want, sizeof(want), "GET /buildid/%s/debuginfo HTTP/1", id);
		if (!strncmp(request, want, strlen(want))) {
			size_t size;
			uint8_t *data = read_file(file, &size);

			dprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
				"Connection: close\r\n\r\n", size);
			for (size_t at = 0; at < size; at += (size_t)n) {
				n = write(c, data + at, size - at);
				if (n <= 0)
					break;
			}
			free(data);
		} else {
			dprintf(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
				"Connection: close\r\n\r\n");
		}
		close(c);
	}
}

static void debuginfod(void **state)
{
	struct image_opts opts = { .debuginfod = true };
	char *id, url[64];
	struct found f;
	pid_t pid;
	int port;

	(void)state;
	build("-g", "prog");
	separate("prog");
	in_dir("mv prog.debug served");
	find(&f, at("prog"), &opts);
	id = strdup(f.b.build_id);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);

	port = serve(id, at("served"), &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache"), 1);
	opts.debuginfod = false;
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	done(&f);
	opts.debuginfod = true;
	find(&f, at("prog"), &opts);
	assert_whole(&f);
	assert_nr_notes(&f, 0);
	if (strncmp(debug_file__path(f.df), at("cache/"), strlen(at("cache/"))))
		fail_msg("%s", debug_file__path(f.df));
	done(&f);
	stop(pid);

	/* a server that lies about what it has */
	sources(7);
	build("-g", "other");
	port = serve(id, at("other"), &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache2"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_noted(&f, "another build");
	done(&f);
	stop(pid);

	/* one that has nothing is no news, one that is not there is */
	port = serve("none", at("other"), &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache3"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_nr_notes(&f, 0);
	done(&f);
	stop(pid);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache4"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_noted(&f, "debuginfod failed");
	done(&f);

	/* one that says nothing must not keep us */
	port = serve(NULL, NULL, &pid);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_TIMEOUT", "1", 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache5"), 1);
	find(&f, at("prog"), &opts);
	assert_nothing(&f);
	assert_noted(&f, "debuginfod sent nothing for 1 s");
	done(&f);
	stop(pid);
	free(id);
	unsetenv("DEBUGINFOD_URLS");
	unsetenv("DEBUGINFOD_TIMEOUT");
	unsetenv("DEBUGINFOD_CACHE_PATH");
}

/* ---- hostile -------------------------------------------------------------- */

static void damaged(void **state)
{
	(void)state;
	build("-g -gz", "prog");
	damage(at("prog"), at("bad"), at("bad"), NULL);
	separate("prog");
	damage(at("prog.debug"), at("bad"), at("prog"), at("bad"));
	build("-g -gz=zlib-gnu", "prog");
	damage(at("prog"), at("bad"), at("bad"), NULL);
}

/* A pool without NUL at its end is cut to the last one. */
static void pool_without_end(void **state)
{
	struct found f;
	size_t n;
	uint8_t *data;

	(void)state;
	build("-g", "prog");
	if (!have_objcopy)
		skip();
	in_dir("objcopy -O binary --only-section=.debug_str --set-section-flags .debug_str=alloc "
	       "prog str");
	data = read_file(at("str"), &n);
	assert_true(n > 16);
	data[n - 1] = 'x';
	write_file(at("str"), data, n);
	in_dir("objcopy --update-section .debug_str=str prog");
	find(&f, at("prog"), NULL);
	assert_true(f.torn);
	assert_noted(&f, "torn");
	assert_true(f.di.nr_units > 0);
	for (size_t i = 0; i < f.di.nr_units; i++) {
		const struct debug_sec *str = &f.di.units[i]->secs->str;

		assert_true(str->n > 0 && str->n < n);
		assert_int_equal(str->p[str->n - 1], 0);
	}
	done(&f);

	memset(data, 'x', n);
	write_file(at("str"), data, n);
	in_dir("objcopy --update-section .debug_str=str prog");
	find(&f, at("prog"), NULL);
	assert_true(f.torn);
	assert_int_equal(f.di.units[0]->secs->str.n, 0);
	done(&f);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(embedded),
		TEST(stripped),
		TEST(embedded_torn),
		TEST(named),
		TEST(named_wrongly),
		TEST(named_without_proof),
		TEST(named_symbols),
		TEST(debuglink),
		TEST(debuglink_wrong),
		TEST(debuglink_nonsense),
		TEST(proc_exe),
		TEST(proc_container),
		TEST(proc_chroot),
		TEST(debuginfod),
		TEST(damaged),
		TEST(pool_without_end),
	};

	find_tools();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
