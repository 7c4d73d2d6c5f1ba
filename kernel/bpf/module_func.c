// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that BPF modules export: which programs can be functions, and what a module
 * keeps about them.
 *
 * A function is a program of its own type, BPF_PROG_TYPE_MODULE_FUNC, which has no context.
 * The verifier checks it as a global function, from its BTF prototype, before the module is
 * loaded.  module_call.c has how programs call it.
 *
 * A module that is going and still has callers frees everything but its functions and its
 * exit program: a caller may be in a map of the module.  Functions and the exit program
 * must not use maps that can hold programs, or a caller could keep itself alive.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "module_func.h"

/* struct bpf_module_func as it was first released. */
#define BPF_MODULE_FUNC_SIZE_VER0 offsetofend(struct bpf_module_func, name)

/*
 * Functions while they are loaded as programs.
 */

/* Defined where there are more kinds. */
#ifndef BPF_ASYNC_FIELDS
#define BPF_ASYNC_FIELDS (BPF_TIMER | BPF_WORKQUEUE)
#define BPF_LOCK_FIELDS BPF_SPIN_LOCK
#endif

/* Why functions, and the exit program of a module with functions, must not use @map; NULL
 * if they may.
 */
static const char *bpf_module_why_no_map(const struct bpf_map *map)
{
	/* A second round checks the inner maps of a map of maps. */
	for (; map; map = map->inner_map_meta) {
		switch (map->map_type) {
		case BPF_MAP_TYPE_PROG_ARRAY:
		case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		case BPF_MAP_TYPE_DEVMAP:
		case BPF_MAP_TYPE_DEVMAP_HASH:
		case BPF_MAP_TYPE_CPUMAP:
		case BPF_MAP_TYPE_SOCKMAP:
		case BPF_MAP_TYPE_SOCKHASH:
		case BPF_MAP_TYPE_STRUCT_OPS:
			return "can hold programs";
		case BPF_MAP_TYPE_CGROUP_STORAGE:
		case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
			return "is for programs that are attached to a cgroup";
		default:
			break;
		}
		/* A timer or work queue holds the program that armed it. */
		if (btf_record_has_field(map->record, BPF_ASYNC_FIELDS))
			return "has timers or work queues";
	}
	return NULL;
}

static bool bpf_module_map_has_locks(const struct bpf_map *map)
{
	for (; map; map = map->inner_map_meta) {
		/* Lists and trees need a lock in the same map, so this covers them. */
		if (btf_record_has_field(map->record, BPF_LOCK_FIELDS))
			return true;
	}
	return false;
}

static int bpf_module_func_check_maps(struct bpf_verifier_env *env)
{
	const char *why;
	u32 i;

	for (i = 0; i < env->used_map_cnt; i++) {
		why = bpf_module_why_no_map(env->used_maps[i]);
		if (why) {
			bpf_log(&env->log,
				"functions of modules cannot use map %s (id %u), it %s\n",
				env->used_maps[i]->name, env->used_maps[i]->id, why);
			return -EINVAL;
		}
	}
	return 0;
}

/* Does a map of the program, or a function that it calls, have a lock? */
static bool bpf_module_func_has_locks(const struct bpf_verifier_env *env)
{
	const struct bpf_module_dep *dep;
	u32 i;

	for (i = 0; i < env->used_map_cnt; i++) {
		if (bpf_module_map_has_locks(env->used_maps[i]))
			return true;
	}
	for (dep = env->prog->aux->module_deps; dep; dep = dep->next) {
		for_each_set_bit(i, dep->calls, BPF_MODULE_MAX_FUNCS) {
			if (bpf_module_desc(dep, i + 1)->locks)
				return true;
		}
	}
	return false;
}

