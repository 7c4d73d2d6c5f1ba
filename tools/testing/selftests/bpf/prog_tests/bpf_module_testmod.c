// SPDX-License-Identifier: GPL-2.0
/* Ops types that a kernel module provides, and modules with several types. */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_wait.h"
#include "struct_ops_module.skel.h"

#ifndef ENOTSUPP
#define ENOTSUPP 524	/* the kernel's own, which user space must not see */
#endif

#define BM_CALLED 0xdeadbeef

/* What the tests share: the programs of an object, and what they are for. */
struct fixture {
	struct struct_ops_module *skel;
	struct bm_type type;	/* bpf_testmod_ops */
	struct bm_type type2;	/* bpf_testmod_ops2 */
	struct bm_cc cc;
};

/* An op with both of its programs, and a plain member. */
static void add_testmod(struct fixture *f)
{
	void *value = f->cc.value[f->cc.ops_cnt];

	bm_add(&f->cc, &f->type, "bm_testmod");
	bm_set_prog(&f->type, value, "test_1", bpf_program__fd(f->skel->progs.test_1));
	bm_set_prog(&f->type, value, "test_2", bpf_program__fd(f->skel->progs.test_2));
	*(int *)bm_field(&f->type, value, "data") = 7;
}

/* Registration calls the programs, with data of the value. */
static void check_called(struct fixture *f, bool called)
{
	ASSERT_EQ(f->skel->bss->test_1_result, called ? BM_CALLED : 0, "test_1");
	ASSERT_EQ(f->skel->bss->test_2_result, called ? 4 + 7 : 0, "test_2");
}

static void test_load(struct fixture *f)
{
	char value[BM_VALUE_SIZE] __aligned(8);
	struct bpf_module_ops_info ops = {};
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	int fd;

	add_testmod(f);
	fd = bm_cc_load(&f->cc, "bm_testmod");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	check_called(f, true);

	ops.value = ptr_to_u64(value);
	ops.value_size = sizeof(value);
	info.ops = ptr_to_u64(&ops);
	info.ops_cnt = 1;
	info.ops_size = sizeof(ops);
	ASSERT_OK(bpf_module_get_info_by_fd(fd, &info, &len), "info");
	ASSERT_EQ(info.users, 0, "users");
	ASSERT_EQ(ops.btf_obj_id, bm_btf_id("bpf_testmod"), "btf_obj_id");
	ASSERT_EQ(ops.type_id, f->type.id, "type_id");
	ASSERT_EQ(ops.value_size, f->type.size, "value_size");
	bm_set_prog(&f->type, f->cc.value[0], "test_1",
		    bm_prog_id(bpf_program__fd(f->skel->progs.test_1)));
	bm_set_prog(&f->type, f->cc.value[0], "test_2",
		    bm_prog_id(bpf_program__fd(f->skel->progs.test_2)));
	ASSERT_OK(memcmp(value, f->cc.value[0], f->type.size), "value");

	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	close(fd);
}

/* The type's id means nothing without the kernel module's BTF. */
static void test_no_btf(struct fixture *f)
{
	add_testmod(f);
	f->cc.ops[0].btf_obj_fd = 0;
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_testmod"), -EOPNOTSUPP, "load");
	check_called(f, false);
}

/* Padding between two members. */
static void test_hole(struct fixture *f)
{
	add_testmod(f);
	*((char *)bm_field(&f->type, f->cc.value[0], "onebyte") + 1) = 1;
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_testmod"), -EINVAL, "load");
	check_called(f, false);
}

static void test_member_not_settable(struct fixture *f)
{
	add_testmod(f);
	*(char *)bm_field(&f->type, f->cc.value[0], "onebyte") = 1;
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_testmod"), -EINVAL, "load");
	ASSERT_HAS_SUBSTR(f->cc.log, "op bm_testmod (bpf_testmod_ops), member onebyte", "log");
	check_called(f, false);
}

