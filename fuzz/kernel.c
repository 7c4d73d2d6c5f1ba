// SPDX-License-Identifier: GPL-2.0
/*
 * kernel SECONDS SEED CORPUS [SITES]: fuzz the BPF_MODULE_* commands
 *
 * An input is a list of lines, each a call with named numbers; a corpus is a
 * folder of such files. What a number stands for is in the tables below: an fd
 * or an address is mostly an entry of a table of things that there are, so that
 * inputs get as far as registration. Each input starts without any module.
 *
 * With KCOV, an input that reaches a new edge between the places of the file
 * SITES joins the corpus; it is printed, as are the places reached in the end.
 * Without KCOV, inputs are mutated blindly.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <linux/kcov.h>
#include "../soak/cc.h"

#define LINES_MAX	24
#define FIELDS_MAX	20
#define OPS_MAX		4
#define LINKS_MAX	4
#define FUNCS_MAX	4
#define CALLERS		4	/* programs that call functions, of an input */
#define CORPUS_MAX	4096
#define MODULES		4	/* fds of modules that an input has */
#define COVER_SIZE	(1 << 18)
#define EDGES		(1 << 18)
#define VALUE_SIZE	1024
#define PIN		"/sys/fs/bpf/fuzz"

/* An entry of fd_names. */
#define FUNC0 24

/* What a field of a call means; all but NUMBER are indices of a table first. */
enum kind { NUMBER, FD, NAME, TYPE, ADDRESS };

enum call {
	C_LOAD, C_OP, C_UNLOAD, C_INFO, C_NEXT_ID, C_BY_ID, C_OBJ_INFO, C_PIN, C_OPEN, C_CLOSE,
	C_FDINFO, C_POLL, C_SOCKET, C_LINK, C_DETACH, C_UPDATE, C_FUNC, C_CALLER, C_LEAVE, C_RUN,
	CALLS,
};

struct field {
	const char *name;
	enum kind kind;
	__u64 usual;
};

/* "size" is that of the attributes, of the op's value or of the info's buffer */
static const struct {
	const char *name;
	struct field fields[FIELDS_MAX];
} calls[CALLS] = {
	[C_LOAD] = { "load", {
		{ "name", NAME, 1 }, { "flags" }, { "cnt", NUMBER, 1 },
		{ "ops_size", NUMBER, sizeof(struct bpf_module_ops) }, { "btf", FD },
		{ "replace", FD }, { "ops", ADDRESS, 1 }, { "log", ADDRESS, 1 },
		{ "log_size", NUMBER, 256 }, { "size", NUMBER, sizeof(union bpf_attr) },
		{ "tail" }, { "links_cnt" },
		{ "links_size", NUMBER, sizeof(struct bpf_module_link) },
		{ "links", ADDRESS, 1 }, { "init", FD }, { "exit", FD }, { "funcs_cnt" },
		{ "funcs_size", NUMBER, sizeof(struct bpf_module_func) },
		{ "funcs", ADDRESS, 1 },
	} },
	/* "progs" is a bit for each member that has its program; "at" and "is"
	 * set eight bytes, and "prog" a program's fd in "member".  A program has
	 * one module: what replaces another takes the other "set" of TCP's.
	 */
	[C_OP] = { "op", {
		{ "type", TYPE, 1 }, { "size" }, { "flags" }, { "name", NAME, 1 },
		{ "progs", NUMBER, 7 }, { "member" }, { "prog", FD }, { "at" }, { "is" },
		{ "registers", NAME, 1 }, { "value", ADDRESS, 1 }, { "btf", FD },
		{ "set" },
	} },
	[C_UNLOAD] = { "unload", { { "fd", FD, 1 }, { "flags" }, { "size", NUMBER, 8 }, } },
	[C_INFO] = { "info", {
		{ "fd", FD, 1 }, { "size", NUMBER, sizeof(struct bpf_module_info) },
		{ "ops", ADDRESS, 1 }, { "ops_cnt", NUMBER, OPS_MAX },
		{ "ops_size", NUMBER, sizeof(struct bpf_module_ops_info) },
		{ "progs", ADDRESS, 1 }, { "prog_cnt", NUMBER, 4 }, { "maps", ADDRESS, 1 },
		{ "map_cnt", NUMBER, 4 }, { "value_size", NUMBER, VALUE_SIZE },
		{ "value", ADDRESS, 1 }, { "buffer", ADDRESS, 1 }, { "links", ADDRESS, 1 },
		{ "links_cnt", NUMBER, LINKS_MAX },
		{ "links_size", NUMBER, sizeof(struct bpf_module_link_info) },
		{ "funcs", ADDRESS, 1 }, { "funcs_cnt", NUMBER, FUNCS_MAX },
		{ "funcs_size", NUMBER, sizeof(struct bpf_module_func_info) },
		{ "ids", ADDRESS, 1 }, { "ids_cnt", NUMBER, CALLERS },
	} },
	[C_NEXT_ID] = { "next_id", { { "start" }, { "size", NUMBER, 12 }, } },
	/* "id" 0 is that of the last module */
	[C_BY_ID] = { "by_id", { { "id" }, { "flags" }, { "size", NUMBER, 12 }, } },
	[C_OBJ_INFO] = { "obj_info", {
		{ "fd", FD, 1 }, { "size", NUMBER, sizeof(struct bpf_module_info) },
	} },
	[C_PIN] = { "pin", { { "fd", FD, 1 }, { "flags" } } },
	[C_OPEN] = { "open", { { "flags" } } },
	[C_CLOSE] = { "close", { { "module" } } },
	[C_FDINFO] = { "fdinfo", { { "fd", FD, 1 } } },
	[C_POLL] = { "poll", { { "fd", FD, 1 } } },
	[C_SOCKET] = { "socket", { { "registers", NAME, 1 } } },
	/* of the next load */
	[C_LINK] = { "link", { { "fd", FD }, { "prog", FD }, { "flags" }, { "reserved" } } },
	/* of the link by who holds its fd */
	[C_DETACH] = { "detach", { { "fd", FD } } },
	[C_UPDATE] = { "update", { { "fd", FD }, { "prog", FD } } },
	/* of the next load */
	[C_FUNC] = { "func", { { "prog", FD, FUNC0 }, { "flags" }, { "name", NAME } } },
	/* a program of a type in "caller_types" that calls function "nr" of "fd", and "again"
	 * one of "other", with an argument of a kind
	 */
	[C_CALLER] = { "caller", {
		{ "fd", FD, 1 }, { "nr", NUMBER, 1 }, { "off", NUMBER, 1 }, { "type" }, { "arg" },
		{ "again" }, { "other", FD, 1 },
	} },
	[C_LEAVE] = { "leave", { { "caller" } } },
	[C_RUN] = { "run", { { "caller" } } },
};

