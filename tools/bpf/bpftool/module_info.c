// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module info: what is in an object file, without loading it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define LABEL "%-12s"

struct file {
	const char *path;
	struct bpf_object *obj;
	struct module_elf *elf;
	struct module_missing *missing;
	size_t missing_cnt;
	bool knows_missing;
};

static const char *info_value(const char *info)
{
	return strchr(info, '=') + 1;
}

/* The text of "parm=NAME:TEXT" for a parameter, NULL for none. */
static const char *find_description(const struct file *f, const char *param)
{
	size_t len = strlen(param);
	const char *info = NULL;

	while ((info = module_elf_next_info(f->elf, "parm", info))) {
		const char *value = info_value(info);

		if (strncmp(value, param, len) == 0 && value[len] == ':')
			return value + len + 1;
	}
	return NULL;
}

/* Plain members of ops that have a description are shown with the variables. */
static void visit_described_members(const struct file *f, const struct bpf_map *map,
				    visit_param_fn visit, void *ctx)
{
	struct module_param param = { .btf = bpf_object__btf(f->obj) };
	const struct btf_type *t = btf__type_by_id(param.btf, bpf_map__btf_value_type_id(map));
	const struct btf_member *m = btf_members(t);
	char name[1024];
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		snprintf(name, sizeof(name), "%s.%s", bpf_map__name(map),
			 btf__name_by_offset(param.btf, m->name_off));
		if (module_is_func_ptr(param.btf, m->type) || !find_description(f, name))
			continue;
		param.name = name;
		param.type_id = m->type;
		param.data = module_member_data(param.btf, map, m);
		if (param.data)
			visit(&param, ctx);
	}
}

static void visit_params(const struct file *f, visit_param_fn visit, void *ctx)
{
	const struct btf *btf = bpf_object__btf(f->obj);
	struct bpf_map *map;
	const void *data;
	size_t size;

	bpf_object__for_each_map(map, f->obj) {
		if (!bpf_map__is_internal(map))
			continue;
		data = bpf_map__initial_value(map, &size);
		if (data)
			module_visit_params(btf, bpf_map__btf_value_type_id(map), data, size,
					    visit, ctx);
	}
	bpf_object__for_each_map(map, f->obj)
		if (bpf_map__module(map))
			visit_described_members(f, map, visit, ctx);
}

/* The program that a member of ops points to, NULL for a plain one. The bytes in the file
 * are a pointer only if a relocation has made them one.
 */
static struct bpf_program *member_prog(const struct file *f, const struct module_param *member)
{
	struct bpf_program *prog;

	if (!module_is_func_ptr(member->btf, member->type_id))
		return NULL;

	bpf_object__for_each_program(prog, f->obj)
		if (memcmp(member->data, &prog, sizeof(prog)) == 0)
			return prog;
	return NULL;
}

static void print_member_json(const struct module_param *member, const struct bpf_program *prog)
{
	if (prog) {
		jsonw_string_field(json_wtr, member->name, bpf_program__name(prog));
	} else {
		jsonw_name(json_wtr, member->name);
		module_dump_value(json_wtr, false, member);
	}
}

static void print_member_plain(const struct module_param *member, const struct bpf_program *prog)
{
	char *text;

	if (prog) {
		printf(LABEL "  .%s = %s\n", "", module_text(member->name),
		       module_text(bpf_program__name(prog)));
		return;
	}

	text = module_format_value(member);
	printf(LABEL "  .%s = %s\n", "", module_text(member->name), text ?: "?");
	free(text);
}

/* As in C, members that are not named are zero. */
static void print_members(const struct file *f, const struct bpf_map *map)
{
	struct module_param member = { .btf = bpf_object__btf(f->obj) };
	const struct btf_type *t = btf__type_by_id(member.btf, bpf_map__btf_value_type_id(map));
	const struct btf_member *m = btf_members(t);
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		member.name = btf__name_by_offset(member.btf, m->name_off);
		member.type_id = m->type;
		member.data = module_member_data(member.btf, map, m);
		if (!member.data ||
		    libbpf_is_mem_zeroed(member.data, btf__resolve_size(member.btf, m->type)))
			continue;
		if (json_output)
			print_member_json(&member, member_prog(f, &member));
		else
			print_member_plain(&member, member_prog(f, &member));
	}
}

