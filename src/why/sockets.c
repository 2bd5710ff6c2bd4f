// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for sockets, as the kernel sees these: in words, and what is wrong with them although they
 * are ready for nothing: packets that are held back, peers that do not answer, connections that
 * nobody accepts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bisect.h"
#include "base/clock.h"
#include "why/children.h"
#include "why/why.h"

#define PLACE_MAX	256	/* bytes of "x.rs:12" in words */
#define WATCH_LOOKS	8	/* while a socket is watched */
#define HELD_LOOKS	3	/* of these in which a packet was held back, to be told */
#define MIN_LOOKS	5	/* that must have been taken: a look may take long */

/* What was seen of the sockets that tasks read from. */
struct socket_watch {
	size_t		nr;
	unsigned int	looks;
	struct held {
		uint64_t	token;
		unsigned int	looks;		/* in which its last bytes were held back */
		uint32_t	unsent;		/* so many, in the last of these looks */
	}		list[];
};

const struct descriptor *why__descriptor(const struct why *y, uint64_t token)
{
	size_t at = BISECT(y->nr_fds, k, y->fds[k].token < token);

	return at < y->nr_fds && y->fds[at].token == token ? &y->fds[at] : NULL;
}

/* ---- in words ---- */

static void say_tcp(const struct descriptor *d, const struct walk_key *key, char *out, size_t size)
{
	const struct descriptor_tcp *t = &d->tcp;
	const char *state = descriptor__tcp_state(t->state);

	if (t->state == DESCRIPTOR_TCP_LISTEN)
		snprintf(out, size, "fd %d, tcp %s, listening, %" PRIu32 " of %" PRIu32
			 " connections to accept", d->fd, t->local, d->to_read, t->limit);
	else if (key->dir & WALK_DIR_READ)
		snprintf(out, size, "a read of fd %d, tcp %s → %s, %s, %" PRIu32 " bytes to read",
			 d->fd, t->local, t->peer, state, d->to_read);
	else if (t->state == DESCRIPTOR_TCP_SYN_SENT)
		snprintf(out, size, "fd %d, tcp %s → %s, connecting: no answer to %" PRIu32
			 " attempts", d->fd, t->local, t->peer, t->retransmits + 1);
	else
		snprintf(out, size, "a write of fd %d, tcp %s → %s, %s, %" PRIu32
			 " bytes in the send queue%s", d->fd, t->local, t->peer, state, t->to_send,
			 t->info_known && t->window < t->mss ? ", the peer's window is closed" : "");
	/* no bytes: in words */
	if (t->state != DESCRIPTOR_TCP_LISTEN && key->dir & WALK_DIR_READ && !d->to_read)
		snprintf(out, size, "a read of fd %d, tcp %s → %s, %s, nothing to read", d->fd,
			 t->local, t->peer, state);
}

/* What @d is for the wait for @key; "": not known. */
static void say_descriptor(const struct why *y, const struct descriptor *d,
			   const struct walk_key *key, char *out, size_t size)
{
	const char *way = key->dir & WALK_DIR_READ ? "read" : "write";

	*out = '\0';
	if (d->kind == DESCRIPTOR_PIDFD)
		child__say(d->pid, out, size);
	else if (d->tcp.state)
		say_tcp(d, key, out, size);
	else if (d->kind == DESCRIPTOR_SOCKET && d->queues_known)
		snprintf(out, size, "a %s of fd %d, a socket with %" PRIu32 " bytes to read", way,
			 d->fd, d->to_read);
	else
		child__say_pipe(y->p.target->pid, d->fd, way, out, size);
}

void why__say_descriptor(struct why *y, struct why_finding *f, uint32_t wait)
{
	const struct walk_key *key = &y->p.waits[wait].key;
	const struct descriptor *d;
	char text[512];

	d = key->kind == WALK_KEY_IO ? why__descriptor(y, key->value) : NULL;
	if (!d)
		return;
	if (d->kind == DESCRIPTOR_SOCKET && !d->queues_known)
		descriptors__ask(y->p.target->pid, y->fds, y->nr_fds);
	say_descriptor(y, d, key, text, sizeof(text));
	if (!*text)
		return;
	free(f->resource);
	f->resource = strdup(text);
	if (!f->resource)
		y->err = -ENOMEM;
}

/* ---- packets that are held back ---- */

/*
 * Less than a segment is not sent, although the peer has room and nothing was lost, since something
 * is in flight: Nagle's algorithm.
 */
static bool is_held_back(const struct descriptor_tcp *t)
{
	return t->state == DESCRIPTOR_TCP_ESTABLISHED && t->info_known && t->unsent &&
	       t->unsent < t->mss && t->in_flight && t->window >= t->mss && !t->retransmits;
}

