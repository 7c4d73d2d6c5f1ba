// SPDX-License-Identifier: GPL-2.0
/*
 * What is handed over to a function of a module, on all paths that lead to the call, and
 * what is left afterwards.
 */
#include <bpf/btf.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_type.h"
#include "bpf_module_wait.h"

/* Refuses @insns, with every instruction a place where paths may meet. */
static void refused_where_paths_meet(const struct bpf_insn *insns, int cnt, const char *part)
{
	const int fds[] = { -1, lib.module_fd };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds,
		    .prog_flags = BPF_F_TEST_STATE_FREQ);
	int fd = bm_load_prog(XDP, "bm_caller", insns, cnt, &opts);

	ASSERT_LT(fd, 0, "refused");
	ASSERT_HAS_SUBSTR(bm_prog_log, part, "log");
	bm_close(&fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* The path that is verified first has good arguments, and another has not. */
static void test_paths(void)
{
	const struct bpf_insn no_null[] = {
		BPF_EMIT_CALL(BPF_FUNC_get_prandom_u32),
		BPF_MOV64_IMM(BPF_REG_1, 5),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 7, 1),
		BPF_MOV64_IMM(BPF_REG_1, 0),
		BM_CALL(1, SUM_NULL),
		BPF_EXIT_INSN(),
	};
	const struct bpf_insn pointer[] = {
		BPF_EMIT_CALL(BPF_FUNC_get_prandom_u32),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 7, 1),
		BPF_MOV64_IMM(BPF_REG_1, 0),
		BM_CALL(1, COUNT),
		BPF_EXIT_INSN(),
	};
	const struct bpf_insn scalar[] = {
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -8, 0),
		BPF_EMIT_CALL(BPF_FUNC_get_prandom_u32),
		BPF_MOV64_IMM(BPF_REG_1, 5),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 7, 2),
		BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
		BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -8),
		BM_CALL(1, SUM),
		BPF_EXIT_INSN(),
	};

	refused_where_paths_meet(no_null, ARRAY_SIZE(no_null),
				 "wrong arguments for function sum_null");
	refused_where_paths_meet(pointer, ARRAY_SIZE(pointer),
				 "wrong arguments for function count");
	refused_where_paths_meet(scalar, ARRAY_SIZE(scalar), "wrong arguments for function sum");
}

/* Offset of a member of the kernel's struct task_struct in bytes. */
static int task_member(const char *name)
{
	struct btf *btf = bm_vmlinux_btf();
	int i, id = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), name))
			return btf_member_bit_offset(t, i) / 8;
	ASSERT_TRUE(false, name);
	return 0;
}

/* A library with functions of a task: one that is there, and one that may be NULL. */
static bool open_tasks(struct bm_lib *l)
{
	int task, func, func_null;

	if (!bm_lib_open(l))
		return false;
	task = btf__add_ptr(l->btf, btf__add_struct(l->btf, "task_struct", 0));
	func = bm_lib_func(l, "task", task, BTF_FUNC_GLOBAL);
	bm_lib_tag(l, func, "arg:trusted");
	func_null = bm_lib_func(l, "task_or_null", task, BTF_FUNC_GLOBAL);
	bm_lib_tag(l, func_null, "arg:trusted");
	bm_lib_tag(l, func_null, "arg:nullable");
	return bm_lib_load_btf(l) &&
	       BM_LIB_ADD(l, func, 0, NULL,
			  BPF_LDX_MEM(BPF_W, BPF_REG_1, BPF_REG_1, task_member("pid")),
			  BPF_MOV64_IMM(BPF_REG_0, 3),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(l, func_null, 0, NULL,
			  BPF_MOV64_IMM(BPF_REG_0, 4),
			  BPF_JMP_IMM(BPF_JNE, BPF_REG_1, 0, 1),
			  BPF_EXIT_INSN(),
			  BPF_LDX_MEM(BPF_W, BPF_REG_1, BPF_REG_1, task_member("pid")),
			  BPF_MOV64_IMM(BPF_REG_0, 5),
			  BPF_EXIT_INSN()) &&
	       bm_lib_load(l, "bm_tasks");
}

/* An iterator that calls function @nr with its task, which is NULL at the end. */
static int load_task_iter(int module_fd, int nr)
{
	const int fds[] = { -1, module_fd };
	const struct bpf_insn insns[] = {
		BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_1, 8),
		BM_CALL(1, nr),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds,
		    .expected_attach_type = BPF_TRACE_ITER,
		    .attach_btf_id = libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER));

	return bm_load_prog(BPF_PROG_TYPE_TRACING, "bm_iter", insns, ARRAY_SIZE(insns), &opts);
}

