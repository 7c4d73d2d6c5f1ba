// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: load objects by file or name, and what they need before them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"
#include "module_load.h"

static int load_name(const struct load_args *args, const char *name,
		     const struct module_conf *conf);

/* Note what was loaded. */
static void note_loaded(const struct load_args *args, int module_fd)
{
	struct bpf_module_info info;
	__u32 *ids;

	if (!args->loaded || args->anew_cnt || module_get_info(module_fd, &info) || !info.id)
		return;
	/* without memory it is left loaded when it is not needed */
	ids = libbpf_reallocarray(args->loaded->ids, args->loaded->cnt + 1, sizeof(*ids));
	if (!ids)
		return;
	args->loaded->ids = ids;
	ids[args->loaded->cnt++] = info.id;
}

/* Forget the needed modules; with @failed unload them. */
static void end_needed(struct load_args *args, bool failed)
{
	/* in reverse order: callers first */
	while (failed && args->needed.cnt > 0)
		module_unload_again(args->needed.ids[--args->needed.cnt]);
	free(args->needed.ids);
	memset(&args->needed, 0, sizeof(args->needed));
}

/* With the options of its own name. */
static int load_step(const struct module_step *step, struct load_args *args,
		     struct load_wait *wait)
{
	struct load_args own = {
		.replace_fd = -1,
		.by_need = true,
		.by_system = args->by_system,
		.waits = args->waits,
		.waiting = wait,
		.dry_run = args->dry_run,
		.in_list = true,
		.loaded = &args->needed,
	};

	wait->module = step->name;
	return load_name(&own, step->name, args->conf);
}

/* Up to one that waits. */
static int load_steps(const struct module_plan *plan, struct load_args *args,
		      struct load_wait *wait)
{
	size_t i;
	int err = 0;

	if (json_output && !args->in_list) {
		jsonw_start_array(json_wtr);
		args->in_list = true;
		args->has_begun_list = true;
	}
	for (i = 0; !err && !wait->dev[0] && i < plan->cnt; i++)
		err = load_step(&plan->steps[i], args, wait);
	return err;
}

/* Load the modules that the object needs, in order: 0, or -1 with the error printed. For
 * a file, nothing else is loaded automatically.
 */
static int load_needed(struct bpf_object *obj, struct load_args *args)
{
	struct module_plan plan = { .conf = args->conf, .is_to_load = true };
	const struct bpf_module *mod = load_next_chosen(obj, NULL);
	struct load_wait wait = {};
	int err;

	if (!args->by_name || !mod)
		return 0;
	err = module_plan_object(&plan, bpf_module__name(mod), args->file, obj);
	args->is_unchecked = args->dry_run && plan.cnt;
	/* with by_need the plan of the one that needs it has covered this */
	if (!err && plan.cnt && !args->by_need)
		err = load_steps(&plan, args, &wait);
	if (!err && wait.dev[0])
		load_leave_out_all(obj, &wait);
	module_plan_free(&plan);
	return err;
}

/* A dry run must not change what others see: it pins nothing and uses no maps of
 * others.
 */
static void forget_pins(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		bpf_map__set_pin_path(map, NULL);
}

/* Check before anything is loaded; the pin may not even be needed. */
static int check_pin(const struct bpf_object *obj, struct load_args *args)
{
	const struct bpf_module *mod = load_next_chosen(obj, NULL);

	if (!args->pin || !mod)
		return 0;
	return module_pin_check(&args->pin_to, args->pin, load_get_replace_fd(mod, args));
}

static int load_programs(struct bpf_object *obj, const struct load_args *args)
{
	int err;

	if (!load_next_chosen(obj, NULL) || args->is_unchecked)
		return 0;
	set_max_rlimit();
	err = bpf_object__load(obj);
	if (err)
		module_object_error("load", args->file);
	else
		module_tell_missing(args->file);
	return err;
}

/* @links and args->present are large enough for all modules of the object. */
static int load_modules(struct bpf_object *obj, struct load_args *args, struct bpf_link **links,
			int *cnt)
{
	struct module_map_pins map_pins = {};
	int err;

	if (load_set_up(obj, args) || check_pin(obj, args) ||
	    module_progs_leave_out(&args->left_out, obj, args->file) || load_needed(obj, args))
		return -1;
	if (args->dry_run)
		forget_pins(obj);

	err = module_map_pins_hold(&map_pins, obj) ?: load_programs(obj, args);
	if (!err && args->dry_run)
		err = load_check_taken(obj, args);
	else if (!err)
		err = load_attach(obj, args, links, cnt) ?:
		      load_pin(args, &map_pins, links, cnt);
	if (!err)
		load_report(obj, args);
	module_map_pins_free(&map_pins);
	return err;
}

