// SPDX-License-Identifier: GPL-2.0
/*
 * How the call of a function is seen: in dumps of the program, in the symbols of the
 * kernel, by a JIT that blinds constants; and how many there can be.
 */
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_file.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_wait.h"

/* The address of a symbol; of several, that which is @wanted. */
static bool has_symbol(const char *name, unsigned long wanted, unsigned long *addr)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], sym[256];
	bool found = false;

	if (!ASSERT_OK_PTR(file, "kallsyms"))
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%lx %*c %255s", addr, sym) == 2 && !strcmp(sym, name) &&
			(!wanted || *addr == wanted);
	fclose(file);
	return found;
}

/* That of a function begins with its program's tag, and ends with the function's name. */
static void test_symbol(void)
{
	struct bpf_prog_info info = {};
	unsigned long addr, jited = 0;
	__u32 len = sizeof(info), i;
	char name[256] = "bpf_prog_";

	info.jited_ksyms = ptr_to_u64(&jited);
	info.nr_jited_ksyms = 1;
	ASSERT_OK(bpf_prog_get_info_by_fd(lib.prog[COUNT - 1], &info, &len), "info");
	for (i = 0; i < sizeof(info.tag); i++)
		sprintf(name + strlen(name), "%02x", info.tag[i]);
	strcat(name, "_count");
	ASSERT_NEQ(jited, 0, "address");
	ASSERT_TRUE(has_symbol(name, jited, &addr), name);
}

/* The instructions as they are dumped: the call is still one, of that module, and where
 * JITs take the address from it that is the function's.
 */
static void test_dump(void)
{
	struct bpf_insn insns[16] = {};
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	char jited[4096];
	int fd;

	fd = load_counting(XDP, 1);
	ASSERT_OK_FD(fd, "caller");
	info.xlated_prog_insns = ptr_to_u64(insns);
	info.xlated_prog_len = sizeof(insns);
	info.jited_prog_insns = ptr_to_u64(jited);
	info.jited_prog_len = sizeof(jited);
	ASSERT_OK(bpf_prog_get_info_by_fd(fd, &info, &len), "info");
	ASSERT_EQ(info.xlated_prog_len, 3 * sizeof(insns[0]), "length");
	ASSERT_GT(info.jited_prog_len, 0, "length of what runs");
	ASSERT_EQ(insns[1].code, BPF_JMP | BPF_CALL, "call");
	ASSERT_TRUE(insns[1].src_reg == BPF_PSEUDO_KFUNC_CALL, "kind of call");
	ASSERT_EQ(insns[1].off, 1, "module");
#ifdef __x86_64__
	unsigned long base = 0, func = 0;

	memset(&info, 0, sizeof(info));
	info.jited_ksyms = ptr_to_u64(&func);
	info.nr_jited_ksyms = 1;
	ASSERT_OK(bpf_prog_get_info_by_fd(lib.prog[COUNT - 1], &info, &len), "info of count()");
	ASSERT_TRUE(has_symbol("__bpf_call_base", 0, &base), "base of calls");
	ASSERT_EQ(base + (long)insns[1].imm, func, "address that is called");
#endif
	bm_close(&fd);
}

/* Constants are blinded, for everybody, and the call is none. */
static void test_harden(void)
{
	const char *path = "/proc/sys/net/core/bpf_jit_harden";
	char old[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC), func;
	struct bm_lib l;

	bm_read_all(fd, old, sizeof(old));
	close(fd);
	if (!ASSERT_TRUE(bm_write_file(path, "2"), "harden") || !bm_lib_open(&l))
		goto out;
	func = bm_lib_func(&l, "blinded", l.int_id, BTF_FUNC_GLOBAL);
	if (bm_lib_load_btf(&l) &&
	    BM_LIB_ADD(&l, func, 0, NULL,
		       BPF_MOV64_IMM(BPF_REG_0, 0x12345),
		       BPF_ALU64_REG(BPF_SUB, BPF_REG_0, BPF_REG_1),
		       BPF_EXIT_INSN()) &&
	    bm_lib_load(&l, "bm_blinded")) {
		fd = BM_CALLER(XDP, l.module_fd,
			       BPF_MOV64_IMM(BPF_REG_1, 0x11111),
			       BM_CALL(1, 1),
			       BPF_EXIT_INSN());
		ASSERT_OK_FD(fd, "caller");
		ASSERT_EQ(bm_run(fd), 0x1234, "difference");
		bm_close(&fd);
		/* with a subprogram, of which each is compiled twice */
		fd = BM_CALLER(XDP, l.module_fd,
			       BPF_MOV64_IMM(BPF_REG_1, 0x11111),
			       BPF_CALL_REL(1),
			       BPF_EXIT_INSN(),
			       BM_CALL(1, 1),
			       BPF_EXIT_INSN());
		ASSERT_OK_FD(fd, "caller with a subprogram");
		ASSERT_EQ(bm_run(fd), 0x1234, "difference");
		bm_close(&fd);
	}
	bm_lib_close(&l);
out:
	ASSERT_TRUE(bm_write_file(path, old), "restore");
}

