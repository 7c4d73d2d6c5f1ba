// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that call functions of BPF modules.
 *
 * The instruction is the one that calls a kernel function.  Its offset is the index of a
 * module fd in fd_array, and its immediate is not a BTF id but the number of the function in
 * the module, counted from 1.  The verifier checks the arguments against the prototype; this
 * file checks what else the function was verified with: privileges, stack, locks, sleeping.
 *
 * A caller has one struct bpf_module_dep for each module.  It is put when the program is
 * freed, after the program's own grace period.  So functions stay as long as one of their
 * callers may run, and need no grace period of their own.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/filter.h>
#include <linux/slab.h>
#include "module_func.h"
#include <trace/events/bpf_module.h>

static int bpf_module_may_link(struct bpf_verifier_env *env, const struct bpf_module *mod)
{
	const struct bpf_prog *prog = env->prog;
	const char *why = NULL;
	int err = -EINVAL;

	if (!bpf_jit_supports_module_func())
		why = "the JIT does not support it", err = -EOPNOTSUPP;
	else if (prog->aux->token)
		why = "the program is loaded by a BPF token", err = -EPERM;
	else if (bpf_prog_is_offloaded(prog->aux))
		why = "the program is offloaded to a device";
	/* It may be attached to a function: the stack of such a chain has no bound. */
	else if (prog->type == BPF_PROG_TYPE_TRACING && prog->aux->dst_prog)
		why = "the program is attached to a BPF program";
	if (!why)
		return 0;
	bpf_log(&env->log, "cannot call functions of module %s: %s\n", mod->name, why);
	return err;
}

static struct bpf_module_dep *bpf_module_new_dep(struct bpf_verifier_env *env,
						 struct bpf_module *mod)
{
	struct bpf_prog_aux *aux = env->prog->aux;
	struct bpf_module_dep *dep;

	dep = kzalloc(sizeof(*dep), bpf_memcg_flags(GFP_USER));
	if (!dep)
		return ERR_PTR(-ENOMEM);
	dep->mod = mod;
	dep->aux = aux;
	if (!bpf_module_add_caller(dep)) {
		bpf_log(&env->log, "module %s (id %u) is unloaded or being replaced\n", mod->name,
			mod->own_id);
		kfree(dep);
		return ERR_PTR(-ENOENT);
	}
	trace_bpf_module_get(mod);
	dep->next = aux->module_deps;
	aux->module_deps = dep;
	return dep;
}

/**
 * bpf_module_link_prog - make the program of @env a user of a module
 * @env: the program is being loaded
 * @fd: the fd in fd_array that a call names
 *
 * A program is one user of a module, however many functions it calls and fds it has.
 *
 * Context: process, may sleep.
 * Return: the dependency, which lives as long as the program; NULL if @fd is not a module;
 * or a negative error, with a line in the log.
 */
struct bpf_module_dep *bpf_module_link_prog(struct bpf_verifier_env *env, u32 fd)
{
	CLASS(fd, f)(fd);
	struct bpf_module_dep *dep;
	struct bpf_module *mod;
	int err;

	if (fd_empty(f) || fd_file(f)->f_op != &bpf_module_fops)
		return NULL;
	/* Reading a module does not include the right to prevent its unload. */
	mod = bpf_module_of_fd(f, FMODE_WRITE);
	if (IS_ERR(mod)) {
		bpf_log(&env->log, "fd %u of a module is open for reading only\n", fd);
		return ERR_CAST(mod);
	}
	for (dep = env->prog->aux->module_deps; dep; dep = dep->next) {
		if (dep->mod == mod)
			return dep;
	}
	err = bpf_module_may_link(env, mod);
	return err ? ERR_PTR(err) : bpf_module_new_dep(env, mod);
}

/**
 * bpf_module_link_func - record that the program of @env calls a function
 * @env: the program is being loaded
 * @dep: its dependency on the module
 * @nr: number of the function, from 1
 *
 * Context: process.
 * Return: the program of the function, or a negative error, with a line in the log.
 */
