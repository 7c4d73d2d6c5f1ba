// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Which BPF modules programs, maps and links belong to, for the commands that list
 * these.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/err.h>

#include <bpf/bpf.h>
#include <bpf/hashmap.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* A module, in a list to be freed. */
struct module_name {
	struct module_name *next;
	__u32 id;
	char name[BPF_MODULE_NAME_LEN];
};

static struct module_name *names;
/* ids of programs and of maps, to the names of their modules */
static struct hashmap *prog_refs, *map_refs;

static void add_ids(struct hashmap *refs, const __u32 *ids, __u32 cnt,
		    const struct module_name *name)
{
	__u32 i;

	/* without memory the list is shown all the same, with less in it */
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

/* A kernel without modules, or a user who may not list them, has none. */
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

static struct hashmap *get_refs(enum bpf_obj_type type)
{
	if (!prog_refs) {
		prog_refs = hashmap__new(hash_fn_for_key_as_id, equal_fn_for_key_as_id, NULL);
		map_refs = hashmap__new(hash_fn_for_key_as_id, equal_fn_for_key_as_id, NULL);
		if (IS_ERR(prog_refs) || IS_ERR(map_refs)) {
			module_refs_free();
			return NULL;
		}
		find_modules();
	}
	return type == BPF_OBJ_PROG ? prog_refs : map_refs;
}

void module_refs_free(void)
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

/* NULL without a name: who asks may not list modules. */
static const char *find_name(__u32 id)
{
	const struct module_name *name;

	get_refs(BPF_OBJ_PROG);
	for (name = names; name; name = name->next)
		if (name->id == id)
			return name->name;
	return NULL;
}

static void link_ref_plain(__u32 id)
{
	const char *name = id ? find_name(id) : NULL;

	if (name)
		printf("\n\tmodule %s", name);
	else if (id)
		printf("\n\tmodule_id %u", id);
}

static void link_ref_json(__u32 id)
{
	const char *name = id ? find_name(id) : NULL;

	if (!id)
		return;
	jsonw_name(json_wtr, "modules");
	jsonw_start_array(json_wtr);
	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "id", id);
	if (name)
		jsonw_string_field(json_wtr, "name", name);
	jsonw_end_object(json_wtr);
	jsonw_end_array(json_wtr);
}

void module_refs_plain(enum bpf_obj_type type, __u32 id)
{
	struct hashmap *refs = get_refs(type);
	const char *sep = "\n\tmodule ";
	struct hashmap_entry *entry;

	if (type == BPF_OBJ_LINK)
		return link_ref_plain(id);

	if (!refs)
		return;

	hashmap__for_each_key_entry(refs, entry, id) {
		const struct module_name *name = entry->pvalue;

		printf("%s%s", sep, name->name);
		sep = ", ";
	}
}

void module_refs_json(enum bpf_obj_type type, __u32 id)
{
	struct hashmap *refs = get_refs(type);
	struct hashmap_entry *entry;
	bool any = false;

	if (type == BPF_OBJ_LINK)
		return link_ref_json(id);

	if (!refs)
		return;

	hashmap__for_each_key_entry(refs, entry, id) {
		const struct module_name *name = entry->pvalue;

		if (!any) {
			jsonw_name(json_wtr, "modules");
			jsonw_start_array(json_wtr);
		}
		any = true;
		jsonw_start_object(json_wtr);
		jsonw_uint_field(json_wtr, "id", name->id);
		jsonw_string_field(json_wtr, "name", name->name);
		jsonw_end_object(json_wtr);
	}
	if (any)
		jsonw_end_array(json_wtr);
}
