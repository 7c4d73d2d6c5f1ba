// SPDX-License-Identifier: GPL-2.0
/* What libbpf can do with a module besides loading it: options, replace, pins. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "progs/bpf_module_params.h"
#include "bpf_dctcp.skel.h"
#include "bpf_module_params.skel.h"

#define BM_PIN "/sys/fs/bpf/bm_attach"

/* Opened, loaded, not attached. */
static struct bpf_module_params *open_load(void)
{
	struct bpf_module_params *skel = bpf_module_params__open_and_load();

	ASSERT_OK_PTR(skel, "open and load");
	return skel;
}

static struct bpf_link *attach(struct bpf_module_params *skel, __u32 flags)
{
	struct bpf_link *link;

	ASSERT_OK(bpf_module__set_flags(skel->modules.bm_params, flags), "set_flags");
	link = bpf_module__attach(skel->modules.bm_params);
	ASSERT_OK_PTR(link, "attach");
	return link;
}

/* A module's link is not one of the kernel's. */
static void test_link_info(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_link_info info = {}, none = {};
	__u32 len = sizeof(info);
	struct bpf_link *link;

	if (!skel)
		return;
	link = attach(skel, 0);
	ASSERT_EQ(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &len), -EINVAL, "info");
	ASSERT_EQ(memcmp(&info, &none, sizeof(info)), 0, "nothing is written");
	ASSERT_EQ(len, sizeof(info), "size");
	ASSERT_ERR(bpf_link__detach(link), "detach");
	ASSERT_EQ(bm_state(bpf_link__fd(link)), BPF_MODULE_STATE_LIVE, "state");
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
	link = attach(skel, 0);
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
static void check_drain(__u32 flags)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_module_info info;
	struct bpf_link *link;
	int fd, sock;

	if (!skel)
		return;
	link = attach(skel, flags);
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

