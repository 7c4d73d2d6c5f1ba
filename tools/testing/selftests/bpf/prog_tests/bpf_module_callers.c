// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that call the functions of a module are its users: what they keep, and what
 * ends when.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_prog.h"
#include "bpf_module_syscall.h"
#include "bpf_module_task.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_runs.skel.h"

/* A module with callers stays, and each side names the other. */
static void test_users(void)
{
	struct bpf_module_func_info funcs[FUNCS] = {};
	struct bpf_module_info info;
	__u32 ids[4] = {};
	int fd, other;

	fd = load_counting(XDP, 1);
	other = BM_CALLER(XDP, lib.module_fd,
			  BPF_MOV64_IMM(BPF_REG_1, 5),
			  BM_CALL(1, DEEP),
			  BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	ASSERT_OK_FD(other, "other caller");
	ASSERT_EQ(bm_run(other), 5, "what it returns");
	check_users(2);
	ASSERT_EQ(bpf_module_unload(lib.module_fd, NULL), -EBUSY, "unload");

	funcs[COUNT - 1].caller_ids = ptr_to_u64(ids);
	funcs[COUNT - 1].callers_cnt = ARRAY_SIZE(ids);
	ASSERT_OK(bm_func_info(lib.module_fd, &info, funcs, FUNCS), "info");
	ASSERT_EQ(info.funcs_cnt, FUNCS, "functions");
	ASSERT_EQ(info.users, 2, "users in info");
	ASSERT_STREQ(funcs[COUNT - 1].name, "count", "name");
	ASSERT_EQ(funcs[COUNT - 1].prog_id, bm_prog_id(lib.prog[COUNT - 1]), "program");
	ASSERT_EQ(funcs[COUNT - 1].callers_cnt, 1, "callers of count()");
	ASSERT_EQ(ids[0], bm_prog_id(fd), "caller of count()");
	ASSERT_EQ(funcs[DEEP - 1].stack_depth, 448, "stack");
	ASSERT_EQ(funcs[DEEP - 1].callers_cnt, 1, "callers of deep()");
	ASSERT_EQ(funcs[SUM - 1].callers_cnt, 0, "callers of sum()");
	ASSERT_EQ(funcs[SLEEPS - 1].flags, BPF_MODULE_FUNC_SLEEPABLE, "flags of sleeps()");

	bm_close(&other);
	ASSERT_TRUE(bm_wait(bm_users(lib.module_fd) == 1), "one left");
	ASSERT_EQ(bpf_module_unload(lib.module_fd, NULL), -EBUSY, "unload with one");
	bm_close(&fd);
	ASSERT_TRUE(bm_wait(!bpf_module_unload(lib.module_fd, NULL)), "unload with none");
	ASSERT_EQ(bm_state(lib.module_fd), BPF_MODULE_STATE_GONE, "state");
	ASSERT_EQ(load_counting(XDP, 1), -ENOENT, "caller of what is gone");
	ASSERT_HAS_SUBSTR(bm_prog_log, "module " NAME, "log");
}

/* One that is being freed is a user until then, but has no id any more. */
static void test_ids(void)
{
	struct bpf_module_func_info funcs[FUNCS] = {};
	struct bpf_module_info info;
	__u32 id;
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = load_counting(XDP, 1);
		if (!ASSERT_OK_FD(fd, "caller"))
			return;
		bm_close(&fd);
		id = -1;
		funcs[COUNT - 1].caller_ids = ptr_to_u64(&id);
		funcs[COUNT - 1].callers_cnt = 1;
		if (!ASSERT_OK(bm_func_info(lib.module_fd, &info, funcs, FUNCS), "info") ||
		    !ASSERT_NEQ(id, 0, "id"))
			return;
	}
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* Two fds of one module in one program are one user; a program that is refused is none. */
static void test_one_user(void)
{
	const int fds[] = { -1, lib.module_fd, dup(lib.module_fd) };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1),
		BM_CALL(1, COUNT),
		BPF_MOV64_IMM(BPF_REG_1, 2),
		BM_CALL(2, COUNT),
		BPF_EXIT_INSN(),
	};
	int fd = bm_caller(XDP, fds, insns, ARRAY_SIZE(insns));

	ASSERT_OK_FD(fd, "caller");
	check_users(1);
	ASSERT_EQ(bm_run(fd), 3, "sum");
	bm_close(&fd);
	close(fds[2]);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
	BM_CALLER_REFUSED(XDP, lib.module_fd, "R2 !read_ok",
			  BPF_MOV64_REG(BPF_REG_1, BPF_REG_2), BM_CALL(1, COUNT), BPF_EXIT_INSN());
	check_users(0);
}

