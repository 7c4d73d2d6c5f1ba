// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF modules: ops structs implemented by BPF programs, loaded, listed and
 * unloaded as one object.  Documentation/bpf/bpf_module.rst has the model.
 *
 * A module is held by two counters.  "handles" are fds, pins and the fact that
 * it is loaded; they keep struct bpf_module and nothing else.  "refs" are the
 * users, sockets for example, that subsystems count with bpf_try_module_get(),
 * and a base while the module is loaded; they keep what a callback needs: the
 * kernel structs, the trampolines and the programs.
 *
 * LOAD does all that can fail before it registers the first op, so that only a
 * subsystem's refusal has to be undone, and publishes the id and the fd last.
 * UNLOAD makes the module going, unregisters its ops and drops the base.  Who
 * drops the last of the refs makes it gone, in any context, and the memory
 * follows after the grace periods that a running callback may need.
 *
 * Locks: bpf_module.lock may be held over sleeping calls.  bpf_module_idr_lock
 * is innermost.  No lock is held while a subsystem is called.
 */
#include <linux/anon_inodes.h>
#include <linux/bpf_verifier.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/poll.h>
#include <linux/rcupdate_trace.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "module.h"
#include "struct_ops.h"

DEFINE_IDR(bpf_module_idr);
DEFINE_SPINLOCK(bpf_module_idr_lock);

/* The names that a LOAD cannot have: of modules that are loading or live. */
static struct rhashtable bpf_module_names;

static const struct rhashtable_params bpf_module_names_params = {
	.head_offset		= offsetof(struct bpf_module, name_node),
	.key_offset		= offsetof(struct bpf_module, name),
	.key_len		= BPF_MODULE_NAME_LEN,
	.automatic_shrinking	= true,
};

/* A program has one module at most, so a second claim by the same module is
 * fine: the program fills several members.  Read under RCU by kfuncs.
 */
int bpf_module_claim_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
	struct bpf_module *owner;

	if (!mod)
		return 0;
	owner = cmpxchg(&prog->aux->bpf_module, NULL, mod);
	return owner && owner != mod ? -EBUSY : 0;
}

/* No-op if @prog went to another module since: it is released when the module
 * is gone, and again when its memory is freed.
 */
void bpf_module_release_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
	if (mod)
		cmpxchg(&prog->aux->bpf_module, mod, NULL);
}

static void bpf_module_release_progs(struct bpf_module *mod,
				     struct bpf_struct_ops_inst *inst)
{
	u32 i;

	for (i = 0; i < inst->funcs_cnt && inst->links[i]; i++)
		bpf_module_release_prog(mod, inst->links[i]->prog);
}

static int bpf_module_alloc_id(void)
{
	int id;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&bpf_module_idr_lock);
	/* NULL: look-ups do not find it before bpf_module_publish_id(). */
	id = idr_alloc_cyclic(&bpf_module_idr, NULL, 1, INT_MAX, GFP_ATOMIC);
	spin_unlock_irq(&bpf_module_idr_lock);
	idr_preload_end();
	return id;
}

static void bpf_module_publish_id(struct bpf_module *mod, u32 id)
{
	spin_lock_irq(&bpf_module_idr_lock);
	mod->id = id;
	idr_replace(&bpf_module_idr, mod, id);
	spin_unlock_irq(&bpf_module_idr_lock);
}

static void bpf_module_free_id(u32 id)
{
	unsigned long flags;

	spin_lock_irqsave(&bpf_module_idr_lock, flags);
	idr_remove(&bpf_module_idr, id);
	spin_unlock_irqrestore(&bpf_module_idr_lock, flags);
}

/**
 * bpf_module_inc - take one more handle on a module
 * @mod: module that the caller has a handle on
 */
void bpf_module_inc(struct bpf_module *mod)
{
	atomic64_inc(&mod->handles);
}

/**
 * bpf_module_dec - put a handle on a module
 * @mod: the module
 *
 * Context: any.
 */
void bpf_module_dec(struct bpf_module *mod)
{
	/* A kfunc that read the module from a program may still look at it. */
	if (atomic64_dec_and_test(&mod->handles))
		kfree_rcu(mod, rcu);
}

static void bpf_module_free_work(struct work_struct *work)
{
	struct bpf_module *mod = container_of(work, struct bpf_module, work);

	mutex_lock(&mod->lock);
	bpf_module_free_ops(mod);
	mutex_unlock(&mod->lock);
	/* The handle of the loaded module. */
	bpf_module_dec(mod);
}

static void bpf_module_free_after_tasks(struct rcu_head *rcu)
{
	struct bpf_module *mod = container_of(rcu, struct bpf_module, rcu);

	INIT_WORK(&mod->work, bpf_module_free_work);
	queue_work(system_unbound_wq, &mod->work);
}