struct line {
	enum call call;
	__u64 fields[FIELDS_MAX];
};

struct input {
	unsigned int cnt;
	struct line lines[LINES_MAX];
};

static const __u64 interesting[] = {
	0, 1, 2, 3, 4, 7, 8, 12, 16, 24, 32, 40, 63, 64, 65, 127, 128, 148, 255, 256, 4096, 65535,
	1 << 20, INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32, UINT64_MAX,
};

static const char * const names[] = {
	NULL, "fuzz_a", "fuzz_b", "fuzz_c", "reno", "", "has space",
	"a_name_that_is_longer_than_the_sixty_three_characters_allowed_for_it", "cubic",
};

static struct ops_type types[] = {
	{ "tcp_congestion_ops" }, { "bpf_testmod_ops" }, { "bpf_testmod_ops2" },
	{ "sched_ext_ops" }, { "hid_bpf_ops" }, { "bpf_dummy_ops" }, { "task_struct" },
};

#define TCP_MEMBERS 5
static struct member tcp_members[TCP_MEMBERS] = {
	{ "ssthresh" }, { "undo_cwnd" }, { "cong_avoid" }, { "init" }, { "release" },
};

#define TESTMOD_MEMBERS 2
static struct member testmod_members[TESTMOD_MEMBERS] = { { "test_1" }, { "test_2" } };
static struct member testmod2_members[1] = { { "test_1" } };
static struct member tcp_name = { "name" };

#define TCP_SETS 2
static int tcp_progs[TCP_SETS][TCP_MEMBERS], testmod_progs[TESTMOD_MEMBERS], testmod2_progs[1];
static int modules[MODULES], sock = -1, map_fd, dir_fd, btf_vmlinux, btf_testmod, kernel_taint;
static int read_only;
static char *unreadable, *read_only_page;

/* Links to the loopback device, new ones for each input that has used some, and programs
 * that they can be switched to; and programs for init and exit, the last of
 * which returns an error
 */
#define LINKS 2
static int links[LINKS], link_progs[LINKS][2], run_progs[3];
static bool links_used;
static struct bpf_module_link ulinks[LINKS_MAX];
static unsigned int links_cnt;

/* Programs to be functions: two that do not sleep, and one that does; and their BTF. */
static int func_progs[3], btf_funcs;
static struct bpf_module_func ufuncs[FUNCS_MAX];
static unsigned int funcs_cnt;
static int callers[CALLERS];
static bool callers_used;

/* What the ops of the next load are made of */
static struct bpf_module_ops ops[OPS_MAX];
static char values[OPS_MAX][VALUE_SIZE] __attribute__((aligned(8)));
static unsigned int ops_cnt;

static struct input *corpus[CORPUS_MAX];
static unsigned int corpus_cnt;

static unsigned long *cover;	/* NULL without KCOV */
static unsigned long *sites;
static bool *seen_sites;
static unsigned int sites_cnt;
static unsigned char edges[EDGES];

static unsigned int fields_of(enum call call)
{
	unsigned int cnt = 0;

	while (cnt < FIELDS_MAX && calls[call].fields[cnt].name)
		cnt++;
	return cnt;
}

static const char *const fd_names[] = {
	"none", "module0", "module1", "module2", "module3", "readonly", "map", "folder", "vmlinux",
	"testmod", "ssthresh", "undo_cwnd", "cong_avoid", "init", "test_1", "test_2", "closed",
	"xdp", "tcx", "xdp_prog", "tcx_prog", "run0", "run1", "run_fails",
	[FUNC0] = "func0", "func1", "func_sleeps", "btf_funcs", "caller0",
};

