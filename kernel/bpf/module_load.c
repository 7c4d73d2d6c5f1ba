// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading BPF modules.
 *
 * LOAD does all that can fail before it registers the first op, so that only a
 * subsystem's refusal has to be undone, and publishes the id and the fd last.
 * UNLOAD makes the module going, unregisters its ops, detaches its links and drops
 * the base of its refs.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <trace/events/bpf_module.h>
#include "module.h"
#include "struct_ops.h"

/* The name that was asked for, or that of the module to be replaced. */
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
		bpf_module_log(log, "module name \"%s\", expected \"%s\" as it is to be replaced\n",
			       mod->name, old->name);
		err = -EINVAL;
	}
	return err;
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

/* What the subsystem itself says is better. */
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
	/* Such as a scheduler, which reports a failed start by its exit. */
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

	/* Before the first callback can run and be traced. */
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_add_ksyms(mod->ops[i].inst);

	for (i = 0; !err && i < mod->ops_cnt; i++)
		err = bpf_module_register_op(&mod->ops[i]);
	return err;
}

static bool bpf_module_first_of_type(const struct bpf_module *mod, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (mod->ops[i].inst->st_ops_desc == mod->ops[nr].inst->st_ops_desc)
			return false;
	}
	return true;
}

/* Wait for what unreg() or update() of @mod's ops have left to wait for, once for
 * each type.  May sleep.
 */
void bpf_module_sync(const struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		if (bpf_module_first_of_type(mod, i))
			bpf_struct_ops_sync(mod->ops[i].inst);
	}
}

static void bpf_module_unregister(struct bpf_module *mod)
{
	bool any = false;
	u32 i;

	for (i = mod->ops_cnt; i-- > 0;) {
		struct bpf_module_op *op = &mod->ops[i];

		if (cmpxchg(&op->state, BPF_MODULE_OPS_REGISTERED, BPF_MODULE_OPS_UNREGISTERED) !=
		    BPF_MODULE_OPS_REGISTERED)
			continue;
		op->inst->st_ops_desc->st_ops->unreg(op->inst->kdata, NULL);
		any = true;
	}
	if (any)
		bpf_module_sync(mod);
}

/* What the caller and the others see of a loaded module, taken beforehand. */
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

/* As soon as the id is there others can unload @mod; until the fd is installed
 * its file keeps the struct.
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

	mod->announced = true;
	err = security_bpf_module_create(mod, attr);
	if (err)
		bpf_module_log(log, "a security module refused module \"%s\"\n", mod->name);
	return err;
}

/* The log ends with LOAD, the ops may live on: with users even if LOAD fails. */
static void bpf_module_drop_log(struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++)
		mod->ops[i].inst->log = NULL;
}

/* The step that others see: init, and then the ops. */
static int bpf_module_start(struct bpf_module *mod, struct bpf_module *old,
			    struct seq_buf *log)
{
	int err;

	err = old ? bpf_module_may_replace(mod, old, log) : 0;
	if (err)
		return err;
	mod->other_id = old ? old->own_id : 0;
	err = bpf_module_run_init(mod, log);
	mod->other_id = 0;
	if (err)
		return err;
	/* Exit runs from now on, whatever becomes of the load. */
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

	/* An op that was registered may have got users: they keep the module, and
	 * its programs.
	 */
	mod->reason = BPF_MODULE_REASON_REFUSED;
	WRITE_ONCE(mod->closed, true);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GOING);
	bpf_module_del_name(mod);
	bpf_module_unregister(mod);
	/* No program runs any more when exit does; else the caller gets them back. */
	if (mod->exit_due)
		bpf_module_detach_links(mod);
	else
		bpf_module_put_links(mod);
	bpf_module_log_users(log, bpf_module_users(mod));
	/* To wait with. */
	bpf_module_inc(mod);
	bpf_module_unprime(primer);
	gone = bpf_module_put_refs(mod, BPF_MODULE_REF_BASE);
	if (gone && mod->exit_due)
		bpf_module_wait_exit(mod);
	bpf_module_put_handle(mod);
}

/* All of LOAD that is left when @mod has its name.  @old is the module to be
 * replaced, or NULL.  Returns the fd; if it fails @mod is put.
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
		bpf_module_log(log, "module \"%s\" needs capabilities that the caller has not\n",
			       old->name);
	else
		fd = bpf_module_load_new(old, attr, log);
	/* The old one is going, from now on it is kept by its users. */
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
 * Return: fd of the loaded module or a negative error, the reason of which is
 * in the caller's log buffer.
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

