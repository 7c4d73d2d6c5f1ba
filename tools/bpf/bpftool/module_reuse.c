// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Maps that a new version of a module takes over from the one that it replaces, so that
 * their contents survive.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "main.h"
#include "module.h"

static int reuse_map(struct bpf_object *obj, const char *name, int module_fd)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	int err;

	if (!map || bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS) {
		p_err("no map %s in the object", name);
		return -1;
	}
	err = bpf_map__reuse_module_fd(map, module_fd);
	if (!err)
		return 0;
	if (err == -ENOENT)
		p_err("can't reuse map %s: the module to replace has no map of that name", name);
	else
		p_err("%s", module_text(module_last_warning("can't reuse a map")));
	return -1;
}

int module_reuse_maps(struct bpf_object *obj, const char *list, int module_fd)
{
	char *names = strdup(list), *rest = names, *name;
	int err = 0;

	if (!names) {
		p_err("mem alloc failed");
		return -1;
	}
	while (!err && (name = strsep(&rest, ",")))
		err = reuse_map(obj, name, module_fd);
	free(names);
	return err;
}

/* Parameters are set again, and constants come from the file. */
static bool keeps_content(const struct bpf_map *map)
{
	return bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS && bpf_map__autocreate(map) &&
	       !(bpf_map__map_flags(map) & BPF_F_RDONLY_PROG);
}

void module_reuse_all_maps(struct bpf_object *obj, const struct bpf_module *mod, int module_fd)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		int err = keeps_content(map) ? bpf_map__reuse_module_fd(map, module_fd) : 0;

		if (err && err != -ENOENT)
			p_info("module %s is reloaded without the contents of map %s: %s",
			       bpf_module__name(mod), module_text(bpf_map__name(map)),
			       module_last_warning(strerror(-err)));
	}
}
