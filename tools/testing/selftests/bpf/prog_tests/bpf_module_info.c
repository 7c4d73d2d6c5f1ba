// SPDX-License-Identifier: GPL-2.0
/* What BPF_MODULE_GET_INFO tells. */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <test_progs.h>
#include <time.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_prog.h"
#include "bpf_module_type.h"
#include "cap_helpers.h"
#include "bpf_module_cc.skel.h"

/* The state that the tests of this file share: one module, two ops. */
struct fixture {
	struct bm_cc cc;
	int fd;
	__u32 id;
	__u32 prog_ids[BM_CC_REQUIRED];
	__u64 before_ns;
	__u64 after_ns;
};

static __u64 boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void test_fields(struct fixture *f)
{
	struct bpf_module_info info;

	ASSERT_OK(bm_info(f->fd, &info), "info");
	ASSERT_EQ(info.id, f->id, "id");
	ASSERT_EQ(info.state, BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(info.flags, 0, "flags");
	ASSERT_EQ(info.uid, getuid(), "uid");
	ASSERT_GE(info.load_time, f->before_ns, "load_time");
	ASSERT_LE(info.load_time, f->after_ns, "load_time");
	ASSERT_EQ(info.users, 0, "users");
	ASSERT_EQ(info.btf_id, 0, "btf_id");
	ASSERT_EQ(info.ops_cnt, 2, "ops_cnt");
	ASSERT_EQ(info.prog_cnt, BM_CC_REQUIRED, "prog_cnt");
	ASSERT_EQ(info.map_cnt, 0, "map_cnt");
	ASSERT_STREQ(info.name, "bm_info", "name");
}

/* At least its two values and a page of trampolines, but not megabytes. */
static void test_memory(struct fixture *f)
{
	struct bpf_module_info info;

	ASSERT_OK(bm_info(f->fd, &info), "info");
	/* the struct for the kernel, for user space, and what makes it run */
	ASSERT_GT(info.memory, 2 * f->cc.type.size + 512, "memory");
	ASSERT_LT(info.memory, 1024 * 1024, "memory");
}

/* BPF_OBJ_GET_INFO_BY_FD gives the same answer. */
static void test_same_by_obj(struct fixture *f)
{
	struct bpf_module_info info, by_obj = {};
	__u32 len = sizeof(by_obj);

	ASSERT_OK(bm_info(f->fd, &info), "info");
	ASSERT_OK(bpf_obj_get_info_by_fd(f->fd, &by_obj, &len), "info by fd");
	ASSERT_EQ(len, sizeof(info), "length");
	ASSERT_OK(memcmp(&info, &by_obj, sizeof(info)), "difference");
}

static bool has_prog(struct fixture *f, __u32 id)
{
	int p;

	for (p = 0; p < BM_CC_REQUIRED; p++)
		if (f->prog_ids[p] == id)
			return true;
	return false;
}

static void test_prog_ids(struct fixture *f)
{
	__u32 ids[BM_CC_REQUIRED + 1] = {}, len;
	struct bpf_module_info info = {};
	int p;

	info.prog_ids = ptr_to_u64(ids);
	info.prog_cnt = ARRAY_SIZE(ids);
	len = sizeof(info);
	ASSERT_OK(bpf_module_get_info_by_fd(f->fd, &info, &len), "info");
	ASSERT_EQ(info.prog_cnt, BM_CC_REQUIRED, "prog_cnt");
	for (p = 0; p < BM_CC_REQUIRED; p++)
		ASSERT_TRUE(has_prog(f, ids[p]), "program id");
	ASSERT_NEQ(ids[0], ids[1], "first and second");
	ASSERT_NEQ(ids[1], ids[2], "second and third");
	ASSERT_NEQ(ids[0], ids[2], "first and third");
	ASSERT_EQ(ids[BM_CC_REQUIRED], 0, "past the end");
}

/* Too small an array is filled up to its size, and the count is the real one. */
static void test_prog_ids_short(struct fixture *f)
{
	struct bpf_module_info info = {};
	__u32 ids[2] = {}, len;

	info.prog_ids = ptr_to_u64(ids);
	info.prog_cnt = 1;
	len = sizeof(info);
	ASSERT_OK(bpf_module_get_info_by_fd(f->fd, &info, &len), "info");
	ASSERT_EQ(info.prog_cnt, BM_CC_REQUIRED, "prog_cnt");
	ASSERT_TRUE(has_prog(f, ids[0]), "program id");
	ASSERT_EQ(ids[1], 0, "past the room");
}

static void test_ops(struct fixture *f)
{
	char value[2][BM_VALUE_SIZE] __aligned(8);
	struct bpf_module_ops_info ops[3] = {};
	struct bpf_module_info info = {};
	__u32 off, len = sizeof(info);
	int i, p;

	memset(value, '#', sizeof(value));
	for (i = 0; i < 2; i++) {
		ops[i].value = ptr_to_u64(value[i]);
		ops[i].value_size = sizeof(value[i]);
	}
	info.ops = ptr_to_u64(ops);
	info.ops_cnt = ARRAY_SIZE(ops);
	info.ops_size = sizeof(ops[0]);
	ASSERT_OK(bpf_module_get_info_by_fd(f->fd, &info, &len), "info");
	ASSERT_EQ(info.ops_cnt, 2, "ops_cnt");
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(ops[i].btf_obj_id, bm_btf_id("vmlinux"), "btf_obj_id");
		ASSERT_EQ(ops[i].type_id, f->cc.type.id, "type_id");
		ASSERT_EQ(ops[i].state, BPF_MODULE_OPS_REGISTERED, "state");
		ASSERT_EQ(ops[i].value_size, f->cc.type.size, "value_size");
		/* as it was given, with ids for fds */
		for (p = 0; p < BM_CC_REQUIRED; p++)
			bm_cc_set_prog(&f->cc, i, bm_cc_member[p], f->prog_ids[p]);
		ASSERT_OK(memcmp(value[i], f->cc.value[i], f->cc.type.size), "value");
		ASSERT_EQ(value[i][f->cc.type.size], '#', "past the value");
	}
	ASSERT_STREQ(ops[0].name, "bm_info_a", "name of the first");
	ASSERT_STREQ(ops[1].name, "", "name of the second");
	bm_member(&f->cc.type, "name", &off);
	ASSERT_STREQ(value[1] + off, "bm_info_b", "name it is registered with");
	ASSERT_EQ(ops[2].type_id, 0, "past the end");
}

