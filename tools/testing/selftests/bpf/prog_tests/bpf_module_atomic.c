// SPDX-License-Identifier: GPL-2.0
/* BPF_MODULE_LOAD is all or nothing: a module with three ops, one of them bad. */
#include <linux/bpf_module.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"
#include "bpf_module_trace.skel.h"

#define BM_OPS_CNT 3

static const char * const op_names[BM_OPS_CNT] = { "bm_a", "bm_b", "bm_c" };

/* Op @taken asks for a name that is in use. */
static void add_ops(struct bm_cc *cc, int taken)
{
	int i;

	cc->ops_cnt = 0;
	for (i = 0; i < BM_OPS_CNT; i++) {
		bm_cc_add(cc, op_names[i]);
		if (i == taken)
			bm_cc_rename(cc, i, "reno");
	}
}

static void get_prog_ids(struct bm_cc *cc, __u32 *ids)
{
	int p;

	for (p = 0; p < BM_CC_REQUIRED; p++) {
		ids[p] = bm_prog_id(cc->prog[p]);
		ASSERT_GT(ids[p], 0, "prog id");
	}
}

static bool no_prog_exists(const __u32 *ids)
{
	int p;

	for (p = 0; p < BM_CC_REQUIRED; p++)
		if (bm_prog_exists(ids[p]))
			return false;
	return true;
}

static __u32 last_module_id(void)
{
	__u32 id = 0;

	while (!bpf_module_get_next_id(id, &id))
		;
	return id;
}

/* The subsystem refuses op @taken: nothing stays registered, and a retry succeeds. */
static void test_refused_op(int taken)
{
	char before[1024], after[1024], log[64];
	const char * const parts[] = { log, "name" };
	__u32 ids[BM_CC_REQUIRED], last;
	struct bm_cc cc;
	int i, fd;

	if (!bm_cc_open(&cc))
		return;
	get_prog_ids(&cc, ids);
	last = last_module_id();
	ASSERT_TRUE(bm_tcp_available(before, sizeof(before)), "available before");

	add_ops(&cc, taken);
	fd = bm_cc_load(&cc, "bm_atomic");
	ASSERT_EQ(fd, -EEXIST, "load");
	snprintf(log, sizeof(log), "op %s (tcp_congestion_ops)", op_names[taken]);
	bm_check_log(&cc, parts, ARRAY_SIZE(parts));
	ASSERT_TRUE(bm_tcp_available(after, sizeof(after)), "available after");
	ASSERT_STREQ(after, before, "congestion controls");
	ASSERT_EQ(last_module_id(), last, "modules");

	add_ops(&cc, -1);
	fd = bm_cc_load(&cc, "bm_atomic");
	if (ASSERT_OK_FD(fd, "retry at once")) {
		for (i = 0; i < BM_OPS_CNT; i++)
			ASSERT_TRUE(bm_tcp_has(op_names[i]), op_names[i]);
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_TRUE(bm_tcp_available(after, sizeof(after)), "available at the end");
		ASSERT_STREQ(after, before, "congestion controls");
	}
	bm_cc_cleanup(&cc, fd);
	ASSERT_TRUE(bm_wait(no_prog_exists(ids)), "programs are gone");
}

/* Op @bad does not validate. */
static void spoil_op(struct bm_cc *cc, int bad)
{
	add_ops(cc, -1);
	bm_cc_set_prog(cc, bad, "ssthresh", 0);
}

