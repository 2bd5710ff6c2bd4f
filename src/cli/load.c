/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a file name to a finished join, with the messages for what may be
 * wrong with the file.
 */
#include <errno.h>
#include <stdio.h>

#include "cli/load.h"
#include "join/join.h"

int load__trace(struct loaded *l, const char *name, const char *path)
{
	const char *why, *torn;
	int err;

	*l = (struct loaded){ 0 };
	err = trace_reader__open(path, &l->reader, &why);
	if (err) {
		fprintf(stderr, "%s: %s\n", name, why);
		return err;
	}
	torn = trace_reader__torn(l->reader);
	if (torn) {
		fprintf(stderr, "%s: %s: %s; what was recorded before is shown\n", name, path, torn);
		l->status = -ENODATA;
	}
	err = join__new(l->reader, &l->join);
	if (err) {
		fprintf(stderr, "%s: out of memory\n", name);
		goto fail;
	}
	err = join__run(l->join);
	if (err == -EPROTO) {
		fprintf(stderr, "%s: error: %s; please report this with the file\n", name,
			join__why(l->join));
		l->status = err;
	} else if (err) {
		fprintf(stderr, "%s: cannot read %s: %s\n", name, path, join__why(l->join));
		goto fail;
	}
	if (trace_reader__damaged(l->reader)) {
		fprintf(stderr, "%s: %s: damaged chunks held %llu events; their time is [unattributed]\n",
			name, path, (unsigned long long)trace_reader__damaged(l->reader));
		if (!l->status)
			l->status = -EBADMSG;
	}
	return 0;
fail:
	load__free(l);
	return err;
}

void load__free(struct loaded *l)
{
	join__free(l->join);
	trace_reader__free(l->reader);
	*l = (struct loaded){ 0 };
}
