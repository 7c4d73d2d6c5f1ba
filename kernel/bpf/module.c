// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF modules: ops structs implemented by BPF programs, links, and functions for other
 * programs, loaded, listed and unloaded as one object.
 * Documentation/bpf/bpf_module.rst has the model.
 *
 * A module is held by two counters.  "handles" are fds, pins and the fact that
 * it is loaded; they keep struct bpf_module and nothing else.  "refs" are the
 * users, sockets for example, that subsystems count with bpf_try_module_get(),
 * and a base while the module is loaded; they keep what a callback needs: the
 * kernel structs, the trampolines and the programs.  Programs that call the module's
 * functions are users, too, see module_call.c.
 *
 * This file is about what keeps a module and how it is reached, and about its
 * end: who drops the last of the refs makes it gone, in any context, and the
 * memory follows after the grace periods that a running callback may need.
 * module_load.c and module_replace.c change its state.
 *
 * Locks: bpf_module.lock may be held over sleeping calls.  A subsystem is called
 * under the lock of a module that is being replaced, and under none else, so no
 * subsystem may take it.  bpf_module_idr_lock is innermost.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rcupdate_trace.h>
#include <linux/security.h>
#include <linux/slab.h>
#include "module.h"
#include "struct_ops.h"

#define CREATE_TRACE_POINTS
#include <trace/events/bpf_module.h>

DEFINE_IDR(bpf_module_idr);
DEFINE_SPINLOCK(bpf_module_idr_lock);

/**
 * bpf_prog_module_id - id of the module that a program belongs to
 * @prog: the program
 *
 * Context: any.
 * Return: the id, 0 if @prog belongs to no module or to one that is not listed.
 */
u32 bpf_prog_module_id(const struct bpf_prog *prog)
{
	const struct bpf_module *mod;

	/* Pairs with kfree_rcu() of the module. */
	guard(rcu)();
	mod = READ_ONCE(prog->aux->bpf_module);
	return mod ? READ_ONCE(mod->id) : 0;
}

int bpf_module_alloc_id(void)
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

void bpf_module_publish_id(struct bpf_module *mod, u32 id)
{
	spin_lock_irq(&bpf_module_idr_lock);
	WRITE_ONCE(mod->id, id);
	idr_replace(&bpf_module_idr, mod, id);
	spin_unlock_irq(&bpf_module_idr_lock);
}

void bpf_module_free_id(u32 id)
{
	unsigned long flags;

	spin_lock_irqsave(&bpf_module_idr_lock, flags);
	idr_remove(&bpf_module_idr, id);
	spin_unlock_irqrestore(&bpf_module_idr_lock, flags);
}

/**
 * bpf_module_get_curr_or_next - first module from an id on
 * @id: where to start; set to the id of the module found
 *
 * Return: the module with a handle for the caller, NULL if there is none.
 */
struct bpf_module *bpf_module_get_curr_or_next(u32 *id)
{
	struct bpf_module *mod;

	spin_lock_irq(&bpf_module_idr_lock);
	mod = idr_get_next(&bpf_module_idr, id);
	/* What is listed has the handle of the loaded module. */
	if (mod)
		bpf_module_inc(mod);
	spin_unlock_irq(&bpf_module_idr_lock);
	return mod;
}

static void bpf_module_free(struct bpf_module *mod)
{
	u32 i;

	if (mod->announced)
		security_bpf_module_free(mod);
	for (i = 0; i < mod->ops_cnt; i++) {
		kfree(mod->ops[i].udata);
		kfree(mod->ops[i].name);
	}
	for (i = 0; i < mod->funcs_cnt; i++)
		kfree(mod->funcs[i].name);
	kvfree(mod->funcs);
	kvfree(mod->deps);
	kfree(mod->ids);
	/* A kfunc that read the module from a program may still look at it. */
	kfree_rcu(mod, rcu);
}

/**
 * bpf_module_inc - take one more handle on a module
 * @mod: module that the caller has a handle on
 */
void bpf_module_inc(struct bpf_module *mod)
{
	atomic64_inc(&mod->handles);
}

/* Put the handle of the loaded module.  Context: any. */
void bpf_module_put_handle(struct bpf_module *mod)
{
	if (atomic64_dec_and_test(&mod->handles))
		bpf_module_free(mod);
}

/* Put a handle, except if it is the last one of a bound module beside that of
 * the loaded module: true, and the caller still has it, to drain the module.
 */