/* The type as the kernel knows it, without "___suffix". */
static const char *ops_type(const struct file *f, const struct bpf_map *map, char *buf, size_t size)
{
	const struct btf *btf = bpf_object__btf(f->obj);
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const char *name = btf__name_by_offset(btf, t->name_off);

	snprintf(buf, size, "%.*s", (int)bpf_core_essential_name_len(name), name);
	return buf;
}

static void print_ops_json(const struct file *f, const struct bpf_map *map)
{
	char type[512];

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", bpf_map__name(map));
	jsonw_string_field(json_wtr, "type", ops_type(f, map, type, sizeof(type)));
	jsonw_bool_field(json_wtr, "optional", !bpf_map__autocreate(map));
	jsonw_name(json_wtr, "members");
	jsonw_start_object(json_wtr);
	print_members(f, map);
	jsonw_end_object(json_wtr);
	jsonw_end_object(json_wtr);
}

static void print_modules_json(const struct file *f)
{
	struct bpf_module *mod;
	struct bpf_map *map;

	jsonw_name(json_wtr, "modules");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_module(mod, f->obj) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", bpf_module__name(mod));
		jsonw_name(json_wtr, "ops");
		jsonw_start_array(json_wtr);
		bpf_object__for_each_map(map, f->obj)
			if (bpf_map__module(map) == mod)
				print_ops_json(f, map);
		jsonw_end_array(json_wtr);
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
}

static void print_modules_plain(const struct file *f)
{
	struct bpf_module *mod;
	struct bpf_map *map;
	char type[512];
	bool first;

	bpf_object__for_each_module(mod, f->obj) {
		printf(LABEL "%s\n", "module", bpf_module__name(mod));
		first = true;
		bpf_object__for_each_map(map, f->obj) {
			if (bpf_map__module(map) != mod)
				continue;
			printf(LABEL "%s (%s%s)\n", first ? "ops" : "",
			       module_text(bpf_map__name(map)),
			       module_text(ops_type(f, map, type, sizeof(type))),
			       bpf_map__autocreate(map) ? "" : ", optional");
			print_members(f, map);
			first = false;
		}
	}
}

static const char *map_type(const struct bpf_map *map)
{
	return libbpf_bpf_map_type_str(bpf_map__type(map)) ?: "unknown type";
}

static bool has_several_modules(const struct file *f)
{
	struct bpf_module *first = bpf_object__next_module(f->obj, NULL);

	return first && bpf_object__next_module(f->obj, first);
}

/* What happens to the program when the object is loaded; "" if its section says it. */
static const char *describe_prog(const struct file *f, const struct bpf_program *prog)
{
	if (module_prog_kind(prog) == MODULE_PROG_REFUSED)
		return ", refused: no link attaches it";
	if (bpf_program__module(prog) || module_prog_is_used(f->obj, f->elf, prog))
		return "";
	return module_prog_kind(prog) == MODULE_PROG_LINKED ? ", of no module" : ", not attached";
}

/* In a section "?...": it is left out. Callbacks are shown with their ops. */
static bool is_optional(const struct bpf_program *prog)
{
	return !bpf_program__autoload(prog) && bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS;
}

static void print_prog_json(const struct file *f, const struct bpf_program *prog)
{
	const struct bpf_module *mod = bpf_program__module(prog);
	const char *need = module_prog_need(prog), *option = module_prog_option(prog);

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", bpf_program__name(prog));
	jsonw_string_field(json_wtr, "section", bpf_program__section_name(prog));
	jsonw_bool_field(json_wtr, "attached", !*describe_prog(f, prog));
	jsonw_bool_field(json_wtr, "optional", is_optional(prog));
	if (mod)
		jsonw_string_field(json_wtr, "module", bpf_module__name(mod));
	if (*need)
		jsonw_string_field(json_wtr, "needs", need);
	if (*option)
		jsonw_string_field(json_wtr, "takes", option);
	jsonw_end_object(json_wtr);
}

