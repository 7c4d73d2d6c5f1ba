// SPDX-License-Identifier: GPL-2.0
/*
 * What can be a function of a module, and what no function can be.
 */
#include <bpf/btf.h>
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_syscall.h"
#include "bpf_module_type.h"

/* Loads a function whose code mentions the map. */
static int load_with_map(struct bm_lib *l, int func, int map_fd)
{
	const struct bpf_insn insns[] = {
		BPF_LD_MAP_FD(BPF_REG_1, map_fd),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};

	return bm_func_load(l, func, 0, NULL, insns, ARRAY_SIZE(insns));
}

static void expect_no_map(struct bm_lib *l, int func, int map_fd, const char *why)
{
	ASSERT_OK_FD(map_fd, "map");
	ASSERT_EQ(load_with_map(l, func, map_fd), -EINVAL, why);
	ASSERT_HAS_SUBSTR(bm_prog_log, why, "log");
	close(map_fd);
}

/* It would hold the programs of its ops, which can be callers. */
static int bm_struct_ops_map(void)
{
	struct btf *btf = bm_vmlinux_btf();
	int id = btf__find_by_name_kind(btf, "bpf_struct_ops_tcp_congestion_ops", BTF_KIND_STRUCT);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_fd = lib.btf_fd,
		    .btf_vmlinux_value_type_id = id);
	int fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, "m", 4, btf__type_by_id(btf, id)->size, 1,
				&opts);

	ASSERT_OK_FD(fd, "struct_ops map");
	return fd;
}

/* Nor can a map be used that holds programs, or holds them while a timer is armed. */
static void check_maps(struct bm_lib *l, int func)
{
	static const struct {
		enum bpf_map_type type;
		__u32 value_size;
	} programs[] = {
		{ BPF_MAP_TYPE_PROG_ARRAY, 4 },
		{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4 },
		{ BPF_MAP_TYPE_DEVMAP, 8 },
		{ BPF_MAP_TYPE_DEVMAP_HASH, 8 },
		{ BPF_MAP_TYPE_CPUMAP, 8 },
		{ BPF_MAP_TYPE_SOCKMAP, 4 },
		{ BPF_MAP_TYPE_SOCKHASH, 4 },
	};
	static const enum bpf_map_type storage[] = {
		BPF_MAP_TYPE_CGROUP_STORAGE, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
	};
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	const __u32 key_size = sizeof(struct bpf_cgroup_storage_key);
	int i, inner;

	for (i = 0; i < ARRAY_SIZE(programs); i++)
		expect_no_map(l, func, bpf_map_create(programs[i].type, "m", 4,
						      programs[i].value_size, 1, NULL),
			      "can hold programs");
	inner = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "m", 4, 8, 1, NULL);
	opts.inner_map_fd = inner;
	expect_no_map(l, func, bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "m", 4, 4, 1, &opts),
		      "can hold programs");
	close(inner);
	for (i = 0; i < ARRAY_SIZE(storage); i++)
		expect_no_map(l, func, bpf_map_create(storage[i], "m", key_size, 8, 0, NULL),
			      "attached to a cgroup");
	expect_no_map(l, func, bm_map_with("bpf_timer", 16), "has timers or work queues");
	expect_no_map(l, func, bm_map_with("bpf_wq", 16), "has timers or work queues");
}