/* A refused module holds no reference on its programs. */
static void test_progs_released(void (*spoil)(struct bm_cc *cc, int i), int err)
{
	static const char * const log[] = { "op bm_c (tcp_congestion_ops)" };
	__u32 ids[BM_CC_REQUIRED];
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	get_prog_ids(&cc, ids);
	spoil(&cc, BM_OPS_CNT - 1);
	fd = bm_cc_load(&cc, "bm_atomic");
	ASSERT_EQ(fd, err, "load");
	bm_check_log(&cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(no_prog_exists(ids), "programs while they are open");
	bm_cc_cleanup(&cc, fd);
	ASSERT_TRUE(bm_wait(no_prog_exists(ids)), "programs are gone");
}

static struct bpf_module_trace *trace_start(void)
{
	struct bpf_module_trace *skel = bpf_module_trace__open_and_load();

	if (!ASSERT_OK_PTR(skel, "trace"))
		return NULL;
	skel->bss->pid = getpid();
	if (!ASSERT_OK(bpf_module_trace__attach(skel), "attach trace")) {
		bpf_module_trace__destroy(skel);
		return NULL;
	}
	return skel;
}

/* Compares with @expected, and clears what was recorded so far. */
static void trace_check(struct bpf_module_trace *skel, const char *expected)
{
	char buf[512] = "";
	int i;

	for (i = 0; i < skel->bss->events_cnt; i++)
		snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf), "%s%c%s", i ? " " : "",
			 skel->bss->events[i].what, skel->bss->events[i].name);
	ASSERT_STREQ(buf, expected, "what the subsystem saw");
	skel->bss->events_cnt = 0;
}

static void test_order(void)
{
	struct bpf_module_trace *skel;
	struct bm_cc cc;
	int fd;

	skel = trace_start();
	if (!skel)
		return;
	if (!bm_cc_open(&cc))
		goto out;

	add_ops(&cc, -1);
	fd = bm_cc_load(&cc, "bm_order");
	if (ASSERT_OK_FD(fd, "load")) {
		trace_check(skel, "+bm_a +bm_b +bm_c");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		trace_check(skel, "-bm_c -bm_b -bm_a");
		close(fd);
	}

	add_ops(&cc, 2);
	fd = bm_cc_load(&cc, "bm_order");
	ASSERT_EQ(fd, -EEXIST, "load that fails last");
	trace_check(skel, "+bm_a +bm_b +reno -bm_b -bm_a");
	bm_cc_cleanup(&cc, fd);
out:
	bpf_module_trace__destroy(skel);
}

/* Every op is validated before the first one is registered. */
static void test_validate_first(void)
{
	static const char * const log[] = { "op bm_c (tcp_congestion_ops)" };
	struct bpf_module_trace *skel;
	struct bm_cc cc;
	int fd;

	skel = trace_start();
	if (!skel)
		return;
	if (!bm_cc_open(&cc))
		goto out;
	spoil_op(&cc, BM_OPS_CNT - 1);
	fd = bm_cc_load(&cc, "bm_validate");
	ASSERT_EQ(fd, -EINVAL, "load");
	bm_check_log(&cc, log, ARRAY_SIZE(log));
	trace_check(skel, "");
	bm_cc_cleanup(&cc, fd);
out:
	bpf_module_trace__destroy(skel);
}

#define BM_RACE_SOCKETS	64

struct grabber {
	int sock[BM_RACE_SOCKETS];
	int cnt;
	int started;
	int stop;
};

/*
 * Tries to become a user of an op that will be unregistered at once. Without
 * CAP_NET_ADMIN the kernel does not call modprobe while the op is missing.
 */
static void *grab(void *arg)
{
	struct grabber *g = arg;

	cap_disable_effective(1ULL << CAP_NET_ADMIN, NULL);
	__atomic_store_n(&g->started, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&g->stop, __ATOMIC_RELAXED) && g->cnt < BM_RACE_SOCKETS) {
		int fd = bm_socket(AF_INET, "bm_a");

		if (fd >= 0)
			g->sock[g->cnt++] = fd;
	}
	return NULL;
}

/*
 * A user that comes between registration and unregistration keeps its op, and nothing
 * else. Whether one does come is a matter of luck.
 */
