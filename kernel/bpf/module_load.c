// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading BPF modules.
 *
 * LOAD does everything that can fail before it registers the first op, so that it only
 * has to undo after a refusal by a subsystem, and publishes the id and the fd last.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <trace/events/bpf_module.h>
#include "module.h"
#include "struct_ops.h"

/* Set the requested name, or that of the module to be replaced. */
static int bpf_module_set_name(struct bpf_module *mod, const struct bpf_module *old,
			       u64 uname, struct seq_buf *log)
{
	int err;

	if (old && !uname) {
		strscpy_pad(mod->name, old->name);
		return 0;
	}
	err = bpf_module_copy_name(mod->name, uname);
	if (err == -EINVAL)
		bpf_module_log(log, "bad module name, expected " BPF_MODULE_NAME_RULE "\n",
			       BPF_MODULE_NAME_LEN - 1);
	if (!err && old && strcmp(mod->name, old->name)) {
		bpf_module_log(log, "module name \"%s\", expected \"%s\", the one to be replaced\n",
			       mod->name, old->name);
		err = -EINVAL;
	}
	return err;
}

/* Initialize what does not come from the caller in @mod, which is zeroed. */
static void bpf_module_init(struct bpf_module *mod)
{
	atomic_long_set(&mod->refs, BPF_MODULE_REF_BASE);
	atomic64_set(&mod->handles, 1);
	mod->state = BPF_MODULE_STATE_LIVE;
	mutex_init(&mod->lock);
	mutex_init(&mod->links_lock);
	spin_lock_init(&mod->callers_lock);
	INIT_LIST_HEAD(&mod->callers);
	init_completion(&mod->ended);
	init_waitqueue_head(&mod->wait_gone);
	INIT_WORK(&mod->drain_work, bpf_module_drain_work);
	mod->uid = current_uid();
	mod->load_time = ktime_get_boottime_ns();
}

static struct bpf_module *bpf_module_alloc(const union bpf_attr *attr,
					   const struct bpf_module *old,
					   struct seq_buf *log)
{
	u32 ops_cnt = attr->module_load.ops_cnt;
	struct bpf_module *mod;
	int err;

	if (!ops_cnt && !attr->module_load.links_cnt && !attr->module_load.funcs_cnt) {
		bpf_module_log(log, "no ops, links or functions, expected at least one\n");
		return ERR_PTR(-EINVAL);
	}
	if (ops_cnt > BPF_MODULE_MAX_OPS) {
		bpf_module_log(log, "%u ops, expected at most %u\n", ops_cnt, BPF_MODULE_MAX_OPS);
		return ERR_PTR(-E2BIG);
	}

	mod = kzalloc(struct_size(mod, ops, ops_cnt), bpf_memcg_flags(GFP_USER));
	if (!mod)
		return ERR_PTR(-ENOMEM);
	mod->ops_cnt = ops_cnt;
	mod->flags = attr->module_load.flags & BPF_F_MODULE_BOUND;

	err = bpf_module_set_name(mod, old, attr->module_load.name, log);
	if (err) {
		kfree(mod);
		return ERR_PTR(err);
	}
	bpf_module_init(mod);
	return mod;
}

/* The subsystem's own reason, if any, is better. */
static void bpf_module_log_reg(const struct bpf_struct_ops_inst *inst, int err)
{
	if (bpf_struct_ops_has_reason(inst))
		return;
	switch (err) {
	case -EEXIST:
		bpf_struct_ops_log(inst, NULL, "the subsystem has one of that name already");
		break;
	case -EBUSY:
		bpf_struct_ops_log(inst, NULL, "the subsystem allows one at a time and has one");
		break;
	case -EOPNOTSUPP:
		bpf_struct_ops_log(inst, NULL, "the subsystem does not register ops of this type");
		break;
	case -ENOMEM:
		bpf_struct_ops_log(inst, NULL, "the subsystem has no memory for it");
		break;
	default:
		bpf_struct_ops_log(inst, NULL, "the subsystem refused it, error %d", -err);
	}
}

static int bpf_module_register_op(struct bpf_module_op *op)
{
	int err;

	/* The subsystem may withdraw it before reg() returns. */
	op->state = BPF_MODULE_OPS_REGISTERED;
	err = op->inst->st_ops_desc->st_ops->reg(op->inst->kdata, NULL);
	err = bpf_struct_ops_errno(err);
	if (err) {
		op->state = 0;
		bpf_module_log_reg(op->inst, err);
		return err;
	}
	/* A scheduler, for example, reports a failed start this way. */
	if (READ_ONCE(op->state) == BPF_MODULE_OPS_WITHDRAWN) {
		bpf_struct_ops_log(op->inst, NULL, "the subsystem withdrew it: %s", op->reason);
		return -ECANCELED;
	}
	return 0;
}

