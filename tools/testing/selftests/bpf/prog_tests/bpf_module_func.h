/* SPDX-License-Identifier: GPL-2.0 */
/* Modules that export functions, and programs that call them, written by hand. */
#ifndef __BPF_MODULE_FUNC_H
#define __BPF_MODULE_FUNC_H

#include "bpf_module_helpers.h"
#include <linux/filter.h>

#define BM_PROG_LOG	16384

/* The call of function @nr, from 1, of the module at index @off of fd_array. */
#define BM_CALL(off, nr) BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, off, nr)
/* Of a kernel function. */
#define BM_KFUNC(id) BM_CALL(0, id)

static char bm_prog_log[BM_PROG_LOG];

/* Types that a library is made of. */
struct bm_lib {
	struct btf *btf;
	int int_id;
	int key_ptr;		/* of a struct with two ints */
	int dynptr_ptr;
	int btf_fd;
	int map_fd;		/* array of one u64 */
	int func;		/* the last function's type */
	int prog[BPF_MODULE_MAX_FUNCS];
	int cnt;
	int module_fd;
	char log[BM_LOG_SIZE];
};

static inline bool bm_lib_open(struct bm_lib *lib)
{
	int id;

	memset(lib, 0, sizeof(*lib));
	lib->btf_fd = -1;
	lib->module_fd = -1;
	lib->map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bm_count", 4, 8, 1, NULL);
	lib->btf = btf__new_empty();
	if (!ASSERT_OK_FD(lib->map_fd, "map") || !ASSERT_OK_PTR(lib->btf, "btf"))
		return false;
	lib->int_id = btf__add_int(lib->btf, "int", 4, BTF_INT_SIGNED);
	id = btf__add_struct(lib->btf, "bm_key", 8);
	btf__add_field(lib->btf, "a", lib->int_id, 0, 0);
	btf__add_field(lib->btf, "b", lib->int_id, 32, 0);
	lib->key_ptr = btf__add_ptr(lib->btf, id);
	id = btf__add_struct(lib->btf, "bpf_dynptr", 16);
	btf__add_field(lib->btf, "x", lib->int_id, 0, 0);
	lib->dynptr_ptr = btf__add_ptr(lib->btf, id);
	return true;
}

/* A function of that name with an argument of type @arg, 0 for none. Returns its type. */
static inline int bm_lib_func(struct bm_lib *lib, const char *name, int arg,
			      enum btf_func_linkage linkage)
{
	int proto = btf__add_func_proto(lib->btf, lib->int_id);

	if (arg)
		btf__add_func_param(lib->btf, "arg", arg);
	lib->func = btf__add_func(lib->btf, name, linkage, proto);
	return lib->func;
}

static inline void bm_lib_tag(struct bm_lib *lib, int func, const char *tag)
{
	btf__add_decl_tag(lib->btf, tag, func, 0);
}

/* All functions are known. */
static inline bool bm_lib_load_btf(struct bm_lib *lib)
{
	const void *raw;
	__u32 size;

	raw = btf__raw_data(lib->btf, &size);
	lib->btf_fd = bpf_btf_load(raw, size, NULL);
	return ASSERT_OK_FD(lib->btf_fd, "load btf");
}

static inline int bm_load_prog(enum bpf_prog_type type, const char *name,
			       const struct bpf_insn *insns, int cnt,
			       struct bpf_prog_load_opts *opts)
{
	memset(bm_prog_log, 0, sizeof(bm_prog_log));
	opts->log_buf = bm_prog_log;
	opts->log_size = sizeof(bm_prog_log);
	opts->log_level = opts->log_level ?: 1;
	opts->attempts = 1;
	return bpf_prog_load(type, name, "GPL", insns, cnt, opts);
}

/* Loads what is to be function @func. */
static inline int bm_func_load(struct bm_lib *lib, int func, __u32 flags, const int *fds,
			       const struct bpf_insn *insns, int cnt)
{
	struct bpf_func_info info = { .insn_off = 0, .type_id = func };
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .prog_flags = flags, .fd_array = fds, .prog_btf_fd = lib->btf_fd,
		    .func_info = &info, .func_info_cnt = 1, .func_info_rec_size = sizeof(info));

	return bm_load_prog(BPF_PROG_TYPE_MODULE_FUNC, "bm_func", insns, cnt, &opts);
}

