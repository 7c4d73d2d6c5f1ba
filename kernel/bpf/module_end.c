// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a BPF module.
 *
 * UNLOAD sets the module to GOING, unregisters its ops, detaches its links and drops the
 * base of its refs.  Whoever drops the last of the refs makes it gone, in any context, and
 * the memory is freed after the grace periods that a running callback may need.
 */
#include <linux/poll.h>
#include <linux/rcupdate_trace.h>
#include <linux/wait.h>
#include "module.h"
#include "struct_ops.h"
#include <trace/events/bpf_module.h>

/* Make it gone for everyone who looks, or waits. */
static void bpf_module_set_gone(struct bpf_module *mod)
{
	if (mod->own_id)
		bpf_module_free_id(mod->own_id);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GONE);
	wake_up_interruptible_poll(&mod->wait_gone, EPOLLHUP);
	complete_all(&mod->ended);
}

/* Nothing uses @mod any more, and what only its ops and links needed is freed. */
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
		queue_work(bpf_module_wq, &mod->work);
}

/* The last caller is gone, after everything else of @mod.  Context: any. */
void bpf_module_queue_rest(struct bpf_module *mod)
{
	bpf_module_queue_free(mod, bpf_module_free_rest_work);
}

static void bpf_module_free_work(struct work_struct *work)
{
	struct bpf_module *mod = container_of(work, struct bpf_module, work);
	u32 i;

	trace_bpf_module_free(mod);
	WRITE_ONCE(mod->only_kept, true);
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_del_ksyms(mod->ops[i].inst);
	/* A caller of its functions may be in one of the maps. */
	bpf_module_put_maps(mod);
	bpf_module_put_init(mod);
	bpf_module_free_ops(mod, true);
	if (!bpf_module_leave_to_callers(mod))
		bpf_module_free_rest(mod);
}

/* One grace period has passed.  Free @mod after the last of them. */
static void bpf_module_free_after(struct bpf_module *mod)
{
	/* Orders the work after what each of them waited for. */
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

/* RCU tasks waits for everything that a task runs until it blocks, so for the trampoline
 * and the program in it.  It does not wait for interrupts of the idle task, but RCU does:
 * wait for both in parallel.
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

/* If all calls are held, only those under RCU can still be running.  Otherwise, or if
 * a callback has put the reference that it was called with, wait until programs
 * have returned and tasks have left the trampolines, which have instructions
 * before and after the program.
 *
 * RCU tasks does not wait for a program that sleeps, and RCU tasks trace waits only
 * for the program.  So if one may sleep, tasks first have to get to where RCU tasks
 * trace sees them, then out of the program, and then out of the trampoline.
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
 * and the id are free at once, so that the caller can load them again.  The symbols
 * stay as long as the code, which may still run.  With an exit program the module is
 * gone only when that has run, which is after the last callback; with callers of its
 * functions, of which no more can come, after the last of them.
 */
static void bpf_module_gone(struct bpf_module *mod)
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

/* Returns true if these were the last. */
bool bpf_module_put_refs(struct bpf_module *mod, long refs)
{
	if (!atomic_long_sub_and_test(refs, &mod->refs))
		return false;
	bpf_module_gone(mod);
	return true;
}

/* Returns true if @mod has no more refs.  A put without a get takes the reference of
 * another user.  That shows when there is none left; then the base, or a module that is
 * gone, must stay unchanged, so the test and the subtraction are one step.
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

static bool bpf_module_first_of_type(const struct bpf_module *mod, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (mod->ops[i].inst->st_ops_desc == mod->ops[nr].inst->st_ops_desc)
			return false;
	}
	return true;
}

/* Wait for what unreg() or update() of @mod's ops leave to wait for, once for each
 * type.  May sleep.
 */
void bpf_module_sync(const struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		if (bpf_module_first_of_type(mod, i))
			bpf_struct_ops_sync(mod->ops[i].inst);
	}
}

/* Unregister the ops of @mod that are registered.  May sleep. */
void bpf_module_unregister(struct bpf_module *mod)
{
	bool any = false;
	u32 i, state;

	for (i = mod->ops_cnt; i-- > 0;) {
		struct bpf_module_op *op = &mod->ops[i];
		const struct bpf_struct_ops *st_ops = op->inst->st_ops_desc->st_ops;

		state = cmpxchg(&op->state, BPF_MODULE_OPS_REGISTERED,
				BPF_MODULE_OPS_UNREGISTERED);
		if (state != BPF_MODULE_OPS_REGISTERED &&
		    (state != BPF_MODULE_OPS_WITHDRAWN || !bpf_struct_ops_unreg_withdrawn(st_ops)))
			continue;
		st_ops->unreg(op->inst->kdata, NULL);
		any = true;
	}
	if (any)
		bpf_module_sync(mod);
}

/* Set @mod, which is loaded, to GOING.  Under mod->lock. */
void bpf_module_set_going(struct bpf_module *mod)
{
	lockdep_assert_held(&mod->lock);
	WRITE_ONCE(mod->state, BPF_MODULE_STATE_GOING);
	bpf_module_del_name(mod);
	trace_bpf_module_unload(mod);
}

/* Returns 0 if @mod is loaded, else the error for whoever wants to end it.  Under
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

/* Drop the base of @mod's refs if it has no users: then it cannot get any. */
static bool bpf_module_end_unused(struct bpf_module *mod)
{
	bool unused;

	/* A new caller of its functions waits, or is already a user. */
	spin_lock(&mod->callers_lock);
	unused = !mod->callers_cnt &&
		 atomic_long_cmpxchg(&mod->refs, BPF_MODULE_REF_BASE, 0) == BPF_MODULE_REF_BASE;
	if (unused)
		mod->callers_closed = true;
	spin_unlock(&mod->callers_lock);
	return unused;
}

/* The step to GOING.  Without @drain, checking for users and refusing new ones is one
 * atomic step.
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

/* UNLOAD, or the end of a bound module.  Returns what BPF_MODULE_UNLOAD does.  May sleep. */
int bpf_module_end(struct bpf_module *mod, bool drain, u32 reason)
{
	int err;

	err = bpf_module_try_going(mod, drain, reason);
	/* It is already going, which is all that a drain asks for. */
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

/* Drain @mod, which the caller has a handle on, unless it has already ended.  May sleep. */
static void bpf_module_drain(struct bpf_module *mod)
{
	bpf_module_end(mod, true, BPF_MODULE_REASON_CLOSED);
}

/* Put a handle.  Returns true if it is the last one of a bound module, beside that of
 * the loaded module: then the caller still has it, to drain the module.
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

/* Drain a bound module whose last handle was put where one may not sleep. */
void bpf_module_drain_work(struct work_struct *work)
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
	/* The work takes over the handle, unless it already has one. */
	if (bpf_module_put_unless_last(mod) &&
	    !queue_work(bpf_module_wq, &mod->drain_work))
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
