// SPDX-License-Identifier: GPL-2.0
/* What BPF_MODULE_LOAD refuses in an op: its type, its value, its programs. */
#include <bpf/btf.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_refusal.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"

/* Returns a BTF that belongs to no kernel object. */
static int user_btf(void)
{
	struct btf *btf = btf__new_empty();
	int fd = -1;

	if (!ASSERT_OK_PTR(btf, "new btf"))
		return -1;
	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	if (ASSERT_OK(btf__load_into_kernel(btf), "load btf"))
		fd = dup(btf__fd(btf));
	btf__free(btf);
	return fd;
}

static void type_not_ops(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].type_id = btf__find_by_name_kind(cc->type.btf, "sock", BTF_KIND_STRUCT);
}

/* The map's wrapper of the ops struct is not an ops type of modules. */
static void type_map_value(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].type_id = btf__find_by_name_kind(cc->type.btf,
						    "bpf_struct_ops_tcp_congestion_ops",
						    BTF_KIND_STRUCT);
}

static void type_zero(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].type_id = 0;
}

static void type_unknown(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].type_id = -1;
}

static void type_btf_not_open(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].btf_obj_fd = 1000000;
}

static void type_btf_not_btf(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].btf_obj_fd = cc->prog[BM_SSTHRESH];
}

static void type_btf_of_user(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->extra_fd = user_btf();
	cc->ops[0].btf_obj_fd = cc->extra_fd;
}

static void type_btf_of_vmlinux(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->extra_fd = bpf_btf_get_fd_by_id(bm_btf_id("vmlinux"));
	ASSERT_OK_FD(cc->extra_fd, "vmlinux btf");
	cc->ops[0].btf_obj_fd = cc->extra_fd;
}

static void value_short(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].value_size--;
}

static void value_long(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].value_size++;
}

static void value_no_size(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].value_size = 0;
}

static void value_null(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].value = 0;
}

static void value_bad_pointer(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].value = 1;
}

/* The struct is aligned to a cache line, which adds padding at its end. */
static void hole(struct bm_cc *cc, union bpf_attr *attr)
{
	char *end = (char *)bm_cc_field(cc, 0, "release") + sizeof(long);

	if (ASSERT_LT(end - cc->value[0], cc->type.size, "padding"))
		cc->value[0][cc->type.size - 1] = 1;
}

static void owner(struct bm_cc *cc, union bpf_attr *attr)
{
	*(unsigned long *)bm_cc_field(cc, 0, "owner") = 1;
}

static void member_not_settable(struct bm_cc *cc, union bpf_attr *attr)
{
	*(__u32 *)bm_cc_field(cc, 0, "key") = 1;
}

static void member_bad(struct bm_cc *cc, union bpf_attr *attr)
{
	*(__u32 *)bm_cc_field(cc, 0, "flags") = 1U << 31;
}

static void cc_name_empty(struct bm_cc *cc, union bpf_attr *attr)
{
	*(char *)bm_cc_field(cc, 0, "name") = 0;
}

static void prog_not_open(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_set_prog(cc, 0, "ssthresh", 1000000);
}

static void prog_not_prog(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->extra_fd = user_btf();
	bm_cc_set_prog(cc, 0, "ssthresh", cc->extra_fd);
}

static void prog_of_other_type(struct bm_cc *cc, union bpf_attr *attr)
{
	struct bpf_insn insns[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };

	cc->extra_fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "bm_filter", "GPL", insns,
				     ARRAY_SIZE(insns), NULL);
	ASSERT_OK_FD(cc->extra_fd, "bm_filter");
	bm_cc_set_prog(cc, 0, "ssthresh", cc->extra_fd);
}

static void prog_of_other_op(struct bm_cc *cc, union bpf_attr *attr)
{
	struct bm_type type;

	if (!bm_type_open(&type, NULL, "bpf_dummy_ops"))
		return;
	cc->extra_fd = bm_prog_load(&type, "test_1", "bm_dummy", 0);
	bm_type_close(&type);
	bm_cc_set_prog(cc, 0, "ssthresh", cc->extra_fd);
}

static void prog_of_other_member(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->extra_fd = bm_prog_load(&cc->type, "undo_cwnd", "bm_undo", 10);
	bm_cc_set_prog(cc, 0, "ssthresh", cc->extra_fd);
}

/* No program can implement a member that the subsystem reserves. */
static void prog_for_unsupported_member(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_set_prog(cc, 0, "get_info", cc->prog[BM_SSTHRESH]);
}

static void required_ssthresh(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_set_prog(cc, 0, "ssthresh", 0);
}

static void required_undo_cwnd(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_set_prog(cc, 0, "undo_cwnd", 0);
}

static void required_cong_avoid(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_set_prog(cc, 0, "cong_avoid", 0);
}

static void required_without_op_name(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_set_prog(cc, 0, "ssthresh", 0);
	cc->ops[0].name = 0;
}

