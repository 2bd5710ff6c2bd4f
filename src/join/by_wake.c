/* SPDX-License-Identifier: GPL-2.0 */
/* Waits whose event has no tracepoint. See by_wake.h. */
#include "join/by_wake.h"

#include <stdio.h>
#include <string.h>

#include "base/quantity.h"
#include "join/timeline.h"

#define KIND_MAX	24	/* bytes of a kind: any text may be in a file */

/* "pipe" of "pipe from sh (pid 12)": where it begins, and its length. */
static const char *kind_of(const char *name, size_t *len)
{
	/* "[eventfd]" in older files */
	name += *name == '[';
	*len = strcspn(name, " ]");
	if (*len > KIND_MAX)
		*len = KIND_MAX;
	return name;
}

static bool is_kind(const struct join *j, uint32_t id, const char *name)
{
	size_t len, other;
	const char *kind = kind_of(name, &len);
	const char *known = kind_of(trace_reader__string(j->reader, id), &other);

	return len == other && !strncmp(known, kind, len);
}

void by_wake__count(struct join *j, struct detail on)
{
	struct by_wake *b = &j->by_wake;
	const char *name;

	b->waits++;
	if (on.kind != DETAIL_STRING || on.id == b->last)
		return;
	b->last = on.id;
	name = trace_reader__string(j->reader, on.id);
	if (!name)
		return;
	for (uint32_t i = 0; i < b->nr; i++)
		if (is_kind(j, b->names[i], name))
			return;
	if (b->nr < BY_WAKE_KINDS)
		b->names[b->nr++] = on.id;
}

const char *by_wake__note(struct join *j)
{
	const struct by_wake *b = &j->by_wake;
	char count[QUANTITY_MAX], kinds[256] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < b->nr && len < sizeof(kinds) - 32; i++) {
		size_t kind_len;
		const char *kind = kind_of(trace_reader__string(j->reader, b->names[i]), &kind_len);

		len += (size_t)snprintf(kinds + len, sizeof(kinds) - len, "%s%.*s",
					i ? ", " : " (", (int)kind_len, kind);
	}
	return frame_names__safef(j->names, "%s wait%s whose event has no tracepoint%s%s: when it was "
				  "there is told by the wake of the thread that waited in epoll", quantity__count(b->waits, count),
				  b->waits == 1 ? "" : "s", kinds, len ? ")" : "");
}