static bool bpf_module_put_unless_last(struct bpf_module *mod)
{
	s64 handles;

	if (!(mod->flags & BPF_F_MODULE_BOUND)) {
		bpf_module_put_handle(mod);
		return false;
	}
	handles = atomic64_fetch_add_unless(&mod->handles, -1, 2);
	if (handles == 1)
		bpf_module_free(mod);
	return handles == 2;
}

static void bpf_module_drain_work(struct work_struct *work)
{
	struct bpf_module *mod = container_of(work, struct bpf_module, drain_work);

	bpf_module_drain(mod);
	bpf_module_put_handle(mod);
}

/**
 * bpf_module_dec - put a handle on a module
 * @mod: the module
 *
 * Context: any.
 */
void bpf_module_dec(struct bpf_module *mod)
{
	/* The work takes over the handle, unless it has one already. */
	if (bpf_module_put_unless_last(mod) &&
	    !queue_work(system_unbound_wq, &mod->drain_work))
		bpf_module_put_handle(mod);
}

/**
 * bpf_module_dec_direct - put a handle on a module
 * @mod: the module
 *
 * The ops of a bound module are unregistered when it returns.
 *
 * Context: process, may sleep.
 */
void bpf_module_dec_direct(struct bpf_module *mod)
{
	if (bpf_module_put_unless_last(mod)) {
		bpf_module_drain(mod);
		bpf_module_put_handle(mod);
	}
}

/* Set up all of @mod, which is zeroed, that does not come from the caller. */
void bpf_module_init(struct bpf_module *mod)
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

/* It is gone for whoever looks, or waits. */
static void bpf_module_set_gone(struct bpf_module *mod)
{
	if (mod->own_id)
		bpf_module_free_id(mod->own_id);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GONE);
	wake_up_interruptible_poll(&mod->wait_gone, EPOLLHUP);
	complete_all(&mod->ended);
}

/* Nothing uses @mod any more, and all that only its ops and links needed is freed. */
static void bpf_module_free_rest(struct bpf_module *mod)
{
	if (mod->exit_due)
		bpf_module_run_exit(mod);
	bpf_module_put_run(mod);
	bpf_module_put_funcs(mod);
	if (mod->gone_late)
		bpf_module_set_gone(mod);
	/* The handle of the loaded module. */
	bpf_module_put_handle(mod);
}

static void bpf_module_free_rest_work(struct work_struct *work)
{
	bpf_module_free_rest(container_of(work, struct bpf_module, work));
}

static void bpf_module_queue_free(struct bpf_module *mod, work_func_t func)
{
	INIT_WORK(&mod->work, func);
	if (mod->exit_due)
		bpf_module_queue_exit(&mod->work);
	else
		queue_work(system_unbound_wq, &mod->work);
}

/* The last caller is gone, after all else of @mod.  Context: any. */
void bpf_module_queue_rest(struct bpf_module *mod)
{
	bpf_module_queue_free(mod, bpf_module_free_rest_work);
}

static void bpf_module_free_work(struct work_struct *work)
{
	struct bpf_module *mod = container_of(work, struct bpf_module, work);
	u32 i;

	trace_bpf_module_free(mod);
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_del_ksyms(mod->ops[i].inst);
	/* A caller of its functions may be in one of the maps. */
	bpf_module_put_maps(mod);
	bpf_module_put_init(mod);
	bpf_module_free_ops(mod);
	if (!bpf_module_leave_to_callers(mod))
		bpf_module_free_rest(mod);
}

/* Free @mod after the last of the grace periods that it waits for. */
static void bpf_module_free_after(struct bpf_module *mod)
{
	/* Orders what each of them waited for before the work. */
	if (!atomic_dec_and_test(&mod->grace_periods))
		return;
	bpf_module_queue_free(mod, bpf_module_free_work);
}

static void bpf_module_free_after_rcu(struct rcu_head *rcu)
{
	bpf_module_free_after(container_of(rcu, struct bpf_module, rcu));
}

static void bpf_module_free_after_tasks(struct rcu_head *rcu)
{
	bpf_module_free_after(container_of(rcu, struct bpf_module, rcu_tasks));
}

/* RCU tasks waits for what a task runs until it blocks, so for the trampoline and
 * for the program in it, but not for interrupts of the idle task, in which RCU
 * does: wait for both at once.
 */
