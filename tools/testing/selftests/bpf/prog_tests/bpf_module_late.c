// SPDX-License-Identifier: GPL-2.0
/*
 * A load fails after one of its ops got a user. The user keeps the op, and with it
 * its programs, which are free for another load when the user is gone. The op after
 * it waits until the user has come, and fails. The links are handed back at once, and
 * exit runs when the user is gone.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_page.h"
#include "bpf_module_task.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_late.skel.h"
#include "bpf_module_runs.skel.h"

struct late {
	struct bpf_module_late *skel;
	struct bm_type type;	/* bpf_testmod_errno_ops */
	struct bm_cc cc;
	struct bm_page page;
	int old_fd;		/* of the module to replace, -1 for none */
	int sock;		/* the user */
};

static void add_ops(struct late *late, struct bm_cc *cc, bool wait)
{
	bm_cc_add(cc, "bm_late");
	bm_add(cc, &late->type, "bm_second");
	if (wait)
		bm_set_prog(&late->type, cc->value[1], "test",
			    bpf_program__fd(late->skel->progs.late_test));
}

static int load(struct late *late)
{
	return late->old_fd >= 0 ? bm_cc_replace(&late->cc, late->old_fd) :
				   bm_cc_load(&late->cc, "bm_late");
}

static void *load_task(void *arg)
{
	return (void *)(long)load(arg);
}

/* Fails with -EDOM once the user has come. */
static bool load_fails(struct late *late)
{
	struct bm_task task;
	bool reached;

	late->skel->bss->ret = -EDOM;
	if (!bm_task_start(&task, load_task, late))
		return false;
	reached = bm_page_reached(&late->page);
	if (ASSERT_TRUE(reached, "the second op waits"))
		late->sock = bm_socket(AF_INET, "bm_late");
	ASSERT_OK_FD(late->sock, "the user has come");
	bm_page_release(&late->page, NULL, 0);
	return ASSERT_EQ((long)bm_task_join(&task), -EDOM, "load") && reached;
}

static void check_retry(struct late *late)
{
	static const char * const failed[] = { "op bm_second", "1 user", "gone" };
	static const char * const busy[] = { "op bm_late", "belongs to module bm_late",
					     "refused", "1 user" };
	bool ok;
	int fd;

	bm_check_log(&late->cc, failed, ARRAY_SIZE(failed));
	ASSERT_TRUE(bm_tcp_uses(late->sock, "bm_late"), "the user keeps what he has");

	late->skel->bss->ret = 0;
	fd = load(late);
	ASSERT_EQ(fd, -EBUSY, "retry");
	bm_check_log(&late->cc, busy, ARRAY_SIZE(busy));

	close(late->sock);
	late->sock = -1;
	ok = bm_wait((fd = load(late)) != -EBUSY);
	ASSERT_TRUE(ok, "the programs are free again");
	if (ASSERT_OK_FD(fd, "retry without the user")) {
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
	}
}

static void test_load(struct late *late)
{
	add_ops(late, &late->cc, true);
	if (load_fails(late)) {
		ASSERT_FALSE(bm_tcp_has("bm_late"), "registered");
		ASSERT_EQ(bm_find("bm_late"), 0, "listed");
		check_retry(late);
	}
}

/* Users of the new module stay there, all others have the old one. */
static void test_replace(struct late *late)
{
	struct bm_cc old;
	int sock;

	if (!bm_cc_open(&old))
		return;
	add_ops(late, &old, false);
	add_ops(late, &late->cc, true);
	late->old_fd = bm_cc_load(&old, "bm_late");
	if (ASSERT_OK_FD(late->old_fd, "load the old one") && load_fails(late)) {
		ASSERT_EQ(bm_state(late->old_fd), BPF_MODULE_STATE_LIVE, "state of the old one");
		ASSERT_EQ(bm_users(late->old_fd), 0, "users of the old one");
		sock = bm_socket(AF_INET, "bm_late");
		ASSERT_EQ(bm_users(late->old_fd), 1, "users that come now");
		close(sock);
		check_retry(late);
	}
	bm_cc_cleanup(&old, late->old_fd);
}

