// SPDX-License-Identifier: GPL-2.0
/* What libbpf can do with a module beside loading it: options, replace, pins. */
#include "bpf_module_helpers.h"
#include "progs/bpf_module_params.h"
#include "bpf_module_params.skel.h"

#define BM_PIN "/sys/fs/bpf/bm_attach"

/* Opened, loaded, not attached. */
static struct bpf_module_params *open_load(void)
{
	struct bpf_module_params *skel = bpf_module_params__open_and_load();

	ASSERT_OK_PTR(skel, "open and load");
	return skel;
}

static struct bpf_link *attach(struct bpf_module_params *skel, __u32 flags, bool drain)
{
	LIBBPF_OPTS(bpf_module_attach_opts, opts, .flags = flags, .drain_on_destroy = drain);
	struct bpf_link *link = bpf_module__attach_opts(skel->modules.bm_params, &opts);

	ASSERT_OK_PTR(link, "attach");
	return link;
}

static void test_info(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	struct bpf_link *link;

	if (!skel)
		return;
	ASSERT_EQ(bpf_module__info(skel->modules.bm_params, &info, &len), -ENOENT, "info");
	link = attach(skel, 0, false);
	ASSERT_OK(bpf_module__info(skel->modules.bm_params, &info, &len), "info");
	ASSERT_STREQ(info.name, "bm_params", "name");
	ASSERT_EQ(info.ops_cnt, 1, "ops");
	ASSERT_EQ(info.flags, 0, "flags");
	bpf_link__destroy(link);
	bpf_module_params__destroy(skel);
}

static void test_pin(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_module *mod;
	struct bpf_link *link;
	int fd;

	if (!skel)
		return;
	mod = skel->modules.bm_params;
	ASSERT_EQ(bpf_module__pin(mod, BM_PIN), -ENOENT, "pin before attach");
	ASSERT_EQ(bpf_module__unpin(mod, BM_PIN), -ENOENT, "unpin before attach");
	link = attach(skel, 0, false);
	ASSERT_EQ(bpf_module__pin(mod, "/tmp/bm_attach"), -EINVAL, "pin elsewhere");
	ASSERT_OK(bpf_module__pin(mod, BM_PIN), "pin");
	ASSERT_EQ(bpf_module__pin(mod, BM_PIN), -EEXIST, "pin again");
	fd = bpf_obj_get(BM_PIN);
	if (ASSERT_OK_FD(fd, "get"))
		close(fd);
	ASSERT_OK(bpf_module__unpin(mod, BM_PIN), "unpin");
	ASSERT_EQ(bpf_module__unpin(mod, BM_PIN), -ENOENT, "unpin again");
	ASSERT_EQ(bm_state(bpf_module__fd(mod)), BPF_MODULE_STATE_LIVE, "state");
	bpf_link__destroy(link);
	bpf_module_params__destroy(skel);
}

/* Destroying the link of a module with users lets it drain. */
static void check_drain(__u32 flags, bool drain)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_module_info info;
	struct bpf_link *link;
	int fd, sock;

	if (!skel)
		return;
	link = attach(skel, flags, drain);
	fd = bpf_module__fd(skel->modules.bm_params);
	ASSERT_OK(bm_info(fd, &info), "info");
	ASSERT_EQ(info.flags, flags, "flags");
	sock = bm_socket(AF_INET, "bm_params");
	ASSERT_OK_FD(sock, "socket");
	ASSERT_OK(bpf_link__destroy(link), "destroy");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
	ASSERT_FALSE(bm_tcp_has("bm_params"), "registered");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state with its last user");
	bpf_module_params__destroy(skel);
}

/* A bound module goes with the object and the link, without a word. */
static void test_bound_handles(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_link *link;

	if (!skel)
		return;
	link = attach(skel, BPF_F_MODULE_BOUND, false);
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	ASSERT_GT(bm_find("bm_params"), 0, "listed, the object has an fd");
	bpf_module_params__destroy(skel);
	ASSERT_TRUE(bm_wait(!bm_find("bm_params")), "listed after the last fd");
}

