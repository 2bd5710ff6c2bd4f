// SPDX-License-Identifier: GPL-2.0
/*
 * Recordings through the reader, the join, the report as text and as JSON, folded
 * stacks and the picture: time is conserved whatever the events say, all outputs
 * show the same time, and nothing in them is an order to the terminal.
 *
 * Mutations are made inside chunks, and what the outside says of them is made
 * right again (lengths, counts, times, checksums): else all that would be tried
 * is the checksum.
 */
#include <errno.h>
#include <jansson.h>

#include "answer/answer.h"
#include "base/sum.h"
#include "flamegraph/flamegraph.h"
#include "join/follow.h"
#include "join/join.h"
#include "output/folded.h"
#include "tests/fuzz/fuzz.h"
#include "trace/chunk.h"
#include "trace/codec.h"
#include "trace/meta.h"
#include "trace/trace.h"
#include "trace/varint.h"

/* ---- what must hold ---- */

static void check_rows(const struct join *j)
{
	const struct join_totals *t = join__totals(j);
	struct flamegraph *fg = flamegraph__new();
	struct flamegraph_opts opts = { .title = "t" };
	uint64_t *weights, sum = 0;
	const struct join_row *rows;
	struct text_file svg;
	size_t nr, nr_notes;
	int err = 0;

	rows = join__rows(j, &nr);
	weights = calloc(nr + 1, sizeof(*weights));
	must(fg && weights);
	for (int unit = OUTPUT_WEIGHT_US; unit <= OUTPUT_WEIGHT_NS; unit++)
		output_folded__weights(rows, nr, unit, weights);
	for (size_t i = 0; i < nr; i++) {
		must(rows[i].ns && rows[i].nr > 2);
		sum__add(&sum, rows[i].ns);
		for (uint32_t k = 0; k < rows[i].nr; k++) {
			const char *name = rows[i].frames[k].name;

			must(*name && !strpbrk(name, ";\n\t"));
			must_be_printable(name);
		}
		if (!err)
			err = flamegraph__add(fg, rows[i].frames, rows[i].nr, rows[i].ns);
	}
	must(sum == t->lifetime_ns);
	must(!err || (err == -EOVERFLOW && sum__is_full(sum)));
	/* The script and the style sheet in it are always the same. */
	if (nr) {
		opts.notes = join__notes(j, &nr_notes);
		opts.nr_notes = nr_notes;
		must(text_file__open(&svg) && !flamegraph__render(fg, &opts, svg.file));
		text_file__close(&svg);
		free(svg.text);
	}
	flamegraph__free(fg);
	free(weights);
}

/* Siblings from @list on: what is below each adds up to it. Returns their time. */
static uint64_t check_followed(const struct join_followed *list, size_t nr)
{
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i += 1 + list[i].below) {
		must(list[i].ns && i + list[i].below < nr);
		if (list[i].below)
			must(check_followed(&list[i + 1], list[i].below) == list[i].ns);
		sum__add(&all, list[i].ns);
	}
	return all;
}

static void check_points(const struct join *j)
{
	size_t nr;
	const struct join_point *points = join__points(j, &nr);

	for (size_t i = 0; i < nr; i++)
		must(check_followed(points[i].followed, points[i].nr_followed) <=
		     points[i].await_ns);
}

/* Bars end where they should; but what is recorded may hold as many of their character. */
static void check_bars(const char *text, const uint8_t *data, size_t size)
{
	static const char some[] = "################";
	static const char many[] = "#################################################";

	must(!strstr(text, many) || memmem(data, size, some, sizeof(some) - 1));
}

/* What `why' found: an answer, or bytes that are refused. */
static void check_looks(const struct trace_reader *r)
{
	for (size_t i = 0; i < trace_reader__answers(r); i++) {
		struct answer a;
		struct text_file text;
		uint64_t ts;
		uint8_t *data;
		size_t len;

		if (trace_reader__answer(r, i, &ts, &data, &len))
			continue;
		answer__init(&a);
		if (!answer__unpack(&a, data, len)) {
			must(text_file__open(&text));
			answer__print(&a, text.file);
			answer__print_tasks(&a, "", text.file);
			must(!answer__json(&a, text.file));
			free(text_file__close(&text));
		}
		answer__free(&a);
		free(data);
	}
}