static void bpf_module_wait_callbacks(struct bpf_module *mod)
{
	atomic_set(&mod->grace_periods, 2);
	call_rcu(&mod->rcu, bpf_module_free_after_rcu);
	call_rcu_tasks(&mod->rcu_tasks, bpf_module_free_after_tasks);
}

static void bpf_module_free_after_trace(struct rcu_head *rcu)
{
	bpf_module_wait_callbacks(container_of(rcu, struct bpf_module, rcu));
}

static void bpf_module_free_after_prologue(struct rcu_head *rcu)
{
	call_rcu_tasks_trace(rcu, bpf_module_free_after_trace);
}

/* Where all calls are held, none runs any more but those under RCU.  Else, or if
 * a callback has put the reference that it was called with, wait until programs
 * have returned and tasks have left the trampolines, which have instructions
 * before and after that.
 *
 * A program that sleeps is one that RCU tasks does not wait for, and RCU tasks
 * trace waits for nothing but the program.  So if one may, tasks first have to
 * come to where RCU tasks trace sees them, then out of the program, and then out
 * of the trampoline.
 */
static void bpf_module_free_deferred(struct bpf_module *mod)
{
	if (mod->calls_held && !READ_ONCE(mod->put_by_prog)) {
		atomic_set(&mod->grace_periods, 1);
		call_rcu(&mod->rcu, bpf_module_free_after_rcu);
	} else if (mod->sleepable) {
		call_rcu_tasks(&mod->rcu, bpf_module_free_after_prologue);
	} else {
		bpf_module_wait_callbacks(mod);
	}
}

/* The last of the refs is gone.  Any context but hard interrupts.  The programs
 * and the id are free at once, so that who unloads can load again.  The symbols
 * stay as long as the code, which may still run.  With an exit program it is gone only
 * when that has run, which is after the last callback; with callers of its functions,
 * of which no more come, after the last of them.
 */
void bpf_module_gone(struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_release_progs(mod->ops[i].inst);
	mod->gone_late = mod->exit_due || READ_ONCE(mod->callers_cnt);
	if (!mod->gone_late) {
		bpf_module_release_run(mod);
		bpf_module_release_funcs(mod);
		bpf_module_set_gone(mod);
	}
	bpf_module_free_deferred(mod);
}

/* True if these were the last. */
bool bpf_module_put_refs(struct bpf_module *mod, long refs)
{
	if (!atomic_long_sub_and_test(refs, &mod->refs))
		return false;
	bpf_module_gone(mod);
	return true;
}

/* A subsystem's bpf_try_module_get().  Any context, under RCU or a reference.
 * A module that is unloaded gets no new users, even before its ops are
 * unregistered: a connection accepted by a listening socket, for example.  One
 * that is replaced does until nobody can find it and not its successor.
 */
bool bpf_module_get_user(struct bpf_module *mod)
{
	if (READ_ONCE(mod->closed) ||
	    !atomic_long_add_unless(&mod->refs, BPF_MODULE_REF_USER, 0))
		return false;
	trace_bpf_module_get(mod);
	return true;
}

/* True if @mod has no more refs.  Whoever puts what he never got takes the reference
 * of another user.  That shows when there is none left, and then the base, or a
 * module that is gone, has to stay as it is: the test and the step are one.
 */
static bool bpf_module_sub_user(struct bpf_module *mod)
{
	long refs = atomic_long_read(&mod->refs);

	do {
		if (WARN_ONCE(refs < BPF_MODULE_REF_USER,
			      "BPF module %s: put of a user that it does not have\n", mod->name))
			return false;
		/* A full barrier when it succeeds, as atomic_long_sub_and_test() is. */
	} while (!atomic_long_try_cmpxchg(&mod->refs, &refs, refs - BPF_MODULE_REF_USER));
	return refs == BPF_MODULE_REF_USER;
}

/* A subsystem's bpf_module_put().  Any context but hard interrupts. */
void bpf_module_put_user(struct bpf_module *mod)
{
	trace_bpf_module_put(mod);
	/* A congestion control's init, for example, that calls
	 * setsockopt(TCP_CONGESTION) and returns to the trampoline.
	 */
	if (has_current_bpf_ctx())
		WRITE_ONCE(mod->put_by_prog, true);
	if (bpf_module_sub_user(mod))
		bpf_module_gone(mod);
}

static bool bpf_module_all_withdrawn(const struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		if (READ_ONCE(mod->ops[i].state) != BPF_MODULE_OPS_WITHDRAWN)
			return false;
	}
	return true;
}

