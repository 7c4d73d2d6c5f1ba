// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: choose the modules of an object, and set them up for the
 * arguments of the command and for what is already loaded.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"
#include "module_load.h"

static void leave_out(struct bpf_object *obj, struct bpf_module *mod)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (bpf_map__module(map) == mod)
			bpf_map__set_autocreate(map, false);
	bpf_object__for_each_program(prog, obj)
		if (module_attaches(mod, prog) || module_exports(mod, prog))
			bpf_program__set_autoload(prog, false);
}

static int choose_ops(struct bpf_object *obj, const struct load_args *args)
{
	struct bpf_module *mod;
	struct bpf_map *map;
	char *names;
	int i;

	bpf_object__for_each_map(map, obj)
		if (load_is_ops_of(map, NULL) && args->ops_cnt)
			bpf_map__set_autocreate(map, false);

	for (i = 0; i < args->ops_cnt; i++) {
		map = bpf_object__find_map_by_name(obj, args->ops[i]);
		if (!map || !load_is_ops_of(map, NULL)) {
			names = load_list_ops(obj, NULL);
			p_err("no ops %s in %s; it has %s", args->ops[i], args->file, names ?: "");
			free(names);
			return -1;
		}
		bpf_map__set_autocreate(map, true);
	}
	bpf_object__for_each_module(mod, obj)
		if (args->ops_cnt && !load_has_ops(obj, mod))
			leave_out(obj, mod);

	if (!load_next_chosen(obj, NULL)) {
		names = load_list_ops(obj, NULL);
		if (!names || !*names) {
			free(names);
			return module_nothing_to_load(args->file);
		}
		p_err("all ops of %s are optional; choose with 'ops' from %s", args->file,
		      names ?: "");
		free(names);
		return -1;
	}
	return 0;
}

/* All modules share a global variable; an op or a program belongs to one. */
static struct bpf_module *find_param_module(const struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = NULL;
	struct bpf_module *mod = NULL;
	struct bpf_map *map = NULL;
	char *own;

	own = strndup(name, strcspn(name, "."));
	if (own && strchr(name, '.')) {
		map = bpf_object__find_map_by_name(obj, own);
		prog = bpf_object__find_program_by_name(obj, own);
	}
	free(own);
	mod = map ? bpf_map__module(map) : prog ? bpf_program__module(prog) : NULL;
	return mod ?: load_next_chosen(obj, NULL);
}

/* The text belongs to the configuration or the user, so split a copy. */
static int set_param(struct bpf_object *obj, const struct load_param *param)
{
	const struct module_conf_line *line = param->line;
	char *name = strdup(param->text), *value;
	int err;

	if (!name) {
		p_err("mem alloc failed");
		return -1;
	}
	value = strchr(name, '=');
	*value++ = '\0';
	err = bpf_module__set_param(find_param_module(obj, name), name, value);
	if (err && line)
		p_err("%s:%u: %s", module_text(line->file), line->number,
		      module_last_warning("can't set a parameter"));
	else if (err)
		p_err("%s", module_last_warning("can't set a parameter"));
	free(name);
	return err ? -1 : 0;
}

static int set_params(struct bpf_object *obj, const struct load_args *args)
{
	int i;

	if (module_set_enumerators(obj))
		return -1;
	for (i = 0; i < args->param_cnt; i++)
		if (set_param(obj, &args->params[i]))
			return -1;
	return 0;
}

/* The parameters as written: to be freed, NULL with the error printed. */
static const char **get_param_texts(const struct load_args *args)
{
	const char **texts = calloc(args->param_cnt + 1, sizeof(*texts));
	int i;

	if (!texts)
		p_err("mem alloc failed");
	for (i = 0; texts && i < args->param_cnt; i++)
		texts[i] = args->params[i].text;
	return texts;
}

/* Check in advance what attaching programs would refuse. */
static int check_devs(const struct bpf_object *obj, const struct bpf_module *mod,
		      const char **texts, int cnt)
{
	char dev[64];

	if (!module_find_missing_dev(obj, mod, texts, cnt, dev, sizeof(dev)))
		return 0;
	p_err("can't load module %s: no network device %s", bpf_module__name(mod),
	      module_text(dev));
	return -1;
}

/* Is everything given that is needed to attach the programs? */
static int check_needs(const struct bpf_object *obj, const struct load_args *args)
{
	const char **texts = get_param_texts(args);
	struct bpf_module *mod = NULL;
	int err = texts ? 0 : -1;

	while (!err && (mod = load_next_chosen(obj, mod))) {
		err = module_check_needs(obj, mod, texts, args->param_cnt);
		if (!err && args->dry_run)
			err = check_devs(obj, mod, texts, args->param_cnt);
	}
	free(texts);
	return err;
}

static int leave_out_waiting(struct bpf_object *obj, const struct load_args *args)
{
	const char **texts = get_param_texts(args);
	struct bpf_module *mod = NULL;
	char dev[64];

	if (!texts)
		return -1;
	while ((mod = load_next_chosen(obj, mod))) {
		if (!module_find_missing_dev(obj, mod, texts, args->param_cnt, dev, sizeof(dev)))
			continue;
		/* who needs it tells that for both */
		if (args->waiting && !strcmp(args->waiting->module, bpf_module__name(mod)))
			memcpy(args->waiting->dev, dev, sizeof(dev));
		else
			load_report_waiting(mod, dev, NULL);
		leave_out(obj, mod);
	}
	free(texts);
	return 0;
}

