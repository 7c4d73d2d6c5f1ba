// SPDX-License-Identifier: GPL-2.0
/*
 * A loader is stuck where the kernel reads its memory, or writes the log: by then
 * everything has been undone, and others can do what they like.
 */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_page.h"
#include "bpf_module_syscall.h"
#include "bpf_module_task.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"

/* A loader that gets stuck. */
struct stuck {
	struct bm_cc cc;
	struct bm_cc old;
	struct bm_type errno_type;
	int old_fd;		/* that it wants to replace, -1 for none */
	union bpf_attr attr;
	struct bm_page page;
	const void *data;	/* that is to be in the page */
	size_t len;
};

static void *load(void *arg)
{
	struct stuck *stuck = arg;

	return (void *)(long)bm_sys_bpf(BPF_MODULE_LOAD, &stuck->attr, sizeof(stuck->attr));
}

/* The log of the loader is written to the page. */
static void at_log(struct stuck *stuck)
{
	stuck->attr.module_load.log_buf = ptr_to_u64(stuck->page.addr);
	stuck->attr.module_load.log_size = stuck->page.size;
}

static void at_name(struct stuck *stuck)
{
	static const char name[] = "bm_stuck";

	stuck->attr.module_load.name = ptr_to_u64(stuck->page.addr);
	stuck->data = name;
	stuck->len = sizeof(name);
}

static void at_ops(struct stuck *stuck)
{
	stuck->attr.module_load.ops = ptr_to_u64(stuck->page.addr);
	stuck->data = stuck->cc.ops;
	stuck->len = stuck->cc.ops_cnt * sizeof(stuck->cc.ops[0]);
}

static void at_value(struct stuck *stuck)
{
	stuck->cc.ops[0].value = ptr_to_u64(stuck->page.addr);
	stuck->data = stuck->cc.value[0];
	stuck->len = stuck->cc.type.size;
}

static void at_op_name(struct stuck *stuck)
{
	static const char name[] = "bm_a";

	stuck->cc.ops[0].name = ptr_to_u64(stuck->page.addr);
	stuck->data = name;
	stuck->len = sizeof(name);
}

/*
 * What others do. Each runs in a thread, since it may get stuck, too, and returns
 * what went wrong, NULL for nothing.
 */
static void *load_the_same(void *arg)
{
	struct stuck *stuck = arg;
	int fd;

	if (bm_tcp_has("bm_a"))
		return "the first op is registered";
	stuck->cc.ops_cnt = 1;
	fd = bm_cc_load(&stuck->cc, "bm_stuck");
	if (fd < 0)
		return "load";
	if (bpf_module_unload(fd, NULL))
		return "unload";
	close(fd);
	return NULL;
}

static void *use_the_old(void *arg)
{
	struct stuck *stuck = arg;
	int err, sock = bm_socket(AF_INET, "bm_a");

	if (sock < 0)
		return "socket";
	if (bm_users(stuck->old_fd) != 1)
		return "users of the old one";
	err = bpf_module_unload(stuck->old_fd, NULL);
	close(sock);
	if (err != -EBUSY)
		return "unload with a user";
	if (bpf_module_unload(stuck->old_fd, NULL))
		return "unload";
	return bm_tcp_has("bm_a") ? "registered" : NULL;
}

static void *unload_the_old(void *arg)
{
	struct stuck *stuck = arg;
	struct bm_cc cc;
	int fd;

	if (bpf_module_unload(stuck->old_fd, NULL))
		return "unload";
	if (!bm_cc_open(&cc))
		return "open";
	bm_cc_add(&cc, "bm_other");
	fd = bm_cc_load(&cc, "bm_other");
	if (fd < 0 || bpf_module_unload(fd, NULL))
		return "load and unload another";
	bm_cc_cleanup(&cc, fd);
	return NULL;
}

/* Starts the loader, then runs @fn, which must end, and returns what LOAD returned. */
static long run(struct stuck *stuck, void *(*fn)(void *arg))
{
	struct bm_task loader, other;
	const char *wrong;
	bool ended;

	stuck->attr.module_load.ops_cnt = stuck->cc.ops_cnt;
	stuck->attr.module_load.ops_size = sizeof(stuck->cc.ops[0]);
	if (!bm_task_start(&loader, load, stuck))
		return 0;
	if (!ASSERT_TRUE(bm_page_reached(&stuck->page), "the loader is stuck") ||
	    !bm_task_start(&other, fn, stuck)) {
		bm_page_release(&stuck->page, stuck->data, stuck->len);
		return (long)bm_task_join(&loader);
	}
	ended = bm_task_ends(&other);
	bm_page_release(&stuck->page, stuck->data, stuck->len);
	wrong = bm_task_join(&other);
	if (!ended || wrong)
		PRINT_FAIL("a loader is stuck: %s\n", ended ? wrong : "so are others");
	return (long)bm_task_join(&loader);
}