static void test_replace(void)
{
	struct bpf_module_params *old = open_load(), *new = open_load();
	struct bpf_link *old_link, *new_link = NULL;
	int old_fd, new_fd, sock = -1;

	if (!old || !new)
		goto out;
	old_link = attach(old, 0, false);
	old_fd = bpf_module__fd(old->modules.bm_params);
	sock = bm_socket(AF_INET, "bm_params");
	ASSERT_OK_FD(sock, "socket");

	ASSERT_OK(bpf_module__set_name(new->modules.bm_params, "bm_new"), "set_name");
	new_link = bpf_module__replace(new->modules.bm_params, old_fd, NULL);
	if (!ASSERT_OK_PTR(new_link, "replace"))
		goto out;
	new_fd = bpf_module__fd(new->modules.bm_params);
	ASSERT_STREQ(bpf_module__name(new->modules.bm_params), "bm_params", "name");
	ASSERT_EQ(bm_state(old_fd), BPF_MODULE_STATE_GOING, "state of the old one");
	ASSERT_EQ(bm_state(new_fd), BPF_MODULE_STATE_LIVE, "state of the new one");

	ASSERT_OK(bpf_link__destroy(old_link), "destroy the old link");
	ASSERT_EQ(bm_state(new_fd), BPF_MODULE_STATE_LIVE, "state of the new one");
	ASSERT_TRUE(bm_tcp_has("bm_params"), "registered");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(old_fd) == BPF_MODULE_STATE_GONE), "old one is gone");
	ASSERT_OK(bpf_link__destroy(new_link), "destroy the new link");
	ASSERT_FALSE(bm_tcp_has("bm_params"), "registered");
out:
	bpf_module_params__destroy(old);
	bpf_module_params__destroy(new);
}

/* What can't be replaced stays as it is. */
static void test_replace_refused(void)
{
	LIBBPF_OPTS(bpf_module_attach_opts, opts);
	struct bpf_module_params *skel = open_load();
	char log[BM_LOG_SIZE] = "";
	struct bm_cc cc;
	int fd;

	if (!skel)
		return;
	/* an op of another name */
	fd = bm_cc_open_load(&cc, "bm_old", "bm_other");
	if (fd < 0)
		goto out;
	opts.log_buf = log;
	opts.log_size = sizeof(log);
	ASSERT_NULL(bpf_module__replace(skel->modules.bm_params, fd, &opts), "replace");
	ASSERT_EQ(errno, EINVAL, "errno");
	ASSERT_NEQ(log[0], 0, "log");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state of the old one");
	ASSERT_EQ(bpf_module__fd(skel->modules.bm_params), -1, "fd of the new one");
	ASSERT_NULL(bpf_module__replace(skel->modules.bm_params, -1, NULL), "no fd");
	ASSERT_EQ(errno, EINVAL, "errno");
	bm_cc_cleanup(&cc, fd);
out:
	bpf_module_params__destroy(skel);
}

static void test_probe(void)
{
	ASSERT_EQ(libbpf_probe_bpf_module(NULL), 1, "probe");
	ASSERT_EQ(libbpf_probe_bpf_module(""), -EINVAL, "opts");
}

void serial_test_bpf_module_attach(void)
{
	int netns = bm_netns_enter();

	if (test__start_subtest("info"))
		test_info();
	if (test__start_subtest("pin"))
		test_pin();
	if (test__start_subtest("drain_on_destroy"))
		check_drain(0, true);
	if (test__start_subtest("bound_drains_on_destroy"))
		check_drain(BPF_F_MODULE_BOUND, false);
	if (test__start_subtest("bound_handles"))
		test_bound_handles();
	if (test__start_subtest("replace"))
		test_replace();
	if (test__start_subtest("replace_refused"))
		test_replace_refused();
	if (test__start_subtest("probe"))
		test_probe();
	bm_netns_leave(netns);
}
