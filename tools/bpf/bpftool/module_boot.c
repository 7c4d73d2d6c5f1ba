// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module boot, autoload, aliases: modules that the system loads.
 *
 * The kernel requests missing kernel modules from modprobe; a missing congestion control is
 * requested as "tcp_NAME". With the lines that "aliases" writes, modprobe runs "autoload"
 * if there is no kernel module of that name.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* Request, path of bpftool, name */
#define ALIAS_FORMAT \
	"install %1$s /sbin/modprobe -q --ignore-install %1$s || '%2$s' module autoload %3$s\n"

static int boot(const struct module_conf *conf)
{
	const struct module_conf_line *line = NULL;
	int err = module_conf_check(conf);

	while ((line = module_conf_next(conf, MODULE_CONF_LOAD, NULL, line))) {
		if (module_conf_blacklist(conf, line->name))
			p_info("module %s is blacklisted", line->name);
		else if (module_load_by_name(line->name, conf, true))
			err = -1;
	}
	return err;
}

static bool names_dev(const struct module_conf_line *line, const char *dev)
{
	const char *devs = module_param_devs(line->text);

	return devs && module_list_has(devs, dev);
}

/* Does an option PROG.dev of the module name the device? */
static bool is_own_dev(const struct module_conf *conf, const char *name, const char *dev)
{
	const struct module_conf_line *line = NULL;

	while ((line = module_conf_next_set(conf, name, line)))
		if (names_dev(line, dev))
			return true;
	return false;
}

/* Does an option of any module name the device? Usually none does, and no object needs to be
 * opened.
 */
static bool is_known_dev(const struct module_conf *conf, const char *dev)
{
	const struct module_conf_line *line = NULL;

	while ((line = module_conf_next(conf, MODULE_CONF_OPTIONS, NULL, line)))
		if (names_dev(line, dev))
			return true;
	return false;
}

/* The modules that the object of that name needs; none if there is no object. */
static int plan_name(struct module_plan *plan, const char *name)
{
	libbpf_print_fn_t old_print;
	struct bpf_object *obj;
	char path[PATH_MAX];
	int err = -1;

	if (!module_find_file(module_conf_resolve(plan->conf, name), path, sizeof(path)))
		return 0;
	old_print = module_warnings_begin();
	obj = module_open_object(path);
	if (obj)
		err = module_plan_object(plan, name, path, obj);
	bpf_object__close(obj);
	module_warnings_end(old_print);
	return err;
}

/* 1 if a module that @name needs waits for the device, else 0; -1 with the error printed. */
static int is_needed_dev(const struct module_conf *conf, const char *name, const char *dev)
{
	struct module_plan plan = { .conf = conf };
	int ret = plan_name(&plan, name);
	size_t i;

	for (i = 0; !ret && i < plan.cnt; i++)
		ret = is_own_dev(conf, plan.steps[i].name, dev);
	module_plan_free(&plan);
	module_free_texts();
	return ret;
}

/* The same for @name itself or a module that it needs. */
static int is_for_dev(const struct module_conf *conf, const char *name, const char *dev)
{
	return is_own_dev(conf, name, dev) ? 1 : is_needed_dev(conf, name, dev);
}

/* A device has appeared: load the modules that wait for it or have lost it, and only these. */
static int boot_dev(const struct module_conf *conf, const char *dev)
{
	const struct module_conf_line *line = NULL;
	int err = 0, is_for;

	if (!is_known_dev(conf, dev))
		return 0;
	while ((line = module_conf_next(conf, MODULE_CONF_LOAD, NULL, line))) {
		if (module_conf_blacklist(conf, line->name))
			continue;
		is_for = is_for_dev(conf, line->name, dev);
		if (is_for < 0 || (is_for && module_load_by_name(line->name, conf, true)))
			err = -1;
	}
	return err;
}

/* "dev NAME"; NAME may be the path in sysfs, which udev passes. */
static int parse_dev(int argc, char **argv, const char **dev)
{
	const char *slash;

	*dev = NULL;
	if (!argc)
		return 0;
	if (strcmp(*argv, "dev"))
		return BAD_ARG();
	NEXT_ARG();
	if (!REQ_ARGS(1))
		return -1;
	*dev = GET_ARG();
	if (argc)
		return BAD_ARG();
	slash = strrchr(*dev, '/');
	if (slash)
		*dev = slash + 1;
	return 0;
}

int module_boot(int argc, char **argv)
{
	struct module_conf conf = {};
	const char *dev;
	int err;

	if (parse_dev(argc, argv, &dev))
		return -1;
	if (module_conf_read(&conf))
		return -1;

	if (json_output)
		jsonw_start_array(json_wtr);
	err = dev ? boot_dev(&conf, dev) : boot(&conf);
	if (json_output)
		jsonw_end_array(json_wtr);
	module_conf_free(&conf);
	return err;
}

