/* SPDX-License-Identifier: GPL-2.0 */
/* A library with a function of each kind, which many tests of functions load. */
#ifndef __BPF_MODULE_FUNC_LIB_H
#define __BPF_MODULE_FUNC_LIB_H

#include <bpf/btf.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_func.h"
#include "bpf_module_info.h"
#include "bpf_module_syscall.h"
#include "bpf_module_unload.h"

/* The library of the tests. */
#define NAME "bm_lib"
#define XDP BPF_PROG_TYPE_XDP
#define SYSCALL BPF_PROG_TYPE_SYSCALL

enum {
	COUNT = 1,	/* int count(int n): adds n to the counter, returns the sum */
	SUM,		/* int sum(struct bm_key *k): not NULL */
	SUM_NULL,	/* int sum_null(struct bm_key *k): -1 for NULL */
	SLEEPS,		/* int sleeps(int n): may sleep */
	DEEP,		/* int deep(int n): 448 bytes of stack */
	DYN,		/* int dyn(struct bpf_dynptr *d) */
	FUNCS = DYN,
};

static struct bm_lib lib;
static inline bool add_functions(const int *func)
{
	return BM_LIB_ADD(&lib, func[COUNT], 0, NULL,
			  BPF_LD_IMM64_RAW(BPF_REG_2, BPF_PSEUDO_MAP_VALUE, lib.map_fd),
			  BPF_MOV64_REG(BPF_REG_3, BPF_REG_1),
			  BPF_ATOMIC_OP(BPF_DW, BPF_ADD | BPF_FETCH, BPF_REG_2, BPF_REG_3, 0),
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_3),
			  BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_1),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[SUM], 0, NULL,
			  BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, 0),
			  BPF_LDX_MEM(BPF_W, BPF_REG_2, BPF_REG_1, 4),
			  BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_2),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[SUM_NULL], 0, NULL,
			  BPF_MOV64_IMM(BPF_REG_0, 99),
			  BPF_JMP_IMM(BPF_JEQ, BPF_REG_1, 0, 1),
			  BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, 0),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[SLEEPS], BPF_F_SLEEPABLE, NULL,
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_1),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[DEEP], 0, NULL,
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -448, 1),
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_1),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[DYN], 0, NULL,
			  BPF_MOV64_IMM(BPF_REG_0, 7),
			  BPF_EXIT_INSN());
}

/* Types of the functions. @pad puts that of count() at this id of its BTF, 0 for anywhere. */
static inline bool add_types(int *func, int pad)
{
	while (pad && (int)btf__type_cnt(lib.btf) < pad - 1)
		btf__add_const(lib.btf, lib.int_id);
	func[COUNT] = bm_lib_func(&lib, "count", lib.int_id, BTF_FUNC_GLOBAL);
	func[SUM] = bm_lib_func(&lib, "sum", lib.key_ptr, BTF_FUNC_GLOBAL);
	bm_lib_tag(&lib, func[SUM], "arg:nonnull");
	func[SUM_NULL] = bm_lib_func(&lib, "sum_null", lib.key_ptr, BTF_FUNC_GLOBAL);
	func[SLEEPS] = bm_lib_func(&lib, "sleeps", lib.int_id, BTF_FUNC_GLOBAL);
	func[DEEP] = bm_lib_func(&lib, "deep", lib.int_id, BTF_FUNC_GLOBAL);
	func[DYN] = bm_lib_func(&lib, "dyn", lib.dynptr_ptr, BTF_FUNC_GLOBAL);
	return ASSERT_TRUE(!pad || func[COUNT] == pad, "place in BTF") && bm_lib_load_btf(&lib);
}

static inline bool open_lib(int pad)
{
	int func[FUNCS + 1];

	return bm_lib_open(&lib) && add_types(func, pad) && add_functions(func) &&
	       bm_lib_load(&lib, NAME);
}

static inline __u64 first_value(int map_fd)
{
	__u32 key = 0;
	__u64 value = 0;

	bpf_map_lookup_elem(map_fd, &key, &value);
	return value;
}

static inline __u64 counter(void)
{
	return first_value(lib.map_fd);
}

/* A program that adds @n and returns the sum. */
static inline int load_counting(enum bpf_prog_type type, int n)
{
	return BM_CALLER(type, lib.module_fd,
			 BPF_MOV64_IMM(BPF_REG_1, n),
			 BM_CALL(1, COUNT),
			 BPF_EXIT_INSN());
}

static inline void check_users(int users)
{
	ASSERT_EQ(bm_users(lib.module_fd), users, "users");
}

/* A library that calls deep() with @stack bytes of its own; false if that is refused. */
static inline bool open_chain(struct bm_lib *next, const char *name, int module_fd, int nr,
			      int stack)
{
	const int fds[] = { -1, module_fd };
	const struct bpf_insn insns[] = {
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -stack, 1),
		BM_CALL(1, nr),
		BPF_EXIT_INSN(),
	};
	int func, fd;

	if (!bm_lib_open(next))
		return false;
	func = bm_lib_func(next, "link", next->int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(next))
		return false;
	fd = bm_func_load(next, func, 0, fds, insns, ARRAY_SIZE(insns));
	if (fd < 0)
		return false;
	next->prog[next->cnt++] = fd;
	return bm_lib_load(next, name);
}

static inline void refused(struct bm_lib *l, union bpf_attr *attr, int err, const char *part)
{
	int fd;

	memset(l->log, 0, sizeof(l->log));
	fd = bm_sys_bpf(BPF_MODULE_LOAD, attr, sizeof(*attr));
	ASSERT_EQ(fd, err, part);
	ASSERT_HAS_SUBSTR(l->log, part, "log");
	if (fd >= 0)
		bm_drain(fd);
	bm_close(&fd);
}

struct bm_lib_test {
	const char *name;
	void (*run)(void);
};

/* Each with the library loaded anew. */
static inline void bm_lib_run(const struct bm_lib_test *tests, int cnt)
{
	int i;

	for (i = 0; i < cnt; i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		if (ASSERT_TRUE(open_lib(0), "library"))
			tests[i].run();
		bm_lib_close(&lib);
	}
}

#endif /* __BPF_MODULE_FUNC_LIB_H */
