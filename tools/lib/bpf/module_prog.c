// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Which programs of an object belong to its BPF modules.
 *
 * A program belongs to the only module that the object declares, or to the one that
 * __bpf_in_module() names. If none is declared, it belongs to the one that is only
 * created on request. That is known when the object is opened; whether the module
 * attaches it depends on its type, which the user can change until the load.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <string.h>
#include <linux/err.h>
#include "bpf.h"
#include "btf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

#define MODULE_NAME_TAG "module_name:"
#define IN_MODULE_TAG "in_module:"

#define INIT_SEC "module.init"
#define EXIT_SEC "module.exit"

int bpf_modules__declare_tagged(struct bpf_module **list, const struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj);
	__u32 id, cnt = btf ? btf__type_cnt(btf) : 0;

	for (id = 1; id < cnt; id++) {
		const char *name = decl_tag_value(btf, btf__type_by_id(btf, id), MODULE_NAME_TAG);
		struct bpf_module *mod;

		if (!name)
			continue;
		if (!libbpf_is_module_name(name)) {
			pr_warn("BPF_MODULE(\"%s\"): a module's name has letters, digits, '_', '.' and '-', %d at most\n",
				name, BPF_MODULE_NAME_LEN - 1);
			return -EINVAL;
		}
		mod = bpf_modules__declare(list, obj, name);
		if (IS_ERR(mod))
			return PTR_ERR(mod);
	}
	return 0;
}

/* The module that programs belong to by default. NULL if there are several. */
static struct bpf_module *only_module(const struct bpf_object *obj)
{
	struct bpf_module *first = bpf_object__next_module(obj, NULL);
	struct bpf_module *second = first ? bpf_object__next_module(obj, first) : NULL;

	/* the declared ones come first */
	return second && bpf_module__is_declared(second) ? NULL : first;
}

static struct bpf_module *find_declared(const struct bpf_object *obj, const char *name)
{
	struct bpf_module *mod;

	bpf_object__for_each_module(mod, obj)
		if (bpf_module__is_declared(mod) && strcmp(mod->name, name) == 0)
			return mod;
	return NULL;
}

static int assign_tagged(const struct bpf_object *obj, const char *func, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, func);
	struct bpf_module *mod = find_declared(obj, name);

	if (!prog)
		return 0;
	if (!mod) {
		pr_warn("program '%s': the object declares no module '%s', write BPF_MODULE(\"%s\")\n",
			func, name, name);
		return -EINVAL;
	}
	bpf_program__set_own_module(prog, mod);
	return 0;
}

int bpf_object__assign_progs(struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj);
	__u32 id, cnt = btf ? btf__type_cnt(btf) : 0;
	struct bpf_module *only = only_module(obj);
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_own_module(prog, only);

	for (id = 1; id < cnt; id++) {
		const struct btf_type *func, *t = btf__type_by_id(btf, id);
		const char *name = decl_tag_value(btf, t, IN_MODULE_TAG);

		func = name ? btf__type_by_id(btf, t->type) : NULL;
		if (!func || !btf_is_func(func))
			continue;
		err = assign_tagged(obj, btf__name_by_offset(btf, func->name_off), name);
		if (err)
			return err;
	}
	return 0;
}

static bool has_sec(const struct bpf_program *prog, const char *sec)
{
	const char *name = bpf_program__section_name(prog);
	size_t len = strlen(sec);

	return strncmp(name, sec, len) == 0 && (!name[len] || name[len] == '/');
}

bool bpf_program__is_iter(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_TRACING &&
	       bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER;
}

static enum target_kind iter_kind(const struct bpf_program *prog)
{
	const char *target = strchr(bpf_program__section_name(prog), '/');

	if (!target)
		return TARGET_NONE;
	if (strcmp(target, "/bpf_map_elem") == 0 || strcmp(target, "/sockmap") == 0 ||
	    strcmp(target, "/bpf_sk_storage_map") == 0)
		return TARGET_MAP;
	return strcmp(target, "/cgroup") == 0 ? TARGET_CGROUP : TARGET_NONE;
}

static enum target_kind tracing_kind(const struct bpf_program *prog)
{
	if (bpf_program__is_iter(prog))
		return iter_kind(prog);
	return strchr(bpf_program__section_name(prog), '/') ? TARGET_NONE : TARGET_PROG;
}

static enum target_kind dev_kind(enum bpf_attach_type type)
{
	switch (type) {
	case BPF_TCX_INGRESS:
	case BPF_TCX_EGRESS:
	case BPF_NETKIT_PRIMARY:
	case BPF_NETKIT_PEER:
		return TARGET_DEV;
	default:
		return TARGET_REFUSED; /* netlink tc */
	}
}

