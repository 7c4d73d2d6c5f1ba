// SPDX-License-Identifier: GPL-2.0
/*
 * A module exports functions, programs that are loaded later call them: one copy of code
 * and state, with all checked that a call depends on.
 */
#include <bpf/btf.h>
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_wait.h"

static int rcu_lock, rcu_unlock, preempt_disable;

/* Programs of different types share code and state. */
static void test_shared(void)
{
	static const enum bpf_prog_type types[] = {
		BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER,
	};
	int i, fd[ARRAY_SIZE(types)];

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd[i] = load_counting(types[i], 10);
		ASSERT_OK_FD(fd[i], "caller");
	}
	check_users(ARRAY_SIZE(types));
	for (i = 0; i < ARRAY_SIZE(types); i++)
		ASSERT_EQ(bm_run(fd[i]), 10 * (i + 1), "sum");
	ASSERT_EQ(counter(), 10 * ARRAY_SIZE(types), "counter");
	for (i = 0; i < ARRAY_SIZE(types); i++)
		bm_close(&fd[i]);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

static int attach_fentry(const char *func, int prog_type, enum bpf_attach_type type, int *prog_fd)
{
	const int fds[] = { -1, lib.module_fd };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1),
		BM_CALL(1, COUNT),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .expected_attach_type = type,
		    .attach_btf_id = libbpf_find_vmlinux_btf_id(func, type));

	*prog_fd = bm_load_prog(prog_type, "bm_tracer", insns, ARRAY_SIZE(insns), &opts);
	if (!ASSERT_OK_FD(*prog_fd, "tracer")) {
		printf("%s\n", bm_prog_log);
		return -1;
	}
	return bpf_raw_tracepoint_open(NULL, *prog_fd);
}

static int perf_kprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	int type = -1;

	if (ASSERT_OK_PTR(file, "type of kprobes")) {
		ASSERT_EQ(fscanf(file, "%d", &type), 1, "type of kprobes");
		fclose(file);
	}
	return type;
}

static int attach_kprobe(int *prog_fd)
{
	const int fds[] = { -1, lib.module_fd };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1000),
		BM_CALL(1, COUNT),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	struct perf_event_attr attr = {
		.size = sizeof(attr), .kprobe_func = ptr_to_u64("bpf_fentry_test1"),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	int event_fd, link_fd;

	*prog_fd = bm_load_prog(BPF_PROG_TYPE_KPROBE, "bm_kprobe", insns, ARRAY_SIZE(insns), &opts);
	if (!ASSERT_OK_FD(*prog_fd, "kprobe"))
		return -1;
	attr.type = perf_kprobe_type();
	event_fd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (!ASSERT_OK_FD(event_fd, "perf event"))
		return -1;
	link_fd = bpf_link_create(*prog_fd, event_fd, BPF_PERF_EVENT, NULL);
	close(event_fd);
	return link_fd;
}

/* Those that run at places in the kernel do, too. */
static void test_traced(void)
{
	int fentry, fentry_link, kprobe, kprobe_link, lsm, lsm_link, xdp;
	__u64 before;

	fentry_link = attach_fentry("bpf_fentry_test1", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY,
				    &fentry);
	ASSERT_OK_FD(fentry_link, "attach fentry");
	before = counter();
	bm_run(fentry);
	ASSERT_GT(counter(), before, "counted by fentry");

	kprobe_link = attach_kprobe(&kprobe);
	ASSERT_OK_FD(kprobe_link, "attach kprobe");
	before = counter();
	bm_run(fentry);
	ASSERT_GE(counter(), before + 1000, "counted by kprobe");
	bm_close(&kprobe_link);
	bm_close(&kprobe);

	lsm_link = attach_fentry("bpf", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, &lsm);
	ASSERT_OK_FD(lsm_link, "attach lsm");
	before = counter();
	xdp = load_counting(XDP, 1);
	ASSERT_OK_FD(xdp, "caller");
	ASSERT_GT(counter(), before, "counted by lsm");
	bm_close(&lsm_link);
	bm_close(&fentry_link);
	bm_close(&lsm);
	bm_close(&fentry);
	bm_close(&xdp);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

static void test_number(void)
{
	BM_CALLER_REFUSED(XDP, lib.module_fd, "none with number 0",
			  BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 0), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "none with number 7",
			  BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, FUNCS + 1), BPF_EXIT_INSN());
}