static int fd_of(__u64 nr)
{
	const int table[ARRAY_LEN(fd_names)] = {
		0, modules[0], modules[1], modules[2], modules[3], read_only, map_fd, dir_fd,
		btf_vmlinux, btf_testmod, tcp_progs[0][0], tcp_progs[0][1], tcp_progs[0][2],
		tcp_progs[0][3], testmod_progs[0], testmod_progs[1], 1000, links[0], links[1],
		link_progs[0][1], link_progs[1][1], run_progs[0], run_progs[1], run_progs[2],
		func_progs[0], func_progs[1], func_progs[2], btf_funcs, callers[0],
	};

	return nr < ARRAY_LEN(table) ? table[nr] : (int)nr;
}

static __u64 name_address(__u64 nr)
{
	return nr < ARRAY_LEN(names) ? (uintptr_t)names[nr] : nr;
}

static __u64 address(__u64 nr, void *good)
{
	switch (nr) {
	case 0:
		return 0;
	case 1:
		return (uintptr_t)good;
	case 2:
		return (uintptr_t)unreadable;
	case 3:
		return (uintptr_t)read_only_page;
	default:
		return nr;
	}
}

static void keep(int fd)
{
	if (fd < 0)
		return;
	if (modules[MODULES - 1])
		close(modules[MODULES - 1]);
	memmove(modules + 1, modules, sizeof(modules) - sizeof(modules[0]));
	modules[0] = fd;
}

static long sys_bpf(int cmd, void *attr, unsigned int size)
{
	return syscall(__NR_bpf, cmd, attr, size);
}

/* Attributes with room for more than the kernel knows. */
union big_attr {
	union bpf_attr attr;
	char bytes[512];
};

static unsigned int attr_size(__u64 size)
{
	return size > sizeof(union big_attr) ? (unsigned int)sizeof(union big_attr) : size;
}

/* The next load begins with nothing. */
static void forget(void)
{
	ops_cnt = 0;
	memset(ops, 0, sizeof(ops));
	links_cnt = 0;
	memset(ulinks, 0, sizeof(ulinks));
	funcs_cnt = 0;
	memset(ufuncs, 0, sizeof(ufuncs));
}

static void do_load(const __u64 *f)
{
	static char log[4096];
	union big_attr big = {};
	union bpf_attr *attr = &big.attr;

	attr->module_load.name = name_address(f[0]);
	attr->module_load.flags = f[1];
	/* more entries than were made lie in "ops" as zeroes */
	attr->module_load.ops_cnt = f[2];
	attr->module_load.ops_size = f[3];
	attr->module_load.btf_fd = fd_of(f[4]);
	attr->module_load.replace_fd = fd_of(f[5]);
	attr->module_load.ops = address(f[6], ops);
	attr->module_load.log_buf = address(f[7], log);
	attr->module_load.log_size = f[8] > sizeof(log) && f[7] == 1 ? sizeof(log) : f[8];
	if (f[10])
		big.bytes[sizeof(big.attr) - 4] = f[10];
	attr->module_load.links_cnt = f[11];
	attr->module_load.links_size = f[12];
	attr->module_load.links = address(f[13], ulinks);
	attr->module_load.init_fd = fd_of(f[14]);
	attr->module_load.exit_fd = fd_of(f[15]);
	/* more than were made are zeroes, and too many are refused before they are read */
	attr->module_load.funcs_cnt = f[16] > FUNCS_MAX ? f[16] | BPF_MODULE_MAX_FUNCS << 1 : f[16];
	attr->module_load.funcs_size = f[17];
	attr->module_load.funcs = address(f[18], ufuncs);
	keep(sys_bpf(BPF_MODULE_LOAD, &big, attr_size(f[9])));
	forget();
}

static void fill_progs(char *value, const struct member *members, const int *progs,
		       unsigned int cnt, __u64 which)
{
	unsigned int i;

	for (i = 0; i < cnt; i++) {
		if (which & 1ULL << i)
			set_member(value, &members[i], progs[i]);
	}
}

static void do_op(const __u64 *f)
{
	unsigned int nr = ops_cnt < OPS_MAX ? ops_cnt++ : OPS_MAX - 1;
	const char *registers = f[9] && f[9] < ARRAY_LEN(names) ? names[f[9]] : "";
	struct ops_type *type = f[0] && f[0] <= ARRAY_LEN(types) ? &types[f[0] - 1] : NULL;
	char *value = values[nr];

	memset(value, 0, VALUE_SIZE);
	switch (f[0]) {
	case 1:
		fill_progs(value, tcp_members, tcp_progs[f[12] % TCP_SETS], TCP_MEMBERS, f[4]);
		snprintf(value + tcp_name.off, 16, "%s", registers);
		if (f[5] < TCP_MEMBERS && f[6])
			set_member(value, &tcp_members[f[5]], fd_of(f[6]));
		break;
	case 2:
		fill_progs(value, testmod_members, testmod_progs, TESTMOD_MEMBERS, f[4]);
		if (f[5] < TESTMOD_MEMBERS && f[6])
			set_member(value, &testmod_members[f[5]], fd_of(f[6]));
		break;
	case 3:
		fill_progs(value, testmod2_members, testmod2_progs, 1, f[4]);
		break;
	}
	if (f[8] && f[7] <= VALUE_SIZE - 8)
		memcpy(value + f[7], &f[8], sizeof(f[8]));
	ops[nr].btf_obj_fd = f[11] ? fd_of(f[11]) : type ? type->btf_fd : 0;
	ops[nr].type_id = type ? type->id : f[0];
	ops[nr].value = address(f[10], value);
	ops[nr].value_size = f[1] ?: type ? type->size : 0;
	ops[nr].flags = f[2];
	ops[nr].name = name_address(f[3]);
}

