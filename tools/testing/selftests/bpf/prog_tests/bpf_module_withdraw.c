// SPDX-License-Identifier: GPL-2.0
/* A subsystem takes an op away by itself: an error, or a device unplugged. */
#include "bpf_module_kinds.h"
#include "bpf_module_hid.skel.h"
#include "bpf_module_scx.skel.h"

/* What all tests share; no module is loaded yet. */
struct fixture {
	struct bpf_module_scx *scx;
	struct bpf_module_hid *hid;
	struct bm_type scx_type;
	struct bm_type hid_type;
	struct bm_cc cc;
};

/* Adds the scheduler of the object: of all tasks. */
static void add_scx(struct fixture *f)
{
	void *value = f->cc.value[f->cc.ops_cnt];

	bm_scx_add(&f->cc, &f->scx_type, "bm_scx", bpf_program__fd(f->scx->progs.scx_init));
	bm_set_prog(&f->scx_type, value, "enqueue", bpf_program__fd(f->scx->progs.scx_enqueue));
	*(__u64 *)bm_field(&f->scx_type, value, "flags") = 0;
}

static void *add_hid(struct fixture *f, const char *name, const struct bm_uhid *dev)
{
	return bm_hid_add(&f->cc, &f->hid_type, name, dev->hid_id,
			  bpf_program__fd(f->hid->progs.hid_event));
}

static void check_op(int fd, int i, __u32 state, const char *reason)
{
	struct bpf_module_ops_info ops[3];

	ASSERT_OK(bm_ops_info(fd, ops, ARRAY_SIZE(ops)), "info of ops");
	ASSERT_EQ(ops[i].state, state, "state of the op");
	ASSERT_HAS_SUBSTR(ops[i].reason, reason, "reason");
	if (state != BPF_MODULE_OPS_WITHDRAWN)
		ASSERT_STREQ(ops[i].reason, "", "no reason");
}

/* Waits until it is detached; its name stays taken, and UNLOAD ends it. */
static void check_detached(struct fixture *f, int fd, const char *name, const char *reason)
{
	ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "poll");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_DETACHED, "state");
	check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, reason);
	ASSERT_GT(bm_find(name), 0, "listed");
	ASSERT_EQ(bm_cc_load(&f->cc, name), -EEXIST, "load with its name");
	check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, reason);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state after unload");
	ASSERT_EQ(bm_find(name), 0, "listed after unload");
}

static void test_scx_error(struct fixture *f)
{
	__u64 enqueued;
	int i, fd;

	for (i = 0; i < 2; i++) {
		f->cc.ops_cnt = 0;
		add_scx(f);
		fd = bm_cc_load(&f->cc, "bm_scx");
		if (!ASSERT_OK_FD(fd, "load"))
			return;
		ASSERT_TRUE(bm_scx_enabled(), "scheduler is on");
		enqueued = f->scx->bss->enqueued;
		ASSERT_TRUE(bm_wait(f->scx->bss->enqueued > enqueued + 10), "it schedules");
		check_op(fd, 0, BPF_MODULE_OPS_REGISTERED, "");
		f->scx->bss->fail_with = 40 + i;
		check_detached(f, fd, "bm_scx", i ? "scx_bpf_error: told to fail with 41" :
			       "scx_bpf_error: told to fail with 40");
		f->scx->bss->fail_with = 0;
		close(fd);
		ASSERT_TRUE(bm_wait(bm_scx_off()), "scheduler is off");
	}
}

/* The reason that the scheduler is refused for comes after reg() has returned 0. */
static void test_scx_init_fails(struct fixture *f)
{
	static const char * const log[] = {
		"op bm_scx (sched_ext_ops)", "the subsystem withdrew it", "ops.init() failed (-19)",
	};
	int fd;

	f->cc.extra_fd = bm_prog_load(&f->scx_type, "init", "bm_init", -ENODEV);
	bm_cc_add(&f->cc, "bm_before");
	bm_scx_add(&f->cc, &f->scx_type, "bm_scx", f->cc.extra_fd);
	fd = bm_cc_load(&f->cc, "bm_scx");
	ASSERT_EQ(fd, -ECANCELED, "load");
	bm_check_log(&f->cc, log, ARRAY_SIZE(log));
	ASSERT_EQ(bm_find("bm_scx"), 0, "listed");
	ASSERT_FALSE(bm_tcp_has("bm_before"), "registered");
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");

	bm_set_prog(&f->scx_type, f->cc.value[1], "init",
		    bpf_program__fd(f->scx->progs.scx_init));
	fd = bm_cc_load(&f->cc, "bm_scx");
	if (ASSERT_OK_FD(fd, "load without the fault")) {
		ASSERT_TRUE(bm_scx_enabled(), "scheduler is on");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
	}
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");
}

