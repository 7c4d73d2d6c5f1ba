// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Functions that the BPF modules of an object export.
 *
 * A function is a program of its own type, and belongs to a module as other programs
 * do. It is loaded with the object, and exported when the module is loaded.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bpf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

bool libbpf_is_func_sec(const char *sec_name)
{
	if (*sec_name == '?')
		sec_name++;
	return strcmp(sec_name, "module.func") == 0 || strcmp(sec_name, "module.func.s") == 0;
}

bool bpf_program__is_func(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_MODULE_FUNC;
}

static bool is_exported(const struct bpf_module *mod, const struct bpf_program *prog)
{
	return bpf_program__is_func(prog) && bpf_program__autoload(prog) &&
	       bpf_program__autoattach(prog) && bpf_program__own_module(prog) == mod;
}

static __u32 count_funcs(const struct bpf_module *mod)
{
	struct bpf_program *prog;
	__u32 cnt = 0;

	bpf_object__for_each_program(prog, mod->obj)
		cnt += is_exported(mod, prog);
	return cnt;
}

bool bpf_module__has_funcs(const struct bpf_module *mod)
{
	return count_funcs(mod) > 0;
}

bool bpf_object__has_funcs(const struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		if (bpf_program__is_func(prog) && bpf_program__autoload(prog))
			return true;
	return false;
}

int bpf_module__get_funcs(const struct bpf_module *mod, struct bpf_module_func **funcs,
			  __u32 *cnt)
{
	struct bpf_program *prog;
	__u32 i = 0;

	*funcs = NULL;
	*cnt = count_funcs(mod);
	if (!*cnt)
		return 0;
	*funcs = calloc(*cnt, sizeof(**funcs));
	if (!*funcs)
		return -ENOMEM;
	bpf_object__for_each_program(prog, mod->obj)
		if (is_exported(mod, prog))
			(*funcs)[i++].prog_fd = bpf_program__fd(prog);
	return 0;
}

static int check_func(const struct bpf_program *prog)
{
	const struct bpf_object *obj = bpf_program__object(prog);
	const char *why = NULL;
	int err = -EOPNOTSUPP;

	if (bpf_object__is_light(obj))
		why = "a light skeleton can't load it, use a regular one";
	else if (!kernel_supports(obj, FEAT_MODULE_FUNC))
		why = "this kernel does not have functions of BPF modules";
	else if (!bpf_object__btf(obj))
		why = "needs BTF, which the object lacks: compile it with -g", err = -EINVAL;
	if (!why)
		return 0;
	pr_warn("function '%s': %s\n", bpf_program__name(prog), why);
	return err;
}

int bpf_object__check_funcs(const struct bpf_object *obj)
{
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj) {
		if (!bpf_program__is_func(prog) || !bpf_program__autoload(prog))
			continue;
		err = check_func(prog);
		if (err)
			return err;
	}
	return 0;
}
