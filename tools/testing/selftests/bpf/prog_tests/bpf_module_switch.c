// SPDX-License-Identifier: GPL-2.0
/*
 * After a replacement all new connections run the new version, however they get it,
 * and meanwhile none is turned away. BPF_LINK_UPDATE of a struct_ops map does the
 * same.
 */
#include <linux/bpf_module.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_versions.h"
#include "bpf_module_wait.h"
#include "network_helpers.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Connections that are made before, and as many after it. */
#define BM_CONNECTIONS 20

/* How a connection gets the congestion control, at one end or at both. */
#define BY_DEFAULT	1	/* of its namespace */
#define BY_ROUTE	2
#define BY_CLIENT	4	/* setsockopt */
#define BY_LISTENER	8	/* the same, at who listens */

enum where {
	INIT_NET,
	OWN_NET,	/* made for the test, which makes the replacement there */
	OTHER_NET,	/* the connections are in another */
};

static const struct way {
	const char *name;
	int by;
	int family;
	int proto;
	enum where where;
} ways[] = {
	{ "default_init_net", BY_DEFAULT, AF_INET, 0, INIT_NET },
	{ "default", BY_DEFAULT, AF_INET, 0, OWN_NET },
	{ "default_ipv6", BY_DEFAULT, AF_INET6, 0, OWN_NET },
	{ "default_mptcp", BY_DEFAULT, AF_INET, IPPROTO_MPTCP, OWN_NET },
	{ "default_other_net", BY_DEFAULT, AF_INET, 0, OTHER_NET },
	{ "route", BY_ROUTE, AF_INET, 0, OWN_NET },
	{ "route_ipv6", BY_ROUTE, AF_INET6, 0, OWN_NET },
	{ "route_mptcp", BY_ROUTE, AF_INET, IPPROTO_MPTCP, OWN_NET },
	{ "setsockopt", BY_CLIENT, AF_INET, 0, OWN_NET },
	{ "setsockopt_ipv6", BY_CLIENT, AF_INET6, 0, OWN_NET },
	{ "setsockopt_mptcp", BY_CLIENT, AF_INET, IPPROTO_MPTCP, OWN_NET },
	{ "listener", BY_LISTENER, AF_INET, 0, OWN_NET },
	{ "listener_ipv6", BY_LISTENER, AF_INET6, 0, OWN_NET },
	{ "listener_mptcp", BY_LISTENER, AF_INET, IPPROTO_MPTCP, OWN_NET },
	{ "listener_and_default", BY_LISTENER | BY_DEFAULT, AF_INET, 0, OWN_NET },
};

static const int client_ways = BY_DEFAULT | BY_ROUTE | BY_CLIENT;
static const int server_ways = BY_DEFAULT | BY_ROUTE | BY_LISTENER;
static const int listener_ways = BY_DEFAULT | BY_LISTENER;

/* When a connection was started or checked. */
enum phase {
	BEFORE,
	DURING,
	AFTER,
	PHASES,
};

/* Connects again and again, in a thread of its own. */
struct caller {
	const struct way *way;
	pthread_t thread;
	int listener;
	int phase;		/* an enum phase, by the test */
	int stop;		/* by the test */
	int ready;
	int cnt[PHASES];	/* connections, by their beginning */
	int failed;
	int wrong;
};

static int open_listener(const struct way *way)
{
	struct network_helper_opts opts = {
		.proto = way->proto,
		.post_socket_cb = way->by & BY_LISTENER ? bm_socket_cb : NULL,
		.cb_opts = BM_SWITCH,
	};

	return start_server_str(way->family, SOCK_STREAM,
				way->family == AF_INET ? "127.0.0.1" : "::1", 0, &opts);
}

