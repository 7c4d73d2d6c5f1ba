// SPDX-License-Identifier: GPL-2.0
/* Objects written for struct_ops maps load as modules, unchanged. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_cc_cubic.skel.h"
#include "bpf_cubic.skel.h"
#include "bpf_dctcp.skel.h"
#include "bpf_module_trace.skel.h"
#include "tcp_ca_update.skel.h"

#define BM_BYTES (512 * 1024)
#define BM_PIN "/sys/fs/bpf/bm_libbpf"

/* Makes one module of @obj's ops variables; before the object is loaded. */
static struct bpf_module *make_module(struct bpf_object *obj)
{
	struct bpf_module *mod = bpf_object__next_module(obj, NULL);

	if (!ASSERT_OK_PTR(mod, "next_module"))
		return NULL;
	ASSERT_NULL(bpf_object__next_module(obj, mod), "second module");
	ASSERT_FALSE(bpf_module__autocreate(mod), "autocreate unless asked for");
	ASSERT_OK(bpf_module__set_autocreate(mod, true), "set_autocreate");
	ASSERT_EQ(bpf_module__fd(mod), -1, "fd before attach");
	return mod;
}

/* Loads @obj and attaches its one module. */
static struct bpf_link *load_attach(struct bpf_object *obj, struct bpf_module **mod)
{
	struct bpf_link *link;

	*mod = make_module(obj);
	if (!*mod || !ASSERT_OK(bpf_object__load(obj), "load"))
		return NULL;
	link = bpf_module__attach(*mod);
	ASSERT_OK_PTR(link, "attach");
	return link;
}

static void check_traffic(int module_fd, const char *name)
{
	int listener, client;

	listener = bm_listen(AF_INET6, name);
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	client = bm_connect(listener, name);
	if (ASSERT_OK_FD(client, "connect")) {
		ASSERT_TRUE(bm_wait(bm_users(module_fd) == 3), "users");
		ASSERT_OK(send_recv_data(listener, client, BM_BYTES), "send_recv_data");
		close(client);
	}
	close(listener);
	ASSERT_TRUE(bm_wait(bm_users(module_fd) == 0), "users after the end");
}

/* Loads @obj, whose only op registers as @name, uses it, and unloads it. */
static void check_object(struct bpf_object *obj, const struct bpf_map *map, const char *name)
{
	struct bpf_map_info map_info = {};
	__u32 len = sizeof(map_info);
	struct bpf_module *mod;
	struct bpf_link *link;

	link = load_attach(obj, &mod);
	if (!link)
		return;
	ASSERT_STREQ(bpf_module__name(mod), bpf_object__name(obj), "name");
	ASSERT_GT(bm_find(bpf_object__name(obj)), 0, "listed");
	/* the fd is there, but no map behind it */
	ASSERT_EQ(bpf_map_get_info_by_fd(bpf_map__fd(map), &map_info, &len), -EINVAL, "map");
	check_traffic(bpf_module__fd(mod), name);
	ASSERT_OK(bpf_link__destroy(link), "destroy");
	ASSERT_EQ(bm_find(bpf_object__name(obj)), 0, "listed after the link's end");
	ASSERT_FALSE(bm_tcp_has(name), "registered after the link's end");
}

static void test_cubic(void)
{
	struct bpf_cubic *skel = bpf_cubic__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	check_object(skel->obj, skel->maps.cubic, "bpf_cubic");
	ASSERT_EQ(skel->bss->bpf_cubic_acked_called, 1, "pkts_acked called");
	bpf_cubic__destroy(skel);
}

static void test_cc_cubic(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	check_object(skel->obj, skel->maps.cc_cubic, "bpf_cc_cubic");
	bpf_cc_cubic__destroy(skel);
}

/* One of the two ops is left out. */
static void test_dctcp(void)
{
	struct bpf_dctcp *skel = bpf_dctcp__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_OK(bpf_map__set_autocreate(skel->maps.dctcp_nouse, false), "leave one out");
	check_object(skel->obj, skel->maps.dctcp, "bpf_dctcp");
	bpf_dctcp__destroy(skel);
}

/* Opens upstream's DCTCP, which without ECN switches its sockets to cubic. */
static struct bpf_dctcp *open_fallback(void)
{
	struct bpf_dctcp *skel = bpf_dctcp__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	snprintf((char *)skel->rodata->fallback_cc, TCP_CA_NAME_MAX, "cubic");
	ASSERT_OK(bpf_map__set_autocreate(skel->maps.dctcp_nouse, false), "leave one out");
	return skel;
}

