// SPDX-License-Identifier: GPL-2.0
/* BPF_MODULE_UNLOAD: refused with users, or it drains them. */
#include <linux/bpf_module.h>
#include <poll.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

static int unload_flags(int fd, __u32 flags)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = flags);

	return bpf_module_unload(fd, &opts);
}

/* A refused unload changes nothing: the module still takes new users. */
static void test_busy(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload"), other;

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload with a user");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_TRUE(bm_tcp_has("bm_unload"), "registered");
	other = bm_socket(AF_INET, "bm_unload");
	ASSERT_OK_FD(other, "another socket");
	close(other);
	close(sock);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload without users");
}

static void test_unknown_flag(struct bm_cc *cc, int fd)
{
	ASSERT_EQ(unload_flags(fd, 1U << 31), -EINVAL, "unknown flag");
	ASSERT_EQ(unload_flags(fd, 1U << 31 | BPF_F_MODULE_DRAIN), -EINVAL, "one of two unknown");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
}

static void test_trailing_byte(struct bm_cc *cc, int fd)
{
	union bpf_attr attr = {};

	attr.module_unload.module_fd = fd;
	((char *)&attr)[sizeof(attr) - 1] = 1;
	ASSERT_EQ(bm_sys_bpf(BPF_MODULE_UNLOAD, &attr, sizeof(attr)), -EINVAL, "unload");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
}

static void test_bad_fd(struct bm_cc *cc, int fd)
{
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	ASSERT_EQ(bpf_module_unload(1000000, NULL), -EBADF, "fd not open");
	ASSERT_EQ(bpf_module_unload(-1, NULL), -EBADF, "negative fd");
	ASSERT_EQ(bpf_module_unload(cc->prog[0], NULL), -EINVAL, "fd of a program");
	ASSERT_EQ(bpf_module_unload(sock, NULL), -EINVAL, "fd of a socket");
	close(sock);
}

static void test_gone(struct bm_cc *cc, int fd)
{
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -ENOENT, "unload again");
	ASSERT_EQ(bm_drain(fd), -ENOENT, "drain");
}

static void test_drain_idle(struct bm_cc *cc, int fd)
{
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	ASSERT_EQ(bm_find("bm_unload"), 0, "listed");
	ASSERT_FALSE(bm_tcp_has("bm_unload"), "registered");
}

/* The module is listed as going, with its users, until the last one goes. */
static void test_drain_users(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload");
	int other = bm_socket(AF_INET6, "bm_unload");
	struct bpf_module_info info;
	struct bpf_module_ops_info ops = {};
	__u32 id, len = sizeof(info);

	if (!ASSERT_OK_FD(sock, "socket") || !ASSERT_OK_FD(other, "socket"))
		return;
	id = bm_find("bm_unload");
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_FALSE(bm_tcp_has("bm_unload"), "registered");
	ASSERT_TRUE(bm_listed(id), "listed");
	memset(&info, 0, sizeof(info));
	info.ops = ptr_to_u64(&ops);
	info.ops_cnt = 1;
	info.ops_size = sizeof(ops);
	ASSERT_OK(bpf_module_get_info_by_fd(fd, &info, &len), "info");
	ASSERT_EQ(info.id, id, "id");
	ASSERT_EQ(info.state, BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(info.users, 2, "users");
	ASSERT_EQ(ops.state, BPF_MODULE_OPS_UNREGISTERED, "state of the op");

	close(sock);
	ASSERT_EQ(bm_users(fd), 1, "users after one is gone");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state after one is gone");
	ASSERT_TRUE(bm_tcp_uses(other, "bm_unload"), "the other's congestion control");
	close(other);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state at the end");
	ASSERT_TRUE(bm_wait(!bm_listed(id)), "listed at the end");
}

static void test_going(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload");

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EINPROGRESS, "unload");
	ASSERT_OK(bm_drain(fd), "drain again");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state after that");
	ASSERT_EQ(bm_users(fd), 1, "users after that");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state");
	ASSERT_EQ(bm_drain(fd), -ENOENT, "drain when gone");
}

/* Nobody needs to hold a handle for the drain to finish. */
static void test_drain_without_fd(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload");
	__u32 id = bm_find("bm_unload"), prog_id = bm_prog_id(cc->prog[0]);

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_OK(bm_drain(fd), "drain");
	close(fd);
	bm_cc_close_progs(cc);
	ASSERT_TRUE(bm_listed(id), "listed");
	ASSERT_TRUE(bm_prog_exists(prog_id), "program");
	close(sock);
	ASSERT_TRUE(bm_wait(!bm_listed(id)), "listed at the end");
	ASSERT_TRUE(bm_wait(!bm_prog_exists(prog_id)), "program at the end");
}

/* A running flow is not cut off, and no new one comes. */
static void test_drain_flow(struct bm_cc *cc, int fd)
{
	int listener, client = -1, sock;

	listener = bm_listen(AF_INET, "bm_unload");
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	client = bm_connect(listener, "bm_unload");
	if (!ASSERT_OK_FD(client, "connect"))
		goto out;
	ASSERT_TRUE(bm_wait(bm_users(fd) == 3), "users");
	ASSERT_OK(bm_drain(fd), "drain");
	sock = bm_socket(AF_INET, "bm_unload");
	ASSERT_EQ(sock, -ENOENT, "new socket");
	ASSERT_OK(send_recv_data(listener, client, 256 * 1024), "send_recv_data");
	ASSERT_TRUE(bm_tcp_uses(client, "bm_unload"), "client's congestion control");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
out:
	if (client >= 0)
		close(client);
	close(listener);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state at the end");
}

