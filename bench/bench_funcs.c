// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to call code that other programs call, too: a function that a BPF
 * module exports, where the kernel has modules, and what is done without them: a copy in
 * each object, a tail call, a program that is extended (freplace), a function of a
 * kernel module.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench_measure.h"
#include "bench_ops.h"

#define RUNS 100000
#define CALLERS 100

/* What the function adds up: next to nothing, or 4 KiB of machine code. */
#define SMALL 1
#define LARGE 1024

struct code {
	struct bpf_insn insns[LARGE + 16];
	int cnt;
};

static struct btf *btf;
static int btf_fd, func_id, main_id, stub_id;
static int kernel_btf_fd, kernel_func_id;

void find_kernel_func(const struct btf *kernel_btf, int fd)
{
	kernel_btf_fd = fd;
	kernel_func_id = btf__find_by_name_kind(kernel_btf, "bench_kernel_func", BTF_KIND_FUNC);
	if (kernel_func_id < 0)
		errx(1, "no bench_kernel_func()");
}

static void emit(struct code *code, int op, int dst, int src, int off, int imm)
{
	code->insns[code->cnt++] = (struct bpf_insn) {
		.code = op, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
}

static void emit_exit(struct code *code)
{
	emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* int func(int n): returns n, with adds added to it one at a time. */
static void emit_func(struct code *code, int adds)
{
	emit(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	while (adds--)
		emit(code, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_0, 0, 0, 1);
	emit_exit(code);
}

/* Calls func(7); what src, off and imm are tells which. */
static void emit_call(struct code *code, int src, int off, int imm)
{
	emit(code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 7);
	emit(code, BPF_JMP | BPF_CALL, 0, src, off, imm);
	emit_exit(code);
}

static int load(enum bpf_prog_type type, const struct code *code, struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(type, "bench", "GPL", code->insns, code->cnt, opts);

	if (fd < 0)
		err(1, "program of type %d", type);
	return fd;
}

static int load_caller(const struct code *code)
{
	return load(BPF_PROG_TYPE_SCHED_CLS, code, NULL);
}

static int load_empty(void)
{
	struct code code = {};

	emit(&code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_exit(&code);
	return load_caller(&code);
}

/* The function is linked into the object. */
static int load_own(int adds)
{
	struct code code = {};

	/* counted from the next instruction, behind which is the end */
	emit_call(&code, BPF_PSEUDO_CALL, 0, 1);
	emit_func(&code, adds);
	return load_caller(&code);
}

static int load_kernel(void)
{
	int fds[] = { -1, kernel_btf_fd };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	struct code code = {};

	emit_call(&code, BPF_PSEUDO_KFUNC_CALL, 1, kernel_func_id);
	return load(BPF_PROG_TYPE_SCHED_CLS, &code, &opts);
}

static int load_tail(void)
{
	struct code code = {}, callee = {};
	int map, prog, fd, zero = 0;

	map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "bench", 4, 4, 1, NULL);
	if (map < 0)
		err(1, "prog array");
	emit(&code, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map);
	emit(&code, 0, 0, 0, 0, 0);
	emit(&code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0);
	emit(&code, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
	emit(&code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_exit(&code);
	emit(&callee, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 7);
	emit_func(&callee, SMALL);
	fd = load_caller(&code);
	prog = load_caller(&callee);
	if (bpf_map_update_elem(map, &zero, &prog, 0))
		err(1, "prog array");
	close(prog);
	/* the map is open as long as the process: else it would be emptied */
	return fd;
}

/* A global function of the program is extended by another program. */
static int load_extended(void)
{
	struct bpf_func_info infos[] = { { 0, main_id }, { 3, stub_id } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.prog_btf_fd = btf_fd,
		.func_info = infos,
		.func_info_cnt = ARRAY_SIZE(infos),
		.func_info_rec_size = sizeof(infos[0]),
	);
	struct code code = {}, extension = {};
	int fd, prog;

	emit_call(&code, BPF_PSEUDO_CALL, 0, 1);
	emit(&code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_exit(&code);
	fd = load(BPF_PROG_TYPE_SCHED_CLS, &code, &opts);

	infos[0].type_id = func_id;
	opts.func_info_cnt = 1;
	opts.attach_prog_fd = fd;
	opts.attach_btf_id = stub_id;
	emit_func(&extension, SMALL);
	prog = load(BPF_PROG_TYPE_EXT, &extension, &opts);
	/* it is open as long as the process */
	if (bpf_raw_tracepoint_open(NULL, prog) < 0)
		err(1, "extension");
	close(prog);
	return fd;
}

#if MODULES
static int library = -1;

static void open_library(int adds)
{
	struct bpf_func_info info = { 0, func_id };
	LIBBPF_OPTS(bpf_prog_load_opts, prog_opts,
		.prog_btf_fd = btf_fd,
		.func_info = &info,
		.func_info_cnt = 1,
		.func_info_rec_size = sizeof(info),
	);
	struct bpf_module_func func = {};
	static char log[512];
	LIBBPF_OPTS(bpf_module_load_opts, opts,
		.btf_fd = btf_fd,
		.funcs = &func,
		.funcs_cnt = 1,
		.log_buf = log,
		.log_size = sizeof(log),
	);
	struct code code = {};

	emit_func(&code, adds);
	func.prog_fd = load(BPF_PROG_TYPE_MODULE_FUNC, &code, &prog_opts);
	library = bpf_module_load("bench_funcs", NULL, 0, &opts);
	if (library < 0)
		err(1, "library: %s", log);
	close(func.prog_fd);
}

static int load_shared(int adds)
{
	int fds[] = { -1, library };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	struct code code = {};

	emit_call(&code, BPF_PSEUDO_KFUNC_CALL, 1, 1);
	return load(BPF_PROG_TYPE_SCHED_CLS, &code, &opts);
}

static void close_library(void)
{
	LIBBPF_OPTS(bpf_module_unload_opts, drain, .flags = BPF_F_MODULE_DRAIN);

	if (bpf_module_unload(library, &drain))
		err(1, "unload library");
	close(library);
}
#else
static void open_library(int adds)
{
}

static int load_shared(int adds)
{
	return load_own(adds);
}

static void close_library(void)
{
}
#endif

/* Ticks of RUNS runs, of which the last returns ret. */
static __u64 run(int fd, int ret)
{
	static char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = packet,
		.data_size_in = sizeof(packet),
		.repeat = RUNS,
	);
	__u64 took[5], start;
	int i;

	for (i = 0; i < ARRAY_SIZE(took); i++) {
		start = ticks();
		if (bpf_prog_test_run_opts(fd, &opts))
			err(1, "run");
		took[i] = ticks() - start;
		if (opts.retval != ret)
			errx(1, "returned %u, not %d", opts.retval, ret);
	}
	return median(took, ARRAY_SIZE(took));
}

static void call_row(const char *name, int fd, __u64 empty)
{
	row(name, ((double)run(fd, 7 + SMALL) - empty) / RUNS);
	close(fd);
}

static void call_rows(void)
{
	int fd = load_empty();
	__u64 empty = run(fd, 0);

	close(fd);
	open_library(SMALL);
	call_row("func.call", load_shared(SMALL), empty);
	close_library();
	call_row("func.call.own", load_own(SMALL), empty);
	call_row("func.call.tail", load_tail(), empty);
	call_row("func.call.freplace", load_extended(), empty);
	call_row("func.call.kernel", load_kernel(), empty);
}

static void memory_row(void)
{
	int fds[CALLERS], i;
	__s64 bytes;

	follow(1);
	bytes = exec_bytes();
	open_library(LARGE);
	for (i = 0; i < CALLERS; i++)
		fds[i] = load_shared(LARGE);
	row("func.memory", exec_bytes() - bytes);
	for (i = 0; i < CALLERS; i++)
		close(fds[i]);
	close_library();
	settle(bytes);
	follow(0);
}

static void load_row(const char *name, int adds)
{
	__u64 took[15], start;
	int i, fd;

	open_library(adds);
	for (i = 0; i < ARRAY_SIZE(took); i++) {
		quiet();
		start = ticks();
		fd = load_shared(adds);
		took[i] = ticks() - start;
		close(fd);
	}
	close_library();
	row(name, median(took, ARRAY_SIZE(took)));
}

static void make_btf(void)
{
	int n, proto, id;
	const void *raw;
	__u32 size;

	btf = btf__new_empty();
	if (!btf)
		err(1, "BTF");
	n = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	proto = btf__add_func_proto(btf, n);
	btf__add_func_param(btf, "n", n);
	func_id = btf__add_func(btf, "bench_func", BTF_FUNC_GLOBAL, proto);
	stub_id = btf__add_func(btf, "bench_stub", BTF_FUNC_GLOBAL, proto);
	id = btf__add_struct(btf, "__sk_buff", 4);
	btf__add_field(btf, "len", n, 0, 0);
	id = btf__add_ptr(btf, id);
	proto = btf__add_func_proto(btf, n);
	btf__add_func_param(btf, "ctx", id);
	main_id = btf__add_func(btf, "bench_main", BTF_FUNC_GLOBAL, proto);
	raw = btf__raw_data(btf, &size);
	btf_fd = raw && main_id > 0 ? bpf_btf_load(raw, size, NULL) : -1;
	if (btf_fd < 0)
		err(1, "BTF");
}

void part_funcs(void)
{
	make_btf();
	call_rows();
	memory_row();
	load_row("func.load", LARGE);
	load_row("func.load.small", SMALL);
	close(btf_fd);
	btf__free(btf);
}