static void print_prog_plain(const struct file *f, const struct bpf_program *prog,
			     const char *label)
{
	const char *name = module_text(bpf_program__name(prog)), *need = module_prog_need(prog);
	const struct bpf_module *mod = bpf_program__module(prog);
	/* for a callback its ops say it */
	bool tells_module = mod && has_several_modules(f) &&
			    bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS;

	printf(LABEL "%s (%s%s%s%s", label, name, module_text(bpf_program__section_name(prog)),
	       describe_prog(f, prog), tells_module ? ", of " : "",
	       tells_module ? bpf_module__name(mod) : "");
	if (is_optional(prog))
		printf(", optional");
	else if (*need)
		printf(", needs %s.%s", name, need);
	printf(")\n");
}

static void print_progs_maps_json(const struct file *f)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	jsonw_name(json_wtr, "programs");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_program(prog, f->obj)
		print_prog_json(f, prog);
	jsonw_end_array(json_wtr);

	jsonw_name(json_wtr, "maps");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_map(map, f->obj) {
		if (bpf_map__module(map))
			continue;
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", bpf_map__name(map));
		jsonw_string_field(json_wtr, "type", map_type(map));
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
}

static void print_progs_maps_plain(const struct file *f)
{
	const char *label = "programs";
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, f->obj) {
		print_prog_plain(f, prog, label);
		label = "";
	}

	label = "maps";
	bpf_object__for_each_map(map, f->obj) {
		if (bpf_map__module(map))
			continue;
		printf(LABEL "%s (%s)\n", label, module_text(bpf_map__name(map)), map_type(map));
		label = "";
	}
}

static void print_param_json(const struct module_param *param, void *ctx)
{
	module_print_param_json(param, "default", find_description(ctx, param->name));
}

struct param_list {
	const struct file *f;
	const char *label;
};

static void print_param_plain(const struct module_param *param, void *ctx)
{
	char *value = module_format_value(param), type[512];
	struct param_list *list = ctx;
	const char *description;

	description = find_description(list->f, param->name);
	libbpf_format_type(param->btf, param->type_id, type, sizeof(type));
	printf(LABEL "%s = %s (%s)%s%s\n", list->label, module_text(param->name), value ?: "?",
	       module_text(type), description ? ": " : "", module_text(description ?: ""));
	list->label = "";
	free(value);
}

static void print_infos_json(const struct file *f)
{
	const char *info;
	size_t i;

	for (i = 0; i < MODULE_DESC_KEYS; i++) {
		jsonw_name(json_wtr, module_desc_keys[i]);
		jsonw_start_array(json_wtr);
		info = NULL;
		while ((info = module_elf_next_info(f->elf, module_desc_keys[i], info)))
			jsonw_string(json_wtr, info_value(info));
		jsonw_end_array(json_wtr);
	}
}

static void print_infos_plain(const struct file *f)
{
	const char *info;
	size_t i;

	for (i = 0; i < MODULE_DESC_KEYS; i++) {
		info = NULL;
		while ((info = module_elf_next_info(f->elf, module_desc_keys[i], info)))
			printf(LABEL "%s\n", module_desc_keys[i],
			       module_text(info_value(info)));
	}
}

static void print_missing_json(const struct file *f)
{
	size_t i;

	jsonw_name(json_wtr, "missing");
	if (!f->knows_missing) {
		jsonw_null(json_wtr);
		return;
	}

	jsonw_start_array(json_wtr);
	for (i = 0; i < f->missing_cnt; i++) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "what", f->missing[i].what);
		jsonw_string_field(json_wtr, "name", f->missing[i].name);
		jsonw_bool_field(json_wtr, "optional", f->missing[i].is_optional);
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
}

static void print_missing_plain(const struct file *f)
{
	size_t i;

	if (!f->knows_missing) {
		printf(LABEL "can't tell what it lacks: no BTF of the kernel\n", "kernel");
		return;
	}

	if (!f->missing_cnt)
		printf(LABEL "has what is needed\n", "kernel");
	for (i = 0; i < f->missing_cnt; i++)
		printf(LABEL "lacks %s %s%s\n", i ? "" : "kernel", f->missing[i].what,
		       module_text(f->missing[i].name),
		       f->missing[i].is_optional ? " (optional)" : "");
}