const struct bpf_prog *bpf_module_link_func(struct bpf_verifier_env *env,
					    struct bpf_module_dep *dep, u32 nr)
{
	struct bpf_module *mod = dep->mod;

	if (!nr || nr > mod->funcs_cnt) {
		bpf_log(&env->log, "module %s has %u functions, and none with number %u\n",
			mod->name, mod->funcs_cnt, nr);
		return ERR_PTR(-EINVAL);
	}
	spin_lock(&mod->callers_lock);
	__set_bit(nr - 1, dep->calls);
	spin_unlock(&mod->callers_lock);
	return bpf_module_fn(dep, nr)->prog;
}

/**
 * bpf_module_func_name - name of a function that a program calls
 * @dep: its dependency on the module
 * @nr: number of the function, which bpf_module_link_func() accepted
 *
 * Context: any.
 * Return: the name.
 */
const char *bpf_module_func_name(const struct bpf_module_dep *dep, u32 nr)
{
	return bpf_module_fn(dep, nr)->name;
}

/**
 * bpf_module_func_sleeps - whether a function that a program calls may sleep
 * @dep: its dependency on the module
 * @nr: number of the function, which bpf_module_link_func() accepted
 *
 * Context: any.
 * Return: true if it may.
 */
bool bpf_module_func_sleeps(const struct bpf_module_dep *dep, u32 nr)
{
	return bpf_module_fn(dep, nr)->prog->sleepable;
}

/**
 * bpf_module_func_proto - arguments of a function that a program calls
 * @dep: its dependency on the module
 * @nr: number of the function, which bpf_module_link_func() accepted
 *
 * Context: any.
 * Return: a description of which only @args and @arg_cnt are valid.
 */
const struct bpf_subprog_info *bpf_module_func_proto(const struct bpf_module_dep *dep, u32 nr)
{
	return &bpf_module_desc(dep, nr)->proto;
}

/* Why a function may not be called at this place; NULL if it may. */
static const char *bpf_module_why_not_here(const struct bpf_module_call_place *place,
					   bool func_sleepable)
{
	/* What the function does is not known here, as for global functions. */
	if (place->locked)
		return "cannot be called while a lock is held";
	if (place->preempt_off)
		return "cannot be called with preemption disabled";
	if (func_sleepable && !place->sleepable)
		return "may sleep, the program may not";
	if (func_sleepable && place->rcu_locked)
		return "may sleep, and cannot be called in an RCU critical section";
	/* It was verified as one that runs in an RCU critical section. */
	if (!func_sleepable && place->sleepable && !place->rcu_locked)
		return "cannot sleep, and has to be called in an RCU critical section";
	return NULL;
}

static bool bpf_module_same_arena(const struct bpf_prog_aux *func, const struct bpf_prog_aux *aux)
{
	const struct bpf_subprog_info *proto = &func->module_func->proto;
	u32 i;

	for (i = 0; i < proto->arg_cnt; i++) {
		if (base_type(proto->args[i].arg_type) == ARG_PTR_TO_ARENA)
			return func->arena == aux->arena;
	}
	return true;
}

/* Why this program cannot call it from anywhere; NULL if it can. */
static const char *bpf_module_why_no_call(const struct bpf_verifier_env *env,
					  const struct bpf_prog_aux *func, bool locks)
{
	const struct bpf_module_func_desc *desc = func->module_func;

	if (!env->prog->gpl_compatible)
		return "is for programs with a license that is compatible with the GPL";
	/* It could pass a pointer as a number, which the function may then store.  What a
	 * program may do without mitigations depends on the same capability.
	 */
	if (desc->allow_ptr_leaks && !env->allow_ptr_leaks)
		return "was loaded with CAP_PERFMON, which the program is not";
	if (desc->locks && !locks)
		return "uses a map with a lock, which programs of this type cannot";
	if (!bpf_module_same_arena(func, env->prog->aux))
		return "takes pointers to an arena, which is not that of the program";
	return NULL;
}