/* The subsystem has taken away op @nr by itself.  Any context but hard
 * interrupts, under RCU: @mod may be unloaded at the same time.
 */
void bpf_module_withdraw_op(struct bpf_module *mod, u32 nr, struct va_format *reason)
{
	struct bpf_module_op *op = &mod->ops[nr];

	snprintf(op->reason, sizeof(op->reason), "%pV", reason);
	/* Full barrier: the reason is there when the state is seen, pairs with
	 * smp_load_acquire() in bpf_module_fill_op(); and of two ops withdrawn
	 * at the same time one sees both.
	 */
	if (cmpxchg(&op->state, BPF_MODULE_OPS_REGISTERED, BPF_MODULE_OPS_WITHDRAWN) !=
	    BPF_MODULE_OPS_REGISTERED)
		return;
	trace_bpf_module_withdraw(mod, op->reason);
	if (bpf_module_all_withdrawn(mod) &&
	    cmpxchg(&mod->state, BPF_MODULE_STATE_LIVE, BPF_MODULE_STATE_DETACHED) ==
	    BPF_MODULE_STATE_LIVE)
		wake_up_interruptible_poll(&mod->wait_gone, EPOLLHUP);
}

static int bpf_module_release(struct inode *inode, struct file *filp)
{
	bpf_module_dec_direct(filp->private_data);
	return 0;
}

static __poll_t bpf_module_poll(struct file *file, struct poll_table_struct *pts)
{
	struct bpf_module *mod = file->private_data;
	u32 state;

	poll_wait(file, &mod->wait_gone, pts);
	state = READ_ONCE(mod->state);
	return state == BPF_MODULE_STATE_GONE || state == BPF_MODULE_STATE_DETACHED ?
	       EPOLLHUP : 0;
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
 * @flags: O_RDONLY, for an fd that can only look at the module, or O_RDWR
 *
 * Return: the fd or a negative error.
 */
int bpf_module_new_fd(struct bpf_module *mod, int flags)
{
	int err;

	err = security_bpf_module(mod, OPEN_FMODE(flags));
	if (err)
		return err;
	return anon_inode_getfd("bpf-module", &bpf_module_fops, mod, flags | O_CLOEXEC);
}

/* The module of @f, kept by it, or an error as bpf_module_get_from_fd() has. */
struct bpf_module *bpf_module_of_fd(struct fd f, fmode_t mode)
{
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	if (fd_file(f)->f_op != &bpf_module_fops)
		return ERR_PTR(-EINVAL);
	if ((fd_file(f)->f_mode & mode) != mode)
		return ERR_PTR(-EPERM);
	return fd_file(f)->private_data;
}

/**
 * bpf_module_get_from_fd - module behind an fd
 * @ufd: the fd
 * @mode: FMODE_WRITE to change the module, 0 to look at it
 *
 * Return: the module with a handle for the caller, -EBADF if @ufd is not open,
 * -EINVAL if it is something else, -EPERM if it was opened without @mode.
 */
struct bpf_module *bpf_module_get_from_fd(u32 ufd, fmode_t mode)
{
	CLASS(fd, f)(ufd);
	struct bpf_module *mod;

	mod = bpf_module_of_fd(f, mode);
	if (!IS_ERR(mod))
		bpf_module_inc(mod);
	return mod;
}

/**
 * bpf_module_get_fd_by_id - BPF_MODULE_GET_FD_BY_ID
 * @attr: attributes of the command
 *
 * Return: a new fd, -EPERM, -EINVAL for open flags that a module does not know,
 * -ENOENT if there is no such id, or another error of opening a file.
 */
int bpf_module_get_fd_by_id(const union bpf_attr *attr)
{
	struct bpf_module *mod;
	int fd, flags;

	if (attr->open_flags & ~BPF_F_RDONLY)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	flags = bpf_get_file_flag(attr->open_flags);

	spin_lock_irq(&bpf_module_idr_lock);
	/* What is listed has the handle of the loaded module. */
	mod = idr_find(&bpf_module_idr, attr->module_id);
	if (mod)
		bpf_module_inc(mod);
	spin_unlock_irq(&bpf_module_idr_lock);
	if (!mod)
		return -ENOENT;

	fd = bpf_module_new_fd(mod, flags);
	if (fd < 0)
		bpf_module_dec_direct(mod);
	return fd;
}
