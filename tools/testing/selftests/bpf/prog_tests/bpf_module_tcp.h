/* SPDX-License-Identifier: GPL-2.0 */
/* TCP sockets, and the congestion controls that they use. */
#ifndef __BPF_MODULE_TCP_H
#define __BPF_MODULE_TCP_H

#include <netinet/tcp.h>
#include <test_progs.h>
#include "bpf_module_file.h"
#include "network_helpers.h"

#ifndef TCP_CA_NAME_MAX
#define TCP_CA_NAME_MAX 16
#endif

#define BM_TCP_SYSCTL "/proc/sys/net/ipv4/tcp_"

/* All congestion controls, in order of registration. */
static inline bool bm_tcp_available(char *buf, int size)
{
	return bm_read_line(BM_TCP_SYSCTL "available_congestion_control", buf, size);
}

static inline bool bm_tcp_has(const char *name)
{
	char buf[1024], *tok, *save;

	if (!bm_tcp_available(buf, sizeof(buf)))
		return false;
	for (tok = strtok_r(buf, " ", &save); tok; tok = strtok_r(NULL, " ", &save))
		if (!strcmp(tok, name))
			return true;
	return false;
}

static inline int bm_tcp_set(int sock, const char *name)
{
	return setsockopt(sock, SOL_TCP, TCP_CONGESTION, name, strlen(name)) ? -errno : 0;
}

static inline bool bm_tcp_uses(int sock, const char *name)
{
	char buf[TCP_CA_NAME_MAX] = "";
	socklen_t len = sizeof(buf);

	if (CHECK_FAIL(getsockopt(sock, SOL_TCP, TCP_CONGESTION, buf, &len)))
		return false;
	return !strcmp(buf, name);
}

/* A socket that uses @name, which needs no connection.  Returns -errno. */
static inline int bm_socket(int family, const char *name)
{
	int fd, err;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = bm_tcp_set(fd, name);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static inline int bm_socket_cb(int fd, void *name)
{
	return bm_tcp_set(fd, name);
}

/* A listening socket that uses @name. */
static inline int bm_listen(int family, const char *name)
{
	struct network_helper_opts opts = {
		.post_socket_cb = bm_socket_cb,
		.cb_opts = (void *)name,
	};

	return start_server_str(family, SOCK_STREAM, family == AF_INET ? "127.0.0.1" : "::1", 0,
				&opts);
}

/* A connection to @listener that uses @name, the system's default if NULL. */
static inline int bm_connect(int listener, const char *name)
{
	struct network_helper_opts opts = {
		.post_socket_cb = name ? bm_socket_cb : NULL,
		.cb_opts = (void *)name,
	};

	return connect_to_fd_opts(listener, &opts);
}

static inline int bm_netns_set_default(const char *name)
{
	return write_sysctl(BM_TCP_SYSCTL "congestion_control", name);
}

#endif /* __BPF_MODULE_TCP_H */
