// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: its output.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"
#include "module_load.h"

/* Names as "a, b". */
struct name_list {
	FILE *file;
	const char *sep;
	char *text;
	size_t size;
};

static bool name_list_open(struct name_list *list)
{
	list->sep = "";
	list->text = NULL;
	list->file = open_memstream(&list->text, &list->size);
	return list->file;
}

static void name_list_add(struct name_list *list, const char *name)
{
	fprintf(list->file, "%s%s", list->sep, module_text(name));
	list->sep = ", ";
}

/* To be freed, NULL without memory. */
static char *name_list_close(struct name_list *list)
{
	fclose(list->file);
	return list->text;
}

/* Those of the object or of @mod as "a, b": to be freed, NULL without memory. */
char *load_list_ops(const struct bpf_object *obj, const struct bpf_module *mod)
{
	struct name_list list;
	struct bpf_map *map;

	if (!name_list_open(&list))
		return NULL;
	bpf_object__for_each_map(map, obj)
		if (load_is_ops_of(map, mod))
			name_list_add(&list, bpf_map__name(map));
	return name_list_close(&list);
}

/* Is the program one that is attached with a module, or that it exports? */
typedef bool (*has_prog_fn)(const struct bpf_module *mod, const struct bpf_program *prog);

/* Those of @mod, as "a, b": to be freed, NULL without memory. */
static char *list_progs(const struct bpf_object *obj, const struct bpf_module *mod,
			has_prog_fn has_prog)
{
	struct bpf_program *prog;
	struct name_list list;

	if (!name_list_open(&list))
		return NULL;
	bpf_object__for_each_program(prog, obj)
		if (has_prog(mod, prog))
			name_list_add(&list, bpf_program__name(prog));
	return name_list_close(&list);
}

/* At boot: it is loaded when the device appears. */
void load_report_waiting(const struct bpf_module *mod, const char *dev, const char *needed)
{
	if (!json_output) {
		printf("Module %s waits for network device %s", bpf_module__name(mod),
		       module_text(dev));
		if (needed)
			printf(", as module %s does, which it needs", module_text(needed));
		printf("\n");
		return;
	}
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", bpf_module__name(mod));
	jsonw_string_field(json_wtr, "waits_for_dev", dev);
	if (needed)
		jsonw_string_field(json_wtr, "as_needs", needed);
	jsonw_end_object(json_wtr);
}

static void report_present(const struct bpf_module_info *info)
{
	if (!json_output) {
		printf("Module %s (id %u) is already loaded\n", info->name, info->id);
		return;
	}

	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "id", info->id);
	jsonw_string_field(json_wtr, "name", info->name);
	jsonw_bool_field(json_wtr, "loaded_already", true);
	jsonw_end_object(json_wtr);
}

/* " with ops a, b, programs c, d and functions e": to be freed, NULL without memory. */
static char *describe_parts(const struct bpf_object *obj, const struct bpf_module *mod)
{
	static const char * const kinds[] = { "ops", "programs", "functions" };
	char *parts[ARRAY_SIZE(kinds)];
	size_t i, size, cnt = 0, all = 0;
	char *text = NULL;
	FILE *f;

	parts[0] = load_list_ops(obj, mod);
	parts[1] = list_progs(obj, mod, module_attaches);
	parts[2] = list_progs(obj, mod, module_exports);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		all += parts[i] && *parts[i];

	f = open_memstream(&text, &size);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (f && parts[i] && *parts[i])
			fprintf(f, "%s%s %s", !cnt++ ? " with " : cnt < all ? ", " : " and ",
				kinds[i], parts[i]);
		free(parts[i]);
	}
	if (f)
		fclose(f);
	return text;
}

static void progs_json(const char *field, const struct bpf_object *obj,
		       const struct bpf_module *mod, has_prog_fn has_prog)
{
	struct bpf_program *prog;

	jsonw_name(json_wtr, field);
	jsonw_start_array(json_wtr);
	bpf_object__for_each_program(prog, obj)
		if (has_prog(mod, prog))
			jsonw_string(json_wtr, bpf_program__name(prog));
	jsonw_end_array(json_wtr);
}

static void report_module(const struct bpf_object *obj, const struct bpf_module *mod,
			  const struct load_args *args)
{
	const char *name = bpf_module__name(mod);
	struct bpf_module_info info;
	struct bpf_map *map;
	char *parts;

	/* somebody else has loaded it, or this is a dry run */
	if (bpf_module__fd(mod) < 0 || module_get_info(bpf_module__fd(mod), &info))
		info.id = 0;

	/* it will get the name of the other one */
	if (args->dry_run && args->replace_fd >= 0 && !module_get_info(args->replace_fd, &info)) {
		name = info.name;
		info.id = 0;
	}

	if (!json_output) {
		parts = describe_parts(obj, mod);
		if (info.id)
			printf("Loaded module %s (id %u)%s\n", name, info.id, parts ?: "");
		else
			printf("Would load module %s%s\n", name, parts ?: "");
		free(parts);
		return;
	}

	jsonw_start_object(json_wtr);
	if (info.id)
		jsonw_uint_field(json_wtr, "id", info.id);
	jsonw_string_field(json_wtr, "name", name);
	if (args->dry_run)
		jsonw_bool_field(json_wtr, "dry_run", true);
	if (args->dry_run)
		jsonw_bool_field(json_wtr, "checked", !args->is_unchecked);
	jsonw_name(json_wtr, "ops");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_map(map, obj)
		if (bpf_map__module(map) == mod && bpf_map__autocreate(map))
			jsonw_string(json_wtr, bpf_map__name(map));
	jsonw_end_array(json_wtr);
	progs_json("programs", obj, mod, module_attaches);
	progs_json("funcs", obj, mod, module_exports);
	module_progs_json(&args->left_out);
	if (args->pin_to.old)
		jsonw_string_field(json_wtr, "pin_was_of", args->pin_to.old);
	jsonw_end_object(json_wtr);
}

void load_report(const struct bpf_object *obj, const struct load_args *args)
{
	bool is_array = json_output && !args->in_list;
	struct bpf_module *mod;
	int i;

	if (is_array)
		jsonw_start_array(json_wtr);
	for (i = 0; i < args->present_cnt && (json_output || !args->by_system); i++)
		report_present(&args->present[i]);
	for (mod = load_next_chosen(obj, NULL); mod; mod = load_next_chosen(obj, mod))
		if (args->dry_run || bpf_module__fd(mod) >= 0)
			report_module(obj, mod, args);
	if (is_array)
		jsonw_end_array(json_wtr);
	if (!json_output && load_next_chosen(obj, NULL))
		module_progs_plain(&args->left_out);
	if (!json_output && args->is_unchecked)
		printf("Not checked: its programs, since not all that they call is loaded\n");
}
