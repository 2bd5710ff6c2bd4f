// SPDX-License-Identifier: GPL-2.0
/*
 * How fast a recording is written, read and joined: a server of many
 * connections on four workers, made up here. One JSON object on standard
 * output; needs no root.
 *
 * join_speed [EVENTS [CONNECTIONS [FILE [SEED]]]]
 *
 * With another SEED it is another run of the same server.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "join/join.h"

#define NR_WORKERS	4
#define BATCH		65536

static const struct trace_host host = {
	.hostname = "bench", .kernel = "-", .machine = "-", .comm = "server", .exe = "server",
	.build_id = "", .tier = "full", .tier_hint = "", .runtime = "tokio", .pid = 1,
	.nr_cpus = NR_WORKERS, .attach_ts = 1000000000,
};

static uint64_t seed = 42;

static uint64_t below(uint64_t n)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % n;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void define(struct trace_writer *w, uint64_t connections)
{
	static const struct trace_node chain[2][3] = {
		{ { TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 34, "server::handle", "main.rs", "" },
		  { TRACE_NODE_AWAIT, 0, 0xff, 1, 1, 0, 0, 9, "tokio::io::read", "read.rs", "" },
		  { TRACE_NODE_LEAF, WALK_KEY_IO, 0, 0, 0, 0, 0, 0, "Readiness", "", "" } },
		{ { TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 40, "server::handle", "main.rs", "" },
		  { TRACE_NODE_AWAIT, 0, 0xff, 1, 0, 0, 0, 77, "server::backoff", "main.rs", "" },
		  { TRACE_NODE_LEAF, WALK_KEY_DEADLINE, 0, 0, 0, 0, 0, 0, "Sleep", "", "" } },
	};
	char name[64];

	for (uint32_t i = 0; i < 2; i++)
		trace_writer__chain(w, &(struct trace_chain){ i + 1, 3, chain[i], "" });
	trace_writer__task_kind(w, &(struct trace_task_kind){ 1, "server::handle", "", "", 0, 0, 0, 0 });
	for (uint64_t i = 0; i < connections; i++) {
		struct trace_event ev = { .type = TRACE_FD_ADD, .ts = host.attach_ts };

		/* Clients of one host are told apart by nobody: a few hundred peers. */
		snprintf(name, sizeof(name), "tcp 10.0.0.%" PRIu64 ":443", i % 250);
		ev.fd.token = 0x7f2200400000 + 0x180 * i;
		ev.fd.epfd = 5;
		ev.fd.fd = (int32_t)i + 10;
		ev.fd.name = trace_writer__string(w, name);
		trace_writer__event(w, &ev);
	}
}

/* One turn of a worker: sleep, epoll, a few wakes, their polls. */
static size_t turn(struct trace_event *out, int cpu, uint64_t *ts, uint64_t connections)
{
	uint64_t ready = 1 + below(4), conn[4], out_ts = *ts;
	size_t nr = 0;

#define EVENT(t, ...) \
	(out[nr++] = (struct trace_event){ .ts = *ts, .tid = 1000u + (uint32_t)cpu, \
					   .cpu = (uint16_t)cpu, .type = (t), __VA_ARGS__ })
	if (below(3)) {
		*ts += 20000 + below(40000);
		EVENT(TRACE_OFF_CPU, .off = { .out = out_ts + 500, .wake = *ts - 3000,
					      .reason = TRACE_OFF_ASLEEP, .syscall = 232 });
	}
	*ts += 1500;
	EVENT(TRACE_EPOLL_WAIT, .epoll = { (int32_t)ready, 5 });
	for (uint64_t i = 0; i < ready; i++) {
		conn[i] = below(connections);
		EVENT(TRACE_EPOLL_READY, .ready = { 0x7f2200400000 + 0x180 * conn[i],
						    *ts - 2000 - below(9000), 0, 0, 1 });
	}
	for (uint64_t i = 0; i < ready; i++) {
		*ts += 300;
		EVENT(TRACE_WAKE, .task = { 0x7f2200000000 + 0x200 * conn[i] });
	}
	for (uint64_t i = 0; i < ready; i++) {
		uint64_t task = 0x7f2200000000 + 0x200 * conn[i];

		*ts += 400;
		EVENT(TRACE_POLL_BEGIN, .poll = { task, 1 });
		*ts += 3000 + below(15000);
		if (below(10))
			EVENT(TRACE_POLL_END, .end = { task, 1, 0, 1, {
				.value = { 0x7f2200400000 + 0x180 * conn[i] },
				.kind = { WALK_KEY_IO }, .dir = { WALK_DIR_READ } } });
		else
			EVENT(TRACE_POLL_END, .end = { task, 2, 0, 1, {
				.value = { *ts + 100000 }, .kind = { WALK_KEY_DEADLINE } } });
	}
#undef EVENT
	return nr;
}