static inline bool bm_lib_add(struct bm_lib *lib, int func, __u32 flags, const int *fds,
			      const struct bpf_insn *insns, int cnt)
{
	int fd = bm_func_load(lib, func, flags, fds, insns, cnt);

	if (!ASSERT_OK_FD(fd, "function")) {
		printf("%s\n", bm_prog_log);
		return false;
	}
	lib->prog[lib->cnt++] = fd;
	return true;
}

#define BM_LIB_ADD(lib, func, flags, fds, ...) ({				\
	const struct bpf_insn ___insns[] = { __VA_ARGS__ };			\
	bm_lib_add(lib, func, flags, fds, ___insns, ARRAY_SIZE(___insns));	\
})

/* What LOAD is given of @lib. */
static inline void bm_lib_attr(struct bm_lib *lib, const char *name, union bpf_attr *attr,
			       struct bpf_module_func *funcs)
{
	int i;

	memset(attr, 0, sizeof(*attr));
	memset(funcs, 0, lib->cnt * sizeof(*funcs));
	for (i = 0; i < lib->cnt; i++)
		funcs[i].prog_fd = lib->prog[i];
	attr->module_load.name = ptr_to_u64(name);
	attr->module_load.funcs = ptr_to_u64(funcs);
	attr->module_load.funcs_cnt = lib->cnt;
	attr->module_load.funcs_size = sizeof(*funcs);
	attr->module_load.btf_fd = lib->btf_fd;
	attr->module_load.log_buf = ptr_to_u64(lib->log);
	attr->module_load.log_size = sizeof(lib->log);
	memset(lib->log, 0, sizeof(lib->log));
}

static inline bool bm_lib_load(struct bm_lib *lib, const char *name)
{
	struct bpf_module_func funcs[BPF_MODULE_MAX_FUNCS];
	union bpf_attr attr;

	bm_lib_attr(lib, name, &attr, funcs);
	lib->module_fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	if (ASSERT_OK_FD(lib->module_fd, "load library"))
		return true;
	printf("%s\n", lib->log);
	return false;
}

static inline void bm_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Its callers are gone, or are about to be. */
static inline void bm_lib_close(struct bm_lib *lib)
{
	int i;

	if (lib->module_fd >= 0) {
		bm_drain(lib->module_fd);
		ASSERT_TRUE(bm_wait(bm_state(lib->module_fd) == BPF_MODULE_STATE_GONE), "gone");
	}
	bm_close(&lib->module_fd);
	for (i = 0; i < lib->cnt; i++)
		bm_close(&lib->prog[i]);
	bm_close(&lib->btf_fd);
	bm_close(&lib->map_fd);
	btf__free(lib->btf);
}

/* Info of a module with that of its functions, and ids of callers of function @nr. */
static inline int bm_func_info(int module_fd, struct bpf_module_info *info,
			       struct bpf_module_func_info *funcs, __u32 cnt)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	info->funcs = ptr_to_u64(funcs);
	info->funcs_cnt = cnt;
	info->funcs_size = sizeof(*funcs);
	return bpf_module_get_info_by_fd(module_fd, info, &len);
}

/* A program that calls functions of the modules in @fds, from index 1. */
static inline int bm_caller(enum bpf_prog_type type, const int *fds, const struct bpf_insn *insns,
			    int cnt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);

	if (type == BPF_PROG_TYPE_SYSCALL)
		opts.prog_flags = BPF_F_SLEEPABLE;
	if (type == BPF_PROG_TYPE_CGROUP_SKB)
		opts.expected_attach_type = BPF_CGROUP_INET_EGRESS;
	return bm_load_prog(type, "bm_caller", insns, cnt, &opts);
}

#define BM_CALLER(type, module_fd, ...) ({					\
	const struct bpf_insn ___insns[] = { __VA_ARGS__ };			\
	const int ___fds[] = { -1, module_fd };					\
	bm_caller(type, ___fds, ___insns, ARRAY_SIZE(___insns));		\
})

/* The caller is refused, with @part in the log. */
#define BM_CALLER_REFUSED(type, module_fd, part, ...) ({			\
	int ___fd = BM_CALLER(type, module_fd, __VA_ARGS__);			\
	ASSERT_LT(___fd, 0, "refused");						\
	ASSERT_HAS_SUBSTR(bm_prog_log, part, "log");				\
	bm_close(&___fd);							\
})

/* A program with subprograms, of which BTF has to tell. */
struct bm_subs {
	const struct bm_lib *types;
	struct bpf_func_info info[4];
	int cnt;
	__u32 flags;
};

static inline void bm_sub(struct bm_subs *subs, int insn_off, int type)
{
	subs->info[subs->cnt].insn_off = insn_off;
	subs->info[subs->cnt++].type_id = type;
}

