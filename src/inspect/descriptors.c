// SPDX-License-Identifier: GPL-2.0
/* The descriptors that a process has registered with epoll. See descriptors.h. */
#include "inspect/descriptors.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bisect.h"
#include "base/network.h"

#define ANSWER_MS	200	/* how long to wait for the kernel's answer */

/* ---- /proc ---- */

static bool link_of(pid_t pid, int fd, char *out, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = readlink(path, out, size - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

uint64_t descriptor__ino(pid_t pid, int fd, const char *kind)
{
	char link[PATH_MAX];
	size_t len = strlen(kind);

	if (!link_of(pid, fd, link, sizeof(link)) || strncmp(link, kind, len))
		return 0;
	return strtoull(link + len, NULL, 10);
}

static pid_t pid_behind(pid_t pid, int fd)
{
	char path[64], line[256];
	int behind = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %d", &behind) == 1)
			break;
	if (f)
		fclose(f);
	return behind > 0 ? behind : 0;
}

static void describe(pid_t pid, struct descriptor *d)
{
	d->ino = descriptor__ino(pid, d->fd, "socket:[");
	if (d->ino) {
		d->kind = DESCRIPTOR_SOCKET;
		return;
	}
	d->pid = pid_behind(pid, d->fd);
	if (d->pid)
		d->kind = DESCRIPTOR_PIDFD;
}

/* "tfd:        9 events: 8000201d data: 55d0c0ffee" */
static int read_epoll(pid_t pid, int epfd, struct descriptor **list, size_t *nr, size_t *cap)
{
	char path[64], line[256];
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, epfd);
	f = fopen(path, "re");
	if (!f)
		return 0;	/* closed meanwhile */
	while (!err && fgets(line, sizeof(line), f)) {
		struct descriptor d = { .fd = -1, .epfd = epfd };
		unsigned int events;

		if (sscanf(line, "tfd: %d events: %x data: %" SCNx64, &d.fd, &events, &d.token) != 3)
			continue;
		describe(pid, &d);
		err = array__room(list, cap, *nr, sizeof(**list));
		if (!err)
			(*list)[(*nr)++] = d;
	}
	fclose(f);
	return err;
}

int descriptors__list(pid_t pid, struct descriptor **out, size_t *nr)
{
	char path[64], link[PATH_MAX];
	struct dirent *entry;
	size_t cap = 0;
	int err = 0;
	DIR *dir;

	*out = NULL;
	*nr = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
		    link_of(pid, fd, link, sizeof(link)) &&
		    !strcmp(link, "anon_inode:[eventpoll]"))
			err = read_epoll(pid, fd, out, nr, &cap);
	}
	closedir(dir);
	if (err) {
		free(*out);
		*out = NULL;
	}
	return err;
}

/* ---- sock_diag ---- */

/* The sockets of a list, by their inodes. */
struct sockets {
	struct descriptor	**by_ino;
	size_t			  nr;
};

static int ino_cmp(const void *a, const void *b)
{
	const struct descriptor *const *x = a, *const *y = b;

	return (*x)->ino < (*y)->ino ? -1 : (*x)->ino > (*y)->ino;
}

/* False: no memory. */
static bool sockets__make(struct sockets *s, struct descriptor *list, size_t nr)
{
	*s = (struct sockets){ .by_ino = calloc(nr + 1, sizeof(*s->by_ino)) };
	for (size_t i = 0; i < nr && s->by_ino; i++)
		if (list[i].kind == DESCRIPTOR_SOCKET)
			s->by_ino[s->nr++] = &list[i];
	if (s->nr)
		qsort(s->by_ino, s->nr, sizeof(*s->by_ino), ino_cmp);
	return s->by_ino;
}

/* The first socket with inode @ino; others with it follow. s->nr: there is none. */
static size_t sockets__with(const struct sockets *s, uint64_t ino)
{
	size_t at = BISECT(s->nr, k, s->by_ino[k]->ino < ino);

	return at < s->nr && s->by_ino[at]->ino == ino ? at : s->nr;
}

static void take_udp(const struct nlmsghdr *h, const struct sockets *s)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	for (size_t i = sockets__with(s, m->idiag_inode);
	     i < s->nr && s->by_ino[i]->ino == m->idiag_inode; i++) {
		s->by_ino[i]->queues_known = true;
		s->by_ino[i]->to_read = m->idiag_rqueue;
	}
}

static void write_end(char *out, size_t size, uint8_t family, const __be32 *addr, __be16 port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, addr, text, sizeof(text));
	snprintf(out, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, ntohs(port));
}

/* A kernel may know less of it than this program does. */
static void take_info(const struct rtattr *a, struct descriptor_tcp *out)
{
	struct tcp_info info = { .tcpi_state = 0 };
	size_t len = RTA_PAYLOAD(a);

	if (len < offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof(info.tcpi_snd_wnd))
		return;
	memcpy(&info, RTA_DATA(a), len < sizeof(info) ? len : sizeof(info));
	out->info_known = true;
	out->unsent = info.tcpi_notsent_bytes;
	out->in_flight = info.tcpi_unacked;
	out->window = info.tcpi_snd_wnd;
	out->mss = info.tcpi_snd_mss;
	out->retransmits = info.tcpi_retransmits;
}