static double write_file(const char *path, uint64_t events, uint64_t connections, uint64_t *written,
			 uint64_t *bytes)
{
	struct trace_event *batch = calloc(BATCH + 64, sizeof(*batch));
	uint64_t ts[NR_WORKERS];
	struct trace_writer *w;
	double spent = 0;

	if (!batch || trace_writer__new(path, &host, &w))
		exit(1);
	for (int i = 0; i < NR_WORKERS; i++)
		ts[i] = host.attach_ts + (uint64_t)i;
	define(w, connections);
	while (trace_writer__events(w) < events) {
		size_t nr = 0;
		double begin;

		while (nr < BATCH) {
			int cpu = 0;

			for (int i = 1; i < NR_WORKERS; i++)
				if (ts[i] < ts[cpu])
					cpu = i;
			nr += turn(batch + nr, cpu, &ts[cpu], connections);
		}
		begin = seconds();
		for (size_t i = 0; i < nr; i++)
			if (trace_writer__event(w, &batch[i]))
				exit(1);
		spent += seconds() - begin;
	}
	*written = trace_writer__events(w);
	if (trace_writer__finish(w, &(struct trace_totals){ .end_ts = ts[0], .ended_by = "bench" }))
		exit(1);
	*bytes = trace_writer__bytes(w);
	trace_writer__free(w);
	free(batch);
	return spent;
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000000;
	uint64_t connections = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
	const char *path = argc > 3 ? argv[3] : "join_speed.data", *why;
	double wrote, began, read, joined;
	const struct trace_event *ev;
	uint64_t written, bytes;
	struct trace_reader *r;
	struct rusage usage;
	struct join *j;
	int err;

	seed = argc > 4 ? strtoull(argv[4], NULL, 0) : seed;
	wrote = write_file(path, events, connections, &written, &bytes);
	if (trace_reader__open(path, &r, &why)) {
		fprintf(stderr, "join_speed: %s\n", why);
		return 1;
	}
	began = seconds();
	while ((err = trace_reader__next_ref(r, &ev)) > 0)
		;
	read = seconds() - began;
	trace_reader__rewind(r);
	began = seconds();
	if (err || join__new(r, &j) || join__run(j)) {
		fprintf(stderr, "join_speed: cannot join\n");
		return 1;
	}
	joined = seconds() - began;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"events\": %" PRIu64 ", \"connections\": %" PRIu64 ", \"bytes_per_event\": %.2f, "
	       "\"encode_ns_per_event\": %.1f, \"read_events_per_s\": %.0f, "
	       "\"report_events_per_s\": %.0f, \"max_rss_mb\": %.1f}\n",
	       written, connections, (double)bytes / (double)written, wrote * 1e9 / (double)written,
	       (double)written / read, (double)written / joined, (double)usage.ru_maxrss / 1024);
	join__free(j);
	trace_reader__free(r);
	if (argc <= 3)
		unlink(path);
	return 0;
}
