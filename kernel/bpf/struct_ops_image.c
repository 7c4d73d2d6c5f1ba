// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of instances: programs, the trampolines that call them, and their
 * symbols.  All are sized first, so that an image is no larger than the trampolines in
 * it, and the ops of a module share images.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/cfi.h>
#include <linux/filter.h>
#include <linux/memcontrol.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "struct_ops.h"

/* As the compiler aligns functions. */
#define TRAMP_ALIGN 16
/* The most that arch code can allocate at once, and that struct bpf_struct_ops_func can
 * hold.
 */
#define IMAGE_MAX MIN(PAGE_SIZE, SZ_32K)
static_assert(type_max(typeof_member(struct bpf_struct_ops_func, image_size)) >= IMAGE_MAX);

/**
 * struct bpf_struct_ops_site - a function that becomes part of an image
 * @inst: the instance that it belongs to.
 * @func: the function.
 */
struct bpf_struct_ops_site {
	struct bpf_struct_ops_inst *inst;
	struct bpf_struct_ops_func *func;
};

/**
 * struct bpf_struct_ops_emitter - what is needed to emit functions
 * @tramp: the trampoline that is sized or emitted, for arch code.
 * @sites_cnt: entries of @sites.
 * @sites: the functions, in the order of their addresses in images.
 */
struct bpf_struct_ops_emitter {
	struct bpf_struct_ops_tramp tramp;
	u32 sites_cnt;
	struct bpf_struct_ops_site sites[] __counted_by(sites_cnt);
};

static u32 bpf_struct_ops_tramp_flags(const struct bpf_struct_ops *st_ops, u32 member)
{
	u32 flags = BPF_TRAMP_F_INDIRECT;

	if (st_ops->func_models[member].ret_size > 0)
		flags |= BPF_TRAMP_F_RET_FENTRY_RET;
	if (st_ops->migrate_disable)
		flags |= BPF_TRAMP_F_MIGRATE_DISABLE;
	return flags;
}

/* Returns the size in bytes of @tramp for @member of @st_ops, or an error. */
int bpf_struct_ops_tramp_size(struct bpf_struct_ops_tramp *tramp,
			      const struct bpf_struct_ops *st_ops, u32 member, void *stub_func)
{
	int size;

	size = arch_bpf_trampoline_size(&st_ops->func_models[member],
					bpf_struct_ops_tramp_flags(st_ops, member), tramp->progs,
					stub_func);
	if (size > (int)IMAGE_MAX)
		return -E2BIG;
	return size ? : -EFAULT;
}

/* Write the trampoline that bpf_struct_ops_tramp_size() measured and that will run at
 * @image: to @buf, which the caller copies there, or to @image itself if @buf is NULL.
 * @size bytes may be written.
 */
int bpf_struct_ops_tramp_emit(struct bpf_struct_ops_tramp *tramp,
			      const struct bpf_struct_ops *st_ops, u32 member, void *stub_func,
			      void *buf, void *image, u32 size)
{
	const struct btf_func_model *model = &st_ops->func_models[member];
	u32 flags = bpf_struct_ops_tramp_flags(st_ops, member);
	int err;

	if (buf)
		err = arch_emit_bpf_trampoline(buf, image, size, model, flags, tramp->progs,
					       stub_func);
	else
		err = arch_prepare_bpf_trampoline(NULL, image, image + size, model, flags,
						  tramp->progs, stub_func);
	return err > 0 ? 0 : err ? : -EFAULT;
}

void *bpf_struct_ops_image_alloc(u32 size)
{
	void *image;
	int err;

	err = bpf_jit_charge_modmem(size);
	if (err)
		return ERR_PTR(err);
	image = arch_alloc_bpf_trampoline(size);
	if (!image) {
		bpf_jit_uncharge_modmem(size);
		return ERR_PTR(-ENOMEM);
	}
	return image;
}

void bpf_struct_ops_image_free(void *image, u32 size)
{
	if (image) {
		arch_free_bpf_trampoline(image, size);
		bpf_jit_uncharge_modmem(size);
	}
}

#ifdef CONFIG_MEMCG
/* Executable memory comes from packs shared by everybody, so charge it here. */
static int bpf_struct_ops_charge(struct bpf_struct_ops_inst *inst, u32 size)
{
	int err;

	if (!memcg_bpf_enabled())
		return 0;
	if (!inst->objcg)
		inst->objcg = get_obj_cgroup_from_current();
	if (!inst->objcg)
		return 0;
	err = obj_cgroup_charge(inst->objcg, GFP_KERNEL, size);
	if (!err)
		inst->charged += size;
	return err;
}