/* A pointer of the kernel is one that it vouches for. */
static void test_trusted(void)
{
	struct bm_lib l;
	int fd;

	if (!open_tasks(&l))
		return;
	fd = BM_CALLER(XDP, l.module_fd,
		       BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf),
		       BPF_MOV64_REG(BPF_REG_6, BPF_REG_0),
		       BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
		       BM_CALL(1, 1),
		       BPF_MOV64_REG(BPF_REG_7, BPF_REG_0),
		       BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		       BM_CALL(1, 2),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_7, BPF_REG_0),
		       BPF_MOV64_IMM(BPF_REG_1, 0),
		       BM_CALL(1, 2),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_7),
		       BPF_EXIT_INSN());
	if (!ASSERT_OK_FD(fd, "trusted, and NULL"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 3 + 5 + 4, "what they return");
	bm_close(&fd);

	BM_CALLER_REFUSED(XDP, l.module_fd, "wrong arguments for function task of",
			  BPF_MOV64_IMM(BPF_REG_1, 0), BM_CALL(1, 1), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, l.module_fd, "wrong arguments for function task_or_null of",
			  BPF_MOV64_IMM(BPF_REG_1, 5), BM_CALL(1, 2), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, l.module_fd, "wrong arguments for function task of",
			  BPF_LD_IMM64_RAW(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, l.map_fd),
			  BM_CALL(1, 1), BPF_EXIT_INSN());
	fd = load_task_iter(l.module_fd, 2);
	if (!ASSERT_OK_FD(fd, "or NULL"))
		printf("%s\n", bm_prog_log);
	bm_close(&fd);
	fd = load_task_iter(l.module_fd, 1);
	ASSERT_EQ(fd, -EACCES, "or NULL, where it is not expected");
	ASSERT_HAS_SUBSTR(bm_prog_log, "wrong arguments for function task of", "log");
	bm_close(&fd);
	/* one that may be freed meanwhile */
	BM_CALLER_REFUSED(XDP, l.module_fd, "arg#0 expects a trusted pointer",
			  BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf),
			  BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_0, task_member("last_wakee")),
			  BM_CALL(1, 1), BPF_EXIT_INSN());
	/* one that is not, but to which no reference can be taken */
	BM_CALLER_REFUSED(XDP, l.module_fd, "arg#0 expects a trusted pointer",
			  BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf),
			  BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_0, task_member("group_leader")),
			  BM_CALL(1, 2), BPF_EXIT_INSN());
	bm_lib_close(&l);
}

/* Registers and stack are as after any call. */
static void test_kept(void)
{
	int fd;

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_MOV64_IMM(BPF_REG_6, 1000),
		       BPF_MOV64_IMM(BPF_REG_7, 200),
		       BPF_MOV64_IMM(BPF_REG_8, 30),
		       BPF_MOV64_IMM(BPF_REG_9, 4),
		       BPF_ST_MEM(BPF_DW, BPF_REG_10, -64, 50000),
		       BPF_MOV64_IMM(BPF_REG_1, 600000),
		       BM_CALL(1, DEEP),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_6),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_7),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_8),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_9),
		       BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_10, -64),
		       BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	ASSERT_EQ(bm_run(fd), 651234, "sum");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd, "R1 !read_ok",
			  BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT),
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_1), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function count of",
			  BM_CALL(1, COUNT), BPF_EXIT_INSN());
	/* what the function wrote over is not what was there */
	BM_CALLER_REFUSED(XDP, lib.module_fd, "invalid access to map value",
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -8, 0),
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -8),
			  BM_CALL(1, SUM),
			  BPF_LDX_MEM(BPF_DW, BPF_REG_1, BPF_REG_10, -8),
			  BPF_ALU64_IMM(BPF_AND, BPF_REG_1, 0xffff),
			  BPF_LD_IMM64_RAW(BPF_REG_2, BPF_PSEUDO_MAP_VALUE, lib.map_fd),
			  BPF_ALU64_REG(BPF_ADD, BPF_REG_2, BPF_REG_1),
			  BPF_LDX_MEM(BPF_B, BPF_REG_0, BPF_REG_2, 0),
			  BPF_EXIT_INSN());
}

