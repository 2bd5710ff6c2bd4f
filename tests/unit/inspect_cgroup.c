/* SPDX-License-Identifier: GPL-2.0 */
/* A cgroup's counters and limits, as both versions write them; in a folder of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "inspect/cgroup.h"

static void put(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void drop(const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

static void counters(void **state)
{
	char folder[] = "/tmp/cgroup.XXXXXX";
	struct cgroup_cpu s = { .ts = 0 };
	uint64_t quota, period;

	(void)state;
	assert_non_null(mkdtemp(folder));
	strcpy(s.path, folder);
	assert_false(cgroup_cpu__read(&s));
	assert_false(cgroup_cpu__limit(&s, &quota, &period));
	/* version 2's root has a file without periods */
	put(folder, "cpu.stat", "usage_usec 5\nuser_usec 3\n");
	assert_false(cgroup_cpu__read(&s));

	put(folder, "cpu.stat", "usage_usec 5\nnr_periods 50\nnr_throttled 20\nthrottled_usec 7\n");
	put(folder, "cpu.max", "20000 100000\n");
	assert_true(cgroup_cpu__read(&s));
	assert_int_equal(s.periods, 50);
	assert_int_equal(s.throttled, 20);
	assert_int_equal(s.throttled_ns, 7000);
	assert_true(s.ts > 0);
	assert_true(cgroup_cpu__limit(&s, &quota, &period));
	assert_int_equal(quota, 20000000);
	assert_int_equal(period, 100000000);
	put(folder, "cpu.max", "max 100000\n");
	assert_false(cgroup_cpu__limit(&s, &quota, &period));
	drop(folder, "cpu.max");

	put(folder, "cpu.stat", "nr_periods 5\nnr_throttled 2\nthrottled_time 123\n");
	put(folder, "cpu.cfs_quota_us", "50000\n");
	put(folder, "cpu.cfs_period_us", "100000\n");
	assert_true(cgroup_cpu__read(&s));
	assert_int_equal(s.throttled_ns, 123);
	assert_true(cgroup_cpu__limit(&s, &quota, &period));
	assert_int_equal(quota, 50000000);
	put(folder, "cpu.cfs_quota_us", "-1\n");
	assert_false(cgroup_cpu__limit(&s, &quota, &period));
	drop(folder, "cpu.stat");
	drop(folder, "cpu.cfs_quota_us");
	drop(folder, "cpu.cfs_period_us");
	rmdir(folder);
}

static void parents(void **state)
{
	char folder[] = "/tmp/cgroup.XXXXXX";
	struct cgroup_cpu s = { .ts = 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(s.path, sizeof(s.path), "%s/a", folder);
	assert_true(cgroup_cpu__up(&s));
	assert_string_equal(s.path, folder);
	assert_true(cgroup_cpu__up(&s));
	assert_string_equal(s.path, "/tmp");
	assert_false(cgroup_cpu__up(&s));
	rmdir(folder);
}

/* Of this process, whatever the machine has. */
static void folders(void **state)
{
	char folder[PATH_MAX];
	uint64_t nr;

	(void)state;
	if (cgroup__folder(getpid(), "cpu", folder, sizeof(folder)))
		assert_int_equal(folder[0], '/');
	assert_false(cgroup__folder(getpid(), "cpu", folder, 3));
	assert_false(cgroup__folder(-1, "cpu", folder, sizeof(folder)));
	assert_false(cgroup__number("/nowhere", "cpu.stat", "nr_periods", &nr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters),
		cmocka_unit_test(parents),
		cmocka_unit_test(folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