static int bpf_module_register(struct bpf_module *mod)
{
	int err = 0;
	u32 i;

	/* Add symbols before the first callback can run and be traced. */
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_add_ksyms(mod->ops[i].inst);

	for (i = 0; !err && i < mod->ops_cnt; i++)
		err = bpf_module_register_op(&mod->ops[i]);
	return err;
}

/* The id and the fd of a module, reserved before it is loaded. */
struct bpf_module_primer {
	struct file *file;
	int fd;
	int id;
};

static int bpf_module_prime(struct bpf_module *mod, struct bpf_module_primer *primer)
{
	primer->id = bpf_module_alloc_id();
	if (primer->id < 0)
		return primer->id;
	mod->own_id = primer->id;

	primer->fd = get_unused_fd_flags(O_CLOEXEC);
	if (primer->fd < 0) {
		bpf_module_free_id(primer->id);
		mod->own_id = 0;
		return primer->fd;
	}

	primer->file = anon_inode_getfile("bpf-module", &bpf_module_fops, mod, O_RDWR | O_CLOEXEC);
	if (IS_ERR(primer->file)) {
		put_unused_fd(primer->fd);
		bpf_module_free_id(primer->id);
		mod->own_id = 0;
		return PTR_ERR(primer->file);
	}
	bpf_module_inc(mod);
	return 0;
}

static void bpf_module_unprime(struct bpf_module_primer *primer)
{
	fput(primer->file);
	put_unused_fd(primer->fd);
}

/* Once the id is published, others can unload @mod; until the fd is installed, its
 * file keeps the struct.
 */
static int bpf_module_publish(struct bpf_module *mod, struct bpf_module_primer *primer)
{
	bpf_module_publish_id(mod, primer->id);
	trace_bpf_module_load(mod);
	bpf_module_audit(mod, "LOAD");
	fd_install(primer->fd, primer->file);
	return primer->fd;
}

static int bpf_module_ask_security(struct bpf_module *mod, const union bpf_attr *attr,
				   struct seq_buf *log)
{
	int err;

	err = security_bpf_module_create(mod, attr);
	mod->announced = !err;
	if (err)
		bpf_module_log(log, "a security module refused module \"%s\"\n", mod->name);
	return err;
}

/* The log ends with LOAD, but the ops may live on: with users, even if LOAD fails. */
static void bpf_module_drop_log(struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++)
		mod->ops[i].inst->log = NULL;
}

/* Have the programs that can ask which op they belong to find it. */
static void bpf_module_assoc_progs(struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->links_cnt; i++)
		bpf_module_assoc_prog(mod, mod->links[i].prog);
	for (i = 0; i < mod->funcs_cnt; i++)
		bpf_module_assoc_prog(mod, mod->funcs[i].prog);
	if (mod->init)
		bpf_module_assoc_prog(mod, mod->init);
}

/* What others can see: init, and then the ops. */
static int bpf_module_start(struct bpf_module *mod, struct bpf_module *old,
			    struct seq_buf *log)
{
	int err;

	err = old ? bpf_module_may_replace(mod, old, log) : 0;
	if (err)
		return err;
	/* From here on a failure lets them finish before the op is freed. */
	bpf_module_assoc_progs(mod);
	mod->other_id = old ? old->own_id : 0;
	err = bpf_module_run_init(mod, log);
	mod->other_id = 0;
	if (err)
		return err;
	/* From now on exit has to run, even if the load fails. */
	mod->exit_due = mod->exit;
	/* A loader that is killed leaves nothing. */
	if (fatal_signal_pending(current)) {
		bpf_module_log(log, "the loader was killed\n");
		return -EINTR;
	}
	return old ? bpf_module_replace(mod, old, log) : bpf_module_register(mod);
}

/* Undo a LOAD that has failed in bpf_module_start(). */
static void bpf_module_refuse(struct bpf_module *mod, struct bpf_module_primer *primer,
			      struct seq_buf *log)
{
	bool gone;

	/* A registered op may have got users: they keep the module and its programs. */
	mod->reason = BPF_MODULE_REASON_REFUSED;
	WRITE_ONCE(mod->closed, true);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GOING);
	bpf_module_del_name(mod);
	bpf_module_unregister(mod);
	/* No program may run once exit does; without exit the caller gets the links back. */
	if (mod->exit_due)
		bpf_module_detach_links(mod);
	else
		bpf_module_put_links(mod);
	bpf_module_log_users(log, bpf_module_users(mod));
	/* For waiting. */
	bpf_module_inc(mod);
	bpf_module_unprime(primer);
	gone = bpf_module_put_refs(mod, BPF_MODULE_REF_BASE);
	if (gone && mod->exit_due)
		bpf_module_wait_exit(mod);
	bpf_module_put_handle(mod);
}