/* A program of the module makes its own socket a user of another one. */
static void test_dctcp_fallback(void)
{
	struct bpf_dctcp *skel = open_fallback();
	int listener = -1, client = -1, server = -1;
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!skel)
		return;
	link = load_attach(skel->obj, &mod);
	if (!link)
		goto out;
	listener = bm_listen(AF_INET6, "bpf_dctcp");
	if (!ASSERT_OK_FD(listener, "listen"))
		goto out;
	client = bm_connect(listener, "cubic");
	if (!ASSERT_OK_FD(client, "connect"))
		goto out;
	server = accept(listener, NULL, NULL);
	if (!ASSERT_OK_FD(server, "accept"))
		goto out;
	ASSERT_TRUE(bm_tcp_uses(server, "cubic"), "fallback");
	ASSERT_EQ(skel->bss->ebusy_cnt, 3, "switches from within a switch");
	ASSERT_EQ(bm_users(bpf_module__fd(mod)), 1, "users, the listener alone");
out:
	close(server);
	close(client);
	close(listener);
	if (link)
		ASSERT_OK(bpf_link__destroy(link), "destroy");
	bpf_dctcp__destroy(skel);
}

/* The last user of a module that drains is put by a program of the module. */
static void test_dctcp_leaves_itself(void)
{
	struct bpf_dctcp *skel = open_fallback();
	int fd, listener = -1, sock = -1;
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!skel)
		return;
	link = load_attach(skel->obj, &mod);
	if (!link)
		goto out;
	fd = bpf_module__fd(mod);
	/* nobody here grants ECN */
	ASSERT_OK(write_sysctl("/proc/sys/net/ipv4/tcp_ecn", "0"), "tcp_ecn");
	listener = bm_listen(AF_INET, "reno");
	sock = bm_socket(AF_INET, "bpf_dctcp");
	if (!ASSERT_OK_FD(listener, "listen") || !ASSERT_OK_FD(sock, "socket"))
		goto out_link;
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bm_users(fd), 1, "users");
	ASSERT_OK(connect_fd_to_fd(sock, listener, 0), "connect");
	ASSERT_TRUE(bm_tcp_uses(sock, "cubic"), "fallback");
	ASSERT_STREQ(skel->bss->cc_res, "cubic", "the program has run to its end");
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state");
out_link:
	ASSERT_OK(write_sysctl("/proc/sys/net/ipv4/tcp_ecn", "2"), "tcp_ecn");
	close(sock);
	close(listener);
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
out:
	bpf_dctcp__destroy(skel);
}

/* Attaches @mod, expecting @err and a log that has @part. */
static void attach_fails(struct bpf_module *mod, int err, const char *part)
{
	struct bpf_link *link;
	char log[BM_LOG_SIZE] = "";

	ASSERT_OK(bpf_module__set_log_buf(mod, log, sizeof(log)), "set_log_buf");
	link = bpf_module__attach(mod);
	ASSERT_EQ(errno, err, "errno of attach");
	ASSERT_OK(bpf_module__set_log_buf(mod, NULL, 0), "set_log_buf");
	if (!ASSERT_NULL(link, "attach"))
		bpf_link__destroy(link);
	ASSERT_HAS_SUBSTR(log, part, "log");
}

/* One of the two ops lacks what the subsystem requires: neither is registered. */
static void test_dctcp_refused(void)
{
	struct bpf_dctcp *skel = bpf_dctcp__open();
	struct bpf_module *mod;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = make_module(skel->obj);
	if (mod && ASSERT_OK(bpf_dctcp__load(skel), "load")) {
		attach_fails(mod, EINVAL, "op dctcp_nouse (tcp_congestion_ops): required member");
		ASSERT_FALSE(bm_tcp_has("bpf_dctcp"), "registered");
		ASSERT_FALSE(bm_tcp_has("bpf_dctcp_nouse"), "registered");
		ASSERT_EQ(bm_find("bpf_dctcp"), 0, "listed");
	}
	bpf_dctcp__destroy(skel);
}