static inline int bm_caller_with(enum bpf_prog_type type, const struct bm_subs *subs,
				 int module_fd, const struct bpf_insn *insns, int cnt)
{
	const int fds[] = { -1, module_fd };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .prog_flags = subs->flags,
		    .prog_btf_fd = subs->types->btf_fd, .func_info = subs->info,
		    .func_info_cnt = subs->cnt, .func_info_rec_size = sizeof(subs->info[0]));

	return bm_load_prog(type, "bm_caller", insns, cnt, &opts);
}

#define BM_CALLER_WITH(type, subs, module_fd, ...) ({				\
	const struct bpf_insn ___insns[] = { __VA_ARGS__ };			\
	bm_caller_with(type, subs, module_fd, ___insns, ARRAY_SIZE(___insns));	\
})

/* An array, the value of which begins with a field of that type. */
static inline int bm_map_with(const char *field, int size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct btf *btf = btf__new_empty();
	int int_id, id, value, fd;
	const void *raw;
	__u32 raw_size;

	int_id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	id = btf__add_struct(btf, field, size);
	btf__add_field(btf, "x", int_id, 0, 0);
	value = btf__add_struct(btf, "value", 24);
	btf__add_field(btf, "field", id, 0, 0);
	raw = btf__raw_data(btf, &raw_size);
	opts.btf_fd = bpf_btf_load(raw, raw_size, NULL);
	opts.btf_key_type_id = int_id;
	opts.btf_value_type_id = value;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bm_fields", 4, 24, 1, &opts);
	close(opts.btf_fd);
	btf__free(btf);
	return fd;
}

/* The first value of an array, in R6 and R1; the program ends if there is none. */
#define BM_FIRST_VALUE(map_fd)				\
	BPF_ST_MEM(BPF_W, BPF_REG_10, -4, 0),		\
	BPF_MOV64_REG(BPF_REG_2, BPF_REG_10),		\
	BPF_ALU64_IMM(BPF_ADD, BPF_REG_2, -4),		\
	BPF_LD_MAP_FD(BPF_REG_1, map_fd),		\
	BPF_EMIT_CALL(BPF_FUNC_map_lookup_elem),	\
	BPF_JMP_IMM(BPF_JNE, BPF_REG_0, 0, 1),		\
	BPF_EXIT_INSN(),				\
	BPF_MOV64_REG(BPF_REG_6, BPF_REG_0),		\
	BPF_MOV64_REG(BPF_REG_1, BPF_REG_6)

/* What the program returns for a packet. */
static inline long long bm_run(int prog_fd)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		    .data_in = packet, .data_size_in = sizeof(packet), .repeat = 1);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	return err ?: (long long)opts.retval;
}

/* The library of the tests. */
#define NAME "bm_lib"
#define XDP BPF_PROG_TYPE_XDP
#define SYSCALL BPF_PROG_TYPE_SYSCALL

enum {
	COUNT = 1,	/* int count(int n): adds n to the counter, returns the sum */
	SUM,		/* int sum(struct bm_key *k): not NULL */
	SUM_NULL,	/* int sum_null(struct bm_key *k): -1 for NULL */
	SLEEPS,		/* int sleeps(int n): may sleep */
	DEEP,		/* int deep(int n): 448 bytes of stack */
	DYN,		/* int dyn(struct bpf_dynptr *d) */
	FUNCS = DYN,
};

static struct bm_lib lib;
static inline bool add_functions(const int *func)
{
	return BM_LIB_ADD(&lib, func[COUNT], 0, NULL,
			  BPF_LD_IMM64_RAW(BPF_REG_2, BPF_PSEUDO_MAP_VALUE, lib.map_fd),
			  BPF_MOV64_REG(BPF_REG_3, BPF_REG_1),
			  BPF_ATOMIC_OP(BPF_DW, BPF_ADD | BPF_FETCH, BPF_REG_2, BPF_REG_3, 0),
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_3),
			  BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_1),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[SUM], 0, NULL,
			  BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, 0),
			  BPF_LDX_MEM(BPF_W, BPF_REG_2, BPF_REG_1, 4),
			  BPF_ALU64_REG(BPF_ADD, BPF_REG_0, BPF_REG_2),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[SUM_NULL], 0, NULL,
			  BPF_MOV64_IMM(BPF_REG_0, 99),
			  BPF_JMP_IMM(BPF_JEQ, BPF_REG_1, 0, 1),
			  BPF_LDX_MEM(BPF_W, BPF_REG_0, BPF_REG_1, 0),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[SLEEPS], BPF_F_SLEEPABLE, NULL,
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_1),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[DEEP], 0, NULL,
			  BPF_ST_MEM(BPF_DW, BPF_REG_10, -448, 1),
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_1),
			  BPF_EXIT_INSN()) &&
	       BM_LIB_ADD(&lib, func[DYN], 0, NULL,
			  BPF_MOV64_IMM(BPF_REG_0, 7),
			  BPF_EXIT_INSN());
}

