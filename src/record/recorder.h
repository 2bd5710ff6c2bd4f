/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One recording: attach to a target, move events from the rings to the file
 * until told to stop, and close the file in order. It must not know how
 * options are spelled or what the events will be used for.
 */
#ifndef DWELL_RECORD_RECORDER_H
#define DWELL_RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct recorder_opts {
	pid_t		 pid;		/* attach to it, or 0 … */
	char		**argv;		/* … launch this */
	const char	*output;	/* "-": standard output */
	uint64_t	 duration_ns;	/* 0: until interrupted or the target ends */
	const char	*debug_file;	/* separate DWARF, or NULL */
	const char	*cache_dir;	/* as in struct image_opts */
	size_t		 ring_bytes;	/* per CPU, 0: default */
	uint32_t	 hide_switches;	/* see struct bpf_config; 0: none */
	bool		 quiet;		/* no progress line */
	bool		 verbose;
	bool		 empty;		/* empty probes, no events: for benchmarks */
};

/*
 * Record. 0 if the file is whole, however the recording ended (duration,
 * SIGINT, SIGTERM, the target's exit or exec). Otherwise a negative errno,
 * after one line on standard error; what was written stays readable.
 */
int recorder__run(const struct recorder_opts *opts);

#endif /* DWELL_RECORD_RECORDER_H */
