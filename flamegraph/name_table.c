// SPDX-License-Identifier: GPL-2.0
/*
 * A hash table and one buffer of text: most frames of a stack have names that are known
 * already.
 */
#include "flamegraph/name_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t spread = 0x9e3779b97f4a7c15;

uint32_t name_table__spread(const struct name_table *n, uint32_t id, uint32_t nr)
{
	const char *s = name_table__text(n, id);
	size_t len = n->list[id].len;
	uint64_t h = len * spread, word;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&word, s, 8);
		h = (h ^ word) * spread;
		h ^= h >> 32;
	}
	if (len) {
		word = 0;
		memcpy(&word, s, len);
		h = (h ^ word) * spread;
		h ^= h >> 32;
	}
	return (h >> 24) % nr;
}

/* The hash is keyed, because the names come from a file. */
static uint64_t hash_bytes(const struct hash_key *key, const char *s, size_t len)
{
	uint64_t h = len, word;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&word, s, 8);
		h = hash__of(key, h ^ word);
	}
	word = 0;
	memcpy(&word, s, len);
	return hash__of(key, h ^ word);
}

static bool is_plain(const char *s, size_t len)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
	uint64_t odd = 0, word;

	/* Eight bytes at once: are any below 0x20, equal to 0x7f, or above it? */
	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&word, s, 8);
		odd |= (word - 0x20 * ones) | (word + ones) | word;
	}
	if (len) {
		word = 0x20 * ones;
		memcpy(&word, s, len);
		odd |= (word - 0x20 * ones) | (word + ones) | word;
	}
	return !(odd & tops);
}

static int name_table__grow(struct name_table *n)
{
	uint32_t nr_slots = n->nr_slots ? n->nr_slots * 2 : 1024;
	uint32_t *slots;
	uint32_t at;

	if (!nr_slots)
		return -EOVERFLOW;
	slots = calloc(nr_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	if (!n->nr_slots)
		n->key = hash_key__new();
	for (uint32_t i = 0; i < n->nr; i++) {
		at = n->list[i].hash & (nr_slots - 1);
		while (slots[at])
			at = (at + 1) & (nr_slots - 1);
		slots[at] = i + 1;
	}
	free(n->slots);
	n->slots = slots;
	n->nr_slots = nr_slots;
	return 0;
}

static int name_table__append(struct name_table *n, const char *s, size_t len, uint64_t hash)
{
	struct name_entry *list;
	uint32_t cap;

	if (n->text.len + len >= UINT32_MAX || n->nr == UINT32_MAX / 2)
		return -EOVERFLOW;
	if (n->nr == n->cap) {
		cap = n->cap ? n->cap * 2 : 512;
		list = realloc(n->list, cap * sizeof(*list));
		if (!list)
			return -ENOMEM;
		n->list = list;
		n->cap = cap;
	}
	n->list[n->nr].at = n->text.len;
	n->list[n->nr].len = len;
	n->list[n->nr].hash = hash;
	textbuf__bytes(&n->text, s, len);
	textbuf__bytes(&n->text, "", 1);
	if (n->text.err)
		return n->text.err;
	n->nr++;
	return 0;
}

int name_table__intern(struct name_table *n, const char *s, uint32_t *id)
{
	size_t len = strlen(s);
	const struct name_entry *e;
	uint64_t hash;
	uint32_t at;
	int err;

	if (!is_plain(s, len)) {
		n->scratch.len = 0;
		textbuf__clean(&n->scratch, s, len);
		if (n->scratch.err)
			return n->scratch.err;
		s = n->scratch.data;
		len = n->scratch.len;
	}
	if (!len) {
		s = "?";
		len = 1;
	}
	if (n->nr >= n->nr_slots / 2) {
		err = name_table__grow(n);
		if (err)
			return err;
	}
	hash = hash_bytes(&n->key, s, len);
	for (at = hash & (n->nr_slots - 1); n->slots[at]; at = (at + 1) & (n->nr_slots - 1)) {
		e = &n->list[n->slots[at] - 1];
		if (e->hash == hash && e->len == len && !memcmp(n->text.data + e->at, s, len)) {
			*id = n->slots[at] - 1;
			return 0;
		}
	}
	err = name_table__append(n, s, len, hash);
	if (err)
		return err;
	n->slots[at] = n->nr;
	*id = n->nr - 1;
	return 0;
}

void name_table__free(struct name_table *n)
{
	textbuf__free(&n->text);
	textbuf__free(&n->scratch);
	free(n->list);
	free(n->slots);
	memset(n, 0, sizeof(*n));
}
