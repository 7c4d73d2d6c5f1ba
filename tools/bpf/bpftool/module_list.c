// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The list of BPF modules as a table for people.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/hashmap.h>

#include "main.h"
#include "module.h"

enum { ID, NAME, STATE, USERS, OPS, LINKS, FUNCS, MEMORY, AGE, LOADER, USED_BY, PINNED, COLUMNS };

static const struct module_column all_columns[COLUMNS + 1] = {
	[ID]		= { "ID" },
	[NAME]		= { "NAME" },
	[STATE]		= { "STATE" },
	[USERS]		= { "USERS", true },
	[OPS]		= { "OPS", true },
	[LINKS]		= { "LINKS", true },
	[FUNCS]		= { "FUNCS", true },
	[MEMORY]	= { "MEMORY", true },
	[AGE]		= { "AGE", true },
	[LOADER]	= { "LOADER" },
	[USED_BY]	= { "USED BY" },
	[PINNED]	= { "PINNED" },
};

static void set_pins(struct module_table *table, const struct module *mod,
		     const struct hashmap *pins)
{
	struct hashmap_entry *entry;
	char *list = NULL;
	size_t size;
	FILE *f;

	if (mod->pin) {
		module_table_set(table, PINNED, "%s", module_text(mod->pin));
		return;
	}
	f = mod->info.id ? open_memstream(&list, &size) : NULL;
	if (!f)
		return;
	hashmap__for_each_key_entry(pins, entry, (long)mod->info.id)
		fprintf(f, "%s%s", ftell(f) ? "  " : "", module_text(entry->pvalue));
	fclose(f);
	module_table_set(table, PINNED, "%s", list ?: "");
	free(list);
}

static void add_row(struct module_table *table, const struct module *mod)
{
	const struct bpf_module_info *info = &mod->info;
	char memory[32], age[32], user[64], *used_by;

	module_format_memory(memory, sizeof(memory), info->memory);
	module_format_age(age, sizeof(age), info->load_time);
	module_format_user(user, sizeof(user), info->uid);
	used_by = module_format_used_by(mod);

	module_table_row(table);
	if (info->id)
		module_table_set(table, ID, "%u", info->id);
	else
		module_table_set(table, ID, "-");
	module_table_set(table, NAME, "%s", info->name);
	module_table_set(table, STATE, "%s", module_state_name(info->state));
	module_table_set(table, USERS, "%llu", info->users);
	module_table_set(table, OPS, "%u", info->ops_cnt);
	module_table_set(table, LINKS, "%u", info->links_cnt);
	module_table_set(table, FUNCS, "%u", info->funcs_cnt);
	module_table_set(table, MEMORY, "%s", memory);
	module_table_set(table, AGE, "%s", age);
	module_table_set(table, LOADER, "%s", user);
	module_table_set(table, USED_BY, "%s", used_by ?: "?");
	free(used_by);
}

int module_print_list(const struct module *mods, size_t cnt, const struct hashmap *pins)
{
	struct module_column columns[COLUMNS + 1];
	struct module_table *table;
	size_t i;

	memcpy(columns, all_columns, sizeof(columns));
	if (!pins)
		columns[PINNED].title = NULL;
	table = module_table_new(columns);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < cnt; i++) {
		add_row(table, &mods[i]);
		if (pins)
			set_pins(table, &mods[i], pins);
	}
	return module_table_print(table);
}