static int load_object(struct bpf_object *obj, struct load_args *args)
{
	struct bpf_module *mod;
	struct bpf_link **links;
	int cnt = 0, err = -1;

	bpf_object__for_each_module(mod, obj)
		cnt++;
	links = calloc(cnt + 1, sizeof(*links));
	args->present = calloc(cnt + 1, sizeof(*args->present));
	args->present_cnt = 0;
	args->anew = calloc(cnt + 1, sizeof(*args->anew));
	args->anew_cnt = 0;
	cnt = 0;
	if (links && args->present && args->anew)
		err = load_modules(obj, args, links, &cnt);
	else
		p_err("mem alloc failed");

	/* the modules outlive us, or are already gone */
	while (cnt-- > 0) {
		note_loaded(args, bpf_link__fd(links[cnt]));
		bpf_link__disconnect(links[cnt]);
		bpf_link__destroy(links[cnt]);
	}
	while (args->anew && args->anew_cnt > 0)
		close(args->anew[--args->anew_cnt].fd);
	free(args->anew);
	args->anew = NULL;
	free(links);
	free(args->present);
	args->present = NULL;
	return err;
}

static int load_file(struct load_args *args)
{
	libbpf_print_fn_t old_print;
	struct bpf_object *obj;
	int err = -1;

	if (load_check_permission())
		return -1;
	old_print = module_warnings_begin();
	obj = module_open_object(args->file);
	if (obj)
		err = load_object(obj, args);
	module_progs_free(&args->left_out);
	module_free_texts();
	bpf_object__close(obj);
	module_warnings_end(old_print);
	/* its programs, which use them, are freed now */
	end_needed(args, err);
	return err;
}

/* Find the file of @name, and put its options in front of the parameters. @conf holds
 * the options while they are used.
 */
static int set_up_name(struct load_args *args, const char *name, const struct module_conf *conf)
{
	const char *target = module_conf_resolve(conf, name);
	const struct module_conf_line *line = NULL;
	struct load_param *params;
	int cnt = 0;

	if (!module_find_file(target, args->path, sizeof(args->path)))
		return module_not_found(target);

	params = calloc(conf->cnt + args->param_cnt + 1, sizeof(*params));
	if (!params) {
		p_err("mem alloc failed");
		return -1;
	}
	while ((line = module_conf_next_option(conf, name, line)))
		params[cnt++] = (struct load_param){ line->text, line };
	if (args->param_cnt)
		memcpy(params + cnt, args->params, args->param_cnt * sizeof(*params));

	args->file = args->path;
	args->conf = conf;
	args->by_name = true;
	args->params = params;
	args->param_cnt += cnt;
	return 0;
}

/* Load the object of a name: 0, or -1 with the error printed. The arguments do not
 * change for the next OBJ.
 */
static int load_name(const struct load_args *args, const char *name,
		     const struct module_conf *conf)
{
	struct load_args own = *args;
	int err;

	if (set_up_name(&own, name, conf))
		return -1;
	err = load_file(&own);
	if (own.has_begun_list)
		jsonw_end_array(json_wtr);
	free(own.params);
	return err;
}

int module_load_by_name(const char *name, const struct module_conf *conf, bool waits)
{
	struct load_args args = {
		.replace_fd = -1,
		.by_system = true,
		.in_list = true,
		.waits = waits,
	};

	return load_name(&args, name, conf);
}

/* Does each name mean an object? If not, print that and load nothing: the word may have
 * been meant as something else.
 */
static int check_names(const struct load_args *args, const struct module_conf *conf)
{
	char path[PATH_MAX];
	int i;

	for (i = 0; i < args->obj_cnt; i++) {
		const char *name = args->objs[i];

		if (module_is_file(name) ||
		    module_find_file(module_conf_resolve(conf, name), path, sizeof(path)))
			continue;
		if (!i)
			return module_not_found(module_conf_resolve(conf, name));
		p_err("what is '%s'? There is no such module and no such option", name);
		return -1;
	}
	return 0;
}

/* If one is refused, the others are still loaded. */
static int load_objs(struct load_args *args, const struct module_conf *conf)
{
	int i, err = 0;

	for (i = 0; i < args->obj_cnt; i++) {
		args->file = args->objs[i];
		if (module_is_file(args->file) ? load_file(args) :
						 load_name(args, args->file, conf))
			err = -1;
	}
	return err;
}

static bool has_name(const struct load_args *args)
{
	int i = 0;

	while (i < args->obj_cnt && module_is_file(args->objs[i]))
		i++;
	return i < args->obj_cnt;
}

static int load_all(struct load_args *args)
{
	struct module_conf conf = {};
	int err;

	if (has_name(args) && module_conf_read(&conf))
		return -1;

	err = check_names(args, &conf);
	if (!err) {
		args->in_list = json_output && args->obj_cnt > 1;
		if (args->in_list)
			jsonw_start_array(json_wtr);
		err = load_objs(args, &conf);
		if (args->in_list)
			jsonw_end_array(json_wtr);
	}
	module_conf_free(&conf);
	return err;
}

int module_load(int argc, char **argv)
{
	struct load_args args = { .replace_fd = -1 };
	int err;

	if (!REQ_ARGS(1))
		return -1;

	err = load_parse_args(argc, argv, &args);
	if (!err)
		err = load_all(&args);
	if (args.replace_fd >= 0)
		close(args.replace_fd);
	free(args.objs);
	free(args.ops);
	free(args.params);
	return err;
}
