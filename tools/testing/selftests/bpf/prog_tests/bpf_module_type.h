/* SPDX-License-Identifier: GPL-2.0 */
/* Ops types of the kernel, values of them, and programs for their members. */
#ifndef __BPF_MODULE_TYPE_H
#define __BPF_MODULE_TYPE_H

#include <bpf/btf.h>
#include <linux/filter.h>
#include <test_progs.h>

#define BM_VALUE_SIZE	1024

/* An ops type and the BTF that describes it. */
struct bm_type {
	struct btf *vmlinux;	/* that of all types */
	struct btf *btf;
	int btf_fd;		/* 0 for vmlinux */
	__u32 id;
	__u32 size;
};

/* Returns the id of the BTF of kernel module @name, 0 for none. */
static inline __u32 bm_btf_id(const char *name)
{
	__u32 id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		struct bpf_btf_info info = {};
		__u32 len = sizeof(info);
		char buf[64] = "";
		int fd;

		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		info.name = ptr_to_u64(buf);
		info.name_len = sizeof(buf);
		bpf_btf_get_info_by_fd(fd, &info, &len);
		close(fd);
		if (info.kernel_btf && !strcmp(buf, name))
			return id;
	}
	return 0;
}

/* The kernel's own BTF, which takes long to read and does not change. */
static inline struct btf *bm_vmlinux_btf(void)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	return btf;
}

static inline void bm_type_close(struct bm_type *type)
{
	if (type->btf != type->vmlinux)
		btf__free(type->btf);
	if (type->btf_fd)
		close(type->btf_fd);
	memset(type, 0, sizeof(*type));
}

/* Finds struct @name in the BTF of @module, in that of vmlinux if it is NULL. */
static inline bool bm_type_open(struct bm_type *type, const char *module, const char *name)
{
	int id;

	memset(type, 0, sizeof(*type));
	type->vmlinux = bm_vmlinux_btf();
	if (!ASSERT_OK_PTR(type->vmlinux, "vmlinux btf"))
		return false;
	type->btf = type->vmlinux;
	if (module) {
		__u32 btf_id = bm_btf_id(module);

		type->btf = btf__load_from_kernel_by_id_split(btf_id, type->vmlinux);
		type->btf_fd = bpf_btf_get_fd_by_id(btf_id);
		if (!ASSERT_OK_PTR(type->btf, module) || !ASSERT_OK_FD(type->btf_fd, module))
			goto err;
	}
	id = btf__find_by_name_kind(type->btf, name, BTF_KIND_STRUCT);
	if (!ASSERT_GT(id, 0, name))
		goto err;
	type->id = id;
	type->size = btf__type_by_id(type->btf, id)->size;
	if (!ASSERT_LE(type->size, BM_VALUE_SIZE, "size of the ops struct"))
		goto err;
	return true;

err:
	bm_type_close(type);
	return false;
}

/* Returns the index of @member and its offset in bytes. */
static inline int bm_member(const struct bm_type *type, const char *member, __u32 *off)
{
	const struct btf_type *t = btf__type_by_id(type->btf, type->id);
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(type->btf, m->name_off), member))
			continue;
		if (off)
			*off = btf_member_bit_offset(t, i) / 8;
		return i;
	}
	PRINT_FAIL("no member %s\n", member);
	return -ENOENT;
}

/* Loads a program named @name for @member of @type that returns @ret. */
static inline int bm_prog_load(const struct bm_type *type, const char *member, const char *name,
			       int ret)
{
	struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_0, ret),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int idx, fd;

	idx = bm_member(type, member, NULL);
	if (idx < 0)
		return idx;
	opts.expected_attach_type = idx;
	opts.attach_btf_id = type->id;
	opts.attach_btf_obj_fd = type->btf_fd;
	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, name, "GPL", insns, ARRAY_SIZE(insns), &opts);
	ASSERT_OK_FD(fd, name);
	return fd;
}

/* Returns the address of @member in a @value of @type. */
static inline void *bm_field(const struct bm_type *type, void *value, const char *member)
{
	__u32 off = 0;

	bm_member(type, member, &off);
	return value + off;
}

static inline void bm_set_prog(const struct bm_type *type, void *value, const char *member,
			       int prog_fd)
{
	*(unsigned long *)bm_field(type, value, member) = prog_fd;
}

#endif /* __BPF_MODULE_TYPE_H */