static void bpf_module_free_after_rcu(struct rcu_head *rcu)
{
	call_rcu_tasks(rcu, bpf_module_free_after_tasks);
}

static void bpf_module_free_after_trace(struct rcu_head *rcu)
{
	call_rcu(rcu, bpf_module_free_after_rcu);
}

/* The last user may be put by a callback of the module itself: a congestion
 * control's init that calls setsockopt(TCP_CONGESTION).  So wait until programs
 * have returned, by RCU or by tasks-trace RCU if they may sleep, and then until
 * tasks have left the trampolines, which have instructions after the program's
 * return.
 */
static void bpf_module_free_deferred(struct bpf_module *mod)
{
	if (mod->sleepable)
		call_rcu_tasks_trace(&mod->rcu, bpf_module_free_after_trace);
	else
		call_rcu(&mod->rcu, bpf_module_free_after_rcu);
}

/* The last of the refs is gone.  Any context but hard interrupts.  The programs
 * and the id are free at once, so that who unloads can load again.  Symbols are
 * read under RCU, so they leave before the grace periods, too.
 */
static void bpf_module_gone(struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		bpf_module_release_progs(mod, mod->ops[i].inst);
		bpf_struct_ops_inst_del_ksyms(mod->ops[i].inst);
	}
	if (mod->id)
		bpf_module_free_id(mod->id);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GONE);
	wake_up_interruptible_poll(&mod->wait_gone, EPOLLHUP);
	bpf_module_free_deferred(mod);
}

static void bpf_module_put_refs(struct bpf_module *mod, long refs)
{
	if (atomic_long_sub_and_test(refs, &mod->refs))
		bpf_module_gone(mod);
}

/* A subsystem's bpf_try_module_get().  Any context, under RCU or a reference.
 * A module that is going gets no new users, even before its ops are
 * unregistered: a connection accepted by a listening socket, for example.
 */
bool bpf_module_get_user(struct bpf_module *mod)
{
	return READ_ONCE(mod->state) == BPF_MODULE_STATE_LIVE &&
	       atomic_long_add_unless(&mod->refs, BPF_MODULE_REF_USER, 0);
}

/* A subsystem's bpf_module_put().  Any context but hard interrupts. */
void bpf_module_put_user(struct bpf_module *mod)
{
	bpf_module_put_refs(mod, BPF_MODULE_REF_USER);
}

static int bpf_module_release(struct inode *inode, struct file *filp)
{
	bpf_module_dec(filp->private_data);
	return 0;
}

static __poll_t bpf_module_poll(struct file *file, struct poll_table_struct *pts)
{
	struct bpf_module *mod = file->private_data;

	poll_wait(file, &mod->wait_gone, pts);
	return READ_ONCE(mod->state) == BPF_MODULE_STATE_GONE ? EPOLLHUP : 0;
}

const struct file_operations bpf_module_fops = {
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= bpf_module_show_fdinfo,
#endif
	.release	= bpf_module_release,
	.poll		= bpf_module_poll,
};

/**
 * bpf_module_new_fd - install an fd for a module
 * @mod: module; the fd takes over the caller's handle if it succeeds
 *
 * Return: the fd or a negative error.
 */
int bpf_module_new_fd(struct bpf_module *mod)
{
	return anon_inode_getfd("bpf-module", &bpf_module_fops, mod, O_CLOEXEC);
}

/**
 * bpf_module_get_from_fd - module behind an fd
 * @ufd: the fd
 *
 * Return: the module with a handle for the caller, -EBADF if @ufd is not open,
 * -EINVAL if it is something else.
 */
struct bpf_module *bpf_module_get_from_fd(u32 ufd)
{
	CLASS(fd, f)(ufd);
	struct bpf_module *mod;

	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	if (fd_file(f)->f_op != &bpf_module_fops)
		return ERR_PTR(-EINVAL);

	mod = fd_file(f)->private_data;
	bpf_module_inc(mod);
	return mod;
}

/**
 * bpf_module_get_fd_by_id - BPF_MODULE_GET_FD_BY_ID
 * @attr: attributes of the command
 *
 * Return: a new fd, -EPERM, -ENOENT if there is no such id, or another error of
 * opening a file.
 */
int bpf_module_get_fd_by_id(const union bpf_attr *attr)
{
	struct bpf_module *mod;
	int fd;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	spin_lock_irq(&bpf_module_idr_lock);
	/* What is listed has the handle of the loaded module. */
	mod = idr_find(&bpf_module_idr, attr->module_id);
	if (mod)
		bpf_module_inc(mod);
	spin_unlock_irq(&bpf_module_idr_lock);
	if (!mod)
		return -ENOENT;

	fd = bpf_module_new_fd(mod);
	if (fd < 0)
		bpf_module_dec(mod);
	return fd;
}

