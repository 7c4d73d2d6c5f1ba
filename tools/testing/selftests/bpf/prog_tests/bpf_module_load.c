// SPDX-License-Identifier: GPL-2.0
/* What BPF_MODULE_LOAD refuses before it looks at the values of the ops. */
#include <bpf/btf.h>
#include <linux/bpf_module.h>
#include <sys/resource.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_refusal.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "cap_helpers.h"

#define BM_BAD_PTR 1

static void name_null(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = 0;
}

static void name_bad_pointer(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = BM_BAD_PTR;
}

static void name_empty(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("");
}

static void name_too_long(struct bm_cc *cc, union bpf_attr *attr)
{
	static char name[BPF_MODULE_NAME_LEN + 1];

	memset(name, 'x', BPF_MODULE_NAME_LEN);
	attr->module_load.name = ptr_to_u64(name);
}

static void name_space(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("a b");
}

static void name_slash(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("a/b");
}

static void name_dot(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64(".");
}

static void name_dot_dot(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("..");
}

static void name_dash(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("-x");
}

static void name_newline(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("a\n");
}

static void name_not_ascii(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.name = ptr_to_u64("\xc3\xa4");
}

static void unknown_flag(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.flags = 1U << 31;
}

/* The last byte of the attributes is past all that the command knows. */
static void trailing_byte(struct bm_cc *cc, union bpf_attr *attr)
{
	((char *)attr)[sizeof(*attr) - 1] = 1;
}

static void no_ops(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops_cnt = 0;
}

static void too_many_ops(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops_cnt = BPF_MODULE_MAX_OPS + 1;
}

static void ops_bad_pointer(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops = BM_BAD_PTR;
}

static void ops_size_zero(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops_size = 0;
}

static void ops_size_small(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops_size = sizeof(cc->ops[0]) - 1;
}

static void ops_size_large(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops_size = sysconf(_SC_PAGESIZE) + 8;
}

/* An entry of a later version of the struct, with a field that is in use. */
static void ops_size_unknown(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.ops_size = sizeof(cc->ops[0]) + 8;
	memset(&cc->ops[1], 0, 8);
	cc->ops[1].type_id = 1;
}

static void op_flags(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].flags = 1;
}

static void op_name_bad_pointer(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].name = BM_BAD_PTR;
}

static void op_name_bad(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->ops[0].name = ptr_to_u64("a b");
}

static void btf_not_open(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.btf_fd = 1000000;
}

static void btf_not_btf(struct bm_cc *cc, union bpf_attr *attr)
{
	attr->module_load.btf_fd = cc->prog[BM_SSTHRESH];
}

static void btf_of_kernel(struct bm_cc *cc, union bpf_attr *attr)
{
	cc->extra_fd = bpf_btf_get_fd_by_id(bm_btf_id("vmlinux"));
	ASSERT_OK_FD(cc->extra_fd, "vmlinux btf");
	attr->module_load.btf_fd = cc->extra_fd;
}

static const struct bm_refusal refusals[] = {
	{ "name_null", name_null, -EFAULT, },
	{ "name_bad_pointer", name_bad_pointer, -EFAULT, },
	{ "name_empty", name_empty, -EINVAL, .log = { "name" } },
	{ "name_too_long", name_too_long, -EINVAL, .log = { "name" } },
	{ "name_space", name_space, -EINVAL, .log = { "name" } },
	{ "name_slash", name_slash, -EINVAL, .log = { "name" } },
	{ "name_dot", name_dot, -EINVAL, .log = { "name" } },
	{ "name_dot_dot", name_dot_dot, -EINVAL, .log = { "name" } },
	{ "name_dash", name_dash, -EINVAL, .log = { "name" } },
	{ "name_newline", name_newline, -EINVAL, .log = { "name" } },
	{ "name_not_ascii", name_not_ascii, -EINVAL, .log = { "name" } },
	{ "unknown_flag", unknown_flag, -EINVAL, .log = { "flag" } },
	{ "trailing_byte", trailing_byte, -EINVAL, .no_log = true },
	{ "no_ops", no_ops, -EINVAL, .log = { "ops" } },
	{ "too_many_ops", too_many_ops, -E2BIG, .log = { "ops" } },
	{ "ops_bad_pointer", ops_bad_pointer, -EFAULT, .log = { "address" } },
	{ "ops_size_zero", ops_size_zero, -EINVAL, .log = { "ops_size is 0 bytes" } },
	{ "ops_size_small", ops_size_small, -EINVAL, .log = { "ops_size is" } },
	{ "ops_size_large", ops_size_large, -E2BIG, .log = { "ops_size is" } },
	{ "ops_size_unknown", ops_size_unknown, -E2BIG, .log = { "does not know" } },
	{ "op_flags", op_flags, -EINVAL, .log = { "flag" } },
	{ "op_name_bad_pointer", op_name_bad_pointer, -EFAULT, },
	{ "op_name_bad", op_name_bad, -EINVAL, .log = { "name" } },
	{ "btf_not_open", btf_not_open, -EBADF, .log = { "BTF of the object" } },
	{ "btf_not_btf", btf_not_btf, -EINVAL, .log = { "BTF of the object" } },
	{ "btf_of_kernel", btf_of_kernel, -EINVAL, .log = { "BTF of the object" } },
};

