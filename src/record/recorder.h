/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One recording: attach to a target, move events from the rings to the file until told
 * to stop, and close the file properly. It must not know how options are spelled or
 * what the events are used for.
 */
#ifndef DWELL_RECORD_RECORDER_H
#define DWELL_RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct recorder_opts {
	pid_t		 pid;		/* the process to attach to; 0: launch argv */
	char		**argv;		/* the command to launch */
	const char	*output;	/* "-": standard output */
	uint64_t	 duration_ns;	/* 0: until interrupted, or until the target ends */
	const char	*debug_file;	/* a separate file with DWARF, or NULL */
	const char	*cache_dir;	/* as in struct image_opts */
	size_t		 ring_bytes;	/* of each CPU's ring; 0: default */
	uint32_t	 hide_switches;	/* see struct bpf_config; 0: none */
	uint32_t	 sample_hz;	/* samples a second and CPU: see cpu_samples.h; 0: none */
	bool		 quiet;		/* no line with the progress */
	bool		 verbose;
	bool		 empty;		/* empty probes and no events, for benchmarks */
	bool		 no_looks;	/* do not find out why tasks wait: see looker.h */
};

/*
 * Record. 0 if the file is complete, however the recording ended (duration, SIGINT,
 * SIGTERM, exit or exec of the target). Otherwise a negative errno, after one line on
 * standard error; what has been written stays readable.
 */
int recorder__run(const struct recorder_opts *opts);

#endif /* DWELL_RECORD_RECORDER_H */
