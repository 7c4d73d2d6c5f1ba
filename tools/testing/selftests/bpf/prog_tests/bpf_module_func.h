/* SPDX-License-Identifier: GPL-2.0 */
/* Modules that export functions, written by hand. */
#ifndef __BPF_MODULE_FUNC_H
#define __BPF_MODULE_FUNC_H

#include <bpf/btf.h>
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_syscall.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

#define BM_PROG_LOG	16384

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

#endif /* __BPF_MODULE_FUNC_H */