enum target_kind bpf_program__target_kind(const struct bpf_program *prog)
{
	enum bpf_attach_type attach_type = bpf_program__expected_attach_type(prog);

	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_XDP:
		return attach_type == BPF_XDP_DEVMAP || attach_type == BPF_XDP_CPUMAP ?
		       TARGET_UNFIT : TARGET_DEV;
	case BPF_PROG_TYPE_SCHED_CLS:
		return dev_kind(attach_type);
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_PERF_EVENT:
		return TARGET_REFUSED;
	case BPF_PROG_TYPE_KPROBE:
		return has_sec(prog, "usdt") || has_sec(prog, "usdt.s") ? TARGET_REFUSED :
									 TARGET_NONE;
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_SOCK_OPS:
		return TARGET_CGROUP;
	case BPF_PROG_TYPE_LSM:
		return attach_type == BPF_LSM_CGROUP ? TARGET_CGROUP : TARGET_NONE;
	case BPF_PROG_TYPE_SK_LOOKUP:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		return TARGET_NETNS;
	case BPF_PROG_TYPE_NETFILTER:
		return TARGET_HOOK;
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_SKB:
		return TARGET_MAP;
	case BPF_PROG_TYPE_EXT:
		return TARGET_PROG;
	case BPF_PROG_TYPE_TRACING:
		return tracing_kind(prog);
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return TARGET_NONE;
	default:
		return TARGET_UNFIT;
	}
}

bool bpf_program__is_run(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL &&
	       (has_sec(prog, INIT_SEC) || has_sec(prog, EXIT_SEC));
}

/* Can a module attach it? */
static bool is_attachable(const struct bpf_program *prog)
{
	return bpf_program__target_kind(prog) != TARGET_UNFIT &&
	       !bpf_program__is_in_prog_array(prog);
}

/* Is it one that a module has other than through its ops? */
bool bpf_program__is_of_module(const struct bpf_program *prog)
{
	return bpf_program__is_run(prog) || bpf_program__is_func(prog) || is_attachable(prog);
}

/* The module whose ops call it */
static struct bpf_module *calling_module(const struct bpf_program *prog)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, bpf_program__object(prog))
		if (bpf_map__calls(map, prog))
			return bpf_map__module(map);
	return NULL;
}

struct bpf_module *bpf_program__module(const struct bpf_program *prog)
{
	if (!prog)
		return libbpf_err_ptr(-EINVAL);
	if (bpf_program__type(prog) == BPF_PROG_TYPE_STRUCT_OPS)
		return calling_module(prog);
	return bpf_program__is_of_module(prog) ? bpf_program__own_module(prog) : NULL;
}

const char *bpf_program__module_target(const struct bpf_program *prog)
{
	static const char * const names[] = {
		[TARGET_NONE]	= "",
		[TARGET_DEV]	= "dev",
		[TARGET_CGROUP]	= "cgroup",
		[TARGET_NETNS]	= "",
		[TARGET_HOOK]	= "hook",
		[TARGET_MAP]	= "map",
		[TARGET_PROG]	= "prog",
	};
	enum target_kind kind;

	if (!prog)
		return libbpf_err_ptr(-EINVAL);
	kind = bpf_program__target_kind(prog);
	if (kind == TARGET_UNFIT || bpf_program__is_in_prog_array(prog))
		return libbpf_err_ptr(-ENOENT);
	return kind == TARGET_REFUSED ? libbpf_err_ptr(-EOPNOTSUPP) : names[kind];
}

bool bpf_program__is_left_to_module(const struct bpf_program *prog)
{
	const struct bpf_module *mod = bpf_program__module(prog);

	return mod && bpf_module__autocreate(mod);
}

bool bpf_module__attaches(const struct bpf_module *mod, const struct bpf_program *prog)
{
	return bpf_program__autoload(prog) && bpf_program__autoattach(prog) &&
	       is_attachable(prog) && bpf_program__own_module(prog) == mod;
}

bool bpf_module__has_progs(const struct bpf_module *mod)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, mod->obj)
		if (bpf_module__attaches(mod, prog))
			return true;
	return bpf_module__has_funcs(mod);
}

const struct bpf_program *bpf_module__run_prog(const struct bpf_module *mod, const char *sec)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, mod->obj)
		if (bpf_program__is_run(prog) && has_sec(prog, sec) &&
		    bpf_program__autoload(prog) && bpf_program__autoattach(prog) &&
		    bpf_program__own_module(prog) == mod)
			return prog;
	return NULL;
}
