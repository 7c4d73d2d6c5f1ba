// SPDX-License-Identifier: GPL-2.0
/*
 * Two tasks at the same time, one of which loads, replaces or unloads a module that
 * has links: whatever comes first, a link belongs to one module or none, and nothing
 * is left.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_page.h"
#include "bpf_module_prog.h"
#include "bpf_module_task.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "cgroup_helpers.h"
#include "bpf_module_kinds.skel.h"
#include "bpf_module_late.skel.h"

#define NAME "bm_link_race"
#define CGROUP "/bm_link_race"
/* where the test is */
#define CGROUP_HERE "/bm_link_race_here"
#define DEVICE "bm_race0"
#define ROUNDS 20
#define LOADERS 4

static struct bpf_module_kinds *skel;

/* Who does something at the same time as others. */
struct rival {
	pthread_t thread;
	pthread_barrier_t *barrier;
	int (*fn)(int fd);
	int fd;
	int ret;
};

static void *rival_run(void *arg)
{
	struct rival *rival = arg;

	pthread_barrier_wait(rival->barrier);
	rival->ret = rival->fn(rival->fd);
	return NULL;
}

static void rivals_run(struct rival *rivals, int cnt)
{
	pthread_barrier_t barrier;
	int i;

	pthread_barrier_init(&barrier, NULL, cnt);
	for (i = 0; i < cnt; i++) {
		rivals[i].barrier = &barrier;
		if (pthread_create(&rivals[i].thread, NULL, rival_run, &rivals[i]))
			PRINT_FAIL("thread %d\n", i);
	}
	for (i = 0; i < cnt; i++)
		pthread_join(rivals[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static int unload(int fd)
{
	return bpf_module_unload(fd, NULL);
}

static int close_device(int fd)
{
	return close(fd);
}

/* The cgroup is removed, and takes its links off some time later. */
static int rm_cgroup(int fd)
{
	remove_cgroup(CGROUP);
	return 0;
}

static int load_link(int fd)
{
	static int cnt;
	char name[32];

	snprintf(name, sizeof(name), NAME "%d", __sync_fetch_and_add(&cnt, 1));
	return bm_load_link(name, fd);
}

static int update(int fd)
{
	return bpf_link_update(fd, bpf_program__fd(skel->progs.new_xdp_native), NULL);
}

/* Another program in place, for module @fd. */
static struct bm_load next;

static int replace(int fd)
{
	bm_load_over(&next, fd);
	return bm_load(&next);
}

/* A device that is there until its fd is closed. */
static int open_device(void)
{
	struct ifreq ifr = { .ifr_name = DEVICE, .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (ioctl(fd, TUNSETIFF, &ifr))
		PRINT_FAIL("device: %d\n", -errno);
	return fd;
}

/* A module with what is attached to a device, or to a cgroup. */
static int load_links(int links[2])
{
	struct bm_load load;

	bm_load_init(&load, NAME);
	bm_load_add_all(&load, links, 2);
	return bm_load(&load);
}

static int attach_device(int links[2], int *device_fd)
{
	int ifindex;

	*device_fd = open_device();
	ifindex = if_nametoindex(DEVICE);
	links[0] = bm_link_create(skel->progs.link_xdp_native, ifindex, 0);
	links[1] = bm_link_create(skel->progs.link_tcx_egress, ifindex, 0);
	return load_links(links);
}

static int attach_cgroup(int links[2])
{
	int fd = create_and_get_cgroup(CGROUP);

	links[0] = bm_link_create(skel->progs.link_cgroup_skb, fd, 0);
	links[1] = bm_link_create(skel->progs.link_lsm_cgroup, fd, 0);
	close(fd);
	return load_links(links);
}

/* Module @fd is gone, and its links, which nobody else has. */
static void check_gone(int *fd, const __u32 *ids)
{
	CHECK_FAIL(bm_state(*fd) != BPF_MODULE_STATE_GONE);
	CHECK_FAIL(bpf_link_get_fd_by_id(ids[0]) != -ENOENT);
	CHECK_FAIL(bpf_link_get_fd_by_id(ids[1]) != -ENOENT);
	bm_unload(fd);
}

static void close_links(int links[2], __u32 ids[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		ids[i] = bm_link_id(links[i]);
		close(links[i]);
	}
}

static void test_unload_device(void)
{
	int i, fd, device_fd, links[2];
	struct rival rivals[2];
	__u32 ids[2];

	for (i = 0; i < ROUNDS; i++) {
		fd = attach_device(links, &device_fd);
		close_links(links, ids);
		if (!ASSERT_OK_FD(fd, "load"))
			return;
		rivals[0] = (struct rival){ .fn = unload, .fd = fd };
		rivals[1] = (struct rival){ .fn = close_device, .fd = device_fd };
		rivals_run(rivals, 2);
		if (!ASSERT_OK(rivals[0].ret, "unload"))
			return;
		CHECK_FAIL(if_nametoindex(DEVICE));
		check_gone(&fd, ids);
	}
}

static void test_unload_cgroup(void)
{
	struct rival rivals[2];
	int i, fd, links[2];
	__u32 ids[2];

	for (i = 0; i < ROUNDS; i++) {
		fd = attach_cgroup(links);
		close_links(links, ids);
		if (!ASSERT_OK_FD(fd, "load"))
			return;
		rivals[0] = (struct rival){ .fn = unload, .fd = fd };
		rivals[1] = (struct rival){ .fn = rm_cgroup };
		rivals_run(rivals, 2);
		if (!ASSERT_OK(rivals[0].ret, "unload"))
			return;
		check_gone(&fd, ids);
	}
}

/* If many modules want one link, one gets it. */
static void test_one_link(void)
{
	struct rival rivals[LOADERS];
	int i, n, link_fd, won;

	for (i = 0; i < ROUNDS; i++) {
		link_fd = bm_link_create(skel->progs.link_xdp_native, 1, 0);
		for (n = 0; n < LOADERS; n++)
			rivals[n] = (struct rival){ .fn = load_link, .fd = link_fd };
		rivals_run(rivals, LOADERS);
		for (n = 0, won = 0; n < LOADERS; n++) {
			won += rivals[n].ret >= 0;
			CHECK_FAIL(rivals[n].ret < 0 && rivals[n].ret != -EBUSY);
			if (rivals[n].ret >= 0)
				CHECK_FAIL(bm_link_module(link_fd) != bm_id(rivals[n].ret));
		}
		for (n = 0; n < LOADERS; n++)
			bm_unload(&rivals[n].ret);
		close(link_fd);
		if (!ASSERT_EQ(won, 1, "winners"))
			return;
	}
}

static __u32 link_prog(int link_fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return bpf_link_get_info_by_fd(link_fd, &info, &len) ? 0 : info.prog_id;
}

static __u32 module_prog(int fd)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info), id = 0;

	info.prog_ids = ptr_to_u64(&id);
	info.prog_cnt = 1;
	return bpf_module_get_info_by_fd(fd, &info, &len) ? 0 : id;
}

/* The module has the program that the link has: an update comes before, or is refused. */
static void test_load_update(void)
{
	int i, fd, link_fd, updated = 0;
	struct rival rivals[2];

	for (i = 0; i < ROUNDS; i++) {
		link_fd = bm_link_create(skel->progs.link_xdp_native, 1, 0);
		rivals[0] = (struct rival){ .fn = load_link, .fd = link_fd };
		rivals[1] = (struct rival){ .fn = update, .fd = link_fd };
		rivals_run(rivals, 2);
		fd = rivals[0].ret;
		if (!ASSERT_OK_FD(fd, "load"))
			break;
		CHECK_FAIL(rivals[1].ret && rivals[1].ret != -EBUSY);
		CHECK_FAIL(link_prog(link_fd) != module_prog(fd));
		updated += !rivals[1].ret;
		CHECK_FAIL(bpf_module_unload(fd, NULL));
		bm_unload(&fd);
		close(link_fd);
	}
	printf("updated before it was loaded: %d times\n", updated);
}

/* Whoever else has an fd of the link cannot change what UNLOAD does. */
static void unload_against(int (*fn)(int fd), int err, int other_err)
{
	struct rival rivals[3];
	int i, fd, link_fd;

	for (i = 0; i < ROUNDS; i++) {
		link_fd = bm_link_create(skel->progs.link_xdp_native, 1, 0);
		fd = bm_load_link(NAME, link_fd);
		if (!ASSERT_OK_FD(fd, "load"))
			break;
		rivals[0] = (struct rival){ .fn = unload, .fd = fd };
		rivals[1] = (struct rival){ .fn = fn, .fd = link_fd };
		rivals[2] = rivals[1];
		rivals_run(rivals, 3);
		CHECK_FAIL(rivals[0].ret);
		CHECK_FAIL(rivals[1].ret != err && rivals[1].ret != other_err);
		CHECK_FAIL(rivals[2].ret != err && rivals[2].ret != other_err);
		CHECK_FAIL(bm_link_module(link_fd));
		bm_unload(&fd);
		close(link_fd);
	}
}

static void test_unload_update(void)
{
	unload_against(update, -EBUSY, -ENOLINK);
}

static void test_unload_detach(void)
{
	unload_against(bpf_link_detach, 0, 0);
}

/* All links are off when the winner returns. */
static void test_unloads(void)
{
	struct rival rivals[LOADERS];
	int i, n, fd, link_fd, won;

	for (i = 0; i < ROUNDS; i++) {
		link_fd = bm_link_create(skel->progs.link_xdp_native, 1, 0);
		fd = bm_load_link(NAME, link_fd);
		if (!ASSERT_OK_FD(fd, "load"))
			break;
		close(link_fd);
		for (n = 0; n < LOADERS; n++)
			rivals[n] = (struct rival){ .fn = unload, .fd = fd };
		rivals_run(rivals, LOADERS);
		for (n = 0, won = 0; n < LOADERS; n++) {
			won += !rivals[n].ret;
			CHECK_FAIL(rivals[n].ret && rivals[n].ret != -EINPROGRESS &&
				   rivals[n].ret != -ENOENT);
		}
		if (!ASSERT_EQ(won, 1, "winners"))
			break;
		bm_unload(&fd);
	}
}

static void next_init(int link_fd)
{
	bm_load_init(&next, NULL);
	bm_load_add(&next, link_fd, bpf_program__fd(skel->progs.new_xdp_native));
}

/*
 * A link that loses its target is switched before, or refused. Then either module has
 * it, and the other one is gone, or was never loaded.
 */
static void replace_against(int (*fn)(int fd), bool device)
{
	int i, fd, new_fd, device_fd = -1, link_fd, replaced = 0;
	struct rival rivals[2];

	for (i = 0; i < ROUNDS; i++) {
		if (device)
			device_fd = open_device();
		link_fd = bm_link_create(skel->progs.link_xdp_native,
					 device ? if_nametoindex(DEVICE) : 1, 0);
		fd = bm_load_link(NAME, link_fd);
		if (!ASSERT_OK_FD(fd, "load"))
			break;
		next_init(link_fd);
		rivals[0] = (struct rival){ .fn = replace, .fd = fd };
		rivals[1] = (struct rival){ .fn = fn, .fd = device ? device_fd : link_fd };
		rivals_run(rivals, 2);
		CHECK_FAIL(rivals[1].ret);
		new_fd = rivals[0].ret;
		CHECK_FAIL(new_fd < 0 && new_fd != -EOPNOTSUPP);
		replaced += new_fd >= 0;
		if (new_fd >= 0)
			CHECK_FAIL(bm_state(fd) != BPF_MODULE_STATE_GONE);
		CHECK_FAIL(bm_link_module(link_fd) != bm_id(new_fd >= 0 ? new_fd : fd));
		CHECK_FAIL(bpf_module_unload(new_fd >= 0 ? new_fd : fd, NULL));
		bm_unload(&fd);
		bm_unload(&new_fd);
		close(link_fd);
	}
	printf("replaced %d times\n", replaced);
}

static void test_replace_device(void)
{
	replace_against(close_device, true);
}

static void test_replace_detach(void)
{
	replace_against(bpf_link_detach, false);
}

/* A module of an op and a link; the next one's op refuses to take over. */
struct refusing {
	struct bm_cc old, new;
	struct bm_type type;
	int fd;
	int link_fd;
};

static void add_op(struct bm_load *load, struct bm_cc *cc, const struct bm_type *type)
{
	bm_add(cc, type, "bm_op");
	bm_load_ops(load, cc);
}

static bool refusing_open(struct refusing *r, int ifindex)
{
	struct bm_load load;

	memset(r, 0, sizeof(*r));
	if (!bm_type_open(&r->type, "bpf_testmod", "bpf_testmod_errno_ops"))
		return false;
	r->link_fd = bm_link_create(skel->progs.link_xdp_native, ifindex, 0);
	bm_load_init(&load, NAME);
	bm_load_add(&load, r->link_fd, 0);
	add_op(&load, &r->old, &r->type);
	r->fd = bm_load(&load);
	next_init(r->link_fd);
	add_op(&next, &r->new, &r->type);
	*(int *)bm_field(&r->type, r->new.value[0], "update_ret") = -ENODEV;
	return ASSERT_OK_FD(r->fd, "load");
}

static void refusing_close(struct refusing *r)
{
	bm_unload(&r->fd);
	close(r->link_fd);
	bm_type_close(&r->type);
}

/* Links are switched before ops, and back if an op is refused. */
static void test_undo(void)
{
	static struct refusing r;
	__u32 prog_id;

	if (!refusing_open(&r, 1))
		return;
	prog_id = link_prog(r.link_fd);
	ASSERT_EQ(replace(r.fd), -ENODEV, "replace");
	ASSERT_HAS_SUBSTR(next.log, "op bm_op", "log");
	ASSERT_EQ(link_prog(r.link_fd), prog_id, "program of the link");
	ASSERT_EQ(bm_link_module(r.link_fd), bm_id(r.fd), "module of the link");
	ASSERT_EQ(bm_state(r.fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK(bpf_module_unload(r.fd, NULL), "unload");
	refusing_close(&r);
}

/* The device may be gone when the link is to be switched back. */
static void test_undo_device(void)
{
	static struct refusing r;
	struct rival rivals[2];
	int i, device_fd;

	for (i = 0; i < ROUNDS; i++) {
		device_fd = open_device();
		if (!refusing_open(&r, if_nametoindex(DEVICE)))
			return;
		rivals[0] = (struct rival){ .fn = replace, .fd = r.fd };
		rivals[1] = (struct rival){ .fn = close_device, .fd = device_fd };
		rivals_run(rivals, 2);
		CHECK_FAIL(rivals[0].ret != -ENODEV && rivals[0].ret != -EOPNOTSUPP);
		CHECK_FAIL(bm_link_module(r.link_fd) != bm_id(r.fd));
		CHECK_FAIL(bm_state(r.fd) != BPF_MODULE_STATE_LIVE);
		CHECK_FAIL(bpf_module_unload(r.fd, NULL));
		refusing_close(&r);
	}
}

static void *replace_task(void *arg)
{
	struct refusing *r = arg;

	return (void *)(long)replace(r->fd);
}

/* The device is removed between the switch and the undo: the link is detached, and
 * the log says so.
 */
static void test_undo_refused(void)
{
	struct bpf_module_late *late = bpf_module_late__open_and_load();
	struct bpf_module_link_info links[BM_LINKS];
	int device_fd = open_device();
	static struct refusing r;
	struct bm_task task;
	struct bm_page page;

	if (!ASSERT_OK_PTR(late, "open and load") || !bm_page_open(&page))
		goto out;
	if (!refusing_open(&r, if_nametoindex(DEVICE)))
		goto out_page;
	late->bss->wait_for = page.addr;
	late->bss->ret = -ENODEV;
	*(unsigned long *)bm_field(&r.type, r.new.value[0], "test") =
		bpf_program__fd(late->progs.late_test);
	if (bm_task_start(&task, replace_task, &r)) {
		ASSERT_TRUE(bm_page_reached(&page), "the op is updated");
		close(device_fd);
		device_fd = -1;
		bm_page_release(&page, NULL, 0);
		ASSERT_EQ((long)bm_task_join(&task), -ENODEV, "replace");
	}
	ASSERT_HAS_SUBSTR(next.log, "op bm_op", "log");
	ASSERT_HAS_SUBSTR(next.log, "could not be switched back", "log");
	ASSERT_EQ(bm_state(r.fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(bm_links(r.fd, links), 1, "links");
	ASSERT_EQ(links[0].flags, BPF_MODULE_LINK_DETACHED, "flags of the link");
	ASSERT_OK(bpf_module_unload(r.fd, NULL), "unload");
	refusing_close(&r);
out_page:
	bm_page_close(&page);
out:
	if (device_fd >= 0)
		close(device_fd);
	bpf_module_late__destroy(late);
}

static void call_test_run(void)
{
	bm_test_run(skel->progs.hold_fentry);
}

static void *run_held(void *arg)
{
	void (*call)(void) = arg;

	WRITE_ONCE(skel->bss->hold_tid, sys_gettid());
	call();
	WRITE_ONCE(skel->bss->hold_tid, 0);
	return NULL;
}

/* Returns whether the program had finished when UNLOAD returned. */
static void *unload_held(void *arg)
{
	int *fd = arg, err = bpf_module_unload(*fd, NULL);

	return (void *)(long)(err ?: READ_ONCE(skel->bss->finished));
}

/* UNLOAD returns when the program that runs by a link has returned. */
static void unload_running(const char *name, int link_fd, void (*call)(void))
{
	int fd = bm_load_link(NAME, link_fd);
	struct bm_task runner, unloader;

	skel->bss->hold = 1;
	skel->bss->held = 0;
	skel->bss->finished = 0;
	if (!ASSERT_OK_FD(fd, name) || !bm_task_start(&runner, run_held, call))
		goto out;
	ASSERT_TRUE(bm_wait(READ_ONCE(skel->bss->held)), "the program runs");
	if (bm_task_start(&unloader, unload_held, &fd)) {
		ASSERT_TRUE(bm_wait(bm_state(fd) != BPF_MODULE_STATE_LIVE), "going");
		/* enough time to return too early */
		usleep(20000);
		WRITE_ONCE(skel->bss->hold, 0);
		ASSERT_EQ((long)bm_task_join(&unloader), 1, name);
	}
	WRITE_ONCE(skel->bss->hold, 0);
	bm_task_join(&runner);
out:
	bm_unload(&fd);
	close(link_fd);
}

static void test_unload_running(void)
{
	int cgroup_fd = create_and_get_cgroup(CGROUP_HERE);

	unload_running("fentry", bm_take_fd(bpf_program__attach(skel->progs.hold_fentry)),
		       call_test_run);
#ifdef __x86_64__ /* arm64 has no fprobe, on which it is built */
	unload_running("kprobe_multi",
		       bm_take_fd(bpf_program__attach(skel->progs.hold_kprobe_multi)),
		       call_test_run);
#endif
	unload_running("raw_tp", bm_take_fd(bpf_program__attach(skel->progs.hold_raw_tp)),
		       bm_run_socket);
	unload_running("lsm", bm_take_fd(bpf_program__attach(skel->progs.hold_lsm)), bm_run_bpf);
	unload_running("xdp", bm_link_create(skel->progs.hold_xdp, 1, 0), bm_send_to_self);
	unload_running("sock_create", bm_link_create(skel->progs.hold_sock_create, cgroup_fd, 0),
		       bm_run_socket);
	close(cgroup_fd);
}

static const struct {
	const char *name;
	void (*run)(void);
	bool testmod;
} tests[] = {
	{ "one_link", test_one_link },
	{ "load_update", test_load_update },
	{ "unload_device", test_unload_device },
	{ "unload_cgroup", test_unload_cgroup },
	{ "unload_update", test_unload_update },
	{ "unload_detach", test_unload_detach },
	{ "unloads", test_unloads },
	{ "unload_running", test_unload_running },
	{ "replace_device", test_replace_device },
	{ "replace_detach", test_replace_detach },
	{ "undo", test_undo, true },
	{ "undo_device", test_undo_device, true },
	{ "undo_refused", test_undo_refused, true },
};

void serial_test_bpf_module_link_race(void)
{
	int i, cgroup_fd, netns = bm_netns_enter();

	if (netns < 0)
		return;
	/* sets up the file system */
	cgroup_fd = test__join_cgroup(CGROUP_HERE);
	skel = bpf_module_kinds__open_and_load();
	if (!ASSERT_OK_FD(cgroup_fd, "cgroup") || !ASSERT_OK_PTR(skel, "open and load"))
		goto out;
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (tests[i].testmod && !env.has_testmod)
			continue;
		if (test__start_subtest(tests[i].name))
			tests[i].run();
		/* cleans up after a test that failed half way */
		bm_drain_name(NAME);
	}
	ASSERT_EQ(bm_find(NAME), 0, "listed");
out:
	bpf_module_kinds__destroy(skel);
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	bm_netns_leave(netns);
}