/* Same as loading and attaching the programs. */
static bool bpf_module_capable(void)
{
	return bpf_capable() && perfmon_capable();
}

static struct bpf_module *bpf_module_alloc(const union bpf_attr *attr,
					   struct bpf_verifier_log *log)
{
	u32 ops_cnt = attr->module_load.ops_cnt;
	struct bpf_module *mod;
	int err;

	if (!ops_cnt || ops_cnt > BPF_MODULE_MAX_OPS) {
		bpf_log(log, "%u ops, expected 1 to %u\n", ops_cnt, BPF_MODULE_MAX_OPS);
		return ERR_PTR(ops_cnt ? -E2BIG : -EINVAL);
	}

	mod = kzalloc(struct_size(mod, ops, ops_cnt), bpf_memcg_flags(GFP_USER));
	if (!mod)
		return ERR_PTR(-ENOMEM);
	mod->ops_cnt = ops_cnt;

	err = bpf_module_copy_name(mod->name, attr->module_load.name);
	if (err) {
		if (err == -EINVAL)
			bpf_log(log, "bad module name, expected " BPF_MODULE_NAME_RULE "\n",
				BPF_MODULE_NAME_LEN - 1);
		kfree(mod);
		return ERR_PTR(err);
	}

	atomic_long_set(&mod->refs, BPF_MODULE_REF_BASE);
	atomic64_set(&mod->handles, 1);
	mod->state = BPF_MODULE_STATE_LIVE;
	mutex_init(&mod->lock);
	init_waitqueue_head(&mod->wait_gone);
	mod->uid = current_uid();
	mod->load_time = ktime_get_boottime_ns();
	return mod;
}

static void bpf_module_del_name(struct bpf_module *mod)
{
	rhashtable_remove_fast(&bpf_module_names, &mod->name_node,
			       bpf_module_names_params);
}

static int bpf_module_add_name(struct bpf_module *mod,
			       struct bpf_verifier_log *log)
{
	int err;

	err = rhashtable_lookup_insert_fast(&bpf_module_names, &mod->name_node,
					    bpf_module_names_params);
	if (err == -EEXIST)
		bpf_log(log, "module name \"%s\" is taken\n", mod->name);
	return err;
}

static void bpf_module_log_reg(const struct bpf_struct_ops_inst *inst, int err)
{
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
	default:
		bpf_struct_ops_log(inst, NULL, "the subsystem refused it, error %d", -err);
	}
}

static void bpf_module_unregister(struct bpf_module *mod)
{
	u32 i;

	for (i = mod->ops_cnt; i-- > 0;) {
		struct bpf_module_op *op = &mod->ops[i];

		if (op->state != BPF_MODULE_OPS_REGISTERED)
			continue;
		op->inst->st_ops_desc->st_ops->unreg(op->inst->kdata, NULL);
		WRITE_ONCE(op->state, BPF_MODULE_OPS_UNREGISTERED);
	}
}

static int bpf_module_register(struct bpf_module *mod)
{
	u32 i;

	/* Before the first callback can run and be traced. */
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_add_ksyms(mod->ops[i].inst);

	for (i = 0; i < mod->ops_cnt; i++) {
		struct bpf_module_op *op = &mod->ops[i];
		int err;

		err = op->inst->st_ops_desc->st_ops->reg(op->inst->kdata, NULL);
		if (err) {
			/* Not an errno of user space, but a subsystem's habit. */
			if (err == -ENOTSUPP)
				err = -EOPNOTSUPP;
			/* Nor is it an fd, which the caller would take it for. */
			if (err > 0)
				err = -EINVAL;
			bpf_module_log_reg(op->inst, err);
			return err;
		}
		op->state = BPF_MODULE_OPS_REGISTERED;
	}
	return 0;
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

	primer->fd = get_unused_fd_flags(O_CLOEXEC);
	if (primer->fd < 0) {
		bpf_module_free_id(primer->id);
		return primer->fd;
	}

	primer->file = anon_inode_getfile("bpf-module", &bpf_module_fops, mod, O_CLOEXEC);
	if (IS_ERR(primer->file)) {
		put_unused_fd(primer->fd);
		bpf_module_free_id(primer->id);
		return PTR_ERR(primer->file);
	}
	bpf_module_inc(mod);
	return 0;
}

static void bpf_module_unprime(struct bpf_module_primer *primer)
{
	fput(primer->file);
	put_unused_fd(primer->fd);
	bpf_module_free_id(primer->id);
}

static int bpf_module_publish(struct bpf_module *mod, struct bpf_module_primer *primer)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++)
		mod->ops[i].inst->log = NULL;
	bpf_module_publish_id(mod, primer->id);
	fd_install(primer->fd, primer->file);
	return primer->fd;
}

