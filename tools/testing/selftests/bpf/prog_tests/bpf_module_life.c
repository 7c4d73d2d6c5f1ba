// SPDX-License-Identifier: GPL-2.0
/* A loaded module needs no handle; a loader that dies leaves all or nothing. */
#include <linux/bpf_module.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"

#define BM_LIFE_OPS 3
#define BM_KILLS 25

static const char * const op_names[BM_LIFE_OPS] = { "bm_life_a", "bm_life_b", "bm_life_c" };

static void add_ops(struct bm_cc *cc)
{
	int i;

	for (i = 0; i < BM_LIFE_OPS; i++)
		bm_cc_add(cc, op_names[i]);
}

/* Returns an fd of the listed module called @name. */
static int open_by_name(const char *name)
{
	__u32 id = bm_find(name);

	return id ? bpf_module_get_fd_by_id(id) : -ENOENT;
}

static int count_registered(void)
{
	int i, cnt = 0;

	for (i = 0; i < BM_LIFE_OPS; i++)
		cnt += bm_tcp_has(op_names[i]);
	return cnt;
}

static void test_fd_closed(void)
{
	struct bm_cc cc;
	int fd, sock;
	__u32 id;

	fd = bm_cc_open_load(&cc, "bm_life", "bm_life");
	if (fd < 0)
		return;
	close(fd);
	bm_cc_close_progs(&cc);
	kern_sync_rcu();

	id = bm_find("bm_life");
	ASSERT_GT(id, 0, "listed");
	sock = bm_socket(AF_INET, "bm_life");
	ASSERT_OK_FD(sock, "socket");
	fd = bpf_module_get_fd_by_id(id);
	ASSERT_OK_FD(fd, "fd by id");
	ASSERT_EQ(bm_users(fd), 1, "users");
	close(sock);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_cc_cleanup(&cc, fd);
}

/* The loader and its fds are gone: the module stays. */
static void test_loader_exits(bool killed)
{
	int fd, sock, status, ready[2];
	struct bm_cc cc;
	pid_t child;
	char c;

	if (!ASSERT_OK(pipe(ready), "pipe"))
		return;
	fflush(stdout);
	child = fork();
	if (!child) {
		close(ready[0]);
		fd = bm_cc_open_load(&cc, "bm_life", "bm_life");
		if (fd < 0 || !killed)
			_exit(fd < 0);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (!ASSERT_GT(child, 0, "fork"))
		goto out;
	if (killed) {
		ASSERT_EQ(read(ready[0], &c, 1), 1, "child has loaded");
		kill(child, SIGKILL);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, killed ? SIGKILL : 0, "status of the child");

	fd = open_by_name("bm_life");
	if (!ASSERT_OK_FD(fd, "listed"))
		goto out;
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_TRUE(bm_tcp_has("bm_life"), "registered");
	sock = bm_socket(AF_INET, "bm_life");
	ASSERT_OK_FD(sock, "socket");
	ASSERT_EQ(bm_users(fd), 1, "users");
	close(sock);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bm_find("bm_life"), 0, "listed after unload");
	close(fd);
out:
	close(ready[0]);
}

/* Loads and unloads forever. */
static void churn(int ready)
{
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		_exit(1);
	add_ops(&cc);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		fd = bm_cc_load(&cc, "bm_life");
		if (fd < 0)
			_exit(2);
		if (bpf_module_unload(fd, NULL))
			_exit(3);
		close(fd);
	}
}

/* Kills a loader at some moment; returns whether its module was left loaded. */
static bool kill_loader(unsigned int delay_us)
{
	int ready[2], status, fd;
	pid_t child;
	char c;

	if (!ASSERT_OK(pipe(ready), "pipe"))
		return false;
	fflush(stdout);
	child = fork();
	if (!child)
		churn(ready[1]);
	close(ready[1]);
	if (!ASSERT_GT(child, 0, "fork")) {
		close(ready[0]);
		return false;
	}
	ASSERT_EQ(read(ready[0], &c, 1), 1, "child is ready");
	close(ready[0]);
	usleep(delay_us);
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, SIGKILL, "status of the child");

	fd = open_by_name("bm_life");
	ASSERT_EQ(count_registered(), fd < 0 ? 0 : BM_LIFE_OPS, "registered ops");
	if (fd < 0)
		return false;
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(count_registered(), 0, "registered ops after unload");
	close(fd);
	return true;
}

/* Death before LOAD returns leaves nothing, death after it everything. */
static void test_killed_any_time(void)
{
	int i, left = 0;

	for (i = 0; i < BM_KILLS; i++)
		left += kill_loader(i * 997 % 20000);
	printf("%d of %d killed loaders left a module\n", left, BM_KILLS);
}

/* Nothing of a module outlives it: programs go once it is unloaded. */
static void test_nothing_left(void)
{
	__u32 ids[BM_CC_REQUIRED], id;
	struct bm_cc cc;
	int fd, p;

	fd = bm_cc_open_load(&cc, "bm_life", "bm_life");
	if (fd < 0)
		return;
	for (p = 0; p < BM_CC_REQUIRED; p++)
		ids[p] = bm_prog_id(cc.prog[p]);
	bm_cc_close_progs(&cc);
	id = bm_find("bm_life");
	for (p = 0; p < BM_CC_REQUIRED; p++)
		ASSERT_TRUE(bm_prog_exists(ids[p]), "program of a live module");

	/* an fd of a module that is gone does not keep its programs */
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	for (p = 0; p < BM_CC_REQUIRED; p++)
		ASSERT_TRUE(bm_wait(!bm_prog_exists(ids[p])), "program is gone");
	ASSERT_FALSE(bm_listed(id), "listed");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	bm_cc_cleanup(&cc, fd);
}

/* Counts the trampolines of the module that the kernel can name in a trace. */
static int count_symbols(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512];
	int cnt = 0;

	if (CHECK_FAIL(!f))
		return -1;
	while (fgets(line, sizeof(line), f))
		cnt += !!strstr(line, " bpf__bm_life.bm_life_");
	fclose(f);
	return cnt;
}

static void test_symbols(void)
{
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	add_ops(&cc);
	fd = bm_cc_load(&cc, "bm_life");
	ASSERT_OK_FD(fd, "load");
	ASSERT_EQ(count_symbols(), BM_LIFE_OPS * BM_CC_REQUIRED, "symbols of a live module");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_TRUE(bm_wait(count_symbols() == 0), "symbols after unload");
	bm_cc_cleanup(&cc, fd);
}

/* As with programs and maps, an old id does not soon mean another module. */
static void test_id_not_reused(void)
{
	struct bm_cc cc;
	__u32 id;
	int fd;

	fd = bm_cc_open_load(&cc, "bm_life", "bm_life");
	if (fd < 0)
		return;
	id = bm_find("bm_life");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
	fd = bm_cc_load(&cc, "bm_life");
	ASSERT_OK_FD(fd, "load again");
	ASSERT_NEQ(bm_find("bm_life"), id, "id of the second");
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module_life(void)
{
	if (test__start_subtest("fd_closed"))
		test_fd_closed();
	if (test__start_subtest("loader_exits"))
		test_loader_exits(false);
	if (test__start_subtest("loader_killed"))
		test_loader_exits(true);
	if (test__start_subtest("killed_any_time"))
		test_killed_any_time();
	if (test__start_subtest("nothing_left"))
		test_nothing_left();
	if (test__start_subtest("symbols"))
		test_symbols();
	if (test__start_subtest("id_not_reused"))
		test_id_not_reused();
}