static void bpf_struct_ops_uncharge(struct bpf_struct_ops_inst *inst)
{
	if (!inst->objcg)
		return;
	obj_cgroup_uncharge(inst->objcg, inst->charged);
	obj_cgroup_put(inst->objcg);
	inst->objcg = NULL;
	inst->charged = 0;
}
#else
static int bpf_struct_ops_charge(struct bpf_struct_ops_inst *inst, u32 size)
{
	return 0;
}

static void bpf_struct_ops_uncharge(struct bpf_struct_ops_inst *inst)
{
}
#endif

static const struct btf_member *
bpf_struct_ops_func_member(const struct bpf_struct_ops_inst *inst,
			   const struct bpf_struct_ops_func *func)
{
	return btf_type_member(inst->st_ops_desc->type) + func->member;
}

static void *bpf_struct_ops_func_stub(const struct bpf_struct_ops_inst *inst,
				      const struct bpf_struct_ops_func *func)
{
	const struct bpf_struct_ops_desc *desc = inst->st_ops_desc;
	const struct btf_member *member = bpf_struct_ops_func_member(inst, func);
	u32 moff = __btf_member_bit_offset(desc->type, member) / 8;

	return *(void **)(desc->st_ops->cfi_stubs + moff);
}

/* Allocate a function for every pointer that is set in @udata. */
int bpf_struct_ops_alloc_funcs(struct bpf_struct_ops_inst *inst, const void *udata)
{
	const struct btf_type *t = inst->st_ops_desc->type;
	const struct btf_member *member;
	u32 i, cnt = 0;

	for_each_member(i, t, member) {
		u32 moff = __btf_member_bit_offset(t, member) / 8;

		/* few members are set, and resolving a type takes longer */
		if (moff + sizeof(unsigned long) <= t->size &&
		    *(unsigned long *)(udata + moff) &&
		    btf_type_resolve_func_ptr(inst->btf, member->type, NULL))
			cnt++;
	}
	if (!cnt)
		return 0;
	inst->funcs = kcalloc(cnt, sizeof(*inst->funcs), bpf_memcg_flags(GFP_USER));
	if (!inst->funcs)
		return -ENOMEM;
	inst->funcs_max = cnt;
	return 0;
}

/* Let member number @member call @prog.  The reference to @prog, and its claim for the
 * module, pass to @inst.
 */
void bpf_struct_ops_add_func(struct bpf_struct_ops_inst *inst, u32 member, struct bpf_prog *prog)
{
	struct bpf_struct_ops_func *func = &inst->funcs[inst->funcs_cnt++];

	func->prog = prog;
	func->member = member;
}

static struct bpf_struct_ops_emitter *
bpf_struct_ops_emitter_alloc(struct bpf_struct_ops_inst *insts)
{
	struct bpf_struct_ops_emitter *emitter;
	struct bpf_struct_ops_inst *inst;
	u32 i, cnt = 0;

	for (inst = insts; inst; inst = inst->next)
		cnt += inst->funcs_cnt;
	emitter = kvzalloc(struct_size(emitter, sites, cnt), GFP_KERNEL);
	if (!emitter)
		return NULL;

	emitter->sites_cnt = cnt;
	cnt = 0;
	for (inst = insts; inst; inst = inst->next) {
		for (i = 0; i < inst->funcs_cnt; i++) {
			emitter->sites[cnt].inst = inst;
			emitter->sites[cnt++].func = &inst->funcs[i];
		}
	}
	return emitter;
}

static int bpf_struct_ops_size_funcs(struct bpf_struct_ops_emitter *emitter)
{
	u32 i;

	for (i = 0; i < emitter->sites_cnt; i++) {
		struct bpf_struct_ops_site *site = &emitter->sites[i];
		int size;

		bpf_struct_ops_tramp_init(&emitter->tramp, site->func->prog);
		size = bpf_struct_ops_tramp_size(&emitter->tramp, site->inst->st_ops_desc->st_ops,
						 site->func->member,
						 bpf_struct_ops_func_stub(site->inst, site->func));
		if (size < 0) {
			bpf_struct_ops_log(site->inst,
					   bpf_struct_ops_func_member(site->inst, site->func),
					   "no trampoline can be made for it, error %d",
					   -bpf_struct_ops_errno(size));
			return size;
		}
		site->func->size = size;
	}
	return 0;
}