static void do_unload(const __u64 *f)
{
	union big_attr big = {};

	big.attr.module_unload.module_fd = fd_of(f[0]);
	big.attr.module_unload.flags = f[1];
	sys_bpf(BPF_MODULE_UNLOAD, &big, attr_size(f[2]));
}

static void do_info(const __u64 *f)
{
	static struct bpf_module_ops_info ops_info[OPS_MAX * 4];
	static char value[VALUE_SIZE];
	static __u32 ids[2][64];
	static struct bpf_module_link_info links_info[LINKS_MAX * 2];
	static struct bpf_module_func_info funcs_info[FUNCS_MAX * 2];
	static __u32 caller_ids[CALLERS];
	union { struct bpf_module_info info; char bytes[512]; } buf = {};
	union bpf_attr attr = {};
	unsigned int i;

	memset(ops_info, 0, sizeof(ops_info));
	for (i = 0; i < OPS_MAX; i++) {
		ops_info[i].value = address(f[10], value);
		ops_info[i].value_size = f[9] > sizeof(value) && f[10] == 1 ? sizeof(value) : f[9];
	}
	buf.info.ops = address(f[2], ops_info);
	buf.info.ops_cnt = f[3] > OPS_MAX ? OPS_MAX : f[3];
	buf.info.ops_size = f[4] > 2 * sizeof(ops_info[0]) ? 2 * sizeof(ops_info[0]) : f[4];
	buf.info.prog_ids = address(f[5], ids[0]);
	buf.info.prog_cnt = f[6] > ARRAY_LEN(ids[0]) ? ARRAY_LEN(ids[0]) : f[6];
	buf.info.map_ids = address(f[7], ids[1]);
	buf.info.map_cnt = f[8] > ARRAY_LEN(ids[1]) ? ARRAY_LEN(ids[1]) : f[8];
	buf.info.links = address(f[12], links_info);
	buf.info.links_cnt = f[13] > LINKS_MAX ? LINKS_MAX : f[13];
	buf.info.links_size = f[14] > 2 * sizeof(links_info[0]) ? 2 * sizeof(links_info[0]) : f[14];
	memset(funcs_info, 0, sizeof(funcs_info));
	for (i = 0; i < FUNCS_MAX; i++) {
		funcs_info[i].caller_ids = address(f[18], caller_ids);
		funcs_info[i].callers_cnt = f[19] > CALLERS ? CALLERS : f[19];
	}
	buf.info.funcs = address(f[15], funcs_info);
	buf.info.funcs_cnt = f[16] > FUNCS_MAX ? FUNCS_MAX : f[16];
	buf.info.funcs_size = f[17] > 2 * sizeof(funcs_info[0]) ? 2 * sizeof(funcs_info[0]) : f[17];
	buf.info.dep_ids = address(f[18], caller_ids);
	buf.info.deps_cnt = f[19] > CALLERS ? CALLERS : f[19];
	attr.info.bpf_fd = fd_of(f[0]);
	attr.info.info_len = f[1] > sizeof(buf) ? sizeof(buf) : f[1];
	attr.info.info = address(f[11], &buf);
	sys_bpf(BPF_MODULE_GET_INFO, &attr, sizeof(attr));
}

static unsigned int last_id(void)
{
	unsigned int id = 0;

	while (!bpf_module_get_next_id(id, &id))
		;
	return id;
}

static void do_next_id(const __u64 *f)
{
	union big_attr big = {};

	big.attr.start_id = f[0];
	sys_bpf(BPF_MODULE_GET_NEXT_ID, &big, attr_size(f[1]));
}

static void do_by_id(const __u64 *f)
{
	union big_attr big = {};
	int fd;

	big.attr.module_id = f[0] ?: last_id();
	big.attr.open_flags = f[1];
	fd = sys_bpf(BPF_MODULE_GET_FD_BY_ID, &big, attr_size(f[2]));
	if (fd >= 0 && f[1]) {
		if (read_only)
			close(read_only);
		read_only = fd;
		return;
	}
	keep(fd);
}

static void do_obj_info(const __u64 *f)
{
	char buf[512] = {};
	__u32 len = f[1] > sizeof(buf) ? sizeof(buf) : f[1];

	bpf_obj_get_info_by_fd(fd_of(f[0]), buf, &len);
}

static void do_pin(const __u64 *f)
{
	union bpf_attr attr = {
		.pathname = (uintptr_t)PIN, .bpf_fd = fd_of(f[0]), .file_flags = f[1],
	};

	sys_bpf(BPF_OBJ_PIN, &attr, sizeof(attr));
}

static void do_open(const __u64 *f)
{
	union bpf_attr attr = { .pathname = (uintptr_t)PIN, .file_flags = f[0] };

	keep(sys_bpf(BPF_OBJ_GET, &attr, sizeof(attr)));
}

static void do_close(const __u64 *f)
{
	int *fd = &modules[f[0] % MODULES];

	if (*fd)
		close(*fd);
	*fd = 0;
}

static void do_fdinfo(const __u64 *f)
{
	char path[64], buf[1024];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd_of(f[0]));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, buf, sizeof(buf)) < 0)
		warn("%s", path);
	close(fd);
}

