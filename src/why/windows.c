// SPDX-License-Identifier: GPL-2.0
/*
 * Windows that are used up: on a connection with several streams (HTTP/2) the other end may send
 * only so much that nobody has taken yet. What lies unread on one stream keeps data of all
 * others from coming.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/quantity.h"
#include "inspect/stream.h"
#include "why/why.h"

#define PLACE_MAX	256
#define SURROUNDINGS	4096	/* bytes around a handle that are compared */
#define HARDLY_ANY	64	/* less than one in so many bytes of a window is as good as none */

/* A handle of a stream. */
struct end {
	uint32_t	handle;
	uint32_t	task;
	uint64_t	connection;
	bool		receives;
	/* its task waits for data on the stream, or for room to send */
	bool		waits;
	struct stream	s;
};

struct ends {
	struct end	*v;		/* of connections that stand still */
	size_t		 nr, cap;
	uint32_t	*standing;	/* handles in what reads and writes these connections */
	size_t		 nr_standing, cap_standing;
};

/* May a window with @left bytes, of which @held are not given back, let more data come? */
static bool used_up(int64_t left, int64_t held)
{
	return left <= 0 || left < held / HARDLY_ANY;
}

/* A stream's own window, or that of its connection, has no room for what the peer would send. */
static bool receives_no_more(const struct end *e)
{
	const int64_t *w = e->s.windows;

	return used_up(w[RUNTIME_WINDOW_RECV], w[RUNTIME_WINDOW_HELD]) ||
	       used_up(w[RUNTIME_STREAM_RECV], w[RUNTIME_STREAM_HELD]);
}

static bool sends_no_more(const struct end *e)
{
	return e->s.windows[RUNTIME_WINDOW_SEND] <= 0 || e->s.windows[RUNTIME_STREAM_SEND] <= 0;
}

static bool is_told(const struct ends *ends, const struct end *e)
{
	for (size_t i = 0; i < ends->nr; i++)
		if (ends->v[i].connection == e->connection && ends->v[i].s.id == e->s.id &&
		    ends->v[i].receives == e->receives && ends->v[i].task == e->task)
			return true;
	return false;
}

/* What surrounds handle @h: the future that it is in, as far as it lies there. */
static void surroundings(const struct why *y, const struct picture_handle *h, uint64_t *from,
			 uint64_t *to)
{
	const struct picture_frame *f = &y->p.frames[h->frame];
	const struct walk_type *types;
	size_t nr;

	types = image__walk_types(y->p.img, &nr);
	*from = h->addr - SURROUNDINGS / 2;
	*to = h->addr + SURROUNDINGS / 2;
	if (f->type >= nr || h->addr - f->addr >= types[f->type].size)
		return;
	if (*from < f->addr)
		*from = f->addr;
	if (*to > f->addr + types[f->type].size)
		*to = f->addr + types[f->type].size;
}

/*
 * Has the connection neither sent nor received anything since findings were looked for last? A
 * transfer that is only as slow as its peer uses up its window again and again, but goes on.
 * What reads and writes the connection changes with each frame; @h is a handle there.
 */
static bool unchanged(struct why *y, const struct picture_handle *h)
{
	struct hash_slot *slot = hash_table__at(&y->connections, h->object);
	char bytes[SURROUNDINGS];
	uint64_t from, to, now;

	surroundings(y, h, &from, &to);
	if (!slot)
		y->err = -ENOMEM;
	if (!slot || process__read(y->p.target, from, bytes, to - from))
		return false;
	now = hash_table__key(&y->connections, bytes, to - from) | 1;
	if (!slot->value)
		slot->value = now;
	return slot->value == now;
}

/* Does @connection stand still? No, if nobody who reads and writes it was found. */
static bool stands(const struct why *y, const struct ends *ends, uint64_t connection)
{
	for (size_t i = 0; i < ends->nr_standing; i++)
		if (y->p.handles[ends->standing[i]].object == connection)
			return true;
	return false;
}