/* Arguments of all kinds that are not those of the prototype. */
static void test_args(void)
{
	int fd;

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_ST_MEM(BPF_W, BPF_REG_10, -8, 30),
		       BPF_ST_MEM(BPF_W, BPF_REG_10, -4, 12),
		       BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
		       BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -8),
		       BM_CALL(1, SUM),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "good pointer");
	ASSERT_EQ(bm_run(fd), 42, "sum");
	bm_close(&fd);
	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_1, 0),
		       BM_CALL(1, SUM_NULL),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "good NULL");
	ASSERT_EQ(bm_run(fd), 99, "of NULL");
	bm_close(&fd);

	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function count of module " NAME,
			  BM_CALL(1, COUNT), BPF_EXIT_INSN());	/* the context */
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function sum of module " NAME,
			  BM_CALL(1, SUM), BPF_EXIT_INSN());	/* the context */
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function sum of",
			  BPF_MOV64_IMM(BPF_REG_1, 5), BM_CALL(1, SUM), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function sum of",
			  BPF_MOV64_IMM(BPF_REG_1, 0), BM_CALL(1, SUM), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function sum of",
			  BPF_ST_MEM(BPF_W, BPF_REG_10, -4, 12),	/* too small */
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -4),
			  BM_CALL(1, SUM), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function sum of",
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -8, 0),	/* may be NULL */
			  BPF_MOV64_REG(BPF_REG_2, BPF_REG_10),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_2, -8),
			  BPF_LD_MAP_FD(BPF_REG_1, lib.map_fd),
			  BPF_EMIT_CALL(BPF_FUNC_map_lookup_elem),
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
			  BM_CALL(1, SUM), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function count of",
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
			  BM_CALL(1, COUNT), BPF_EXIT_INSN());
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* The function would take a dynptr of a packet for one of memory. */
static void test_dynptr(void)
{
	int fd, from_xdp = libbpf_find_vmlinux_btf_id("bpf_dynptr_from_xdp", 0);

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_LD_IMM64_RAW(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, lib.map_fd),
		       BPF_MOV64_IMM(BPF_REG_2, 8),
		       BPF_MOV64_IMM(BPF_REG_3, 0),
		       BPF_MOV64_REG(BPF_REG_4, BPF_REG_10),
		       BPF_ALU64_IMM(BPF_ADD, BPF_REG_4, -16),
		       BPF_EMIT_CALL(BPF_FUNC_dynptr_from_mem),
		       BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
		       BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -16),
		       BM_CALL(1, DYN),
		       BPF_EXIT_INSN());
	if (!ASSERT_OK_FD(fd, "of memory"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 7, "what it returns");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd, "arg#0 expects a dynptr to local memory",
			  BPF_MOV64_IMM(BPF_REG_2, 0),
			  BPF_MOV64_REG(BPF_REG_3, BPF_REG_10),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_3, -16),
			  BM_KFUNC(from_xdp),
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -16),
			  BM_CALL(1, DYN),
			  BPF_EXIT_INSN());
}

/* A function that may sleep, and one that was verified as if it cannot, at all places. */
static void test_sleep(void)
{
	int fd;

	fd = BM_CALLER(SYSCALL, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, SLEEPS), BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "both sleepable");
	bm_close(&fd);
	fd = BM_CALLER(SYSCALL, lib.module_fd,
		       BM_KFUNC(rcu_lock),
		       BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, COUNT),
		       BPF_MOV64_REG(BPF_REG_6, BPF_REG_0),
		       BM_KFUNC(rcu_unlock),
		       BPF_MOV64_REG(BPF_REG_0, BPF_REG_6), BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "in RCU");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd, "function sleeps of module " NAME " may sleep",
			  BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, SLEEPS), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(SYSCALL, lib.module_fd, "cannot be called in an RCU critical section",
			  BM_KFUNC(rcu_lock),
			  BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, SLEEPS),
			  BM_KFUNC(rcu_unlock),
			  BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(SYSCALL, lib.module_fd, "has to be called in an RCU critical section",
			  BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, COUNT), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "with preemption disabled",
			  BM_KFUNC(preempt_disable),
			  BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, COUNT), BPF_EXIT_INSN());
}

