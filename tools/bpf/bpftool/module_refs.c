// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Which BPF modules programs, maps and links belong to, for the commands that list
 * these.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>

#include <bpf/hashmap.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

static void link_ref_plain(__u32 id)
{
	const struct module_name *name = id ? module_name_of(id) : NULL;

	if (name)
		printf("\n\tmodule %s", name->name);
	else if (id)
		printf("\n\tmodule_id %u", id);
}

static void link_ref_json(__u32 id)
{
	const struct module_name *name = id ? module_name_of(id) : NULL;

	if (!id)
		return;
	jsonw_name(json_wtr, "modules");
	jsonw_start_array(json_wtr);
	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "id", id);
	if (name)
		jsonw_string_field(json_wtr, "name", name->name);
	jsonw_end_object(json_wtr);
	jsonw_end_array(json_wtr);
}

void module_refs_plain(enum bpf_obj_type type, __u32 id)
{
	const struct hashmap *refs = module_names_by(type);
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
	const struct hashmap *refs = module_names_by(type);
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

void module_refs_free(void)
{
	module_names_free();
}
