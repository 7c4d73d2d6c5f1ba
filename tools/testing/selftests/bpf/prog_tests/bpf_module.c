// SPDX-License-Identifier: GPL-2.0
/* The main job: a module loads, carries real traffic, and unloads. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "bpf_module_cc.skel.h"

#define BM_BYTES (512 * 1024)

static void test_load_unload(void)
{
	struct bpf_module_info info;
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, "bm_module", "bm_cc");
	if (fd < 0)
		return;
	ASSERT_OK(bm_info(fd, &info), "info");
	ASSERT_EQ(info.state, BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(info.users, 0, "users");
	ASSERT_EQ(bm_find("bm_module"), info.id, "listed under its id");
	ASSERT_TRUE(bm_tcp_has("bm_cc"), "registered");

	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_FALSE(bm_tcp_has("bm_cc"), "registered after unload");
	ASSERT_EQ(bm_find("bm_module"), 0, "listed after unload");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state after unload");
	bm_cc_cleanup(&cc, fd);
}

/* Replaces the minimal programs by those of a BPF object. */
static bool open_skel(struct bm_cc *cc, struct bpf_module_cc **skel)
{
	*skel = bpf_module_cc__open_and_load();
	if (!ASSERT_OK_PTR(*skel, "open and load"))
		return false;
	if (!bm_cc_open_empty(cc)) {
		bpf_module_cc__destroy(*skel);
		return false;
	}
	cc->prog[BM_SSTHRESH] = dup(bpf_program__fd((*skel)->progs.cc_ssthresh));
	cc->prog[BM_UNDO_CWND] = dup(bpf_program__fd((*skel)->progs.cc_undo_cwnd));
	cc->prog[BM_CONG_AVOID] = dup(bpf_program__fd((*skel)->progs.cc_cong_avoid));
	cc->prog[BM_INIT] = dup(bpf_program__fd((*skel)->progs.cc_init));
	cc->prog[BM_RELEASE] = dup(bpf_program__fd((*skel)->progs.cc_release));
	return true;
}

static __u64 acks(struct bpf_module_cc *skel)
{
	__u32 key = 0;
	__u64 cnt = 0;

	ASSERT_OK(bpf_map__lookup_elem(skel->maps.acks, &key, sizeof(key), &cnt, sizeof(cnt), 0),
		  "acks");
	return cnt;
}

/* Sends data to and from sockets that use the module. */
static void test_traffic(int family)
{
	int fd, listener = -1, client = -1;
	struct bpf_module_cc *skel;
	struct bm_cc cc;

	if (!open_skel(&cc, &skel))
		return;
	bm_cc_add(&cc, "bm_traffic");
	fd = bm_cc_load(&cc, "bm_traffic");
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	listener = bm_listen(family, "bm_traffic");
	if (!ASSERT_OK_FD(listener, "listen"))
		goto out;
	client = bm_connect(listener, "bm_traffic");
	if (!ASSERT_OK_FD(client, "connect"))
		goto out;
	/* the other end of the connection exists, though not accepted yet */
	ASSERT_TRUE(bm_wait(bm_users(fd) == 3), "users");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload with users");

	ASSERT_OK(send_recv_data(listener, client, BM_BYTES), "send_recv_data");
	ASSERT_GT(acks(skel), 0, "calls of cong_avoid");
	ASSERT_EQ(skel->bss->inits, 2, "calls of init, one for each end");

	close(client);
	close(listener);
	client = -1;
	listener = -1;
	ASSERT_TRUE(bm_wait(bm_users(fd) == 0), "users after the end");
	/* some kernels also call it for the listener, which was never initialized */
	ASSERT_TRUE(bm_wait(skel->bss->releases >= skel->bss->inits), "calls of release");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
out:
	if (client >= 0)
		close(client);
	if (listener >= 0)
		close(listener);
	bm_cc_cleanup(&cc, fd);
	bpf_module_cc__destroy(skel);
}

/* Only the module keeps its programs and their maps. */
static void test_outlives_object(void)
{
	int fd, listener = -1, client = -1;
	struct bpf_module_cc *skel;
	struct bm_cc cc;

	if (!open_skel(&cc, &skel))
		return;
	bm_cc_add(&cc, "bm_traffic");
	fd = bm_cc_load(&cc, "bm_traffic");
	bpf_module_cc__destroy(skel);
	bm_cc_close_progs(&cc);
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	listener = bm_listen(AF_INET, "bm_traffic");
	if (!ASSERT_OK_FD(listener, "listen"))
		goto out;
	client = bm_connect(listener, "bm_traffic");
	if (ASSERT_OK_FD(client, "connect"))
		ASSERT_OK(send_recv_data(listener, client, BM_BYTES), "send_recv_data");
out:
	if (client >= 0)
		close(client);
	if (listener >= 0)
		close(listener);
	bm_cc_cleanup(&cc, fd);
}