/* A program for a module to run, which puts 1 into the map. */
static int load_noting(int map_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	const struct bpf_insn insns[] = {
		BPF_LD_IMM64_RAW(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map_fd),
		BPF_ST_MEM(BPF_DW, BPF_REG_1, 0, 1),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	int fd = bm_load_prog(SYSCALL, "bm_notes", insns, ARRAY_SIZE(insns), &opts);

	ASSERT_OK_FD(fd, "program to run");
	return fd;
}

static void test_replaced(void)
{
	struct bpf_module_func funcs[4];
	union bpf_attr attr;
	int fd, new_fd, init_fd, func;
	struct bm_lib next;

	if (!bm_lib_open(&next))
		return;
	next.prog[0] = -1;
	func = bm_lib_func(&next, "count", next.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&next) ||
	    !BM_LIB_ADD(&next, func, 0, NULL, BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN()))
		return;
	bm_lib_attr(&next, NAME, &attr, funcs);
	attr.module_load.flags = BPF_F_MODULE_REPLACE;
	attr.module_load.replace_fd = lib.module_fd;
	init_fd = load_noting(next.map_fd);
	attr.module_load.init_fd = init_fd;

	fd = load_counting(XDP, 2);
	ASSERT_OK_FD(fd, "caller");
	refused(&next, &attr, -EBUSY, "has functions that 1 program calls, it cannot be replaced");
	ASSERT_EQ(first_value(next.map_fd), 0, "init has not run");
	ASSERT_EQ(bm_run(fd), 2, "as before");
	new_fd = load_counting(XDP, 2);
	ASSERT_OK_FD(new_fd, "one more caller");
	bm_close(&new_fd);
	bm_close(&fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
	next.module_fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	ASSERT_OK_FD(next.module_fd, "replace without callers");
	ASSERT_EQ(first_value(next.map_fd), 1, "init has run");
	ASSERT_EQ(load_counting(XDP, 2), -ENOENT, "caller of the old one");
	fd = BM_CALLER(XDP, next.module_fd, BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller of the new one");
	ASSERT_EQ(bm_run(fd), 9, "the new one");

	/* that it has callers is not why it cannot be replaced when it is going */
	ASSERT_OK(bm_drain(next.module_fd), "drain");
	if (BM_LIB_ADD(&next, func, 0, NULL, BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN())) {
		funcs[0].prog_fd = next.prog[1];
		attr.module_load.replace_fd = next.module_fd;
		attr.module_load.init_fd = 0;
		refused(&next, &attr, -EINPROGRESS, "");
	}
	bm_close(&fd);
	bm_close(&init_fd);
	bm_lib_close(&next);
}

static void *load_other(void *attr)
{
	return (void *)(long)bm_sys_bpf(BPF_MODULE_LOAD, attr, sizeof(union bpf_attr));
}

/* A caller that comes while the init program of the new version runs keeps the old one. */
static void check_called_meanwhile(union bpf_attr *attr, struct bpf_module_runs *skel)
{
	struct bm_task task;
	int fd;

	attr->module_load.init_fd = bpf_program__fd(skel->progs.run_init);
	skel->bss->hold_init = 1;
	if (!bm_task_start(&task, load_other, attr))
		return;
	ASSERT_TRUE(bm_wait(READ_ONCE(skel->bss->inits)), "init runs");
	fd = load_counting(XDP, 2);
	ASSERT_OK_FD(fd, "caller");
	WRITE_ONCE(skel->bss->hold_init, 0);
	ASSERT_EQ((long)bm_task_join(&task), -EBUSY, "replace");
	ASSERT_EQ(bm_state(lib.module_fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(bm_run(fd), 2, "as before");
	bm_close(&fd);
}

static void test_called_meanwhile(void)
{
	struct bpf_module_func funcs[4];
	struct bpf_module_runs *skel;
	union bpf_attr attr;
	struct bm_lib next;
	int func;

	if (!bm_lib_open(&next))
		return;
	func = bm_lib_func(&next, "count", next.int_id, BTF_FUNC_GLOBAL);
	skel = bpf_module_runs__open_and_load();
	if (ASSERT_OK_PTR(skel, "open and load") && bm_lib_load_btf(&next) &&
	    BM_LIB_ADD(&next, func, 0, NULL, BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN())) {
		bm_lib_attr(&next, NAME, &attr, funcs);
		attr.module_load.flags = BPF_F_MODULE_REPLACE;
		attr.module_load.replace_fd = lib.module_fd;
		check_called_meanwhile(&attr, skel);
		ASSERT_HAS_SUBSTR(next.log, "1 program calls, it cannot be replaced", "log");
	}
	bpf_module_runs__destroy(skel);
	bm_lib_close(&next);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* A module that was to be replaced and is not can have callers again. */
static void test_not_replaced(void)
{
	struct bpf_module_func ufunc = {};
	LIBBPF_OPTS(bpf_module_load_opts, opts, .funcs = &ufunc, .funcs_cnt = 1);
	struct bm_cc cc, next;
	struct bm_lib l;
	int func, fd;

	if (!bm_lib_open(&l) || !bm_cc_open(&cc) || !bm_cc_open(&next))
		return;
	func = bm_lib_func(&l, "nine", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l) ||
	    !BM_LIB_ADD(&l, func, 0, NULL, BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN()))
		return;
	opts.btf_fd = l.btf_fd;
	ufunc.prog_fd = l.prog[0];
	bm_cc_add(&cc, "bm_first");
	l.module_fd = bpf_module_load("bm_ops_func", cc.ops, cc.ops_cnt, &opts);
	ASSERT_OK_FD(l.module_fd, "load");

	bm_cc_add(&next, "bm_first");
	bm_cc_rename(&next, 0, "bm_second");
	fd = bm_cc_replace(&next, l.module_fd);
	ASSERT_EQ(fd, -EINVAL, "replace with ops of another name");
	ASSERT_HAS_SUBSTR(next.log, "expected \"bm_first\"", "log");
	bm_close(&fd);
	fd = BM_CALLER(XDP, l.module_fd, BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	ASSERT_EQ(bm_run(fd), 9, "what it returns");
	bm_close(&fd);
	bm_cc_close(&next);
	bm_cc_close(&cc);
	bm_lib_close(&l);
}

/* A caller keeps a module that is drained, with its function; nobody else becomes one. */
static void test_drained(void)
{
	int fd = load_counting(XDP, 6);

	ASSERT_OK_FD(fd, "caller");
	ASSERT_OK(bm_drain(lib.module_fd), "drain");
	ASSERT_EQ(bm_state(lib.module_fd), BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(bm_run(fd), 6, "sum");
	ASSERT_EQ(load_counting(XDP, 1), -ENOENT, "another caller");
	ASSERT_HAS_SUBSTR(bm_prog_log, "is unloaded or being replaced", "log");
	check_users(1);
	bm_close(&fd);
	ASSERT_TRUE(bm_wait(bm_state(lib.module_fd) == BPF_MODULE_STATE_GONE), "gone");
}

/* Loads @l with an exit program of @insns, which is left to the module. */
static int load_with_exit(struct bm_lib *l, const char *name, const struct bpf_insn *insns,
			  int cnt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	struct bpf_module_func funcs[4];
	union bpf_attr attr;
	int exit_fd, fd;

	exit_fd = bm_load_prog(SYSCALL, "bm_exit", insns, cnt, &opts);
	ASSERT_OK_FD(exit_fd, "exit program");
	bm_lib_attr(l, name, &attr, funcs);
	attr.module_load.exit_fd = exit_fd;
	fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	close(exit_fd);
	return fd;
}

/* Exit runs after the last caller, and keeps no program in a map. */
static void test_exit(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int func, fd, map_fd;
	struct bm_lib l;

	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "nine", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l) ||
	    !BM_LIB_ADD(&l, func, 0, NULL, BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN()))
		return;
	opts.inner_map_fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "m", 4, 8, 1, NULL);
	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "m", 4, 4, 1, &opts);
	close(opts.inner_map_fd);
	const struct bpf_insn bad[] = {
		BPF_LD_MAP_FD(BPF_REG_2, map_fd),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	const struct bpf_insn good[] = {
		BPF_LD_IMM64_RAW(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, l.map_fd),
		BPF_ST_MEM(BPF_DW, BPF_REG_1, 0, 1),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};

	fd = load_with_exit(&l, "bm_exit", bad, ARRAY_SIZE(bad));
	ASSERT_EQ(fd, -EINVAL, "devmaps");
	if (fd >= 0)
		bm_drain(fd);
	bm_close(&fd);
	ASSERT_HAS_SUBSTR(l.log, "can hold programs", "log");
	close(map_fd);
	l.module_fd = load_with_exit(&l, "bm_exit", good, ARRAY_SIZE(good));
	if (!ASSERT_OK_FD(l.module_fd, "load"))
		return;
	fd = BM_CALLER(XDP, l.module_fd, BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	ASSERT_OK(bm_drain(l.module_fd), "drain");
	kern_sync_rcu();
	usleep(200000);
	ASSERT_EQ(first_value(l.map_fd), 0, "exit has not run");
	ASSERT_EQ(bm_run(fd), 9, "the function runs");
	bm_close(&fd);
	ASSERT_TRUE(bm_wait(bm_state(l.module_fd) == BPF_MODULE_STATE_GONE), "gone");
	ASSERT_EQ(first_value(l.map_fd), 1, "exit has run");
	bm_lib_close(&l);
}

/* A program for a member of a congestion control, that counts. */
static int load_counting_op(const struct bm_type *type, enum bm_cc_prog op)
{
	const int fds[] = { -1, lib.module_fd };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1),
		BM_CALL(1, COUNT),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .attach_btf_id = type->id,
		    .attach_btf_obj_fd = type->btf_fd,
		    .expected_attach_type = bm_member(type, bm_cc_member[op], NULL));

	return bm_load_prog(BPF_PROG_TYPE_STRUCT_OPS, "bm_op", insns, ARRAY_SIZE(insns), &opts);
}

/* Ops of another module call functions: it depends on the library. */
static void test_ops(void)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info), deps[2] = {};
	int fd, listener, sk;
	struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return;
	cc.prog[BM_INIT] = load_counting_op(&cc.type, BM_INIT);
	ASSERT_OK_FD(cc.prog[BM_INIT], "init");
	cc.prog[BM_RELEASE] = load_counting_op(&cc.type, BM_RELEASE);
	ASSERT_OK_FD(cc.prog[BM_RELEASE], "release");
	bm_cc_add(&cc, "bm_counts");
	fd = bm_cc_load(&cc, "bm_ops");
	ASSERT_OK_FD(fd, "load");
	bm_cc_close_progs(&cc);
	ASSERT_EQ(bm_users(lib.module_fd), 2, "users");
	info.dep_ids = ptr_to_u64(deps);
	info.deps_cnt = ARRAY_SIZE(deps);
	ASSERT_OK(bpf_module_get_info_by_fd(fd, &info, &len), "info");
	ASSERT_EQ(info.deps_cnt, 1, "modules that it depends on");
	ASSERT_EQ(deps[0], bm_find(NAME), "which one");

	listener = bm_listen(AF_INET, "reno");
	sk = bm_connect(listener, "bm_counts");
	ASSERT_OK_FD(sk, "connect");
	ASSERT_EQ(counter(), 1, "counted by init");
	close(sk);
	ASSERT_TRUE(bm_wait(counter() == 2), "counted by release");
	close(listener);
	bm_cc_cleanup(&cc, fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
	ASSERT_OK(bpf_module_unload(lib.module_fd, NULL), "unload the library");
}

/* A program that a module runs, which uses the map. */
static int load_run(int map_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	const struct bpf_insn insns[] = {
		BPF_LD_MAP_FD(BPF_REG_1, map_fd),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	int fd = bm_load_prog(SYSCALL, "bm_run", insns, ARRAY_SIZE(insns), &opts);

	ASSERT_OK_FD(fd, "program to run");
	return fd;
}

/* A module of all kinds: ops that call @lib, init with a map of its own, a function, exit. */
static bool load_all_kinds(struct bm_cc *cc, struct bm_lib *l)
{
	struct bpf_module_func func = { .prog_fd = l->prog[0] };
	int map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "m", 4, 8, 1, NULL);
	LIBBPF_OPTS(bpf_module_load_opts, opts, .btf_fd = l->btf_fd, .funcs = &func,
		    .funcs_cnt = 1, .init_fd = load_run(map_fd), .exit_fd = load_run(l->map_fd));

	cc->prog[BM_INIT] = load_counting_op(&cc->type, BM_INIT);
	ASSERT_OK_FD(cc->prog[BM_INIT], "init of the op");
	bm_cc_add(cc, "bm_counts");
	l->module_fd = bpf_module_load("bm_all", cc->ops, cc->ops_cnt, &opts);
	bm_close(&map_fd);
	bm_close(&opts.init_fd);
	bm_close(&opts.exit_fd);
	bm_cc_close_progs(cc);
	return ASSERT_OK_FD(l->module_fd, "load");
}

struct told {
	struct bpf_module_info info;
	__u32 progs[8], maps[4], deps[4];
};

static void get_told(int module_fd, struct told *told)
{
	__u32 len = sizeof(told->info);

	memset(told, 0, sizeof(*told));
	told->info.prog_ids = ptr_to_u64(told->progs);
	told->info.prog_cnt = ARRAY_SIZE(told->progs);
	told->info.map_ids = ptr_to_u64(told->maps);
	told->info.map_cnt = ARRAY_SIZE(told->maps);
	told->info.dep_ids = ptr_to_u64(told->deps);
	told->info.deps_cnt = ARRAY_SIZE(told->deps);
	ASSERT_OK(bpf_module_get_info_by_fd(module_fd, &told->info, &len), "info");
}

static void check_exist(const struct told *told)
{
	int i, fd;

	for (i = 0; i < told->info.prog_cnt; i++) {
		fd = bpf_prog_get_fd_by_id(told->progs[i]);
		ASSERT_OK_FD(fd, "program");
		bm_close(&fd);
	}
	for (i = 0; i < told->info.map_cnt; i++) {
		fd = bpf_map_get_fd_by_id(told->maps[i]);
		ASSERT_OK_FD(fd, "map");
		bm_close(&fd);
	}
}

static bool only_function_and_exit(int module_fd, struct told *told)
{
	get_told(module_fd, told);
	return told->info.prog_cnt == 2;
}

/* What callers do not keep is not told of any more. */
static void test_kept(void)
{
	struct told told;
	char line[128];
	struct bm_cc cc;
	struct bm_lib l;
	int func, fd;

	if (!bm_lib_open(&l) || !bm_cc_open(&cc))
		return;
	func = bm_lib_func(&l, "nine", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l) ||
	    !BM_LIB_ADD(&l, func, 0, NULL,
			BPF_LD_MAP_FD(BPF_REG_1, l.map_fd),
			BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN()) ||
	    !load_all_kinds(&cc, &l))
		return;
	fd = BM_CALLER(XDP, l.module_fd, BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		       BPF_EXIT_INSN());
	ASSERT_OK_FD(fd, "caller");
	get_told(l.module_fd, &told);
	ASSERT_EQ(told.info.prog_cnt, BM_CC_REQUIRED + 4, "programs");
	ASSERT_EQ(told.info.map_cnt, 2, "maps");
	ASSERT_EQ(told.info.ops_cnt, 1, "ops");
	ASSERT_GT(told.info.init_prog_id, 0, "init");
	ASSERT_EQ(told.info.deps_cnt, 1, "modules that it depends on");

	ASSERT_OK(bm_drain(l.module_fd), "drain");
	ASSERT_TRUE(bm_wait(only_function_and_exit(l.module_fd, &told)), "programs left");
	ASSERT_EQ(told.info.state, BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(told.info.map_cnt, 1, "maps left");
	ASSERT_EQ(told.info.ops_cnt, 0, "ops left");
	ASSERT_EQ(told.info.funcs_cnt, 1, "functions left");
	ASSERT_EQ(told.info.init_prog_id, 0, "init that is left");
	ASSERT_GT(told.info.exit_prog_id, 0, "exit that is left");
	ASSERT_EQ(told.info.deps_cnt, 0, "modules that it still depends on");
	ASSERT_STREQ(bm_fdinfo(l.module_fd, "ops_cnt", line, sizeof(line)), "0", "ops in fdinfo");
	check_exist(&told);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users of the other");
	bm_close(&fd);
	bm_cc_close(&cc);
	bm_lib_close(&l);
}

static int link_of_fentry(void)
{
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = libbpf_find_vmlinux_btf_id("bpf_fentry_test1",
								BPF_TRACE_FENTRY));
	int fd, link_fd;

	fd = bm_load_prog(BPF_PROG_TYPE_TRACING, "bm_fentry", zero, ARRAY_SIZE(zero), &opts);
	link_fd = bpf_raw_tracepoint_open(NULL, fd);
	close(fd);
	ASSERT_OK_FD(link_fd, "link");
	return link_fd;
}

