// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that the calling convention passes on the stack. The first test also runs
 * on kernels without BPF modules.
 */
#include <test_progs.h>
#include "bpf_module_args.skel.h"

/* Registration calls the function with 1 to 8. */
static void check_came(const struct bpf_module_args *skel)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(skel->bss->came); i++)
		ASSERT_EQ(skel->bss->came[i], i + 1, "argument");
}

static void test_map(void)
{
	struct bpf_module_args *skel = bpf_module_args__open_and_load();
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	link = bpf_map__attach_struct_ops(skel->maps.bm_args);
	if (ASSERT_OK_PTR(link, "attach")) {
		check_came(skel);
		bpf_link__destroy(link);
	}
	bpf_module_args__destroy(skel);
}

static void test_module(void)
{
	struct bpf_module_args *skel = bpf_module_args__open();
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = bpf_object__next_module(skel->obj, NULL);
	if (!ASSERT_OK(bpf_module__set_autocreate(mod, true), "set_autocreate") ||
	    !ASSERT_OK(bpf_module_args__load(skel), "load"))
		goto out;
	link = bpf_module__attach(mod);
	if (ASSERT_OK_PTR(link, "attach")) {
		check_came(skel);
		ASSERT_OK(bpf_link__destroy(link), "destroy");
	}
out:
	bpf_module_args__destroy(skel);
}

void serial_test_bpf_module_args(void)
{
	__u32 id;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	if (test__start_subtest("map"))
		test_map();
	if (bpf_module_get_next_id(0, &id) == -EINVAL)
		return;
	if (test__start_subtest("module"))
		test_module();
}