static int bpf_module_func_check_proto(struct bpf_verifier_env *env)
{
	const struct bpf_subprog_info *proto = &env->subprog_info[0];
	struct bpf_prog_aux *aux = env->prog->aux;
	const struct btf_type *t;
	u32 i;
	int err;

	if (!aux->func_info || aux->func_info_aux[0].linkage != BTF_FUNC_GLOBAL) {
		bpf_log(&env->log, "functions of modules need BTF, in which they are global\n");
		return -EINVAL;
	}
	err = btf_prepare_func_args(env, 0);
	if (err)
		return err;
	/* Callers read R0, and have no stack for arguments.  Not every verifier wants that of
	 * global functions.
	 */
	t = btf_type_by_id(aux->btf, aux->func_info[0].type_id);
	t = btf_type_by_id(aux->btf, t->type);
	if (btf_type_is_void(btf_type_skip_modifiers(aux->btf, t->type, NULL)) ||
	    proto->arg_cnt > MAX_BPF_FUNC_REG_ARGS) {
		bpf_log(&env->log,
			"functions of modules return a number and have at most %d arguments\n",
			MAX_BPF_FUNC_REG_ARGS);
		return -EINVAL;
	}
	for (i = 0; i < proto->arg_cnt; i++) {
		if (proto->args[i].arg_type == ARG_PTR_TO_CTX) {
			bpf_log(&env->log,
				"arg#%u is a context, of which functions of modules have none\n",
				i);
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * bpf_module_func_start - prepare the verification of a BPF_PROG_TYPE_MODULE_FUNC
 * @env: the function; the verifier knows its maps and the modules that it calls
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error, with a line in the log.
 */
int bpf_module_func_start(struct bpf_verifier_env *env)
{
	struct bpf_module_func_desc *desc;
	int err;

	/* Tokens do not load modules, and callers would need the token's rights as well. */
	if (env->prog->aux->token) {
		bpf_log(&env->log, "functions of modules cannot be loaded by a BPF token\n");
		return -EPERM;
	}
	err = bpf_module_func_check_maps(env);
	if (!err)
		err = bpf_module_func_check_proto(env);
	if (err)
		return err;

	desc = kzalloc(sizeof(*desc), bpf_memcg_flags(GFP_USER));
	if (!desc)
		return -ENOMEM;
	desc->proto = env->subprog_info[0];
	desc->allow_ptr_leaks = env->allow_ptr_leaks;
	desc->locks = bpf_module_func_has_locks(env);
	env->prog->aux->module_func = desc;
	return 0;
}

/**
 * bpf_module_note_stack - record how deep a chain of calls is
 * @env: the program; nothing is recorded unless it is a function
 * @depth: bytes of stack that the chain uses
 * @frames: frames of the chain
 *
 * Context: process.
 */
void bpf_module_note_stack(struct bpf_verifier_env *env, int depth, int frames)
{
	struct bpf_module_func_desc *desc = env->prog->aux->module_func;

	if (!desc)
		return;
	desc->stack_depth = max_t(u32, desc->stack_depth, depth);
	desc->frames = max_t(u32, desc->frames, frames);
}

/* No tail calls: the target expects a context, and functions have none. */
static const struct bpf_func_proto *
bpf_module_func_get_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	return func_id == BPF_FUNC_tail_call ? NULL : bpf_base_func_proto(func_id, prog);
}

static bool bpf_module_func_is_valid_access(int off, int size, enum bpf_access_type type,
					    const struct bpf_prog *prog,
					    struct bpf_insn_access_aux *info)
{
	return false;
}

const struct bpf_verifier_ops bpf_module_func_verifier_ops = {
	.get_func_proto		= bpf_module_func_get_proto,
	.is_valid_access	= bpf_module_func_is_valid_access,
};

const struct bpf_prog_ops bpf_module_func_prog_ops = {
};

/**
 * bpf_module_may_bind_map - check whether BPF_PROG_BIND_MAP may bind a map to a program
 * @prog: the program
 * @map: the map
 *
 * Context: process, under the used_maps_mutex of @prog. BPF_MODULE_LOAD holds it, too, while
 * it checks the maps.
 * Return: 0; -EINVAL if @prog is a function and functions must not use @map; -EBUSY if @prog
 * is the init or exit program of a module.
 */
int bpf_module_may_bind_map(const struct bpf_prog *prog, const struct bpf_map *map)
{
	if (prog->type == BPF_PROG_TYPE_MODULE_FUNC && bpf_module_why_no_map(map))
		return -EINVAL;
	return READ_ONCE(prog->aux->module_run) ? -EBUSY : 0;
}

/*
 * Functions of a module.
 */

static int bpf_module_check_func(struct bpf_module *mod, u32 nr, struct seq_buf *log)
{
	struct bpf_prog *prog = mod->funcs[nr].prog;
	const char *why = NULL;
	int err = -EINVAL;

	/* The interpreter would take the caller's R2 for a pointer to instructions. */
	if (!prog->jited)
		why = "is not compiled by the JIT", err = -EOPNOTSUPP;
	else if (prog->aux->btf != mod->btf)
		why = "was loaded with another BTF than that of btf_fd";
	else if (!bpf_module_claim_prog(mod, prog))
		why = "belongs to another module", err = -EBUSY;
	if (!why)
		return 0;
	bpf_module_log(log, "function #%u: program %s (id %u) %s\n", nr, prog->aux->name,
		       prog->aux->id, why);
	return err;
}

static int bpf_module_compare_func_name(const struct bpf_module_fn *fn, u32 nr, u64 uname,
					struct seq_buf *log)
{
	char *name;
	int err = 0;

	if (!uname)
		return 0;
	name = strndup_user(u64_to_user_ptr(uname), KSYM_NAME_LEN);
	if (IS_ERR(name)) {
		if (PTR_ERR(name) != -ENOMEM)
			bpf_module_log(log,
				       "function #%u: name cannot be read, or has %d characters or more\n",
				       nr, KSYM_NAME_LEN);
		return PTR_ERR(name);
	}
	if (strcmp(name, fn->name)) {
		bpf_module_log(log, "function #%u: not of the name in BTF, which is %s\n", nr,
			       fn->name);
		err = -EINVAL;
	}
	kfree(name);
	return err;
}

static int bpf_module_set_func_name(struct bpf_module *mod, u32 nr, u64 uname,
				    struct seq_buf *log)
{
	struct bpf_module_fn *fn = &mod->funcs[nr];
	const struct btf_type *t;
	u32 i;

	fn->btf_id = fn->prog->aux->func_info[0].type_id;
	t = btf_type_by_id(mod->btf, fn->btf_id);
	fn->name = kstrdup(btf_name_by_offset(mod->btf, t->name_off), bpf_memcg_flags(GFP_USER));
	if (!fn->name)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		if (strcmp(mod->funcs[i].name, fn->name))
			continue;
		bpf_module_log(log, "function #%u: #%u has the name %s already\n", nr, i, fn->name);
		return -EINVAL;
	}
	return bpf_module_compare_func_name(fn, nr, uname, log);
}

static int bpf_module_get_func(struct bpf_module *mod, u32 nr, const struct bpf_module_func *ufunc,
			       struct seq_buf *log)
{
	struct bpf_module_fn *fn = &mod->funcs[nr];
	struct bpf_prog *prog;
	int err;

	if (ufunc->flags) {
		bpf_module_log(log, "function #%u: unknown flags 0x%x\n", nr, ufunc->flags);
		return -EINVAL;
	}
	prog = bpf_prog_get_type(ufunc->prog_fd, BPF_PROG_TYPE_MODULE_FUNC);
	if (IS_ERR(prog)) {
		bpf_module_log(log, "function #%u: fd %u is not a program of type module_func\n",
			       nr, ufunc->prog_fd);
		return PTR_ERR(prog);
	}
	/* From here on, bpf_module_put_funcs() puts it. */
	fn->prog = prog;
	err = bpf_module_check_func(mod, nr, log);
	if (err)
		return err;
	fn->prog_id = prog->aux->id;
	fn->flags = (prog->sleepable ? BPF_MODULE_FUNC_SLEEPABLE : 0) |
		    (prog->aux->module_func->locks ? BPF_MODULE_FUNC_LOCKS : 0);
	fn->stack_depth = prog->aux->module_func->stack_depth;
	return bpf_module_set_func_name(mod, nr, ufunc->name, log);
}

static int bpf_module_alloc_funcs(struct bpf_module *mod, u32 cnt, u32 size, struct seq_buf *log)
{
	int err;

	if (cnt > BPF_MODULE_MAX_FUNCS) {
		bpf_module_log(log, "%u functions, expected at most %u\n", cnt,
			       BPF_MODULE_MAX_FUNCS);
		return -E2BIG;
	}
	err = bpf_module_check_entry_size("func", size, BPF_MODULE_FUNC_SIZE_VER0, log);
	if (err)
		return err;
	/* libbpf compares the types of callers with it. */
	if (!mod->btf) {
		bpf_module_log(log, "functions need the BTF that they were loaded with\n");
		return -EINVAL;
	}
	mod->funcs = kvcalloc(cnt, sizeof(*mod->funcs), bpf_memcg_flags(GFP_USER));
	if (!mod->funcs)
		return -ENOMEM;
	mod->funcs_cnt = cnt;
	return 0;
}

/* Get the functions in @attr for @mod, which has its BTF.  May sleep.  After an error,
 * bpf_module_put_funcs() puts those that it got.
 */
int bpf_module_get_funcs(struct bpf_module *mod, const union bpf_attr *attr,
			 struct seq_buf *log)
{
	u32 i, cnt = attr->module_load.funcs_cnt, size = attr->module_load.funcs_size;
	struct bpf_module_func ufunc;
	int err;

	if (!cnt)
		return 0;
	err = bpf_module_alloc_funcs(mod, cnt, size, log);
	for (i = 0; !err && i < cnt; i++) {
		err = bpf_module_copy_entry("func", &ufunc, sizeof(ufunc),
					    attr->module_load.funcs, i, size, log);
		if (!err)
			err = bpf_module_get_func(mod, i, &ufunc, log);
	}
	return err;
}

/* The exit program outlives the callers as functions do, and keeps its maps. */
int bpf_module_check_exit_maps(const struct bpf_module *mod, struct seq_buf *log)
{
	struct bpf_prog_aux *aux;
	u32 i;

	if (!mod->funcs_cnt || !mod->exit)
		return 0;
	aux = mod->exit->aux;
	/* module_run is set: BPF_PROG_BIND_MAP adds no more. */
	guard(mutex)(&aux->used_maps_mutex);
	for (i = 0; i < aux->used_map_cnt; i++) {
		const struct bpf_map *map = aux->used_maps[i];
		const char *why = bpf_module_why_no_map(map);

		if (!why)
			continue;
		bpf_module_log(log,
			       "exit program %s (id %u) of a module with functions cannot use map %s (id %u), it %s\n",
			       aux->name, aux->id, map->name, map->id, why);
		return -EINVAL;
	}
	return 0;
}

/* Allow other modules to take the functions, which have no callers.  Context: any. */
void bpf_module_release_funcs(struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->funcs_cnt; i++) {
		if (mod->funcs[i].prog)
			bpf_module_release_prog(mod, mod->funcs[i].prog);
	}
}

/* Put the programs of the functions; their description stays.  May sleep. */
void bpf_module_put_funcs(struct bpf_module *mod)
{
	u32 i;

	bpf_module_release_funcs(mod);
	for (i = 0; i < mod->funcs_cnt; i++) {
		struct bpf_prog *prog = mod->funcs[i].prog;

		mod->funcs[i].prog = NULL;
		if (prog)
			bpf_prog_put(prog);
	}
}
