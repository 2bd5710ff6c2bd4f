/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much of a busy machine this process asks for.
 */
#ifndef DWELL_BASE_PRIORITY_H
#define DWELL_BASE_PRIORITY_H

/*
 * From now on other processes go first on a CPU that they need too: nice 10 at least, and a
 * slice of 0.1 ms, after which a thread that was woken meanwhile gets the CPU. Where nothing
 * else runs, this process is as fast as before. For processes that compute next to the
 * target; not for one that has to keep up with it. What the kernel refuses is left as it is.
 */
void priority__give_way(void);

#endif /* DWELL_BASE_PRIORITY_H */