/* Stack over the whole chain: 448 bytes of the function, and the caller's. */
static void test_stack(void)
{
	int fd;

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_ST_MEM(BPF_DW, BPF_REG_10, -64, 1),
		       BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, DEEP), BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "512 bytes");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd, "with function deep of module " NAME " is 528",
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -80, 1),
			  BPF_MOV64_IMM(BPF_REG_1, 3), BM_CALL(1, DEEP), BPF_EXIT_INSN());
}

/* The same over three libraries, and what depends on what. */
static void test_chain(void)
{
	struct bm_lib second = {}, third = {};
	struct bpf_module_info info;
	__u32 len = sizeof(info), dep = 0;
	int fd;

	ASSERT_TRUE(open_chain(&second, "bm_lib2", lib.module_fd, DEEP, 32), "480 bytes");
	ASSERT_FALSE(open_chain(&third, "bm_lib3", second.module_fd, 1, 48), "528 bytes");
	ASSERT_HAS_SUBSTR(bm_prog_log, "Too large", "log");
	bm_lib_close(&third);
	ASSERT_TRUE(open_chain(&third, "bm_lib3", second.module_fd, 1, 16), "496 bytes");
	fd = BM_CALLER(XDP, third.module_fd,
		       BPF_ST_MEM(BPF_DW, BPF_REG_10, -16, 1),
		       BPF_MOV64_IMM(BPF_REG_1, 77), BM_CALL(1, 1), BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "512 bytes");
	ASSERT_EQ(bm_run(fd), 77, "what it returns");
	BM_CALLER_REFUSED(XDP, third.module_fd, "function link of module bm_lib3 is 528",
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -32, 1),
			  BPF_MOV64_IMM(BPF_REG_1, 77), BM_CALL(1, 1), BPF_EXIT_INSN());

	memset(&info, 0, sizeof(info));
	info.dep_ids = ptr_to_u64(&dep);
	info.deps_cnt = 1;
	ASSERT_OK(bpf_module_get_info_by_fd(third.module_fd, &info, &len), "info");
	ASSERT_EQ(info.deps_cnt, 1, "modules that it depends on");
	ASSERT_EQ(dep, bm_find("bm_lib2"), "which one");
	ASSERT_EQ(bm_users(second.module_fd), 1, "users of the second");
	ASSERT_EQ(bpf_module_unload(second.module_fd, NULL), -EBUSY, "unload the second");
	bm_close(&fd);
	bm_lib_close(&third);
	bm_lib_close(&second);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* Loads @l as module @name of one function, which has subprograms and uses @stack bytes. */
static bool load_with_subprogs(struct bm_lib *l, const char *name, const struct bpf_insn *insns,
			       int cnt, struct bpf_prog_load_opts *opts, __u32 stack)
{
	struct bpf_module_func_info func = {};
	struct bpf_module_info info;
	int fd;

	opts->prog_btf_fd = l->btf_fd;
	fd = bm_load_prog(BPF_PROG_TYPE_MODULE_FUNC, name, insns, cnt, opts);
	if (!ASSERT_OK_FD(fd, "function"))
		printf("%s\n", bm_prog_log);
	l->prog[l->cnt++] = fd;
	if (!bm_lib_load(l, name))
		return false;
	ASSERT_OK(bm_func_info(l->module_fd, &info, &func, 1), "info");
	ASSERT_EQ(func.stack_depth, stack, "stack");
	return true;
}