/* A bound module ends silently with the object and the link. */
static void test_bound_handles(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_link *link;

	if (!skel)
		return;
	link = attach(skel, BPF_F_MODULE_BOUND);
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
	old_link = attach(old, 0);
	old_fd = bpf_module__fd(old->modules.bm_params);
	sock = bm_socket(AF_INET, "bm_params");
	ASSERT_OK_FD(sock, "socket");

	ASSERT_OK(bpf_module__set_name(new->modules.bm_params, "bm_new"), "set_name");
	ASSERT_OK(bpf_module__set_replace_fd(new->modules.bm_params, old_fd), "set_replace_fd");
	new_link = bpf_module__attach(new->modules.bm_params);
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

/* What can't be replaced is left unchanged. */
static void test_replace_refused(void)
{
	struct bpf_module_params *skel = open_load();
	char log[BM_LOG_SIZE] = "";
	struct bpf_module *mod;
	struct bm_cc cc;
	int fd;

	if (!skel)
		return;
	mod = skel->modules.bm_params;
	/* an op of another name */
	fd = bm_cc_open_load(&cc, "bm_old", "bm_other");
	if (fd < 0)
		goto out;
	ASSERT_OK(bpf_module__set_log_buf(mod, log, sizeof(log)), "set_log_buf");
	ASSERT_OK(bpf_module__set_replace_fd(mod, fd), "set_replace_fd");
	ASSERT_NULL(bpf_module__attach(mod), "replace");
	ASSERT_EQ(errno, EINVAL, "errno");
	ASSERT_NEQ(log[0], 0, "log");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state of the old one");
	ASSERT_EQ(bpf_module__fd(mod), -1, "fd of the new one");
	bm_cc_cleanup(&cc, fd);
out:
	bpf_module_params__destroy(skel);
}

/* What a skeleton's user sets before attach takes effect. */
static void test_skeleton(void)
{
	struct bpf_module_params *old = open_load(), *new = open_load();
	struct bpf_module_info info;
	int old_fd, sock = -1;

	if (!old || !new || !ASSERT_OK(bpf_module_params__attach(old), "attach"))
		goto out;
	old_fd = bpf_module__fd(old->modules.bm_params);
	sock = bm_socket(AF_INET, "bm_params");
	ASSERT_OK_FD(sock, "socket");

	bpf_module__set_flags(new->modules.bm_params, BPF_F_MODULE_BOUND);
	bpf_module__set_replace_fd(new->modules.bm_params, old_fd);
	ASSERT_OK(bpf_module_params__attach(new), "attach in place of the other");
	ASSERT_EQ(bm_state(old_fd), BPF_MODULE_STATE_GOING, "state of the old one");
	ASSERT_OK(bm_info(bpf_module__fd(new->modules.bm_params), &info), "info");
	ASSERT_EQ(info.flags, BPF_F_MODULE_BOUND, "flags");

	/* it is used once */
	bpf_module_params__detach(new);
	ASSERT_OK(bpf_module_params__attach(new), "attach again");
	ASSERT_TRUE(bm_tcp_has("bm_params"), "registered");
out:
	close(sock);
	bpf_module_params__destroy(old);
	bpf_module_params__destroy(new);
}

static void test_setters(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_module *mod;

	if (!skel)
		return;
	mod = skel->modules.bm_params;
	ASSERT_EQ(bpf_module__flags(mod), 0, "flags unless set");
	ASSERT_EQ(bpf_module__set_flags(mod, BPF_F_MODULE_REPLACE), -EINVAL, "replace as a flag");
	ASSERT_OK(bpf_module__set_flags(mod, BPF_F_MODULE_BOUND), "set_flags");
	ASSERT_EQ(bpf_module__flags(mod), BPF_F_MODULE_BOUND, "flags");
	/* an fd from a failed open must not mean "replace nothing" */
	ASSERT_EQ(bpf_module__set_replace_fd(mod, -1), -EINVAL, "no fd");
	ASSERT_OK(bpf_module__set_replace_fd(mod, 0), "none");
	ASSERT_EQ(bpf_module__set_log_buf(mod, NULL, 1), -EINVAL, "size without a buffer");
	ASSERT_OK(bpf_module__set_flags(mod, 1U << 31), "a flag of a later kernel");
	ASSERT_NULL(bpf_module__attach(mod), "attach");
	ASSERT_EQ(errno, EINVAL, "errno");
	bpf_module_params__destroy(skel);
}

/* The user attaches it at the right time, and the skeleton the rest. */
static void test_autoattach(void)
{
	struct bpf_module_params *skel = open_load();
	struct bpf_module *mod;

	if (!skel)
		return;
	mod = skel->modules.bm_params;
	ASSERT_TRUE(bpf_module__autoattach(mod), "autoattach unless set");
	ASSERT_OK(bpf_module__set_autoattach(mod, false), "set_autoattach");
	ASSERT_FALSE(bpf_module__autoattach(mod), "autoattach");
	ASSERT_OK(bpf_module_params__attach(skel), "attach");
	ASSERT_NULL(skel->links.bm_params, "link");
	ASSERT_EQ(bm_find("bm_params"), 0, "listed");
	skel->links.bm_params = bpf_module__attach(mod);
	ASSERT_OK_PTR(skel->links.bm_params, "attach by hand");
	ASSERT_GT(bm_find("bm_params"), 0, "listed");
	bpf_module_params__destroy(skel);
	ASSERT_EQ(bm_find("bm_params"), 0, "listed after the skeleton's end");
}

static char said[1024];

static int keep(enum libbpf_print_level level, const char *fmt, va_list args)
{
	size_t len = strlen(said);

	return level == LIBBPF_WARN ? vsnprintf(said + len, sizeof(said) - len, fmt, args) : 0;
}

/* A skeleton from an older bpftool does not attach what it does not know. */
static void test_old_skeleton(void)
{
	struct bpf_module_params *skel = open_load();
	libbpf_print_fn_t old_print;
	size_t sz;

	if (!skel)
		return;
	sz = skel->skeleton->sz;
	skel->skeleton->sz = offsetof(struct bpf_object_skeleton, module_cnt);
	old_print = libbpf_set_print(keep);
	ASSERT_OK(bpf_module_params__attach(skel), "attach");
	libbpf_set_print(old_print);
	ASSERT_HAS_SUBSTR(said, "module 'bm_params': BPF skeleton version is old", "warning");
	ASSERT_EQ(bm_find("bm_params"), 0, "listed");

	skel->skeleton->sz = sz;
	bpf_module_params__destroy(skel);
}

#define BM_MAPS "/sys/fs/bpf/bm_maps"

/* Ops of a module are not maps that can be pinned and unpinned with the others. */
static void test_pin_maps(void)
{
	struct bpf_module_params *skel = open_load();

	if (!skel)
		return;
	ASSERT_OK(bpf_object__pin_maps(skel->obj, BM_MAPS), "pin_maps");
	ASSERT_OK(access(BM_MAPS "/bpf_modu_bss", F_OK), "pinned");
	ASSERT_ERR(access(BM_MAPS "/bm_params", F_OK), "ops pinned");
	ASSERT_OK(bpf_object__unpin_maps(skel->obj, BM_MAPS), "unpin_maps");
	ASSERT_OK(rmdir(BM_MAPS), "nothing is left");
	bpf_module_params__destroy(skel);
}

/* Nor are ops that were left out. */
static void test_pin_maps_left_out(void)
{
	struct bpf_dctcp *skel = bpf_dctcp__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_map__set_autocreate(skel->maps.dctcp_nouse, false);
	if (ASSERT_OK(bpf_dctcp__load(skel), "load")) {
		ASSERT_OK(bpf_object__pin_maps(skel->obj, BM_MAPS), "pin_maps");
		ASSERT_OK(access(BM_MAPS "/dctcp", F_OK), "pinned");
		ASSERT_OK(bpf_object__unpin_maps(skel->obj, BM_MAPS), "unpin_maps");
		ASSERT_OK(rmdir(BM_MAPS), "nothing is left");
	}
	bpf_dctcp__destroy(skel);
}

static void test_probe(void)
{
	ASSERT_EQ(libbpf_probe_bpf_module(NULL), 1, "probe");
	ASSERT_EQ(libbpf_probe_bpf_module(""), -EINVAL, "opts");
}

void serial_test_bpf_module_attach(void)
{
	int netns = bm_netns_enter();

	if (test__start_subtest("link_info"))
		test_link_info();
	if (test__start_subtest("pin"))
		test_pin();
	if (test__start_subtest("drains_on_destroy"))
		check_drain(0);
	if (test__start_subtest("bound_drains_on_destroy"))
		check_drain(BPF_F_MODULE_BOUND);
	if (test__start_subtest("bound_handles"))
		test_bound_handles();
	if (test__start_subtest("replace"))
		test_replace();
	if (test__start_subtest("replace_refused"))
		test_replace_refused();
	if (test__start_subtest("skeleton"))
		test_skeleton();
	if (test__start_subtest("setters"))
		test_setters();
	if (test__start_subtest("autoattach"))
		test_autoattach();
	if (test__start_subtest("old_skeleton"))
		test_old_skeleton();
	if (test__start_subtest("pin_maps"))
		test_pin_maps();
	if (test__start_subtest("pin_maps_left_out"))
		test_pin_maps_left_out();
	if (test__start_subtest("probe"))
		test_probe();
	bm_netns_leave(netns);
}
