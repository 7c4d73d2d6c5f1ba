// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Checks, before an object is loaded, that its BPF modules can have the programs that
 * belong to them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

/* Before the load: check a program, unless its module is left out. */
static int check_prog(const struct bpf_program *prog)
{
	const struct bpf_module *mod = bpf_program__own_module(prog);
	const char *sec = bpf_program__section_name(prog);

	if (!mod) {
		pr_warn("program '%s': belongs to none of the object's modules, say which with __bpf_in_module(\"NAME\")\n",
			bpf_program__name(prog));
		return -EINVAL;
	}
	if (!bpf_module__autocreate(mod))
		return 0;
	if (bpf_program__is_run(prog) && bpf_module__run_prog(mod, sec) != prog) {
		pr_warn("module '%s': programs '%s' and '%s' are both in section '%s', which can have only one\n",
			mod->name, bpf_program__name(bpf_module__run_prog(mod, sec)),
			bpf_program__name(prog), sec);
		return -EINVAL;
	}
	if (bpf_program__target_kind(prog) == TARGET_PROG && !bpf_program__has_attach_target(prog))
		return bpf_module__lacks_target(mod, prog);
	return 0;
}

static bool will_any_load(const struct bpf_object *obj)
{
	const struct bpf_module *mod;

	bpf_object__for_each_module(mod, obj)
		if (bpf_module__will_load(mod))
			return true;
	return false;
}

int bpf_object__prepare_module_progs(struct bpf_object *obj)
{
	bool any = will_any_load(obj);
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj) {
		const struct bpf_module *mod = bpf_program__own_module(prog);

		if (!bpf_program__is_of_module(prog))
			continue;
		/* like the ops of a module that is left out */
		if (mod && bpf_module__is_declared(mod) && !bpf_module__autocreate(mod))
			bpf_program__set_autoload(prog, false);
		if (!any || !bpf_program__autoload(prog) || !bpf_program__autoattach(prog))
			continue;
		err = check_prog(prog);
		if (err)
			return err;
	}
	return bpf_object__check_funcs(obj);
}