/* What an exit program cannot do no function does for it. */
static void test_exit_calls(void)
{
	int copy = libbpf_find_vmlinux_btf_id("bpf_copy_from_user_str", 0);
	int func, fd, fds[] = { -1, -1 };
	const struct bpf_insn calls[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE, .fd_array = fds);
	struct bpf_module_func funcs[FUNCS];
	struct bpf_module_link ulink = {};
	union bpf_attr attr;
	struct bm_lib l;

	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "copies", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l) ||
	    !BM_LIB_ADD(&l, func, BPF_F_SLEEPABLE, NULL,
			BPF_MOV64_REG(BPF_REG_3, BPF_REG_1),
			BPF_MOV64_IMM(BPF_REG_2, 8),
			BPF_MOV64_REG(BPF_REG_1, BPF_REG_10),
			BPF_ALU64_IMM(BPF_ADD, BPF_REG_1, -8),
			BPF_MOV64_IMM(BPF_REG_4, 0),
			BM_KFUNC(copy),
			BPF_EXIT_INSN()) ||
	    !bm_lib_load(&l, "bm_copies"))
		return;
	fds[1] = l.module_fd;
	fd = bm_load_prog(SYSCALL, "bm_exit", calls, ARRAY_SIZE(calls), &opts);
	ASSERT_OK_FD(fd, "exit program");
	bm_lib_attr(&lib, "bm_other", &attr, funcs);
	attr.module_load.funcs_cnt = 0;
	attr.module_load.funcs = 0;
	attr.module_load.exit_fd = fd;
	attr.module_load.links_cnt = 1;
	attr.module_load.links_size = sizeof(struct bpf_module_link);
	ulink.link_fd = link_of_fentry();
	attr.module_load.links = ptr_to_u64(&ulink);
	refused(&lib, &attr, -EINVAL, "calls what exit must not");
	close(ulink.link_fd);
	bm_close(&fd);
	bm_lib_close(&l);
}