/* Returns the client's end, -1 if it is refused; and the other end in @server. */
static int open_connection(const struct caller *caller, int *server)
{
	const struct way *way = caller->way;
	struct network_helper_opts opts = {
		.proto = way->proto,
		.post_socket_cb = way->by & BY_CLIENT ? bm_socket_cb : NULL,
		.cb_opts = BM_SWITCH,
	};
	int client;

	client = connect_to_fd_opts(caller->listener, &opts);
	if (client < 0)
		return -1;
	*server = accept(caller->listener, NULL, NULL);
	if (*server < 0) {
		close(client);
		return -1;
	}
	return client;
}

static bool version_fits(int sock, enum phase begun, enum phase checked)
{
	int version = bm_version(sock);

	if (begun == AFTER)
		return version == BM_NEW;
	if (checked == BEFORE)
		return version == BM_OLD;
	return version == BM_OLD || version == BM_NEW;
}

static bool one_connection(struct caller *caller)
{
	enum phase begun = __atomic_load_n(&caller->phase, __ATOMIC_SEQ_CST), checked;
	int client, server;

	client = open_connection(caller, &server);
	if (client < 0) {
		caller->failed = errno;
		return false;
	}
	checked = __atomic_load_n(&caller->phase, __ATOMIC_SEQ_CST);
	if (caller->way->by & client_ways && !version_fits(client, begun, checked))
		caller->wrong++;
	if (caller->way->by & server_ways && !version_fits(server, begun, checked))
		caller->wrong++;
	close(client);
	close(server);
	__atomic_add_fetch(&caller->cnt[begun], 1, __ATOMIC_SEQ_CST);
	return true;
}

#define LO "dev lo table local"
#define ROUTE_V4 \
	"ip route replace local 127.0.0.1 " LO " proto kernel src 127.0.0.1 congctl " BM_SWITCH
#define ROUTE_V6 \
	"ip -6 route del local ::1 " LO " && ip -6 route add local ::1 " LO " src ::1 congctl " \
	BM_SWITCH

/* Sets up what is the namespace's. */
static bool set_up(const struct way *way)
{
	if (way->by & BY_DEFAULT &&
	    !ASSERT_OK(bm_netns_set_default(BM_SWITCH), "set default"))
		return false;
	if (!(way->by & BY_ROUTE))
		return true;
	return ASSERT_OK(system(way->family == AF_INET ? ROUTE_V4 : ROUTE_V6), "set route");
}

static void *call(void *arg)
{
	struct caller *caller = arg;
	int netns = -1;

	caller->listener = -1;
	if (caller->way->where == OTHER_NET) {
		netns = bm_netns_enter();
		if (netns < 0 || !set_up(caller->way))
			goto out;
	}
	caller->listener = open_listener(caller->way);
	__atomic_store_n(&caller->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&caller->stop, __ATOMIC_SEQ_CST) && one_connection(caller))
		;
out:
	__atomic_store_n(&caller->stop, 1, __ATOMIC_SEQ_CST);
	bm_netns_leave(netns);
	return NULL;
}

static bool called(struct caller *caller, enum phase phase, int cnt)
{
	return __atomic_load_n(&caller->cnt[phase], __ATOMIC_SEQ_CST) >= cnt ||
	       __atomic_load_n(&caller->stop, __ATOMIC_SEQ_CST);
}

