// SPDX-License-Identifier: GPL-2.0
/*
 * What a struct_ops map allows and a BPF module does not: a user without any
 * capability registers a congestion control through a read-only fd. The first test
 * also runs on kernels without BPF modules.
 */
#include <linux/bpf_module.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_tcp.h"
#include "tcp_ca_update.skel.h"

#define NOBODY 1000

/* Runs @fn(@arg) as a user without capabilities, returns what it returns. */
static int as_nobody(int (*fn)(int arg), int arg)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-fn(arg));
	}
	if (!ASSERT_GT(pid, 0, "fork") || !ASSERT_EQ(waitpid(pid, &status, 0), pid, "wait") ||
	    !ASSERT_TRUE(WIFEXITED(status), "exit"))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

/* The link lives as long as the process: check before it ends. */
static int register_map(int map_fd)
{
	int link_fd;

	link_fd = bpf_link_create(map_fd, 0, BPF_STRUCT_OPS, NULL);
	if (link_fd < 0)
		return link_fd;
	return bm_tcp_has("tcp_ca_update") ? 0 : -ENOENT;
}

static int unload(int module_fd)
{
	return bpf_module_unload(module_fd, NULL);
}

static int read_only_fd(int map_fd)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (!ASSERT_OK(bpf_map_get_info_by_fd(map_fd, &info, &len), "map info"))
		return -1;
	return bpf_map_get_fd_by_id_opts(info.id, &opts);
}

static void test_map_takes_anybody(void)
{
	struct tcp_ca_update *skel;
	struct bpf_link *link;
	int fd;

	skel = tcp_ca_update__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	/* This builds the struct; it stays built without the link. */
	link = bpf_map__attach_struct_ops(skel->maps.ca_update_1);
	if (!ASSERT_OK_PTR(link, "attach") || !ASSERT_OK(bpf_link__destroy(link), "detach"))
		goto out;
	ASSERT_FALSE(bm_tcp_has("tcp_ca_update"), "registered before");
	fd = read_only_fd(bpf_map__fd(skel->maps.ca_update_1));
	if (!ASSERT_OK_FD(fd, "read-only fd"))
		goto out;
	ASSERT_EQ(as_nobody(register_map, fd), 0, "nobody registers it");
	close(fd);
out:
	tcp_ca_update__destroy(skel);
}

static void test_module_does_not(void)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	struct bm_cc cc;
	int fd, ro_fd;

	fd = bm_cc_open_load(&cc, "bm_contrast", "bm_contrast");
	if (fd < 0)
		return;
	ro_fd = bpf_module_get_fd_by_id_opts(bm_find("bm_contrast"), &opts);
	ASSERT_OK_FD(ro_fd, "read-only fd");
	ASSERT_EQ(as_nobody(unload, ro_fd), -EPERM, "nobody unloads by a read-only fd");
	ASSERT_EQ(as_nobody(unload, fd), -EPERM, "nobody unloads by the loader's fd");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	close(ro_fd);
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module_contrast(void)
{
	__u32 id;

	if (test__start_subtest("map_takes_anybody"))
		test_map_takes_anybody();
	if (bpf_module_get_next_id(0, &id) == -EINVAL)
		return;
	if (test__start_subtest("module_does_not"))
		test_module_does_not();
}