static void do_poll(const __u64 *f)
{
	struct pollfd pollfd = { .fd = fd_of(f[0]) };

	poll(&pollfd, 1, 0);
}

static void do_socket(const __u64 *f)
{
	const char *name = f[0] && f[0] < ARRAY_LEN(names) ? names[f[0]] : "reno";

	if (sock < 0)
		sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(sock, SOL_TCP, TCP_CONGESTION, name, strlen(name));
}

static void do_link(const __u64 *f)
{
	struct bpf_module_link *ulink = &ulinks[links_cnt < LINKS_MAX ? links_cnt++ : LINKS_MAX - 1];

	ulink->link_fd = fd_of(f[0]);
	ulink->prog_fd = fd_of(f[1]);
	ulink->flags = f[2];
	ulink->reserved = f[3];
	links_used = true;
}

static void do_detach(const __u64 *f)
{
	bpf_link_detach(fd_of(f[0]));
	links_used = true;
}

static void do_update(const __u64 *f)
{
	bpf_link_update(fd_of(f[0]), fd_of(f[1]), NULL);
	links_used = true;
}

static void do_func(const __u64 *f)
{
	struct bpf_module_func *ufunc = &ufuncs[funcs_cnt < FUNCS_MAX ? funcs_cnt++ : FUNCS_MAX - 1];

	ufunc->prog_fd = fd_of(f[0]);
	ufunc->flags = f[1];
	ufunc->name = name_address(f[2]);
}

static const struct {
	enum bpf_prog_type type;
	unsigned int flags;
} caller_types[] = {
	{ BPF_PROG_TYPE_XDP }, { BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE },
	{ BPF_PROG_TYPE_SOCKET_FILTER }, { BPF_PROG_TYPE_KPROBE }, { BPF_PROG_TYPE_CGROUP_SKB },
};

static void call_insns(struct bpf_insn *insns, __u64 arg, __s16 off, __s32 nr)
{
	/* a number, a pointer, and what the registers have */
	insns[0] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | (arg == 1 ? BPF_X : BPF_K),
				      .dst_reg = arg == 2 ? BPF_REG_0 : BPF_REG_1,
				      .src_reg = arg == 1 ? BPF_REG_10 : 0 };
	insns[1] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .off = off, .imm = nr,
				      .src_reg = BPF_PSEUDO_KFUNC_CALL };
}

static void do_leave(const __u64 *f)
{
	int *fd = &callers[f[0] % CALLERS];

	if (*fd)
		close(*fd);
	*fd = 0;
}

static void do_caller(const __u64 *f)
{
	const int fds[] = { fd_of(f[6]), fd_of(f[0]), fd_of(f[6]) };
	unsigned int kind = f[3] % ARRAY_LEN(caller_types), cnt = f[5] ? 4 : 2;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .attempts = 1,
		    .prog_flags = caller_types[kind].flags);
	struct bpf_insn insns[6] = {};
	int fd;

	call_insns(insns, f[4], f[2] < ARRAY_LEN(fds) ? f[2] : 1, f[1]);
	call_insns(insns + 2, f[4], 2, f[5]);
	insns[cnt] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 };
	insns[cnt + 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	fd = bpf_prog_load(caller_types[kind].type, "fuzz", "GPL", insns, cnt + 2, &opts);
	if (fd < 0)
		return;
	callers_used = true;
	do_leave(&(__u64){ CALLERS - 1 });
	memmove(callers + 1, callers, sizeof(callers) - sizeof(callers[0]));
	callers[0] = fd;
}

static void do_run(const __u64 *f)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);

	bpf_prog_test_run_opts(callers[f[0] % CALLERS], &opts);
}

static void (* const do_call[CALLS])(const __u64 *fields) = {
	[C_LOAD] = do_load, [C_OP] = do_op, [C_UNLOAD] = do_unload, [C_INFO] = do_info,
	[C_NEXT_ID] = do_next_id, [C_BY_ID] = do_by_id, [C_OBJ_INFO] = do_obj_info,
	[C_PIN] = do_pin, [C_OPEN] = do_open, [C_CLOSE] = do_close, [C_FDINFO] = do_fdinfo,
	[C_POLL] = do_poll, [C_SOCKET] = do_socket, [C_LINK] = do_link,
	[C_DETACH] = do_detach, [C_UPDATE] = do_update, [C_FUNC] = do_func,
	[C_CALLER] = do_caller, [C_LEAVE] = do_leave, [C_RUN] = do_run,
};

static const struct {
	enum bpf_prog_type prog;
	enum bpf_attach_type type;
	int ret;
} link_kinds[LINKS] = {
	{ BPF_PROG_TYPE_XDP, BPF_XDP, 2 },
	{ BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, -1 },
};

/* Exit runs some time after, and callers go: until then links and programs are not free. */
static void wait_until_gone(void)
{
	unsigned int id, tries = 1000;

	while (!bpf_module_get_next_id(0, &id) && tries--)
		usleep(1000);
}

static void renew_links(void)
{
	unsigned int i;

	wait_until_gone();
	for (i = 0; i < LINKS; i++) {
		if (links[i])
			close(links[i]);
		links[i] = bpf_link_create(link_progs[i][0], 1, link_kinds[i].type, NULL);
		if (links[i] < 0)
			err(1, "link %u", i);
	}
	links_used = false;
}

