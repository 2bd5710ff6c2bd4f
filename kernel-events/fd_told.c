/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The name of a descriptor that an event describes, for the file. See source.h.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "dwell.skel.h"
#include "kernel-events/fd.h"
#include "kernel-events/fd_name.h"
#include "kernel-events/source.h"

#define PEERS_MAX	1024	/* processes that connect and are named with their pids */

/*
 * Find the listening socket that accepted connection @fd, if there is one. Its event
 * may be in another CPU's ring buffer and be read later, so the kernel's map is asked.
 * The socket listens on the connection's local address, or on all addresses.
 */
static int find_listener(struct source_ctx *ctx, const struct raw_fd *fd)
{
	int map = bpf_map__fd(ctx->skel->maps.listening);
	struct raw_listener key = { .family = fd->family, .port = fd->local_port };
	struct raw_fd listener = *fd;
	uint8_t there;

	if (fd->sk_type != SOCK_STREAM || !fd->remote_port || listeners__of(&ctx->listeners, fd))
		return 0;
	memcpy(key.local, fd->local, sizeof(key.local));
	if (bpf_map_lookup_elem(map, &key, &there)) {
		memset(key.local, 0, sizeof(key.local));
		if (bpf_map_lookup_elem(map, &key, &there))
			return 0;
	}
	memcpy(listener.local, key.local, sizeof(key.local));
	listener.remote_port = 0;
	listener.sk_state = TCP_LISTEN;
	return listeners__add(&ctx->listeners, &listener);
}

static int tell(struct source_ctx *ctx, const struct raw_fd *fd, bool unnumbered, uint32_t *string)
{
	const struct fd_namer namer = { .pid = ctx->pid, .listeners = &ctx->listeners,
					.holders = &ctx->holders,
					.servers = &ctx->servers,
					.many = ctx->nr_peers >= PEERS_MAX,
					.unnumbered = unnumbered };
	char name[FD_NAME_MAX];
	int err;

	err = listeners__add(&ctx->listeners, fd);
	if (!err)
		err = find_listener(ctx, fd);
	if (err)
		return err;
	fd_name(&namer, fd, name, sizeof(name));
	*string = trace_writer__string(ctx->trace, name);
	if (fd->peer_pid && *string > ctx->last_peer) {	/* a new one: ids ascend */
		ctx->last_peer = *string;
		ctx->nr_peers++;
	}
	return *string ? 1 : -ENOMEM;
}

int source_fd_name(struct source_ctx *ctx, const struct raw_fd *fd, uint32_t *string)
{
	return tell(ctx, fd, false, string);
}

int source_fd_name_unnumbered(struct source_ctx *ctx, const struct raw_fd *fd, uint32_t *string)
{
	return tell(ctx, fd, true, string);
}
