// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: from an object file to a module in the kernel.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
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

static int parse_replace(int *argc, char ***argv, struct load_args *args)
{
	if (args->replace_fd >= 0) {
		p_err("one module can be replaced, not two");
		return -1;
	}
	args->replace_fd = module_parse_fd(argc, argv);
	return args->replace_fd < 0 ? -1 : 0;
}

static int check_args(const struct load_args *args)
{
	if (args->obj_cnt > 1 && args->option) {
		p_err("what is '%s'? With several objects '%s' can't be given", args->objs[1],
		      args->option);
		return -1;
	}
	if (args->bound && !args->pin) {
		p_err("a bound module ends with its last handle, and this command closes its own; use 'pin'");
		return -1;
	}
	if (args->name && args->replace_fd >= 0) {
		p_err("a module gets the name of the one that it replaces; leave out 'name'");
		return -1;
	}
	if (args->reuse && args->replace_fd < 0) {
		p_err("'reuse' takes maps of a module that is replaced; use 'replace'");
		return -1;
	}
	return 0;
}

/* Consume the value of a keyword. */
static int parse_value(const char *key, int *argc, char ***argv, struct load_args *args)
{
	if (strcmp(key, "replace") == 0)
		return parse_replace(argc, argv, args);

	if (strcmp(key, "name") == 0)
		args->name = **argv;
	else if (strcmp(key, "pin") == 0)
		args->pin = **argv;
	else if (strcmp(key, "reuse") == 0)
		args->reuse = **argv;
	else
		args->ops[args->ops_cnt++] = **argv;
	NEXT_ARGP();
	return 0;
}

static bool has_value(const char *key)
{
	return strcmp(key, "replace") == 0 || strcmp(key, "name") == 0 ||
	       strcmp(key, "pin") == 0 || strcmp(key, "ops") == 0 || strcmp(key, "reuse") == 0;
}

/* Keywords are not abbreviated, since they could be names. */
static int parse_args(int argc, char **argv, struct load_args *args)
{
	args->objs = calloc(argc + 1, sizeof(*args->objs));
	args->ops = calloc(argc + 1, sizeof(*args->ops));
	args->params = calloc(argc + 1, sizeof(*args->params));
	if (!args->objs || !args->ops || !args->params) {
		p_err("mem alloc failed");
		return -1;
	}

	args->objs[args->obj_cnt++] = GET_ARG();
	while (argc) {
		const char *key = *argv;

		if (strcmp(key, "dry-run") == 0) {
			args->dry_run = true;
			NEXT_ARG();
			continue;
		}
		if (*key && !module_is_param(key) && !has_value(key) && strcmp(key, "bound") &&
		    !args->option) {
			args->objs[args->obj_cnt++] = GET_ARG();
			continue;
		}
		args->option = args->option ?: key;

		if (module_is_param(key)) {
			args->params[args->param_cnt++].text = GET_ARG();
		} else if (strcmp(key, "bound") == 0) {
			args->bound = true;
			NEXT_ARG();
		} else if (has_value(key)) {
			NEXT_ARG();
			if (!REQ_ARGS(1) || parse_value(key, &argc, &argv, args))
				return -1;
		} else {
			return BAD_ARG();
		}
	}
	return check_args(args);
}

static void cut_line(char *log)
{
	log[strcspn(log, "\n")] = '\0';
}

/* Is the kernel's line about an op, rather than the module's name? */
static bool is_about_op(const char *log)
{
	return str_has_pfx(log, "op ");
}

/* Is the kernel's line about callers of the module to replace? */
static bool is_about_callers(const char *log)
{
	return str_has_pfx(log, "module \"") && strstr(log, "\" has functions that ");
}

/* Append to "module name ... is taken" by whom. */
static void describe_owner(const char *name, char *text, size_t size)
{
	struct bpf_module_info info;
	int err;

	err = module_look_up(name, true, &info);
	if (!err && info.state == BPF_MODULE_STATE_DETACHED)
		snprintf(text, size, " by one that is detached; unload that first");
	else if (err == -EPERM)
		snprintf(text, size, "; looking at it takes CAP_SYS_ADMIN");
	else
		snprintf(text, size, "; see '%s module list'", bin_name);
}

/* libbpf's line names the module, too: skip that. */
static const char *without_module(const char *line)
{
	const char *rest = str_has_pfx(line, "module '") ? strstr(line, "': ") : NULL;

	return rest ? rest + strlen("': ") : line;
}

/* After "has functions that 2 programs call, it cannot be replaced": which, and what to do.
 * To be freed, NULL if that can't be told.
 */
static char *describe_callers(int replace_fd)
{
	char *callers = module_describe_callers(replace_fd), *text = NULL;

	if (callers && *callers &&
	    asprintf(&text, " (%s); unload what calls its functions first", callers) < 0)
		text = NULL;
	free(callers);
	return text;
}

static void attach_error(const struct bpf_object *obj, const struct bpf_module *mod, char *log,
			 int replace_fd)
{
	const char *name = bpf_module__name(mod), *reason;
	char who[256] = "", *callers = NULL;
	int err = errno;

	cut_line(log);
	reason = module_last_warning("");
	/* the kernel was not asked: a program was not attached */
	if (!log[0] && *reason && !strstr(reason, ": failed to load: ")) {
		p_err("can't load module %s: %s", name, module_text(without_module(reason)));
		return;
	}
	if (err == EEXIST && is_about_op(log))
		module_find_clash(obj, log, who, sizeof(who));
	else if (err == EEXIST)
		describe_owner(name, who, sizeof(who));
	else if (is_about_callers(log) && replace_fd >= 0)
		callers = describe_callers(replace_fd);
	p_err("can't load module %s: %s%s", name, log[0] ? log : module_strerror(-err),
	      callers ?: who);
	free(callers);
}

