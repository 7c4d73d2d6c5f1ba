// SPDX-License-Identifier: GPL-2.0-only
/* From the arguments of BPF_MODULE_LOAD to the ops of a module, and their end. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "module.h"
#include "struct_ops.h"

/* struct bpf_module_ops as it was first released. */
#define BPF_MODULE_OPS_SIZE_VER0 offsetofend(struct bpf_module_ops, name)

static int bpf_module_copy_op_name(struct bpf_module_op *op, u64 uname)
{
	char name[BPF_MODULE_NAME_LEN] = {};
	int err;

	if (!uname)
		return 0;
	err = bpf_module_copy_name(name, uname);
	if (err)
		return err;
	op->name = kstrdup(name, bpf_memcg_flags(GFP_USER));
	return op->name ? 0 : -ENOMEM;
}

/* Find the type of @uop and allocate @op's struct for it. */
static int bpf_module_alloc_inst(struct bpf_module_op *op, const struct bpf_module_ops *uop)
{
	const struct bpf_struct_ops_desc *desc;
	struct bpf_struct_ops_inst *inst;
	struct module *provider = NULL;
	struct btf *btf;
	int err;

	if (uop->btf_obj_fd)
		btf = bpf_struct_ops_btf_get(uop->btf_obj_fd, &provider);
	else
		btf = bpf_get_btf_vmlinux();
	if (IS_ERR_OR_NULL(btf))
		return btf ? PTR_ERR(btf) : -EOPNOTSUPP;

	desc = bpf_struct_ops_find(btf, uop->type_id);
	if (!desc) {
		err = -EOPNOTSUPP;
		goto put_provider;
	}

	inst = bpf_map_area_alloc(struct_size(inst, kdata, desc->type->size), NUMA_NO_NODE);
	if (!inst) {
		err = -ENOMEM;
		goto put_provider;
	}

	inst->st_ops_desc = desc;
	inst->btf = btf;
	op->inst = inst;
	op->btf_id = btf_obj_id(btf);
	op->type_id = desc->type_id;
	op->capability = desc->st_ops->capability;
	return 0;

put_provider:
	module_put(provider);
	return err;
}

static int bpf_module_copy_value(struct bpf_module_op *op, const struct bpf_module_ops *uop)
{
	u32 size = op->inst->st_ops_desc->type->size;

	if (uop->value_size != size) {
		bpf_struct_ops_log(op->inst, NULL, "value of %u bytes, expected %u",
				   uop->value_size, size);
		return -EINVAL;
	}

	op->udata = kzalloc(size, bpf_memcg_flags(GFP_USER));
	if (!op->udata)
		return -ENOMEM;
	op->udata_size = size;
	if (copy_from_user(op->udata, u64_to_user_ptr(uop->value), size)) {
		bpf_struct_ops_log(op->inst, NULL, "the value's address cannot be read");
		return -EFAULT;
	}
	return 0;
}

static void bpf_module_log_type(struct seq_buf *log, const struct bpf_module_op *op,
				u32 nr, const struct bpf_module_ops *uop, int err)
{
	char label[BPF_MODULE_NAME_LEN];

	if (op->name)
		strscpy(label, op->name);
	else
		snprintf(label, sizeof(label), "#%u", nr);

	/* Without struct module the BTF of some ops types is incomplete, so they
	 * cannot be used.
	 */
	if (err == -EOPNOTSUPP)
		bpf_module_log(log,
			       "op %s: type %u of that BTF is not an ops type of a subsystem%s\n",
			       label, uop->type_id, IS_ENABLED(CONFIG_MODULES) ? "" :
			       "; those with an owner need CONFIG_MODULES");
	else if (err == -EBADF || err == -EINVAL)
		bpf_module_log(log, "op %s: fd %u is not the BTF of a loaded kernel module\n",
			       label, uop->btf_obj_fd);
}

static int bpf_module_build_op(struct bpf_module *mod, u32 nr, const struct bpf_module_ops *uop,
			       struct seq_buf *log)
{
	struct bpf_module_op *op = &mod->ops[nr];
	struct bpf_struct_ops_inst *inst;
	int err;

	err = bpf_module_copy_op_name(op, uop->name);
	if (err == -EINVAL)
		bpf_module_log(log, "op #%u: bad name, expected " BPF_MODULE_NAME_RULE "\n", nr,
			       BPF_MODULE_NAME_LEN - 1);
	if (err)
		return err;
	if (uop->flags) {
		bpf_module_log(log, "op #%u: unknown flags 0x%x\n", nr, uop->flags);
		return -EINVAL;
	}

	err = bpf_module_alloc_inst(op, uop);
	if (err) {
		bpf_module_log_type(log, op, nr, uop, err);
		return err;
	}

	inst = op->inst;
	inst->mod = mod;
	inst->mod_name = mod->name;
	inst->log = log;
	inst->name = op->name;
	inst->nr = nr;
	if (nr)
		mod->ops[nr - 1].inst->next = inst;
	err = bpf_module_check_type(inst);
	if (!err)
		err = bpf_module_copy_value(op, uop);
	return err ? : bpf_struct_ops_inst_build(inst, op->udata);
}