/* The second op's programs are checked before the first is registered. */
static void second_op_bad(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_add(cc, "bm_second");
	bm_cc_set_prog(cc, 1, "init", cc->prog[BM_SSTHRESH]);
	attr->module_load.ops_cnt = 2;
}

static void taken_in_subsystem(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_rename(cc, 0, "reno");
}

static void taken_in_module(struct bm_cc *cc, union bpf_attr *attr)
{
	bm_cc_add(cc, "bm_cc")->name = ptr_to_u64("bm_twin");
	attr->module_load.ops_cnt = 2;
}

#define BM_OP "op bm_op (tcp_congestion_ops)"

static const struct bm_refusal refusals[] = {
	{ "type_not_ops", type_not_ops, -EOPNOTSUPP, .log = { "bm_op" } },
	{ "type_map_value", type_map_value, -EOPNOTSUPP, .log = { "bm_op" } },
	{ "type_zero", type_zero, -EOPNOTSUPP, .log = { "bm_op" } },
	{ "type_unknown", type_unknown, -EOPNOTSUPP, .log = { "bm_op" } },
	{ "type_btf_not_open", type_btf_not_open, -EBADF, .log = { "bm_op" } },
	{ "type_btf_not_btf", type_btf_not_btf, -EINVAL, .log = { "bm_op" } },
	{ "type_btf_of_user", type_btf_of_user, -EINVAL, .log = { "bm_op" } },
	{ "type_btf_of_vmlinux", type_btf_of_vmlinux, -EINVAL, .log = { "bm_op" } },
	{ "value_short", value_short, -EINVAL, .log = { BM_OP, "value", "expected" } },
	{ "value_long", value_long, -EINVAL, .log = { BM_OP, "value", "expected" } },
	{ "value_no_size", value_no_size, -EINVAL, .log = { BM_OP, "value", "expected" } },
	{ "value_null", value_null, -EFAULT, .log = { BM_OP } },
	{ "value_bad_pointer", value_bad_pointer, -EFAULT, .log = { BM_OP } },
	{ "hole", hole, -EINVAL, .log = { BM_OP } },
	{ "owner", owner, -EINVAL, .log = { BM_OP, "member owner" } },
	{ "member_not_settable", member_not_settable, -EINVAL, .log = { BM_OP, "member key" } },
	{ "member_bad", member_bad, -EINVAL, .log = { BM_OP, "member flags" } },
	{ "cc_name_empty", cc_name_empty, -EINVAL, .log = { BM_OP, "member name" } },
	{ "prog_not_open", prog_not_open, -EBADF, .log = { BM_OP, "member ssthresh" } },
	{ "prog_not_prog", prog_not_prog, -EINVAL, .log = { BM_OP, "member ssthresh" } },
	{ "prog_of_other_type", prog_of_other_type, -EINVAL,
	  .log = { BM_OP, "member ssthresh", "program", "bm_filter",
		   "expected tcp_congestion_ops.ssthresh" } },
	{ "prog_of_other_op", prog_of_other_op, -EINVAL,
	  .log = { BM_OP, "member ssthresh", "bm_dummy", "implements bpf_dummy_ops.test_1",
		   "expected tcp_congestion_ops.ssthresh" } },
	{ "prog_of_other_member", prog_of_other_member, -EINVAL,
	  .log = { BM_OP, "member ssthresh", "bm_undo", "implements tcp_congestion_ops.undo_cwnd",
		   "expected tcp_congestion_ops.ssthresh" } },
	{ "prog_for_unsupported_member", prog_for_unsupported_member, -EINVAL,
	  .log = { BM_OP, "member get_info" } },
	{ "required_ssthresh", required_ssthresh, -EINVAL,
	  .log = { BM_OP, "required member", "not set", "ssthresh" } },
	{ "required_undo_cwnd", required_undo_cwnd, -EINVAL,
	  .log = { BM_OP, "required member", "not set", "undo_cwnd" } },
	{ "required_cong_avoid", required_cong_avoid, -EINVAL,
	  .log = { BM_OP, "required member", "not set", "cong_avoid" } },
	{ "required_without_op_name", required_without_op_name, -EINVAL,
	  .log = { "op #0 (tcp_congestion_ops)", "required member", "not set", "ssthresh" } },
	{ "second_op_bad", second_op_bad, -EINVAL,
	  .log = { "op bm_second (tcp_congestion_ops)", "member init", "program",
		   "expected tcp_congestion_ops.init" } },
	{ "taken_in_subsystem", taken_in_subsystem, -EEXIST, .log = { BM_OP, "name" } },
	{ "taken_in_module", taken_in_module, -EEXIST,
	  .log = { "op bm_twin (tcp_congestion_ops)", "name" } },
};

