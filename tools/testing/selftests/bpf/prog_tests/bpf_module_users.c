// SPDX-License-Identifier: GPL-2.0
/* The number of a module's users is exact. */
#include <linux/bpf_module.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"

#define BM_MANY 100
#define BM_PIN "/sys/fs/bpf/bm_users"

static void test_socket(int family, int fd)
{
	int sock = bm_socket(family, "bm_users");

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_EQ(bm_users(fd), 1, "users with a socket");
	ASSERT_EQ(bm_tcp_set(sock, "bm_users"), 0, "set it again");
	ASSERT_EQ(bm_users(fd), 1, "users still");
	close(sock);
	ASSERT_EQ(bm_users(fd), 0, "users after close");
}

static void test_ipv4(int fd)
{
	test_socket(AF_INET, fd);
}

static void test_ipv6(int fd)
{
	test_socket(AF_INET6, fd);
}

static void test_many(int fd)
{
	int sock[BM_MANY], i;

	for (i = 0; i < BM_MANY; i++) {
		sock[i] = bm_socket(i % 2 ? AF_INET : AF_INET6, "bm_users");
		if (sock[i] < 0)
			break;
	}
	ASSERT_EQ(i, BM_MANY, "sockets");
	ASSERT_EQ(bm_users(fd), BM_MANY, "users");
	while (i > 1)
		close(sock[--i]);
	ASSERT_EQ(bm_users(fd), 1, "users but one");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload with the last one");
	close(sock[0]);
	ASSERT_EQ(bm_users(fd), 0, "users after close");
}

static void test_switch_away(int fd)
{
	int sock = bm_socket(AF_INET, "bm_users");

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_EQ(bm_users(fd), 1, "users");
	ASSERT_OK(bm_tcp_set(sock, "reno"), "switch away");
	ASSERT_EQ(bm_users(fd), 0, "users after the switch");
	ASSERT_OK(bm_tcp_set(sock, "bm_users"), "switch back");
	ASSERT_EQ(bm_users(fd), 1, "users after the switch back");
	close(sock);
	ASSERT_EQ(bm_users(fd), 0, "users after close");
}

/* A socket is one user, however many processes and descriptors share it. */
static void test_shared_socket(int fd)
{
	int sock = bm_socket(AF_INET, "bm_users"), copy, status;
	pid_t child;

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	copy = dup(sock);
	ASSERT_EQ(bm_users(fd), 1, "users with a duplicate");
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(bm_users(fd) == 1 ? 0 : 1);
	if (ASSERT_GT(child, 0, "fork")) {
		ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
		ASSERT_EQ(status, 0, "users seen by the child");
	}
	close(sock);
	ASSERT_EQ(bm_users(fd), 1, "users after the first close");
	close(copy);
	ASSERT_EQ(bm_users(fd), 0, "users after the last close");
}