static bool bpf_module_has_sleepable(const struct bpf_module *mod)
{
	u32 i, j;

	for (i = 0; i < mod->ops_cnt; i++) {
		const struct bpf_struct_ops_inst *inst = mod->ops[i].inst;

		for (j = 0; j < inst->funcs_cnt; j++) {
			if (inst->funcs[j].prog->sleepable)
				return true;
		}
	}
	return false;
}

static bool bpf_module_calls_are_held(const struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		if (!mod->ops[i].inst->st_ops_desc->st_ops->calls_held)
			return false;
	}
	return true;
}

static int bpf_module_get_btf(struct bpf_module *mod, u32 btf_fd, struct seq_buf *log)
{
	struct btf *btf;

	if (!btf_fd)
		return 0;
	btf = btf_get_by_fd(btf_fd);
	if (IS_ERR(btf)) {
		bpf_module_log(log, "fd %u is not the BTF of the object\n", btf_fd);
		return PTR_ERR(btf);
	}
	if (btf_is_kernel(btf)) {
		bpf_module_log(log, "fd %u is BTF of the kernel, expected BTF of the object\n",
			       btf_fd);
		btf_put(btf);
		return -EINVAL;
	}
	mod->btf = btf;
	mod->btf_id = btf_obj_id(btf);
	return 0;
}

static u64 bpf_module_mem_usage(const struct bpf_module *mod)
{
	u64 usage = struct_size(mod, ops, mod->ops_cnt);
	u32 i;

	usage += bpf_module_parts_usage(mod);
	usage += mod->links_cnt * sizeof(*mod->links);
	usage += mod->funcs_cnt * sizeof(*mod->funcs);
	for (i = 0; i < mod->funcs_cnt; i++)
		usage += strlen(mod->funcs[i].name) + 1;
	for (i = 0; i < mod->ops_cnt; i++) {
		const struct bpf_module_op *op = &mod->ops[i];

		usage += bpf_struct_ops_inst_mem_usage(op->inst) + op->udata_size;
		usage += op->name ? strlen(op->name) + 1 : 0;
	}
	return usage;
}

/* Undo bpf_module_build().  May sleep. */
void bpf_module_unbuild(struct bpf_module *mod)
{
	bpf_module_put_links(mod);
	bpf_module_put_run(mod);
	bpf_module_put_funcs(mod);
	bpf_module_put_maps(mod);
	bpf_module_free_ops(mod, false);
}

static int bpf_module_build_ops(struct bpf_module *mod, const union bpf_attr *attr,
				struct seq_buf *log)
{
	u32 i, size = attr->module_load.ops_size;
	struct bpf_module_ops uop;
	int err;

	if (!mod->ops_cnt)
		return 0;
	err = bpf_module_check_entry_size("op", size, BPF_MODULE_OPS_SIZE_VER0, log);
	if (err)
		return err;

	err = bpf_module_check_ops(mod, log);
	for (i = 0; !err && i < mod->ops_cnt; i++) {
		err = bpf_module_copy_entry("op", &uop, sizeof(uop), attr->module_load.ops, i,
					    size, log);
		if (!err)
			err = bpf_module_build_op(mod, i, &uop, log);
	}
	return err ? : bpf_struct_ops_insts_finish(mod->ops[0].inst);
}

/* Build all ops of @mod, whose number is set, from @attr, and get its other parts.
 * @old is the module to be replaced, or NULL.  On failure nothing stays built.
 */
int bpf_module_build(struct bpf_module *mod, struct bpf_module *old,
		     const union bpf_attr *attr, struct seq_buf *log)
{
	int err;

	err = bpf_module_get_btf(mod, attr->module_load.btf_fd, log);
	if (!err)
		err = bpf_module_build_ops(mod, attr, log);
	if (!err)
		err = bpf_module_adopt_links(mod, old, attr, log);
	if (!err)
		err = bpf_module_get_funcs(mod, attr, log);
	if (!err)
		err = bpf_module_get_run(mod, attr, log);
	if (!err)
		err = bpf_module_check_exit_maps(mod, log);
	if (!err)
		err = bpf_module_get_parts(mod);
	if (err) {
		bpf_module_unbuild(mod);
		return err;
	}
	mod->memory = bpf_module_mem_usage(mod);
	mod->sleepable = bpf_module_has_sleepable(mod);
	mod->calls_held = bpf_module_calls_are_held(mod);
	return 0;
}

static void bpf_module_free_op(struct bpf_module_op *op, bool waited)
{
	struct bpf_struct_ops_inst *inst = op->inst;

	if (!inst)
		return;
	bpf_struct_ops_release_progs(inst);
	bpf_struct_ops_free_funcs(inst);
	if (btf_is_module(inst->btf))
		module_put(inst->st_ops_desc->st_ops->owner);
	/* What ran before LOAD was refused may still look at the struct that it belongs to. */
	if (waited)
		bpf_map_area_free(inst);
	else
		kvfree_rcu_mightsleep(inst);
	op->inst = NULL;
}

/* Free the code and structs of @mod's ops, none of whose callbacks can be running.  Their
 * info stays, for those who have a handle.  @waited: for a grace period since their programs
 * were released.  May sleep.
 */
void bpf_module_free_ops(struct bpf_module *mod, bool waited)
{
	u32 i;

	for (i = mod->ops_cnt; i-- > 0;)
		bpf_module_free_op(&mod->ops[i], waited);
	btf_put(mod->btf);
	mod->btf = NULL;
}
