// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are truncated or written to while their model is made: an error that
 * says so, and never a signal. The moment is chosen by the progress that is reported.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "image_debug.h"

enum change { CUT, CUT_TAIL, REWRITE, NR_CHANGES };

/* What is done to @path when progress has been reported @countdown times. */
struct change_at {
	const char	*path;
	enum change	 change;
	int		 countdown;
	int		 seen;
};

static void change(const char *path, enum change how)
{
	struct stat st;
	uint8_t *noise;
	int fd;

	assert_int_equal(stat(path, &st), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	if (how == CUT) {
		assert_int_equal(ftruncate(fd, 0), 0);
	} else if (how == CUT_TAIL) {
		assert_int_equal(ftruncate(fd, st.st_size - st.st_size / 4), 0);
	} else {
		noise = malloc((size_t)st.st_size);
		assert_non_null(noise);
		for (off_t i = 0; i < st.st_size; i++)
			noise[i] = (uint8_t)(1 + rnd() % 255);
		assert_int_equal(pwrite(fd, noise, (size_t)st.st_size, 0), st.st_size);
		free(noise);
	}
	close(fd);
}

static void progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct change_at *c = ctx;

	(void)what;
	(void)done;
	(void)total;
	if (c->seen++ == c->countdown)
		change(c->path, c->change);
}

/* Open @exe, with @path changed on the way: true if that came too late. */
static bool open_changing(const char *exe, const char *debug, struct change_at *c)
{
	const struct image_opts opts = { .cache_dir = "", .jobs = 1, .debug_file = debug,
					 .progress = progress, .ctx = c };
	struct image *img;
	const char *why;
	int err;

	c->seen = 0;
	err = image__open(exe, &opts, &img, &why);
	if (c->seen <= c->countdown) {
		assert_int_equal(err, 0);
		image__free(img);
		return true;
	}
	assert_null(img);
	if (!strstr(why, "changed while it was read"))
		fail_msg("change %d after %d of %s: %d: '%s'", c->change, c->countdown, c->path, err,
			 why);
	assert_int_equal(err, -EIO);
	return false;
}

/* Change @name at each moment in each way; it is made anew from @name.good. */
static void change_always(const char *exe, const char *debug, const char *name)
{
	struct change_at c = { .path = at("%s", name) };

	in_dir("cp %s %s.good", name, name);
	for (int how = 0; how < NR_CHANGES; how++) {
		bool late = false;

		c.change = (enum change)how;
		for (c.countdown = 0; !late; c.countdown++) {
			in_dir("cp %s.good %s", name, name);
			late = open_changing(exe, debug, &c);
		}
		assert_true(c.countdown > 1);
	}
	in_dir("cp %s.good %s", name, name);
}

static void program(void **state)
{
	char exe[PATH_MAX];

	(void)state;
	build("-g", "prog");
	strcpy(exe, at("prog"));
	change_always(exe, NULL, "prog");
	build("-g -gz", "prog");
	change_always(exe, NULL, "prog");
}

static void debug_file(void **state)
{
	char exe[PATH_MAX], debug[PATH_MAX];

	(void)state;
	build("-g", "prog");
	separate("prog");
	strcpy(exe, at("prog"));
	strcpy(debug, at("prog.debug"));
	change_always(exe, debug, "prog.debug");
	change_always(exe, NULL, "prog.debug");		/* by .gnu_debuglink */
	change_always(exe, debug, "prog");
}

/* Once read, it is of no more interest. */
static void split(void **state)
{
	char exe[PATH_MAX];
	struct change_at c = { .path = at("prog-main.dwo") };
	const struct image_opts opts = { .cache_dir = "", .jobs = 1, .progress = progress,
					 .ctx = &c };
	struct image *img;
	const char *why;

	(void)state;
	build(split_flags[0], "prog");
	strcpy(exe, at("prog"));
	for (c.countdown = 0; c.seen >= c.countdown; c.countdown++) {
		in_dir("cp prog-main.dwo good.dwo");
		c.seen = 0;
		assert_int_equal(image__open(exe, &opts, &img, &why), 0);
		image__free(img);
		in_dir("cp good.dwo prog-main.dwo");
	}
	assert_true(c.countdown > 1);
}

/* A child ends the file while it is read, at any moment. */
static void at_random(void **state)
{
	char exe[PATH_MAX];

	(void)state;
	build("-g", "prog");
	strcpy(exe, at("prog"));
	in_dir("cp prog prog.good");
	for (int i = 0; i < 60; i++) {
		const struct image_opts opts = { .cache_dir = "", .jobs = 2 };
		struct image *img;
		const char *why;
		pid_t child;
		int err;

		in_dir("cp prog.good prog");
		child = fork();
		if (!child) {
			usleep((useconds_t)(rnd() % 3000));
			_exit(truncate(exe, (off_t)(rnd() % 5000)) != 0);
		}
		err = image__open(exe, &opts, &img, &why);
		assert_true(!err || err == -EIO || err == -ENOEXEC);
		assert_true(!err || *why);
		image__free(img);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(program),
		TEST(debug_file),
		TEST(split),
		TEST(at_random),
	};

	find_tools();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
