// SPDX-License-Identifier: GPL-2.0
/*
 * Who can call the functions of a module, and who cannot, whatever it calls them with.
 */
#include <bpf/btf.h>
#include <glob.h>
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_file.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_syscall.h"
#include "bpf_module_token.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"

/* Who can only look at a module cannot become a user. */
static void test_read_only(void)
{
	struct bpf_module_info info;
	union bpf_attr attr = {};
	int fd;

	ASSERT_OK(bm_info(lib.module_fd, &info), "info");
	attr.module_id = info.id;
	attr.open_flags = BPF_F_RDONLY;
	fd = bm_sys_bpf(BPF_MODULE_GET_FD_BY_ID, &attr, sizeof(attr));
	ASSERT_OK_FD(fd, "read-only fd");
	BM_CALLER_REFUSED(XDP, fd, "open for reading only",
			  BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT), BPF_EXIT_INSN());
	bm_close(&fd);
	check_users(0);
}

/* It can be traced like another program, by a program that calls no functions. */
static void test_fentry_of_func(void)
{
	struct bpf_module_func_info funcs[FUNCS] = {};
	struct bpf_module_info info;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_prog_fd = lib.prog[COUNT - 1]);
	int map_fd, fd, link_fd, caller, fds[] = { -1, lib.module_fd }, key = 0;
	__u64 value = 0;

	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "m", 4, 8, 1, NULL);
	const struct bpf_insn insns[] = {
		BPF_LDX_MEM(BPF_DW, BPF_REG_2, BPF_REG_1, 0),
		BPF_LD_IMM64_RAW(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map_fd),
		BPF_STX_MEM(BPF_DW, BPF_REG_1, BPF_REG_2, 0),
		BPF_MOV64_IMM(BPF_REG_0, 0),
		BPF_EXIT_INSN(),
	};
	const struct bpf_insn calls[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT),
		BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN(),
	};

	ASSERT_OK(bm_func_info(lib.module_fd, &info, funcs, FUNCS), "info");
	opts.attach_btf_id = funcs[COUNT - 1].btf_id;
	fd = bm_load_prog(BPF_PROG_TYPE_TRACING, "tracer", insns, ARRAY_SIZE(insns), &opts);
	if (!ASSERT_OK_FD(fd, "tracer"))
		printf("%s\n", bm_prog_log);
	link_fd = bpf_raw_tracepoint_open(NULL, fd);
	ASSERT_OK_FD(link_fd, "attach");
	caller = load_counting(XDP, 21);
	ASSERT_OK_FD(caller, "caller");
	ASSERT_EQ(bm_run(caller), 21, "sum");
	bpf_map_lookup_elem(map_fd, &key, &value);
	ASSERT_EQ(value, 21, "argument that was traced");

	opts.fd_array = fds;
	ASSERT_EQ(bm_load_prog(BPF_PROG_TYPE_TRACING, "tracer", calls, ARRAY_SIZE(calls), &opts),
		  -EINVAL, "tracer that calls");
	ASSERT_HAS_SUBSTR(bm_prog_log, "the program is attached to a BPF program", "log");
	bm_close(&link_fd);
	bm_close(&fd);
	bm_close(&caller);
	bm_close(&map_fd);
}

/* As for kernel functions. */
static void test_license(void)
{
	const int fds[] = { -1, lib.module_fd };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT), BPF_EXIT_INSN(),
	};
	const struct bpf_insn kfunc[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT),
		BM_KFUNC(libbpf_find_vmlinux_btf_id("bpf_rcu_read_lock", 0)),
		BPF_EXIT_INSN(),
	};
	/* not found by libbpf, and never called */
	const struct bpf_insn missing[] = {
		BPF_MOV64_IMM(BPF_REG_0, 2),
		BPF_JMP_IMM(BPF_JEQ, BPF_REG_0, 2, 1),
		BM_KFUNC(0),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .log_buf = bm_prog_log,
		    .log_size = sizeof(bm_prog_log), .log_level = 1);
	int fd;

	ASSERT_EQ(bpf_prog_load(XDP, "caller", "Proprietary", insns, ARRAY_SIZE(insns), &opts),
		  -EACCES, "caller");
	ASSERT_HAS_SUBSTR(bm_prog_log, "function count of module " NAME " is for programs with",
			  "log");
	ASSERT_EQ(bpf_prog_load(XDP, "caller", "Proprietary", kfunc, ARRAY_SIZE(kfunc), &opts),
		  -EINVAL, "caller of a kernel function");
	ASSERT_HAS_SUBSTR(bm_prog_log, "cannot call kernel function from non-GPL", "log");
	ASSERT_EQ(bpf_prog_load(XDP, "caller", "Proprietary", missing, ARRAY_SIZE(missing), &opts),
		  -EINVAL, "of one that is missing");
	ASSERT_HAS_SUBSTR(bm_prog_log, "cannot call kernel function from non-GPL", "log");
	fd = bpf_prog_load(XDP, "caller", "GPL", missing, ARRAY_SIZE(missing), &opts);
	ASSERT_OK_FD(fd, "with the license");
	bm_close(&fd);
	check_users(0);
}

