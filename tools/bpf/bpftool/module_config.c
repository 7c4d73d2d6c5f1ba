// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module config: the merged files of modules.d, and what a name means.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <string.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define LABEL "%-12s"

static const char * const kinds[] = {
	[MODULE_CONF_LOAD] = "load",
	[MODULE_CONF_OPTIONS] = "options",
	[MODULE_CONF_BLACKLIST] = "blacklist",
	[MODULE_CONF_ALIAS] = "alias",
};

static void print_place_json(const struct module_conf_line *line)
{
	jsonw_string_field(json_wtr, "file", line->file);
	jsonw_uint_field(json_wtr, "line", line->number);
}

static void print_line_json(const struct module_conf_line *line)
{
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "directive", kinds[line->kind]);
	jsonw_string_field(json_wtr, "name", line->name);
	if (line->kind == MODULE_CONF_OPTIONS)
		jsonw_string_field(json_wtr, "param", line->text);
	if (line->kind == MODULE_CONF_ALIAS)
		jsonw_string_field(json_wtr, "request", line->text);
	print_place_json(line);
	jsonw_end_object(json_wtr);
}

/* In the syntax of the files. */
static void print_line_plain(const struct module_conf_line *line, const char *last_file)
{
	if (strcmp(line->file, last_file))
		printf("%s# %s\n", *last_file ? "\n" : "", module_text(line->file));

	if (line->kind == MODULE_CONF_ALIAS)
		printf("alias %s %s\n", line->text, line->name);
	else
		printf("%s %s%s%s\n", kinds[line->kind], line->name, *line->text ? " " : "",
		       module_text(line->text));
}

static int print_all(const struct module_conf *conf)
{
	const char *last_file = "";
	size_t i;
	int err;

	if (json_output)
		jsonw_start_array(json_wtr);
	err = module_conf_check(conf);
	for (i = 0; i < conf->cnt; i++) {
		const struct module_conf_line *line = &conf->lines[i];

		if (line->kind == MODULE_CONF_BAD)
			continue;
		if (json_output)
			print_line_json(line);
		else
			print_line_plain(line, last_file);
		last_file = line->file;
	}
	if (json_output)
		jsonw_end_array(json_wtr);
	return err;
}

/* Does a later line set the same parameter? */
static bool is_overridden(const struct module_conf *conf, const char *name,
			  const struct module_conf_line *line)
{
	const struct module_conf_line *later = line;
	size_t len = strcspn(line->text, "=") + 1;

	while ((later = module_conf_next_option(conf, name, later)))
		if (strncmp(later->text, line->text, len) == 0)
			return true;
	return false;
}

const struct module_conf_line *module_conf_next_set(const struct module_conf *conf,
						    const char *name,
						    const struct module_conf_line *prev)
{
	do {
		prev = module_conf_next_option(conf, name, prev);
	} while (prev && is_overridden(conf, name, prev));
	return prev;
}

/* The line that loads a name, or its alias, at boot; NULL for none. */
static const struct module_conf_line *find_load(const struct module_conf *conf,
						const char *alias, const char *name)
{
	return module_conf_next(conf, MODULE_CONF_LOAD, alias, NULL) ?:
	       module_conf_next(conf, MODULE_CONF_LOAD, name, NULL);
}

static void print_place_plain(const char *label, const char *what,
			      const struct module_conf_line *line)
{
	if (line)
		printf(LABEL "%s (%s:%u)\n", label, module_text(what), module_text(line->file),
		       line->number);
}

static void print_line_field(const char *name, const struct module_conf_line *line)
{
	jsonw_name(json_wtr, name);
	if (!line) {
		jsonw_null(json_wtr);
		return;
	}
	jsonw_start_object(json_wtr);
	if (line->kind == MODULE_CONF_ALIAS)
		jsonw_string_field(json_wtr, "name", line->name);
	print_place_json(line);
	jsonw_end_object(json_wtr);
}

static void print_name_json(const struct module_conf *conf, const char *alias, const char *name,
			    const char *path)
{
	const struct module_conf_line *line = NULL;

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", alias);
	print_line_field("alias", module_conf_alias(conf, alias));
	jsonw_string_field(json_wtr, "file", path);
	jsonw_name(json_wtr, "options");
	jsonw_start_array(json_wtr);
	while ((line = module_conf_next_set(conf, alias, line))) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "param", line->text);
		print_place_json(line);
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
	print_line_field("load", find_load(conf, alias, name));
	print_line_field("blacklist", module_conf_blacklist(conf, alias));
	jsonw_end_object(json_wtr);
}

static void print_name_plain(const struct module_conf *conf, const char *alias, const char *name,
			     const char *path)
{
	const struct module_conf_line *line = NULL;
	const char *label = "options";

	printf(LABEL "%s\n", "name", alias);
	print_place_plain("alias of", name, module_conf_alias(conf, alias));
	printf(LABEL "%s\n", "file", path);
	while ((line = module_conf_next_set(conf, alias, line))) {
		print_place_plain(label, line->text, line);
		label = "";
	}
	print_place_plain("at boot", "loaded", find_load(conf, alias, name));
	print_place_plain("blacklist", "neither at boot nor for the kernel",
			  module_conf_blacklist(conf, alias));
}

static int print_name(const struct module_conf *conf, const char *alias)
{
	const char *name = module_conf_resolve(conf, alias);
	char path[PATH_MAX];

	if (!module_find_file(name, path, sizeof(path)))
		return module_not_found(name);

	if (json_output)
		print_name_json(conf, alias, name, path);
	else
		print_name_plain(conf, alias, name, path);
	return 0;
}

int module_config(int argc, char **argv)
{
	struct module_conf conf = {};
	int err;

	if (argc > 1) {
		argv++;
		return BAD_ARG();
	}
	if (module_conf_read(&conf))
		return -1;
	err = argc ? print_name(&conf, *argv) : print_all(&conf);
	module_free_texts();
	module_conf_free(&conf);
	return err;
}