/* Without @cap, and CAP_SYS_ADMIN which includes it, LOAD is refused. */
static void test_needs_cap(int cap)
{
	__u64 caps = 1ULL << cap | 1ULL << CAP_SYS_ADMIN, old_caps;
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc");
	if (!ASSERT_OK(cap_disable_effective(caps, &old_caps), "drop capabilities"))
		goto out;
	fd = bm_cc_load(&cc, "bm_perm");
	ASSERT_OK(cap_enable_effective(old_caps, NULL), "restore capabilities");
	ASSERT_EQ(fd, -EPERM, "load");
	ASSERT_FALSE(bm_tcp_has("bm_cc"), "registered");
	if (fd >= 0)
		close(fd);

	fd = bm_cc_load(&cc, "bm_perm");
	if (!ASSERT_OK_FD(fd, "load with capabilities"))
		goto out;
	if (!ASSERT_OK(cap_disable_effective(caps, &old_caps), "drop capabilities"))
		goto unload;
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EPERM, "unload");
	ASSERT_EQ(bm_drain(fd), -EPERM, "drain");
	ASSERT_OK(cap_enable_effective(old_caps, NULL), "restore capabilities");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
unload:
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload with capabilities");
	close(fd);
out:
	bm_cc_close(&cc);
}

/* CAP_BPF and CAP_PERFMON, with that of the subsystem, are enough. */
static void test_caps_suffice(void)
{
	__u64 keep = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_NET_ADMIN, old_caps;
	struct bm_cc cc;
	int fd, err = 0;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc");
	if (ASSERT_OK(cap_disable_effective(~keep, &old_caps), "drop capabilities")) {
		fd = bm_cc_load(&cc, "bm_perm");
		if (fd >= 0)
			err = bpf_module_unload(fd, NULL);
		ASSERT_OK(cap_enable_effective(old_caps, NULL), "restore capabilities");
		ASSERT_OK_FD(fd, "load");
		ASSERT_OK(err, "unload");
		if (fd >= 0)
			close(fd);
	}
	bm_cc_close(&cc);
}

static void test_good_name(const char *name)
{
	struct bpf_module_info info;
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, name, "bm_cc");
	if (fd < 0)
		return;
	ASSERT_OK(bm_info(fd, &info), "info");
	ASSERT_STREQ(info.name, name, "name");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_cc_cleanup(&cc, fd);
}

static void test_name_longest(void)
{
	char name[BPF_MODULE_NAME_LEN] = "";

	memset(name, 'x', sizeof(name) - 1);
	test_good_name(name);
}