/* A caller without the privileges that the function was verified with. */
static void test_privileges(void)
{
	__u64 caps, drop = 1ULL << CAP_PERFMON | 1ULL << CAP_SYS_ADMIN;

	if (!ASSERT_OK(cap_disable_effective(drop, &caps), "drop"))
		return;
	BM_CALLER_REFUSED(XDP, lib.module_fd, "was loaded with CAP_PERFMON",
			  BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT), BPF_EXIT_INSN());
	ASSERT_OK(cap_enable_effective(caps & drop, NULL), "restore");
	check_users(0);
}

/* In a child with a token: 0 if neither a caller nor a function can be loaded by it. */
static int with_token(const struct bm_talk *talk)
{
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT), BPF_EXIT_INSN(),
	};
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	const int fds[] = { -1, lib.module_fd };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_TOKEN_FD);

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 1;
	opts.token_fd = bm_token_ask(talk);
	if (opts.token_fd < 0)
		return 2;
	if (bm_load_prog(XDP, "plain", zero, ARRAY_SIZE(zero), &opts) < 0)
		return 3;
	opts.fd_array = fds;
	if (bm_load_prog(XDP, "caller", insns, ARRAY_SIZE(insns), &opts) != -EPERM ||
	    !strstr(bm_prog_log, "the program is loaded by a BPF token"))
		return 4;
	opts.fd_array = NULL;
	if (bm_load_prog(BPF_PROG_TYPE_MODULE_FUNC, "func", zero, ARRAY_SIZE(zero), &opts) !=
	    -EPERM || !strstr(bm_prog_log, "cannot be loaded by a BPF token"))
		return 5;
	return 0;
}

/* The privileges that count are those of the system. */
static void test_token(void)
{
	struct bm_talk talk;
	int status = -1;
	pid_t child;

	if (!bm_talk_open(&talk))
		return;
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(with_token(&talk));
	if (!ASSERT_GT(child, 0, "fork"))
		return;
	bm_token_give(&talk, child);
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, 0, "status of the child");
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

#define NETDEVSIM "/sys/bus/netdevsim/"

/* The index of the interface of netdevsim device 77. */
static int netdevsim_ifindex(void)
{
	char text[16] = "";
	glob_t found;
	int fd;

	if (!ASSERT_OK(glob(NETDEVSIM "devices/netdevsim77/net/*/ifindex", 0, NULL, &found),
		       "interface"))
		return -1;
	fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
	bm_read_all(fd, text, sizeof(text));
	bm_close(&fd);
	globfree(&found);
	return atoi(text);
}

/* A program that does not run here: the function does. */
static void test_offloaded(void)
{
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	const struct bpf_insn calls[] = {
		BPF_MOV64_IMM(BPF_REG_1, 1), BM_CALL(1, COUNT), BPF_EXIT_INSN(),
	};
	const int fds[] = { -1, lib.module_fd };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	int fd;

	if (access(NETDEVSIM "new_device", F_OK)) {
		/* without CONFIG_NETDEVSIM */
		test__skip();
		return;
	}
	if (!ASSERT_TRUE(bm_write_file(NETDEVSIM "new_device", "77 1"), "device"))
		return;
	opts.prog_ifindex = netdevsim_ifindex();
	fd = bm_load_prog(XDP, "bm_offloaded", zero, ARRAY_SIZE(zero), &opts);
	ASSERT_OK_FD(fd, "program that calls nothing");
	bm_close(&fd);
	fd = bm_load_prog(XDP, "bm_offloaded", calls, ARRAY_SIZE(calls), &opts);
	ASSERT_EQ(fd, -EINVAL, "caller");
	ASSERT_HAS_SUBSTR(bm_prog_log, "the program is offloaded to a device", "log");
	bm_close(&fd);
	check_users(0);
	ASSERT_TRUE(bm_write_file(NETDEVSIM "del_device", "77"), "remove the device");
}

