// SPDX-License-Identifier: GPL-2.0
/*
 * Executable memory comes from packs shared by all of BPF: a module's part of it is
 * charged explicitly, to the cgroup of the loader.
 */
#include <linux/compiler.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_wait.h"
#include "cgroup_helpers.h"
#include "bpf_module_memcg.skel.h"

#define CGROUP "/bm_memcg"

static void load_and_unload(struct bpf_module_memcg *skel)
{
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, "bm_memcg", "bm_memcg");
	if (fd < 0)
		return;
	ASSERT_GT(skel->bss->image_size, 0, "image");
	ASSERT_EQ(skel->bss->uncharges, 0, "uncharges while it is loaded");
	bm_cc_cleanup(&cc, fd);
}

static void test_charged(struct bpf_module_memcg *skel)
{
	int cgroup = cgroup_setup_and_join(CGROUP);

	if (!ASSERT_OK_FD(cgroup, "join a cgroup"))
		return;
	load_and_unload(skel);
	ASSERT_TRUE(skel->bss->objcg, "charged a cgroup");
	ASSERT_EQ(skel->bss->charged, skel->bss->image_size, "charged");
	ASSERT_TRUE(bm_wait(READ_ONCE(skel->bss->uncharges) == 1), "uncharged");
	close(cgroup);
	cleanup_cgroup_environment();
}

/* What processes outside of all cgroups use is not accounted for. */
static void test_root(struct bpf_module_memcg *skel)
{
	load_and_unload(skel);
	ASSERT_FALSE(skel->bss->objcg, "charged a cgroup");
}

static void run_test(void (*run)(struct bpf_module_memcg *skel))
{
	struct bpf_module_memcg *skel = bpf_module_memcg__open_and_load();

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	skel->bss->pid = sys_gettid();
	if (ASSERT_OK(bpf_module_memcg__attach(skel), "attach"))
		run(skel);
	bpf_module_memcg__destroy(skel);
}

/* Serial: the other tests would be in the cgroup, too. */
void serial_test_bpf_module_memcg(void)
{
	if (test__start_subtest("charged"))
		run_test(test_charged);
	if (test__start_subtest("root"))
		run_test(test_root);
}
