// SPDX-License-Identifier: GPL-2.0-only
/* What BPF modules tell about themselves: info and fdinfo. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/cred.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include "module.h"
#include "struct_ops.h"

/* struct bpf_module_ops_info as it was first released. */
#define BPF_MODULE_OPS_INFO_SIZE_VER0 offsetofend(struct bpf_module_ops_info, name)

/* Ids of one kind of object, each once. */
struct bpf_module_ids {
	u32 *ids;
	u32 cnt;
};

static int bpf_module_cmp_ids(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void bpf_module_sort_ids(struct bpf_module_ids *ids)
{
	u32 i, cnt = 0;

	sort(ids->ids, ids->cnt, sizeof(*ids->ids), bpf_module_cmp_ids, NULL);
	for (i = 0; i < ids->cnt; i++) {
		if (!cnt || ids->ids[cnt - 1] != ids->ids[i])
			ids->ids[cnt++] = ids->ids[i];
	}
	ids->cnt = cnt;
}

static int bpf_module_add_id(struct bpf_module_ids *ids, u32 id)
{
	u32 *new;

	/* Grow in powers of two. */
	if (!(ids->cnt & (ids->cnt - 1))) {
		new = krealloc_array(ids->ids, ids->cnt ? ids->cnt * 2 : 1, sizeof(*new),
				     GFP_KERNEL);
		if (!new)
			return -ENOMEM;
		ids->ids = new;
	}
	ids->ids[ids->cnt++] = id;
	return 0;
}

static int bpf_module_add_prog(struct bpf_module_ids *progs, struct bpf_module_ids *maps,
			       struct bpf_prog *prog)
{
	u32 i;
	int err;

	err = bpf_module_add_id(progs, prog->aux->id);
	mutex_lock(&prog->aux->used_maps_mutex);
	for (i = 0; !err && i < prog->aux->used_map_cnt; i++)
		err = bpf_module_add_id(maps, prog->aux->used_maps[i]->id);
	mutex_unlock(&prog->aux->used_maps_mutex);
	return err;
}

static int bpf_module_collect_ids(struct bpf_module *mod, struct bpf_module_ids *progs,
				  struct bpf_module_ids *maps)
{
	u32 i, j;
	int err = 0;

	for (i = 0; i < mod->ops_cnt; i++) {
		struct bpf_struct_ops_inst *inst = mod->ops[i].inst;

		for (j = 0; !err && j < inst->funcs_cnt; j++)
			err = bpf_module_add_prog(progs, maps, inst->funcs[j].prog);
	}
	bpf_module_sort_ids(progs);
	bpf_module_sort_ids(maps);
	return err;
}

static int bpf_module_put_ids(const struct bpf_module_ids *ids, u64 uids, u32 *cnt)
{
	u32 fit = min(*cnt, ids->cnt);

	*cnt = ids->cnt;
	if (!uids)
		return 0;
	return copy_to_user(u64_to_user_ptr(uids), ids->ids, fit * sizeof(u32)) ? -EFAULT : 0;
}

static int bpf_module_fill_ids(struct bpf_module *mod, struct bpf_module_info *info)
{
	struct bpf_module_ids progs = {}, maps = {};
	int err;

	err = bpf_module_collect_ids(mod, &progs, &maps);
	if (!err)
		err = bpf_module_put_ids(&progs, info->prog_ids, &info->prog_cnt);
	if (!err)
		err = bpf_module_put_ids(&maps, info->map_ids, &info->map_cnt);
	kfree(progs.ids);
	kfree(maps.ids);
	return err;
}

static int bpf_module_fill_op(const struct bpf_module_op *op, void __user *uinfo, u32 size)
{
	const struct bpf_struct_ops_desc *desc = op->inst->st_ops_desc;
	struct bpf_module_ops_info info = {};
	u32 fit;
	int err;

	err = bpf_check_uarg_tail_zero(USER_BPFPTR(uinfo), sizeof(info), size);
	if (err)
		return err;
	size = min_t(u32, size, sizeof(info));
	if (copy_from_user(&info, uinfo, size))
		return -EFAULT;

	fit = min(info.value_size, desc->type->size);
	if (info.value && copy_to_user(u64_to_user_ptr(info.value), op->udata, fit))
		return -EFAULT;

	info.btf_obj_id = btf_obj_id(op->inst->btf);
	info.type_id = desc->type_id;
	/* Pairs with cmpxchg() in bpf_module_withdraw_op(). */
	info.state = smp_load_acquire(&op->state);
	info.value_size = desc->type->size;
	memset(info.name, 0, sizeof(info.name));
	if (op->name)
		strscpy(info.name, op->name);
	memset(info.reason, 0, sizeof(info.reason));
	if (info.state == BPF_MODULE_OPS_WITHDRAWN)
		strscpy(info.reason, op->reason);
	return copy_to_user(uinfo, &info, size) ? -EFAULT : 0;
}

static int bpf_module_fill_ops(struct bpf_module *mod, struct bpf_module_info *info)
{
	void __user *uops = u64_to_user_ptr(info->ops);
	u32 i, fit = min(info->ops_cnt, mod->ops_cnt);
	int err = 0;

	info->ops_cnt = mod->ops_cnt;
	if (!info->ops)
		return 0;
	if (info->ops_size < BPF_MODULE_OPS_INFO_SIZE_VER0)
		return -EINVAL;
	for (i = 0; !err && i < fit; i++)
		err = bpf_module_fill_op(&mod->ops[i], uops + (size_t)i * info->ops_size,
					 info->ops_size);
	return err;
}

static u64 bpf_module_mem_usage(const struct bpf_module *mod)
{
	u64 usage = struct_size(mod, ops, mod->ops_cnt);
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		const struct bpf_module_op *op = &mod->ops[i];

		usage += bpf_struct_ops_inst_mem_usage(op->inst);
		usage += op->inst->st_ops_desc->type->size;
		usage += op->name ? strlen(op->name) + 1 : 0;
	}
	return usage;
}