/* Types of the functions. @pad puts that of count() at this id of its BTF, 0 for anywhere. */
static inline bool add_types(int *func, int pad)
{
	while (pad && (int)btf__type_cnt(lib.btf) < pad - 1)
		btf__add_const(lib.btf, lib.int_id);
	func[COUNT] = bm_lib_func(&lib, "count", lib.int_id, BTF_FUNC_GLOBAL);
	func[SUM] = bm_lib_func(&lib, "sum", lib.key_ptr, BTF_FUNC_GLOBAL);
	bm_lib_tag(&lib, func[SUM], "arg:nonnull");
	func[SUM_NULL] = bm_lib_func(&lib, "sum_null", lib.key_ptr, BTF_FUNC_GLOBAL);
	func[SLEEPS] = bm_lib_func(&lib, "sleeps", lib.int_id, BTF_FUNC_GLOBAL);
	func[DEEP] = bm_lib_func(&lib, "deep", lib.int_id, BTF_FUNC_GLOBAL);
	func[DYN] = bm_lib_func(&lib, "dyn", lib.dynptr_ptr, BTF_FUNC_GLOBAL);
	return ASSERT_TRUE(!pad || func[COUNT] == pad, "place in BTF") && bm_lib_load_btf(&lib);
}

static inline bool open_lib(int pad)
{
	int func[FUNCS + 1];

	return bm_lib_open(&lib) && add_types(func, pad) && add_functions(func) &&
	       bm_lib_load(&lib, NAME);
}

static inline __u64 first_value(int map_fd)
{
	__u32 key = 0;
	__u64 value = 0;

	bpf_map_lookup_elem(map_fd, &key, &value);
	return value;
}

static inline __u64 counter(void)
{
	return first_value(lib.map_fd);
}

/* A program that adds @n and returns the sum. */
static inline int load_counting(enum bpf_prog_type type, int n)
{
	return BM_CALLER(type, lib.module_fd,
			 BPF_MOV64_IMM(BPF_REG_1, n),
			 BM_CALL(1, COUNT),
			 BPF_EXIT_INSN());
}

static inline void check_users(int users)
{
	ASSERT_EQ(bm_users(lib.module_fd), users, "users");
}

/* A library that calls deep() with @stack bytes of its own; false if that is refused. */
static inline bool open_chain(struct bm_lib *next, const char *name, int module_fd, int nr,
			      int stack)
{
	const int fds[] = { -1, module_fd };
	const struct bpf_insn insns[] = {
		BPF_ST_MEM(BPF_DW, BPF_REG_10, -stack, 1),
		BM_CALL(1, nr),
		BPF_EXIT_INSN(),
	};
	int func, fd;

	if (!bm_lib_open(next))
		return false;
	func = bm_lib_func(next, "link", next->int_id, BTF_FUNC_GLOBAL);
	if (!bm_lib_load_btf(next))
		return false;
	fd = bm_func_load(next, func, 0, fds, insns, ARRAY_SIZE(insns));
	if (fd < 0)
		return false;
	next->prog[next->cnt++] = fd;
	return bm_lib_load(next, name);
}

static inline void refused(struct bm_lib *l, union bpf_attr *attr, int err, const char *part)
{
	int fd;

	memset(l->log, 0, sizeof(l->log));
	fd = bm_sys_bpf(BPF_MODULE_LOAD, attr, sizeof(*attr));
	ASSERT_EQ(fd, err, part);
	ASSERT_HAS_SUBSTR(l->log, part, "log");
	if (fd >= 0)
		bm_drain(fd);
	bm_close(&fd);
}

struct bm_lib_test {
	const char *name;
	void (*run)(void);
};

/* Each with the library loaded anew. */
static inline void bm_lib_run(const struct bm_lib_test *tests, int cnt)
{
	int i;

	for (i = 0; i < cnt; i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		if (ASSERT_TRUE(open_lib(0), "library"))
			tests[i].run();
		bm_lib_close(&lib);
	}
}

#endif /* __BPF_MODULE_FUNC_H */
