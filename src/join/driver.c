/* SPDX-License-Identifier: GPL-2.0 */
/* The table of drivers. It must not know any particular driver. */
#include <stddef.h>

#include "join/driver.h"

#define DECLARE(name)	extern const struct driver_ops driver_##name;
DRIVERS(DECLARE)

#define ENTRY(name)	[DRIVER_##name] = &driver_##name,
const struct driver_ops *const drivers[DRIVER_NR] = { DRIVERS(ENTRY) };

const struct driver_ops *driver__of_event(uint8_t type)
{
	for (int i = 0; i < DRIVER_NR; i++)
		if (drivers[i]->returned_by == type || drivers[i]->ready_by == type)
			return drivers[i];
	return NULL;
}

const struct driver_ops *driver__of_syscall(int syscall)
{
	for (int i = 0; i < DRIVER_NR; i++)
		if (drivers[i]->waits_in(syscall))
			return drivers[i];
	return NULL;
}

int driver__heard(struct join *j, const struct trace_event *ev, uint64_t now)
{
	for (int i = 0; i < DRIVER_NR; i++)
		if (drivers[i]->heard)
			return drivers[i]->heard(j, ev, now);
	return 0;
}

bool driver__happened(const struct join *j, const struct task *t, const struct shape *sh,
		      const struct thread *w, struct cause *cause)
{
	for (int i = 0; i < DRIVER_NR; i++)
		if (drivers[i]->happened && drivers[i]->happened(j, t, sh, w, cause))
			return true;
	return false;
}

bool driver__outstanding(const struct join *j, const struct task *t, const struct chain_leaf *l,
			 struct cause *cause)
{
	for (int i = 0; i < DRIVER_NR; i++)
		if (drivers[i]->outstanding && drivers[i]->outstanding(j, t, l, cause))
			return true;
	return false;
}

const char *driver__operation(struct join *j, uint32_t id, uint32_t *stack)
{
	for (int i = 0; i < DRIVER_NR; i++)
		if (drivers[i]->operation)
			return drivers[i]->operation(j, id, stack);
	return NULL;
}

struct detail driver__name(const struct join *j, uint64_t key)
{
	struct detail name = { .kind = DETAIL_NONE };

	for (int i = 0; i < DRIVER_NR && name.kind == DETAIL_NONE; i++)
		if (drivers[i]->name)
			name = drivers[i]->name(j, key);
	return name;
}
