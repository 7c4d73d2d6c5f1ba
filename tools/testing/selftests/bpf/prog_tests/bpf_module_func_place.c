// SPDX-License-Identifier: GPL-2.0
/*
 * Where functions of a module are called from: callbacks, subprograms, programs that throw
 * or tail-call, programs of a cgroup; and what the place makes of a function that sleeps.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_wait.h"
#include "cgroup_helpers.h"

static int rcu_lock, rcu_unlock;

/* BTF of the callers, with a type for each kind of subprogram. */
static struct bm_lib types;
static int main_type, callback_type, global_type, static_type;

static bool open_types(void)
{
	if (!bm_lib_open(&types))
		return false;
	main_type = bm_lib_func(&types, "main_prog", 0, BTF_FUNC_GLOBAL);
	callback_type = bm_lib_func(&types, "callback", 0, BTF_FUNC_STATIC);
	global_type = bm_lib_func(&types, "global", types.int_id, BTF_FUNC_GLOBAL);
	static_type = bm_lib_func(&types, "inner", types.int_id, BTF_FUNC_STATIC);
	return bm_lib_load_btf(&types);
}

/* A program with a subprogram at instruction @off. */
static struct bm_subs subs_at(int off, int type, __u32 flags)
{
	struct bm_subs subs = { .types = &types, .flags = flags };

	bm_sub(&subs, 0, main_type);
	bm_sub(&subs, off, type);
	return subs;
}

/* Each round of a loop calls it. */
static void test_loop(void)
{
	const struct bm_subs subs = subs_at(8, callback_type, 0);
	int fd;

	fd = BM_CALLER_WITH(XDP, &subs, lib.module_fd,
			    BPF_MOV64_IMM(BPF_REG_1, 10),
			    BPF_LD_IMM64_RAW(BPF_REG_2, BPF_PSEUDO_FUNC, 6),
			    BPF_MOV64_IMM(BPF_REG_3, 0),
			    BPF_MOV64_IMM(BPF_REG_4, 0),
			    BPF_EMIT_CALL(BPF_FUNC_loop),
			    BPF_MOV64_IMM(BPF_REG_0, 2),
			    BPF_EXIT_INSN(),
			    /* the callback */
			    BPF_MOV64_IMM(BPF_REG_1, 1),
			    BM_CALL(1, COUNT),
			    BPF_MOV64_IMM(BPF_REG_0, 0),
			    BPF_EXIT_INSN());
	if (!ASSERT_OK_FD(fd, "bpf_loop()"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 2, "what it returns");
	ASSERT_EQ(counter(), 10, "rounds");
	bm_close(&fd);

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_6, 0),
		       BPF_MOV64_IMM(BPF_REG_1, 1),
		       BM_CALL(1, COUNT),
		       BPF_ALU64_IMM(BPF_ADD, BPF_REG_6, 1),
		       BPF_JMP_IMM(BPF_JLT, BPF_REG_6, 20, -4),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "bounded loop");
	ASSERT_EQ(bm_run(fd), 30, "sum");
	bm_close(&fd);
}

/* A program that may sleep, with a timer whose callback calls function @nr, or its own global
 * function that does.
 */
static int load_with_timer(int map_fd, int nr, bool by_global)
{
	const struct bpf_insn call = BM_CALL(1, nr), call_global = BPF_CALL_REL(2);
	struct bm_subs subs = subs_at(24, callback_type, BPF_F_SLEEPABLE);
	const struct bpf_insn insns[] = {
		BM_FIRST_VALUE(map_fd),
		BPF_LD_MAP_FD(BPF_REG_2, map_fd),
		BPF_MOV64_IMM(BPF_REG_3, CLOCK_MONOTONIC),
		BPF_EMIT_CALL(BPF_FUNC_timer_init),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		BPF_LD_IMM64_RAW(BPF_REG_2, BPF_PSEUDO_FUNC, 8),
		BPF_EMIT_CALL(BPF_FUNC_timer_set_callback),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		BPF_MOV64_IMM(BPF_REG_2, 0),
		BPF_MOV64_IMM(BPF_REG_3, 0),
		BPF_EMIT_CALL(BPF_FUNC_timer_start),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
		/* the callback */
		BPF_MOV64_IMM(BPF_REG_1, 1),
		by_global ? call_global : call,
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
		/* the global function, if there is one */
		call,
		BPF_EXIT_INSN(),
	};

	if (by_global)
		bm_sub(&subs, 28, global_type);
	return bm_caller_with(SYSCALL, &subs, lib.module_fd, insns,
			      ARRAY_SIZE(insns) - (by_global ? 0 : 2));
}

