/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces, and datagrams. */
#ifndef __BPF_MODULE_NET_H
#define __BPF_MODULE_NET_H

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <test_progs.h>

/* Enters a new network namespace, returns an fd of the previous one. */
static inline int bm_netns_enter(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int orig, sock, err;

	orig = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!ASSERT_OK_FD(orig, "open netns"))
		return -1;
	if (!ASSERT_OK(unshare(CLONE_NEWNET), "unshare")) {
		close(orig);
		return -1;
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = ioctl(sock, SIOCSIFFLAGS, &ifr);
	close(sock);
	ASSERT_OK(err, "lo up");
	return orig;
}

static inline void bm_netns_leave(int orig)
{
	if (orig < 0)
		return;
	ASSERT_OK(setns(orig, CLONE_NEWNET), "setns");
	close(orig);
}

/* Sends a datagram, which nobody has to receive. */
static inline void bm_send_to(const char *addr)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, addr, &to.sin_addr);
	sendto(sock, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	close(sock);
}

static inline void bm_send_to_self(void)
{
	bm_send_to("127.0.0.1");
}

#endif /* __BPF_MODULE_NET_H */