/* @mod is loaded and is going from now on.  Under mod->lock. */
void bpf_module_set_going(struct bpf_module *mod)
{
	lockdep_assert_held(&mod->lock);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GOING);
	bpf_module_del_name(mod);
	trace_bpf_module_unload(mod);
}

/* 0 if @mod is loaded, and else what to answer who wants to end it.  Under
 * mod->lock.
 */
int bpf_module_check_loaded(const struct bpf_module *mod)
{
	lockdep_assert_held(&mod->lock);

	switch (READ_ONCE(mod->state)) {
	case BPF_MODULE_STATE_GOING:
		return -EINPROGRESS;
	case BPF_MODULE_STATE_GONE:
		return -ENOENT;
	default:
		return 0;
	}
}

/* Drop the base of @mod's refs if it has no users: it does not get any more then. */
static bool bpf_module_end_unused(struct bpf_module *mod)
{
	bool unused;

	/* Who wants to call its functions waits, or is a user already. */
	spin_lock(&mod->callers_lock);
	unused = !mod->callers_cnt &&
		 atomic_long_cmpxchg(&mod->refs, BPF_MODULE_REF_BASE, 0) == BPF_MODULE_REF_BASE;
	if (unused)
		mod->callers_closed = true;
	spin_unlock(&mod->callers_lock);
	return unused;
}

/* The step to GOING.  Without @drain the test for users is one with the end of
 * the chance to become one.
 */
static int bpf_module_try_going(struct bpf_module *mod, bool drain, u32 reason)
{
	int err;

	guard(mutex)(&mod->lock);

	err = bpf_module_check_loaded(mod);
	if (err)
		return err;
	if (drain)
		bpf_module_close_callers(mod, true);
	else if (!bpf_module_end_unused(mod))
		return -EBUSY;

	mod->reason = reason;
	WRITE_ONCE(mod->closed, true);
	bpf_module_set_going(mod);
	return 0;
}

static int bpf_module_end(struct bpf_module *mod, bool drain, u32 reason)
{
	int err;

	err = bpf_module_try_going(mod, drain, reason);
	/* More than to be going nobody can ask for, and it is. */
	if (err == -EINPROGRESS && drain)
		return 0;
	if (err)
		return err;

	/* Not under the lock: it waits for the audit daemon. */
	bpf_module_audit(mod, "UNLOAD");
	bpf_module_unregister(mod);
	bpf_module_detach_links(mod);
	if (drain) {
		bpf_module_put_refs(mod, BPF_MODULE_REF_BASE);
		return 0;
	}
	bpf_module_gone(mod);
	return mod->exit_due ? bpf_module_wait_exit(mod) : 0;
}

/* End @mod, which the caller has a handle on, unless it has ended.  May sleep. */
void bpf_module_drain(struct bpf_module *mod)
{
	bpf_module_end(mod, true, BPF_MODULE_REASON_CLOSED);
}

/**
 * bpf_module_unload - BPF_MODULE_UNLOAD
 * @attr: attributes of the command
 *
 * Context: process, may sleep.
 * Return: 0, -EPERM, -EBUSY if the module has users and is not to be drained,
 * -EINPROGRESS if it is going and not to be drained, -ENOENT if it is gone, -EINTR if
 * the caller is killed while its exit program runs, which goes on.
 */
int bpf_module_unload(const union bpf_attr *attr)
{
	bool drain = attr->module_unload.flags & BPF_F_MODULE_DRAIN;
	struct bpf_module *mod;
	int err;

	if (attr->module_unload.flags & ~BPF_F_MODULE_DRAIN)
		return -EINVAL;
	err = bpf_module_check_caller(NULL);
	if (err)
		return err;

	mod = bpf_module_get_from_fd(attr->module_unload.module_fd, FMODE_WRITE);
	if (IS_ERR(mod))
		return PTR_ERR(mod);

	err = bpf_module_check_change(mod);
	if (!err)
		err = bpf_module_end(mod, drain, drain ? BPF_MODULE_REASON_DRAINED :
							 BPF_MODULE_REASON_UNLOADED);
	bpf_module_dec_direct(mod);
	return err;
}