static void test_name_taken(void)
{
	static const char * const log[] = { "bm_taken" };
	struct bm_cc cc, other;
	int fd, other_fd;

	fd = bm_cc_open_load(&cc, "bm_taken", "bm_cc");
	if (fd < 0)
		return;
	if (!bm_cc_open(&other))
		goto out;
	bm_cc_add(&other, "bm_other");
	other_fd = bm_cc_load(&other, "bm_taken");
	ASSERT_EQ(other_fd, -EEXIST, "load");
	bm_check_log(&other, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_other"), "registered");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "the first");

	ASSERT_OK(bpf_module_unload(fd, NULL), "unload the first");
	other_fd = bm_cc_load(&other, "bm_taken");
	ASSERT_OK_FD(other_fd, "load once it is free");
	bm_cc_cleanup(&other, other_fd);
out:
	bm_cc_cleanup(&cc, fd);
}

/* A later version of the struct is taken as long as its new fields are 0. */
static void test_ops_size_larger(void)
{
	char ops[sizeof(struct bpf_module_ops) + 64] = {};
	union bpf_attr attr = {};
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	memcpy(ops, bm_cc_add(&cc, "bm_cc"), sizeof(struct bpf_module_ops));
	attr.module_load.name = ptr_to_u64("bm_larger");
	attr.module_load.ops = ptr_to_u64(ops);
	attr.module_load.ops_cnt = 1;
	attr.module_load.ops_size = sizeof(ops);
	fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	if (ASSERT_OK_FD(fd, "load"))
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_cc_cleanup(&cc, fd);
}

/* Attributes that end with the command's last field are enough. */
static void test_attr_size_exact(void)
{
	union bpf_attr attr = {};
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc");
	attr.module_load.name = ptr_to_u64("bm_exact");
	attr.module_load.ops = ptr_to_u64(cc.ops);
	attr.module_load.ops_cnt = 1;
	attr.module_load.ops_size = sizeof(cc.ops[0]);
	fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, offsetofend(union bpf_attr, module_load));
	if (ASSERT_OK_FD(fd, "load"))
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	bm_cc_cleanup(&cc, fd);
}

static void test_fd_cloexec(void)
{
	struct bm_cc cc;
	int fd;

	fd = bm_cc_open_load(&cc, "bm_cloexec", "bm_cc");
	if (fd < 0)
		return;
	ASSERT_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "FD_CLOEXEC");
	bm_cc_cleanup(&cc, fd);
}

/* The fd is reserved after everything that can be refused, and before registration. */
static void test_no_fd_left(void)
{
	static const char * const log[] = { "too many open files" };
	struct rlimit old, limit;
	struct bm_cc cc;
	int fd;

	if (!ASSERT_OK(getrlimit(RLIMIT_NOFILE, &old), "getrlimit") || !bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc");
	fd = dup(0);
	close(fd);
	limit = old;
	limit.rlim_cur = fd;
	if (ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit")) {
		ASSERT_EQ(bm_cc_load(&cc, "bm_no_fd"), -EMFILE, "load");
		ASSERT_OK(setrlimit(RLIMIT_NOFILE, &old), "setrlimit back");
	}
	bm_check_log(&cc, log, ARRAY_SIZE(log));
	ASSERT_EQ(bm_find("bm_no_fd"), 0, "listed");
	ASSERT_FALSE(bm_tcp_has("bm_cc"), "registered");
	fd = bm_cc_load(&cc, "bm_no_fd");
	ASSERT_OK_FD(fd, "load with an fd left");
	bm_cc_cleanup(&cc, fd);
}

void serial_test_bpf_module_load(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		bm_refused(&refusals[i]);
	if (test__start_subtest("needs_cap_bpf"))
		test_needs_cap(CAP_BPF);
	if (test__start_subtest("needs_cap_perfmon"))
		test_needs_cap(CAP_PERFMON);
	if (test__start_subtest("caps_suffice"))
		test_caps_suffice();
	if (test__start_subtest("name_all_characters"))
		test_good_name("Az09_.-");
	if (test__start_subtest("name_shortest"))
		test_good_name("x");
	if (test__start_subtest("name_longest"))
		test_name_longest();
	if (test__start_subtest("name_taken"))
		test_name_taken();
	if (test__start_subtest("ops_size_larger"))
		test_ops_size_larger();
	if (test__start_subtest("attr_size_exact"))
		test_attr_size_exact();
	if (test__start_subtest("fd_cloexec"))
		test_fd_cloexec();
	if (test__start_subtest("no_fd_left"))
		test_no_fd_left();
}
