// SPDX-License-Identifier: GPL-2.0
/* Modules that an object declares, in a skeleton. */
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_sections.skel.h"

/* Both modules are loaded, or none of them is. */
static void check_loaded(bool loaded)
{
	ASSERT_EQ(bm_find("bm_first") > 0, loaded, "bm_first listed");
	ASSERT_EQ(bm_find("bm-second.x") > 0, loaded, "bm-second.x listed");
	ASSERT_EQ(bm_tcp_has("bm_first_a"), loaded, "bm_first_a registered");
	ASSERT_EQ(bm_tcp_has("bm_first_b"), loaded, "bm_first_b registered");
	ASSERT_EQ(bm_tcp_has("bm_second_a"), loaded, "bm_second_a registered");
}

static void test_attach(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open_and_load();

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	ASSERT_STREQ(bpf_module__name(skel->modules.bm_first), "bm_first", "name");
	ASSERT_STREQ(bpf_module__name(skel->modules.bm_second_x), "bm-second.x", "name");
	check_loaded(false);

	ASSERT_OK(bpf_module_sections__attach(skel), "attach");
	ASSERT_OK_PTR(skel->links.bm_first, "link");
	ASSERT_OK_PTR(skel->links.bm_second_x, "link");
	check_loaded(true);
	ASSERT_FALSE(bm_tcp_has("bm_second_b"), "optional op registered");

	bpf_module_sections__detach(skel);
	ASSERT_NULL(skel->links.bm_first, "link");
	check_loaded(false);
	bpf_module_sections__destroy(skel);
}

static void test_optional(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();
	struct bpf_map *second_b;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	second_b = skel->maps.second_b_of_a_name_that_is_longer_than_the_63_characters_of_an_op;
	ASSERT_EQ(bpf_map__module(second_b), skel->modules.bm_second_x, "module");
	ASSERT_FALSE(bpf_map__autocreate(second_b), "autocreate");
	bpf_map__set_autocreate(second_b, true);
	bpf_map__set_autocreate(skel->maps.second_a, false);
	if (ASSERT_OK(bpf_module_sections__load(skel), "load") &&
	    ASSERT_OK(bpf_module_sections__attach(skel), "attach")) {
		ASSERT_TRUE(bm_tcp_has("bm_second_b"), "chosen op registered");
		ASSERT_FALSE(bm_tcp_has("bm_second_a"), "other op registered");
	}
	bpf_module_sections__destroy(skel);
}

/* A module with no chosen op is skipped. */
static void test_no_op_chosen(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_map__set_autocreate(skel->maps.second_a, false);
	if (ASSERT_OK(bpf_module_sections__load(skel), "load") &&
	    ASSERT_OK(bpf_module_sections__attach(skel), "attach")) {
		ASSERT_GT(bm_find("bm_first"), 0, "bm_first listed");
		ASSERT_NULL(skel->links.bm_second_x, "link");
		ASSERT_NULL(bpf_module__attach(skel->modules.bm_second_x), "attach by hand");
	}
	bpf_module_sections__destroy(skel);
}

/* The ops of a module that is left out are not maps, and their programs are not
 * loaded.
 */
static void test_left_out(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_TRUE(bpf_module__autocreate(skel->modules.bm_second_x), "autocreate");
	ASSERT_OK(bpf_module__set_autocreate(skel->modules.bm_second_x, false), "set_autocreate");
	if (ASSERT_OK(bpf_module_sections__load(skel), "load") &&
	    ASSERT_OK(bpf_module_sections__attach(skel), "attach")) {
		ASSERT_GT(bm_find("bm_first"), 0, "bm_first listed");
		ASSERT_EQ(bm_find("bm-second.x"), 0, "bm-second.x listed");
		ASSERT_LT(bpf_program__fd(skel->progs.second_ssthresh), 0, "its program");
		ASSERT_GE(bpf_program__fd(skel->progs.first_ssthresh), 0, "other program");
		ASSERT_NULL(bpf_module__attach(skel->modules.bm_second_x), "attach by hand");
	}
	bpf_module_sections__destroy(skel);
}

/* The second module is refused: nothing of the first stays, unless it was attached
 * before.
 */
static void check_undo(bool own_link)
{
	struct bpf_module_sections *skel = NULL;
	struct bpf_link *link = NULL;
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, "bm-second.x", "bm_other");
	if (fd < 0)
		return;
	skel = bpf_module_sections__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		goto out;
	if (own_link) {
		link = bpf_module__attach(skel->modules.bm_first);
		ASSERT_OK_PTR(link, "attach by hand");
		skel->links.bm_first = link;
	}

	ASSERT_EQ(bpf_module_sections__attach(skel), -EEXIST, "attach");
	ASSERT_EQ(skel->links.bm_first, link, "link");
	ASSERT_NULL(skel->links.bm_second_x, "link");
	ASSERT_EQ(bm_find("bm_first") > 0, own_link, "bm_first listed");
	ASSERT_EQ(bm_tcp_has("bm_first_a"), own_link, "bm_first_a registered");