/* A function with a subprogram, whose stack and frame count. */
static void test_subprog(void)
{
	const struct bpf_insn insns[] = {
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -32, 1),
		BPF_CALL_REL(2),
		BPF_ALU64_IMM(BPF_ADD, BPF_REG_0, 1),
		BPF_EXIT_INSN(),
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -64, 1),
		BPF_MOV64_REG(BPF_REG_0, BPF_REG_1),
		BPF_EXIT_INSN(),
	};
	struct bpf_func_info info[] = { { .insn_off = 0 }, { .insn_off = 4 } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .func_info = info, .func_info_cnt = 2,
		    .func_info_rec_size = sizeof(info[0]));
	struct bm_lib l;
	int fd;

	if (!bm_lib_open(&l))
		return;
	info[0].type_id = bm_lib_func(&l, "outer", l.int_id, BTF_FUNC_GLOBAL);
	info[1].type_id = bm_lib_func(&l, "inner", l.int_id, BTF_FUNC_STATIC);
	if (!bm_lib_load_btf(&l))
		return;
	if (!load_with_subprogs(&l, "bm_subprog", insns, ARRAY_SIZE(insns), &opts, 96))
		return;
	fd = BM_CALLER(XDP, l.module_fd, BPF_MOV64_IMM(BPF_REG_1, 5), BM_CALL(1, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	ASSERT_EQ(bm_run(fd), 6, "what it returns");
	bm_close(&fd);
	bm_lib_close(&l);
}

/* Of the paths through a function the deepest counts, and not the last. */
static void test_deepest(void)
{
	const struct bpf_insn insns[] = {
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -32, 1),
		BPF_CALL_REL(2),
		BPF_CALL_REL(4),
		BPF_EXIT_INSN(),
		/* the deep one, which calls the next */
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -64, 1),
		BPF_CALL_REL(1),
		BPF_EXIT_INSN(),
		BPF_MOV64_IMM(BPF_REG_0, 4),
		BPF_EXIT_INSN(),
	};
	struct bpf_func_info info[] = { { .insn_off = 0 }, { .insn_off = 4 }, { .insn_off = 7 } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .func_info = info, .func_info_cnt = 3,
		    .func_info_rec_size = sizeof(info[0]));
	int i, fd, max = bm_max_frames();
	struct bm_lib l;

	if (!bm_lib_open(&l))
		return;
	info[0].type_id = bm_lib_func(&l, "deepest", l.int_id, BTF_FUNC_GLOBAL);
	for (i = 1; i < ARRAY_SIZE(info); i++)
		info[i].type_id = bm_lib_func(&l, i == 1 ? "deep" : "flat", 0, BTF_FUNC_STATIC);
	if (!bm_lib_load_btf(&l))
		return;
	if (!load_with_subprogs(&l, "bm_deepest", insns, ARRAY_SIZE(insns), &opts, 32 + 64))
		return;
	/* three frames are the function's */
	fd = bm_caller_deep(l.module_fd, max - 3, BM_CALL(1, 1));
	ASSERT_OK_FD(fd, "as many frames as there may be");
	ASSERT_EQ(bm_run(fd), 4, "what it returns");
	bm_close(&fd);
	bm_deep_refused(l.module_fd, max - 2, max + 1);
	bm_lib_close(&l);
}

/* Calls from a subprogram of the caller. */
static void test_from_subprog(void)
{
	int fd;

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_1, 5),
		       BPF_CALL_REL(1),
		       BPF_EXIT_INSN(),
		       BPF_ST_MEM(BPF_DW, BPF_REG_10, -48, 1),
		       BM_CALL(1, DEEP),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "512 bytes");
	ASSERT_EQ(bm_run(fd), 5, "what it returns");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd, "with function deep of module " NAME " is 528",
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -16, 1),
			  BPF_MOV64_IMM(BPF_REG_1, 5),
			  BPF_CALL_REL(1),
			  BPF_EXIT_INSN(),
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -64, 1),
			  BM_CALL(1, DEEP),
			  BPF_EXIT_INSN());
}

/* As many frames in all as in one program. */
static void test_frames(void)
{
	struct bm_lib libs[BM_FRAMES_END];
	int i, fd, cnt = bm_max_frames() - 2; /* without count() and the caller */
	char name[24];

	for (i = 0; i < cnt; i++) {
		snprintf(name, sizeof(name), "bm_frame%d", i);
		if (!ASSERT_TRUE(open_chain(&libs[i], name, i ? libs[i - 1].module_fd :
					    lib.module_fd, i ? 1 : COUNT, 8), name))
			return;
	}
	fd = bm_caller_deep(libs[cnt - 1].module_fd, 1, BM_CALL(1, 1));
	ASSERT_OK_FD(fd, "as many frames as there may be");
	ASSERT_EQ(bm_run(fd), 5, "what it returns");
	bm_close(&fd);
	ASSERT_TRUE(open_chain(&libs[cnt], "bm_frames", libs[cnt - 1].module_fd, 1, 8),
		    "a library that uses all");
	bm_deep_refused(libs[cnt].module_fd, 1, cnt + 3);
	for (i = cnt; i >= 0; i--)
		bm_lib_close(&libs[i]);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

static int map_arena(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE,
		    .map_extra = 1ULL << 44);

	return bpf_map_create(BPF_MAP_TYPE_ARENA, "bm_arena", 0, 0, 1, &opts);
}