static bool stuck_open(struct stuck *stuck)
{
	memset(stuck, 0, sizeof(*stuck));
	stuck->old_fd = -1;
	if (!bm_page_open(&stuck->page))
		return false;
	if (bm_cc_open(&stuck->cc)) {
		bm_cc_add(&stuck->cc, "bm_a");
		stuck->attr.module_load.name = ptr_to_u64("bm_stuck");
		stuck->attr.module_load.ops = ptr_to_u64(stuck->cc.ops);
		return true;
	}
	bm_page_close(&stuck->page);
	return false;
}

static void stuck_close(struct stuck *stuck)
{
	bm_cc_close(&stuck->cc);
	bm_page_close(&stuck->page);
}

/* The second op is refused. */
static void test_refused(void)
{
	static struct stuck stuck;

	if (!stuck_open(&stuck))
		return;
	bm_cc_add(&stuck.cc, "reno");
	at_log(&stuck);
	ASSERT_EQ(run(&stuck, load_the_same), -EEXIST, "load");
	ASSERT_HAS_SUBSTR((char *)stuck.page.addr, "op reno (tcp_congestion_ops)", "log");
	stuck_close(&stuck);
}

static bool old_load(struct stuck *stuck)
{
	if (!bm_cc_open(&stuck->old))
		return false;
	bm_cc_add(&stuck->old, "bm_a");
	if (stuck->errno_type.id)
		bm_add(&stuck->old, &stuck->errno_type, "bm_b");
	stuck->old_fd = bm_cc_load(&stuck->old, "bm_stuck");
	if (ASSERT_OK_FD(stuck->old_fd, "load the old one")) {
		stuck->attr.module_load.replace_fd = stuck->old_fd;
		stuck->attr.module_load.flags = BPF_F_MODULE_REPLACE;
		return true;
	}
	bm_cc_close(&stuck->old);
	return false;
}

/* The first op is switched, and back again as the second one is refused. */
static void test_replacement_refused(void)
{
	static struct stuck stuck;
	long ret;

	if (!stuck_open(&stuck))
		return;
	if (!bm_type_open(&stuck.errno_type, "bpf_testmod", "bpf_testmod_errno_ops"))
		goto out;
	if (!old_load(&stuck))
		goto out_type;
	bm_add(&stuck.cc, &stuck.errno_type, "bm_b");
	*(int *)bm_field(&stuck.errno_type, stuck.cc.value[1], "update_ret") = -ENODEV;
	at_log(&stuck);
	ret = run(&stuck, use_the_old);
	ASSERT_EQ(ret, -ENODEV, "replace");
	ASSERT_HAS_SUBSTR((char *)stuck.page.addr, "op bm_b (bpf_testmod_errno_ops)", "log");
	bm_cc_cleanup(&stuck.old, stuck.old_fd);
out_type:
	bm_type_close(&stuck.errno_type);
out:
	stuck_close(&stuck);
}

static const struct {
	const char *name;
	void (*set)(struct stuck *stuck);
} places[] = {
	{ "replacement_at_name", at_name },
	{ "replacement_at_ops", at_ops },
	{ "replacement_at_value", at_value },
	{ "replacement_at_op_name", at_op_name },
};

/* What the loader has found out by then is no longer true. */
static void test_replacement_at(int i)
{
	static struct stuck stuck;

	if (!stuck_open(&stuck))
		return;
	if (old_load(&stuck)) {
		places[i].set(&stuck);
		ASSERT_EQ(run(&stuck, unload_the_old), -ENOENT, "replace");
		bm_cc_cleanup(&stuck.old, stuck.old_fd);
	}
	stuck_close(&stuck);
}

void serial_test_bpf_module_loader(void)
{
	int i, netns = bm_netns_enter();

	if (test__start_subtest("refused"))
		test_refused();
	if (env.has_testmod && test__start_subtest("replacement_refused"))
		test_replacement_refused();
	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (test__start_subtest(places[i].name))
			test_replacement_at(i);
	bm_netns_leave(netns);
}
