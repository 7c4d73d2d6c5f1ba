// SPDX-License-Identifier: GPL-2.0
/* Modules of every subsystem, used for their purpose, alone and mixed. */
#include <sched.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "network_helpers.h"
#include "bpf_module_cc.skel.h"
#include "bpf_module_scx.skel.h"
#include "pro_epilogue.skel.h"

#define BM_BYTES (128 * 1024)
#define BM_LOAD	 16

/* The objects that the modules are made of. */
struct fixture {
	struct bpf_module_cc *tcp;
	struct bpf_module_scx *scx;
	struct bm_type scx_type;
	struct bm_cc cc;	/* of the first object's programs */
};

static __u64 acks(struct fixture *f)
{
	__u32 key = 0;
	__u64 cnt = 0;

	ASSERT_OK(bpf_map__lookup_elem(f->tcp->maps.acks, &key, sizeof(key), &cnt, sizeof(cnt), 0),
		  "acks");
	return cnt;
}

/* Sends data over a connection whose ends use @name, the default if NULL. */
static void check_flow(struct fixture *f, int family, const char *name, const char *expected)
{
	int listener, client;
	__u64 before;

	listener = name ? bm_listen(family, name) :
		   start_server(family, SOCK_STREAM, NULL, 0, 0);
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	client = bm_connect(listener, name);
	if (ASSERT_OK_FD(client, "connect")) {
		before = acks(f);
		ASSERT_TRUE(bm_tcp_uses(client, expected), "congestion control");
		ASSERT_OK(send_recv_data(listener, client, BM_BYTES), "send_recv_data");
		ASSERT_GT(acks(f), before, "calls of cong_avoid");
		close(client);
	}
	close(listener);
}

static void add_scx(struct fixture *f)
{
	void *value = f->cc.value[f->cc.ops_cnt];

	bm_scx_add(&f->cc, &f->scx_type, "bm_sched", bpf_program__fd(f->scx->progs.scx_init));
	bm_set_prog(&f->scx_type, value, "enqueue", bpf_program__fd(f->scx->progs.scx_enqueue));
	*(__u64 *)bm_field(&f->scx_type, value, "flags") = 0;
}

/* More processes than processors, which give way to each other. */
static void run_load(void)
{
	pid_t child[BM_LOAD];
	int i, n, status;

	fflush(stdout);
	for (i = 0; i < BM_LOAD; i++) {
		child[i] = fork();
		if (child[i])
			continue;
		for (n = 0; n < 200; n++)
			sched_yield();
		_exit(0);
	}
	for (i = 0; i < BM_LOAD; i++) {
		ASSERT_EQ(waitpid(child[i], &status, 0), child[i], "waitpid");
		ASSERT_EQ(status, 0, "status of the load");
	}
}

static void check_schedules(struct fixture *f)
{
	__u64 before = f->scx->bss->enqueued;
	char name[128];

	ASSERT_TRUE(bm_read_line("/sys/kernel/sched_ext/root/ops", name, sizeof(name)), "root/ops");
	ASSERT_STREQ(name, "bm_sched", "scheduler");
	run_load();
	ASSERT_GT(f->scx->bss->enqueued - before, 100, "tasks that it has scheduled");
}

static void test_scx(struct fixture *f)
{
	__u64 enqueued;
	int fd;

	add_scx(f);
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	check_schedules(f);
	ASSERT_EQ(bm_users(fd), 0, "users");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");
	enqueued = f->scx->bss->enqueued;
	run_load();
	ASSERT_EQ(f->scx->bss->enqueued, enqueued, "tasks scheduled after unload");
	close(fd);
}

