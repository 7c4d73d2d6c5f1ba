// SPDX-License-Identifier: GPL-2.0
/* A kernel module that provides an ops type counts users, and withdraws an op. */
#include <linux/bpf_module.h>
#include <poll.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_provider.skel.h"

/* The object as a module, loaded. */
struct provided {
	struct bpf_module_provider *skel;
	struct bpf_link *link;
	int fd;
};

/* What the kernel module returned for it, 0 or -errno. */
static int run(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), bpf_program__name(prog));
	return opts.retval;
}

/* Cleans up after a test that failed half way. */
static void provided_close(struct provided *p)
{
	if (p->link) {
		bm_drain(p->fd);
		run(p->skel->progs.unuse);
		bpf_link__destroy(p->link);
	}
	bpf_module_provider__destroy(p->skel);
}

static bool provided_load(struct provided *p, const char *name)
{
	struct bpf_module *mod;

	memset(p, 0, sizeof(*p));
	p->skel = bpf_module_provider__open();
	if (!ASSERT_OK_PTR(p->skel, "open"))
		return false;
	mod = bpf_object__next_module(p->skel->obj, NULL);
	if (!ASSERT_OK(bpf_module__set_autocreate(mod, true), "set_autocreate") ||
	    !ASSERT_OK(bpf_module__set_name(mod, name), "set_name") ||
	    !ASSERT_OK(bpf_module_provider__load(p->skel), "load"))
		goto err;
	p->link = bpf_module__attach(mod);
	if (!ASSERT_OK_PTR(p->link, "attach")) {
		p->link = NULL;
		goto err;
	}
	p->fd = bpf_module__fd(mod);
	return true;
err:
	provided_close(p);
	return false;
}

static void check_withdrawn(const struct provided *p, const char *reason)
{
	struct bpf_module_ops_info ops;

	ASSERT_EQ(bm_revents(p->fd, 0), POLLHUP, "poll");
	ASSERT_EQ(bm_state(p->fd), BPF_MODULE_STATE_DETACHED, "state");
	ASSERT_OK(bm_ops_info(p->fd, &ops, 1), "info of the op");
	ASSERT_EQ(ops.state, BPF_MODULE_OPS_WITHDRAWN, "state of the op");
	ASSERT_STREQ(ops.reason, reason, "reason");
}

static void test_user(void)
{
	struct provided p;

	if (!provided_load(&p, "bm_provided"))
		return;
	ASSERT_EQ(bm_users(p.fd), 0, "users at the start");
	ASSERT_OK(run(p.skel->progs.use), "use");
	ASSERT_EQ(bm_users(p.fd), 1, "users");
	ASSERT_EQ(bpf_module_unload(p.fd, NULL), -EBUSY, "unload with a user");
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK(run(p.skel->progs.unuse), "unuse");
	ASSERT_EQ(bm_users(p.fd), 0, "users at the end");
	ASSERT_OK(bpf_module_unload(p.fd, NULL), "unload");
	ASSERT_EQ(run(p.skel->progs.use), -ENOENT, "use after unload");
	provided_close(&p);
}

static void test_drain(void)
{
	struct provided p;

	if (!provided_load(&p, "bm_provided"))
		return;
	ASSERT_OK(run(p.skel->progs.use), "use");
	ASSERT_OK(bm_drain(p.fd), "drain");
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(bm_users(p.fd), 1, "users");
	ASSERT_EQ(bm_revents(p.fd, 0), 0, "poll");
	ASSERT_OK(run(p.skel->progs.unuse), "unuse");
	ASSERT_EQ(bm_revents(p.fd, 0), POLLHUP, "poll after the last user");
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GONE, "state after the last user");
	provided_close(&p);
}