/* A function that is not compiled would run the caller's R2 as instructions. */
static void test_interpreted(void)
{
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	const char *path = "/proc/sys/net/core/bpf_jit_enable";
	struct bpf_module_func funcs[4];
	union bpf_attr attr;
	char old[16] = "";
	struct bm_lib l;
	int func, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	bm_read_all(fd, old, sizeof(old));
	close(fd);
	if (!bm_write_file(path, "0")) {
		/* CONFIG_BPF_JIT_ALWAYS_ON */
		test__skip();
		return;
	}
	if (bm_lib_open(&l)) {
		func = bm_lib_func(&l, "slow", l.int_id, BTF_FUNC_GLOBAL);
		if (bm_lib_load_btf(&l) && bm_lib_add(&l, func, 0, NULL, zero, ARRAY_SIZE(zero))) {
			bm_lib_attr(&l, "bm_slow", &attr, funcs);
			refused(&l, &attr, -EOPNOTSUPP, "is not compiled by the JIT");
		}
		bm_lib_close(&l);
	}
	ASSERT_TRUE(bm_write_file(path, old), "restore");
}

#define MODULES_MAX 256

/* A program that calls count() by @cnt fds. */
static int load_many(int cnt)
{
	static struct bpf_insn insns[2 * (MODULES_MAX + 1) + 1];
	static int fds[MODULES_MAX + 2];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	int i;

	for (i = 0; i < cnt; i++) {
		insns[2 * i] = BPF_MOV64_IMM(BPF_REG_1, 1);
		insns[2 * i + 1] = BM_CALL(i + 1, COUNT);
		fds[i + 1] = lib.module_fd;
	}
	insns[2 * cnt] = BPF_EXIT_INSN();
	return bpf_prog_load(XDP, "bm_caller", "GPL", insns, 2 * cnt + 1, &opts);
}

/* There are as many fds as for the modules of the kernel. */
static void test_many(void)
{
	int fd = load_many(MODULES_MAX);

	ASSERT_OK_FD(fd, "256");
	check_users(1);
	ASSERT_EQ(bm_run(fd), MODULES_MAX, "sum");
	bm_close(&fd);
	fd = load_many(MODULES_MAX + 1);
	ASSERT_EQ(fd, -E2BIG, "257");
	bm_close(&fd);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

/* Who has the fd and no privileges. */
static void test_unprivileged(void)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(1);
		_exit(load_counting(BPF_PROG_TYPE_SOCKET_FILTER, 1) != -EPERM);
	}
	if (ASSERT_GT(child, 0, "fork")) {
		ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
		ASSERT_EQ(status, 0, "status of the child");
	}
	check_users(0);
}

/* Nor a function's own global functions are extended: callers were checked against it. */
static void test_extended_subprog(void)
{
	const struct bpf_insn insns[] = {
		BPF_CALL_REL(1),
		BPF_EXIT_INSN(),
		BPF_MOV64_IMM(BPF_REG_0, 1),
		BPF_EXIT_INSN(),
	};
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };
	struct bpf_func_info info[] = { { .insn_off = 0 }, { .insn_off = 2 }, { .insn_off = 0 } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .func_info = info, .func_info_cnt = 2,
		    .func_info_rec_size = sizeof(info[0]));
	LIBBPF_OPTS(bpf_prog_load_opts, ext, .func_info = &info[2], .func_info_cnt = 1,
		    .func_info_rec_size = sizeof(info[0]));
	struct bm_lib l;
	int fd;

	if (!bm_lib_open(&l))
		return;
	info[0].type_id = bm_lib_func(&l, "outer", l.int_id, BTF_FUNC_GLOBAL);
	info[1].type_id = bm_lib_func(&l, "inner", l.int_id, BTF_FUNC_GLOBAL);
	if (bm_lib_load_btf(&l)) {
		opts.prog_btf_fd = l.btf_fd;
		fd = bm_load_prog(BPF_PROG_TYPE_MODULE_FUNC, "outer", insns, ARRAY_SIZE(insns),
				  &opts);
		ASSERT_OK_FD(fd, "function");
		ext.prog_btf_fd = l.btf_fd;
		info[2].type_id = info[1].type_id;
		ext.attach_prog_fd = fd;
		ext.attach_btf_id = info[1].type_id;
		ASSERT_EQ(bm_load_prog(BPF_PROG_TYPE_EXT, "ext", zero, ARRAY_SIZE(zero), &ext),
			  -EINVAL, "freplace");
		ASSERT_HAS_SUBSTR(bm_prog_log, "Cannot extend functions", "log");
		bm_close(&fd);
	}
	bm_lib_close(&l);
}

static const struct bm_lib_test tests[] = {
	{ "symbol", test_symbol },
	{ "dump", test_dump },
	{ "harden", test_harden },
	{ "interpreted", test_interpreted },
	{ "many", test_many },
	{ "unprivileged", test_unprivileged },
	{ "extended_subprog", test_extended_subprog },
};

void serial_test_bpf_module_func_seen(void)
{
	bm_lib_run(tests, ARRAY_SIZE(tests));
}