/* A function changes no packet: pointers into it stay, and can be arguments. */
static void test_packet(void)
{
	int fd;

	fd = BM_CALLER(XDP, lib.module_fd,
		       BPF_LDX_MEM(BPF_W, BPF_REG_6, BPF_REG_1, 0),
		       BPF_LDX_MEM(BPF_W, BPF_REG_7, BPF_REG_1, 4),
		       BPF_MOV64_REG(BPF_REG_2, BPF_REG_6),
		       BPF_ALU64_IMM(BPF_ADD, BPF_REG_2, 8),
		       BPF_MOV64_IMM(BPF_REG_0, 0),
		       BPF_JMP_REG(BPF_JGT, BPF_REG_2, BPF_REG_7, 6),
		       BPF_MOV64_IMM(BPF_REG_1, 1),
		       BM_CALL(1, COUNT),
		       BPF_ST_MEM(BPF_W, BPF_REG_6, 0, 40),
		       BPF_ST_MEM(BPF_W, BPF_REG_6, 4, 2),
		       BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
		       BM_CALL(1, SUM),
		       BPF_EXIT_INSN());
	if (!ASSERT_OK_FD(fd, "caller"))
		printf("%s\n", bm_prog_log);
	ASSERT_EQ(bm_run(fd), 42, "sum");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd, "wrong arguments for function sum of",
			  BPF_LDX_MEM(BPF_W, BPF_REG_1, BPF_REG_1, 0),	/* unchecked */
			  BM_CALL(1, SUM), BPF_EXIT_INSN());
}

/* What a program can read and not write it cannot have a function write. */
static void test_written(void)
{
	/* of a type for which no other part of the kernel decides on it */
	BM_CALLER_REFUSED(BPF_PROG_TYPE_CGROUP_SKB, lib.module_fd,
			  "only read is supported",
			  BPF_EMIT_CALL(BPF_FUNC_get_current_task_btf),
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_0),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, task_member("start_time")),
			  BM_CALL(1, SUM), BPF_EXIT_INSN());
	BM_CALLER_REFUSED(BPF_PROG_TYPE_CGROUP_SKB, lib.module_fd,
			  "R1 cannot write into packet",
			  BPF_LDX_MEM(BPF_W, BPF_REG_6, BPF_REG_1,
				      offsetof(struct __sk_buff, data)),
			  BPF_LDX_MEM(BPF_W, BPF_REG_7, BPF_REG_1,
				      offsetof(struct __sk_buff, data_end)),
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_6, 8),
			  BPF_MOV64_IMM(BPF_REG_0, 0),
			  BPF_JMP_REG(BPF_JGT, BPF_REG_6, BPF_REG_7, 1),
			  BM_CALL(1, SUM),
			  BPF_MOV64_IMM(BPF_REG_0, 1),
			  BPF_EXIT_INSN());
}

static const struct bm_lib_test tests[] = {
	{ "paths", test_paths },
	{ "trusted", test_trusted },
	{ "kept", test_kept },
	{ "packet", test_packet },
	{ "written", test_written },
};

void serial_test_bpf_module_func_args(void)
{
	bm_lib_run(tests, ARRAY_SIZE(tests));
}