/* A program for the lo device that uses both maps. */
static int load_linked(int prog_array, int devmap)
{
	const struct bpf_insn insns[] = {
		BPF_LD_MAP_FD(BPF_REG_2, prog_array),
		BPF_MOV64_IMM(BPF_REG_3, 0),
		BPF_EMIT_CALL(BPF_FUNC_tail_call),
		BPF_LD_MAP_FD(BPF_REG_1, devmap),
		BPF_MOV64_IMM(BPF_REG_2, 1),
		BPF_MOV64_IMM(BPF_REG_3, XDP_PASS),
		BPF_EMIT_CALL(BPF_FUNC_redirect_map),
		BPF_MOV64_IMM(BPF_REG_0, XDP_PASS),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	return bm_load_prog(XDP, "bm_linked", insns, ARRAY_SIZE(insns), &opts);
}

/* A caller for an entry of a devmap. */
static int load_devmap_caller(int module_fd)
{
	const int fds[] = { -1, module_fd };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
		BPF_MOV64_IMM(BPF_REG_0, XDP_PASS), BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds,
		    .expected_attach_type = BPF_XDP_DEVMAP);

	return bm_load_prog(XDP, "bm_devmap", insns, ARRAY_SIZE(insns), &opts);
}

/* Callers in maps of the library's own linked program do not keep it. */
static void test_cycle(void)
{
	LIBBPF_OPTS(bpf_link_create_opts, link_opts, .flags = XDP_FLAGS_SKB_MODE);
	int func, prog_array, devmap, linked, link_fd, caller, devmap_caller;
	struct bpf_devmap_val val = { .ifindex = 1 };
	struct bpf_module_link ulink = {};
	struct bpf_module_func funcs[4];
	union bpf_attr attr;
	struct bm_lib l;
	int key = 0;

	if (!bm_lib_open(&l))
		return;
	func = bm_lib_func(&l, "nine", l.int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(&l) ||
	    !BM_LIB_ADD(&l, func, 0, NULL, BPF_MOV64_IMM(BPF_REG_0, 9), BPF_EXIT_INSN()))
		return;
	prog_array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "m", 4, 4, 1, NULL);
	devmap = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "m", 4, sizeof(val), 1, NULL);
	linked = load_linked(prog_array, devmap);
	if (!ASSERT_OK_FD(linked, "linked program"))
		printf("%s\n", bm_prog_log);
	link_fd = bpf_link_create(linked, 1, BPF_XDP, &link_opts);
	ASSERT_OK_FD(link_fd, "link");
	bm_lib_attr(&l, "bm_cycle", &attr, funcs);
	ulink.link_fd = link_fd;
	attr.module_load.links = ptr_to_u64(&ulink);
	attr.module_load.links_cnt = 1;
	attr.module_load.links_size = sizeof(ulink);
	l.module_fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	ASSERT_OK_FD(l.module_fd, "load");

	caller = BM_CALLER(XDP, l.module_fd, BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, 1),
			   BPF_MOV64_IMM(BPF_REG_0, XDP_PASS), BPF_EXIT_INSN());
	ASSERT_OK_FD(caller, "caller");
	devmap_caller = load_devmap_caller(l.module_fd);
	ASSERT_OK_FD(devmap_caller, "devmap caller");
	ASSERT_OK(bpf_map_update_elem(prog_array, &key, &caller, 0), "into the prog array");
	val.bpf_prog.fd = devmap_caller;
	ASSERT_OK(bpf_map_update_elem(devmap, &key, &val, 0), "into the devmap");
	bm_close(&caller);
	bm_close(&devmap_caller);
	bm_close(&prog_array);
	bm_close(&devmap);
	bm_close(&linked);
	bm_close(&link_fd);

	ASSERT_EQ(bm_users(l.module_fd), 2, "users");
	ASSERT_EQ(bpf_module_unload(l.module_fd, NULL), -EBUSY, "unload");
	ASSERT_OK(bm_drain(l.module_fd), "drain");
	ASSERT_TRUE(bm_wait(bm_state(l.module_fd) == BPF_MODULE_STATE_GONE), "gone");
	bm_lib_close(&l);
}