/* A program of that type with a global subprogram, whose type is @sub_id in @btf. */
static int load_extended(enum bpf_prog_type type, const struct btf *btf, int btf_fd, int main_id,
			 int sub_id)
{
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 8),
		BPF_CALL_REL(1),
		BPF_EXIT_INSN(),
		BPF_MOV64_IMM(BPF_REG_0, 1),
		BPF_EXIT_INSN(),
	};
	struct bpf_func_info info[] = { { 0, main_id }, { 3, sub_id } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = btf_fd, .func_info = info,
		    .func_info_cnt = 2, .func_info_rec_size = sizeof(info[0]));

	if (type == SYSCALL)
		opts.prog_flags = BPF_F_SLEEPABLE;
	return bm_load_prog(type, "bm_extended", insns, ARRAY_SIZE(insns), &opts);
}

/* An extension of a program calls functions like the program, but not of one that sleeps:
 * where it runs is not known to be an RCU critical section.
 */
static void test_extension(void)
{
	const struct bpf_insn calls[] = { BM_CALL(1, COUNT), BPF_EXIT_INSN() };
	const int fds[] = { -1, lib.module_fd };
	struct btf *btf = btf__new_empty();
	int int_id, proto, sub, main_id, btf_fd, xdp, syscall_prog, ext, link_fd;
	struct bpf_func_info info = {};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .func_info = &info,
		    .func_info_cnt = 1, .func_info_rec_size = sizeof(info));
	const void *raw;
	__u32 size;

	int_id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	proto = btf__add_func_proto(btf, int_id);
	btf__add_func_param(btf, "n", int_id);
	sub = btf__add_func(btf, "extended", BTF_FUNC_GLOBAL, proto);
	proto = btf__add_func_proto(btf, int_id);
	btf__add_func_param(btf, "ctx", btf__add_ptr(btf, 0));
	main_id = btf__add_func(btf, "main_func", BTF_FUNC_GLOBAL, proto);
	raw = btf__raw_data(btf, &size);
	btf_fd = bpf_btf_load(raw, size, NULL);
	xdp = load_extended(XDP, btf, btf_fd, main_id, sub);
	syscall_prog = load_extended(SYSCALL, btf, btf_fd, main_id, sub);
	if (!ASSERT_OK_FD(xdp, "XDP") || !ASSERT_OK_FD(syscall_prog, "syscall"))
		printf("%s\n", bm_prog_log);

	info.type_id = sub;
	opts.prog_btf_fd = btf_fd;
	opts.attach_btf_id = sub;
	opts.attach_prog_fd = xdp;
	ext = bm_load_prog(BPF_PROG_TYPE_EXT, "bm_ext", calls, ARRAY_SIZE(calls), &opts);
	if (!ASSERT_OK_FD(ext, "extension"))
		printf("%s\n", bm_prog_log);
	link_fd = bpf_raw_tracepoint_open(NULL, ext);
	ASSERT_OK_FD(link_fd, "attach");
	ASSERT_EQ(bm_run(xdp), 8, "sum");
	opts.attach_prog_fd = syscall_prog;
	ASSERT_EQ(bm_load_prog(BPF_PROG_TYPE_EXT, "bm_ext", calls, ARRAY_SIZE(calls), &opts),
		  -EINVAL, "of one that sleeps");
	ASSERT_HAS_SUBSTR(bm_prog_log, "An extension of a sleepable program", "log");
	bm_close(&link_fd);
	bm_close(&ext);
	bm_close(&xdp);
	bm_close(&syscall_prog);
	bm_close(&btf_fd);
	btf__free(btf);
}

static const struct bm_lib_test tests[] = {
	{ "read_only", test_read_only },
	{ "fentry_of_func", test_fentry_of_func },
	{ "license", test_license },
	{ "privileges", test_privileges },
	{ "token", test_token },
	{ "offloaded", test_offloaded },
	{ "extension", test_extension },
};

void serial_test_bpf_module_func_who(void)
{
	bm_lib_run(tests, ARRAY_SIZE(tests));
}