static int token_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The tokens of what tasks read from, sorted; the caller frees them. NULL: no memory. */
static uint64_t *tokens_read(const struct why *y, size_t *nr)
{
	uint64_t *tokens = calloc(y->p.nr_waits + 1, sizeof(*tokens));

	*nr = 0;
	for (size_t i = 0; i < y->p.nr_waits && tokens; i++) {
		const struct picture_wait *w = &y->p.waits[i];

		if (!w->unpolled && w->key.kind == WALK_KEY_IO && w->key.dir & WALK_DIR_READ)
			tokens[(*nr)++] = w->key.value;
	}
	if (*nr)
		qsort(tokens, *nr, sizeof(*tokens), token_cmp);
	return tokens;
}

static bool is_among(const uint64_t *tokens, size_t nr, uint64_t token)
{
	return nr && bsearch(&token, tokens, nr, sizeof(token), token_cmp);
}

static int held_cmp(const void *a, const void *b)
{
	const struct descriptor *x = a, *y = b;

	return x->token < y->token ? -1 : x->token > y->token;
}

/* The sockets of @list that tasks read from, at its beginning and sorted by token; their number. */
static size_t those_read(const struct why *y, struct descriptor *list, size_t nr)
{
	size_t kept = 0, nr_tokens;
	uint64_t *tokens = tokens_read(y, &nr_tokens);

	for (size_t i = 0; i < nr && tokens; i++)
		if (list[i].kind == DESCRIPTOR_SOCKET && is_among(tokens, nr_tokens, list[i].token))
			list[kept++] = list[i];
	if (kept)
		qsort(list, kept, sizeof(*list), held_cmp);
	free(tokens);
	return kept;
}

static bool any_io(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_waits; i++)
		if (!y->p.waits[i].unpolled && y->p.waits[i].key.kind == WALK_KEY_IO)
			return true;
	return false;
}

static void sleep_until(uint64_t ts)
{
	uint64_t now = clock__now(), ns = ts > now ? ts - now : 0;
	const struct timespec pause = { .tv_sec = (time_t)(ns / 1000000000),
					.tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&pause, NULL);
}

static void watch(const struct why *y, struct socket_watch *w, struct descriptor *list,
		  uint64_t begin, uint64_t ns)
{
	for (unsigned int i = 0; i < WATCH_LOOKS; i++) {
		uint64_t due = begin + i * ns / WATCH_LOOKS;

		/* so many sockets that a look takes longer */
		if (clock__now() > due + ns / WATCH_LOOKS)
			continue;
		sleep_until(due);
		for (size_t k = 0; k < w->nr; k++)
			list[k].tcp.state = 0;
		descriptors__ask_tcp(y->p.target->pid, list, w->nr);
		w->looks++;
		for (size_t k = 0; k < w->nr; k++) {
			if (!is_held_back(&list[k].tcp))
				continue;
			w->list[k].looks++;
			w->list[k].unsent = list[k].tcp.unsent;
		}
	}
}

void why__watch_sockets(struct why *y, uint64_t ns)
{
	uint64_t begin = clock__now();
	struct descriptor *list = NULL;
	size_t nr = 0;

	if (any_io(y) && !descriptors__list(y->p.target->pid, &list, &nr))
		nr = those_read(y, list, nr);
	if (nr)
		y->watched = calloc(1, sizeof(*y->watched) + nr * sizeof(y->watched->list[0]));
	if (y->watched) {
		y->watched->nr = nr;
		for (size_t i = 0; i < nr; i++)
			y->watched->list[i].token = list[i].token;
		watch(y, y->watched, list, begin, ns);
	}
	free(list);
	sleep_until(begin + ns);
}

static const struct held *held_of(const struct why *y, uint64_t token)
{
	const struct socket_watch *w = y->watched;

	size_t at = w ? BISECT(w->nr, k, w->list[k].token < token) : 0;

	if (!w || w->looks < MIN_LOOKS || at == w->nr || w->list[at].token != token ||
	    w->list[at].looks < HELD_LOOKS)
		return NULL;
	return &w->list[at];
}

static void tell_held(struct why *y, uint32_t wait, const struct held *h)
{
	const struct picture_wait *w = &y->p.waits[wait];
	struct why_finding *f = why__add(y, "small packets", 4);
	struct answer_place at = why__wait_place(y, wait);
	struct answer_place wrote = why__await_before(y, wait, "::write");
	char last[PLACE_MAX] = "";

	if (!f)
		return;
	f->moves = true;
	f->since_ns = 0;
	if (wrote.line)
		snprintf(last, sizeof(last), ", the last of them at %s:%" PRIu32, wrote.file, wrote.line);
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s for an answer to what it wrote in several parts%s: "
		 "the last %" PRIu32 " bytes are held back until the peer has acknowledged the first, "
		 "as without TCP_NODELAY, in %u of %u looks", why__task(y, w->task), at.file, at.line,
		 why__waits_in(y, wait), last, h->unsent, h->looks, y->watched->looks);
	if (wrote.line)
		why__party(y, f, "writes", w->task, wrote, "%s wrote here last, by its source",
			   why__task(y, w->task));
	why__party(y, f, "victim", w->task, at, "%s waits in %s", why__task(y, w->task),
		   why__waits_in(y, wait));
	why__say_descriptor(y, f, wait);
}