static void test_ops_short(struct fixture *f)
{
	struct bpf_module_ops_info ops[2] = {};
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	char value[16];

	memset(value, '#', sizeof(value));
	ops[0].value = ptr_to_u64(value);
	ops[0].value_size = 8;
	info.ops = ptr_to_u64(ops);
	info.ops_cnt = 1;
	info.ops_size = sizeof(ops[0]);
	ASSERT_OK(bpf_module_get_info_by_fd(f->fd, &info, &len), "info");
	ASSERT_EQ(info.ops_cnt, 2, "ops_cnt");
	ASSERT_EQ(ops[0].value_size, f->cc.type.size, "value_size");
	ASSERT_EQ(*(__u64 *)value, f->prog_ids[bm_cc_first(&f->cc)], "first member");
	ASSERT_EQ(value[8], '#', "past the room");
	ASSERT_EQ(ops[1].type_id, 0, "past the entries");
}

/* A caller with a longer or shorter struct than the kernel's. */
static void test_info_len(struct fixture *f)
{
	char longer[sizeof(struct bpf_module_info) + 16] = {};
	struct bpf_module_info *info = (void *)longer;
	__u32 len = sizeof(longer);

	ASSERT_OK(bpf_module_get_info_by_fd(f->fd, info, &len), "longer");
	ASSERT_EQ(len, sizeof(*info), "length written");
	ASSERT_EQ(info->id, f->id, "id");

	memset(longer, 0, sizeof(longer));
	longer[sizeof(longer) - 1] = 1;
	len = sizeof(longer);
	ASSERT_EQ(bpf_module_get_info_by_fd(f->fd, info, &len), -E2BIG, "unknown field in use");

	memset(longer, 0, sizeof(longer));
	len = offsetofend(struct bpf_module_info, state);
	ASSERT_OK(bpf_module_get_info_by_fd(f->fd, info, &len), "shorter");
	ASSERT_EQ(info->id, f->id, "id");
	ASSERT_EQ(info->state, BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(info->uid, 0, "past the room");
	ASSERT_EQ(info->name[0], 0, "past the room");
}

static void test_info_refused(struct fixture *f)
{
	struct bpf_module_ops_info ops = { .value = 1, .value_size = sizeof(long) };
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);

	ASSERT_EQ(bm_info(1000000, &info), -EBADF, "fd not open");
	ASSERT_EQ(bm_info(f->cc.prog[0], &info), -EINVAL, "fd of a program");
	memset(&info, 0, sizeof(info));
	info.prog_ids = 1;
	info.prog_cnt = 1;
	ASSERT_EQ(bpf_module_get_info_by_fd(f->fd, &info, &len), -EFAULT, "bad prog_ids");
	memset(&info, 0, sizeof(info));
	info.ops = 1;
	info.ops_cnt = 1;
	info.ops_size = sizeof(ops);
	ASSERT_EQ(bpf_module_get_info_by_fd(f->fd, &info, &len), -EFAULT, "bad ops");
	info.ops = ptr_to_u64(&ops);
	ASSERT_EQ(bpf_module_get_info_by_fd(f->fd, &info, &len), -EFAULT, "bad value");
}

