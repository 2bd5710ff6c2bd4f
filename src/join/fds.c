/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table keyed by token. Two epoll instances may use the same token (old runtimes
 * use small numbers), so an entry is identified by token and epfd.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "join/fds.h"
#include "trace/event.h"

/*
 * How many epoll instances may share one token; programs have a few. In any further
 * instance descriptors with this token have no name, rather than a wrong one.
 */
#define INSTANCES_MAX	256

struct fd_entry {
	uint64_t	token;
	int32_t		epfd, fd;
	uint32_t	name;
	struct fd_talk	talk;
	bool		used, gone;
	uint64_t	nr;		/* order of insertion */
};

static uint32_t fds__home(const struct fds *f, uint64_t token)
{
	return (uint32_t)hash__of(&f->hash, token) & (f->size - 1);
}

/*
 * The entry of (@token, @epfd), or a free slot. If the token already has INSTANCES_MAX
 * entries: an entry whose descriptor is gone, or NULL.
 */
static struct fd_entry *fds__find(const struct fds *f, uint64_t token, int32_t epfd)
{
	uint32_t at = fds__home(f, token);
	struct fd_entry *gone = NULL;
	unsigned int same = 0;

	for (; f->entries[at].used; at = (at + 1) & (f->size - 1)) {
		struct fd_entry *e = &f->entries[at];

		if (e->token != token)
			continue;
		if (e->epfd == epfd)
			return e;
		gone = e->gone ? e : gone;
		same++;
	}
	return same < INSTANCES_MAX ? &f->entries[at] : gone;
}

/* Drops the entries of descriptors that are gone, so only open descriptors take room. */
static int fds__grow(struct fds *f)
{
	struct fds grown = { .added = f->added, .hash = f->size ? f->hash : hash_key__new() };
	uint32_t open = 0;

	for (uint32_t i = 0; i < f->size; i++)
		open += f->entries[i].used && !f->entries[i].gone;
	grown.size = 1024;
	while (grown.size < open * 4)
		grown.size *= 2;
	grown.entries = calloc(grown.size, sizeof(*grown.entries));
	if (!grown.entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->size; i++) {
		struct fd_entry *e = &f->entries[i];

		if (e->used && !e->gone) {
			*fds__find(&grown, e->token, e->epfd) = *e;
			grown.nr++;
		}
	}
	free(f->entries);
	*f = grown;
	return 0;
}

int fds__add(struct fds *f, uint64_t token, int32_t epfd, int32_t fd, uint32_t name,
	     uint8_t role)
{
	struct fd_entry *e;

	if (f->nr * 2 >= f->size && fds__grow(f))
		return -ENOMEM;
	e = fds__find(f, token, epfd);
	if (!e)
		return 0;
	f->nr += !e->used;
	*e = (struct fd_entry){ .token = token, .epfd = epfd, .fd = fd, .name = name, .used = true,
				.talk.role = role,
				.nr = e->used && e->epfd == epfd ? e->nr : f->added++ };
	return 0;
}

void fds__del(struct fds *f, uint64_t token, int32_t epfd)
{
	struct fd_entry *e = f->size ? fds__find(f, token, epfd) : NULL;

	if (e && e->used)
		e->gone = true;
}

/*
 * When entries share a token and the epfd is not known, open descriptors are preferred,
 * then the one added first.
 */
static bool is_better(const struct fd_entry *e, const struct fd_entry *than)
{
	if (!than || e->gone != than->gone)
		return !than || than->gone;
	return e->nr < than->nr;
}

static const struct fd_entry *fds__get(const struct fds *f, uint64_t token, int32_t epfd)
{
	const struct fd_entry *found = NULL;
	unsigned int same = 0;
	uint32_t at;

	if (!f->size)
		return NULL;
	at = fds__home(f, token);
	for (; f->entries[at].used; at = (at + 1) & (f->size - 1)) {
		const struct fd_entry *e = &f->entries[at];

		if (e->token != token)
			continue;
		if (e->epfd == epfd) {
			found = e;
			break;
		}
		if (is_better(e, found))
			found = e;
		same++;
	}
	return same == INSTANCES_MAX ? NULL : found;
}

void fds__turn(struct fds *f, uint64_t token, int32_t fd, bool sent, bool seen)
{
	uint32_t at = f->size ? fds__home(f, token) : 0;

	for (; f->size && f->entries[at].used; at = (at + 1) & (f->size - 1)) {
		struct fd_entry *e = &f->entries[at];

		if (e->token != token || e->fd != fd || e->gone)
			continue;
		e->talk.sent_known = true;
		e->talk.sent = sent;
		e->talk.seen = seen;
	}
}

struct fd_talk fds__talk(const struct fds *f, uint64_t token, int32_t epfd)
{
	const struct fd_entry *found = fds__get(f, token, epfd);

	return found ? found->talk : (struct fd_talk){ .role = TRACE_FD_OTHER };
}

struct detail fds__name(const struct fds *f, uint64_t token, int32_t epfd)
{
	const struct fd_entry *found = fds__get(f, token, epfd);

	if (!found)
		return (struct detail){ 0 };
	if (found->name)
		return (struct detail){ .kind = DETAIL_STRING, .id = found->name };
	return (struct detail){ .kind = DETAIL_FD, .id = (uint32_t)found->fd };
}

void fds__clear(struct fds *f)
{
	free(f->entries);
	*f = (struct fds){ 0 };
}