/* By the kernel's rule. */
static bool is_gpl_compatible(const struct file *f)
{
	static const char * const licenses[] = { "GPL", "GPL v2", "GPL and additional rights",
						 "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL" };
	const char *license = module_elf_license(f->elf) ?: "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(licenses); i++)
		if (strcmp(license, licenses[i]) == 0)
			return true;
	return false;
}

static bool has_ops(const struct file *f)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, f->obj)
		if (bpf_map__module(map))
			return true;
	return false;
}

static void print_file_json(struct file *f)
{
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "file", f->path);
	print_infos_json(f);
	jsonw_string_field(json_wtr, "license", module_elf_license(f->elf) ?: "");
	jsonw_bool_field(json_wtr, "gpl_compatible", is_gpl_compatible(f));
	print_modules_json(f);
	module_file_funcs_json(f->obj);
	print_progs_maps_json(f);
	jsonw_name(json_wtr, "params");
	jsonw_start_array(json_wtr);
	visit_params(f, print_param_json, f);
	jsonw_end_array(json_wtr);
	print_missing_json(f);
	jsonw_end_object(json_wtr);
}

static void print_file_plain(const struct file *f)
{
	struct param_list list = { .f = f, .label = "params" };

	printf(LABEL "%s\n", "file", f->path);
	print_infos_plain(f);
	printf(LABEL "%s%s\n", "license", module_text(module_elf_license(f->elf) ?: "none"),
	       is_gpl_compatible(f) || !has_ops(f) ? "" :
	       ", not GPL-compatible: the kernel takes no such ops");
	print_modules_plain(f);
	module_file_funcs_plain(f->obj);
	print_progs_maps_plain(f);
	visit_params(f, print_param_plain, &list);
	print_missing_plain(f);
}

static bool has_links(const struct file *f)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, f->obj)
		if (module_prog_kind(prog) != MODULE_PROG_OTHER)
			return true;
	return false;
}

static int show_file(struct file *f)
{
	if (!has_ops(f) && !has_links(f) && !module_file_has_funcs(f->obj))
		return module_nothing_to_load(f->path);

	f->elf = module_elf_open(f->path);
	if (!f->elf)
		return -1;

	f->knows_missing = !module_find_missing(f->obj, f->path, f->elf, &f->missing,
						&f->missing_cnt);
	if (json_output)
		print_file_json(f);
	else
		print_file_plain(f);

	module_free_missing(f->missing, f->missing_cnt);
	module_elf_close(f->elf);
	return 0;
}

static bool find_by_name(const char *name, char *path, size_t size)
{
	struct module_conf conf = {};
	bool found;

	if (module_conf_read(&conf))
		return false;
	found = module_find_file(module_conf_resolve(&conf, name), path, size);
	module_conf_free(&conf);
	return found;
}

/* Show a loaded module for whose name there is no file. */
static int show_loaded(const char *name)
{
	struct bpf_module_info info;
	int fd, err;

	fd = module_look_up(name, false, &info) ? -1 : bpf_module_get_fd_by_id(info.id);
	if (fd < 0)
		return module_not_found(name);
	err = module_show(fd);
	close(fd);
	return err;
}

int module_file_info(int argc, char **argv)
{
	libbpf_print_fn_t old_print;
	struct file f = {};
	char path[PATH_MAX];
	int err = -1;

	if (!REQ_ARGS(1))
		return -1;
	f.path = GET_ARG();
	if (argc)
		return BAD_ARG();
	if (!module_is_file(f.path)) {
		if (!find_by_name(f.path, path, sizeof(path)))
			return show_loaded(f.path);
		f.path = path;
	}

	old_print = module_warnings_begin();
	f.obj = module_open_object(f.path);
	if (f.obj)
		err = show_file(&f);
	module_free_texts();
	bpf_object__close(f.obj);
	module_warnings_end(old_print);
	return err;
}