static void collect_standing(struct why *y, struct ends *ends)
{
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	for (uint32_t i = 0; i < y->p.nr_handles; i++) {
		const struct picture_handle *h = &y->p.handles[i];

		if (types[h->handle].stream.kind != IMAGE_STREAM_ALL || !y->steady[h->task] ||
		    !unchanged(y, h))
			continue;
		if (array__room(&ends->standing, &ends->cap_standing, ends->nr_standing,
				sizeof(*ends->standing))) {
			y->err = -ENOMEM;
			return;
		}
		ends->standing[ends->nr_standing++] = i;
	}
}

static void collect(struct why *y, struct ends *ends)
{
	const struct image_handle *types;
	size_t nr;

	types = image__handles(y->p.img, &nr);
	for (uint32_t i = 0; i < y->p.nr_handles; i++) {
		const struct picture_handle *h = &y->p.handles[i];
		const struct picture_task *t = &y->p.tasks[h->task];
		struct end e = { .handle = i, .task = h->task, .connection = h->object };

		if (!stands(y, ends, h->object) || !stream__read(&y->p, h, &e.s))
			continue;
		e.receives = types[h->handle].side == RUNTIME_SIDE_RECEIVES;
		e.waits = t->state == PICTURE_IDLE && y->steady[h->task] && !h->unpolled &&
			  h->via == WALK_NONE &&
			  e.s.windows[e.receives ? RUNTIME_STREAM_READER : RUNTIME_STREAM_WRITER];
		if (is_told(ends, &e))
			continue;
		if (array__room(&ends->v, &ends->cap, ends->nr, sizeof(*ends->v))) {
			y->err = -ENOMEM;
			return;
		}
		ends->v[ends->nr++] = e;
	}
}

static struct answer_place wait_place(const struct why *y, const struct end *e)
{
	return why__frame_place(y, e->task, y->p.handles[e->handle].frame);
}

/* " at x.rs:12"; nothing if that is not known. */
static const char *at_place(struct answer_place at, char out[PLACE_MAX])
{
	*out = '\0';
	if (at.line)
		snprintf(out, PLACE_MAX, " at %s:%" PRIu32, at.file, at.line);
	return out;
}

static void add_waiter(struct why *y, struct why_finding *f, const struct end *e)
{
	why__party(y, f, "waits", e->task, wait_place(y, e), "%s waits for %s stream %" PRIu32,
		   why__task(y, e->task), e->receives ? "data on" : "room to send on", e->s.id);
}

static void add_holder(struct why *y, struct why_finding *f, const struct end *e,
		       const char *likely)
{
	const char *local;
	struct answer_place at = why__handle_place(y, e->handle, &local);

	why__party(y, f, "holder", e->task, at,
		   "%s has %s%sstream %" PRIu32 "%s, of which %s bytes have "
		   "come and not been %s",
		   why__task(y, e->task), local, *local ? ", " : "", e->s.id, likely,
		   quantity__of_count((uint64_t)e->s.windows[RUNTIME_STREAM_HELD]).s,
		   e->waits ? "given back (release_capacity)" : "taken");
}

static struct quantity_text bytes(int64_t n)
{
	return quantity__of_count(n > 0 ? (uint64_t)n : 0);
}

static void say_windows(struct why *y, struct why_finding *f, const struct end *e)
{
	const int64_t *w = e->s.windows;
	int n;

	if (e->receives)
		n = asprintf(&f->resource,
			     "HTTP/2 connection at 0x%" PRIx64 ": %s bytes have not been given "
			     "back, its peer may send %s more; of stream %" PRIu32 ": %s, %s",
			     e->connection, bytes(w[RUNTIME_WINDOW_HELD]).s,
			     bytes(w[RUNTIME_WINDOW_RECV]).s, e->s.id,
			     bytes(w[RUNTIME_STREAM_HELD]).s, bytes(w[RUNTIME_STREAM_RECV]).s);
	else
		n = asprintf(&f->resource,
			     "HTTP/2 connection at 0x%" PRIx64 ": its peer takes %s more bytes; "
			     "of stream %" PRIu32 ": %s",
			     e->connection, bytes(w[RUNTIME_WINDOW_SEND]).s, e->s.id,
			     bytes(w[RUNTIME_STREAM_SEND]).s);
	if (n < 0) {
		f->resource = NULL;
		y->err = -ENOMEM;
	}
}

