/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces: sock_diag and other netlink sockets answer for that of the one who asks. */
#ifndef DWELL_BASE_NETWORK_H
#define DWELL_BASE_NETWORK_H

#include <stdbool.h>
#include <sys/types.h>

/* Is process @pid in our network namespace? False also if it is gone or may not be looked at. */
bool network__same(pid_t pid);

#endif /* DWELL_BASE_NETWORK_H */