static void test_two_modules(void)
{
	int fd, other_fd = -1, listener = -1, client = -1;
	struct bm_cc cc, other;

	fd = bm_cc_open_load(&cc, "bm_one", "bm_one");
	if (fd < 0)
		return;
	other_fd = bm_cc_open_load(&other, "bm_two", "bm_two");
	if (other_fd < 0)
		goto out;
	listener = bm_listen(AF_INET6, "bm_one");
	if (!ASSERT_OK_FD(listener, "listen"))
		goto out_other;
	client = bm_connect(listener, "bm_two");
	if (!ASSERT_OK_FD(client, "connect"))
		goto out_other;
	ASSERT_TRUE(bm_wait(bm_users(fd) == 2), "users of the listener's");
	ASSERT_EQ(bm_users(other_fd), 1, "users of the client's");
	ASSERT_OK(send_recv_data(listener, client, BM_BYTES), "send_recv_data");

	close(client);
	client = -1;
	ASSERT_TRUE(bm_wait(bm_users(other_fd) == 0), "users of the client's");
	ASSERT_OK(bpf_module_unload(other_fd, NULL), "unload the client's");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload the listener's");
	ASSERT_TRUE(bm_tcp_has("bm_one"), "the listener's is registered");
	close(listener);
	listener = -1;
	ASSERT_TRUE(bm_wait(bm_users(fd) == 0), "users of the listener's");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload the listener's");
out_other:
	if (client >= 0)
		close(client);
	if (listener >= 0)
		close(listener);
	bm_cc_cleanup(&other, other_fd);
out:
	bm_cc_cleanup(&cc, fd);
}

/* Ops of one module share programs, and its users are those of all its ops. */
static void test_several_ops(void)
{
	static const char * const names[] = { "bm_several_0", "bm_several_1", "bm_several_2" };
	int fd, i, sock[ARRAY_SIZE(names)];
	struct bpf_module_info info;
	struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		bm_cc_add(&cc, names[i]);
	fd = bm_cc_load(&cc, "bm_several");
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	ASSERT_OK(bm_info(fd, &info), "info");
	ASSERT_EQ(info.ops_cnt, ARRAY_SIZE(names), "ops_cnt");
	ASSERT_EQ(info.prog_cnt, BM_CC_REQUIRED, "prog_cnt");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		sock[i] = bm_socket(AF_INET, names[i]);
		ASSERT_OK_FD(sock[i], names[i]);
	}
	ASSERT_EQ(bm_users(fd), ARRAY_SIZE(names), "users");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload");
		close(sock[i]);
	}
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_FALSE(bm_tcp_has(names[i]), names[i]);
out:
	bm_cc_cleanup(&cc, fd);
}

/* A module and a struct_ops map can coexist, but not under one name. */
static void test_beside_map(void)
{
	struct bpf_module_cc *skel;
	struct bpf_link *link;
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, "bm_beside", "bm_beside");
	if (fd < 0)
		return;
	skel = bpf_module_cc__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		goto out;
	link = bpf_map__attach_struct_ops(skel->maps.cc);
	if (ASSERT_OK_PTR(link, "attach the map"))
		ASSERT_TRUE(bm_tcp_has("bm_skel") && bm_tcp_has("bm_beside"), "both registered");

	bm_cc_rename(&cc, 0, "bm_skel");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
	fd = bm_cc_load(&cc, "bm_beside");
	ASSERT_EQ(fd, -EEXIST, "load with the map's name");
	bpf_link__destroy(link);
	fd = bm_cc_load(&cc, "bm_beside");
	ASSERT_OK_FD(fd, "load without the map");
	bpf_module_cc__destroy(skel);
out:
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module(void)
{
	int netns;

	if (test__start_subtest("load_unload"))
		test_load_unload();

	netns = bm_netns_enter();
	if (test__start_subtest("traffic_ipv4"))
		test_traffic(AF_INET);
	if (test__start_subtest("traffic_ipv6"))
		test_traffic(AF_INET6);
	if (test__start_subtest("outlives_object"))
		test_outlives_object();
	if (test__start_subtest("two_modules"))
		test_two_modules();
	if (test__start_subtest("several_ops"))
		test_several_ops();
	if (test__start_subtest("beside_map"))
		test_beside_map();
	bm_netns_leave(netns);
}