int module_autoload(int argc, char **argv)
{
	struct module_conf conf = {};
	const char *name;
	int err = -1;

	if (!REQ_ARGS(1))
		return -1;
	name = GET_ARG();
	if (argc)
		return BAD_ARG();
	if (module_conf_read(&conf))
		return -1;

	if (json_output)
		jsonw_start_array(json_wtr);
	if (module_conf_blacklist(&conf, name))
		p_err("module %s is blacklisted; to load it anyway, use '%s module load %s'",
		      name, bin_name, name);
	else
		err = module_load_by_name(name, &conf, false);
	if (json_output)
		jsonw_end_array(json_wtr);
	module_conf_free(&conf);
	return err;
}

/* A kernel module takes precedence: --ignore-install has modprobe look for one first. */
static void print_alias(const char *bpftool, const char *request, const char *name)
{
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "request", request);
		jsonw_string_field(json_wtr, "name", name);
		jsonw_end_object(json_wtr);
	} else {
		printf(ALIAS_FORMAT, request, bpftool, name);
	}
}

/* The name that the kernel requests when the ops are missing; NULL if it requests none. */
static const char *get_request(const struct btf *btf, const struct bpf_map *map, char *buf,
			       size_t size)
{
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const char *type = btf__name_by_offset(btf, t->name_off), *expected = "tcp_congestion_ops";
	const struct btf_member *m = btf_members(t);
	const char *name;
	__u32 i;

	if (bpf_core_essential_name_len(type) != strlen(expected) ||
	    strncmp(type, expected, strlen(expected)))
		return NULL;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(btf, m->name_off), "name"))
			continue;
		name = module_member_data(btf, map, m);
		if (!name)
			return NULL;
		snprintf(buf, size, "tcp_%.*s", (int)btf__resolve_size(btf, m->type), name);
		return module_is_name(buf) ? buf : NULL;
	}
	return NULL;
}

static void print_object_aliases(const struct bpf_object *obj, const char *bpftool,
				 const char *name, const struct module_conf *conf)
{
	const struct btf *btf = bpf_object__btf(obj);
	char request[BPF_MODULE_NAME_LEN];
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (bpf_map__module(map) && bpf_map__autocreate(map) &&
		    get_request(btf, map, request, sizeof(request)) &&
		    !module_conf_blacklist(conf, request))
			print_alias(bpftool, request, name);
}

static int print_file_aliases(const char *dir, const char *file, const char *bpftool,
			      const struct module_conf *conf)
{
	char name[BPF_MODULE_NAME_LEN], path[PATH_MAX], found[PATH_MAX];
	libbpf_print_fn_t old_print;
	struct bpf_object *obj;

	snprintf(path, sizeof(path), "%s/modules/%s", dir, file);
	/* a file that another one hides is not loaded by name */
	if (!module_name_of_file(file, name, sizeof(name)) ||
	    !module_find_file(name, found, sizeof(found)) || strcmp(found, path) ||
	    module_conf_blacklist(conf, name))
		return 0;

	old_print = module_warnings_begin();
	obj = module_open_object(path);
	if (obj)
		print_object_aliases(obj, bpftool, name, conf);
	bpf_object__close(obj);
	module_warnings_end(old_print);
	return obj ? 0 : -1;
}

static int print_dir_aliases(const char *dir, const char *bpftool,
			     const struct module_conf *conf)
{
	struct dirent **files;
	int cnt, i, err = 0;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/modules", dir);
	cnt = scandir(path, &files, NULL, alphasort);
	if (cnt < 0) {
		if (errno == ENOENT)
			return 0;
		p_err("can't read %s: %s", path, strerror(errno));
		return -1;
	}

	for (i = 0; i < cnt; i++) {
		if (print_file_aliases(dir, files[i]->d_name, bpftool, conf))
			err = -1;
		free(files[i]);
	}
	free(files);
	return err;
}

/* modprobe uses the first of several lines for one request, so configured modules come before
 * those that were found.
 */
static int print_aliases(const struct module_conf *conf, const char *bpftool)
{
	const struct module_conf_line *line = NULL;
	int err = module_conf_check(conf);
	size_t i;

	while ((line = module_conf_next(conf, MODULE_CONF_ALIAS, NULL, line)))
		if (!module_conf_blacklist(conf, line->text))
			print_alias(bpftool, line->text, line->name);
	for (i = 0; i < MODULE_DIR_CNT; i++)
		if (print_dir_aliases(module_dirs[i], bpftool, conf))
			err = -1;
	return err;
}

int module_aliases(int argc, char **argv)
{
	struct module_conf conf = {};
	char bpftool[PATH_MAX];
	ssize_t len;
	int err;

	if (argc)
		return BAD_ARG();

	/* the full path: the kernel starts modprobe with another PATH */
	len = readlink("/proc/self/exe", bpftool, sizeof(bpftool) - 1);
	if (len < 0 || memchr(bpftool, '\'', len)) {
		p_err("can't tell the path of %s", bin_name);
		return -1;
	}
	bpftool[len] = '\0';

	if (module_conf_read(&conf))
		return -1;
	if (json_output)
		jsonw_start_array(json_wtr);
	err = print_aliases(&conf, bpftool);
	if (json_output)
		jsonw_end_array(json_wtr);
	module_conf_free(&conf);
	return err;
}
