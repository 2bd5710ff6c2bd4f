/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that a group of tests writes its recordings to.
 */
#ifndef DWELL_TEST_TRACE_PATH_H
#define DWELL_TEST_TRACE_PATH_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/dwell-test-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

#endif /* DWELL_TEST_TRACE_PATH_H */
