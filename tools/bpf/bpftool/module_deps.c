// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module deps: the modules that an object or a module needs, in load order.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

enum { ID, NAME, STATE, NEEDS, FILE_PATH, COLUMNS };

static const struct module_column columns[COLUMNS + 1] = {
	[ID]		= { "ID" },
	[NAME]		= { "NAME" },
	[STATE]		= { "STATE" },
	[NEEDS]		= { "NEEDS" },
	[FILE_PATH]	= { "FILE" },
};

static const char *state_text(const struct module_step *step)
{
	if (step->is_missing)
		return "missing";
	if (step->state < 0)
		return "unknown";
	return step->state ? module_state_name(step->state) : "not loaded";
}

static void set_needs(struct module_table *table, const struct module_needs *needs)
{
	char *list = NULL;
	size_t size, i;
	FILE *f;

	f = open_memstream(&list, &size);
	if (!f)
		return;
	for (i = 0; i < needs->cnt; i++)
		fprintf(f, "%s%s%s", i ? ", " : "", module_text(needs->needs[i].module),
			needs->needs[i].is_optional ? " (optional)" : "");
	fclose(f);
	module_table_set(table, NEEDS, "%s", list ?: "?");
	free(list);
}

static void add_row(struct module_table *table, const struct module_step *step)
{
	module_table_row(table);
	if (step->id)
		module_table_set(table, ID, "%u", step->id);
	else
		module_table_set(table, ID, "-");
	module_table_set(table, NAME, "%s", module_text(step->name));
	module_table_set(table, STATE, "%s", state_text(step));
	set_needs(table, &step->needs);
	if (step->path)
		module_table_set(table, FILE_PATH, "%s", module_text(step->path));
}

static int print_plain(const struct module_plan *plan)
{
	struct module_table *table = module_table_new(columns);
	size_t i;

	for (i = 0; table && i < plan->cnt; i++)
		add_row(table, &plan->steps[i]);
	if (table && !module_table_print(table))
		return 0;
	p_err("mem alloc failed");
	return -1;
}

static void print_step_json(const struct module_step *step)
{
	size_t i;

	jsonw_start_object(json_wtr);
	if (step->id)
		jsonw_uint_field(json_wtr, "id", step->id);
	jsonw_string_field(json_wtr, "name", step->name);
	jsonw_string_field(json_wtr, "state", state_text(step));
	if (step->path)
		jsonw_string_field(json_wtr, "file", step->path);
	jsonw_name(json_wtr, "needs");
	jsonw_start_array(json_wtr);
	for (i = 0; i < step->needs.cnt; i++) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", step->needs.needs[i].module);
		jsonw_bool_field(json_wtr, "optional", step->needs.needs[i].is_optional);
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
	jsonw_end_object(json_wtr);
}

/* Does a module that has to be loaded need it? */
static bool is_needed(const struct module_plan *plan, const char *name)
{
	size_t i, k;

	for (i = 0; i < plan->cnt; i++)
		for (k = 0; k < plan->steps[i].needs.cnt; k++)
			if (!strcmp(plan->steps[i].needs.needs[k].module, name) &&
			    !plan->steps[i].needs.needs[k].is_optional)
				return true;
	return false;
}

/* Is there something missing that prevents loading the last one? */
static int check_missing(const struct module_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->cnt; i++) {
		const char *name = plan->steps[i].name;

		if (!plan->steps[i].is_missing || !is_needed(plan, name))
			continue;
		p_err("module %s is not loaded, and there is no object of that name",
		      module_text(name));
		return -1;
	}
	return 0;
}

static int print_plan(const struct module_plan *plan)
{
	size_t i;
	int err;

	if (!json_output)
		return print_plain(plan) ?: check_missing(plan);

	jsonw_start_array(json_wtr);
	for (i = 0; i < plan->cnt; i++)
		print_step_json(&plan->steps[i]);
	err = check_missing(plan);
	jsonw_end_array(json_wtr);
	return err;
}

static int show_loaded(int fd)
{
	struct module_plan plan = {};
	struct bpf_module_info info;
	int err;

	err = module_get_info(fd, &info);
	if (err)
		return module_info_error(err);
	if (!info.id) {
		p_err("module %s is gone", info.name);
		return -1;
	}
	err = module_plan_loaded(&plan, info.id) ?: print_plan(&plan);
	module_plan_free(&plan);
	return err;
}

static int plan_and_print(const struct bpf_object *obj, const char *path,
			  const struct module_conf *conf)
{
	const struct bpf_module *mod = bpf_object__next_module(obj, NULL);
	const char *name = mod ? bpf_module__name(mod) : path;
	struct module_plan plan = { .conf = conf };
	int err;

	err = module_plan_object(&plan, name, path, obj) ?:
	      module_plan_add_object(&plan, name, path, obj) ?: print_plan(&plan);
	module_plan_free(&plan);
	return err;
}

static int show_object(const char *path, const struct module_conf *conf)
{
	libbpf_print_fn_t old_print = module_warnings_begin();
	struct bpf_object *obj;
	int err = -1;

	obj = module_open_object(path);
	if (obj)
		err = plan_and_print(obj, path, conf);
	bpf_object__close(obj);
	module_warnings_end(old_print);
	return err;
}

static int show_file(const char *file)
{
	struct module_conf conf = {};
	int err;

	err = module_conf_read(&conf) ?: show_object(file, &conf);
	module_conf_free(&conf);
	return err;
}

/* The name of an object, or if there is none, of a loaded module. */
static int show_name(const char *name)
{
	struct module_conf conf = {};
	struct bpf_module_info info;
	char path[PATH_MAX];
	int err, fd;

	if (module_conf_read(&conf))
		return -1;
	if (module_find_file(module_conf_resolve(&conf, name), path, sizeof(path))) {
		err = show_object(path, &conf);
	} else {
		fd = module_look_up(name, false, &info) ? -1 : bpf_module_get_fd_by_id(info.id);
		err = fd < 0 ? module_not_found(name) : show_loaded(fd);
		if (fd >= 0)
			close(fd);
	}
	module_conf_free(&conf);
	return err;
}

static int show_module(int argc, char **argv)
{
	int fd = module_parse_fd(&argc, &argv), err;

	if (fd < 0)
		return -1;
	err = argc ? BAD_ARG() : show_loaded(fd);
	close(fd);
	return err;
}

int module_deps(int argc, char **argv)
{
	const char *word;
	int err;

	if (!REQ_ARGS(1))
		return -1;
	if (module_is_keyword(*argv)) {
		err = show_module(argc, argv);
	} else {
		word = GET_ARG();
		if (argc)
			return BAD_ARG();
		err = module_is_file(word) ? show_file(word) : show_name(word);
	}
	module_names_free();
	module_free_texts();
	return err;
}