/* Loads as user 1000, with the capabilities that loading needs; does not return. */
static void load_as_user(struct bm_cc *cc)
{
	__u64 caps = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_NET_ADMIN;

	if (prctl(PR_SET_KEEPCAPS, 1) || setresuid(1000, 1000, 1000) ||
	    cap_enable_effective(caps, NULL))
		_exit(1);
	_exit(bm_cc_load(cc, "bm_user") < 0 ? 2 : 0);
}

static void test_uid(struct fixture *f)
{
	struct bpf_module_info info;
	struct bm_cc cc;
	int fd, status;
	pid_t child;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_user");
	fflush(stdout);
	child = fork();
	if (!child)
		load_as_user(&cc);
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, 0, "status of the child");
	fd = bpf_module_get_fd_by_id(bm_find("bm_user"));
	if (ASSERT_OK_FD(fd, "fd by id")) {
		ASSERT_OK(bm_info(fd, &info), "info");
		ASSERT_EQ(info.uid, 1000, "uid");
	}
	bm_cc_cleanup(&cc, fd);
}

static void check_gone(const struct bpf_module_info *info)
{
	ASSERT_EQ(info->id, 0, "id");
	ASSERT_EQ(info->state, BPF_MODULE_STATE_GONE, "state");
	ASSERT_EQ(info->users, 0, "users");
	ASSERT_EQ(info->ops_cnt, 0, "ops_cnt");
	ASSERT_EQ(info->prog_cnt, 0, "prog_cnt");
	ASSERT_EQ(info->map_cnt, 0, "map_cnt");
	ASSERT_STREQ(info->name, "bm_info", "name");
}

/* Through an old fd: gone, and nothing else, with either command. */
static void test_gone(struct fixture *f)
{
	struct bpf_module_info info;
	__u32 len = sizeof(info);

	ASSERT_OK(bpf_module_unload(f->fd, NULL), "unload");
	ASSERT_OK(bm_info(f->fd, &info), "info");
	check_gone(&info);
	memset(&info, 0, sizeof(info));
	ASSERT_OK(bpf_obj_get_info_by_fd(f->fd, &info, &len), "info by fd");
	check_gone(&info);
}

