// SPDX-License-Identifier: GPL-2.0
/* The memory of an answer. See answer.h. */
#include "answer/answer.h"

#include <stdlib.h>
#include <string.h>

void answer__init(struct answer *a)
{
	*a = (struct answer){ .ts = 0 };
}

const char *answer__text(struct answer *a, const char *text)
{
	uint64_t key = hash_table__key(&a->texts, text, strlen(text));

	for (;; key++) {
		struct hash_slot *slot = hash_table__at(&a->texts, key);

		if (!slot)
			return NULL;
		if (!slot->ptr) {
			slot->ptr = strdup(text);
			return slot->ptr;
		}
		if (!strcmp(slot->ptr, text))
			return slot->ptr;
	}
}

static void free_texts(struct hash_table *t)
{
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key)
			free(t->slots[i].ptr);
	if (t->has_zero)
		free(t->zero.ptr);
	hash_table__clear(t);
}

void answer__free(struct answer *a)
{
	free(a->findings);
	free(a->parties);
	free(a->tasks);
	free(a->places);
	free(a->waits);
	free(a->has);
	free(a->resources);
	free(a->holders);
	free(a->threads);
	free(a->frames);
	free(a->pools);
	free_texts(&a->texts);
	answer__init(a);
}

const char *answer_state__words(enum answer_state state)
{
	switch (state) {
	case ANSWER_IDLE:	return "waits";
	case ANSWER_READY:	return "is ready to be polled";
	case ANSWER_POLLED:	return "is being polled";
	case ANSWER_MOVING:	return "runs";
	case ANSWER_STATE_NR:	break;
	}
	return "";
}