/* Leave nothing to the next input. */
static void clean_up(void)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = BPF_F_MODULE_DRAIN);
	unsigned int id = 0, i;
	int fd;

	if (sock >= 0)
		close(sock);
	sock = -1;
	unlink(PIN);
	while (!bpf_module_get_next_id(id, &id)) {
		fd = bpf_module_get_fd_by_id(id);
		if (fd < 0)
			continue;
		bpf_module_unload(fd, &opts);
		close(fd);
	}
	for (i = 0; i < MODULES; i++)
		do_close(&(__u64){ i });
	if (read_only)
		close(read_only);
	read_only = 0;
	for (i = 0; i < CALLERS; i++)
		do_leave(&(__u64){ i });
	if (callers_used)
		wait_until_gone();
	callers_used = false;
	forget();
	if (links_used)
		renew_links();
}

static void run(const struct input *input)
{
	unsigned int i;

	for (i = 0; i < input->cnt; i++)
		do_call[input->lines[i].call](input->lines[i].fields);
}

static void print_field(FILE *file, const struct field *field, __u64 value)
{
	if (value == field->usual)
		return;
	if (field->kind == FD && value < ARRAY_LEN(fd_names))
		fprintf(file, " %s=%s", field->name, fd_names[value]);
	else
		fprintf(file, " %s=%llu", field->name, value);
}

static void print_input(FILE *file, const struct input *input)
{
	unsigned int i, n;

	for (i = 0; i < input->cnt; i++) {
		const struct line *line = &input->lines[i];

		fprintf(file, "%s", calls[line->call].name);
		for (n = 0; n < fields_of(line->call); n++)
			print_field(file, &calls[line->call].fields[n], line->fields[n]);
		fprintf(file, "\n");
	}
}

static void set_usual(struct line *line, enum call call)
{
	unsigned int n;

	memset(line, 0, sizeof(*line));
	line->call = call;
	for (n = 0; n < fields_of(call); n++)
		line->fields[n] = calls[call].fields[n].usual;
}

static __u64 parse_value(const struct field *field, const char *text, const char *path)
{
	unsigned int i;
	char *end;
	__u64 value;

	for (i = 0; field->kind == FD && i < ARRAY_LEN(fd_names); i++) {
		if (!strcmp(text, fd_names[i]))
			return i;
	}
	value = strtoull(text, &end, 0);
	if (end == text || *end)
		errx(1, "%s: %s=%s is no value", path, field->name, text);
	return value;
}

static void parse_field(struct line *line, char *word, const char *path)
{
	char *value = strchr(word, '=');
	unsigned int n;

	if (value)
		*value++ = 0;
	for (n = 0; value && n < fields_of(line->call); n++) {
		if (strcmp(calls[line->call].fields[n].name, word))
			continue;
		line->fields[n] = parse_value(&calls[line->call].fields[n], value, path);
		return;
	}
	errx(1, "%s: %s has no field %s", path, calls[line->call].name, word);
}

static void parse_line(struct input *input, char *text, const char *path)
{
	struct line *line = &input->lines[input->cnt];
	char *save, *word = strtok_r(text, " \n", &save);
	unsigned int call;

	if (!word || *word == '#')
		return;
	for (call = 0; call < CALLS && strcmp(calls[call].name, word); call++)
		;
	if (call == CALLS || input->cnt == LINES_MAX)
		errx(1, "%s: \"%s\" is no call, or one too many", path, word);
	set_usual(line, call);
	while ((word = strtok_r(NULL, " \n", &save)))
		parse_field(line, word, path);
	input->cnt++;
}

