/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readiness of sockets: tells whether this kernel reports the time. The time is sent
 * with epoll's events, so there is nothing to decode.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/source.h"

static int socket_prepare(struct dwell_bpf *skel, const struct btf *kernel, const char **note)
{
	/*
	 * The tracepoint exists since Linux 6.3; btf_trace_NAME is the BTF type of a
	 * tp_btf program's arguments.
	 */
	bool have = btf__find_by_name_kind(kernel, "btf_trace_sk_data_ready", BTF_KIND_TYPEDEF) > 0;

	bpf_program__set_autoload(skel->progs.sk_data_ready, have);
	if (!have)
		*note = "this kernel has no sk_data_ready tracepoint (6.3 and later have it): "
			"when a socket became ready is known only if a worker slept for it";
	return 0;
}

const struct kernel_source source_socket = {
	.name		= "socket",
	.prepare	= socket_prepare,
};