static struct bm_load with_exit;

static void *load_with_exit(void *arg)
{
	return (void *)(long)bm_load(&with_exit);
}

/* Fails with -EDOM once the user has come, which keeps exit from running. */
static void load_fails_with_exit(struct late *late, struct bpf_module_runs *runs)
{
	struct bm_task task;

	late->skel->bss->ret = -EDOM;
	if (!bm_task_start(&task, load_with_exit, NULL))
		return;
	ASSERT_TRUE(bm_page_reached(&late->page), "the second op waits");
	late->sock = bm_socket(AF_INET, "bm_late");
	ASSERT_OK_FD(late->sock, "the user has come");
	bm_page_release(&late->page, NULL, 0);
	ASSERT_EQ((long)bm_task_join(&task), -EDOM, "load");
	ASSERT_HAS_SUBSTR(with_exit.log, "1 user came in the meantime", "log");
	ASSERT_EQ(bm_find("bm_late"), 0, "listed");
	ASSERT_EQ(runs->bss->inits, 1, "runs of init");
	ASSERT_EQ(runs->bss->exits, 0, "runs of exit with a user");

	close(late->sock);
	late->sock = -1;
	ASSERT_TRUE(bm_wait(READ_ONCE(runs->bss->exit_ctx.reason)), "exit runs");
	ASSERT_EQ(runs->bss->exit_ctx.reason, BPF_MODULE_REASON_REFUSED, "reason");
}

static void test_exit(struct late *late)
{
	struct bpf_module_runs *runs = bpf_module_runs__open_and_load();
	int link_fd, fd = -1;
	bool ok;

	if (!ASSERT_OK_PTR(runs, "init and exit"))
		return;
	link_fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(runs->progs.run_fentry));
	add_ops(late, &late->cc, true);
	bm_load_init(&with_exit, "bm_late");
	bm_load_add(&with_exit, link_fd, 0);
	bm_load_ops(&with_exit, &late->cc);
	with_exit.attr.module_load.init_fd = bpf_program__fd(runs->progs.run_init);
	with_exit.attr.module_load.exit_fd = bpf_program__fd(runs->progs.run_exit);
	load_fails_with_exit(late, runs);
	ASSERT_EQ(bm_link_module(link_fd), 0, "link given back");

	late->skel->bss->ret = 0;
	ok = bm_wait((fd = bm_load(&with_exit)) != -EBUSY);
	ASSERT_TRUE(ok, "the programs are free again");
	ASSERT_OK_FD(fd, "load without the user");
	ASSERT_EQ(runs->bss->exits, 1, "runs of exit");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(runs->bss->exits, 2, "runs of exit after it was unloaded");
	bm_unload(&fd);
	close(link_fd);
	bpf_module_runs__destroy(runs);
}

static const struct {
	const char *name;
	void (*run)(struct late *late);
} tests[] = {
	{ "exit", test_exit },
	{ "load", test_load },
	{ "replace", test_replace },
};

static void run_test(void (*run)(struct late *late))
{
	static struct late late;

	late.old_fd = -1;
	late.sock = -1;
	late.skel = bpf_module_late__open_and_load();
	if (!ASSERT_OK_PTR(late.skel, "open and load") ||
	    !bm_type_open(&late.type, "bpf_testmod", "bpf_testmod_errno_ops"))
		goto out;
	if (!bm_page_open(&late.page))
		goto out_type;
	late.skel->bss->wait_for = late.page.addr;
	if (bm_cc_open(&late.cc)) {
		run(&late);
		bm_cc_close(&late.cc);
	}
	if (late.sock >= 0)
		close(late.sock);
	bm_page_close(&late.page);
out_type:
	bm_type_close(&late.type);
out:
	bpf_module_late__destroy(late.skel);
}

void serial_test_bpf_module_late(void)
{
	int i, netns;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	netns = bm_netns_enter();
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
	bm_netns_leave(netns);
}
