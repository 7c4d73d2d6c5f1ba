// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Find who has the name for which a subsystem refused an op: the kernel only says that
 * it is taken.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

/* The text in the member "name" of the struct at @value, NULL for none. */
static const char *name_in(const struct btf *btf, const struct btf_type *t, const void *value,
			   size_t size)
{
	const struct btf_member *m = btf_members(t);
	const char *name;
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(btf, m->name_off), "name"))
			continue;
		name = module_data_at(btf, m->type, value, size, m->offset / 8);
		return name && memchr(name, '\0', value + size - (const void *)name) ? name : NULL;
	}
	return NULL;
}

static const struct btf_type *ops_type(const struct bpf_object *obj, const struct bpf_map *map)
{
	return btf__type_by_id(bpf_object__btf(obj), bpf_map__btf_value_type_id(map));
}

static const char *ops_name(const struct bpf_object *obj, const struct bpf_map *map)
{
	size_t size;
	const void *value = bpf_map__initial_value(map, &size);

	return value ? name_in(bpf_object__btf(obj), ops_type(obj, map), value, size) : NULL;
}

/* Another op of @map's own module that has the same name. */
static const struct bpf_map *find_twin(const struct bpf_object *obj, const struct bpf_map *map,
				       const char *name)
{
	const struct bpf_map *other;

	bpf_object__for_each_map(other, obj) {
		const char *other_name;

		if (other == map || bpf_map__module(other) != bpf_map__module(map) ||
		    !bpf_map__autocreate(other) || ops_type(obj, other) != ops_type(obj, map))
			continue;
		other_name = ops_name(obj, other);
		if (other_name && strcmp(other_name, name) == 0)
			return other;
	}
	return NULL;
}

static bool has_ops(const struct module *mod, const char *type, const char *name)
{
	const struct bpf_module_ops_info *ops = mod->ops;
	const struct btf_type *t;
	const struct btf *btf;
	const char *ops_name;
	__u32 i;

	for (i = 0; i < mod->info.ops_cnt; i++, ops++) {
		btf = module_kernel_btf(ops->btf_obj_id);
		t = btf ? btf__type_by_id(btf, ops->type_id) : NULL;
		if (!t || !btf_is_struct(t) || !ops->value || t->size != ops->value_size ||
		    ops->state != BPF_MODULE_OPS_REGISTERED ||
		    strcmp(btf__name_by_offset(btf, t->name_off), type))
			continue;
		ops_name = name_in(btf, t, u64_to_ptr(ops->value), ops->value_size);
		if (ops_name && strcmp(ops_name, name) == 0)
			return true;
	}
	return false;
}

/* Write to @text, which stays empty if no module has the name. */
static void find_module(const char *type, const char *name, char *text, size_t size)
{
	struct module mod;
	__u32 id = 0;
	int fd;

	while (!*text && (fd = module_open_next(&id)) >= 0) {
		if (!module_read(fd, &mod) && !module_read_values(fd, &mod) &&
		    has_ops(&mod, type, name))
			snprintf(text, size, "; module %s (id %u) has it", mod.info.name, id);
		module_free(&mod);
		close(fd);
	}
	module_free_kernel_btf();
}

/* @log is the kernel's line, "op NAME (TYPE): ..." */
void module_find_clash(const struct bpf_object *obj, const char *log, char *text, size_t size)
{
	const struct bpf_map *map, *twin;
	char op[BPF_MODULE_NAME_LEN], type[128];
	const char *name;

	text[0] = '\0';
	if (sscanf(log, "op %63s (%127[^)]", op, type) != 2)
		return;
	bpf_object__for_each_map(map, obj) {
		if (!bpf_map__module(map) || strcmp(bpf_map__name(map), op))
			continue;
		name = ops_name(obj, map);
		if (!name)
			return;
		twin = find_twin(obj, map, name);
		if (twin)
			snprintf(text, size, "; op %s has that name", bpf_map__name(twin));
		else
			find_module(type, name, text, size);
		return;
	}
}
