// SPDX-License-Identifier: GPL-2.0
/*
 * Models on disk: what is loaded is what was built; what is damaged, of another
 * version or of another program is built again, and nothing of it is believed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "image_program.h"

#include "image/cache.h"
#include "image/model.h"
#include "trace_random.h"

static bool have_program;
static char workload[PATH_MAX];

/* The only file in a folder; NULL: none. */
static const char *only_file(const char *dir)
{
	static char path[PATH_MAX];
	const char *found = NULL;
	struct dirent *e;
	DIR *d = opendir(dir);

	if (!d)
		return NULL;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		assert_null(found);
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		found = path;
	}
	closedir(d);
	return found;
}

struct opened {
	struct image	*img;
	char		*text;
	bool		 cached;
};

static void open_it(struct opened *o, const char *path, const char *cache, const char *debug)
{
	const struct image_opts opts = { .cache_dir = cache, .jobs = 1, .debug_file = debug };
	const char *why;
	int err;

	err = image__open(path, &opts, &o->img, &why);
	if (err)
		fail_msg("%s: %d %s", path, err, why);
	o->text = image_text(o->img);
	o->cached = o->img->cached;
}

static void close_it(struct opened *o)
{
	image__free(o->img);
	free(o->text);
}

/* Is it taken from the cache? And is it what is built without one? */
static void assert_opens(const char *path, const char *cache, bool cached)
{
	struct opened o, fresh;

	open_it(&fresh, path, "", NULL);
	assert_false(fresh.cached);
	open_it(&o, path, cache, NULL);
	assert_int_equal(o.cached, cached);
	assert_string_equal(o.text, fresh.text);
	close_it(&o);
	close_it(&fresh);
}

static void need_program(void)
{
	if (!have_program)
		skip();
}

/* ---- what is kept --------------------------------------------------------- */

static void all_tables(const struct image *a, const struct image *b)
{
	/* but for notes and path, an image is its block */
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->block, b->block, a->size);
}

static void same(void **state)
{
	const char *paths[] = { at("prog"), workload };

	(void)state;
	need_program();
	for (size_t i = 0; i < 2; i++) {
		char dir[PATH_MAX];
		struct opened built, cached, fresh;
		size_t nr_built, nr_cached;

		if (!*paths[i])
			continue;
		snprintf(dir, sizeof(dir), "%s", at("same%zu", i));
		open_it(&built, paths[i], dir, NULL);
		assert_int_equal(image__tier(built.img), IMAGE_TIER_FULL);
		assert_false(built.cached);
		assert_non_null(only_file(dir));
		open_it(&cached, paths[i], dir, NULL);
		assert_true(cached.cached);
		open_it(&fresh, paths[i], "", NULL);
		assert_string_equal(cached.text, built.text);
		assert_string_equal(cached.text, fresh.text);
		all_tables(cached.img, built.img);
		all_tables(cached.img, fresh.img);
		assert_consistent(cached.img);
		assert_int_equal(image__first_vaddr(cached.img), image__first_vaddr(built.img));
		(void)image__notes(built.img, &nr_built);
		(void)image__notes(cached.img, &nr_cached);
		assert_int_equal(nr_built, nr_cached);
		close_it(&fresh);
		close_it(&cached);
		close_it(&built);
	}
}

/* Built by one thread or by several: the same, to the byte. */
static void any_number_of_threads(void **state)
{
	struct opened one;

	(void)state;
	need_program();
	open_it(&one, *workload ? workload : at("prog"), "", NULL);
	for (unsigned int jobs = 2; jobs < 8; jobs += 3) {
		const struct image_opts opts = { .cache_dir = "", .jobs = jobs };
		struct image *img;
		const char *why;

		assert_int_equal(image__open(*workload ? workload : at("prog"), &opts, &img, &why),
				 0);
		all_tables(one.img, img);
		image__free(img);
	}
	close_it(&one);
}