/* Maps of the programs, and the BTF of the object. */
static void test_object(struct fixture *f)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts);
	struct bpf_btf_info btf_info = {};
	struct bpf_map_info map_info = {};
	struct bpf_module_info info = {};
	__u32 len, i, acks_id, map_ids[8] = {};
	struct bpf_module_cc *skel;
	bool found = false;
	struct bm_cc cc;
	int fd;

	skel = bpf_module_cc__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	if (!bm_cc_open(&cc))
		goto out;
	cc.prog[BM_RELEASE] = dup(bpf_program__fd(skel->progs.cc_release));
	close(cc.prog[BM_CONG_AVOID]);
	cc.prog[BM_CONG_AVOID] = dup(bpf_program__fd(skel->progs.cc_cong_avoid));
	bm_cc_add(&cc, "bm_object");
	opts.btf_fd = bpf_object__btf_fd(skel->obj);
	fd = bpf_module_load("bm_object", cc.ops, cc.ops_cnt, &opts);
	if (!ASSERT_OK_FD(fd, "load"))
		goto out_cc;

	len = sizeof(btf_info);
	ASSERT_OK(bpf_btf_get_info_by_fd(opts.btf_fd, &btf_info, &len), "btf info");
	len = sizeof(map_info);
	ASSERT_OK(bpf_map_get_info_by_fd(bpf_map__fd(skel->maps.acks), &map_info, &len),
		  "map info");
	acks_id = map_info.id;

	info.map_ids = ptr_to_u64(map_ids);
	info.map_cnt = ARRAY_SIZE(map_ids);
	len = sizeof(info);
	ASSERT_OK(bpf_module_get_info_by_fd(fd, &info, &len), "info");
	ASSERT_EQ(info.btf_id, btf_info.id, "btf_id");
	/* .bss, which two programs use, and acks, which one uses */
	ASSERT_EQ(info.map_cnt, 2, "map_cnt");
	for (i = 0; i < 2; i++)
		found |= map_ids[i] == acks_id;
	ASSERT_TRUE(found, "map acks");
	ASSERT_NEQ(map_ids[0], map_ids[1], "maps");
	ASSERT_EQ(map_ids[2], 0, "past the end");

	map_ids[0] = 0;
	map_ids[1] = 0;
	info.map_cnt = 1;
	ASSERT_OK(bpf_module_get_info_by_fd(fd, &info, &len), "info with little room");
	ASSERT_EQ(info.map_cnt, 2, "map_cnt with little room");
	ASSERT_GT(map_ids[0], 0, "map with little room");
	ASSERT_EQ(map_ids[1], 0, "past the room");
out_cc:
	bm_cc_cleanup(&cc, fd);
out:
	bpf_module_cc__destroy(skel);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "fields", test_fields },
	{ "memory", test_memory },
	{ "same_by_obj", test_same_by_obj },
	{ "prog_ids", test_prog_ids },
	{ "prog_ids_short", test_prog_ids_short },
	{ "ops", test_ops },
	{ "ops_short", test_ops_short },
	{ "info_len", test_info_len },
	{ "info_refused", test_info_refused },
	{ "uid", test_uid },
	{ "gone", test_gone },
	{ "object", test_object },
};

static void run_test(void (*run)(struct fixture *f))
{
	struct fixture f = {};
	int p;

	if (!bm_cc_open(&f.cc))
		return;
	for (p = 0; p < BM_CC_REQUIRED; p++)
		f.prog_ids[p] = bm_prog_id(f.cc.prog[p]);
	bm_cc_add(&f.cc, "bm_info_a");
	bm_cc_add(&f.cc, "bm_info_b")->name = 0;
	f.before_ns = boot_ns();
	f.fd = bm_cc_load(&f.cc, "bm_info");
	f.after_ns = boot_ns();
	if (ASSERT_OK_FD(f.fd, "load")) {
		f.id = bm_find("bm_info");
		run(&f);
	}
	bm_cc_cleanup(&f.cc, f.fd);
}

void serial_test_bpf_module_info(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
}
