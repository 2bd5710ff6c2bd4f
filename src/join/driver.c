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

struct detail driver__name(const struct join *j, uint64_t key)
{
	struct detail name = { .kind = DETAIL_NONE };

	for (int i = 0; i < DRIVER_NR && name.kind == DETAIL_NONE; i++)
		name = drivers[i]->name(j, key);
	return name;
}
