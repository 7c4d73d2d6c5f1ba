// SPDX-License-Identifier: GPL-2.0
/* A module is freed after whatever may still run in it, and not before. */
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_hid.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_free.skel.h"
#include "bpf_module_hid.skel.h"
#include "bpf_module_scx.skel.h"

#define BM_ROUNDS	100

/* Loads a program for @member that may sleep. */
static int sleepable_load(const struct bm_type *type, const char *member)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	struct bpf_insn insns[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };

	opts.expected_attach_type = bm_member(type, member, NULL);
	opts.attach_btf_id = type->id;
	opts.attach_btf_obj_fd = type->btf_fd;
	return bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "bm_sleepable", "GPL", insns,
			     ARRAY_SIZE(insns), &opts);
}

/* A type that does not say which programs may sleep allows none to. */
static void test_sleepable_refused(void)
{
	static const char * const log[] = { "op bm_sleep (tcp_congestion_ops), member ssthresh",
					    "program bm_sleepable", "may sleep" };
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	cc.extra_fd = sleepable_load(&cc.type, "ssthresh");
	if (ASSERT_OK_FD(cc.extra_fd, "sleepable program")) {
		bm_cc_add(&cc, "bm_sleep");
		bm_cc_set_prog(&cc, 0, "ssthresh", cc.extra_fd);
		fd = bm_cc_load(&cc, "bm_sleep");
		ASSERT_EQ(fd, -EINVAL, "load");
		bm_check_log(&cc, log, ARRAY_SIZE(log));
		ASSERT_FALSE(bm_tcp_has("bm_sleep"), "registered");
	}
	bm_cc_close(&cc);
}

/* A type that says so is obeyed when the program is loaded. */
static void test_sleepable_member(void)
{
	struct bm_type type;
	int fd;

	if (!bm_type_open(&type, NULL, "sched_ext_ops"))
		return;
	fd = sleepable_load(&type, "enqueue");
	ASSERT_EQ(fd, -EINVAL, "member that may not sleep");
	fd = sleepable_load(&type, "init");
	if (ASSERT_OK_FD(fd, "member that may"))
		close(fd);
	bm_type_close(&type);
}

/* Unloads, and waits until the program is freed, too. */
static void check_freed(struct bm_cc *cc, int fd, __u32 prog_id)
{
	bm_cc_close_progs(cc);
	ASSERT_TRUE(bm_prog_exists(prog_id), "program of a live module");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_TRUE(bm_wait(!bm_prog_exists(prog_id)), "program is gone");
	close(fd);
}

/* The programs, and @counter and @counter2, unless it is NULL, which count, attached. */
static struct bpf_module_free *free_open_counting(const char *counter, const char *counter2)
{
	struct bpf_module_free *skel = bpf_module_free__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, counter), true);
	if (counter2)
		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, counter2),
					  true);
	bpf_map__set_autoattach(skel->maps.leave, false);
	if (ASSERT_OK(bpf_module_free__load(skel), "load") &&
	    ASSERT_OK(bpf_module_free__attach(skel), "attach"))
		return skel;
	bpf_module_free__destroy(skel);
	return NULL;
}

/* The same with a program that may sleep, which takes three grace periods. */
static void check_freed_sleepable(struct bm_cc *cc, int fd, __u32 prog_id)
{
	struct bpf_module_free *skel;
	unsigned long long addr;
	bool srcu;

	srcu = !kallsyms_find("rcu_tasks_trace_srcu_struct", &addr);
	skel = free_open_counting("sleepable_tasks", srcu ? "sleepable_srcu" : "sleepable_trace");
	if (!skel)
		return;
	skel->bss->sleepable_steps = 0;
	check_freed(cc, fd, prog_id);
	ASSERT_EQ(skel->bss->sleepable_steps, 3, "tasks, tasks trace, tasks");
	bpf_module_free__destroy(skel);
}

static void test_sleepable_scx(void)
{
	struct bpf_module_scx *skel = bpf_module_scx__open_and_load();
	struct bm_type type;
	struct bm_cc cc;
	__u32 id;
	int fd;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	if (!bm_type_open(&type, NULL, "sched_ext_ops"))
		goto out;
	if (bm_cc_open_empty(&cc)) {
		id = bm_prog_id(bpf_program__fd(skel->progs.scx_init));
		bm_scx_add(&cc, &type, "bm_sleep", bpf_program__fd(skel->progs.scx_init));
		fd = bm_cc_load(&cc, "bm_sleep");
		bpf_module_scx__destroy(skel);
		skel = NULL;
		if (ASSERT_OK_FD(fd, "load"))
			check_freed_sleepable(&cc, fd, id);
		bm_cc_close(&cc);
	}
	bm_type_close(&type);
out:
	bpf_module_scx__destroy(skel);
}

