// SPDX-License-Identifier: GPL-2.0
/*
 * The table of kernel sources: each number of an event and of a loss has one owner, and
 * each loss a name of its own and a hint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kernel-events/epoll.h"
#include "kernel-events/fd.h"
#include "kernel-events/sched.h"
#include "kernel-events/source.h"
#include "record/losses.h"

/* Those that the recorder decodes itself. */
static const uint8_t of_probes[] = {
	RAW_POLL_BEGIN, RAW_POLL_END, RAW_WAKE, RAW_TASK_NEW, RAW_TASK_DROP, RAW_CHAIN,
	RAW_RETURN, RAW_LOST, RAW_POLLS_GONE, RAW_JOB_NEW,
};

static void every_event_has_one_owner(void **state)
{
	unsigned int owners[RAW_TYPE_NR] = {};

	(void)state;
	for (size_t i = 0; i < sizeof(of_probes); i++)
		owners[of_probes[i]]++;
	for (const struct kernel_source *const *s = kernel_sources; *s; s++) {
		for (const struct source_event *e = (*s)->events; e && e->type; e++) {
			assert_in_range(e->type, 1, RAW_TYPE_NR - 1);
			owners[e->type]++;
		}
	}
	for (unsigned int type = 1; type < RAW_TYPE_NR; type++)
		if (owners[type] != 1)
			fail_msg("event %u has %u owners", type, owners[type]);
}

static void a_source_that_has_events_decodes_them(void **state)
{
	(void)state;
	for (const struct kernel_source *const *s = kernel_sources; *s; s++)
		if ((*s)->events && !(*s)->decode)
			fail_msg("%s decodes nothing", (*s)->name);
}

static void events_of_a_batch_fit_into_it(void **state)
{
	struct source_types types;
	struct raw_hdr hdr = {};

	(void)state;
	source_types__fill(&types);
	for (hdr.type = 1; hdr.type < RAW_TYPE_NR; hdr.type++) {
		assert_true(types.batched[hdr.type] <= BATCH_EVENT_MAX);
		assert_true(raw_size(&hdr) <= BATCH_EVENT_MAX);
		/* one owner says how long it is */
		if (types.source[hdr.type])
			assert_int_equal(raw_size(&hdr), 0);
	}
	assert_int_equal(types.batched[RAW_OFF_CPU], sizeof(struct raw_off_cpu));
	assert_int_equal(types.batched[RAW_EPOLL_WAIT], sizeof(struct raw_epoll_wait));
	assert_int_equal(types.batched[RAW_EPOLL_READY], sizeof(struct raw_epoll_ready));
	assert_int_equal(types.batched[RAW_FD_ADD], 0);
	assert_int_equal(types.batched[RAW_STACK], 0);
	assert_string_equal(types.source[RAW_STACK]->name, "sched");
	assert_null(types.source[RAW_WAKE]);
}

static void every_loss_has_a_name_and_a_hint(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < LOSS_NR; i++) {
		if (!strcmp(loss_name(i), "unknown") || !*loss_hint(i))
			fail_msg("loss %u has no name or no hint", i);
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(loss_name(i), loss_name(k));
	}
	assert_string_equal(loss_name(LOSS_NR), "unknown");
	assert_string_equal(loss_hint(LOSS_NR), "");
}

static void a_loss_is_of_one_source(void **state)
{
	unsigned int owners[LOSS_NR] = {};

	(void)state;
	for (const struct kernel_source *const *s = kernel_sources; *s; s++) {
		for (const struct source_loss *l = (*s)->losses; l && l->name; l++) {
			assert_in_range(l->cause, 0, LOSS_NR - 1);
			assert_int_equal(owners[l->cause]++, 0);
		}
	}
	/* names are kept: scripts and older reports have them */
	assert_string_equal(loss_name(LOSS_RING), "ring buffer full");
	assert_string_equal(loss_name(LOSS_SWITCH), "switch of a thread not seen");
	assert_string_equal(loss_name(LOSS_EPOLL_EVENTS), "epoll events not read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_has_one_owner),
		cmocka_unit_test(a_source_that_has_events_decodes_them),
		cmocka_unit_test(events_of_a_batch_fit_into_it),
		cmocka_unit_test(every_loss_has_a_name_and_a_hint),
		cmocka_unit_test(a_loss_is_of_one_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
