/* SPDX-License-Identifier: GPL-2.0 */
/* Allocates and resets the state of a codec, which encode.c and decode.c use. */
#include <stdlib.h>
#include <string.h>

#include "trace/packing.h"

struct trace_codec *trace_codec__new(void)
{
	struct trace_codec *c = calloc(1, sizeof(*c));

	if (c)
		trace_codec__reset(c);
	return c;
}

void trace_codec__free(struct trace_codec *c)
{
	free(c);
}

void trace_codec__reset(struct trace_codec *c)
{
	c->ts = 0;
	c->task_addr = 0;
	c->token_last = 0;
	c->tid = 0;
	c->epfd = -1;
	c->user_data = 0;
	c->ring = 0;
	c->next_task = c->next_token = c->next_tid = 0;
	c->woken = c->begun = c->ended = c->named = NO_SLOT;
	memset(c->task_hash, 0xff, sizeof(c->task_hash));
	memset(c->token_hash, 0xff, sizeof(c->token_hash));
	memset(c->tid_hash, 0xff, sizeof(c->tid_hash));
}