/* ---- peers ---- */

static void silent_peer(struct why *y, uint32_t wait, const struct descriptor *d)
{
	const struct picture_wait *w = &y->p.waits[wait];
	const struct descriptor_tcp *t = &d->tcp;
	bool connecting = t->state == DESCRIPTOR_TCP_SYN_SENT;
	struct why_finding *f;
	struct answer_place at;

	if (!connecting && (t->state != DESCRIPTOR_TCP_ESTABLISHED || !t->info_known ||
			    !t->unsent || t->window >= t->mss))
		return;
	f = why__add(y, "silent peer", 4);
	at = why__wait_place(y, wait);
	if (!f)
		return;
	why__say(y, f, "%s waits at %s:%" PRIu32 " in %s: %s", why__task(y, w->task), at.file, at.line,
		 why__waits_in(y, wait), connecting ? "the peer does not answer" :
		 "the peer takes nothing, so that its window is closed");
	why__party(y, f, "waits", w->task, at, "%s waits in %s", why__task(y, w->task),
		   why__waits_in(y, wait));
	why__say_descriptor(y, f, wait);
}

/* ---- connections that nobody accepts ---- */

/* Every task stands still: none of them is on its way to accept. */
static bool all_steady(const struct why *y)
{
	for (size_t i = 0; i < y->p.nr_tasks; i++)
		if (!y->steady[i])
			return false;
	return !y->p.incomplete && !y->p.untold;
}

/* Tasks that have the listener of @token, in a variable. */
static void add_owners(struct why *y, struct why_finding *f, uint64_t token)
{
	for (uint32_t i = 0; i < y->p.nr_handles; i++) {
		const struct picture_handle *h = &y->p.handles[i];
		const struct picture_task *t = &y->p.tasks[h->task];
		uint32_t wait = t->nr_waits ? t->waits : WALK_NONE;
		struct answer_place at;
		const char *local;

		if (token < h->object || token - h->object >= h->size)
			continue;
		at = why__handle_place(y, i, &local);
		why__party(y, f, "holder", h->task, at, "%s has the listener in %s",
			   why__task(y, h->task), *local ? local : "a temporary");
		if (wait != WALK_NONE)
			why__party(y, f, "waits", h->task, why__wait_place(y, wait),
				   "%s waits in %s meanwhile", why__task(y, h->task),
				   why__waits_in(y, wait));
	}
}

static void nobody_accepts(struct why *y, const struct descriptor *d)
{
	struct why_finding *f = why__add(y, "nobody accepts", 2);
	const struct why_party *p;

	if (!f)
		return;
	add_owners(y, f, d->token);
	p = f->nr_parties ? &f->parties[f->nr_parties - 1] : NULL;
	why__say(y, f, "%" PRIu32 " connections to %s (fd %d) wait to be accepted, which is all that its "
		 "backlog has room for, and no task waits for it%s%s", d->to_read, d->tcp.local, d->fd,
		 p ? ": " : "", p ? p->text : "");
}

void why__find_sockets(struct why *y)
{
	uint64_t *tokens;
	bool asked = false;
	size_t nr_tokens;

	for (uint32_t i = 0; i < y->p.nr_waits && !y->err; i++) {
		const struct picture_wait *w = &y->p.waits[i];
		const struct descriptor *d;
		const struct held *h;

		if (w->key.kind != WALK_KEY_IO || w->unpolled)
			continue;
		h = w->key.dir & WALK_DIR_READ ? held_of(y, w->key.value) : NULL;
		if (h)
			tell_held(y, i, h);
		d = why__descriptor(y, w->key.value);
		if (!d || d->kind != DESCRIPTOR_SOCKET || w->key.dir & WALK_DIR_READ ||
		    !(w->key.dir & WALK_DIR_WRITE) || !y->steady[w->task])
			continue;
		if (!asked)
			descriptors__ask(y->p.target->pid, y->fds, y->nr_fds);
		asked = true;
		silent_peer(y, i, d);
	}
	if (!all_steady(y))
		return;
	tokens = tokens_read(y, &nr_tokens);
	for (size_t i = 0; i < y->nr_fds && !y->err && tokens; i++) {
		const struct descriptor *d = &y->fds[i];

		/* one descriptor may be in several epoll instances */
		if (d->kind != DESCRIPTOR_SOCKET || is_among(tokens, nr_tokens, d->token) ||
		    (i && d->token == d[-1].token && d->fd == d[-1].fd))
			continue;
		if (!asked)
			descriptors__ask(y->p.target->pid, y->fds, y->nr_fds);
		asked = true;
		if (d->tcp.state == DESCRIPTOR_TCP_LISTEN && d->to_read &&
		    d->to_read >= d->tcp.limit)
			nobody_accepts(y, d);
	}
	free(tokens);
}