static void test_withdraw(void)
{
	struct provided p, next;

	if (!provided_load(&p, "bm_provided"))
		return;
	ASSERT_EQ(bm_revents(p.fd, 0), 0, "poll");
	p.skel->bss->why = 17;
	ASSERT_OK(run(p.skel->progs.withdraw), "withdraw");
	check_withdrawn(&p, "a test asked for it, 17");
	ASSERT_EQ(run(p.skel->progs.withdraw), -ENOENT, "withdraw again");
	ASSERT_EQ(run(p.skel->progs.use), -ENOENT, "use");

	/* the place is free, and unloading the first does not take the next one's */
	if (provided_load(&next, "bm_next")) {
		ASSERT_OK(bpf_module_unload(p.fd, NULL), "unload");
		ASSERT_OK(run(p.skel->progs.use), "use the next");
		ASSERT_EQ(bm_users(next.fd), 1, "users of the next");
		ASSERT_OK(run(p.skel->progs.unuse), "unuse the next");
		provided_close(&next);
	}
	provided_close(&p);
}

/* The user of a struct keeps it, even after the subsystem has withdrawn it. */
static void test_withdraw_used(void)
{
	struct provided p;

	if (!provided_load(&p, "bm_provided"))
		return;
	ASSERT_OK(run(p.skel->progs.use), "use");
	ASSERT_OK(run(p.skel->progs.withdraw), "withdraw");
	check_withdrawn(&p, "a test asked for it, 0");
	ASSERT_EQ(bm_users(p.fd), 1, "users");
	ASSERT_EQ(bpf_module_unload(p.fd, NULL), -EBUSY, "unload with a user");
	ASSERT_OK(run(p.skel->progs.unuse), "unuse");
	ASSERT_OK(bpf_module_unload(p.fd, NULL), "unload");
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GONE, "state");
	provided_close(&p);
}

static bool map_exists(__u32 id)
{
	int fd = bpf_map_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A map has the same calls. It knows no withdrawal, and ends as usual. */
static void test_map(void)
{
	struct bpf_module_provider *skel = bpf_module_provider__open_and_load(), *user;
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	user = bpf_module_provider__open_and_load();
	if (!ASSERT_OK_PTR(user, "open and load the user"))
		goto out;
	ASSERT_OK(bpf_map_get_info_by_fd(bpf_map__fd(skel->maps.bm_st_ops), &info, &len), "info");
	link = bpf_map__attach_struct_ops(skel->maps.bm_st_ops);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	ASSERT_OK(run(user->progs.use), "use");
	ASSERT_OK(run(user->progs.withdraw), "withdraw");
	ASSERT_OK(bpf_link__destroy(link), "destroy the link");
	bpf_module_provider__destroy(skel);
	skel = NULL;
	ASSERT_TRUE(map_exists(info.id), "the map is there for its user");
	ASSERT_OK(run(user->progs.unuse), "unuse");
	ASSERT_TRUE(bm_wait(!map_exists(info.id)), "the map goes with its user");
out:
	bpf_module_provider__destroy(user);
	bpf_module_provider__destroy(skel);
}

/* A withdrawn op still has the kernel module's type, until it is unloaded. */
static void test_rmmod(void)
{
	struct provided p;
	int fd;

	if (!provided_load(&p, "bm_provided"))
		return;
	ASSERT_OK(run(p.skel->progs.withdraw), "withdraw");
	fd = dup(p.fd);
	bpf_link__disconnect(p.link);
	bpf_link__destroy(p.link);
	/* its programs call the kernel module, and so hold it */
	bpf_module_provider__destroy(p.skel);
	kern_sync_rcu();
	ASSERT_EQ(delete_module("bpf_testmod", O_NONBLOCK), -1, "delete_module while in use");
	ASSERT_EQ(errno, EAGAIN, "errno of delete_module");

	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_TRUE(bm_wait(!delete_module("bpf_testmod", O_NONBLOCK)), "delete_module");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	close(fd);
	ASSERT_OK(load_bpf_testmod(false), "load the kernel module again");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "user", test_user },
	{ "drain", test_drain },
	{ "withdraw", test_withdraw },
	{ "withdraw_used", test_withdraw_used },
	{ "map", test_map },
	{ "rmmod", test_rmmod },
};

void serial_test_bpf_module_provider(void)
{
	int i;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			tests[i].run();
}
