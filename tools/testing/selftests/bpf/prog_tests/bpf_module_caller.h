/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that call functions of modules, written by hand. */
#ifndef __BPF_MODULE_CALLER_H
#define __BPF_MODULE_CALLER_H

#include <bpf/btf.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_func.h"

/* The call of function @nr, from 1, of the module at index @off of fd_array. */
#define BM_CALL(off, nr) BPF_RAW_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, off, nr)
/* Of a kernel function. */
#define BM_KFUNC(id) BM_CALL(0, id)

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

#define BM_FRAMES_END 32

/* A program of @frames frames, each of which calls the next and the last @last. */
static inline int bm_caller_deep(int module_fd, int frames, struct bpf_insn last)
{
	struct bpf_insn insns[2 * BM_FRAMES_END + 1];
	const int fds[] = { -1, module_fd };
	int n = 0;

	while (frames-- > 1) {
		insns[n++] = BPF_CALL_REL(1);
		insns[n++] = BPF_EXIT_INSN();
	}
	insns[n++] = BPF_MOV64_IMM(BPF_REG_1, 5);
	insns[n++] = last;
	insns[n++] = BPF_EXIT_INSN();
	return bm_caller(BPF_PROG_TYPE_XDP, fds, insns, n);
}

/* How many frames a call stack may have on this kernel. */
static inline int bm_max_frames(void)
{
	int fd, frames = 1;

	while (frames < BM_FRAMES_END) {
		fd = bm_caller_deep(-1, frames + 1, BPF_MOV64_IMM(BPF_REG_0, 0));
		if (fd < 0)
			break;
		close(fd);
		frames++;
	}
	return frames;
}

/* The same, refused for as many frames. */
static inline void bm_deep_refused(int module_fd, int frames, int total)
{
	int fd = bm_caller_deep(module_fd, frames, BM_CALL(1, 1));
	char part[32];

	snprintf(part, sizeof(part), "is %d frames. Too deep", total);
	ASSERT_LT(fd, 0, "refused");
	ASSERT_HAS_SUBSTR(bm_prog_log, part, "log");
	bm_close(&fd);
}

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

#endif /* __BPF_MODULE_CALLER_H */