/* Two of its ops use one name: none of them is registered. */
static void test_ca_update(void)
{
	struct tcp_ca_update *skel = tcp_ca_update__open();
	struct bpf_module *mod;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = make_module(skel->obj);
	if (mod && ASSERT_OK(tcp_ca_update__load(skel), "load")) {
		attach_fails(mod, EEXIST, "op ca_update_2 (tcp_congestion_ops)");
		ASSERT_FALSE(bm_tcp_has("tcp_ca_update"), "registered");
		ASSERT_FALSE(bm_tcp_has("tcp_ca_wrong"), "registered");
		ASSERT_FALSE(bm_tcp_has("tcp_ca_no_link"), "registered");
	}
	tcp_ca_update__destroy(skel);
}

/* By default libbpf creates maps, as before. */
static void test_maps_by_default(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open_and_load();
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	ASSERT_OK_FD(bpf_map__fd(skel->maps.cc_cubic), "fd of the struct_ops map");
	link = bpf_map__attach_struct_ops(skel->maps.cc_cubic);
	ASSERT_OK_PTR(link, "attach the map");
	ASSERT_TRUE(bm_tcp_has("bpf_cc_cubic"), "registered");
	ASSERT_EQ(bm_find("bpf_cc_cubic"), 0, "listed");
	bpf_link__destroy(link);
	bpf_cc_cubic__destroy(skel);
}

static void test_set_name(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = make_module(skel->obj);
	if (!mod)
		goto out;
	ASSERT_EQ(bpf_module__set_name(mod, "a b"), -EINVAL, "bad name");
	ASSERT_EQ(bpf_module__set_name(mod, ""), -EINVAL, "empty name");
	ASSERT_EQ(bpf_module__set_name(mod, "."), -EINVAL, "a folder's name");
	ASSERT_EQ(bpf_module__set_name(mod, ".."), -EINVAL, "a folder's name");
	ASSERT_EQ(bpf_module__set_name(mod, "-x"), -EINVAL, "an option");
	ASSERT_OK(bpf_module__set_name(mod, "bm_libbpf"), "set_name");
	ASSERT_STREQ(bpf_module__name(mod), "bm_libbpf", "name");
	ASSERT_EQ(bpf_object__find_module_by_name(skel->obj, "bm_libbpf"), mod, "find");
	ASSERT_NULL(bpf_object__find_module_by_name(skel->obj, "bpf_cc_cubic"), "old name");
	if (!ASSERT_OK(bpf_cc_cubic__load(skel), "load"))
		goto out;
	link = bpf_module__attach(mod);
	ASSERT_OK_PTR(link, "attach");
	ASSERT_GT(bm_find("bm_libbpf"), 0, "listed");
	ASSERT_EQ(bm_find("bpf_cc_cubic"), 0, "listed under the old name");
	ASSERT_OK(bpf_link__destroy(link), "destroy");
out:
	bpf_cc_cubic__destroy(skel);
}

/* Returns an fd of the module that @skel is, after the object is closed. */
static int load_close(struct bpf_cc_cubic *skel, bool disconnect)
{
	struct bpf_module *mod;
	struct bpf_link *link;
	int fd = -1;

	link = load_attach(skel->obj, &mod);
	if (link) {
		fd = dup(bpf_module__fd(mod));
		if (disconnect)
			bpf_link__disconnect(link);
		ASSERT_OK(bpf_link__destroy(link), "destroy");
	}
	bpf_cc_cubic__destroy(skel);
	return fd;
}