static void test_user_slips_in(void)
{
	struct grabber g = {};
	__u32 ids[BM_CC_REQUIRED];
	pthread_t thread;
	struct bm_cc cc;
	int i, fd, err;

	if (!bm_cc_open(&cc))
		return;
	get_prog_ids(&cc, ids);
	add_ops(&cc, 2);
	*(__u32 *)bm_cc_field(&cc, 0, "flags") = BM_NON_RESTRICTED;
	err = pthread_create(&thread, NULL, grab, &g);
	if (!ASSERT_OK(err, "pthread_create"))
		goto out;
	ASSERT_TRUE(bm_wait(__atomic_load_n(&g.started, __ATOMIC_RELAXED)), "thread started");
	for (i = 0; i < 500; i++) {
		fd = bm_cc_load(&cc, "bm_slip");
		CHECK_FAIL(bm_find("bm_slip"));
		if (fd != -EEXIST)
			break;
	}
	__atomic_store_n(&g.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	/* the user of an earlier try may still keep the programs */
	ASSERT_EQ(fd, fd == -EBUSY && g.cnt ? -EBUSY : -EEXIST, "last load");
	ASSERT_FALSE(bm_tcp_has("bm_a"), "registered");
	printf("%d users slipped in\n", g.cnt);
	for (i = 0; i < g.cnt; i++) {
		ASSERT_TRUE(bm_tcp_uses(g.sock[i], "bm_a"), "the user keeps its op");
		close(g.sock[i]);
	}
out:
	bm_cc_close(&cc);
	ASSERT_TRUE(bm_wait(no_prog_exists(ids)), "programs are gone");
}

/* The last entry of a full module is refused: all others are unregistered. */
static void test_max_ops(void)
{
	static char names[BPF_MODULE_MAX_OPS][TCP_CA_NAME_MAX];
	char before[4096], after[4096];
	struct bpf_module_info info;
	struct bm_cc cc;
	int i, fd;

	if (!bm_cc_open(&cc))
		return;
	for (i = 0; i < BPF_MODULE_MAX_OPS; i++) {
		snprintf(names[i], sizeof(names[i]), "bm_max_%d", i);
		bm_cc_add(&cc, names[i]);
	}
	ASSERT_TRUE(bm_tcp_available(before, sizeof(before)), "available before");

	bm_cc_rename(&cc, BPF_MODULE_MAX_OPS - 1, names[0]);
	fd = bm_cc_load(&cc, "bm_max");
	ASSERT_EQ(fd, -EEXIST, "load with the last refused");
	ASSERT_TRUE(bm_tcp_available(after, sizeof(after)), "available after");
	ASSERT_STREQ(after, before, "congestion controls");

	bm_cc_rename(&cc, BPF_MODULE_MAX_OPS - 1, names[BPF_MODULE_MAX_OPS - 1]);
	fd = bm_cc_load(&cc, "bm_max");
	if (ASSERT_OK_FD(fd, "load")) {
		ASSERT_OK(bm_info(fd, &info), "info");
		ASSERT_EQ(info.ops_cnt, BPF_MODULE_MAX_OPS, "ops_cnt");
		ASSERT_EQ(info.prog_cnt, BM_CC_REQUIRED, "prog_cnt");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_TRUE(bm_tcp_available(after, sizeof(after)), "available at the end");
		ASSERT_STREQ(after, before, "congestion controls");
	}
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module_atomic(void)
{
	if (test__start_subtest("refused_first"))
		test_refused_op(0);
	if (test__start_subtest("refused_middle"))
		test_refused_op(1);
	if (test__start_subtest("refused_last"))
		test_refused_op(2);
	if (test__start_subtest("progs_released_refused"))
		test_progs_released(add_ops, -EEXIST);
	if (test__start_subtest("progs_released_invalid"))
		test_progs_released(spoil_op, -EINVAL);
	if (test__start_subtest("order"))
		test_order();
	if (test__start_subtest("validate_first"))
		test_validate_first();
	if (test__start_subtest("user_slips_in"))
		test_user_slips_in();
	if (test__start_subtest("max_ops"))
		test_max_ops();
}