/* What no function can be. */
static void test_refused_func(void)
{
	const struct bpf_insn tail[] = {
		BPF_MOV64_IMM(BPF_REG_2, 0), BPF_MOV64_IMM(BPF_REG_3, 0),
		BPF_EMIT_CALL(BPF_FUNC_tail_call),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	const struct bpf_insn pointer[] = { BPF_MOV64_REG(BPF_REG_0, BPF_REG_10), BPF_EXIT_INSN() };
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	struct bpf_func_info info = {};
	LIBBPF_OPTS(bpf_prog_load_opts, no_btf);
	LIBBPF_OPTS(bpf_prog_load_opts, attached, .func_info = &info, .func_info_cnt = 1,
		    .func_info_rec_size = sizeof(info),
		    .expected_attach_type = BPF_CGROUP_INET_EGRESS);
	int func, fn_static, fn_ctx;
	struct bm_lib l;

	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "func", l.int_id, BTF_FUNC_GLOBAL);
	fn_static = bm_lib_func(&l, "fn_static", l.int_id, BTF_FUNC_STATIC);
	fn_ctx = bm_lib_func(&l, "fn_ctx", btf__add_ptr(l.btf, 0), BTF_FUNC_GLOBAL);
	bm_lib_tag(&l, fn_ctx, "arg:ctx");
	if (!bm_lib_load_btf(&l))
		return;

	check_maps(&l, func);
	ASSERT_EQ(bm_func_load(&l, func, 0, NULL, tail, ARRAY_SIZE(tail)), -EINVAL, "tail call");
	ASSERT_EQ(bm_func_load(&l, func, 0, NULL, pointer, ARRAY_SIZE(pointer)), -EINVAL,
		  "returns a pointer");
	ASSERT_HAS_SUBSTR(bm_prog_log, "is not a scalar", "log");
	ASSERT_EQ(bm_func_load(&l, fn_static, 0, NULL, zero, ARRAY_SIZE(zero)), -EINVAL, "static");
	ASSERT_HAS_SUBSTR(bm_prog_log, "in which they are global", "log");
	ASSERT_EQ(bm_func_load(&l, fn_ctx, 0, NULL, zero, ARRAY_SIZE(zero)), -EINVAL, "context");
	ASSERT_HAS_SUBSTR(bm_prog_log, "arg#0 is a context", "log");
	ASSERT_EQ(bm_load_prog(BPF_PROG_TYPE_MODULE_FUNC, "f", zero, ARRAY_SIZE(zero), &no_btf),
		  -EINVAL, "no BTF");
	info.type_id = func;
	attached.prog_btf_fd = l.btf_fd;
	ASSERT_EQ(bm_load_prog(BPF_PROG_TYPE_MODULE_FUNC, "f", zero, ARRAY_SIZE(zero), &attached),
		  -EINVAL, "type of attachment");
	bm_lib_close(&l);
}

/* What LOAD does not take, and what it takes without. */
static void test_refused_load(void)
{
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	struct bpf_module_func funcs[4] = {};
	char long_name[1024] = {};
	union bpf_attr attr;
	struct bm_lib l;
	int func, fd;

	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "func", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l) || !bm_lib_add(&l, func, 0, NULL, zero, ARRAY_SIZE(zero)))
		return;

	bm_lib_attr(&l, "bm_bad", &attr, funcs);
	attr.module_load.btf_fd = 0;
	refused(&l, &attr, -EINVAL, "functions need the BTF");
	attr.module_load.btf_fd = lib.btf_fd;
	refused(&l, &attr, -EINVAL, "was loaded with another BTF");
	attr.module_load.btf_fd = l.btf_fd;
	attr.module_load.funcs_size = 8;
	refused(&l, &attr, -EINVAL, "funcs_size is 8 bytes");
	attr.module_load.funcs_size = sizeof(*funcs);
	attr.module_load.funcs_cnt = BPF_MODULE_MAX_FUNCS + 1;
	refused(&l, &attr, -E2BIG, "257 functions, expected at most 256");
	attr.module_load.funcs_cnt = 2;
	funcs[1] = funcs[0];
	refused(&l, &attr, -EINVAL, "function #1: #0 has the name func already");
	attr.module_load.funcs_cnt = 1;
	funcs[0].flags = 1;
	refused(&l, &attr, -EINVAL, "function #0: unknown flags 0x1");
	funcs[0].flags = 0;
	funcs[0].name = ptr_to_u64("other");
	refused(&l, &attr, -EINVAL, "not of the name in BTF, which is func");
	funcs[0].name = 8; /* nothing is there */
	refused(&l, &attr, -EFAULT, "function #0: name cannot be read");
	memset(long_name, 'a', sizeof(long_name) - 1);
	funcs[0].name = ptr_to_u64(long_name);
	refused(&l, &attr, -EINVAL, "function #0: name cannot be read, or has 512 characters");
	funcs[0].name = ptr_to_u64("func");
	funcs[0].prog_fd = load_counting(XDP, 1);
	refused(&l, &attr, -EINVAL, "is not a program of type module_func");
	close(funcs[0].prog_fd);
	funcs[0].prog_fd = l.prog[0];
	attr.module_load.btf_fd = lib.btf_fd;
	funcs[0].prog_fd = lib.prog[0];
	funcs[0].name = 0;
	refused(&l, &attr, -EBUSY, "belongs to another module");

	bm_lib_attr(&l, "bm_good", &attr, funcs);
	funcs[0].name = ptr_to_u64("func");
	fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	ASSERT_OK_FD(fd, "load");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_close(&fd);
	fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	ASSERT_OK_FD(fd, "load once more");
	l.module_fd = fd;
	bm_lib_close(&l);
}

/* Maps with locks are not for tracing programs and socket filters, nor are functions that
 * use them.
 */