static u32 bpf_struct_ops_name_add(char *name, u32 len, const char *part)
{
	u32 more = min_t(size_t, strlen(part), KSYM_NAME_LEN - 1 - len);

	if (name)
		memcpy(name + len, part, more);
	return len + more;
}

/* Write the name of @func's symbol to @name, which is zeroed, unless that is NULL;
 * return its length.  Modules can have many ops of one type, so the name says which
 * op it is.
 */
static u32 bpf_struct_ops_func_name(const struct bpf_struct_ops_inst *inst,
				    const struct bpf_struct_ops_func *func, char *name)
{
	const char *tname, *mname;
	u32 len;

	tname = btf_name_by_offset(inst->btf, inst->st_ops_desc->type->name_off);
	mname = btf_name_by_offset(inst->btf, bpf_struct_ops_func_member(inst, func)->name_off);
	len = bpf_struct_ops_name_add(name, 0, "bpf__");
	if (inst->mod_name) {
		len = bpf_struct_ops_name_add(name, len, inst->mod_name);
		len = bpf_struct_ops_name_add(name, len, ".");
	}
	len = bpf_struct_ops_name_add(name, len, inst->name ?: tname);
	len = bpf_struct_ops_name_add(name, len, inst->mod_name ? "." : "_");
	return bpf_struct_ops_name_add(name, len, mname);
}

static u32 bpf_struct_ops_ksym_size(u32 name_len)
{
	return ALIGN(offsetof(struct bpf_ksym, name) + name_len + 1, __alignof__(struct bpf_ksym));
}

/* All symbols are one allocation, each just as long as its name. */
static int bpf_struct_ops_alloc_ksyms(struct bpf_struct_ops_inst *inst)
{
	u32 i, off = 0, size = 0;

	if (!inst->funcs_cnt)
		return 0;
	for (i = 0; i < inst->funcs_cnt; i++)
		size += bpf_struct_ops_ksym_size(bpf_struct_ops_func_name(inst, &inst->funcs[i],
									  NULL));
	inst->ksyms = kvzalloc(size, bpf_memcg_flags(GFP_USER));
	if (!inst->ksyms)
		return -ENOMEM;
	inst->ksyms_size = size;

	for (i = 0; i < inst->funcs_cnt; i++) {
		struct bpf_ksym *ksym = inst->ksyms + off;

		off += bpf_struct_ops_ksym_size(bpf_struct_ops_func_name(inst, &inst->funcs[i],
									 ksym->name));
		INIT_LIST_HEAD_RCU(&ksym->lnode);
		inst->funcs[i].ksym = ksym;
	}
	return 0;
}

/* Bytes that @func takes in an image. */
static u32 bpf_struct_ops_func_room(const struct bpf_struct_ops_func *func)
{
	return ALIGN(func->size, TRAMP_ALIGN);
}

/* Write the trampoline of @site that will run at @image: to @buf, if there is one. */
static int bpf_struct_ops_emit_site(struct bpf_struct_ops_emitter *emitter,
				    const struct bpf_struct_ops_site *site, void *buf, void *image)
{
	const struct bpf_struct_ops_inst *inst = site->inst;
	const struct bpf_struct_ops_func *func = site->func;
	const struct bpf_struct_ops_desc *desc = inst->st_ops_desc;
	const struct btf_member *member = bpf_struct_ops_func_member(inst, func);
	int err;

	bpf_struct_ops_tramp_init(&emitter->tramp, func->prog);
	err = bpf_struct_ops_tramp_emit(&emitter->tramp, desc->st_ops, func->member,
					bpf_struct_ops_func_stub(inst, func), buf, image,
					bpf_struct_ops_func_room(func));
	if (err)
		return err;
	bpf_image_ksym_init(image, func->size, func->ksym);
	*(void **)(site->inst->kdata + __btf_member_bit_offset(desc->type, member) / 8) =
		image + cfi_get_offset();
	return 0;
}

/* Write sites @first to @next - 1 to @image, which has their size. */
static int bpf_struct_ops_write_image(struct bpf_struct_ops_emitter *emitter, u32 first, u32 next,
				      void *image, u32 size)
{
	void *buf = NULL;
	u32 i, off = 0;
	int err = 0;

	if (arch_bpf_trampoline_in_buf()) {
		buf = kmalloc(size, GFP_KERNEL);
		if (!buf)
			return -ENOMEM;
	}
	for (i = first; !err && i < next; i++) {
		err = bpf_struct_ops_emit_site(emitter, &emitter->sites[i],
					       buf ? buf + off : NULL, image + off);
		off += bpf_struct_ops_func_room(emitter->sites[i].func);
	}
	if (!err && buf)
		err = PTR_ERR_OR_ZERO(bpf_arch_text_copy(image, buf, size));
	kfree(buf);
	return err ? : arch_protect_bpf_trampoline(image, size);
}