void load_leave_out_all(struct bpf_object *obj, const struct load_wait *wait)
{
	struct bpf_module *mod = NULL;

	while ((mod = load_next_chosen(obj, mod))) {
		load_report_waiting(mod, wait->dev, wait->module);
		leave_out(obj, mod);
	}
}

/* Options that name a module or its pin are for a single module. */
static int check_only_one(const struct bpf_object *obj, const struct load_args *args)
{
	struct bpf_module *first = load_next_chosen(obj, NULL);
	struct bpf_module *second = load_next_chosen(obj, first);

	if (!second || (!args->name && !args->pin && args->replace_fd < 0))
		return 0;

	p_err("'%s' is for one module, %s has %s and %s; choose with 'ops'",
	      args->name ? "name" : args->pin ? "pin" : "replace", args->file,
	      bpf_module__name(first), bpf_module__name(second));
	return -1;
}

/* A name alone loads what is missing; with 'replace' it is loaded in any case. */
bool load_may_be_present(const struct load_args *args)
{
	return args->by_name && args->replace_fd < 0;
}

/* Is a module of that name live? The kernel's error does not tell: the name may be taken
 * in the subsystem. If so, it is kept in args->present, and 0 returned; -ENOENT if there
 * is none, or the user may load but not look up modules; else -1 with the error printed.
 */
int load_find_present(const struct bpf_module *mod, struct load_args *args)
{
	struct bpf_module_info *info = &args->present[args->present_cnt];
	const char *name = bpf_module__name(mod);
	int err;

	err = module_look_up(name, true, info);
	if (err == -ENOENT || err == -EPERM)
		return -ENOENT;
	if (err) {
		p_err("can't look for module %s: %s", name, module_look_strerror(err));
		return -1;
	}
	if (info->state == BPF_MODULE_STATE_DETACHED) {
		p_err("module %s (id %u) is detached: it is loaded and does nothing; unload it first",
		      info->name, info->id);
		return -1;
	}
	if (args->bound && !(info->flags & BPF_F_MODULE_BOUND)) {
		p_err("module %s (id %u) is already loaded, and not bound", info->name, info->id);
		return -1;
	}
	args->present_cnt++;
	return 0;
}

/* An fd of the module of that name if a link of it has lost its target, else -1. A bound
 * module is left to its daemon.
 */
static int open_if_lost(const char *name)
{
	struct module mod = {};
	bool is_lost = false;
	int fd;

	if (module_look_up(name, true, &mod.info) || mod.info.flags & BPF_F_MODULE_BOUND)
		return -1;
	fd = bpf_module_get_fd_by_id(mod.info.id);
	if (fd < 0)
		return -1;
	if (!module_read(fd, &mod))
		is_lost = module_has_detached_link(&mod);
	module_free(&mod);
	if (is_lost)
		return fd;
	close(fd);
	return -1;
}

/* The remaining modules have to be loaded. */
static int leave_out_present(struct bpf_object *obj, struct load_args *args)
{
	struct bpf_module *mod;
	int err, fd;

	for (mod = load_next_chosen(obj, NULL); mod; mod = load_next_chosen(obj, mod)) {
		fd = open_if_lost(bpf_module__name(mod));
		if (fd >= 0) {
			args->anew[args->anew_cnt++] = (struct load_anew){ mod, fd };
			continue;
		}
		err = load_find_present(mod, args);
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		leave_out(obj, mod);
	}
	return 0;
}

/* Of the module that @mod replaces, -1 for none. */
int load_get_replace_fd(const struct bpf_module *mod, const struct load_args *args)
{
	int i;

	for (i = 0; i < args->anew_cnt; i++)
		if (args->anew[i].mod == mod)
			return args->anew[i].fd;
	return args->replace_fd;
}

/* After setting parameters, which are not reused. */
static int reuse_maps(struct bpf_object *obj, const struct load_args *args)
{
	int i;

	for (i = 0; i < args->anew_cnt; i++)
		if (load_is_chosen(obj, args->anew[i].mod))
			module_reuse_all_maps(obj, args->anew[i].mod, args->anew[i].fd);
	return args->reuse ? module_reuse_maps(obj, args->reuse, args->replace_fd) : 0;
}

/* Fit the object's modules to the arguments: 0, or -1 with the error printed. */
int load_set_up(struct bpf_object *obj, struct load_args *args)
{
	struct bpf_module *mod;

	if (!bpf_object__next_module(obj, NULL))
		return module_nothing_to_load(args->file);
	if (choose_ops(obj, args) || check_only_one(obj, args))
		return -1;

	/* a module that is left out takes no name */
	bpf_object__for_each_module(mod, obj)
		if (!load_is_chosen(obj, mod))
			bpf_module__set_autocreate(mod, false);

	mod = load_next_chosen(obj, NULL);
	if (args->name && !module_is_name(args->name))
		return module_bad_name(args->name);
	if (args->name && bpf_module__set_name(mod, args->name)) {
		p_err("%s", module_last_warning("can't name a module"));
		return -1;
	}

	if (load_may_be_present(args) && leave_out_present(obj, args))
		return -1;
	if (args->waits && leave_out_waiting(obj, args))
		return -1;
	mod = load_next_chosen(obj, NULL);
	if (!mod)
		return 0;

	for (; mod; mod = load_next_chosen(obj, mod)) {
		if (bpf_module__set_autocreate(mod, true)) {
			p_err("%s", module_last_warning("can't load a module"));
			return -1;
		}
	}
	return set_params(obj, args) ?: check_needs(obj, args) ?: reuse_maps(obj, args);
}