static void test_sleepable_hid(void)
{
	struct bpf_module_hid *skel = bpf_module_hid__open_and_load();
	struct bm_type type;
	struct bm_uhid dev;
	struct bm_cc cc;
	void *value;
	__u32 id;
	int fd;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	if (!bm_type_open(&type, NULL, "hid_bpf_ops"))
		goto out;
	if (!bm_uhid_plug_in(&dev))
		goto out_type;
	if (bm_cc_open_empty(&cc)) {
		id = bm_prog_id(bpf_program__fd(skel->progs.hid_fixup));
		value = bm_hid_add(&cc, &type, "bm_sleep", dev.hid_id, -1);
		bm_set_prog(&type, value, "hid_rdesc_fixup",
			    bpf_program__fd(skel->progs.hid_fixup));
		fd = bm_cc_load(&cc, "bm_sleep");
		ASSERT_GT(skel->bss->fixups, 0, "calls");
		bpf_module_hid__destroy(skel);
		skel = NULL;
		if (ASSERT_OK_FD(fd, "load"))
			check_freed_sleepable(&cc, fd, id);
		bm_cc_close(&cc);
	}
	bm_uhid_unplug(&dev);
out_type:
	bm_type_close(&type);
out:
	bpf_module_hid__destroy(skel);
}

/* Calls of an op type that says so are held by what has gone: no tasks to wait for. */
static void test_calls_held(void)
{
	struct bpf_module_free *skel = free_open_counting("tasks_wait", NULL);
	struct bm_cc cc;
	__u32 id;
	int fd;

	if (!skel)
		return;
	fd = bm_cc_open_load(&cc, "bm_held", "bm_held");
	if (fd >= 0) {
		id = bm_prog_id(cc.prog[BM_SSTHRESH]);
		check_freed(&cc, fd, id);
		ASSERT_EQ(skel->bss->tasks_waits, 0, "waits for tasks");
		bm_cc_close(&cc);
	}
	bpf_module_free__destroy(skel);
}

/*
 * The last user of a draining module is a socket that is not connected yet. When it
 * connects, init runs and removes the socket as a user: the module is gone before its
 * own callback has returned.
 */
static bool leave_once(struct bm_cc *cc, struct bpf_module_free *skel, int listener)
{
	int fd, sock, inits = skel->bss->inits;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	bool ok;

	fd = bm_cc_load(cc, "bm_leave");
	if (!ASSERT_OK_FD(fd, "load"))
		return false;
	sock = bm_socket(AF_INET, "bm_leave");
	ok = ASSERT_OK_FD(sock, "socket") && ASSERT_OK(bm_drain(fd), "drain") &&
	     ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state before") &&
	     ASSERT_OK(getsockname(listener, (void *)&addr, &len), "getsockname") &&
	     ASSERT_OK(connect(sock, (void *)&addr, len), "connect") &&
	     ASSERT_EQ(skel->bss->inits, inits + 1, "calls of init") &&
	     ASSERT_OK(skel->bss->switch_err, "setsockopt in init") &&
	     ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state after") &&
	     ASSERT_TRUE(bm_tcp_uses(sock, "reno"), "congestion control after");
	close(sock);
	close(fd);
	/* nobody accepts it */
	sock = accept(listener, NULL, NULL);
	close(sock);
	return ok;
}

static void test_init_leaves(void)
{
	int i, listener, netns = bm_netns_enter();
	struct bpf_module_free *skel;
	struct bm_cc cc;
	__u32 id = 0;

	skel = free_open_counting("tasks_wait", NULL);
	if (!skel)
		goto out;
	if (!bm_cc_open_empty(&cc))
		goto out_skel;
	cc.prog[BM_SSTHRESH] = dup(bpf_program__fd(skel->progs.leave_ssthresh));
	cc.prog[BM_UNDO_CWND] = dup(bpf_program__fd(skel->progs.leave_undo_cwnd));
	cc.prog[BM_CONG_AVOID] = dup(bpf_program__fd(skel->progs.leave_cong_avoid));
	cc.prog[BM_INIT] = dup(bpf_program__fd(skel->progs.leave_init));
	id = bm_prog_id(cc.prog[BM_INIT]);
	bm_cc_add(&cc, "bm_leave");
	listener = bm_listen(AF_INET, "reno");
	if (ASSERT_OK_FD(listener, "listen")) {
		for (i = 0; i < BM_ROUNDS && leave_once(&cc, skel, listener); i++)
			;
		ASSERT_EQ(i, BM_ROUNDS, "rounds");
		ASSERT_TRUE(bm_wait(skel->bss->tasks_waits == BM_ROUNDS), "waits for tasks");
		close(listener);
	}
	bm_cc_close(&cc);
out_skel:
	bpf_module_free__destroy(skel);
	ASSERT_TRUE(bm_wait(!bm_prog_exists(id)), "program is gone");
out:
	bm_netns_leave(netns);
}

