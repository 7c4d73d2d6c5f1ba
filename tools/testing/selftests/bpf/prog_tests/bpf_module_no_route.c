// SPDX-License-Identifier: GPL-2.0
/*
 * A connection whose listener no longer finds a route to the peer: the child that was
 * to serve it never got a congestion control, so it has none to put. The tests of a
 * kernel module also run on kernels without BPF modules.
 */
#include <netinet/tcp.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "network_helpers.h"

#define BM_VEGAS_REFS "/sys/module/tcp_vegas/refcnt"

/* Seconds that a listener waits for data before it takes a connection without. */
#define BM_DEFER_S 100

/* A listener, its peer, and the route to that. */
static const struct peers {
	const char *name;
	int family;
	int proto;
	const char *server, *client;
	const char *route;
} peers[] = {
	{ "ipv4", AF_INET, IPPROTO_TCP, "10.1.1.1", "10.1.1.2", "local 10.1.1.2" },
	{ "ipv4_mapped", AF_INET6, IPPROTO_TCP, "::ffff:10.1.1.1", "::ffff:10.1.1.2",
	  "local 10.1.1.2" },
	{ "ipv6", AF_INET6, IPPROTO_TCP, "fd00::1", "fd00::2", "local fd00::2" },
	{ "mptcp", AF_INET, IPPROTO_MPTCP, "10.1.1.1", "10.1.1.2", "local 10.1.1.2" },
};

/* A congestion control, and whoever counts its users. */
struct provider {
	const char *name;
	int fd;			/* the BPF module, -1 for tcp_vegas */
};

struct listen_opts {
	const struct peers *peers;
	const struct provider *cc;
};

static long long users(const struct provider *cc)
{
	char buf[32];

	if (cc->fd >= 0)
		return bm_users(cc->fd);
	return bm_read_line(BM_VEGAS_REFS, buf, sizeof(buf)) ? atoi(buf) : -1;
}

/* The number of connections that listeners of this namespace failed to take. */
static long dropped(void)
{
	char names[4096], values[4096], *n, *v, *save_n, *save_v;
	FILE *f = fopen("/proc/net/netstat", "r");
	long ret = -1;

	/* names and values have a line each */
	if (CHECK_FAIL(!f) || CHECK_FAIL(!fgets(names, sizeof(names), f)) ||
	    CHECK_FAIL(!fgets(values, sizeof(values), f)))
		goto out;
	n = strtok_r(names, " ", &save_n);
	v = strtok_r(values, " ", &save_v);
	while (n && v) {
		if (!strcmp(n, "ListenDrops"))
			ret = atol(v);
		n = strtok_r(NULL, " ", &save_n);
		v = strtok_r(NULL, " ", &save_v);
	}
out:
	if (f)
		fclose(f);
	return ret;
}

static int set_listener(int fd, void *opts)
{
	const struct listen_opts *l = opts;
	int defer = BM_DEFER_S;

	return bm_tcp_set(fd, l->cc->name) ?:
	       setsockopt(fd, SOL_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
}

static int set_client(int fd, void *opts)
{
	const struct listen_opts *l = opts;
	struct sockaddr_storage addr;
	socklen_t len;

	return make_sockaddr(l->peers->family, l->peers->client, 0, &addr, &len) ?:
	       bind(fd, (struct sockaddr *)&addr, len);
}

static int ip_route(const char *what, const struct peers *p)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "ip -%c route %s %s dev lo table local",
		 strchr(p->route, ':') ? '6' : '4', what, p->route);
	return system(cmd);
}