/* A timer's callback does not sleep, even if the program may. */
static void test_timer(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd, map_fd = bm_map_with("bpf_timer", 16);

	ASSERT_OK_FD(map_fd, "map");
	fd = load_with_timer(map_fd, COUNT, false);
	if (!ASSERT_OK_FD(fd, "program"))
		printf("%s\n", bm_prog_log);
	ASSERT_OK(bpf_prog_test_run_opts(fd, &opts), "run");
	ASSERT_TRUE(bm_wait(counter() == 1), "counted by the timer");
	bm_close(&fd);
	fd = load_with_timer(map_fd, SLEEPS, false);
	ASSERT_EQ(fd, -EACCES, "function that sleeps");
	ASSERT_HAS_SUBSTR(bm_prog_log, "function sleeps of module " NAME " may sleep", "log");
	bm_close(&fd);
	fd = load_with_timer(map_fd, SLEEPS, true);
	ASSERT_EQ(fd, -EINVAL, "function that sleeps, by a global function");
	ASSERT_HAS_SUBSTR(bm_prog_log, "global function global()", "log");
	bm_close(&fd);
	bm_close(&map_fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* Since Linux 7.0 the last argument is the verifier's alone. */
static int wq_set_callback(void)
{
	int id = libbpf_find_vmlinux_btf_id("bpf_wq_set_callback", 0);

	return id > 0 ? id : libbpf_find_vmlinux_btf_id("bpf_wq_set_callback_impl", 0);
}

/* A program that may not sleep, with work whose callback calls function @nr, or with @depth
 * its own global function that does, or that has a static one which does.
 */
static int load_with_work(int map_fd, int nr, int depth)
{
	const struct bpf_insn call = BM_CALL(1, nr);
	const struct bpf_insn call_global = BPF_CALL_REL(2), call_static = BPF_CALL_REL(1);
	struct bm_subs subs = subs_at(25, callback_type, 0);
	int init = libbpf_find_vmlinux_btf_id("bpf_wq_init", 0);
	int set = wq_set_callback();
	int start = libbpf_find_vmlinux_btf_id("bpf_wq_start", 0);
	const struct bpf_insn insns[] = {
		BM_FIRST_VALUE(map_fd),
		BPF_LD_MAP_FD(BPF_REG_2, map_fd),
		BPF_MOV64_IMM(BPF_REG_3, 0),
		BM_KFUNC(init),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		BPF_LD_IMM64_RAW(BPF_REG_2, BPF_PSEUDO_FUNC, 9),
		BPF_MOV64_IMM(BPF_REG_3, 0),
		BPF_MOV64_IMM(BPF_REG_4, 0),
		BM_KFUNC(set),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		BPF_MOV64_IMM(BPF_REG_2, 0),
		BM_KFUNC(start),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
		/* the callback */
		BPF_MOV64_IMM(BPF_REG_1, 1),
		depth ? call_global : call,
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
		/* the global function, if there is one */
		depth > 1 ? call_static : call,
		BPF_EXIT_INSN(),
		/* the static one */
		call,
		BPF_EXIT_INSN(),
	};

	if (depth)
		bm_sub(&subs, 29, global_type);
	if (depth > 1)
		bm_sub(&subs, 31, static_type);
	return bm_caller_with(BPF_PROG_TYPE_SCHED_CLS, &subs, lib.module_fd, insns,
			      ARRAY_SIZE(insns) - 2 * (2 - depth));
}

/* That of a work queue may sleep, even if the program may not. */
static void test_work(void)
{
	int i, fd, map_fd = bm_map_with("bpf_wq", 16);

	ASSERT_OK_FD(map_fd, "map");
	fd = load_with_work(map_fd, SLEEPS, 0);
	if (!ASSERT_OK_FD(fd, "function that sleeps"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 0, "run");
	bm_close(&fd);
	fd = load_with_work(map_fd, COUNT, 0);
	ASSERT_EQ(fd, -EACCES, "one that does not");
	ASSERT_HAS_SUBSTR(bm_prog_log, "has to be called in an RCU critical section", "log");
	bm_close(&fd);
	for (i = 1; i <= 2; i++) {
		fd = load_with_work(map_fd, COUNT, i);
		/* at the call of the global function, or when that is verified */
		ASSERT_LT(fd, 0, "one that does not, by a global function");
		ASSERT_HAS_SUBSTR(bm_prog_log, "RCU", "log");
		bm_close(&fd);
	}
	bm_close(&map_fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* A program that calls its own global function, which calls one that sleeps. */
static int load_with_global(bool rcu)
{
	const struct bm_subs subs = subs_at(7, global_type, BPF_F_SLEEPABLE);
	const struct bpf_insn nothing = BPF_MOV64_IMM(BPF_REG_2, 0);
	const struct bpf_insn lock = BM_KFUNC(rcu_lock), unlock = BM_KFUNC(rcu_unlock);

	return BM_CALLER_WITH(SYSCALL, &subs, lib.module_fd,
			      rcu ? lock : nothing,
			      BPF_MOV64_IMM(BPF_REG_1, 1),
			      BPF_CALL_REL(4),
			      BPF_MOV64_REG(BPF_REG_6, BPF_REG_0),
			      rcu ? unlock : nothing,
			      BPF_MOV64_REG(BPF_REG_0, BPF_REG_6),
			      BPF_EXIT_INSN(),
			      /* the global function */
			      BM_CALL(1, SLEEPS),
			      BPF_EXIT_INSN());
}

/* The same with a global function that is in RCU itself when it calls one that does not sleep. */
static int load_with_rcu_in_global(void)
{
	const struct bm_subs subs = subs_at(3, global_type, BPF_F_SLEEPABLE);

	return BM_CALLER_WITH(SYSCALL, &subs, lib.module_fd,
			      BPF_MOV64_IMM(BPF_REG_1, 1),
			      BPF_CALL_REL(1),
			      BPF_EXIT_INSN(),
			      /* the global function */
			      BPF_MOV64_REG(BPF_REG_6, BPF_REG_1),
			      BM_KFUNC(rcu_lock),
			      BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
			      BM_CALL(1, COUNT),
			      BPF_MOV64_REG(BPF_REG_6, BPF_REG_0),
			      BM_KFUNC(rcu_unlock),
			      BPF_MOV64_REG(BPF_REG_0, BPF_REG_6),
			      BPF_EXIT_INSN());
}

/* It makes no difference whether a program calls it, or its own global function does. */
static void test_global(void)
{
	int fd = load_with_global(false);

	if (!ASSERT_OK_FD(fd, "where it may sleep"))
		printf("%s\n", bm_prog_log);
	bm_close(&fd);
	fd = load_with_global(true);
	ASSERT_EQ(fd, -EINVAL, "in an RCU critical section");
	ASSERT_HAS_SUBSTR(bm_prog_log, "global function global()", "log");
	bm_close(&fd);
	fd = load_with_rcu_in_global();
	if (!ASSERT_OK_FD(fd, "one that does not sleep, in RCU"))
		printf("%s\n", bm_prog_log);
	bm_close(&fd);
}

/* A program that throws may call one, a function does not throw. */
static void test_throw(void)
{
	int fd, func, throw = libbpf_find_vmlinux_btf_id("bpf_throw", 0);
	const struct bpf_insn throws[] = {
		BPF_MOV64_IMM(BPF_REG_1, 0), BM_KFUNC(throw),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	struct bm_lib l;

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_1, 7),
		       BM_CALL(1, COUNT),
		       BPF_MOV64_IMM(BPF_REG_1, 2),
		       BM_KFUNC(throw),
		       BPF_MOV64_IMM(BPF_REG_0, 0),
		       BPF_EXIT_INSN());
	if (!ASSERT_OK_FD(fd, "caller that throws"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 2, "what was thrown");
	ASSERT_EQ(counter(), 7, "counted before");
	bm_close(&fd);

	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "throws", l.int_id, BTF_FUNC_GLOBAL);
	if (bm_lib_load_btf(&l)) {
		ASSERT_EQ(bm_func_load(&l, func, 0, NULL, throws, ARRAY_SIZE(throws)), -EACCES,
			  "function that throws");
		ASSERT_HAS_SUBSTR(bm_prog_log, "bpf_throw is not allowed", "log");
	}
	bm_lib_close(&l);
}

/* Counts, then goes on in the first program of the array, with the context in R1. */
#define COUNT_TAIL_CALL(map_fd)			\
	BPF_MOV64_REG(BPF_REG_6, BPF_REG_1),		\
	BPF_MOV64_IMM(BPF_REG_1, 1),			\
	BM_CALL(1, COUNT),				\
	BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),		\
	BPF_LD_MAP_FD(BPF_REG_2, map_fd),		\
	BPF_MOV64_IMM(BPF_REG_3, 0),			\
	BPF_EMIT_CALL(BPF_FUNC_tail_call),		\
	BPF_MOV64_IMM(BPF_REG_0, 5),			\
	BPF_EXIT_INSN()

/* A caller that goes on in another one. */
static void test_tail_call(void)
{
	const struct bm_subs subs = subs_at(2, callback_type, 0);
	int fd, next, key = 0, map_fd;

	map_fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "m", 4, 4, 1, NULL);
	next = load_counting(XDP, 10);
	ASSERT_OK_FD(next, "the other one");
	ASSERT_OK(bpf_map_update_elem(map_fd, &key, &next, 0), "into the prog array");
	fd = BM_CALLER(XDP, lib.module_fd, COUNT_TAIL_CALL(map_fd));
	ASSERT_OK_FD(fd, "caller");
	ASSERT_EQ(bm_run(fd), 11, "sum");

	/* from a subprogram, which passes the tail call counter on */
	bm_close(&fd);
	fd = BM_CALLER_WITH(XDP, &subs, lib.module_fd, BPF_CALL_REL(1), BPF_EXIT_INSN(),
			    COUNT_TAIL_CALL(map_fd));
	if (!ASSERT_OK_FD(fd, "caller with a subprogram"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 22, "sum");
	bm_close(&fd);
	bm_close(&next);
	bm_close(&map_fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* A program of a cgroup. */
static void test_cgroup(void)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int fd, link_fd, cgroup_fd = test__join_cgroup("/bm_func");

	if (!ASSERT_OK_FD(cgroup_fd, "cgroup"))
		return;
	fd = BM_CALLER(BPF_PROG_TYPE_CGROUP_SKB, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_1, 1),
		       BM_CALL(1, COUNT),
		       BPF_MOV64_IMM(BPF_REG_0, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	link_fd = bpf_link_create(fd, cgroup_fd, BPF_CGROUP_INET_EGRESS, &opts);
	ASSERT_OK_FD(link_fd, "attach");
	bm_send_to_self();
	ASSERT_EQ(counter(), 1, "counted");
	bm_close(&link_fd);
	bm_send_to_self();
	ASSERT_EQ(counter(), 1, "not counted any more");
	bm_close(&fd);
	close(cgroup_fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "loop", test_loop },
	{ "timer", test_timer },
	{ "work", test_work },
	{ "global", test_global },
	{ "throw", test_throw },
	{ "tail_call", test_tail_call },
	{ "cgroup", test_cgroup },
};

void serial_test_bpf_module_func_place(void)
{
	int i;

	rcu_lock = libbpf_find_vmlinux_btf_id("bpf_rcu_read_lock", 0);
	rcu_unlock = libbpf_find_vmlinux_btf_id("bpf_rcu_read_unlock", 0);
	if (!open_types())
		goto out;
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		if (ASSERT_TRUE(open_lib(0), "library"))
			tests[i].run();
		bm_lib_close(&lib);
	}
out:
	bm_lib_close(&types);
}