/* A program belongs to one module at most, until that module is gone. */
static void test_prog_of_other_module(void)
{
	static const char * const log[] = { "op bm_second (tcp_congestion_ops)", "member",
					    "program", "module" };
	struct bm_cc cc;
	int fd, fd2;

	fd = bm_cc_open_load(&cc, "bm_first", "bm_first");
	if (fd < 0)
		return;
	cc.ops_cnt = 0;
	bm_cc_add(&cc, "bm_second");
	fd2 = bm_cc_load(&cc, "bm_second");
	ASSERT_EQ(fd2, -EBUSY, "load with programs of another module");
	bm_check_log(&cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_second"), "registered");

	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	fd2 = bm_cc_load(&cc, "bm_second");
	ASSERT_OK_FD(fd2, "load once they are free");
	if (fd2 >= 0)
		bm_drain(fd2);
	close(fd2);
	bm_cc_cleanup(&cc, fd);
}

static void test_taken_by_other_module(void)
{
	static const char * const log[] = { "op bm_same (tcp_congestion_ops)", "name" };
	struct bm_cc cc, other;
	int fd, other_fd;

	fd = bm_cc_open_load(&cc, "bm_first", "bm_same");
	if (fd < 0)
		return;
	if (!bm_cc_open(&other))
		goto out;
	bm_cc_add(&other, "bm_same");
	other_fd = bm_cc_load(&other, "bm_second");
	ASSERT_EQ(other_fd, -EEXIST, "load");
	bm_check_log(&other, log, ARRAY_SIZE(log));
	ASSERT_TRUE(bm_tcp_has("bm_same"), "the first is still registered");
	bm_cc_cleanup(&other, other_fd);
out:
	bm_cc_cleanup(&cc, fd);
}

/* A type that cannot be registered, though it takes programs. */
static void test_type_not_registrable(void)
{
	static const char * const log[] = { "op bm_dummy (bpf_dummy_ops)" };
	struct bm_type type;
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open_empty(&cc))
		return;
	if (!bm_type_open(&type, NULL, "bpf_dummy_ops"))
		goto out;
	cc.extra_fd = bm_prog_load(&type, "test_1", "bm_dummy", 0);
	bm_add(&cc, &type, "bm_dummy");
	*(unsigned long *)bm_field(&type, cc.value[0], "test_1") = cc.extra_fd;
	fd = bm_cc_load(&cc, "bm_dummy");
	ASSERT_EQ(fd, -EOPNOTSUPP, "load");
	bm_check_log(&cc, log, ARRAY_SIZE(log));
	bm_type_close(&type);
	bm_cc_cleanup(&cc, fd);
	return;
out:
	bm_cc_close(&cc);
}

/* If a line is longer than the log buffer, its beginning is there, terminated. */
static void test_log_truncated(void)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts);
	struct bm_cc cc;
	char log[16];
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc");
	bm_cc_set_prog(&cc, 0, "ssthresh", 0);
	fd = bm_cc_load(&cc, "bm_log");
	ASSERT_EQ(fd, -EINVAL, "load with room for the log");

	memset(log, '#', sizeof(log));
	opts.log_buf = log;
	opts.log_size = sizeof(log) - 1;
	fd = bpf_module_load("bm_log", cc.ops, cc.ops_cnt, &opts);
	ASSERT_EQ(fd, -EINVAL, "load with little room");
	ASSERT_EQ(log[sizeof(log) - 1], '#', "byte past the room");
	ASSERT_EQ(strnlen(log, sizeof(log)), sizeof(log) - 2, "length in little room");
	ASSERT_STRNEQ(log, cc.log, sizeof(log) - 2, "head of the log");
	ASSERT_EQ(opts.log_true_size, cc.log_true_size, "log_true_size");
	bm_cc_cleanup(&cc, fd);
}

static void test_log_none(void)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts);
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc");
	bm_cc_set_prog(&cc, 0, "ssthresh", 0);
	fd = bpf_module_load("bm_log", cc.ops, cc.ops_cnt, NULL);
	ASSERT_EQ(fd, -EINVAL, "load without options");
	fd = bpf_module_load("bm_log", cc.ops, cc.ops_cnt, &opts);
	ASSERT_EQ(fd, -EINVAL, "load without log buffer");
	bm_cc_cleanup(&cc, fd);
}

static void test_log_success(void)
{
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, "bm_log", "bm_cc");
	if (fd < 0)
		return;
	/* unchanged, or set to the empty string */
	ASSERT_TRUE(cc.log[0] == '#' || !cc.log[0], "start of the log");
	ASSERT_EQ(cc.log[1], '#', "rest of the log");
	ASSERT_LE(cc.log_true_size, 1, "log_true_size");
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module_value(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		bm_refused(&refusals[i]);
	if (test__start_subtest("prog_of_other_module"))
		test_prog_of_other_module();
	if (test__start_subtest("taken_by_other_module"))
		test_taken_by_other_module();
	if (test__start_subtest("type_not_registrable"))
		test_type_not_registrable();
	if (test__start_subtest("log_truncated"))
		test_log_truncated();
	if (test__start_subtest("log_none"))
		test_log_none();
	if (test__start_subtest("log_success"))
		test_log_success();
}