/* One file, for the user only, of no other name meanwhile. */
static void the_file(void **state)
{
	struct stat st;
	struct opened o;
	const char *file;
	char want[PATH_MAX];

	(void)state;
	need_program();
	open_it(&o, at("prog"), at("file"), NULL);
	file = only_file(at("file"));
	assert_non_null(file);
	snprintf(want, sizeof(want), "%s.model", image__build_id(o.img));
	assert_string_equal(strrchr(file, '/') + 1, want);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal((size_t)st.st_size, o.img->size);
	assert_int_equal(stat(at("file"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close_it(&o);
}

static void default_folder(void **state)
{
	struct opened o;

	(void)state;
	need_program();
	setenv("XDG_CACHE_HOME", at("xdg"), 1);
	open_it(&o, at("prog"), NULL, NULL);
	close_it(&o);
	assert_non_null(only_file(at("xdg/dwell")));
	/* what is not absolute does not count */
	setenv("XDG_CACHE_HOME", "relative", 1);
	setenv("HOME", program_dir, 1);
	open_it(&o, at("prog"), NULL, NULL);
	close_it(&o);
	assert_non_null(only_file(at(".cache/dwell")));
	unsetenv("XDG_CACHE_HOME");
	open_it(&o, at("prog"), NULL, NULL);
	assert_true(o.cached);
	close_it(&o);
	/* no home: no cache, and no complaint */
	unsetenv("HOME");
	open_it(&o, at("prog"), NULL, NULL);
	assert_false(o.cached);
	close_it(&o);
}

/* ---- what is not believed ------------------------------------------------- */

/* Change bytes of the cached model, the checksum made right again or not. */
static void spoil(const char *file, size_t at_byte, uint8_t flip, bool right)
{
	size_t n;
	uint8_t *data = read_file(file, &n);
	struct model_block *b = (void *)data;

	data[at_byte % n] ^= flip;
	if (right) {
		uint64_t sum_a = 1, sum_b = 0, word;

		/* as model.c has it: the version is what this is about */
		for (size_t i = offsetof(struct model_block, key); i < n; i += 8) {
			memcpy(&word, data + i, 8);
			sum_a += word;
			sum_b += sum_a;
		}
		sum_b += sum_a;		/* of the words that are not whole: none */
		b->checksum = sum_a ^ (sum_b << 32 | sum_b >> 32);
	}
	write_file(file, data, n);
	free(data);
}

static void damaged(void **state)
{
	char dir[PATH_MAX], file[PATH_MAX];
	size_t n;
	uint8_t *good;
	uint64_t seed = 3;

	(void)state;
	need_program();
	snprintf(dir, sizeof(dir), "%s", at("damaged"));
	assert_opens(at("prog"), dir, false);
	assert_opens(at("prog"), dir, true);
	snprintf(file, sizeof(file), "%s", only_file(dir));
	good = read_file(file, &n);
	assert_int_equal(n % 8, 0);
	for (int i = 0; i < 150; i++) {
		size_t byte = i < 120 ? (size_t)i : below(&seed, n);

		write_file(file, good, n);
		spoil(file, byte, (uint8_t)(1u << below(&seed, 8)), false);
		/* it is built again, and kept */
		assert_opens(at("prog"), dir, false);
		assert_opens(at("prog"), dir, true);
	}
	/* words that change places, and such as cancel each other out */
	for (int i = 0; i < 30; i++) {
		size_t a = 8 * below(&seed, n / 8), b = 8 * below(&seed, n / 8);
		uint8_t *bad = malloc(n);

		assert_non_null(bad);
		memcpy(bad, good, n);
		memcpy(bad + a, good + b, 8);
		memcpy(bad + b, good + a, 8);
		write_file(file, bad, n);
		assert_opens(at("prog"), dir, !memcmp(bad, good, n));
		free(bad);
	}
	write_file(file, good, n);
	assert_opens(at("prog"), dir, true);
	free(good);
}

static void cut(void **state)
{
	char dir[PATH_MAX], file[PATH_MAX];
	size_t n;
	uint8_t *good;

	(void)state;
	need_program();
	snprintf(dir, sizeof(dir), "%s", at("cut"));
	assert_opens(at("prog"), dir, false);
	snprintf(file, sizeof(file), "%s", only_file(dir));
	good = read_file(file, &n);
	for (size_t len = 0; len < n; len += len < 32 ? 8 : n / 40) {
		write_file(file, good, len);
		assert_opens(at("prog"), dir, false);
	}
	write_file(file, good, n - 1);
	assert_opens(at("prog"), dir, false);
	/* and longer than it should be */
	good[n] = 0;
	write_file(file, good, n + 1);
	assert_opens(at("prog"), dir, false);
	assert_opens(at("prog"), dir, true);
	free(good);
}

/* Whole and right, but of another version, head, table or program. */
static void other_version(void **state)
{
	static const size_t places[] = {
		offsetof(struct model_block, magic), offsetof(struct model_block, version),
		offsetof(struct model_block, version) + 3, offsetof(struct model_block, head_size),
		offsetof(struct model_block, size), offsetof(struct model_block, key),
		offsetof(struct model_block, tables[MODEL_FNS].elem),
		offsetof(struct model_block, tables[MODEL_FNS].off),
		offsetof(struct model_block, tables[MODEL_TYPES].off) + 7,
		offsetof(struct model_block, tables[MODEL_TYPES].nr) + 3,
		offsetof(struct model_block, tables[MODEL_STRINGS].nr) + 2,
	};
	char dir[PATH_MAX], file[PATH_MAX];
	uint8_t *good;
	size_t n;

	(void)state;
	need_program();
	snprintf(dir, sizeof(dir), "%s", at("version"));
	assert_opens(at("prog"), dir, false);
	snprintf(file, sizeof(file), "%s", only_file(dir));
	good = read_file(file, &n);
	/* the test's own sum is right */
	spoil(file, 0, 0, true);
	assert_opens(at("prog"), dir, true);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		write_file(file, good, n);
		spoil(file, places[i], 0x04, true);
		assert_opens(at("prog"), dir, false);
		assert_opens(at("prog"), dir, true);
	}
	free(good);
}

/* What lies in its place is no model: a folder, a link, a pipe, somebody else's. */
static void no_file(void **state)
{
	char dir[PATH_MAX], file[PATH_MAX];
	struct opened o;

	(void)state;
	need_program();
	snprintf(dir, sizeof(dir), "%s", at("other"));
	assert_opens(at("prog"), dir, false);
	snprintf(file, sizeof(file), "%s", only_file(dir));
	sh("mv %s %s && ln -s %s %s", file, at("moved"), at("moved"), file);
	open_it(&o, at("prog"), dir, NULL);
	assert_false(o.cached);
	close_it(&o);
	assert_opens(at("prog"), dir, true);	/* the link has given way */
	sh("rm %s && mkfifo %s", file, file);
	alarm(30);
	open_it(&o, at("prog"), dir, NULL);
	alarm(0);
	assert_false(o.cached);
	close_it(&o);
	sh("rm -f %s && mkdir %s", file, file);
	open_it(&o, at("prog"), dir, NULL);
	assert_false(o.cached);
	close_it(&o);
	sh("rmdir %s", file);
	if (!geteuid()) {
		assert_opens(at("prog"), dir, false);
		sh("chown 65534 %s", file);
		open_it(&o, at("prog"), dir, NULL);
		assert_false(o.cached);
		close_it(&o);
	}
	/* nothing is left over of what could not be put in place */
	(void)only_file(dir);
}

static void no_folder(void **state)
{
	struct opened o;

	(void)state;
	need_program();
	sh("touch %s", at("plain"));
	open_it(&o, at("prog"), at("plain"), NULL);
	assert_false(o.cached);
	close_it(&o);
	open_it(&o, at("prog"), at("plain/below"), NULL);
	close_it(&o);
	open_it(&o, at("prog"), "/proc/none", NULL);
	close_it(&o);
	if (geteuid()) {
		sh("mkdir -m 500 %s", at("closed"));
		open_it(&o, at("prog"), at("closed"), NULL);
		close_it(&o);
	}
}

/* ---- what it is of -------------------------------------------------------- */

/* Stripped, it has the same build-id; what is known of it is less, and is not kept. */
static void stripped(void **state)
{
	char dir[PATH_MAX];
	struct opened o;

	(void)state;
	need_program();
	if (!try_sh("strip -g -o %s %s", at("stripped"), at("prog")))
		skip();
	snprintf(dir, sizeof(dir), "%s", at("strip"));
	open_it(&o, at("stripped"), dir, NULL);
	assert_int_equal(image__tier(o.img), IMAGE_TIER_SYMBOLS);
	close_it(&o);
	assert_null(only_file(dir));
	assert_opens(at("prog"), dir, false);
	open_it(&o, at("stripped"), dir, NULL);
	assert_false(o.cached);
	assert_int_equal(image__tier(o.img), IMAGE_TIER_SYMBOLS);
	close_it(&o);
	assert_opens(at("prog"), dir, true);
	/* the user names a file: that counts, and is told apart */
	open_it(&o, at("stripped"), dir, at("prog"));
	assert_int_equal(image__tier(o.img), IMAGE_TIER_FULL);
	assert_false(o.cached);
	assert_string_equal(image__debug_path(o.img), at("prog"));
	close_it(&o);
	open_it(&o, at("stripped"), dir, at("prog"));
	assert_true(o.cached);
	close_it(&o);
	sh("touch -d '2001-01-01' %s", at("prog"));
	open_it(&o, at("stripped"), dir, at("prog"));
	assert_false(o.cached);
	close_it(&o);
}

/* Without a build-id there is nothing to tell it by. */
static void no_build_id(void **state)
{
	struct opened o;

	(void)state;
	need_program();
	if (!build_tokio("-O -C link-arg=-Wl,--build-id=none", "bare"))
		skip();
	for (int i = 0; i < 2; i++) {
		open_it(&o, at("bare"), at("bare-cache"), NULL);
		assert_string_equal(image__build_id(o.img), "");
		assert_int_equal(image__tier(o.img), IMAGE_TIER_FULL);
		assert_false(o.cached);
		close_it(&o);
	}
	assert_null(only_file(at("bare-cache")));
}

/* Of damaged debug information, what could be read is shown, but not kept. */
static void torn(void **state)
{
	struct opened o;
	uint8_t *data, *abbrev;
	size_t n, size;

	(void)state;
	need_program();
	if (!try_sh("objcopy -O binary --only-section=.debug_abbrev "
		    "--set-section-flags .debug_abbrev=alloc %s %s", at("prog"), at("abbrev")))
		skip();
	abbrev = read_file(at("abbrev"), &size);
	data = read_file(at("prog"), &n);
	/* the last table, that of some unit of core or alloc, goes on without end */
	uint8_t *place = memmem(data, n, abbrev, size);

	assert_non_null(place);
	memset(place + size - 8, 0xff, 8);
	write_file(at("torn"), data, n);
	free(abbrev);
	free(data);
	for (int i = 0; i < 2; i++) {
		open_it(&o, at("torn"), at("torn-cache"), NULL);
		assert_false(o.cached);
		assert_non_null(strstr(o.text, "damaged"));
		close_it(&o);
	}
	assert_null(only_file(at("torn-cache")));
}

static int setup(void **state)
{
	int err = program_setup(state);

	if (!err)
		have_program = build_tokio("-O", "prog");
	if (!find_workload("fat/timers", workload))
		workload[0] = 0;
	return err;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same),
		cmocka_unit_test(any_number_of_threads),
		cmocka_unit_test(the_file),
		cmocka_unit_test(damaged),
		cmocka_unit_test(cut),
		cmocka_unit_test(other_version),
		cmocka_unit_test(no_file),
		cmocka_unit_test(no_folder),
		cmocka_unit_test(stripped),
		cmocka_unit_test(no_build_id),
		cmocka_unit_test(torn),
		cmocka_unit_test(default_folder),	/* the last: HOME is gone then */
	};

	return cmocka_run_group_tests(tests, setup, program_teardown);
}