/* Once a module is gone its memory is on the way out: it shows none of it. */
static int bpf_module_fill_gone(struct bpf_module_info *info)
{
	info->users = 0;
	info->memory = 0;
	info->btf_id = 0;
	info->ops_cnt = 0;
	info->prog_cnt = 0;
	info->map_cnt = 0;
	info->id = 0;
	return 0;
}

static int bpf_module_fill_info(struct bpf_module *mod, struct bpf_module_info *info)
{
	int err;

	guard(mutex)(&mod->lock);

	info->state = READ_ONCE(mod->state);
	info->flags = mod->flags;
	info->reserved = 0;
	info->uid = from_kuid_munged(current_user_ns(), mod->uid);
	info->load_time = mod->load_time;
	strscpy_pad(info->name, mod->name);
	if (info->state == BPF_MODULE_STATE_GONE)
		return bpf_module_fill_gone(info);

	info->id = mod->id;
	info->users = bpf_module_users(mod);
	info->memory = bpf_module_mem_usage(mod);
	info->btf_id = mod->btf ? btf_obj_id(mod->btf) : 0;
	err = bpf_module_fill_ids(mod, info);
	return err ? : bpf_module_fill_ops(mod, info);
}

/**
 * bpf_module_info_by_fd - answer BPF_OBJ_GET_INFO_BY_FD for a module
 * @mod: the module
 * @attr: attributes of the command
 * @uattr: where the caller has them
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int bpf_module_info_by_fd(struct bpf_module *mod, const union bpf_attr *attr,
			  union bpf_attr __user *uattr)
{
	struct bpf_module_info __user *uinfo = u64_to_user_ptr(attr->info.info);
	u32 info_len = attr->info.info_len;
	struct bpf_module_info info = {};
	int err;

	err = bpf_check_uarg_tail_zero(USER_BPFPTR(uinfo), sizeof(info), info_len);
	if (err)
		return err;
	info_len = min_t(u32, sizeof(info), info_len);
	if (copy_from_user(&info, uinfo, info_len))
		return -EFAULT;

	err = bpf_module_fill_info(mod, &info);
	if (err)
		return err;

	if (copy_to_user(uinfo, &info, info_len) ||
	    put_user(info_len, &uattr->info.info_len))
		return -EFAULT;
	return 0;
}

/**
 * bpf_module_get_info - BPF_MODULE_GET_INFO
 * @attr: attributes of the command
 * @uattr: where the caller has them
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int bpf_module_get_info(const union bpf_attr *attr, union bpf_attr __user *uattr)
{
	struct bpf_module *mod;
	int err;

	mod = bpf_module_get_from_fd(attr->info.bpf_fd, 0);
	if (IS_ERR(mod))
		return PTR_ERR(mod);
	err = bpf_module_info_by_fd(mod, attr, uattr);
	bpf_module_dec_direct(mod);
	return err;
}

#ifdef CONFIG_PROC_FS
static const char *bpf_module_state_str(u32 state)
{
	switch (state) {
	case BPF_MODULE_STATE_LIVE:
		return "live";
	case BPF_MODULE_STATE_GOING:
		return "going";
	case BPF_MODULE_STATE_DETACHED:
		return "detached";
	default:
		return "gone";
	}
}

void bpf_module_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct bpf_module *mod = filp->private_data;
	u32 state;

	guard(mutex)(&mod->lock);

	state = READ_ONCE(mod->state);
	seq_printf(m,
		   "module_id:\t%u\n"
		   "module_name:\t%s\n"
		   "module_state:\t%s\n"
		   "module_bound:\t%u\n"
		   "users:\t%lu\n"
		   "ops_cnt:\t%u\n"
		   "memlock:\t%llu\n",
		   state == BPF_MODULE_STATE_GONE ? 0 : mod->id,
		   mod->name, bpf_module_state_str(state),
		   !!(mod->flags & BPF_F_MODULE_BOUND),
		   state == BPF_MODULE_STATE_GONE ? 0 : bpf_module_users(mod),
		   state == BPF_MODULE_STATE_GONE ? 0 : mod->ops_cnt,
		   state == BPF_MODULE_STATE_GONE ? 0 : bpf_module_mem_usage(mod));
}
#endif