static void test_no_route(const struct peers *p, const struct provider *cc)
{
	struct listen_opts l = { .peers = p, .cc = cc };
	struct network_helper_opts opts = {
		.timeout_ms = BM_WAIT_MS,
		.proto = p->proto,
		.post_socket_cb = set_listener,
		.cb_opts = &l,
	};
	int listener, client, server;
	long before;

	listener = start_server_str(p->family, SOCK_STREAM, p->server, 0, &opts);
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	ASSERT_EQ(users(cc), 1, "users with a listener");
	opts.post_socket_cb = set_client;
	client = connect_to_fd_opts(listener, &opts);
	if (!ASSERT_OK_FD(client, "connect"))
		goto out;
	ASSERT_EQ(users(cc), 1, "users before the first data");

	before = dropped();
	if (!ASSERT_OK(ip_route("del", p), "remove the route"))
		goto out_client;
	ASSERT_EQ(send(client, "x", 1, 0), 1, "send");
	ASSERT_TRUE(bm_wait(dropped() > before), "the connection is dropped");
	ASSERT_EQ(users(cc), 1, "users without a route");
	if (cc->fd >= 0)
		ASSERT_EQ(bpf_module_unload(cc->fd, NULL), -EBUSY, "unload with a listener");

	/* the client sends it again */
	ASSERT_OK(ip_route("add", p), "restore the route");
	server = accept(listener, NULL, NULL);
	if (ASSERT_OK_FD(server, "accept")) {
		ASSERT_TRUE(bm_tcp_uses(server, cc->name), "inherited");
		ASSERT_EQ(users(cc), 2, "users with a connection");
		close(server);
	}
out_client:
	close(client);
out:
	close(listener);
	ASSERT_TRUE(bm_wait(users(cc) == 0), "users at the end");
}

static void test_bpf_module(const struct peers *p)
{
	struct provider cc = { .name = "bm_no_route" };
	struct bm_cc module;

	cc.fd = bm_cc_open_load(&module, "bm_no_route", cc.name);
	if (cc.fd < 0)
		return;
	test_no_route(p, &cc);
	ASSERT_OK(bpf_module_unload(cc.fd, NULL), "unload");
	bm_cc_cleanup(&module, cc.fd);
}

/* One that the kernel loads when a socket asks for it. */
static void test_kernel_module(const struct peers *p)
{
	struct provider cc = { .name = "vegas", .fd = -1 };
	bool loaded = bm_tcp_has(cc.name);
	int sock;

	sock = bm_socket(AF_INET, cc.name);
	if (!ASSERT_OK_FD(sock, "load vegas"))
		return;
	close(sock);
	test_no_route(p, &cc);
	if (!loaded)
		ASSERT_TRUE(bm_wait(!delete_module("tcp_vegas", O_NONBLOCK)), "delete_module");
}

static bool set_up_net(void)
{
	SYS(fail, "ip -4 addr add 10.1.1.1/32 dev lo");
	SYS(fail, "ip -4 addr add 10.1.1.2/32 dev lo");
	/* one route to each address, no second one by its prefix */
	SYS(fail, "ip -6 addr add fd00::1/128 dev lo nodad noprefixroute");
	SYS(fail, "ip -6 addr add fd00::2/128 dev lo nodad noprefixroute");
	return true;
fail:
	return false;
}

void serial_test_bpf_module_no_route(void)
{
	bool modules, kernel_module;
	char name[64];
	__u32 id;
	int i, netns;

	netns = bm_netns_enter();
	if (netns < 0)
		return;
	if (!set_up_net())
		goto out;
	modules = bpf_module_get_next_id(0, &id) != -EINVAL;
	/* else it is built in, and nobody counts its users */
	kernel_module = !access(BM_VEGAS_REFS, F_OK) || !bm_tcp_has("vegas");
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		snprintf(name, sizeof(name), "kernel_module_%s", peers[i].name);
		if (kernel_module && test__start_subtest(name))
			test_kernel_module(&peers[i]);
		snprintf(name, sizeof(name), "bpf_module_%s", peers[i].name);
		if (modules && test__start_subtest(name))
			test_bpf_module(&peers[i]);
	}
out:
	bm_netns_leave(netns);
}
