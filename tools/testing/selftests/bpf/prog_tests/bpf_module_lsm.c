// SPDX-License-Identifier: GPL-2.0
/* A security module decides by name who may load and open BPF modules. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "bpf_module_lsm.skel.h"

#define BM_PIN "/sys/fs/bpf/bm_lsm"

static void test_create(struct bpf_module_lsm *skel)
{
	static const char * const log[] = { "security module", "\"bm_denied\"" };
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_lsm");
	skel->bss->deny_create = 1;
	fd = bm_cc_load(&cc, "bm_denied");
	ASSERT_EQ(fd, -EACCES, "load");
	bm_check_log(&cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_lsm"), "registered");
	ASSERT_EQ(bm_find("bm_denied"), 0, "listed");
	/* it is told of the end of each module that it was asked about */
	ASSERT_TRUE(bm_wait(skel->bss->frees == 1), "frees");

	fd = bm_cc_load(&cc, "bm_allowed");
	if (ASSERT_OK_FD(fd, "load with another name")) {
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
	}
	skel->bss->deny_create = 0;
	fd = bm_cc_load(&cc, "bm_denied");
	if (ASSERT_OK_FD(fd, "load when it is allowed")) {
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_EQ(skel->bss->frees, 1, "frees while there is an fd");
		close(fd);
		ASSERT_TRUE(bm_wait(skel->bss->frees == 2), "frees at the end");
	}
	bm_cc_close(&cc);
}

static void test_use(struct bpf_module_lsm *skel)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, rdonly, .open_flags = BPF_F_RDONLY);
	LIBBPF_OPTS(bpf_obj_get_opts, pin_rdonly, .file_flags = BPF_F_RDONLY);
	int fd, other_fd, by_id;
	struct bm_cc cc;
	__u32 id;

	fd = bm_cc_open_load(&cc, "bm_denied", "bm_lsm");
	if (fd < 0)
		return;
	id = bm_find("bm_denied");
	ASSERT_OK(bpf_obj_pin(fd, BM_PIN), "pin");

	skel->bss->deny_use = 1;
	ASSERT_EQ(bpf_module_get_fd_by_id(id), -EACCES, "fd by id");
	ASSERT_EQ(bpf_obj_get(BM_PIN), -EACCES, "fd by pin");
	/* an existing fd is not affected */
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	skel->bss->deny_use = 0;

	skel->bss->deny_write = 1;
	ASSERT_EQ(bpf_module_get_fd_by_id(id), -EACCES, "fd by id");
	ASSERT_EQ(bpf_obj_get(BM_PIN), -EACCES, "fd by pin");
	by_id = bpf_module_get_fd_by_id_opts(id, &rdonly);
	if (ASSERT_OK_FD(by_id, "read-only fd by id"))
		close(by_id);
	other_fd = bpf_obj_get_opts(BM_PIN, &pin_rdonly);
	if (ASSERT_OK_FD(other_fd, "read-only fd by pin"))
		close(other_fd);
	skel->bss->deny_write = 0;

	by_id = bpf_module_get_fd_by_id(id);
	if (ASSERT_OK_FD(by_id, "fd by id when it is allowed"))
		close(by_id);
	unlink(BM_PIN);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_cc_cleanup(&cc, fd);
	/* what was refused has left no handle behind */
	ASSERT_TRUE(bm_wait(skel->bss->frees == 1), "frees");
}

/* A replacement is created like any other module. */
static void test_replace(struct bpf_module_lsm *skel)
{
	struct bm_cc cc, new;
	int fd, new_fd;

	fd = bm_cc_open_load(&cc, "bm_denied", "bm_lsm");
	if (fd < 0)
		return;
	if (!bm_cc_open(&new))
		goto out;
	bm_cc_add(&new, "bm_lsm");
	skel->bss->deny_create = 1;
	new_fd = bm_cc_replace(&new, fd);
	ASSERT_EQ(new_fd, -EACCES, "replace");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state of the old one");
	ASSERT_TRUE(bm_tcp_has("bm_lsm"), "registered");
	bm_cc_cleanup(&new, new_fd);
out:
	bm_cc_cleanup(&cc, fd);
}

static const struct {
	const char *name;
	void (*run)(struct bpf_module_lsm *skel);
} tests[] = {
	{ "create", test_create },
	{ "use", test_use },
	{ "replace", test_replace },
};

void serial_test_bpf_module_lsm(void)
{
	struct bpf_module_lsm *skel;
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		skel = bpf_module_lsm__open_and_load();
		if (!ASSERT_OK_PTR(skel, "open and load"))
			continue;
		skel->bss->pid = getpid();
		if (ASSERT_OK(bpf_module_lsm__attach(skel), "attach"))
			tests[i].run(skel);
		bpf_module_lsm__destroy(skel);
		unlink(BM_PIN);
	}
}