static void test_disconnect(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();
	int fd;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	fd = load_close(skel, true);
	ASSERT_OK_FD(fd, "module");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_TRUE(bm_tcp_has("bpf_cc_cubic"), "registered");
	check_traffic(fd, "bpf_cc_cubic");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

static void test_destroy(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();
	int fd;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	fd = load_close(skel, false);
	ASSERT_OK_FD(fd, "module");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	ASSERT_FALSE(bm_tcp_has("bpf_cc_cubic"), "registered");
	close(fd);
}

/* Unloading a module with users leaves it loaded, destroying its link drains it. */
static void test_unload(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();
	struct bpf_module *mod;
	struct bpf_link *link;
	int fd, sock;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	link = load_attach(skel->obj, &mod);
	if (!link)
		goto out;
	fd = dup(bpf_module__fd(mod));
	sock = bm_socket(AF_INET, "bpf_cc_cubic");
	ASSERT_OK_FD(sock, "socket");
	ASSERT_EQ(bpf_module__unload(mod), -EBUSY, "unload with a user");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK_FD(bpf_module__fd(mod), "fd");
	close(sock);
	ASSERT_OK(bpf_module__unload(mod), "unload");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	ASSERT_EQ(bpf_module__fd(mod), -1, "fd");
	ASSERT_EQ(bpf_module__unload(mod), -ENOENT, "unload again");
	ASSERT_OK(bpf_link__destroy(link), "destroy");
	close(fd);

	/* what was unloaded can be loaded again */
	link = bpf_module__attach(mod);
	if (!ASSERT_OK_PTR(link, "attach again"))
		goto out;
	fd = dup(bpf_module__fd(mod));
	sock = bm_socket(AF_INET, "bpf_cc_cubic");
	ASSERT_OK_FD(sock, "socket");
	ASSERT_OK(bpf_link__destroy(link), "destroy");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(bpf_module__unload(mod), -EINPROGRESS, "unload of one that drains");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state with its last user");
	close(fd);
out:
	bpf_cc_cubic__destroy(skel);
}

/* Pinning the link pins the module. */
static void test_pin(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();
	struct bpf_module *mod;
	struct bpf_link *link;
	int fd;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	link = load_attach(skel->obj, &mod);
	if (!link)
		goto out;
	ASSERT_OK(bpf_link__pin(link, BM_PIN), "pin");
	fd = bpf_obj_get(BM_PIN);
	if (ASSERT_OK_FD(fd, "get")) {
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
		close(fd);
	}
	ASSERT_OK(bpf_link__unpin(link), "unpin");
	ASSERT_EQ(bm_state(bpf_module__fd(mod)), BPF_MODULE_STATE_LIVE, "state after unpin");
	ASSERT_OK(bpf_link__destroy(link), "destroy");
out:
	bpf_cc_cubic__destroy(skel);
}

static void test_misuse(void)
{
	struct bpf_cc_cubic *skel = bpf_cc_cubic__open();
	struct bpf_module *mod;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = bpf_object__next_module(skel->obj, NULL);
	ASSERT_NULL(bpf_module__attach(mod), "attach before load");
	ASSERT_EQ(bpf_module__unload(mod), -ENOENT, "unload before attach");
	ASSERT_OK(bpf_cc_cubic__load(skel), "load");
	ASSERT_NULL(bpf_module__attach(mod), "attach what was made maps");
	ASSERT_ERR(bpf_module__set_autocreate(mod, true), "set_autocreate after load");
	ASSERT_FALSE(bm_tcp_has("bpf_cc_cubic"), "registered");
	bpf_cc_cubic__destroy(skel);
}

/* An object without ops variables has a module for its programs. */
static void test_no_ops(void)
{
	struct bpf_module_trace *skel = bpf_module_trace__open();
	struct bpf_module *mod;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = bpf_object__next_module(skel->obj, NULL);
	ASSERT_STREQ(bpf_module__name(mod), "bpf_module_trace", "name");
	ASSERT_FALSE(bpf_module__autocreate(mod), "autocreate");
	ASSERT_EQ(bpf_program__module(skel->progs.note_register), mod, "module of a program");
	ASSERT_NULL(bpf_object__next_module(skel->obj, mod), "second module");
	bpf_module_trace__destroy(skel);
}

void serial_test_bpf_module_libbpf(void)
{
	int netns = bm_netns_enter();

	if (test__start_subtest("cubic"))
		test_cubic();
	if (test__start_subtest("cc_cubic"))
		test_cc_cubic();
	if (test__start_subtest("dctcp"))
		test_dctcp();
	if (test__start_subtest("dctcp_fallback"))
		test_dctcp_fallback();
	if (test__start_subtest("dctcp_leaves_itself"))
		test_dctcp_leaves_itself();
	if (test__start_subtest("dctcp_refused"))
		test_dctcp_refused();
	if (test__start_subtest("ca_update"))
		test_ca_update();
	if (test__start_subtest("maps_by_default"))
		test_maps_by_default();
	if (test__start_subtest("set_name"))
		test_set_name();
	if (test__start_subtest("disconnect"))
		test_disconnect();
	if (test__start_subtest("destroy"))
		test_destroy();
	if (test__start_subtest("unload"))
		test_unload();
	if (test__start_subtest("pin"))
		test_pin();
	if (test__start_subtest("misuse"))
		test_misuse();
	if (test__start_subtest("no_ops"))
		test_no_ops();
	bm_netns_leave(netns);
}