static void test_locks(void)
{
	static const enum bpf_prog_type types[] = { BPF_PROG_TYPE_KPROBE,
						    BPF_PROG_TYPE_RAW_TRACEPOINT,
						    BPF_PROG_TYPE_SOCKET_FILTER };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	const struct bpf_insn calls_inner[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 2),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	struct bm_lib l, outer;
	int i, fd, func, inner, outer_fd, map_fd = bm_map_with("bpf_spin_lock", 4);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = map_fd);

	ASSERT_OK_FD(map_fd, "map");
	outer_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "m", 4, 4, 1, &opts);
	ASSERT_OK_FD(outer_fd, "map of maps");
	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "locks", l.int_id, BTF_FUNC_GLOBAL);
	inner = bm_lib_func(&l, "inner", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l))
		return;
	fd = load_with_map(&l, func, map_fd);
	ASSERT_OK_FD(fd, "function");
	l.prog[l.cnt++] = fd;
	fd = load_with_map(&l, inner, outer_fd);
	ASSERT_OK_FD(fd, "function with a map of maps");
	l.prog[l.cnt++] = fd;
	if (!bm_lib_load(&l, "bm_locks"))
		return;
	ASSERT_TRUE(open_chain(&outer, "bm_outer", l.module_fd, 1, 8), "library over it");

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		int fds[] = { -1, l.module_fd };

		ASSERT_EQ(bm_caller(types[i], fds, insns, ARRAY_SIZE(insns)), -EACCES, "caller");
		ASSERT_HAS_SUBSTR(bm_prog_log, "function locks of module bm_locks uses a map",
				  "log");
		ASSERT_EQ(bm_caller(types[i], fds, calls_inner, ARRAY_SIZE(calls_inner)), -EACCES,
			  "caller of what has a map of maps");
		fds[1] = outer.module_fd;
		ASSERT_EQ(bm_caller(types[i], fds, insns, ARRAY_SIZE(insns)), -EACCES,
			  "caller of the other");
	}
	fd = BM_CALLER(XDP, outer.module_fd, BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "XDP");
	bm_close(&fd);
	BM_CALLER_REFUSED(XDP, lib.module_fd,
			  "function count of module " NAME " cannot be called while a lock is held",
			  BM_FIRST_VALUE(map_fd),
			  BPF_EMIT_CALL(BPF_FUNC_spin_lock),
			  BPF_MOV64_IMM(BPF_REG_1, 1),
			  BM_CALL(1, COUNT),
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_6),
			  BPF_EMIT_CALL(BPF_FUNC_spin_unlock),
			  BPF_MOV64_IMM(BPF_REG_0, 0),
			  BPF_EXIT_INSN());
	bm_lib_close(&outer);
	bm_lib_close(&l);
	bm_close(&outer_fd);
	bm_close(&map_fd);
}

/* A function runs by a call and in no other way. */
static void test_only_called(void)
{
	int func = lib.prog[COUNT - 1];
	struct bpf_module_func_info funcs[FUNCS] = {};
	struct bpf_module_info info;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .attach_prog_fd = func);
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	int map_fd, key = 0;

	ASSERT_OK(bm_func_info(lib.module_fd, &info, funcs, FUNCS), "info");
	ASSERT_LT(bm_run(func), 0, "test run");
	map_fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "m", 4, 4, 1, NULL);
	ASSERT_EQ(bpf_map_update_elem(map_fd, &key, &func, 0), -EINVAL, "prog array");
	ASSERT_EQ(bpf_prog_bind_map(func, map_fd, NULL), -EINVAL, "bind a prog array");
	ASSERT_OK(bpf_prog_bind_map(func, lib.map_fd, NULL), "bind another map");
	close(map_fd);
	map_fd = bm_struct_ops_map();
	ASSERT_EQ(bpf_prog_bind_map(func, map_fd, NULL), -EINVAL, "bind a struct_ops map");
	bm_close(&map_fd);

	opts.attach_btf_id = funcs[COUNT - 1].btf_id;
	ASSERT_EQ(bm_load_prog(BPF_PROG_TYPE_EXT, "ext", zero, ARRAY_SIZE(zero), &opts), -EINVAL,
		  "freplace");
	ASSERT_HAS_SUBSTR(bm_prog_log, "Cannot extend functions", "log");
}

static const struct bm_lib_test tests[] = {
	{ "refused_func", test_refused_func },
	{ "refused_load", test_refused_load },
	{ "locks", test_locks },
	{ "only_called", test_only_called },
};

void serial_test_bpf_module_func_refused(void)
{
	bm_lib_run(tests, ARRAY_SIZE(tests));
}