static void take_tcp(const struct nlmsghdr *h, const struct sockets *s)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a;
	int len;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	take_udp(h, s);
	for (size_t i = sockets__with(s, m->idiag_inode);
	     i < s->nr && s->by_ino[i]->ino == m->idiag_inode; i++) {
		struct descriptor_tcp *t = &s->by_ino[i]->tcp;

		*t = (struct descriptor_tcp){ .state = m->idiag_state };
		if (t->state == DESCRIPTOR_TCP_LISTEN)
			t->limit = m->idiag_wqueue;
		else
			t->to_send = m->idiag_wqueue;
		write_end(t->local, sizeof(t->local), m->idiag_family, m->id.idiag_src,
			  m->id.idiag_sport);
		write_end(t->peer, sizeof(t->peer), m->idiag_family, m->id.idiag_dst,
			  m->id.idiag_dport);
		len = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
		for (a = (const void *)(m + 1); RTA_OK(a, len); a = RTA_NEXT(a, len))
			if (a->rta_type == INET_DIAG_INFO)
				take_info(a, t);
	}
}

static void take_unix(const struct nlmsghdr *h, const struct sockets *s)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a;
	int len;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	len = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	for (a = (const void *)(m + 1); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		const struct unix_diag_rqlen *q = RTA_DATA(a);

		if (a->rta_type != UNIX_DIAG_RQLEN || RTA_PAYLOAD(a) < sizeof(*q))
			continue;
		for (size_t i = sockets__with(s, m->udiag_ino);
		     i < s->nr && s->by_ino[i]->ino == m->udiag_ino; i++) {
			s->by_ino[i]->queues_known = true;
			s->by_ino[i]->to_read = q->udiag_rqueue;
		}
	}
}

/* Send the request of @len bytes at @request, and take the answers up to the last. */
static void dump(int netlink, const void *request, size_t len, const struct sockets *s,
		 void (*take)(const struct nlmsghdr *h, const struct sockets *s))
{
	_Alignas(struct nlmsghdr) char buf[32768];

	if (send(netlink, request, len, 0) != (ssize_t)len)
		return;
	for (;;) {
		ssize_t n = recv(netlink, buf, sizeof(buf), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)buf;
		unsigned int left = n > 0 ? (unsigned int)n : 0;

		if (n <= 0)
			return;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return;
			take(h, s);
		}
	}
}

/* A socket to ask for those of @pid's; negative: it cannot be asked. */
static int open_diag(pid_t pid)
{
	const struct timeval limit = { .tv_usec = ANSWER_MS * 1000 };
	int netlink;

	/* it answers for the network namespace of the one who asks */
	if (!network__same(pid))
		return -1;
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (netlink >= 0)
		setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return netlink;
}

static void dump_inet(int netlink, int protocol, uint32_t states, const struct sockets *s)
{
	struct {
		struct nlmsghdr		h;
		struct inet_diag_req_v2	r;
	} in = { { sizeof(in), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0 },
		 { .sdiag_protocol = (uint8_t)protocol, .idiag_states = states } };
	static const int families[] = { AF_INET, AF_INET6 };

	if (protocol == IPPROTO_TCP)
		in.r.idiag_ext = 1 << (INET_DIAG_INFO - 1);
	for (size_t i = 0; i < 2; i++) {
		in.r.sdiag_family = (uint8_t)families[i];
		dump(netlink, &in, sizeof(in), s,
		     protocol == IPPROTO_TCP ? take_tcp : take_udp);
	}
}

void descriptors__ask(pid_t pid, struct descriptor *list, size_t nr)
{
	struct {
		struct nlmsghdr		h;
		struct unix_diag_req	r;
	} un = { { sizeof(un), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0 },
		 { .sdiag_family = AF_UNIX, .udiag_states = ~0u,
		   .udiag_show = UDIAG_SHOW_RQLEN } };
	int netlink = open_diag(pid);
	struct sockets s;

	if (netlink < 0)
		return;
	if (!sockets__make(&s, list, nr))
		goto out;
	dump(netlink, &un, sizeof(un), &s, take_unix);
	dump_inet(netlink, IPPROTO_TCP, ~0u, &s);
	dump_inet(netlink, IPPROTO_UDP, ~0u, &s);
	free(s.by_ino);
out:
	close(netlink);
}

void descriptors__ask_tcp(pid_t pid, struct descriptor *list, size_t nr)
{
	int netlink = open_diag(pid);
	struct sockets s;

	if (netlink < 0)
		return;
	if (!sockets__make(&s, list, nr))
		goto out;
	dump_inet(netlink, IPPROTO_TCP, 1u << DESCRIPTOR_TCP_ESTABLISHED, &s);
	free(s.by_ino);
out:
	close(netlink);
}

const char *descriptor__tcp_state(uint8_t state)
{
	switch (state) {
	case DESCRIPTOR_TCP_ESTABLISHED:	return "established";
	case DESCRIPTOR_TCP_SYN_SENT:	return "connecting";
	case DESCRIPTOR_TCP_SYN_RECV:	return "being accepted";
	case DESCRIPTOR_TCP_FIN_WAIT1:
	case DESCRIPTOR_TCP_FIN_WAIT2:	return "closed by this side";
	case DESCRIPTOR_TCP_CLOSE_WAIT:	return "closed by the peer";
	case DESCRIPTOR_TCP_LAST_ACK:
	case DESCRIPTOR_TCP_CLOSING:
	case DESCRIPTOR_TCP_TIME_WAIT:
	case DESCRIPTOR_TCP_CLOSE:		return "closed";
	case DESCRIPTOR_TCP_LISTEN:	return "listening";
	}
	return "in an unknown state";
}

bool descriptor__opened_for(pid_t pid, int fd, unsigned int mode)
{
	unsigned int flags = O_RDWR;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	if (f)
		fclose(f);
	return (flags & O_ACCMODE) == mode;
}
