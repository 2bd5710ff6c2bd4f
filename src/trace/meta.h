/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metadata records as bytes.
 *
 *	record	= type:byte varint(length) payload
 *
 * Records of an unknown type are skipped, and so are bytes behind the fields that are
 * known here: both may be extended. Texts are referred to by string id; the record of a
 * string precedes the first record that refers to it.
 */
#ifndef DWELL_TRACE_META_H
#define DWELL_TRACE_META_H

#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

/* On disk: append only. */
enum trace_record {
	TRACE_RECORD_HOST	= 1,
	TRACE_RECORD_STRING	= 2,
	TRACE_RECORD_TASK_KIND	= 3,
	TRACE_RECORD_CHAIN	= 4,
	TRACE_RECORD_STACK	= 5,
	TRACE_RECORD_THREAD	= 6,
	TRACE_RECORD_NOTE	= 7,
	TRACE_RECORD_LOSS	= 8,
	TRACE_RECORD_TOTALS	= 9,	/* the end marker */
	TRACE_RECORD_USER_STACK	= 10,
};

/* Flags of a task kind. Append only. */
#define TRACE_KIND_BLOCKING		0x01
#define TRACE_KIND_UNSEEN_SPAWNS	0x02
#define TRACE_KIND_ROOT			0x04
#define TRACE_KIND_BOXED		0x08

/* Flags of a chain node, and where its enum trace_node_descriptor and trace_node_idle begin. */
#define TRACE_NODE_OWN			0x01
#define TRACE_NODE_DESCRIPTOR_SHIFT	1
#define TRACE_NODE_DESCRIPTOR_MASK	3
#define TRACE_NODE_IDLE_SHIFT		3

#define TRACE_CHAIN_NODES_MAX	1024
#define TRACE_STACK_FRAMES_MAX	1024

/* All metadata of a file. Opaque except for the reader. */
struct trace_tables;

struct trace_tables *trace_tables__new(void);
void trace_tables__free(struct trace_tables *t);
/* Add the payload of a metadata chunk. 0, -EBADMSG or -ENOMEM. */
int trace_tables__load(struct trace_tables *t, const uint8_t *in, size_t len, uint32_t nr);

const struct trace_host *trace_tables__host(const struct trace_tables *t);
const struct trace_totals *trace_tables__totals(const struct trace_tables *t);
const char *trace_tables__string(const struct trace_tables *t, uint32_t id);
const struct trace_task_kind *trace_tables__task_kind(const struct trace_tables *t, uint32_t id);
const struct trace_chain *trace_tables__chain(const struct trace_tables *t, uint32_t id);
const struct trace_stack *trace_tables__stack(const struct trace_tables *t, uint32_t id);
const struct trace_user_stack *trace_tables__user_stack(const struct trace_tables *t, uint32_t id);
const char *trace_tables__thread(const struct trace_tables *t, uint32_t tid);
const char *const *trace_tables__notes(const struct trace_tables *t, size_t *nr);
bool trace_tables__loss(const struct trace_tables *t, size_t i, const char **cause,
			uint64_t *total);

#endif /* DWELL_TRACE_META_H */