/* Has a finding already told of the connection of @e? The first that waits on it tells of all. */
static bool is_first(const struct ends *ends, const struct end *e,
		     bool (*no_more)(const struct end *))
{
	for (const struct end *o = ends->v; o < e; o++)
		if (o->waits && o->receives == e->receives && o->connection == e->connection &&
		    no_more(o))
			return false;
	return true;
}

/* Data that a task waits for cannot come: what came before has not been taken. */
static void tell_receiver(struct why *y, const struct ends *ends, const struct end *e)
{
	struct why_finding *f = why__add(y, "window used up", 0);
	bool shared = used_up(e->s.windows[RUNTIME_WINDOW_RECV], e->s.windows[RUNTIME_WINDOW_HELD]);
	char at[PLACE_MAX];

	if (!f)
		return;
	why__say(y, f,
		 "%s waits%s for data on an HTTP/2 stream, which cannot come: the window of %s is "
		 "used up by what nobody takes",
		 why__task(y, e->task), at_place(wait_place(y, e), at),
		 shared ? "the connection" : "the stream");
	say_windows(y, f, e);
	for (const struct end *o = ends->v; o < ends->v + ends->nr; o++)
		if (o->waits && o->receives && o->connection == e->connection &&
		    receives_no_more(o))
			add_waiter(y, f, o);
	for (const struct end *o = ends->v; o < ends->v + ends->nr; o++)
		if (o->receives && o->connection == e->connection &&
		    o->s.windows[RUNTIME_STREAM_HELD] > 0 && (shared || o == e))
			add_holder(y, f, o, "");
}

/*
 * The other end of a connection may be in the same process, but nothing in memory says so: a
 * stream of the same number whose window is used up is likely to be it.
 */
static void add_other_ends(struct why *y, struct why_finding *f, const struct ends *ends,
			   const struct end *e)
{
	for (const struct end *o = ends->v; o < ends->v + ends->nr; o++)
		if (o->receives && o->s.windows[RUNTIME_STREAM_HELD] > 0 && receives_no_more(o) &&
		    (o->s.id == e->s.id || e->s.windows[RUNTIME_WINDOW_SEND] <= 0))
			add_holder(y, f, o, " (of this process, likely the other end)");
}

static void tell_sender(struct why *y, const struct ends *ends, const struct end *e)
{
	struct why_finding *f = why__add(y, "window used up", 3);
	char at[PLACE_MAX];

	if (!f)
		return;
	why__say(y, f,
		 "%s waits%s until its peer takes what has been sent: the HTTP/2 window of the %s "
		 "is used up",
		 why__task(y, e->task), at_place(wait_place(y, e), at),
		 e->s.windows[RUNTIME_WINDOW_SEND] <= 0 ? "connection" : "stream");
	say_windows(y, f, e);
	for (const struct end *o = ends->v; o < ends->v + ends->nr; o++)
		if (o->waits && !o->receives && o->connection == e->connection && sends_no_more(o))
			add_waiter(y, f, o);
	add_other_ends(y, f, ends, e);
}

void why__find_windows(struct why *y)
{
	struct ends ends = { .nr = 0 };

	collect_standing(y, &ends);
	collect(y, &ends);
	for (const struct end *e = ends.v; e < ends.v + ends.nr && !y->err; e++) {
		if (!e->waits)
			continue;
		if (e->receives && receives_no_more(e) && is_first(&ends, e, receives_no_more))
			tell_receiver(y, &ends, e);
		else if (!e->receives && sends_no_more(e) && is_first(&ends, e, sends_no_more))
			tell_sender(y, &ends, e);
	}
	free(ends.v);
	free(ends.standing);
}