/* Unloading what is detached does not touch the scheduler that came since. */
static void test_scx_next(struct fixture *f)
{
	int fd, next_fd, init;

	init = bm_prog_load(&f->scx_type, "init", "bm_init", 0);
	f->cc.extra_fd = bm_prog_load(&f->scx_type, "init", "bm_init", 0);
	bm_scx_add(&f->cc, &f->scx_type, "bm_scx", init);
	fd = bm_cc_load(&f->cc, "bm_scx");
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	bm_scx_sysrq();
	ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "poll");
	check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, "disabled by sysrq-S");
	ASSERT_TRUE(bm_wait(bm_scx_off()), "scheduler is off");

	f->cc.ops_cnt = 0;
	bm_scx_add(&f->cc, &f->scx_type, "bm_next", f->cc.extra_fd);
	next_fd = bm_cc_load(&f->cc, "bm_next");
	if (ASSERT_OK_FD(next_fd, "load the next")) {
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload the first");
		ASSERT_TRUE(bm_scx_enabled(), "the next is on");
		ASSERT_EQ(bm_state(next_fd), BPF_MODULE_STATE_LIVE, "state of the next");
		ASSERT_OK(bpf_module_unload(next_fd, NULL), "unload the next");
		close(next_fd);
	}
	ASSERT_TRUE(bm_scx_off(), "scheduler is off at the end");
	bm_drain(fd);
	close(fd);
out:
	close(init);
}

/* A bound module's end comes with its handles, detached or not. */
static void test_scx_bound(struct fixture *f)
{
	int fd;

	f->cc.extra_fd = bm_prog_load(&f->scx_type, "init", "bm_init", 0);
	bm_scx_add(&f->cc, &f->scx_type, "bm_scx", f->cc.extra_fd);
	fd = bm_cc_load_flags(&f->cc, "bm_scx", BPF_F_MODULE_BOUND, 0);
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	bm_scx_sysrq();
	ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "poll");
	ASSERT_GT(bm_find("bm_scx"), 0, "listed");
	close(fd);
	ASSERT_EQ(bm_find("bm_scx"), 0, "listed without handles");
}

static void test_hid_unplug(struct fixture *f)
{
	struct bm_uhid dev;
	int i, fd, fixups;
	void *value;

	for (i = 0; i < 2; i++) {
		if (!bm_uhid_plug_in(&dev))
			return;
		ASSERT_EQ(bm_uhid_report(&dev, 7), 0, "report as the device sends it");
		f->cc.ops_cnt = 0;
		value = add_hid(f, "bm_hid", &dev);
		bm_set_prog(&f->hid_type, value, "hid_rdesc_fixup",
			    bpf_program__fd(f->hid->progs.hid_fixup));
		fixups = f->hid->bss->fixups;
		fd = bm_cc_load(&f->cc, "bm_hid");
		if (ASSERT_OK_FD(fd, "load")) {
			/* the device is probed again, with the descriptor fixed up */
			ASSERT_TRUE(bm_wait(f->hid->bss->fixups > fixups), "fixups");
			ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
			check_op(fd, 0, BPF_MODULE_OPS_REGISTERED, "");
			bm_uhid_unplug(&dev);
			check_detached(f, fd, "bm_hid", "the device is gone");
			close(fd);
		}
		bm_uhid_unplug(&dev);
	}
}

/* It works on the reports as long as it is loaded, and no longer. */
static void test_hid_unload(struct fixture *f)
{
	struct bm_uhid dev;
	int i, fd;

	if (!bm_uhid_plug_in(&dev))
		return;
	add_hid(f, "bm_hid", &dev);
	for (i = 0; i < 2; i++) {
		fd = bm_cc_load(&f->cc, "bm_hid");
		if (!ASSERT_OK_FD(fd, "load"))
			break;
		ASSERT_EQ(bm_uhid_report(&dev, 7), 7 + 5, "report while it is loaded");
		ASSERT_EQ(bm_users(fd), 0, "users");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
		ASSERT_EQ(bm_uhid_report(&dev, 7), 0, "report after unload");
	}
	bm_uhid_unplug(&dev);
}