static int __bpf_module_load(const union bpf_attr *attr, struct bpf_verifier_log *log)
{
	struct bpf_module_primer primer;
	struct bpf_module *mod;
	int err;

	if (!bpf_module_capable()) {
		bpf_log(log, "loading a module needs CAP_BPF and CAP_PERFMON\n");
		return -EPERM;
	}
	if (attr->module_load.flags) {
		bpf_log(log, "unknown flags 0x%x\n", attr->module_load.flags);
		return -EINVAL;
	}

	mod = bpf_module_alloc(attr, log);
	if (IS_ERR(mod))
		return PTR_ERR(mod);

	err = bpf_module_add_name(mod, log);
	if (err)
		goto free;
	err = bpf_module_build(mod, attr, log);
	if (err)
		goto del_name;
	err = bpf_module_prime(mod, &primer);
	if (err)
		goto free_ops;
	err = bpf_module_register(mod);
	if (!err)
		return bpf_module_publish(mod, &primer);

	/* An op that was registered may have got users: they keep the module. */
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GOING);
	bpf_module_del_name(mod);
	bpf_module_unregister(mod);
	bpf_module_unprime(&primer);
	bpf_module_put_refs(mod, BPF_MODULE_REF_BASE);
	return err;

free_ops:
	bpf_module_free_ops(mod);
del_name:
	bpf_module_del_name(mod);
free:
	bpf_module_dec(mod);
	return err;
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
	char __user *log_buf = u64_to_user_ptr(attr->module_load.log_buf);
	struct bpf_verifier_log *log;
	u32 log_true_size;
	int ret;

	log = kvzalloc(sizeof(*log), GFP_KERNEL);
	if (!log)
		return -ENOMEM;
	/* FIXED: of a line that does not fit, keep the beginning. */
	ret = bpf_vlog_init(log, log_buf ? BPF_LOG_LEVEL1 | BPF_LOG_FIXED : 0,
			    log_buf, attr->module_load.log_size);
	if (ret)
		goto free_log;

	ret = __bpf_module_load(attr, log);
	if (ret >= 0)
		goto free_log;

	if (!log->end_pos)
		bpf_log(log, "%s, error %d\n",
			ret == -ENOMEM ? "out of memory" :
			ret == -EFAULT ? "bad address in the attributes" : "not loaded", -ret);
	/* The error says more than that the log did not fit. */
	bpf_vlog_finalize(log, &log_true_size);
	if (uattr_size >= offsetofend(union bpf_attr, module_load.log_true_size) &&
	    copy_to_bpfptr_offset(uattr, offsetof(union bpf_attr, module_load.log_true_size),
				  &log_true_size, sizeof(log_true_size)))
		ret = -EFAULT;
free_log:
	kvfree(log);
	return ret;
}

/* The step to GOING.  Without @drain the test for users is one with the end of
 * the chance to become one.
 */
static int bpf_module_set_going(struct bpf_module *mod, bool drain)
{
	guard(mutex)(&mod->lock);

	switch (READ_ONCE(mod->state)) {
	case BPF_MODULE_STATE_GOING:
		return -EINPROGRESS;
	case BPF_MODULE_STATE_GONE:
		return -ENOENT;
	}
	if (!drain && atomic_long_cmpxchg(&mod->refs, BPF_MODULE_REF_BASE, 0) !=
		      BPF_MODULE_REF_BASE)
		return -EBUSY;

	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GOING);
	bpf_module_del_name(mod);
	return 0;
}

/**
 * bpf_module_unload - BPF_MODULE_UNLOAD
 * @attr: attributes of the command
 *
 * Context: process, may sleep.
 * Return: 0, -EPERM, -EBUSY if the module has users and is not to be drained,
 * -EINPROGRESS if it is going, -ENOENT if it is gone.
 */
int bpf_module_unload(const union bpf_attr *attr)
{
	bool drain = attr->module_unload.flags & BPF_F_MODULE_DRAIN;
	struct bpf_module *mod;
	int err;

	if (attr->module_unload.flags & ~BPF_F_MODULE_DRAIN)
		return -EINVAL;
	if (!bpf_module_capable())
		return -EPERM;

	mod = bpf_module_get_from_fd(attr->module_unload.module_fd);
	if (IS_ERR(mod))
		return PTR_ERR(mod);

	err = bpf_module_set_going(mod, drain);
	if (err)
		goto out;

	bpf_module_unregister(mod);
	if (drain)
		bpf_module_put_refs(mod, BPF_MODULE_REF_BASE);
	else
		bpf_module_gone(mod);
out:
	bpf_module_dec(mod);
	return err;
}

static int __init bpf_module_init(void)
{
	return rhashtable_init(&bpf_module_names, &bpf_module_names_params);
}
core_initcall(bpf_module_init);
