/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine behind struct_ops maps and BPF modules: it turns a value that
 * kernel BTF describes, with program fds in place of function pointers, into
 * a kernel struct that a subsystem can call.
 *
 * The owner of an instance, a map or a module, decides when the struct is
 * registered and when it is freed.  The engine takes no lock: the owner
 * serializes building an instance against everything else done to it.
 */
#ifndef _BPF_STRUCT_OPS_H
#define _BPF_STRUCT_OPS_H

#include <linux/bpf.h>

struct bpf_module;
struct bpf_verifier_log;

#define MAX_TRAMP_IMAGE_PAGES 8

/**
 * struct bpf_struct_ops_inst - a kernel struct built from a value
 * @st_ops_desc: type of the struct.  Its provider, if it is a kernel module,
 *	is held by a reference on st_ops_desc->st_ops->owner, which also keeps
 *	@btf.
 * @btf: BTF that describes the type.
 * @mod: BPF module that owns the instance, NULL if it belongs to a map.
 * @log: receives the reason if building fails; only valid while building,
 *	NULL for a map.
 * @name: what @log calls the instance, NULL for @nr.
 * @nr: position in @mod.
 * @links: a link for every function pointer set, in the order of members; it
 *	holds the program that the trampoline calls.
 * @ksyms: symbols of the trampolines, in the same order.
 * @funcs_cnt: entries of @links and @ksyms.
 * @image_pages_cnt: entries in use of @image_pages.
 * @image_pages: executable pages that hold the trampolines.
 * @objcg: memory cgroup that the pages are charged to, or NULL.
 * @charged_pages: how many are.
 * @kdata: the struct.  A subsystem gets a pointer to it and nothing else, so
 *	container_of() is the way back.
 */
struct bpf_struct_ops_inst {
	const struct bpf_struct_ops_desc *st_ops_desc;
	struct btf *btf;
	struct bpf_module *mod;
	struct bpf_verifier_log *log;
	const char *name;
	u32 nr;
	struct bpf_link **links;
	struct bpf_ksym **ksyms;
	u32 funcs_cnt;
	u32 image_pages_cnt;
	void *image_pages[MAX_TRAMP_IMAGE_PAGES];
#ifdef CONFIG_MEMCG
	struct obj_cgroup *objcg;
	u32 charged_pages;
#endif
	u8 kdata[] ____cacheline_aligned_in_smp;
};

struct btf *bpf_struct_ops_btf_get(int fd, struct module **mod);
int bpf_struct_ops_inst_init(struct bpf_struct_ops_inst *inst,
			     const struct bpf_struct_ops_desc *st_ops_desc,
			     struct btf *btf);
int bpf_struct_ops_inst_build(struct bpf_struct_ops_inst *inst, void *udata);
void bpf_struct_ops_inst_add_ksyms(struct bpf_struct_ops_inst *inst);
void bpf_struct_ops_inst_del_ksyms(struct bpf_struct_ops_inst *inst);
void bpf_struct_ops_inst_release(struct bpf_struct_ops_inst *inst);
u64 bpf_struct_ops_inst_mem_usage(const struct bpf_struct_ops_inst *inst);

__printf(3, 4)
void bpf_struct_ops_log(const struct bpf_struct_ops_inst *inst,
			const struct btf_member *member, const char *fmt, ...);
void bpf_struct_ops_log_prog(const struct bpf_struct_ops_inst *inst,
			     const struct btf_member *member,
			     const struct bpf_prog *prog);
void bpf_struct_ops_log_validate(const struct bpf_struct_ops_inst *inst,
				 int err);

#endif
