// SPDX-License-Identifier: GPL-2.0-only
/* BPF_MODULE_GET_INFO: what user space can read about a BPF module. */
#include <linux/bpf.h>
#include <linux/cred.h>
#include <linux/uaccess.h>
#include "module.h"

/* Sizes of the entries as they were first released. */
#define BPF_MODULE_OPS_INFO_SIZE_VER0 offsetofend(struct bpf_module_ops_info, name)
#define BPF_MODULE_LINK_INFO_SIZE_VER0 offsetofend(struct bpf_module_link_info, flags)
#define BPF_MODULE_FUNC_INFO_SIZE_VER0 offsetofend(struct bpf_module_func_info, name)

/* Copy at most *@room of @cnt ids to @uids, if it is not 0. Sets *@room to @cnt. */
static int bpf_module_put_ids(const u32 *ids, u32 cnt, u64 uids, u32 *room)
{
	u32 fit = min(*room, cnt);

	*room = cnt;
	if (!uids)
		return 0;
	return copy_to_user(u64_to_user_ptr(uids), ids, fit * sizeof(*ids)) ? -EFAULT : 0;
}

static int bpf_module_fill_ids(const struct bpf_module_parts *parts,
			       struct bpf_module_info *info)
{
	int err;

	err = bpf_module_put_ids(parts->deps, parts->deps_cnt, info->dep_ids, &info->deps_cnt);
	if (err)
		return err;
	err = bpf_module_put_ids(parts->ids, parts->progs_cnt, info->prog_ids, &info->prog_cnt);
	return err ? : bpf_module_put_ids(parts->ids + parts->progs_cnt, parts->maps_cnt,
					  info->map_ids, &info->map_cnt);
}

static int bpf_module_fill_op(struct bpf_module *mod, u32 nr, void __user *uinfo, u32 size)
{
	const struct bpf_module_op *op = &mod->ops[nr];
	struct bpf_module_ops_info info = {};
	u32 fit;
	int err;

	err = bpf_check_uarg_tail_zero(USER_BPFPTR(uinfo), sizeof(info), size);
	if (err)
		return err;
	size = min_t(u32, size, sizeof(info));
	if (copy_from_user(&info, uinfo, size))
		return -EFAULT;

	fit = min(info.value_size, op->udata_size);
	if (info.value && copy_to_user(u64_to_user_ptr(info.value), op->udata, fit))
		return -EFAULT;

	info.btf_obj_id = op->btf_id;
	info.type_id = op->type_id;
	/* Pairs with cmpxchg() in bpf_module_withdraw_op(). */
	info.state = smp_load_acquire(&op->state);
	info.value_size = op->udata_size;
	memset(info.name, 0, sizeof(info.name));
	if (op->name)
		strscpy(info.name, op->name);
	memset(info.reason, 0, sizeof(info.reason));
	if (info.state == BPF_MODULE_OPS_WITHDRAWN)
		strscpy(info.reason, op->reason);
	return copy_to_user(uinfo, &info, size) ? -EFAULT : 0;
}

static int bpf_module_copy_links(const struct bpf_module_link_info *infos, u32 cnt,
				 const struct bpf_module_info *info)
{
	void __user *ulinks = u64_to_user_ptr(info->links);
	u32 i, size = info->links_size;
	int err = 0;

	if (size < BPF_MODULE_LINK_INFO_SIZE_VER0)
		return -EINVAL;
	for (i = 0; !err && i < cnt; i++) {
		void __user *to = ulinks + (size_t)i * size;

		err = bpf_check_uarg_tail_zero(USER_BPFPTR(to), sizeof(*infos), size);
		if (!err && copy_to_user(to, &infos[i], min_t(u32, size, sizeof(*infos))))
			err = -EFAULT;
	}
	return err;
}

static int bpf_module_fill_links(struct bpf_module *mod, struct bpf_module_info *info)
{
	struct bpf_module_link_info *infos;
	u32 cnt;
	int err = 0;

	if (!info->links) {
		info->links_cnt = READ_ONCE(mod->links_cnt);
		return 0;
	}
	infos = bpf_module_link_infos(mod, &cnt);
	if (cnt && !infos)
		return -ENOMEM;
	if (cnt)
		err = bpf_module_copy_links(infos, min(cnt, info->links_cnt), info);
	info->links_cnt = cnt;
	kvfree(infos);
	return err;
}

/* Fills one entry of @size bytes at @uinfo for part @nr of @mod. */
typedef int (*bpf_module_fill_t)(struct bpf_module *mod, u32 nr, void __user *uinfo, u32 size);

/* Fill at most *@room of @cnt entries, if @uarray is not 0. Sets *@room to @cnt.
 * Inline, for who lists modules asks for none.
 */
static __always_inline int
bpf_module_fill_array(struct bpf_module *mod, u32 cnt, u64 uarray, u32 size, u32 min_size,
		      u32 *room, bpf_module_fill_t fill)
{
	u32 i, fit = min(*room, cnt);
	int err = 0;

	*room = cnt;
	if (!uarray)
		return 0;
	if (size < min_size)
		return -EINVAL;
	for (i = 0; !err && i < fit; i++)
		err = fill(mod, i, u64_to_user_ptr(uarray) + (size_t)i * size, size);
	return err;
}

static int bpf_module_fill_callers(struct bpf_module *mod, u32 nr,
				   struct bpf_module_func_info *info)
{
	u32 *ids, cnt;
	int err;

	ids = bpf_module_caller_ids(mod, nr, &cnt);
	if (IS_ERR(ids))
		return PTR_ERR(ids);
	err = bpf_module_put_ids(ids, cnt, info->caller_ids, &info->callers_cnt);
	kvfree(ids);
	return err;
}