/* Emit as many sites as fit in an image, starting with @first; return the number of the
 * next one, or an error.  The image belongs to the first one.
 */
static int bpf_struct_ops_emit_image(struct bpf_struct_ops_emitter *emitter, u32 first)
{
	struct bpf_struct_ops_site *site = &emitter->sites[first];
	u32 next, size = 0;
	void *image;
	int err;

	for (next = first; next < emitter->sites_cnt; next++) {
		u32 more = bpf_struct_ops_func_room(emitter->sites[next].func);

		if (size + more > IMAGE_MAX)
			break;
		size += more;
	}

	err = bpf_struct_ops_charge(site->inst, size);
	if (err)
		return err;
	image = bpf_struct_ops_image_alloc(size);
	if (IS_ERR(image))
		return PTR_ERR(image);
	site->func->ksym->start = (unsigned long)image;
	site->func->image_size = size;

	err = bpf_struct_ops_write_image(emitter, first, next, image, size);
	return err ? : next;
}

static void bpf_struct_ops_count_bytes(struct bpf_struct_ops_inst *inst)
{
	u32 i, bytes = inst->funcs_max * sizeof(*inst->funcs) + inst->ksyms_size;

	for (i = 0; i < inst->funcs_cnt; i++)
		bytes += inst->funcs[i].image_size;
	WRITE_ONCE(inst->funcs_bytes, bytes);
}

/* Emit the trampolines of all functions of @insts, a list, and let the structs
 * point at them.  May sleep.  If it fails, bpf_struct_ops_free_funcs() of each
 * undoes what was done.  Instances that share an image are freed together.
 */
int bpf_struct_ops_emit_funcs(struct bpf_struct_ops_inst *insts)
{
	struct bpf_struct_ops_emitter *emitter;
	struct bpf_struct_ops_inst *inst;
	int err, next = 0;

	emitter = bpf_struct_ops_emitter_alloc(insts);
	if (!emitter)
		return -ENOMEM;

	err = bpf_struct_ops_size_funcs(emitter);
	for (inst = insts; !err && inst; inst = inst->next)
		err = bpf_struct_ops_alloc_ksyms(inst);
	while (!err && next < emitter->sites_cnt) {
		next = bpf_struct_ops_emit_image(emitter, next);
		if (next < 0)
			err = next;
	}
	kvfree(emitter);
	for (inst = insts; !err && inst; inst = inst->next)
		bpf_struct_ops_count_bytes(inst);
	return err;
}

void bpf_struct_ops_inst_add_ksyms(struct bpf_struct_ops_inst *inst)
{
	u32 i;

	for (i = 0; i < inst->funcs_cnt; i++)
		bpf_image_ksym_add(inst->funcs[i].ksym);
}

void bpf_struct_ops_inst_del_ksyms(struct bpf_struct_ops_inst *inst)
{
	u32 i;

	for (i = 0; i < inst->funcs_cnt; i++)
		bpf_image_ksym_del(inst->funcs[i].ksym);
}

/* Free the functions of @inst, none of which may be running.  May sleep. */
void bpf_struct_ops_free_funcs(struct bpf_struct_ops_inst *inst)
{
	u32 i;

	for (i = 0; i < inst->funcs_cnt; i++) {
		struct bpf_struct_ops_func *func = &inst->funcs[i];

		if (func->image_size)
			bpf_struct_ops_image_free((void *)func->ksym->start, func->image_size);
		bpf_prog_put(func->prog);
	}
	WRITE_ONCE(inst->funcs_bytes, 0);
	bpf_struct_ops_uncharge(inst);
	/* A symbol lookup may have found it before it was removed. */
	kvfree_rcu_mightsleep(inst->ksyms);
	kfree(inst->funcs);
	inst->ksyms = NULL;
	inst->funcs = NULL;
	inst->ksyms_size = 0;
	inst->funcs_cnt = 0;
	inst->funcs_max = 0;
}

/* Bytes that @inst takes.  Called without the owner's lock. */
u64 bpf_struct_ops_inst_mem_usage(const struct bpf_struct_ops_inst *inst)
{
	return struct_size(inst, kdata, inst->st_ops_desc->type->size) +
	       READ_ONCE(inst->funcs_bytes);
}
