// SPDX-License-Identifier: GPL-2.0
/* BPF_F_MODULE_BOUND: a module that does not outlive its handles. */
#include <linux/bpf_module.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"

#define BM_PIN "/sys/fs/bpf/bm_bound"

/* Nothing is left of it, neither for this user nor for the next loader. */
static void check_ended(void)
{
	ASSERT_FALSE(bm_tcp_has("bm_bound"), "registered");
	ASSERT_EQ(bm_find("bm_bound"), 0, "listed");
}

static void check_live(int fd)
{
	struct bpf_module_info info;

	ASSERT_OK(bm_info(fd, &info), "info");
	ASSERT_EQ(info.state, BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(info.flags, BPF_F_MODULE_BOUND, "flags");
	ASSERT_TRUE(bm_tcp_has("bm_bound"), "registered");
}

static int open_by_name(void)
{
	return bpf_module_get_fd_by_id(bm_find("bm_bound"));
}

static void test_last_fd(int fd)
{
	check_live(fd);
	close(fd);
	check_ended();
}

/* Of several handles only the last one counts, whatever its kind. */
static void test_many_fds(int fd)
{
	int copy = dup(fd), by_id = open_by_name();

	ASSERT_OK_FD(copy, "dup");
	ASSERT_OK_FD(by_id, "fd by id");
	close(fd);
	check_live(copy);
	close(copy);
	check_live(by_id);
	close(by_id);
	check_ended();
}

static void test_last_pin(int fd)
{
	ASSERT_OK(bpf_obj_pin(fd, BM_PIN), "pin");
	close(fd);
	fd = bpf_obj_get(BM_PIN);
	check_live(fd);
	close(fd);
	ASSERT_TRUE(bm_tcp_has("bm_bound"), "registered by the pin alone");
	ASSERT_OK(unlink(BM_PIN), "unlink");
	ASSERT_TRUE(bm_wait(!bm_tcp_has("bm_bound")), "registered without the pin");
	ASSERT_TRUE(bm_wait(!bm_find("bm_bound")), "listed without the pin");
}

static void test_pin_then_fd(int fd)
{
	ASSERT_OK(bpf_obj_pin(fd, BM_PIN), "pin");
	ASSERT_OK(unlink(BM_PIN), "unlink");
	/* if that ended it, it would show soon */
	kern_sync_rcu();
	check_live(fd);
	close(fd);
	check_ended();
}

static void test_inherited_fd(int fd)
{
	int go[2], status;
	pid_t child;
	char c;

	if (!ASSERT_OK(pipe(go), "pipe"))
		return;
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(read(go[0], &c, 1) != 1);
	close(fd);
	if (ASSERT_GT(child, 0, "fork")) {
		fd = open_by_name();
		check_live(fd);
		close(fd);
		ASSERT_TRUE(bm_tcp_has("bm_bound"), "registered by the child's fd alone");
		ASSERT_EQ(write(go[1], "", 1), 1, "let the child go");
		ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
		ASSERT_EQ(status, 0, "status of the child");
		ASSERT_TRUE(bm_wait(!bm_tcp_has("bm_bound")), "registered at the end");
		check_ended();
	}
	close(go[0]);
	close(go[1]);
}

/* Its users keep what they have, and no new ones can come. */
static void test_users(int fd)
{
	int sock = bm_socket(AF_INET, "bm_bound");
	__u32 id = bm_find("bm_bound");

	ASSERT_OK_FD(sock, "socket");
	close(fd);
	ASSERT_FALSE(bm_tcp_has("bm_bound"), "registered");
	fd = bpf_module_get_fd_by_id(id);
	if (ASSERT_OK_FD(fd, "fd of one that is going")) {
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
		ASSERT_EQ(bm_users(fd), 1, "users");
		close(fd);
	}
	ASSERT_TRUE(bm_tcp_uses(sock, "bm_bound"), "the user's congestion control");
	close(sock);
	ASSERT_TRUE(bm_wait(!bm_listed(id)), "listed at the end");
}

static void test_unload(int fd)
{
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	close(fd);
	check_ended();
}

/* A reader keeps it while reading, and does not end it. */
static void test_looked_at(int fd)
{
	int i;

	for (i = 0; i < 20; i++)
		ASSERT_GT(bm_find("bm_bound"), 0, "listed");
	check_live(fd);
	close(fd);
	check_ended();
}

static const struct {
	const char *name;
	void (*run)(int fd);	/* closes the fd */
} tests[] = {
	{ "last_fd", test_last_fd },
	{ "many_fds", test_many_fds },
	{ "last_pin", test_last_pin },
	{ "pin_then_fd", test_pin_then_fd },
	{ "inherited_fd", test_inherited_fd },
	{ "users", test_users },
	{ "unload", test_unload },
	{ "looked_at", test_looked_at },
};

static void run_test(int i)
{
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_bound");
	fd = bm_cc_load_flags(&cc, "bm_bound", BPF_F_MODULE_BOUND, 0);
	if (ASSERT_OK_FD(fd, "load"))
		tests[i].run(fd);
	bm_cc_close(&cc);
	unlink(BM_PIN);
}

/* The process that has the only fd is killed. */
static void test_death(__u32 flags)
{
	int ready[2], status, fd;
	struct bm_cc cc;
	pid_t child;
	char c;

	if (!ASSERT_OK(pipe(ready), "pipe"))
		return;
	fflush(stdout);
	child = fork();
	if (!child) {
		if (!bm_cc_open(&cc))
			_exit(1);
		bm_cc_add(&cc, "bm_bound");
		fd = bm_cc_load_flags(&cc, "bm_bound", flags, 0);
		if (fd < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (ASSERT_GT(child, 0, "fork")) {
		ASSERT_EQ(read(ready[0], &c, 1), 1, "child has loaded");
		ASSERT_TRUE(bm_tcp_has("bm_bound"), "registered while it lives");
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	}
	close(ready[0]);
	if (flags & BPF_F_MODULE_BOUND) {
		ASSERT_TRUE(bm_wait(!bm_tcp_has("bm_bound")), "registered after its death");
		ASSERT_TRUE(bm_wait(!bm_find("bm_bound")), "listed after its death");
		return;
	}
	fd = open_by_name();
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state after its death");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

/* The flag of the new version counts; the old one has already ended. */
static void test_replace(__u32 old_flags, __u32 new_flags)
{
	struct bpf_module_info info;
	struct bm_cc old, new;
	int old_fd, fd;

	if (!bm_cc_open(&old))
		return;
	bm_cc_add(&old, "bm_bound");
	old_fd = bm_cc_load_flags(&old, "bm_bound", old_flags, 0);
	if (!ASSERT_OK_FD(old_fd, "load") || !bm_cc_open(&new))
		goto out;
	bm_cc_add(&new, "bm_bound");
	fd = bm_cc_load_flags(&new, NULL, BPF_F_MODULE_REPLACE | new_flags, old_fd);
	if (ASSERT_OK_FD(fd, "replace")) {
		close(old_fd);
		old_fd = -1;
		ASSERT_OK(bm_info(fd, &info), "info");
		ASSERT_EQ(info.state, BPF_MODULE_STATE_LIVE, "state");
		ASSERT_EQ(info.flags, new_flags, "flags");
		close(fd);
		fd = open_by_name();
		ASSERT_EQ(fd < 0, !!new_flags, "is gone with its fd");
		ASSERT_EQ(bm_tcp_has("bm_bound"), !new_flags, "registered");
	}
	bm_cc_cleanup(&new, fd);
out:
	bm_cc_cleanup(&old, old_fd);
}

void serial_test_bpf_module_bound(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(i);
	if (test__start_subtest("death"))
		test_death(BPF_F_MODULE_BOUND);
	if (test__start_subtest("death_not_bound"))
		test_death(0);
	if (test__start_subtest("replace_with_bound"))
		test_replace(0, BPF_F_MODULE_BOUND);
	if (test__start_subtest("replace_bound"))
		test_replace(BPF_F_MODULE_BOUND, 0);
	if (test__start_subtest("replace_bound_with_bound"))
		test_replace(BPF_F_MODULE_BOUND, BPF_F_MODULE_BOUND);
}