static void add_input(const struct input *input)
{
	if (corpus_cnt == CORPUS_MAX)
		return;
	corpus[corpus_cnt] = malloc(sizeof(*input));
	if (!corpus[corpus_cnt])
		err(1, "corpus");
	*corpus[corpus_cnt++] = *input;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of names, so that a seed gives the same run. */
static void read_corpus(const char *folder)
{
	struct dirent **entries;
	char path[512], text[512];
	int i, cnt;

	cnt = scandir(folder, &entries, no_dots, alphasort);
	if (cnt < 1)
		errx(1, "%s: no corpus there", folder);
	for (i = 0; i < cnt; i++) {
		struct input input = {};
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		file = fopen(path, "r");
		if (!file)
			err(1, "%s", path);
		while (fgets(text, sizeof(text), file))
			parse_line(&input, text, path);
		fclose(file);
		add_input(&input);
		free(entries[i]);
	}
	free(entries);
}

static __u64 random_value(__u64 *random, const struct field *field, __u64 old)
{
	switch (pick(random, 8)) {
	case 0:
		return old + 1;
	case 1:
		return old - 1;
	case 2:
		return old ^ 1ULL << pick(random, 32);
	case 3:
		return next_random(random) >> pick(random, 64);
	case 4:
		return field->usual;
	case 5:
		return interesting[pick(random, ARRAY_LEN(interesting))];
	}
	switch (field->kind) {
	case FD:
		return pick(random, ARRAY_LEN(fd_names));
	case NAME:
		return pick(random, ARRAY_LEN(names));
	case TYPE:
		return pick(random, ARRAY_LEN(types) + 1);
	case ADDRESS:
		return pick(random, 4);
	default:
		return pick(random, 8);
	}
}

static void insert(struct input *input, unsigned int at, const struct line *line)
{
	if (input->cnt == LINES_MAX)
		input->cnt--;
	if (at > input->cnt)
		at = input->cnt;
	memmove(&input->lines[at + 1], &input->lines[at],
		(input->cnt - at) * sizeof(input->lines[0]));
	input->lines[at] = *line;
	input->cnt++;
}

static void mutate(struct input *input, __u64 *random)
{
	const struct input *other = corpus[pick(random, corpus_cnt)];
	unsigned int at = pick(random, input->cnt ?: 1), n;
	struct line line;

	switch (pick(random, 8)) {
	case 0:
		set_usual(&line, pick(random, CALLS));
		insert(input, at, &line);
		return;
	case 1:
		if (other->cnt)
			insert(input, at, &other->lines[pick(random, other->cnt)]);
		return;
	case 2:
		if (input->cnt < 2)
			return;
		input->cnt--;
		memmove(&input->lines[at], &input->lines[at + 1],
			(input->cnt - at) * sizeof(input->lines[0]));
		return;
	}
	if (!input->cnt)
		return;
	n = pick(random, fields_of(input->lines[at].call));
	input->lines[at].fields[n] = random_value(random,
						  &calls[input->lines[at].call].fields[n],
						  input->lines[at].fields[n]);
}

static void open_kcov(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/sys/kernel/debug/kcov");
	if (ioctl(fd, KCOV_INIT_TRACE, COVER_SIZE))
		err(1, "KCOV_INIT_TRACE");
	cover = mmap(NULL, COVER_SIZE * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED)
		err(1, "kcov");
	if (ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		err(1, "KCOV_ENABLE");
}

/* One address a line, sorted: what the compiler has marked in our files */
static void read_sites(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long site;

	if (!file)
		err(1, "%s", path);
	while (fscanf(file, "%lx", &site) == 1) {
		sites = realloc(sites, (sites_cnt + 1) * sizeof(*sites));
		if (!sites)
			err(1, "%s", path);
		sites[sites_cnt++] = site;
	}
	fclose(file);
	seen_sites = calloc(sites_cnt ?: 1, sizeof(*seen_sites));
	if (!seen_sites)
		err(1, "%s", path);
}

static int find_site(unsigned long pc)
{
	unsigned int low = 0, high = sites_cnt;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (sites[middle] == pc)
			return middle;
		if (sites[middle] < pc)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* Did the last input go where none has been? */
static bool is_new(void)
{
	unsigned long i, cnt = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	unsigned int last = 0;
	bool new = false;

	for (i = 1; i <= cnt; i++) {
		int site = find_site(cover[i]);
		unsigned int edge;

		if (site < 0)
			continue;
		edge = (last * 31337 + site) % EDGES;
		new |= !edges[edge];
		edges[edge] = 1;
		seen_sites[site] = true;
		last = site;
	}
	return new;
}

static unsigned int count_sites(void)
{
	unsigned int i, cnt = 0;

	for (i = 0; i < sites_cnt; i++)
		cnt += seen_sites[i];
	return cnt;
}

/* An oops or a warning; what did it is printed. */
static void check_taint(const struct input *input)
{
	static char first[32];
	char now[32] = "";

	if (pread(kernel_taint, now, sizeof(now) - 1, 0) < 0)
		err(1, "/proc/sys/kernel/tainted");
	if (!first[0])
		memcpy(first, now, sizeof(first));
	if (!strcmp(first, now))
		return;
	printf("crash: the kernel is tainted, %s", now);
	print_input(stdout, input);
	exit(1);
}

static bool execute(const struct input *input)
{
	bool new = false;

	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
	run(input);
	clean_up();
	if (cover)
		new = is_new();
	check_taint(input);
	return new;
}

static void load_testmod_progs(void)
{
	struct btf *vmlinux = btf__load_vmlinux_btf(), *btf;
	__u32 id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		struct bpf_btf_info info = {};
		__u32 len = sizeof(info), i;
		char name[64] = "";
		int fd = bpf_btf_get_fd_by_id(id);

		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		if (fd < 0 || bpf_btf_get_info_by_fd(fd, &info, &len))
			err(1, "BTF %u", id);
		if (!strcmp(name, "vmlinux"))
			btf_vmlinux = fd;
		else if (strcmp(name, "bpf_testmod") || !info.kernel_btf)
			close(fd);
		else
			btf_testmod = fd;
		if (fd != btf_testmod)
			continue;
		btf = btf__load_from_kernel_by_id_split(id, vmlinux);
		for (i = 1; i <= 2; i++) {
			types[i].btf_fd = fd;
			find_type(btf, &types[i], types[i].name);
		}
		for (i = 0; i < TESTMOD_MEMBERS; i++)
			find_member(btf, &types[1], &testmod_members[i]);
		find_member(btf, &types[2], &testmod2_members[0]);
		btf__free(btf);
		if (load_progs(&types[1], testmod_members, testmod_progs, TESTMOD_MEMBERS) ||
		    load_progs(&types[2], testmod2_members, testmod2_progs, 1))
			err(1, "programs of bpf_testmod");
	}
	btf__free(vmlinux);
	if (!btf_testmod)
		printf("fuzz: bpf_testmod is not loaded: no ops of a kernel module\n");
}

static int load_returning(enum bpf_prog_type type, enum bpf_attach_type attach, int ret,
			  unsigned int flags)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach,
		    .prog_flags = flags);
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = ret },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, "fuzz", "GPL", insns, ARRAY_LEN(insns), &opts);

	if (fd < 0)
		err(1, "program of type %u", type);
	return fd;
}