static void test_hid_no_device(struct fixture *f)
{
	static const char * const log[] = { "op bm_hid (hid_bpf_ops)", "the subsystem refused it" };
	struct bm_uhid dev = { .hid_id = 0x7fff };
	int fd;

	bm_cc_add(&f->cc, "bm_before");
	add_hid(f, "bm_hid", &dev);
	fd = bm_cc_load(&f->cc, "bm_hid");
	ASSERT_EQ(fd, -EINVAL, "load");
	bm_check_log(&f->cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_before"), "registered");
}

/* Of two devices both have to go before the module has nothing left. */
static void test_hid_two(struct fixture *f)
{
	struct bm_uhid dev, dev2;
	int fd;

	if (!bm_uhid_plug_in(&dev))
		return;
	if (!bm_uhid_plug_in(&dev2))
		goto out;
	add_hid(f, "bm_hid", &dev);
	add_hid(f, "bm_hid2", &dev2);
	fd = bm_cc_load(&f->cc, "bm_hid");
	if (ASSERT_OK_FD(fd, "load")) {
		bm_uhid_unplug(&dev2);
		check_op(fd, 1, BPF_MODULE_OPS_WITHDRAWN, "the device is gone");
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state with one withdrawn");
		ASSERT_EQ(bm_revents(fd, 0), 0, "poll with one withdrawn");
		check_op(fd, 0, BPF_MODULE_OPS_REGISTERED, "");
		ASSERT_EQ(bm_uhid_report(&dev, 1), 1 + 5, "report of the other");
		bm_uhid_unplug(&dev);
		check_detached(f, fd, "bm_hid", "the device is gone");
		close(fd);
	}
	bm_uhid_unplug(&dev2);
out:
	bm_uhid_unplug(&dev);
}

/* The other op of the module stays in use; with users it is refused as ever. */
static void test_mixed(struct fixture *f)
{
	struct bm_uhid dev;
	int fd, sock;

	if (!bm_uhid_plug_in(&dev))
		return;
	add_hid(f, "bm_hid", &dev);
	bm_cc_add(&f->cc, "bm_mixed");
	fd = bm_cc_load(&f->cc, "bm_mixed");
	if (ASSERT_OK_FD(fd, "load")) {
		bm_uhid_unplug(&dev);
		check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, "the device is gone");
		check_op(fd, 1, BPF_MODULE_OPS_REGISTERED, "");
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
		sock = bm_socket(AF_INET, "bm_mixed");
		ASSERT_EQ(bm_users(fd), 1, "users");
		ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload with a user");
		close(sock);
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_FALSE(bm_tcp_has("bm_mixed"), "registered");
		close(fd);
	}
	bm_uhid_unplug(&dev);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "scx_error", test_scx_error },
	{ "scx_init_fails", test_scx_init_fails },
	{ "scx_next", test_scx_next },
	{ "scx_bound", test_scx_bound },
	{ "hid_unplug", test_hid_unplug },
	{ "hid_unload", test_hid_unload },
	{ "hid_no_device", test_hid_no_device },
	{ "hid_two", test_hid_two },
	{ "mixed", test_mixed },
};

static void run_test(struct fixture *f, void (*run)(struct fixture *f))
{
	f->scx->bss->fail_with = 0;
	if (!bm_cc_open(&f->cc))
		return;
	run(f);
	bm_drain_name("bm_scx");
	bm_drain_name("bm_hid");
	bm_cc_close(&f->cc);
}

void serial_test_bpf_module_withdraw(void)
{
	struct fixture f = {};
	int i;

	f.scx = bpf_module_scx__open_and_load();
	f.hid = bpf_module_hid__open_and_load();
	if (!ASSERT_OK_PTR(f.scx, "scheduler") || !ASSERT_OK_PTR(f.hid, "hid") ||
	    !bm_type_open(&f.scx_type, NULL, "sched_ext_ops") ||
	    !bm_type_open(&f.hid_type, NULL, "hid_bpf_ops"))
		goto out;
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(&f, tests[i].run);
out:
	bm_type_close(&f.hid_type);
	bm_type_close(&f.scx_type);
	bpf_module_hid__destroy(f.hid);
	bpf_module_scx__destroy(f.scx);
}