/**
 * bpf_module_check_call - check whether a program may call a function at a place
 * @env: the caller
 * @dep: its dependency on the module
 * @nr: number of the function, which bpf_module_link_func() accepted
 * @place: the verifier's state at the call
 *
 * The verifier checks the arguments.
 *
 * Context: process.
 * Return: 0 or a negative error, with a line in the log.
 */
int bpf_module_check_call(struct bpf_verifier_env *env, const struct bpf_module_dep *dep,
			  u32 nr, const struct bpf_module_call_place *place)
{
	const struct bpf_module_fn *fn = bpf_module_fn(dep, nr);
	const struct bpf_prog *func = fn->prog;
	const char *why;

	why = bpf_module_why_not_here(place, func->sleepable);
	if (!why)
		why = bpf_module_why_no_call(env, func->aux, place->may_use_locks);
	if (why) {
		bpf_log(&env->log, "function %s of module %s %s\n", fn->name, dep->mod->name, why);
		return -EACCES;
	}
	/* An exit program must not do it by way of a function either. */
	if (func->aux->module_exit_refused)
		env->prog->aux->module_exit_refused = true;
	return 0;
}

/**
 * bpf_module_log_args - name the function whose arguments the log complains about
 * @env: the caller
 * @dep: its dependency on the module
 * @nr: number of the function, which bpf_module_link_func() accepted
 *
 * Context: process.
 */
void bpf_module_log_args(struct bpf_verifier_env *env, const struct bpf_module_dep *dep, u32 nr)
{
	bpf_log(&env->log, "wrong arguments for function %s of module %s\n",
		bpf_module_func_name(dep, nr), dep->mod->name);
}

/**
 * bpf_module_check_stack - check that a call leaves the stack within its limits
 * @env: the caller
 * @dep: its dependency on the module
 * @nr: number of the function, which bpf_module_link_func() accepted
 * @depth: bytes of stack in use at the call
 * @frame: number of the calling frame, from 0
 *
 * Context: process.
 * Return: 0 or a negative error, with a line in the log.
 */
int bpf_module_check_stack(struct bpf_verifier_env *env, const struct bpf_module_dep *dep,
			   u32 nr, int depth, int frame)
{
	const struct bpf_module_func_desc *desc = bpf_module_desc(dep, nr);
	int frames = frame + 1 + desc->frames;

	depth += desc->stack_depth;
	if (depth > MAX_BPF_STACK) {
		bpf_log(&env->log,
			"combined stack size with function %s of module %s is %d, %u of it the function's. Too large\n",
			bpf_module_func_name(dep, nr), dep->mod->name, depth, desc->stack_depth);
		return -EACCES;
	}
	if (frames > MAX_CALL_FRAMES) {
		bpf_log(&env->log,
			"the call stack with function %s of module %s is %d frames. Too deep\n",
			bpf_module_func_name(dep, nr), dep->mod->name, frames);
		return -E2BIG;
	}
	bpf_module_note_stack(env, depth, frames);
	return 0;
}

/**
 * bpf_module_unlink_prog - put the modules whose functions a program calls
 * @aux: of the program, which does not run and never will
 *
 * Context: process, may sleep.
 */
void bpf_module_unlink_prog(struct bpf_prog_aux *aux)
{
	struct bpf_module_dep *dep;

	while ((dep = aux->module_deps)) {
		aux->module_deps = dep->next;
		trace_bpf_module_put(dep->mod);
		/* If it was not the last, the module may be freed by now. */
		if (bpf_module_del_caller(dep))
			bpf_module_queue_rest(dep->mod);
		kfree(dep);
	}
}

/**
 * bpf_module_free_prog - free what a program has as caller or as function
 * @aux: of the program, which does not run any more
 *
 * Context: process, may sleep.
 */
void bpf_module_free_prog(struct bpf_prog_aux *aux)
{
	bpf_module_unlink_prog(aux);
	kfree(aux->module_func);
	aux->module_func = NULL;
}
