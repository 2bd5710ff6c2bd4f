/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The spelling of segments and parts.
 */
#include "join/join.h"
#include "join/part.h"

static const char *const segment_names[JOIN_SEGMENT_NR][2] = {
	[JOIN_RUNNING]		= { "running",		"[running]" },
	[JOIN_PREEMPTED]	= { "preempted",	"[preempted]" },
	[JOIN_BLOCKED]		= { "blocked",		"[blocked]" },
	[JOIN_AWAIT]		= { "await",		"[await]" },
	[JOIN_READY]		= { "ready",		"[ready]" },
	[JOIN_UNATTRIBUTED]	= { "unattributed",	"[unattributed]" },
};

static const char *const part_names[PART_NR] = {
	[PART_NONE]		= "",
	[PART_NO_DATA]		= "no data",
	[PART_NO_ROOM]		= "no room",
	[PART_NOT_SEEN]		= "readiness not seen",
	[PART_RUN_QUEUE]	= "worker run queue",
	[PART_BUSY]		= "worker busy",
	[PART_WORKER_BLOCKED]	= "worker blocked",
	[PART_PARKED]		= "worker parked",
	[PART_EPOLL]		= "epoll",
	[PART_DISPATCH]		= "dispatch",
	[PART_DEADLINE]		= "until deadline",
	[PART_TIMER_LATE]	= "timer late",
	[PART_TIMER]		= "timer",
	[PART_TIMER_OR_YIELD]	= "timer or yield",
	[PART_TIMER_OR_SIGNAL]	= "timer or signal",
	[PART_DRIVER]		= "descriptor, timer or signal",
	[PART_YIELDED]		= "yielded",
	[PART_WOKEN]		= "until woken",
	[PART_NO_WAKE]		= "no wake seen",
	[PART_OPEN]		= "not woken yet",
	[PART_UNTIL_LOSS]	= "until events were lost",
	[PART_HISTORY]		= "worker activity unknown",
	[PART_SPAWNED]		= "spawned",
	[PART_IN_POLL]		= "woken while polled",
	[PART_OTHER_TASK]	= "polling another task",
	[PART_PROBE]		= "a probe's trap",
	[PART_STOPPED]		= "stopped",
	[PART_BEFORE]		= "before first event",
	[PART_LOST]		= "lost events",
	[PART_BACK_NOT_SEEN]	= "return to a CPU not seen",
	[PART_UNMATCHED]	= "unmatched poll",
	[PART_RESULT]		= "poll result unknown",
	[PART_END_NOT_SEEN]	= "end of task not seen",
	[PART_THREAD_GONE]	= "thread exited",
	[PART_DROPPED]		= "until dropped",
	[PART_UNDRIVEN]		= "timer late: no worker looks",
	[PART_JOB_QUEUED]	= "job queued",
	[PART_JOB_RUNNING]	= "job running",
	[PART_JOB_RUN_QUEUE]	= "job run queue",
	[PART_JOB_BLOCKED]	= "job blocked",
	[PART_JOB_DONE]		= "job done",
	[PART_JOB_UNKNOWN]	= "job activity unknown",
	[PART_NO_REPLY]		= "no data: reply",
	[PART_NO_REQUEST]	= "no data: request",
	[PART_NO_CONNECTION]	= "no data: connection",
	[PART_NOT_ASKED]	= "no data: nothing asked",
	[PART_NEXT_TICK]	= "until deadline: next tick",
	[PART_NO_WORK]		= "until woken: no work",
	[PART_NO_SIGNAL]	= "no signal",
	[PART_TASKS_GO_ON]	= "until woken: tasks go on",
	[PART_NOT_SUBMITTED]	= "not submitted yet",
	[PART_OPERATION]	= "operation",
	[PART_IO_WQ]		= "in io-wq",
	[PART_IO_URING]		= "io_uring",
	[PART_IO_WQ_QUEUE]	= "io-wq run queue",
	[PART_THROTTLED]	= "throttled",
	[PART_WORKER_THROTTLED]	= "worker throttled",
	[PART_JOB_THROTTLED]	= "job throttled",
	[PART_IO_WQ_THROTTLED]	= "io-wq throttled",
};

const char *join_segment__name(enum join_segment s)
{
	return segment_names[s][0];
}

const char *join_segment__frame(enum join_segment s)
{
	return segment_names[s][1];
}

const char *part__name(enum part p)
{
	return part_names[p];
}

bool part__idle(enum part p)
{
	switch (p) {
	case PART_NO_REQUEST:
	case PART_NO_CONNECTION:
	case PART_NOT_ASKED:
	case PART_NEXT_TICK:
	case PART_NO_WORK:
	case PART_NO_SIGNAL:
	case PART_TASKS_GO_ON:
		return true;
	default:
		return false;
	}
}