static struct bpf_link *attach_module(struct bpf_module *mod, const struct load_args *args,
				      char *log, size_t log_size)
{
	int replace_fd = load_get_replace_fd(mod, args);
	struct bpf_link *link;

	bpf_module__set_log_buf(mod, log, log_size);
	bpf_module__set_flags(mod, args->bound ? BPF_F_MODULE_BOUND : 0);
	if (replace_fd >= 0)
		bpf_module__set_replace_fd(mod, replace_fd);

	link = bpf_module__attach(mod);
	bpf_module__set_log_buf(mod, NULL, 0);
	return link;
}

/* Load it: 0, or -1 with the error printed, which is the kernel's own line. *@link is
 * NULL if somebody else was faster: a name is taken a while before its module is live.
 */
static int attach_missing(const struct bpf_object *obj, struct bpf_module *mod,
			  struct load_args *args, struct bpf_link **link)
{
	unsigned int wait_ms = 10;
	char log[1024] = "";
	int err = -ENOENT;

	while (!(*link = attach_module(mod, args, log, sizeof(log)))) {
		bool may_come = errno == EEXIST && load_may_be_present(args) && !is_about_op(log);
		int attach_err = errno;

		if (may_come)
			err = load_find_present(mod, args);
		if (err != -ENOENT)
			return err;
		if (!may_come || wait_ms > 500) {
			errno = attach_err;
			attach_error(obj, mod, log, load_get_replace_fd(mod, args));
			return -1;
		}
		usleep(wait_ms * 1000);
		wait_ms *= 2;
	}
	return 0;
}

/* Pin a module that is already loaded. */
static int pin_present(const struct load_args *args)
{
	__u32 id = args->present[0].id;
	struct bpf_module_info info;
	int fd, err;

	fd = bpf_obj_get(args->pin);
	if (fd >= 0) {
		err = module_get_info(fd, &info);
		close(fd);
		if (!err && info.id == id)
			return 0;
	}

	fd = bpf_module_get_fd_by_id(id);
	if (fd < 0) {
		p_err("can't open module with id %u: %s", id, module_strerror(fd));
		return -1;
	}
	err = module_pin_fd(fd, args->pin);
	close(fd);
	return err;
}

/* Load the chosen modules into the kernel, all or nothing. */
static int attach_modules(struct bpf_object *obj, struct load_args *args,
			  struct bpf_link **links, int *cnt)
{
	struct bpf_module *mod;

	for (mod = load_next_chosen(obj, NULL); mod; mod = load_next_chosen(obj, mod)) {
		if (attach_missing(obj, mod, args, &links[*cnt])) {
			while (*cnt > 0)
				bpf_link__destroy(links[--*cnt]);
			return -1;
		}
		if (links[*cnt])
			(*cnt)++;
	}
	return 0;
}

/* Maps first: whoever finds the module's pin finds theirs. If pinning fails, the module is
 * not what was asked for: unload it. One that has replaced another stays, because that
 * one is going.
 */
static int pin_modules(struct load_args *args, struct module_map_pins *map_pins,
		       struct bpf_link **links, int *cnt)
{
	bool stays = args->replace_fd >= 0 || args->anew_cnt;

	if (!*cnt)
		return args->pin ? pin_present(args) : 0;

	args->pin_to.note = stays ? "; the module has replaced the other one and stays loaded" : "";
	if (!module_map_pins_put(map_pins, args->pin_to.note)) {
		if (!args->pin || !module_pin_put(&args->pin_to, bpf_link__fd(links[0])))
			return 0;
		if (!stays)
			module_map_pins_undo(map_pins);
	}

	while (!stays && *cnt > 0)
		bpf_link__destroy(links[--*cnt]);
	return -1;
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

/* Refuse what a load would refuse without looking at the object. */
static int check_dry_run(const struct bpf_object *obj, const struct load_args *args)
{
	struct bpf_module *mod;
	char who[256];

	for (mod = load_next_chosen(obj, NULL); mod; mod = load_next_chosen(obj, mod)) {
		const char *name = bpf_module__name(mod);
		struct bpf_module_info info;

		if (load_get_replace_fd(mod, args) >= 0 || module_look_up(name, true, &info))
			continue;
		describe_owner(name, who, sizeof(who));
		p_err("can't load module %s: module name \"%s\" is taken%s", name, name, who);
		return -1;
	}
	return 0;
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
		err = check_dry_run(obj, args);
	else if (!err)
		err = attach_modules(obj, args, links, cnt) ?:
		      pin_modules(args, &map_pins, links, cnt);
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
		load_note(args, bpf_link__fd(links[cnt]));
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

/* Without permission, loading BTF, maps or programs fails first, with errors that do not
 * say so. So try to load nothing: the kernel checks permissions first.
 */
static int check_permission(void)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts);
	char log[1024] = "";

	opts.log_buf = log;
	opts.log_size = sizeof(log);
	if (bpf_module_load("", NULL, 0, &opts) != -EPERM)
		return 0;

	cut_line(log);
	p_err("not permitted%s%s", log[0] ? ": " : "", log);
	return -1;
}

static int load_file(struct load_args *args)
{
	libbpf_print_fn_t old_print;
	struct bpf_object *obj;
	int err = -1;

	if (check_permission())
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
	load_end_needed(args, err);
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

int load_name(const struct load_args *args, const char *name, const struct module_conf *conf)
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

	err = parse_args(argc, argv, &args);
	if (!err)
		err = load_all(&args);
	if (args.replace_fd >= 0)
		close(args.replace_fd);
	free(args.objs);
	free(args.ops);
	free(args.params);
	return err;
}
