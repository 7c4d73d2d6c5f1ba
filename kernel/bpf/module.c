// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF modules: ops structs implemented by BPF programs, links, and functions for other
 * programs, loaded, listed and unloaded as one object.
 * Documentation/bpf/bpf_module.rst has the model.
 *
 * Two counters keep a module.  "handles" are fds, pins and the loaded module itself;
 * they keep struct bpf_module and nothing else.  "refs" are a base while the module is
 * loaded, and the users, sockets for example, that subsystems count with
 * bpf_try_module_get(); they keep what a callback needs: the kernel structs, the
 * trampolines and the programs.  Programs that call the module's functions are users,
 * too, see module_call.c.
 *
 * Each file uses only those in the lines below its own:
 *
 *   module_load.c			LOAD
 *   module_replace.c			from one version to the next
 *   module_call.c, module_info.c	who calls its functions, what it tells about itself
 *   module_iter.c
 *   module_fd.c			how it is reached
 *   module_end.c			from loaded to gone and freed
 *   module_build.c			from what LOAD is given to kernel structs
 *   module.c				this file: ids, handles and users
 *   module_link.c, module_run.c	what it is made of
 *   module_func.c, module_parts.c
 *   module_callers.c, module_name.c	what these keep, check and say
 *   module_guard.c, module_copy.c
 *   module_log.c
 *
 * Locks: bpf_module.lock may be held over sleeping calls.  Subsystems are called under
 * the lock of a module that is being replaced, and under no other, so they must not
 * take it.  bpf_module_idr_lock is innermost.
 */
#include <linux/poll.h>
#include <linux/security.h>
#include <linux/slab.h>
#include "module.h"

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
	/* NULL: lookups do not find it before bpf_module_publish_id(). */
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
	/* A listed module has the handle of the loaded module. */
	if (mod)
		bpf_module_inc(mod);
	spin_unlock_irq(&bpf_module_idr_lock);
	return mod;
}

/* The last handle of @mod is put. */
void bpf_module_free(struct bpf_module *mod)
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
	bpf_module_free_parts(mod);
	/* An RCU reader of prog->aux->bpf_module may still look at it. */
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

#ifdef CONFIG_SECURITY
/**
 * bpf_module_security - where security modules keep what they know of a module
 * @mod: the module
 *
 * Context: any.
 * Return: the address of a pointer, which is NULL at first.
 */
void **bpf_module_security(struct bpf_module *mod)
{
	return &mod->security;
}
#endif

/* Put the handle of the loaded module.  Context: any. */
void bpf_module_put_handle(struct bpf_module *mod)
{
	if (atomic64_dec_and_test(&mod->handles))
		bpf_module_free(mod);
}

/* A subsystem's bpf_try_module_get().  Any context, under RCU or a reference.
 * A module that is unloaded gets no new users, not even before its ops are
 * unregistered: a connection accepted by a listening socket, for example.  One
 * that is replaced does, until everybody finds its successor.
 */
bool bpf_module_get_user(struct bpf_module *mod)
{
	if (READ_ONCE(mod->closed) ||
	    !atomic_long_add_unless(&mod->refs, BPF_MODULE_REF_USER, 0))
		return false;
	trace_bpf_module_get(mod);
	return true;
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

/* The subsystem has removed op @nr by itself.  Any context but hard
 * interrupts, under RCU: @mod may be unloaded at the same time.
 */
void bpf_module_withdraw_op(struct bpf_module *mod, u32 nr, struct va_format *reason)
{
	struct bpf_module_op *op = &mod->ops[nr];

	snprintf(op->reason, sizeof(op->reason), "%pV", reason);
	/* Full barrier: the reason is there when the state is seen, pairs with
	 * smp_load_acquire() in bpf_module_fill_op(); and if two ops are withdrawn
	 * at the same time, one of the callers sees both.
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