out:
	bpf_module_sections__destroy(skel);
	bm_cc_cleanup(&cc, fd);
}

/* A module with no loaded op does not need its name. */
static void test_name_left_out(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_map__set_autocreate(skel->maps.second_a, false);
	ASSERT_OK(bpf_module__set_name(skel->modules.bm_first, "bm-second.x"), "set_name");
	if (ASSERT_OK(bpf_module_sections__load(skel), "load") &&
	    ASSERT_OK(bpf_module_sections__attach(skel), "attach")) {
		ASSERT_GT(bm_find("bm-second.x"), 0, "listed");
		ASSERT_TRUE(bm_tcp_has("bm_first_a"), "registered");
	}
	bpf_module_sections__destroy(skel);
}

/* Which ops are loaded is known when the object is: then the names must differ. */
static void test_names_equal(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_map__set_autocreate(skel->maps.second_a, false);
	ASSERT_OK(bpf_module__set_name(skel->modules.bm_first, "bm-second.x"), "set_name");
	bpf_map__set_autocreate(skel->maps.second_a, true);
	ASSERT_EQ(bpf_module_sections__load(skel), -EEXIST, "load");
	bpf_module_sections__destroy(skel);
}

static void test_names(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();
	struct bpf_module *first, *second;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	first = skel->modules.bm_first;
	second = skel->modules.bm_second_x;
	ASSERT_EQ(bpf_object__next_module(skel->obj, NULL), first, "first module");
	ASSERT_EQ(bpf_object__next_module(skel->obj, first), second, "second module");
	ASSERT_NULL(bpf_object__next_module(skel->obj, second), "third module");
	ASSERT_EQ(bpf_object__find_module_by_name(skel->obj, "bm-second.x"), second, "find");
	ASSERT_EQ(bpf_module__set_name(second, "bm_first"), -EEXIST, "name of the other one");
	ASSERT_OK(bpf_module__set_name(second, "bm_renamed"), "set_name");
	if (ASSERT_OK(bpf_module_sections__load(skel), "load") &&
	    ASSERT_OK(bpf_module_sections__attach(skel), "attach"))
		ASSERT_GT(bm_find("bm_renamed"), 0, "listed");
	bpf_module_sections__destroy(skel);
}

/* Ops of a module are not attached as maps. */
static void test_no_map(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open_and_load();

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	ASSERT_NULL(bpf_map__attach_struct_ops(skel->maps.first_a), "attach as a map");
	ASSERT_EQ(errno, EINVAL, "errno");
	ASSERT_FALSE(bm_tcp_has("bm_first_a"), "registered");
	bpf_module_sections__destroy(skel);
}

static void test_shadow_type(void)
{
	struct bpf_module_sections *skel = bpf_module_sections__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	/* other programs, and a required one removed */
	skel->struct_ops.first_a->cong_avoid = skel->progs.second_cong_avoid;
	skel->struct_ops.first_b->ssthresh = NULL;
	bpf_map__set_autocreate(skel->maps.second_a, false);
	if (ASSERT_OK(bpf_module_sections__load(skel), "load")) {
		ASSERT_GE(bpf_program__fd(skel->progs.second_cong_avoid), 0, "its program");
		ASSERT_EQ(bpf_module_sections__attach(skel), -EINVAL, "attach");
		ASSERT_FALSE(bm_tcp_has("bm_first_a"), "registered");
	}
	bpf_module_sections__destroy(skel);
}

void serial_test_bpf_module_sections(void)
{
	int netns = bm_netns_enter();

	if (test__start_subtest("attach"))
		test_attach();
	if (test__start_subtest("optional"))
		test_optional();
	if (test__start_subtest("no_op_chosen"))
		test_no_op_chosen();
	if (test__start_subtest("left_out"))
		test_left_out();
	if (test__start_subtest("undo"))
		check_undo(false);
	if (test__start_subtest("undo_keeps_own_link"))
		check_undo(true);
	if (test__start_subtest("name_left_out"))
		test_name_left_out();
	if (test__start_subtest("names_equal"))
		test_names_equal();
	if (test__start_subtest("names"))
		test_names();
	if (test__start_subtest("no_map"))
		test_no_map();
	if (test__start_subtest("shadow_type"))
		test_shadow_type();
	bm_netns_leave(netns);
}