/* Two types have a member of the same name and signature. */
static void test_prog_of_other_op(struct fixture *f)
{
	bm_add(&f->cc, &f->type2, "bm_testmod2");
	bm_set_prog(&f->type2, f->cc.value[0], "test_1", bpf_program__fd(f->skel->progs.test_1));
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_testmod"), -EINVAL, "load");
	ASSERT_HAS_SUBSTR(f->cc.log, "op bm_testmod2 (bpf_testmod_ops2), member test_1", "log");
	ASSERT_HAS_SUBSTR(f->cc.log, "implements bpf_testmod_ops.test_1", "log");
	ASSERT_HAS_SUBSTR(f->cc.log, "expected bpf_testmod_ops2.test_1", "log");
	check_called(f, false);
}

/* Types of vmlinux and of a kernel module in one module. */
static void test_mixed(struct fixture *f)
{
	int fd, sock;

	bm_cc_add(&f->cc, "bm_mixed");
	add_testmod(f);
	fd = bm_cc_load(&f->cc, "bm_mixed");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	check_called(f, true);
	sock = bm_socket(AF_INET, "bm_mixed");
	ASSERT_OK_FD(sock, "socket");
	ASSERT_EQ(bm_users(fd), 1, "users");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload with a user");
	close(sock);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

/* If an op does not validate, none of the others is registered. */
static void test_mixed_invalid(struct fixture *f)
{
	add_testmod(f);
	bm_cc_add(&f->cc, "bm_mixed");
	bm_cc_set_prog(&f->cc, 1, "ssthresh", 0);
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_mixed"), -EINVAL, "load");
	check_called(f, false);
}

/* If an op is refused, the one before it is unregistered. */
static void test_mixed_refused(struct fixture *f)
{
	int fd;

	bm_cc_add(&f->cc, "bm_mixed");
	add_testmod(f);
	bm_cc_add(&f->cc, "reno");
	ASSERT_EQ(bm_cc_load(&f->cc, "bm_mixed"), -EEXIST, "load");
	check_called(f, true);
	ASSERT_FALSE(bm_tcp_has("bm_mixed"), "registered");
	f->cc.ops_cnt--;
	fd = bm_cc_load(&f->cc, "bm_mixed");
	ASSERT_OK_FD(fd, "load at once");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

/* A subsystem that takes one at a time says so, and has none afterwards. */
static void test_one_at_a_time(struct fixture *f)
{
	struct bm_type type;
	int prog, fd;

	if (!bm_type_open(&type, "bpf_testmod", "bpf_testmod_st_ops"))
		return;
	prog = bm_prog_load(&type, "test_prologue", "bm_prologue", 0);
	bm_add(&f->cc, &type, "bm_st_1");
	bm_set_prog(&type, f->cc.value[0], "test_prologue", prog);
	bm_add(&f->cc, &type, "bm_st_2");
	bm_set_prog(&type, f->cc.value[1], "test_prologue", prog);
	fd = bm_cc_load(&f->cc, "bm_st");
	ASSERT_EQ(fd, -EEXIST, "load two");
	ASSERT_HAS_SUBSTR(f->cc.log, "op bm_st_2 (bpf_testmod_st_ops)", "log");

	f->cc.ops_cnt = 1;
	fd = bm_cc_load(&f->cc, "bm_st");
	if (ASSERT_OK_FD(fd, "load one")) {
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
	}
	close(prog);
	bm_type_close(&type);
}

/* LOAD returns what reg() returns, translated for user space. */
static void test_reg_errno(struct fixture *f)
{
	static const struct {
		int ret;
		int err;
	} cases[] = {
		{ -EBUSY, -EBUSY },
		{ -EINVAL, -EINVAL },
		{ -ENODEV, -ENODEV },
		{ -EOPNOTSUPP, -EOPNOTSUPP },
		{ -ENOTSUPP, -EOPNOTSUPP },
	};
	static const char * const log[] = { "op bm_errno (bpf_testmod_ops2)" };
	int i, prog, fd;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		f->cc.ops_cnt = 0;
		prog = bm_prog_load(&f->type2, "test_1", "bm_errno", cases[i].ret);
		bm_cc_add(&f->cc, "bm_before");
		bm_add(&f->cc, &f->type2, "bm_errno");
		bm_set_prog(&f->type2, f->cc.value[1], "test_1", prog);
		fd = bm_cc_load(&f->cc, "bm_errno");
		ASSERT_EQ(fd, cases[i].err, "load");
		bm_check_log(&f->cc, log, ARRAY_SIZE(log));
		ASSERT_FALSE(bm_tcp_has("bm_before"), "registered");
		close(prog);
	}
}

/* An op without programs is still an op; reg() must not call what is missing. */
static void test_no_programs(struct fixture *f)
{
	int fd;

	bm_add(&f->cc, &f->type2, "bm_testmod2");
	fd = bm_cc_load(&f->cc, "bm_testmod2");
	if (!ASSERT_OK_FD(fd, "load"))
		return;
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
}

/* The high-level library finds the type in the kernel module by itself. */
static void test_libbpf(struct fixture *f)
{
	struct struct_ops_module *skel = struct_ops_module__open();
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	/* this one asks for a member that the kernel does not have */
	bpf_map__set_autocreate(skel->maps.testmod_zeroed, false);
	mod = bpf_object__next_module(skel->obj, NULL);
	ASSERT_OK(bpf_module__set_autocreate(mod, true), "set_autocreate");
	if (!ASSERT_OK(struct_ops_module__load(skel), "load"))
		goto out;
	link = bpf_module__attach(mod);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	ASSERT_EQ(skel->bss->test_1_result, BM_CALLED, "test_1");
	ASSERT_EQ(bm_state(bpf_module__fd(mod)), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK(bpf_link__destroy(link), "destroy");
	ASSERT_EQ(bm_find("struct_ops_module"), 0, "listed");
out:
	struct_ops_module__destroy(skel);
}

/* The kernel module stays as long as the module that uses its type. */
static void test_rmmod(void)
{
	struct bm_type type;
	struct bm_cc cc;
	int prog, fd;

	if (!bm_cc_open_empty(&cc))
		return;
	if (!bm_type_open(&type, "bpf_testmod", "bpf_testmod_ops2"))
		goto out;
	prog = bm_prog_load(&type, "test_1", "bm_test_1", 0);
	bm_add(&cc, &type, "bm_testmod2");
	bm_set_prog(&type, cc.value[0], "test_1", prog);
	fd = bm_cc_load(&cc, "bm_testmod2");
	close(prog);
	bm_type_close(&type);
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	kern_sync_rcu();
	ASSERT_EQ(delete_module("bpf_testmod", O_NONBLOCK), -1, "delete_module while in use");
	ASSERT_EQ(errno, EAGAIN, "errno of delete_module");

	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_TRUE(bm_wait(!delete_module("bpf_testmod", O_NONBLOCK)), "delete_module");
	/* a handle of a module that is gone does not need the type */
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
	close(fd);
	ASSERT_OK(load_bpf_testmod(false), "load the kernel module again");
out:
	bm_cc_close(&cc);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "load", test_load },
	{ "no_btf", test_no_btf },
	{ "hole", test_hole },
	{ "member_not_settable", test_member_not_settable },
	{ "prog_of_other_op", test_prog_of_other_op },
	{ "mixed", test_mixed },
	{ "mixed_invalid", test_mixed_invalid },
	{ "mixed_refused", test_mixed_refused },
	{ "one_at_a_time", test_one_at_a_time },
	{ "reg_errno", test_reg_errno },
	{ "no_programs", test_no_programs },
	{ "libbpf", test_libbpf },
};

static void run_test(void (*run)(struct fixture *f))
{
	struct fixture f = {};

	f.skel = struct_ops_module__open();
	if (!ASSERT_OK_PTR(f.skel, "open"))
		return;
	bpf_map__set_autocreate(f.skel->maps.testmod_zeroed, false);
	if (!ASSERT_OK(struct_ops_module__load(f.skel), "load the object") ||
	    !bm_type_open(&f.type, "bpf_testmod", "bpf_testmod_ops"))
		goto out;
	if (!bm_type_open(&f.type2, "bpf_testmod", "bpf_testmod_ops2"))
		goto out_type;
	if (bm_cc_open(&f.cc)) {
		run(&f);
		bm_cc_close(&f.cc);
	}
	bm_type_close(&f.type2);
out_type:
	bm_type_close(&f.type);
out:
	struct_ops_module__destroy(f.skel);
}

void serial_test_bpf_module_testmod(void)
{
	int i;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
	if (test__start_subtest("rmmod"))
		test_rmmod();
}