static void check_report(const struct join *j, const struct trace_reader *r, const uint8_t *data,
			 size_t size)
{
	struct text_file t;

	must(text_file__open(&t));
	must(!output_format__write(output_format__find("text"), j, r, NULL, t.file));
	must(text_file__close(&t));
	must_be_printable(t.text);
	check_bars(t.text, data, size);
	free(t.text);
}

static void check_json(const struct join *j, const struct trace_reader *r)
{
	struct text_file t;
	json_error_t error;
	json_t *o;

	must(text_file__open(&t));
	must(!output_format__write(output_format__find("json"), j, r, NULL, t.file));
	must(text_file__close(&t));
	must_be_printable(t.text);
	/* Strings may hold NULs no more than names may. */
	o = json_loads(t.text, 0, &error);
	must(o);
	json_decref(o);
	free(t.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_file file;
	struct trace_reader *r;
	const char *why, *torn;
	struct join *j;
	int err;

	memory_file__set(&file, data, size);
	err = trace_reader__open(file.path, &r, &why);
	if (err) {
		must(*why && !r);
		return 0;
	}
	torn = trace_reader__torn(r);
	must(!torn || *torn);
	check_looks(r);
	must(!join__new(r, &j));
	if (size % 2)
		must(!follow__begin(j, 8u << size % 8, 1 + size / 8 % 6));
	err = join__run(j);
	/* -EPROTO: time was not conserved. */
	must(!err || (err != -EPROTO && err != -ENOMEM && *join__why(j)));
	if (!err) {
		check_rows(j);
		check_points(j);
		check_report(j, r, data, size);
		check_json(j, r);
	}
	join__free(j);
	trace_reader__free(r);
	return 0;
}

/* ---- mutations ---- */

#define CHUNKS_MAX	64
#define EVENTS_MAX	4096

struct chunk {
	uint8_t	*head;		/* TRACE_CHUNK_HEAD_SIZE bytes, then the payload */
	size_t	 length;
};

/* The chunks of a file, as far as their lengths lead; how many. */
static size_t find_chunks(uint8_t *data, size_t size, struct chunk *chunks)
{
	size_t nr = 0, off = TRACE_HEAD_SIZE;

	while (nr < CHUNKS_MAX && size > off && size - off >= TRACE_CHUNK_HEAD_SIZE) {
		struct chunk *c = &chunks[nr];
		uint32_t length;

		c->head = data + off;
		memcpy(&length, c->head + 8, sizeof(length));
		off += TRACE_CHUNK_HEAD_SIZE;
		if (length > size - off)
			length = (uint32_t)(size - off);
		c->length = length;
		off += length;
		nr++;
	}
	return nr;
}

/* Whether the first @nr events fit in @len bytes: then the next is begun. */
static bool events_fit(struct trace_codec *codec, struct trace_event *events, const uint8_t *in,
		       size_t len, uint32_t nr)
{
	events[nr].type = 0xff;
	trace_codec__decode(codec, in, len, 0, events, nr + 1);
	return events[nr].type != 0xff;
}

/*
 * How many whole events the bytes hold: *@len of them. What follows is cut off,
 * as is what makes no sense.
 */
static uint32_t whole_events(const uint8_t *in, size_t *len, struct trace_event *events)
{
	struct trace_codec *codec = trace_codec__new();
	size_t lo = 0, hi = *len;
	uint32_t nr = 0;

	must(codec);
	for (uint32_t i = 0; i <= EVENTS_MAX; i++)
		events[i].type = 0xff;
	trace_codec__decode(codec, in, *len, 0, events, EVENTS_MAX);
	while (nr < EVENTS_MAX && events[nr].type != 0xff)
		nr++;
	/* The last that was begun may not be whole. */
	while (nr && trace_codec__decode(codec, in, *len, 0, events, nr) &&
	       !events_fit(codec, events, in, *len, nr))
		nr--;
	/* The shortest beginning that holds them. */
	while (nr && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (events_fit(codec, events, in, mid, nr))
			hi = mid;
		else
			lo = mid + 1;
	}
	*len = hi;
	if (nr && trace_codec__decode(codec, in, *len, 0, events, nr))
		nr = 0;
	trace_codec__free(codec);
	return nr;
}

/* Whole records of metadata; the same of them. */
static uint32_t whole_records(const uint8_t *in, size_t *len)
{
	struct cursor c = { .p = in, .end = in + *len };
	uint32_t nr = 0;

	for (*len = 0; c.p < c.end; nr++, *len = (size_t)(c.p - in)) {
		uint64_t size;

		get_byte(&c);
		size = get_varint(&c);
		if (c.bad || size > (size_t)(c.end - c.p))
			break;
		c.p += size;
	}
	return nr;
}

/* Make the chunk's head say what its payload is; its length then. */
static size_t repair(struct chunk *c, uint64_t *seed)
{
	static struct trace_event events[EVENTS_MAX + 1];
	uint8_t *payload = c->head + TRACE_CHUNK_HEAD_SIZE;
	struct trace_chunk_head h = { .kind = c->head[4] };

	memcpy(&h.cpu, c->head + 6, sizeof(h.cpu));
	memcpy(&h.nr, c->head + 12, sizeof(h.nr));
	memcpy(&h.first, c->head + 16, sizeof(h.first));
	memcpy(&h.last, c->head + 24, sizeof(h.last));
	if (h.kind == TRACE_CHUNK_META && random_below(seed, 32)) {
		h.nr = whole_records(payload, &c->length);
	} else if (h.kind == TRACE_CHUNK_EVENTS && random_below(seed, 32)) {
		h.nr = whole_events(payload, &c->length, events);
		h.first = UINT64_MAX;
		h.last = 0;
		for (uint32_t i = 0; i < h.nr; i++) {
			uint64_t ts = trace_event__order(&events[i]);

			h.first = ts < h.first ? ts : h.first;
			h.last = ts > h.last ? ts : h.last;
		}
	}
	h.length = (uint32_t)c->length;
	h.crc = crc32c(payload, c->length);
	trace_chunk_head__pack(&h, c->head);
	return c->length;
}

/* Mutate the payload of one chunk of @data, which may grow by what @room leaves. */
static size_t mutate_chunk(uint8_t *data, size_t size, size_t room, struct chunk *c, uint64_t *seed)
{
	uint8_t *payload = c->head + TRACE_CHUNK_HEAD_SIZE, *after = payload + c->length;
	size_t behind = (size_t)(data + size - after), old = c->length, length;
	uint8_t *rest = malloc(behind + 1);

	must(rest);
	memcpy(rest, after, behind);
	length = LLVMFuzzerMutate(payload, old, old + (room - size));
	c->length = length;
	length = repair(c, seed);
	memmove(payload + length, rest, behind);
	free(rest);
	return size - old + length;
}

/* A copy of some chunk behind another, or one less. */
static size_t move_chunks(uint8_t *data, size_t size, size_t room, struct chunk *chunks, size_t nr,
			  uint64_t *seed)
{
	const struct chunk *from = &chunks[random_below(seed, nr)];
	const struct chunk *to = &chunks[random_below(seed, nr)];
	size_t n = TRACE_CHUNK_HEAD_SIZE + from->length;
	uint8_t *at = to->head + TRACE_CHUNK_HEAD_SIZE + to->length, *copy;

	if (random_below(seed, 3) == 0) {
		memmove(from->head, from->head + n, (size_t)(data + size - from->head) - n);
		return size - n;
	}
	if (n > room - size)
		return size;
	copy = malloc(n);
	must(copy);
	memcpy(copy, from->head, n);
	/* Of another CPU, perhaps. */
	copy[6] = (uint8_t)random_below(seed, 4);
	memmove(at + n, at, (size_t)(data + size - at));
	memcpy(at, copy, n);
	free(copy);
	return size + n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int number)
{
	struct chunk chunks[CHUNKS_MAX];
	uint64_t seed = number;
	size_t nr = find_chunks(data, size, chunks);

	if (!nr || !random_below(&seed, 32))
		return LLVMFuzzerMutate(data, size, max_size);
	if (!random_below(&seed, 16)) {
		size = move_chunks(data, size, max_size, chunks, nr, &seed);
	} else {
		struct chunk *c = &chunks[random_below(&seed, nr)];

		/* Events rather than metadata: of these, most are torn by a change. */
		for (int i = 0; i < 3 && c->head[4] != TRACE_CHUNK_EVENTS; i++)
			c = &chunks[random_below(&seed, nr)];
		size = mutate_chunk(data, size, max_size, c, &seed);
	}
	nr = find_chunks(data, size, chunks);
	for (size_t i = 0; i < nr; i++) {
		uint32_t head_crc = crc32c(chunks[i].head, 36);

		memcpy(chunks[i].head + 36, &head_crc, sizeof(head_crc));
	}
	return size;
}