/* A pointer to an arena is one to the same. */
static void test_arena(void)
{
	int func, fd, arena = map_arena(), other = map_arena();
	struct bm_lib l;

	if (!ASSERT_OK_FD(arena, "arena") || !bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "arena", btf__add_ptr(l.btf, l.int_id), BTF_FUNC_GLOBAL);
	bm_lib_tag(&l, func, "arg:arena");
	if (!bm_lib_load_btf(&l) ||
	    !BM_LIB_ADD(&l, func, 0, NULL, BPF_LD_MAP_FD(BPF_REG_2, arena),
			BPF_MOV64_IMM(BPF_REG_0, 3), BPF_EXIT_INSN()) ||
	    !bm_lib_load(&l, "bm_arena"))
		return;
	fd = BM_CALLER(XDP, l.module_fd, BPF_LD_MAP_FD(BPF_REG_2, arena),
		       BPF_MOV64_IMM(BPF_REG_1, 0), BM_CALL(1, 1), BPF_EXIT_INSN());
	if (!ASSERT_OK_FD(fd, "the same"))
		printf("%s\n", bm_prog_log);
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, l.module_fd, "an arena, which is not that of the program",
			  BPF_LD_MAP_FD(BPF_REG_2, other),
			  BPF_MOV64_IMM(BPF_REG_1, 0), BM_CALL(1, 1), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, l.module_fd, "an arena, which is not that of the program",
			  BPF_MOV64_IMM(BPF_REG_1, 0), BM_CALL(1, 1), BPF_EXIT_INSN());
	bm_lib_close(&l);
	bm_close(&arena);
	bm_close(&other);
}

/* The number of a function is not taken for the id of a kernel function, nor is the id in
 * a crafted BTF.
 */
static void test_crafted(void)
{
	static const char * const names[] = { "bpf_wq_set_callback_impl", "bpf_throw",
					      "bpf_rbtree_add_impl", "bpf_rcu_read_lock" };
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		int id = libbpf_find_vmlinux_btf_id(names[i], 0);

		bm_lib_close(&lib);
		if (!ASSERT_GT(id, 0, names[i]) || !ASSERT_TRUE(open_lib(id), "crafted"))
			return;
		fd = load_counting(XDP, 4);
		ASSERT_OK_FD(fd, "caller");
		ASSERT_EQ(bm_run(fd), 4, "sum");
		bm_close(&fd);
		BM_CALLER_REFUSED(XDP, lib.module_fd, "none with number",
				  BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, id), BPF_EXIT_INSN());
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "shared", test_shared },
	{ "traced", test_traced },
	{ "number", test_number },
	{ "args", test_args },
	{ "dynptr", test_dynptr },
	{ "sleep", test_sleep },
	{ "stack", test_stack },
	{ "chain", test_chain },
	{ "subprog", test_subprog },
	{ "deepest", test_deepest },
	{ "from_subprog", test_from_subprog },
	{ "frames", test_frames },
	{ "arena", test_arena },
	{ "crafted", test_crafted },
};

void serial_test_bpf_module_func(void)
{
	int i;

	rcu_lock = libbpf_find_vmlinux_btf_id("bpf_rcu_read_lock", 0);
	rcu_unlock = libbpf_find_vmlinux_btf_id("bpf_rcu_read_unlock", 0);
	preempt_disable = libbpf_find_vmlinux_btf_id("bpf_preempt_disable", 0);
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		if (ASSERT_TRUE(open_lib(0), "library"))
			tests[i].run();
		bm_lib_close(&lib);
	}
}
