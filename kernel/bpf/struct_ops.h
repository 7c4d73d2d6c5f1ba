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
struct seq_buf;

/**
 * struct bpf_struct_ops_func - a function pointer that is set
 * @prog: what it calls.  The instance holds the reference.
 * @ksym: symbol of the trampoline, part of the instance's @ksyms.
 * @image_size: bytes of the executable memory that starts with this trampoline,
 *	0 if it is in that of one before, which may be of another instance.
 * @size: bytes of the trampoline.
 * @member: number of the member.
 */
struct bpf_struct_ops_func {
	struct bpf_prog *prog;
	struct bpf_ksym *ksym;
	u16 image_size;
	u16 size;
	u16 member;
};

/**
 * struct bpf_struct_ops_inst - a kernel struct built from a value
 * @st_ops_desc: type of the struct.  Its provider, if it is a kernel module,
 *	is held by a reference on st_ops_desc->st_ops->owner, which also keeps
 *	@btf.
 * @btf: BTF that describes the type.
 * @mod: BPF module that owns the instance, NULL if it belongs to a map.
 * @mod_name: its name, or NULL.
 * @log: receives the reason if building fails; only valid while building,
 *	NULL for a map.
 * @next: the next one of the module; they share images.  NULL for a map.
 * @name: what @log calls the instance, NULL for @nr.
 * @nr: position in @mod.
 * @funcs: the function pointers that are set, in the order of members.
 * @funcs_cnt: entries of @funcs in use.
 * @funcs_max: entries of @funcs that were allocated.
 * @funcs_bytes: bytes that the functions take.  Read without the owner's lock.
 * @ksyms_size: bytes of @ksyms.
 * @ksyms: symbols of the trampolines, of different sizes.
 * @assocs: of a module: programs that are associated with it, where that exists.
 * @objcg: memory cgroup that executable memory is charged to, or NULL.
 * @charged: bytes of it.
 * @kdata: the struct.  A subsystem gets a pointer to it and nothing else, so
 *	container_of() is the way back.
 */
struct bpf_struct_ops_inst {
	const struct bpf_struct_ops_desc *st_ops_desc;
	struct btf *btf;
	struct bpf_module *mod;
	const char *mod_name;
	struct seq_buf *log;
	struct bpf_struct_ops_inst *next;
	const char *name;
	u32 nr;
	struct bpf_struct_ops_func *funcs;
	u32 funcs_cnt;
	u32 funcs_max;
	u32 funcs_bytes;
	u32 ksyms_size;
	void *ksyms;
	struct hlist_head assocs;
#ifdef CONFIG_MEMCG
	struct obj_cgroup *objcg;
	u32 charged;
#endif
	u8 kdata[] ____cacheline_aligned_in_smp;
};

/* Defined where programs can be associated with the struct that they are called by or for. */
#ifndef bpf_struct_ops_clear_assoc
static inline void bpf_module_assoc_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
}

static inline void bpf_module_dissoc_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
}

static inline void bpf_struct_ops_clear_assoc(const struct bpf_struct_ops_inst *inst)
{
}
#endif

/* Defined where a subsystem that has withdrawn an op still has something for unreg() to do. */
#ifndef bpf_struct_ops_unreg_withdrawn
static inline bool bpf_struct_ops_unreg_withdrawn(const struct bpf_struct_ops *st_ops)
{
	return false;
}
#endif

struct btf *bpf_struct_ops_btf_get(int fd, struct module **mod);
int bpf_struct_ops_inst_build(struct bpf_struct_ops_inst *inst, void *udata);
int bpf_struct_ops_insts_finish(struct bpf_struct_ops_inst *insts);
void bpf_struct_ops_sync(const struct bpf_struct_ops_inst *inst);

/* struct_ops_image.c */
int bpf_struct_ops_alloc_funcs(struct bpf_struct_ops_inst *inst, const void *udata);
void bpf_struct_ops_add_func(struct bpf_struct_ops_inst *inst, u32 member, struct bpf_prog *prog);
int bpf_struct_ops_emit_funcs(struct bpf_struct_ops_inst *insts);
void bpf_struct_ops_free_funcs(struct bpf_struct_ops_inst *inst);
void bpf_struct_ops_inst_add_ksyms(struct bpf_struct_ops_inst *inst);
void bpf_struct_ops_inst_del_ksyms(struct bpf_struct_ops_inst *inst);
u64 bpf_struct_ops_inst_mem_usage(const struct bpf_struct_ops_inst *inst);

/* struct_ops_claim.c */
int bpf_struct_ops_claim_prog(const struct bpf_struct_ops_inst *inst,
			      const struct btf_member *member, struct bpf_prog *prog);
void bpf_struct_ops_release_progs(const struct bpf_struct_ops_inst *inst);

/* struct_ops_log.c */
int bpf_struct_ops_errno(int err);
bool bpf_struct_ops_has_reason(const struct bpf_struct_ops_inst *inst);
__printf(3, 4)
void bpf_struct_ops_log(const struct bpf_struct_ops_inst *inst,
			const struct btf_member *member, const char *fmt, ...);
void bpf_struct_ops_log_prog(const struct bpf_struct_ops_inst *inst,
			     const struct btf_member *member,
			     const struct bpf_prog *prog);
void bpf_struct_ops_log_validate(const struct bpf_struct_ops_inst *inst,
				 int err);

#endif