static void *unload_often(void *arg)
{
	bool *stop = arg;

	while (!READ_ONCE(*stop))
		bpf_module_unload(lib.module_fd, NULL);
	return NULL;
}

/* UNLOAD against programs that become callers: one of both happens. */
static void test_race(void)
{
	int i, fd, lost = 0, won = 0;
	pthread_t thread;
	bool stop;

	for (i = 0; i < 30; i++) {
		stop = false;
		if (!ASSERT_OK(pthread_create(&thread, NULL, unload_often, &stop), "thread"))
			return;
		fd = load_counting(XDP, 1);
		WRITE_ONCE(stop, true);
		pthread_join(thread, NULL);
		if (fd < 0) {
			lost++;
			ASSERT_EQ(fd, -ENOENT, "caller of what is gone");
			ASSERT_EQ(bm_state(lib.module_fd), BPF_MODULE_STATE_GONE, "state");
		} else {
			won++;
			ASSERT_EQ(bm_state(lib.module_fd), BPF_MODULE_STATE_LIVE, "state");
			ASSERT_GT(bm_run(fd), 0, "sum");
			close(fd);
		}
		if (bm_state(lib.module_fd) == BPF_MODULE_STATE_GONE) {
			close(lib.module_fd);
			if (!bm_lib_load(&lib, NAME))
				return;
		}
	}
	printf("%d callers came too late, %d in time\n", lost, won);
}

static const struct bm_lib_test tests[] = {
	{ "users", test_users },
	{ "ids", test_ids },
	{ "one_user", test_one_user },
	{ "ops", test_ops },
	{ "replaced", test_replaced },
	{ "called_meanwhile", test_called_meanwhile },
	{ "not_replaced", test_not_replaced },
	{ "drained", test_drained },
	{ "kept", test_kept },
	{ "exit", test_exit },
	{ "exit_calls", test_exit_calls },
	{ "cycle", test_cycle },
	{ "race", test_race },
};

void serial_test_bpf_module_callers(void)
{
	bm_lib_run(tests, ARRAY_SIZE(tests));
}
