/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a file name to a finished join, with the messages for what may be
 * wrong with the file.
 */
#include <errno.h>

#include "base/say.h"
#include "cli/load.h"
#include "join/join.h"

int load__trace(struct loaded *l, const char *name, const char *path)
{
	const char *why, *torn;
	int err;

	*l = (struct loaded){ 0 };
	err = trace_reader__open(path, &l->reader, &why);
	if (err) {
		say__line("%s: %s", name, why);
		return err;
	}
	torn = trace_reader__torn(l->reader);
	if (torn) {
		say__line("%s: %s: %s; what was recorded before is shown", name, path, torn);
		l->status = -ENODATA;
	}
	err = join__new(l->reader, &l->join);
	if (err) {
		say__line("%s: out of memory", name);
		goto fail;
	}
	err = join__run(l->join);
	if (err == -EPROTO) {
		say__line("%s: error: %s; please report this with the file", name,
			  join__why(l->join));
		l->status = err;
	} else if (err) {
		say__line("%s: cannot read %s: %s", name, path, join__why(l->join));
		goto fail;
	}
	if (trace_reader__damaged(l->reader)) {
		say__line("%s: %s: damaged chunks held %llu events; their time is [unattributed]",
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
