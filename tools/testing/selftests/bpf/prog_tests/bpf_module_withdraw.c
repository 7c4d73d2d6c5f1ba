// SPDX-License-Identifier: GPL-2.0
/* A subsystem withdraws an op by itself: an error, or an unplugged device. */
#include <linux/bpf_module.h>
#include <linux/hidraw.h>
#include <poll.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_hid.h"
#include "bpf_module_info.h"
#include "bpf_module_page.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_hid.skel.h"
#include "bpf_module_scx.skel.h"

#define BM_RELOADS	10

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

/* Waits until it is detached; its name stays taken until UNLOAD. */
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
		ASSERT_TRUE(bm_scx_off(), "scheduler is off");
	}
}

/* When it shows as withdrawn, it is off: the next one can come at once. */
static int scx_reload(struct fixture *f, int fd)
{
	f->scx->bss->withdrawals = 0;
	f->scx->bss->go_on = 0;
	f->scx->bss->fail_with = 40;
	ASSERT_TRUE(bm_wait(f->scx->bss->withdrawals), "it is being withdrawn");
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");
	f->scx->bss->go_on = 1;
	ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "poll");
	check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, "told to fail with 40");
	f->scx->bss->fail_with = 0;
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
	return bm_cc_load(&f->cc, "bm_scx");
}

static void test_scx_reload(struct fixture *f)
{
	struct bpf_link *link;
	int i, fd;

	link = bpf_program__attach(f->scx->progs.scx_withdraw);
	ASSERT_OK_PTR(link, "attach");
	add_scx(f);
	fd = bm_cc_load(&f->cc, "bm_scx");
	for (i = 0; i < BM_RELOADS && ASSERT_OK_FD(fd, "load"); i++)
		fd = scx_reload(f, fd);
	ASSERT_EQ(i, BM_RELOADS, "reloads");
	if (fd >= 0) {
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_TRUE(bm_scx_off(), "scheduler is off after unload");
		close(fd);
	}
	bpf_link__destroy(link);
}

/* The reason for refusing the scheduler comes after reg() has returned 0. */
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

/* Unloading a detached module does not touch a scheduler that came since. */
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
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");
	check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, "disabled by sysrq-S");

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

/* Registers a scheduler for tasks that ask for it by a map and its link. */
static struct bpf_link *scx_attach(struct bpf_module_scx **skel)
{
	struct bpf_link *link;

	*skel = bpf_module_scx__open();
	if (!ASSERT_OK_PTR(*skel, "open"))
		return NULL;
	(*skel)->struct_ops.scx->flags = BM_SCX_PARTIAL;
	if (!ASSERT_OK(bpf_module_scx__load(*skel), "load"))
		return NULL;
	link = bpf_map__attach_struct_ops((*skel)->maps.scx);
	ASSERT_OK_PTR(link, "attach");
	ASSERT_TRUE(bm_scx_enabled(), "scheduler is on");
	return link;
}

/* Nor does closing the link of a map whose scheduler has failed. */
static void test_scx_next_map(struct fixture *f)
{
	struct bpf_module_scx *first_skel = NULL, *next_skel = NULL;
	struct bpf_link *first, *next;

	first = scx_attach(&first_skel);
	bm_scx_sysrq();
	ASSERT_TRUE(bm_wait(bm_scx_off()), "the first is off");
	next = scx_attach(&next_skel);
	ASSERT_OK(bpf_link__destroy(first), "detach the first");
	ASSERT_TRUE(bm_scx_enabled(), "the next is on");
	ASSERT_OK(bpf_link__destroy(next), "detach the next");
	ASSERT_TRUE(bm_scx_off(), "scheduler is off at the end");
	bpf_module_scx__destroy(next_skel);
	bpf_module_scx__destroy(first_skel);
}

/* A bound module ends with its handles, detached or not. */
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

struct task {
	pthread_t thread;
	int (*run)(void *arg);
	void *arg;
	pid_t tid;
	int ret;
	bool started;
	bool ended;
};