static void set_up_links(void)
{
	unsigned int i, n;

	for (i = 0; i < LINKS; i++) {
		for (n = 0; n < 2; n++)
			link_progs[i][n] = load_returning(link_kinds[i].prog, link_kinds[i].type,
							  link_kinds[i].ret, 0);
	}
	for (i = 0; i < ARRAY_LEN(run_progs); i++)
		run_progs[i] = load_returning(BPF_PROG_TYPE_SYSCALL, 0,
					      i == ARRAY_LEN(run_progs) - 1 ? -EIO : 0,
					      BPF_F_SLEEPABLE);
	renew_links();
}

/* int FUNCTION(int), for each */
static void set_up_funcs(void)
{
	static const char * const func_names[] = { "fuzz_a", "fuzz_b", "fuzz_c" };
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = BPF_REG_1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct btf *btf = btf__new_empty();
	int int_id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), proto;
	struct bpf_func_info infos[ARRAY_LEN(func_progs)] = {};
	const void *raw;
	unsigned int i;
	__u32 size;

	for (i = 0; i < ARRAY_LEN(func_progs); i++) {
		proto = btf__add_func_proto(btf, int_id);
		btf__add_func_param(btf, "n", int_id);
		infos[i].type_id = btf__add_func(btf, func_names[i], BTF_FUNC_GLOBAL, proto);
	}
	raw = btf__raw_data(btf, &size);
	btf_funcs = bpf_btf_load(raw, size, NULL);
	for (i = 0; i < ARRAY_LEN(func_progs); i++) {
		LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = btf_funcs,
			    .func_info = &infos[i], .func_info_cnt = 1,
			    .func_info_rec_size = sizeof(infos[i]),
			    .prog_flags = i == 2 ? BPF_F_SLEEPABLE : 0);

		func_progs[i] = bpf_prog_load(BPF_PROG_TYPE_MODULE_FUNC, func_names[i], "GPL", insns,
					      ARRAY_LEN(insns), &opts);
		if (func_progs[i] < 0)
			err(1, "function %s", func_names[i]);
	}
	btf__free(btf);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void set_up(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int i;

	if (!btf)
		err(1, "BTF of vmlinux");
	find_type(btf, &types[0], types[0].name);
	for (i = 3; i < ARRAY_LEN(types); i++) {
		if (btf__find_by_name_kind(btf, types[i].name, BTF_KIND_STRUCT) > 0)
			find_type(btf, &types[i], types[i].name);
	}
	for (i = 0; i < TCP_MEMBERS; i++)
		find_member(btf, &types[0], &tcp_members[i]);
	find_member(btf, &types[0], &tcp_name);
	btf__free(btf);
	for (i = 0; i < TCP_SETS; i++) {
		if (load_progs(&types[0], tcp_members, tcp_progs[i], TCP_MEMBERS))
			err(1, "programs");
	}
	load_testmod_progs();
	set_up_links();
	set_up_funcs();

	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fuzz", 4, 4, 1, NULL);
	dir_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	kernel_taint = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);
	unreadable = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map_fd < 0 || dir_fd < 0 || kernel_taint < 0 || unreadable == MAP_FAILED ||
	    read_only_page == MAP_FAILED)
		err(1, "what the calls are given");
	/* a name that is not there must not start modprobe */
	write_file("/proc/sys/kernel/modprobe", "\n");
	/* TCP waits for a grace period at each unload */
	write_file("/sys/kernel/rcu_expedited", "1\n");
}

static void fuzz(long long end, __u64 *random)
{
	long long start = monotonic(), said = start, now = start;
	unsigned long executed = 0;
	struct input input;
	unsigned int i;

	for (i = 0; i < corpus_cnt; i++)
		execute(corpus[i]);
	while (now < end) {
		input = *corpus[pick(random, corpus_cnt)];
		for (i = pick(random, 4) + 1; i; i--)
			mutate(&input, random);
		if (execute(&input)) {
			add_input(&input);
			printf("input\n");
			print_input(stdout, &input);
			printf("end\n");
		}
		executed++;
		now = monotonic();
		if (now - said < 10000 && now < end)
			continue;
		said = now;
		printf("fuzz: %lu executions, %lld/s, %u inputs, %u of %u places\n", executed,
		       executed * 1000 / (now - start + 1), corpus_cnt, count_sites(), sites_cnt);
	}
}

int main(int argc, char **argv)
{
	__u64 random;
	unsigned int i;

	if (argc < 4)
		errx(1, "usage: kernel SECONDS SEED CORPUS [SITES]");
	random = strtoull(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	read_corpus(argv[3]);
	if (argc > 4) {
		read_sites(argv[4]);
		open_kcov();
	} else {
		printf("fuzz: without KCOV (KERNEL=debug has it) inputs are mutated blindly\n");
	}
	fuzz(monotonic() + atoi(argv[1]) * 1000LL, &random);
	for (i = 0; i < sites_cnt; i++) {
		if (seen_sites[i])
			printf("site %lx\n", sites[i]);
	}
	return 0;
}
