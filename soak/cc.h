/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs that load the kernel until something gives share: congestion
 * controls that do nothing, made without a BPF object.
 */
#ifndef SOAK_CC_H
#define SOAK_CC_H

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf_module.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* A member that holds a program, and what the program returns. */
struct member {
	const char *name;
	unsigned int nr;	/* in the struct */
	unsigned int off;	/* bytes */
};

struct ops_type {
	const char *name;
	int btf_fd;		/* 0 for vmlinux */
	unsigned int id;
	unsigned int size;
};

/* splitmix64: the same numbers for the same seed on any machine */
static inline __u64 next_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to @limit - 1 */
static inline unsigned int pick(__u64 *state, unsigned int limit)
{
	return next_random(state) % limit;
}

/* milliseconds */
static inline long long monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static inline void find_type(struct btf *btf, struct ops_type *type, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	if (id < 0)
		errx(1, "the kernel has no struct %s", name);
	type->name = name;
	type->id = id;
	type->size = btf__type_by_id(btf, id)->size;
}

static inline void find_member(struct btf *btf, const struct ops_type *type, struct member *member)
{
	const struct btf_type *t = btf__type_by_id(btf, type->id);
	const struct btf_member *m = btf_members(t);
	unsigned int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(btf, m->name_off), member->name))
			continue;
		member->nr = i;
		member->off = btf_member_bit_offset(t, i) / 8;
		return;
	}
	errx(1, "struct %s has no member %s", type->name, member->name);
}

/* A program that returns 10, which is also a congestion window that works. */
static inline int load_prog(const struct ops_type *type, const struct member *member)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 10 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = member->nr,
		    .attach_btf_id = type->id,
		    .attach_btf_obj_fd = type->btf_fd);

	return bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, member->name, "GPL", insns,
			     ARRAY_LEN(insns), &opts);
}

/* One program for each member; -errno, and none, if one cannot be loaded. */
static inline int load_progs(const struct ops_type *type, const struct member *members,
			     int *progs, unsigned int cnt)
{
	unsigned int i;

	for (i = 0; i < cnt; i++) {
		int fd = load_prog(type, &members[i]);

		if (fd < 0) {
			while (i--)
				close(progs[i]);
			return fd;
		}
		progs[i] = fd;
	}
	return 0;
}

static inline void set_member(void *value, const struct member *member, int prog)
{
	__u64 fd = prog;

	memcpy((char *)value + member->off, &fd, sizeof(fd));
}

#endif
