/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A text that describes a trace, as it is being read: its state, and the words of its current
 * line. Private to text_trace.c, where the grammar is.
 */
#ifndef DWELL_TEXT_WORDS_H
#define DWELL_TEXT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace.h"

#define WORDS_MAX	64
#define NODES_MAX	64
#define ADDRESSES_MAX	512

struct text_trace {
	struct trace_writer	*w;
	struct trace_host	 host;
	char			*host_texts[4];	/* of it, allocated */
	struct trace_totals	 totals;
	bool			 cut, ended;
	char			*addresses[ADDRESSES_MAX];
	size_t			 nr_addresses;
	/* The chain that is being read. */
	bool			 in_chain;
	uint32_t		 chain_id, nr_nodes;
	char			 chain_task[128];
	struct trace_node	 nodes[NODES_MAX];
	unsigned int		 depth[NODES_MAX];
	char			 texts[NODES_MAX][2][256];
	/* The line that is being read. */
	char			*words[WORDS_MAX];
	size_t			 nr_words, line;
	char			*why;
	size_t			 why_size;
	/* What is being repeated. */
	uint64_t		 rounds, period, offset;
	long			 from;		/* in the text */
};

/* Says what is wrong with the line, and returns -1. */
__attribute__((format(printf, 2, 3)))
int text__bad(struct text_trace *t, const char *fmt, ...);
/* Sets the time, in ns, that @s is in µs; later by what repetitions add. 0 or -1. */
int text__time(struct text_trace *t, const char *s, uint64_t *ns);
uint64_t text__number(const char *s);
/* The address that a word stands for; "0" is none. */
uint64_t text__address(struct text_trace *t, const char *word, size_t len);
/* VALUE of a word KEY=VALUE of this line, or NULL. */
const char *text__value(const struct text_trace *t, const char *key);
/* Is @word one of this line's? */
bool text__has(const struct text_trace *t, const char *word);
/* The value of @key as a number, a time, an address; if it is not there: @otherwise, as was, 0. */
uint64_t text__value_number(const struct text_trace *t, const char *key, uint64_t otherwise);
int text__value_time(struct text_trace *t, const char *key, uint64_t *ns);
uint64_t text__value_address(struct text_trace *t, const char *key);
/* '_' stands for a space. */
void text__spaces(char *s);

#endif /* DWELL_TEXT_WORDS_H */
