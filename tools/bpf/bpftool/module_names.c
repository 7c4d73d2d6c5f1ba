// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Names of the BPF modules of the system, by their ids and by the programs and maps
 * that belong to them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/err.h>

#include <bpf/bpf.h>
#include <bpf/hashmap.h>

#include "main.h"
#include "module.h"

static struct module_name *names;
/* ids of programs and of maps, to the names of their modules */
static struct hashmap *prog_refs, *map_refs;

static void add_ids(struct hashmap *refs, const __u32 *ids, __u32 cnt,
		    const struct module_name *name)
{
	__u32 i;

	/* without memory the list just shows less */
	for (i = 0; i < cnt; i++)
		hashmap__append(refs, ids[i], name);
}

static void add_module(const struct module *mod)
{
	struct module_name *name;

	name = calloc(1, sizeof(*name));
	if (!name)
		return;

	name->id = mod->info.id;
	memcpy(name->name, mod->info.name, sizeof(name->name));
	name->next = names;
	names = name;
	add_ids(prog_refs, mod->prog_ids, mod->info.prog_cnt, name);
	add_ids(map_refs, mod->map_ids, mod->info.map_cnt, name);
}

/* A kernel without modules has none, nor does a user who may not list them. */
static void find_modules(void)
{
	struct module mod;
	__u32 id = 0;
	int fd;

	while ((fd = module_open_next(&id)) >= 0) {
		if (!module_read(fd, &mod) && mod.info.id)
			add_module(&mod);
		module_free(&mod);
		close(fd);
	}
}

const struct hashmap *module_names_by(enum bpf_obj_type type)
{
	if (!prog_refs) {
		prog_refs = hashmap__new(hash_fn_for_key_as_id, equal_fn_for_key_as_id, NULL);
		map_refs = hashmap__new(hash_fn_for_key_as_id, equal_fn_for_key_as_id, NULL);
		if (IS_ERR(prog_refs) || IS_ERR(map_refs)) {
			module_names_free();
			return NULL;
		}
		find_modules();
	}
	return type == BPF_OBJ_PROG ? prog_refs : map_refs;
}

const struct module_name *module_name_of(__u32 id)
{
	const struct module_name *name;

	module_names_by(BPF_OBJ_PROG);
	for (name = names; name; name = name->next)
		if (name->id == id)
			return name;
	return NULL;
}

const struct module_name *module_name_of_prog(__u32 id)
{
	const struct hashmap *refs = module_names_by(BPF_OBJ_PROG);
	struct module_name *name;

	return refs && hashmap__find(refs, id, &name) ? name : NULL;
}

void module_names_free(void)
{
	struct module_name *name;

	hashmap__free(prog_refs);
	hashmap__free(map_refs);
	prog_refs = NULL;
	map_refs = NULL;
	while ((name = names)) {
		names = name->next;
		free(name);
	}
}