/* Connections to a listener that drains fall to the system's default. */
static void test_drain_listener(struct bm_cc *cc, int fd)
{
	int listener, client, server = -1;

	listener = bm_listen(AF_INET6, "bm_unload");
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_TRUE(bm_tcp_uses(listener, "bm_unload"), "listener's congestion control");
	client = bm_connect(listener, NULL);
	if (!ASSERT_OK_FD(client, "connect"))
		goto out;
	server = accept(listener, NULL, NULL);
	if (!ASSERT_OK_FD(server, "accept"))
		goto out;
	ASSERT_FALSE(bm_tcp_uses(server, "bm_unload"), "inherited");
	ASSERT_EQ(bm_users(fd), 1, "users");
out:
	if (server >= 0)
		close(server);
	if (client >= 0)
		close(client);
	close(listener);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state at the end");
}

/* New sockets of a namespace whose default drains fall back to reno. */
static void test_drain_default(struct bm_cc *cc, int fd)
{
	int sock;

	ASSERT_OK(bm_netns_set_default("bm_unload"), "set default");
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bm_users(fd), 1, "users");
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (ASSERT_OK_FD(sock, "socket")) {
		ASSERT_TRUE(bm_tcp_uses(sock, "reno"), "new socket's congestion control");
		close(sock);
	}
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
	ASSERT_OK(bm_netns_set_default("reno"), "set another default");
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state at the end");
}

/* A new version takes the names, both of them, while the old one drains. */
static void test_name_free_while_going(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload"), new_fd, new_sock;
	struct bm_cc new;
	__u32 id;

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	id = bm_find("bm_unload");
	ASSERT_OK(bm_drain(fd), "drain");
	new_fd = bm_cc_open_load(&new, "bm_unload", "bm_unload");
	if (new_fd >= 0) {
		new_sock = bm_socket(AF_INET, "bm_unload");
		ASSERT_OK_FD(new_sock, "socket of the new one");
		ASSERT_EQ(bm_users(fd), 1, "users of the old one");
		ASSERT_EQ(bm_users(new_fd), 1, "users of the new one");
		close(new_sock);
		close(sock);
		sock = -1;
		ASSERT_TRUE(bm_wait(!bm_listed(id)), "old one's end");
		ASSERT_EQ(bm_state(new_fd), BPF_MODULE_STATE_LIVE, "state of the new one");
		bm_cc_cleanup(&new, new_fd);
	}
	if (sock >= 0)
		close(sock);
}

/* The programs of a draining module are its own until it is gone. */
static void test_progs_busy_while_going(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload"), new_fd = -1;

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bm_cc_load(cc, "bm_again"), -EBUSY, "load while it is going");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state");
	ASSERT_TRUE(bm_wait((new_fd = bm_cc_load(cc, "bm_again")) != -EBUSY), "programs are free");
	if (ASSERT_OK_FD(new_fd, "load when it is gone")) {
		ASSERT_OK(bpf_module_unload(new_fd, NULL), "unload");
		close(new_fd);
	}
}

static void test_reload_at_once(struct bm_cc *cc, int fd)
{
	int i;

	for (i = 0; i < 50; i++) {
		if (!ASSERT_OK(i % 2 ? bpf_module_unload(fd, NULL) : bm_drain(fd), "unload"))
			return;
		close(fd);
		fd = bm_cc_load(cc, "bm_unload");
		if (!ASSERT_OK_FD(fd, "load at once"))
			return;
		ASSERT_TRUE(bm_tcp_has("bm_unload"), "registered");
	}
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

static void test_poll(struct bm_cc *cc, int fd)
{
	int sock = bm_socket(AF_INET, "bm_unload");

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_EQ(bm_revents(fd, 0), 0, "while it is live");
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bm_revents(fd, 0), 0, "while it is going");
	close(sock);
	ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "when it is gone");
}

static void test_poll_unload(struct bm_cc *cc, int fd)
{
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bm_revents(fd, 0), POLLHUP, "when it is gone");
}

static const struct {
	const char *name;
	void (*run)(struct bm_cc *cc, int fd);
	bool closes;	/* the test closes the fd itself */
} tests[] = {
	{ "busy", test_busy },
	{ "unknown_flag", test_unknown_flag },
	{ "trailing_byte", test_trailing_byte },
	{ "bad_fd", test_bad_fd },
	{ "gone", test_gone },
	{ "drain_idle", test_drain_idle },
	{ "drain_users", test_drain_users },
	{ "going", test_going },
	{ "drain_without_fd", test_drain_without_fd, true },
	{ "drain_flow", test_drain_flow },
	{ "drain_listener", test_drain_listener },
	{ "drain_default", test_drain_default },
	{ "name_free_while_going", test_name_free_while_going },
	{ "progs_busy_while_going", test_progs_busy_while_going },
	{ "reload_at_once", test_reload_at_once, true },
	{ "poll", test_poll },
	{ "poll_unload", test_poll_unload },
};

static void run_test(int i)
{
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_unload");
	*(__u32 *)bm_cc_field(&cc, 0, "flags") = BM_NON_RESTRICTED;
	fd = bm_cc_load(&cc, "bm_unload");
	if (ASSERT_OK_FD(fd, "load"))
		tests[i].run(&cc, fd);
	bm_cc_cleanup(&cc, tests[i].closes ? -1 : fd);
}

void serial_test_bpf_module_unload(void)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(i);
	bm_netns_leave(netns);
}