/* The rest of LOAD, once @mod has its name.  @old is the module to be replaced, or
 * NULL.  Returns the fd; if it fails, @mod is put.
 */
static int bpf_module_load_ops(struct bpf_module *mod, struct bpf_module *old,
			       const union bpf_attr *attr, struct seq_buf *log)
{
	struct bpf_module_primer primer;
	int err;

	err = old ? 0 : bpf_module_add_name(mod, log);
	if (err)
		goto put;
	err = bpf_module_build(mod, old, attr, log);
	if (err)
		goto del_name;
	err = bpf_module_ask_security(mod, attr, log);
	if (err)
		goto unbuild;
	err = bpf_module_prime(mod, &primer);
	if (err)
		goto unbuild;
	err = bpf_module_start(mod, old, log);
	bpf_module_drop_log(mod);
	if (!err)
		return bpf_module_publish(mod, &primer);
	bpf_module_refuse(mod, &primer, log);
	return bpf_struct_ops_errno(err);

unbuild:
	bpf_module_unbuild(mod);
del_name:
	bpf_module_del_name(mod);
put:
	bpf_module_put_handle(mod);
	return bpf_struct_ops_errno(err);
}

static int bpf_module_load_new(struct bpf_module *old, const union bpf_attr *attr,
			       struct seq_buf *log)
{
	struct bpf_module *mod;

	mod = bpf_module_alloc(attr, old, log);
	if (IS_ERR(mod))
		return PTR_ERR(mod);
	return bpf_module_load_ops(mod, old, attr, log);
}

static int bpf_module_load_replacement(const union bpf_attr *attr, struct seq_buf *log)
{
	struct bpf_module *old;
	int fd;

	old = bpf_module_get_from_fd(attr->module_load.replace_fd, FMODE_WRITE);
	if (IS_ERR(old)) {
		bpf_module_log(log, "replace_fd %u is not a module that you may change\n",
			       attr->module_load.replace_fd);
		return PTR_ERR(old);
	}
	fd = bpf_module_check_change(old);
	if (fd)
		bpf_module_log(log, "module \"%s\" needs capabilities that the caller lacks\n",
			       old->name);
	else
		fd = bpf_module_load_new(old, attr, log);
	/* The old one is going, from now on its users keep it. */
	if (fd >= 0) {
		bpf_module_audit(old, "UNLOAD");
		bpf_module_detach_links(old);
		bpf_module_put_refs(old, BPF_MODULE_REF_BASE);
	}
	bpf_module_dec_direct(old);
	return fd;
}

static int __bpf_module_load(const union bpf_attr *attr, struct seq_buf *log)
{
	u32 flags = attr->module_load.flags;
	int err;

	err = bpf_module_check_caller(log);
	if (err)
		return err;
	if (flags & ~(BPF_F_MODULE_BOUND | BPF_F_MODULE_REPLACE)) {
		bpf_module_log(log, "unknown flags 0x%x\n", flags);
		return -EINVAL;
	}
	if (flags & BPF_F_MODULE_REPLACE)
		return bpf_module_load_replacement(attr, log);
	if (attr->module_load.replace_fd) {
		bpf_module_log(log, "replace_fd without BPF_F_MODULE_REPLACE\n");
		return -EINVAL;
	}
	return bpf_module_load_new(NULL, attr, log);
}

/**
 * bpf_module_load - BPF_MODULE_LOAD
 * @attr: attributes of the command
 * @uattr: where the caller has them
 * @uattr_size: bytes that the caller has there
 *
 * Context: process, may sleep.
 * Return: fd of the loaded module or a negative error, with the reason in the
 * caller's log buffer.
 */
int bpf_module_load(const union bpf_attr *attr, bpfptr_t uattr, u32 uattr_size)
{
	struct seq_buf *log;
	u32 log_true_size;
	int ret;

	log = bpf_module_log_alloc(attr);
	if (IS_ERR(log))
		return PTR_ERR(log);
	ret = __bpf_module_load(attr, log);
	if (ret >= 0)
		goto free_log;

	log_true_size = bpf_module_log_finish(log, attr, ret);
	if (uattr_size >= offsetofend(union bpf_attr, module_load.log_true_size) &&
	    copy_to_bpfptr_offset(uattr, offsetof(union bpf_attr, module_load.log_true_size),
				  &log_true_size, sizeof(log_true_size)))
		ret = -EFAULT;
free_log:
	kfree(log);
	return ret;
}