/* A dying process closes its sockets. */
static void test_dead_process(int fd)
{
	int ready[2], status;
	pid_t child;
	char c;

	if (!ASSERT_OK(pipe(ready), "pipe"))
		return;
	fflush(stdout);
	child = fork();
	if (!child) {
		c = bm_socket(AF_INET, "bm_users") >= 0 ? 'y' : 'n';
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (ASSERT_GT(child, 0, "fork")) {
		ASSERT_EQ(read(ready[0], &c, 1), 1, "child is ready");
		ASSERT_EQ(c, 'y', "child's socket");
		ASSERT_EQ(bm_users(fd), 1, "users while the child lives");
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
		ASSERT_TRUE(bm_wait(bm_users(fd) == 0), "users after its death");
	}
	close(ready[0]);
	close(ready[1]);
}

/* A connection inherits from its listener, even before it is accepted. */
static void test_inherited(int fd)
{
	int listener, client, server = -1;

	listener = bm_listen(AF_INET, "bm_users");
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	ASSERT_EQ(bm_users(fd), 1, "users with a listener");
	client = bm_connect(listener, NULL);
	if (!ASSERT_OK_FD(client, "connect"))
		goto out;
	ASSERT_TRUE(bm_wait(bm_users(fd) == 2), "users before accept");
	server = accept(listener, NULL, NULL);
	if (!ASSERT_OK_FD(server, "accept"))
		goto out;
	ASSERT_EQ(bm_users(fd), 2, "users after accept");
	ASSERT_TRUE(bm_tcp_uses(server, "bm_users"), "inherited");
	close(listener);
	listener = -1;
	ASSERT_EQ(bm_users(fd), 1, "users without the listener");
out:
	if (client >= 0)
		close(client);
	if (server >= 0)
		close(server);
	if (listener >= 0)
		close(listener);
	ASSERT_TRUE(bm_wait(bm_users(fd) == 0), "users after the end");
}

/* A namespace's default is a user, and so is each socket that takes it. */
static void test_netns_default(int fd)
{
	int sock, netns = bm_netns_enter();

	if (netns < 0)
		return;
	ASSERT_OK(bm_netns_set_default("bm_users"), "set default");
	ASSERT_EQ(bm_users(fd), 1, "users with a default");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload");
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (ASSERT_OK_FD(sock, "socket")) {
		ASSERT_TRUE(bm_tcp_uses(sock, "bm_users"), "takes the default");
		ASSERT_EQ(bm_users(fd), 2, "users with a socket");
		close(sock);
	}
	ASSERT_EQ(bm_users(fd), 1, "users without the socket");
	ASSERT_OK(bm_netns_set_default("reno"), "set another default");
	ASSERT_EQ(bm_users(fd), 0, "users without the default");
	bm_netns_leave(netns);
}

static void test_netns_end(int fd)
{
	int netns = bm_netns_enter();

	if (netns < 0)
		return;
	ASSERT_OK(bm_netns_set_default("bm_users"), "set default");
	ASSERT_EQ(bm_users(fd), 1, "users with a default");
	bm_netns_leave(netns);
	ASSERT_TRUE(bm_wait(bm_users(fd) == 0), "users after the namespace's end");
}

/* Two namespaces with one default are two users. */
static void test_netns_two(int fd)
{
	int orig, second;

	orig = bm_netns_enter();
	if (orig < 0)
		return;
	ASSERT_OK(bm_netns_set_default("bm_users"), "set default");
	second = bm_netns_enter();
	ASSERT_OK(bm_netns_set_default("bm_users"), "set default of another");
	ASSERT_EQ(bm_users(fd), 2, "users");
	bm_netns_leave(second);
	ASSERT_TRUE(bm_wait(bm_users(fd) == 1), "users after the end of one");
	bm_netns_leave(orig);
	ASSERT_TRUE(bm_wait(bm_users(fd) == 0), "users after the end of both");
}

/* The many ways to reach a module are not users. */
static void test_handles(int fd)
{
	struct bpf_module_info info;
	int copy, by_id, by_pin;

	ASSERT_OK(bm_info(fd, &info), "info");
	copy = dup(fd);
	by_id = bpf_module_get_fd_by_id(info.id);
	ASSERT_OK_FD(by_id, "fd by id");
	ASSERT_OK(bpf_obj_pin(fd, BM_PIN), "pin");
	by_pin = bpf_obj_get(BM_PIN);
	ASSERT_OK_FD(by_pin, "get pin");
	ASSERT_EQ(bm_users(fd), 0, "users");
	ASSERT_EQ(bm_users(by_pin), 0, "users through the pin");
	close(copy);
	close(by_id);
	close(by_pin);
	unlink(BM_PIN);
	ASSERT_EQ(bm_users(fd), 0, "users without handles");
}

/* Neither a refused setsockopt nor a refused unload leaves anything behind. */
static void test_refusals(int fd)
{
	int sock = bm_socket(AF_INET, "bm_users");

	if (!ASSERT_OK_FD(sock, "socket"))
		return;
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload");
	ASSERT_EQ(bm_users(fd), 1, "users after the refused unload");
	ASSERT_EQ(bm_tcp_set(sock, "bm_unknown"), -ENOENT, "unknown congestion control");
	ASSERT_EQ(bm_users(fd), 1, "users after the refused setsockopt");
	close(sock);
	ASSERT_EQ(bm_users(fd), 0, "users after close");
}

static const struct {
	const char *name;
	void (*run)(int fd);
} tests[] = {
	{ "socket_ipv4", test_ipv4 },
	{ "socket_ipv6", test_ipv6 },
	{ "many_sockets", test_many },
	{ "switch_away", test_switch_away },
	{ "shared_socket", test_shared_socket },
	{ "dead_process", test_dead_process },
	{ "inherited", test_inherited },
	{ "netns_default", test_netns_default },
	{ "netns_end", test_netns_end },
	{ "netns_two", test_netns_two },
	{ "handles", test_handles },
	{ "refusals", test_refusals },
};

/* A module that any namespace may use as its default, so far without users. */
static void run_test(void (*run)(int fd))
{
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_users");
	*(__u32 *)bm_cc_field(&cc, 0, "flags") = BM_NON_RESTRICTED;
	fd = bm_cc_load(&cc, "bm_users");
	if (ASSERT_OK_FD(fd, "load")) {
		ASSERT_EQ(bm_users(fd), 0, "users at the start");
		run(fd);
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload at the end");
	}
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module_users(void)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
	bm_netns_leave(netns);
}