struct unloads {
	struct bm_type type;
	struct bm_cc cc;
	int prog[BM_ROUNDS];
	__u32 id[BM_ROUNDS];
	int fd[BM_ROUNDS];
	int cnt;
};

/* Loads one more module that needs no waiting to unregister. */
static bool unloads_add(struct unloads *u)
{
	char name[32];

	snprintf(name, sizeof(name), "bm_many_%d", u->cnt);
	u->cc.ops_cnt = 0;
	bm_add(&u->cc, &u->type, "bm_many");
	u->prog[u->cnt] = bm_prog_load(&u->type, "test_1", "bm_many", 0);
	u->id[u->cnt] = bm_prog_id(u->prog[u->cnt]);
	bm_set_prog(&u->type, u->cc.value[0], "test_1", u->prog[u->cnt]);
	u->fd[u->cnt] = bm_cc_load(&u->cc, name);
	close(u->prog[u->cnt]);
	return ASSERT_OK_FD(u->fd[u->cnt], "load") && ++u->cnt;
}

/* A hundred of them share grace periods: otherwise there would be as many. */
static void test_shared_grace_periods(void)
{
	static struct unloads u;
	struct bpf_module_free *skel;
	int i, left, cnt;

	skel = free_open_counting("grace_period", NULL);
	if (!skel)
		return;
	if (!bm_type_open(&u.type, "bpf_testmod", "bpf_testmod_ops2"))
		goto out;
	if (!bm_cc_open_empty(&u.cc))
		goto out_type;
	for (u.cnt = 0; u.cnt < BM_ROUNDS && unloads_add(&u);)
		;
	skel->bss->grace_periods = 0;
	for (i = 0, left = 0; i < u.cnt; i++) {
		left += !!bpf_module_unload(u.fd[i], NULL);
		close(u.fd[i]);
	}
	ASSERT_EQ(left, 0, "modules that were not unloaded");
	for (i = 0, left = 0; i < u.cnt; i++)
		left += !bm_wait(!bm_prog_exists(u.id[i]));
	cnt = skel->bss->grace_periods;
	ASSERT_EQ(left, 0, "programs that were not freed");
	ASSERT_EQ(u.cnt, BM_ROUNDS, "modules");
	ASSERT_GT(cnt, 0, "grace periods");
	ASSERT_LE(cnt, BM_ROUNDS / 10, "grace periods");
	printf("%d grace periods for %d unloads\n", cnt, u.cnt);
	bm_cc_close(&u.cc);
out_type:
	bm_type_close(&u.type);
out:
	bpf_module_free__destroy(skel);
}

/* A socket stops pointing to a congestion control before that is put: with the last
 * put the module may be unloaded, and readers of the socket hold only RCU.
 */
static void test_put_is_not_found(void)
{
	struct bpf_module_free *skel = bpf_module_free__open();
	struct bpf_link *link = NULL;
	struct bm_cc cc;
	int fd, sock;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.put_ca, true);
	if (!ASSERT_OK(bpf_module_free__load(skel), "load"))
		goto out;
	skel->bss->pid = getpid();
	link = bpf_program__attach(skel->progs.put_ca);
	ASSERT_OK_PTR(link, "attach");
	fd = bm_cc_open_load(&cc, "bm_put", "bm_put");
	if (fd < 0)
		goto out;
	sock = bm_socket(AF_INET, "bm_put");
	ASSERT_OK_FD(sock, "socket");
	skel->bss->cleanups = 0;
	close(sock);
	ASSERT_TRUE(bm_wait(skel->bss->cleanups == 1), "clean-ups");
	ASSERT_STREQ(skel->bss->ca_after, "reno", "congestion control afterwards");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_cc_cleanup(&cc, fd);
out:
	bpf_link__destroy(link);
	bpf_module_free__destroy(skel);
}

void serial_test_bpf_module_free(void)
{
	if (test__start_subtest("sleepable_refused"))
		test_sleepable_refused();
	if (test__start_subtest("sleepable_member"))
		test_sleepable_member();
	if (test__start_subtest("sleepable_scx"))
		test_sleepable_scx();
	if (test__start_subtest("sleepable_hid"))
		test_sleepable_hid();
	if (test__start_subtest("calls_held"))
		test_calls_held();
	if (test__start_subtest("put_is_not_found"))
		test_put_is_not_found();
	if (test__start_subtest("init_leaves"))
		test_init_leaves();
	if (env.has_testmod && test__start_subtest("shared_grace_periods"))
		test_shared_grace_periods();
}