static int bpf_module_fill_func(struct bpf_module *mod, u32 nr, void __user *uinfo, u32 size)
{
	const struct bpf_module_fn *fn = &mod->funcs[nr];
	struct bpf_module_func_info info = {};
	int err;

	err = bpf_check_uarg_tail_zero(USER_BPFPTR(uinfo), sizeof(info), size);
	if (err)
		return err;
	size = min_t(u32, size, sizeof(info));
	if (copy_from_user(&info, uinfo, size))
		return -EFAULT;
	err = bpf_module_fill_callers(mod, nr, &info);
	if (err)
		return err;
	info.prog_id = fn->prog_id;
	info.btf_id = fn->btf_id;
	info.flags = fn->flags;
	info.stack_depth = fn->stack_depth;
	info.reserved = 0;
	strscpy_pad(info.name, fn->name);
	return copy_to_user(uinfo, &info, size) ? -EFAULT : 0;
}

/* The memory of a module that is gone may be freed at any time: show none of it. */
static int bpf_module_fill_gone(struct bpf_module_info *info)
{
	info->users = 0;
	info->memory = 0;
	info->btf_id = 0;
	info->ops_cnt = 0;
	info->prog_cnt = 0;
	info->map_cnt = 0;
	info->links_cnt = 0;
	info->funcs_cnt = 0;
	info->deps_cnt = 0;
	info->init_prog_id = 0;
	info->exit_prog_id = 0;
	info->exit_state = BPF_MODULE_EXIT_NONE;
	info->id = 0;
	return 0;
}

/* The parts of @mod; of a module that is going, only those that its callers keep. */
static int bpf_module_fill_parts(struct bpf_module *mod, struct bpf_module_info *info)
{
	bool only_kept = READ_ONCE(mod->only_kept);
	int err;

	info->init_prog_id = only_kept ? 0 : mod->init_id;
	info->exit_prog_id = mod->exit_id;
	err = bpf_module_fill_ids(only_kept ? &mod->kept : &mod->parts, info);
	if (!err)
		err = bpf_module_fill_array(mod, only_kept ? 0 : mod->ops_cnt, info->ops,
					    info->ops_size, BPF_MODULE_OPS_INFO_SIZE_VER0,
					    &info->ops_cnt, bpf_module_fill_op);
	if (!err)
		err = bpf_module_fill_array(mod, mod->funcs_cnt, info->funcs, info->funcs_size,
					    BPF_MODULE_FUNC_INFO_SIZE_VER0, &info->funcs_cnt,
					    bpf_module_fill_func);
	return err ? : bpf_module_fill_links(mod, info);
}

/* No lock is held, since access to the caller's memory may take forever.  It needs none:
 * only the state, the users, withdrawn ops and what a module that is going has freed change
 * after the load.
 */
static int bpf_module_fill_info(struct bpf_module *mod, struct bpf_module_info *info)
{
	info->state = READ_ONCE(mod->state);
	info->flags = mod->flags;
	info->reserved = 0;
	info->uid = from_kuid_munged(current_user_ns(), mod->uid);
	info->load_time = mod->load_time;
	memcpy(info->name, mod->name, sizeof(info->name));
	if (info->state == BPF_MODULE_STATE_GONE)
		return bpf_module_fill_gone(info);

	info->id = mod->id;
	info->users = bpf_module_users(mod);
	info->memory = mod->memory;
	info->btf_id = mod->btf_id;
	info->exit_state = READ_ONCE(mod->exit_running) ? BPF_MODULE_EXIT_RUNNING :
							  BPF_MODULE_EXIT_NONE;
	return bpf_module_fill_parts(mod, info);
}

/* Copy the input fields.  bpf_module_fill_info() writes all others. */
static int bpf_module_copy_request(struct bpf_module_info *info,
				   const struct bpf_module_info __user *uinfo, u32 info_len)
{
	const u32 start = offsetof(struct bpf_module_info, ops_cnt);
	const u32 end = clamp(info_len, start, (u32)sizeof(*info));

	if (end < sizeof(*info))
		memset((void *)info + end, 0, sizeof(*info) - end);
	if (end == start)
		return 0;
	return copy_from_user((void *)info + start, (const void __user *)uinfo + start,
			      end - start) ? -EFAULT : 0;
}

/**
 * bpf_module_info_by_fd - answer BPF_OBJ_GET_INFO_BY_FD for a module
 * @mod: the module
 * @attr: attributes of the command
 * @uattr: the same in user memory
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int bpf_module_info_by_fd(struct bpf_module *mod, const union bpf_attr *attr,
			  union bpf_attr __user *uattr)
{
	struct bpf_module_info __user *uinfo = u64_to_user_ptr(attr->info.info);
	u32 info_len = attr->info.info_len;
	struct bpf_module_info info;
	int err;

	err = bpf_check_uarg_tail_zero(USER_BPFPTR(uinfo), sizeof(info), info_len);
	if (err)
		return err;
	info_len = min_t(u32, sizeof(info), info_len);
	err = bpf_module_copy_request(&info, uinfo, info_len);
	if (err)
		return err;
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
 * @uattr: the same in user memory
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int bpf_module_get_info(const union bpf_attr *attr, union bpf_attr __user *uattr)
{
	CLASS(fd, f)(attr->info.bpf_fd);
	struct bpf_module *mod;

	mod = bpf_module_of_fd(f, 0);
	if (IS_ERR(mod))
		return PTR_ERR(mod);
	return bpf_module_info_by_fd(mod, attr, uattr);
}