/* There is one scheduler at a time; the other op of the second module is unregistered. */
static void test_scx_busy(struct fixture *f)
{
	static const char * const log[] = { "op bm_other (sched_ext_ops)", "one at a time" };
	int fd;

	add_scx(f);
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	f->cc.extra_fd = bm_prog_load(&f->scx_type, "init", "bm_init", 0);
	f->cc.ops_cnt = 0;
	bm_cc_add(&f->cc, "bm_tcp");
	bm_scx_add(&f->cc, &f->scx_type, "bm_other", f->cc.extra_fd);
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_other"), -EBUSY, "load another");
	bm_check_log(&f->cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_tcp"), "registered");
	check_schedules(f);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

/* The default of a namespace is a user, as is every end of a flow. */
static void test_tcp_default(struct fixture *f, int family)
{
	int fd;

	bm_cc_add(&f->cc, "bm_tcp");
	*(__u32 *)bm_cc_field(&f->cc, 0, "flags") = BM_NON_RESTRICTED;
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	ASSERT_OK(bm_netns_set_default("bm_tcp"), "set default");
	ASSERT_EQ(bm_users(fd), 1, "users with the default");
	check_flow(f, family, NULL, "bm_tcp");
	ASSERT_TRUE(bm_wait(bm_users(fd) == 1), "users after the flow");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload of a default");
	ASSERT_OK(bm_netns_set_default("reno"), "set another default");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

static void test_tcp_default_ipv4(struct fixture *f)
{
	test_tcp_default(f, AF_INET);
}

static void test_tcp_default_ipv6(struct fixture *f)
{
	test_tcp_default(f, AF_INET6);
}

/* Two congestion controls of one module carry a flow each. */
static void test_tcp_two(struct fixture *f)
{
	int fd;

	bm_cc_add(&f->cc, "bm_tcp_1");
	bm_cc_add(&f->cc, "bm_tcp_2");
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	check_flow(f, AF_INET, "bm_tcp_1", "bm_tcp_1");
	check_flow(f, AF_INET6, "bm_tcp_2", "bm_tcp_2");
	ASSERT_TRUE(bm_wait(!bm_users(fd)), "users after the flows");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

/* A congestion control and a scheduler: both work, and both go. */
static void test_tcp_and_scx(struct fixture *f)
{
	int fd;

	bm_cc_add(&f->cc, "bm_tcp");
	add_scx(f);
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	check_schedules(f);
	check_flow(f, AF_INET, "bm_tcp", "bm_tcp");
	ASSERT_TRUE(bm_wait(!bm_users(fd)), "users after the flow");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");
	ASSERT_FALSE(bm_tcp_has("bm_tcp"), "registered");
	close(fd);
}

/* A scheduler that was already on is turned off when the next op is refused. */
static void test_scx_and_refused(struct fixture *f)
{
	int fd;

	add_scx(f);
	bm_cc_add(&f->cc, "reno");
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_subsys"), -EEXIST, "load");
	ASSERT_TRUE(bm_scx_off(), "scheduler is off");
	ASSERT_EQ(bm_find("bm_subsys"), 0, "listed");
	f->cc.ops_cnt--;
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (ASSERT_OK_FD(fd, "load without the fault")) {
		check_schedules(f);
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
	}
}

static int run_syscall(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), "test_run");
	return opts.retval;
}

/* A kernel module calls its ops, mixed with those of vmlinux, while they are loaded. */
static void test_testmod(struct fixture *f)
{
	struct pro_epilogue *skel = pro_epilogue__open_and_load();
	struct bm_type type;
	void *value;
	int fd;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	if (!bm_type_open(&type, "bpf_testmod", "bpf_testmod_st_ops"))
		goto out;
	bm_cc_add(&f->cc, "bm_tcp");
	value = f->cc.value[f->cc.ops_cnt];
	bm_add(&f->cc, &type, "bm_testmod");
	bm_set_prog(&type, value, "test_prologue", bpf_program__fd(skel->progs.test_prologue));
	bm_set_prog(&type, value, "test_epilogue", bpf_program__fd(skel->progs.test_epilogue));
	ASSERT_EQ(run_syscall(skel->progs.syscall_prologue), -1, "before it is loaded");
	fd = bm_cc_load(&f->cc, "bm_subsys");
	if (ASSERT_OK_FD(fd, "load")) {
		ASSERT_EQ(run_syscall(skel->progs.syscall_prologue), 1011, "prologue");
		ASSERT_EQ(run_syscall(skel->progs.syscall_epilogue), 20022, "epilogue");
		ASSERT_EQ(run_syscall(skel->progs.syscall_pro_epilogue), -1, "member not set");
		check_flow(f, AF_INET, "bm_tcp", "bm_tcp");
		ASSERT_TRUE(bm_wait(!bm_users(fd)), "users after the flow");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_EQ(run_syscall(skel->progs.syscall_prologue), -1, "after unload");
		close(fd);
	}
	bm_type_close(&type);
out:
	pro_epilogue__destroy(skel);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "tcp_default_ipv4", test_tcp_default_ipv4 },
	{ "tcp_default_ipv6", test_tcp_default_ipv6 },
	{ "tcp_two", test_tcp_two },
	{ "scx", test_scx },
	{ "scx_busy", test_scx_busy },
	{ "tcp_and_scx", test_tcp_and_scx },
	{ "scx_and_refused", test_scx_and_refused },
	{ "testmod", test_testmod },
};

static bool fixture_open(struct fixture *f)
{
	f->tcp = bpf_module_cc__open_and_load();
	f->scx = bpf_module_scx__open_and_load();
	if (!ASSERT_OK_PTR(f->tcp, "congestion control") || !ASSERT_OK_PTR(f->scx, "scheduler") ||
	    !bm_type_open(&f->scx_type, NULL, "sched_ext_ops"))
		return false;
	if (!bm_cc_open_empty(&f->cc)) {
		bm_type_close(&f->scx_type);
		return false;
	}
	f->cc.prog[BM_SSTHRESH] = dup(bpf_program__fd(f->tcp->progs.cc_ssthresh));
	f->cc.prog[BM_UNDO_CWND] = dup(bpf_program__fd(f->tcp->progs.cc_undo_cwnd));
	f->cc.prog[BM_CONG_AVOID] = dup(bpf_program__fd(f->tcp->progs.cc_cong_avoid));
	return true;
}

static void run_test(void (*run)(struct fixture *f))
{
	struct fixture f = {};

	if (fixture_open(&f)) {
		run(&f);
		bm_drain_name("bm_subsys");
		bm_cc_close(&f.cc);
		bm_type_close(&f.scx_type);
	}
	bpf_module_scx__destroy(f.scx);
	bpf_module_cc__destroy(f.tcp);
}

void serial_test_bpf_module_subsys(void)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if ((tests[i].run != test_testmod || env.has_testmod) &&
		    test__start_subtest(tests[i].name))
			run_test(tests[i].run);
	bm_netns_leave(netns);
}
