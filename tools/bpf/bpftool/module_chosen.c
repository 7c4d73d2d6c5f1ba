// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: which modules of an object have something to be loaded, as things
 * are: ops, programs to attach, or functions.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <bpf/libbpf.h>

#include "main.h"
#include "module.h"
#include "module_load.h"

static bool is_ops(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS;
}

/* Is it one of the object's ops, or of those to be loaded one of @mod? */
bool load_is_ops_of(const struct bpf_map *map, const struct bpf_module *mod)
{
	return is_ops(map) && (!mod || (bpf_map__module(map) == mod && bpf_map__autocreate(map)));
}

bool load_has_ops(const struct bpf_object *obj, const struct bpf_module *mod)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (load_is_ops_of(map, mod))
			return true;
	return false;
}

/* Has it ops to be loaded, programs to be attached, or functions? */
bool load_is_chosen(const struct bpf_object *obj, const struct bpf_module *mod)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		if (module_attaches(mod, prog) || module_exports(mod, prog))
			return true;
	return load_has_ops(obj, mod);
}

/* The first module after @prev that is to be loaded, NULL for none. */
struct bpf_module *load_next_chosen(const struct bpf_object *obj, const struct bpf_module *prev)
{
	struct bpf_module *mod = bpf_object__next_module(obj, prev);

	while (mod && !load_is_chosen(obj, mod))
		mod = bpf_object__next_module(obj, mod);
	return mod;
}

int module_nothing_to_load(const char *file)
{
	p_err("nothing to load as a module in %s: no ops, no programs that a link attaches, no functions",
	      file);
	return -1;
}