/* Calls before, while and after @replace(@arg) does it. */
static void call_across(struct caller *caller, bool (*replace)(void *arg), void *arg)
{
	if (CHECK_FAIL(pthread_create(&caller->thread, NULL, call, caller)))
		return;
	ASSERT_TRUE(bm_wait(called(caller, BEFORE, BM_CONNECTIONS)), "connections before");
	__atomic_store_n(&caller->phase, DURING, __ATOMIC_SEQ_CST);
	if (replace(arg)) {
		__atomic_store_n(&caller->phase, AFTER, __ATOMIC_SEQ_CST);
		ASSERT_TRUE(bm_wait(called(caller, AFTER, BM_CONNECTIONS)), "connections after");
	}
	__atomic_store_n(&caller->stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(caller->thread, NULL);
	ASSERT_OK(caller->failed, "a connection");
	ASSERT_EQ(caller->wrong, 0, "sockets with another version than expected");
	ASSERT_GE(caller->cnt[BEFORE], BM_CONNECTIONS, "number before");
	ASSERT_GE(caller->cnt[AFTER], BM_CONNECTIONS, "number after");
}

static bool replace_module(void *arg)
{
	return bm_versions_replace(arg);
}

/* Only listeners are left of the old one's users, and with them the old one goes. */
static void check_users(const struct caller *caller, struct bm_versions *v)
{
	int listeners = caller->way->by & listener_ways ? 1 : 0;
	int defaults = caller->way->by & BY_DEFAULT ? 1 : 0;

	ASSERT_TRUE(bm_wait(bm_users(v->old_fd) == listeners), "users of the old version");
	if (listeners) {
		ASSERT_EQ(bm_state(v->old_fd), BPF_MODULE_STATE_GOING, "state with a listener");
		ASSERT_EQ(bpf_module_unload(v->old_fd, NULL), -EINPROGRESS, "unload");
		ASSERT_OK(bm_drain(v->old_fd), "drain");
	}
	close(caller->listener);
	ASSERT_EQ(bm_revents(v->old_fd, BM_WAIT_MS), POLLHUP, "the old version goes");
	/* another namespace has ended with its thread */
	ASSERT_TRUE(bm_wait(bm_users(v->new_fd) == defaults), "users of the new version");
}

static void switch_module(const struct way *way)
{
	struct caller caller = { .way = way };
	struct bm_versions v;

	if (bm_versions_open(&v) && set_up(way)) {
		call_across(&caller, replace_module, &v);
		if (v.new_fd >= 0)
			check_users(&caller, &v);
		if (way->by & BY_DEFAULT)
			ASSERT_OK(bm_netns_set_default("reno"), "default back");
		ASSERT_TRUE(bm_wait(bm_users(v.new_fd) == 0), "users at the end");
		ASSERT_OK(bpf_module_unload(v.new_fd, NULL), "unload the new version");
	}
	bm_versions_close(&v);
}

struct map_versions {
	struct bpf_module_switch *skel;
	struct bpf_link *link;
};

static bool update_link(void *arg)
{
	struct map_versions *v = arg;

	return ASSERT_OK(bpf_link__update_map(v->link, v->skel->maps.cc_new), "update the link");
}

static void switch_map(const struct way *way)
{
	struct caller caller = { .way = way };
	struct map_versions v;

	v.skel = bpf_module_switch__open_and_load();
	if (!ASSERT_OK_PTR(v.skel, "open and load"))
		return;
	v.link = bpf_map__attach_struct_ops(v.skel->maps.cc_old);
	if (!ASSERT_OK_PTR(v.link, "attach"))
		goto out;
	if (set_up(way)) {
		call_across(&caller, update_link, &v);
		close(caller.listener);
		if (way->by & BY_DEFAULT)
			ASSERT_OK(bm_netns_set_default("reno"), "default back");
	}
	bpf_link__destroy(v.link);
out:
	bpf_module_switch__destroy(v.skel);
}

static void run_way(const struct way *way, void (*run)(const struct way *way))
{
	char was[TCP_CA_NAME_MAX] = "";
	int netns = -1;

	if (way->where != INIT_NET)
		netns = bm_netns_enter();
	else if (!bm_read_line(BM_TCP_SYSCTL "congestion_control", was, sizeof(was)))
		return;
	run(way);
	if (was[0])
		ASSERT_OK(bm_netns_set_default(was), "restore the default");
	bm_netns_leave(netns);
}

void serial_test_bpf_module_switch(void)
{
	static const struct {
		const char *name;
		void (*run)(const struct way *way);
	} kinds[] = {
		{ "module", switch_module },
		{ "map", switch_map },
	};
	char name[64];
	int k, w;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (w = 0; w < ARRAY_SIZE(ways); w++) {
			snprintf(name, sizeof(name), "%s_%s", kinds[k].name, ways[w].name);
			if (test__start_subtest(name))
				run_way(&ways[w], kinds[k].run);
		}
	}
}