static void *task_run(void *arg)
{
	struct task *task = arg;

	__atomic_store_n(&task->tid, sys_gettid(), __ATOMIC_RELEASE);
	task->ret = task->run(task->arg);
	__atomic_store_n(&task->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool task_ended(struct task *task)
{
	return __atomic_load_n(&task->ended, __ATOMIC_ACQUIRE);
}

static void task_start(struct task *task, int (*run)(void *arg), void *arg)
{
	memset(task, 0, sizeof(*task));
	task->run = run;
	task->arg = arg;
	task->started = ASSERT_OK(pthread_create(&task->thread, NULL, task_run, task), "thread");
}

static int task_join(struct task *task)
{
	if (!task->started)
		return -ESRCH;
	pthread_join(task->thread, NULL);
	return task->ret;
}

/* It waits for something in the kernel that no signal would end. */
static bool task_waits(struct task *task)
{
	pid_t tid = __atomic_load_n(&task->tid, __ATOMIC_ACQUIRE);
	char path[64], buf[256], *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	if (!tid || !bm_read_line(path, buf, sizeof(buf)))
		return false;
	state = strrchr(buf, ')');
	return state && state[1] == ' ' && state[2] == 'D';
}

static int hid_ask(void *arg)
{
	struct bm_uhid *dev = arg;
	__u8 buf[2] = {};

	return ioctl(dev->raw, HIDIOCGFEATURE(sizeof(buf)), buf) < 0 ? -errno : 0;
}

static int hid_write_driver(const struct bm_uhid *dev, const char *path)
{
	int ret, fd = open(path, O_WRONLY | O_CLOEXEC);

	ret = write(fd, dev->name, strlen(dev->name)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* The driver releases the device and probes it again, which reads the descriptor. */
static int hid_bind(void *arg)
{
	int err;

	err = hid_write_driver(arg, "/sys/bus/hid/drivers/hid-generic/unbind");
	return err ?: hid_write_driver(arg, "/sys/bus/hid/drivers/hid-generic/bind");
}

static int hid_unplug(void *arg)
{
	struct bm_uhid *dev = arg;

	close(dev->fd);
	dev->fd = -1;
	return 0;
}

/*
 * The device is removed while @run has it call the program of module @fd, which is
 * kept there: the op is not withdrawn before the program has returned.
 */
static void check_unplug_busy(struct fixture *f, int fd, struct bm_uhid *dev,
			      int (*run)(void *arg))
{
	struct task calls, unplugs;
	struct bm_page page;
	int returns;

	if (!bm_page_open(&page))
		return;
	returns = f->hid->bss->returns;
	f->hid->bss->stuck_page = ptr_to_u64(page.addr);
	task_start(&calls, run, dev);
	ASSERT_TRUE(bm_page_reached(&page), "somebody waits");
	f->hid->bss->stuck_page = 0;
	task_start(&unplugs, hid_unplug, dev);
	ASSERT_TRUE(bm_wait(task_ended(&unplugs) || task_waits(&unplugs)), "unplug waits");
	ASSERT_EQ(bm_revents(fd, 0), 0, "poll while the program runs");
	check_op(fd, 0, BPF_MODULE_OPS_REGISTERED, "");

	bm_page_release(&page, NULL, 0);
	ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "poll");
	ASSERT_EQ(f->hid->bss->returns, returns + 1, "the program has returned");
	check_op(fd, 0, BPF_MODULE_OPS_WITHDRAWN, "the device is gone");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	task_join(&unplugs);
	task_join(&calls);
	bm_page_close(&page);
}

static void test_unplug_busy(struct fixture *f, const char *member, struct bpf_program *prog,
			     int (*run)(void *arg))
{
	struct bm_uhid dev;
	int fd, returns;

	if (!bm_uhid_plug_in(&dev))
		return;
	bm_set_prog(&f->hid_type, add_hid(f, "bm_hid", &dev), member, bpf_program__fd(prog));
	fd = bm_cc_load(&f->cc, "bm_hid");
	if (ASSERT_OK_FD(fd, "load")) {
		returns = f->hid->bss->returns;
		run(&dev);
		/* Linux 7.3 keeps the report descriptor that a program has made once */
		if (f->hid->bss->returns == returns)
			test__skip();
		else
			check_unplug_busy(f, fd, &dev, run);
		close(fd);
	}
	bm_uhid_unplug(&dev);
}

static void test_hid_unplug_request(struct fixture *f)
{
	test_unplug_busy(f, "hid_hw_request", f->hid->progs.hid_request, hid_ask);
}

static void test_hid_unplug_fixup(struct fixture *f)
{
	test_unplug_busy(f, "hid_rdesc_fixup", f->hid->progs.hid_fixup, hid_bind);
}

/* It processes the reports as long as it is loaded, and no longer. */
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
	static const char * const log[] = {
		"op bm_hid (hid_bpf_ops): hid_id 32767: no such HID device",
	};
	struct bm_uhid dev = { .hid_id = 0x7fff };
	int fd;

	bm_cc_add(&f->cc, "bm_before");
	add_hid(f, "bm_hid", &dev);
	fd = bm_cc_load(&f->cc, "bm_hid");
	ASSERT_EQ(fd, -EINVAL, "load");
	bm_check_log(&f->cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_before"), "registered");
}

/* A device has one fixup, and the subsystem itself says so. */
static void test_hid_fixup_taken(struct fixture *f)
{
	const char *log[1];
	struct bm_uhid dev;
	char line[128];
	void *value;
	int fd;

	if (!bm_uhid_plug_in(&dev))
		return;
	value = add_hid(f, "bm_hid", &dev);
	bm_set_prog(&f->hid_type, value, "hid_rdesc_fixup",
		    bpf_program__fd(f->hid->progs.hid_fixup));
	fd = bm_cc_load(&f->cc, "bm_hid");
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;

	f->cc.ops_cnt = 0;
	value = bm_hid_add(&f->cc, &f->hid_type, "bm_hid2", dev.hid_id, -1);
	f->cc.extra_fd = bm_prog_load(&f->hid_type, "hid_rdesc_fixup", "bm_fixup", 0);
	bm_set_prog(&f->hid_type, value, "hid_rdesc_fixup", f->cc.extra_fd);
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_hid2"), -EINVAL, "load a second fixup");
	snprintf(line, sizeof(line),
		 "op bm_hid2 (hid_bpf_ops): hid_id %d: the device has a hid_rdesc_fixup",
		 dev.hid_id);
	log[0] = line;
	bm_check_log(&f->cc, log, ARRAY_SIZE(log));
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
out:
	bm_uhid_unplug(&dev);
}

/* Of two devices, both have to be removed before the module has nothing left. */
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

/* The other op of the module stays in use; with users, unloading is refused as usual. */
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
	{ "scx_reload", test_scx_reload },
	{ "scx_init_fails", test_scx_init_fails },
	{ "scx_next", test_scx_next },
	{ "scx_next_map", test_scx_next_map },
	{ "scx_bound", test_scx_bound },
	{ "hid_unplug", test_hid_unplug },
	{ "hid_unplug_request", test_hid_unplug_request },
	{ "hid_unplug_fixup", test_hid_unplug_fixup },
	{ "hid_unload", test_hid_unload },
	{ "hid_no_device", test_hid_no_device },
	{ "hid_fixup_taken", test_hid_fixup_taken },
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

static struct bpf_module_scx *scx_open_and_load(void)
{
	struct bpf_module_scx *skel = bpf_module_scx__open();

	if (!skel)
		return NULL;
	bpf_program__set_autoload(skel->progs.scx_withdraw, true);
	if (!bpf_module_scx__load(skel))
		return skel;
	bpf_module_scx__destroy(skel);
	return NULL;
}

void serial_test_bpf_module_withdraw(void)
{
	struct fixture f = {};
	int i;

	f.scx = scx_open_and_load();
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
