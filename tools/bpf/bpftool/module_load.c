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

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define ENOTSUPP 524 /* the kernel's own, which user space has no name for */

struct load_args {
	const char *file; /* or a name, then it points to path once resolved */
	char path[PATH_MAX];
	const char *name;
	const char *pin;
	int replace_fd; /* of the module to replace, -1 for none */
	bool bound;
	const char **ops; /* none: all but the optional ones */
	int ops_cnt;
	char **params; /* PARAM=VALUE, later ones win */
	int param_cnt;
	bool by_system; /* not by a person: what is loaded already is no error */
};

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
	if (args->bound && !args->pin) {
		p_err("a bound module ends with its last handle, and this command with its own; use 'pin'");
		return -1;
	}
	if (args->name && args->replace_fd >= 0) {
		p_err("a module gets the name of the one that it replaces; leave out 'name'");
		return -1;
	}
	return 0;
}

static int parse_args(int argc, char **argv, struct load_args *args)
{
	args->file = GET_ARG();
	args->ops = calloc(argc + 1, sizeof(*args->ops));
	args->params = calloc(argc + 1, sizeof(*args->params));
	if (!args->ops || !args->params) {
		p_err("mem alloc failed");
		return -1;
	}

	while (argc) {
		const char *key = *argv;

		if (strchr(key, '=')) {
			args->params[args->param_cnt++] = *argv;
			NEXT_ARG();
			continue;
		}
		if (is_prefix(key, "bound")) {
			args->bound = true;
			NEXT_ARG();
			continue;
		}
		if (!is_prefix(key, "name") && !is_prefix(key, "ops") && !is_prefix(key, "pin") &&
		    !is_prefix(key, "replace"))
			return BAD_ARG();

		NEXT_ARG();
		if (!REQ_ARGS(1))
			return -1;

		if (is_prefix(key, "replace")) {
			if (parse_replace(&argc, &argv, args))
				return -1;
		} else if (is_prefix(key, "name")) {
			args->name = GET_ARG();
		} else if (is_prefix(key, "ops")) {
			args->ops[args->ops_cnt++] = GET_ARG();
		} else {
			args->pin = GET_ARG();
		}
	}
	return check_args(args);
}

static bool is_ops(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS;
}

/* The object's ops, or of those to be loaded the ones of @mod, as "a, b". */
static const char *list_ops(const struct bpf_object *obj, const struct bpf_module *mod,
			    char *buf, size_t size)
{
	struct bpf_map *map;
	size_t len = 0;

	buf[0] = '\0';
	bpf_object__for_each_map(map, obj) {
		if (!is_ops(map) ||
		    (mod && (bpf_map__module(map) != mod || !bpf_map__autocreate(map))))
			continue;
		snprintf(buf + len, size - len, "%s%s", len ? ", " : "", bpf_map__name(map));
		len = strlen(buf);
	}
	return buf;
}

/* Has it ops to be loaded? */
static bool is_chosen(const struct bpf_object *obj, const struct bpf_module *mod)
{
	char names[ERR_MAX_LEN];

	return *list_ops(obj, mod, names, sizeof(names));
}

/* The first module after @prev that is to be loaded, NULL for none. */
static struct bpf_module *next_chosen(const struct bpf_object *obj, const struct bpf_module *prev)
{
	struct bpf_module *mod = bpf_object__next_module(obj, prev);

	while (mod && !is_chosen(obj, mod))
		mod = bpf_object__next_module(obj, mod);
	return mod;
}

static int choose_ops(struct bpf_object *obj, const struct load_args *args)
{
	char names[ERR_MAX_LEN];
	struct bpf_map *map;
	int i;

	bpf_object__for_each_map(map, obj)
		if (is_ops(map) && args->ops_cnt)
			bpf_map__set_autocreate(map, false);

	for (i = 0; i < args->ops_cnt; i++) {
		map = bpf_object__find_map_by_name(obj, args->ops[i]);
		if (!map || !is_ops(map)) {
			p_err("no ops %s in %s; it has %s", args->ops[i], args->file,
			      list_ops(obj, NULL, names, sizeof(names)));
			return -1;
		}
		bpf_map__set_autocreate(map, true);
	}

	if (!next_chosen(obj, NULL)) {
		p_err("all ops of %s are optional; choose with 'ops' from %s", args->file,
		      list_ops(obj, NULL, names, sizeof(names)));
		return -1;
	}
	return 0;
}

/* What libbpf warns of. It is shown if it tells why an object can't be loaded,
 * such as the verifier's log, and else would only distract.
 */
static struct {
	FILE *stream;
	char *text;
	size_t size;
} warnings;

static int keep_warnings(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(warnings.stream, fmt, ap) : 0;
}

/* With option --debug all goes to the terminal at once. */
libbpf_print_fn_t module_warnings_begin(void)
{
	if (verifier_logs)
		return NULL;

	warnings.stream = open_memstream(&warnings.text, &warnings.size);
	return warnings.stream ? libbpf_set_print(keep_warnings) : NULL;
}

void module_warnings_end(libbpf_print_fn_t old_print)
{
	if (!warnings.stream)
		return;

	libbpf_set_print(old_print);
	fclose(warnings.stream);
	free(warnings.text);
	memset(&warnings, 0, sizeof(warnings));
}

/* What libbpf has just warned of, without its name; @otherwise if it went to
 * the terminal.
 */
static const char *last_warning(const char *otherwise)
{
	const char *prefix = "libbpf: ";
	char *line;

	if (!warnings.stream || fflush(warnings.stream) || !warnings.size)
		return otherwise;

	warnings.text[warnings.size - 1] = '\0';
	line = strrchr(warnings.text, '\n');
	line = line ? line + 1 : warnings.text;
	return strncmp(line, prefix, strlen(prefix)) == 0 ? line + strlen(prefix) : line;
}

static void object_error(const char *what, const char *file)
{
	int err = errno;
	char reason[128];

	/* here the warnings have no more to tell */
	if (err == EPERM) {
		p_err("can't %s %s: %s", what, file, module_strerror(-err));
		return;
	}

	if (warnings.stream) {
		fflush(warnings.stream);
		fputs(warnings.text, stderr);
	}
	/* the verifier's, mostly of a program for a type that no ops can have */
	if (err == ENOTSUPP) {
		p_err("can't %s %s: this kernel does not take a program of it; types of ops with an owner need CONFIG_MODULES",
		      what, file);
		return;
	}
	libbpf_strerror(err, reason, sizeof(reason));
	/* libbpf's error for a type or symbol that the kernel does not have */
	p_err("can't %s %s: %s", what, file,
	      err == ESRCH ? "this kernel lacks what it needs" : reason);
}

struct bpf_object *module_open_object(const char *file)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .relaxed_maps = relaxed_maps);
	struct bpf_object *obj;

	if (access(file, R_OK)) {
		p_err("can't open %s: %s", file, strerror(errno));
		return NULL;
	}

	if (verifier_logs)
		/* log_level1 + log_level2 + stats, but not stable UAPI */
		opts.kernel_log_level = 1 + 2 + 4;

	obj = bpf_object__open_file(file, &opts);
	if (!obj)
		object_error("open", file);
	return obj;
}

/* A global variable is the same for all modules, an op is one's own. */
static struct bpf_module *find_param_module(const struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = NULL;
	char *ops;

	ops = strndup(name, strcspn(name, "."));
	if (ops)
		map = bpf_object__find_map_by_name(obj, ops);
	free(ops);
	return (map ? bpf_map__module(map) : NULL) ?: next_chosen(obj, NULL);
}

static int set_params(struct bpf_object *obj, const struct load_args *args)
{
	int i;

	for (i = 0; i < args->param_cnt; i++) {
		char *name = args->params[i], *value = strchr(name, '=');

		*value++ = '\0';
		if (bpf_module__set_param(find_param_module(obj, name), name, value)) {
			p_err("%s", last_warning("can't set a parameter"));
			return -1;
		}
	}
	return 0;
}

/* What names a module or its pin is meant for one. */
static int check_only_one(const struct bpf_object *obj, const struct load_args *args)
{
	struct bpf_module *first = next_chosen(obj, NULL), *second = next_chosen(obj, first);

	if (!second || (!args->name && !args->pin && args->replace_fd < 0))
		return 0;

	p_err("'%s' is for one module, %s has %s and %s; choose with 'ops'",
	      args->name ? "name" : args->pin ? "pin" : "replace", args->file,
	      bpf_module__name(first), bpf_module__name(second));
	return -1;
}

/* Fit the object's modules to the arguments: 0, or -1 with the error printed. */
static int set_up_modules(struct bpf_object *obj, const struct load_args *args)
{
	struct bpf_module *mod;

	if (!bpf_object__next_module(obj, NULL)) {
		p_err("no ops in %s, nothing to load as a module", args->file);
		return -1;
	}
	if (choose_ops(obj, args) || check_only_one(obj, args))
		return -1;

	mod = next_chosen(obj, NULL);
	if (args->name && bpf_module__set_name(mod, args->name)) {
		p_err("'%s' can't name a module: need 1 to %d letters, digits, '_', '.' or '-'",
		      args->name, BPF_MODULE_NAME_LEN - 1);
		return -1;
	}

	for (; mod; mod = next_chosen(obj, mod)) {
		if (bpf_module__set_autocreate(mod, true)) {
			p_err("%s", last_warning("can't load a module"));
			return -1;
		}
	}
	return set_params(obj, args);
}

static void cut_line(char *log)
{
	log[strcspn(log, "\n")] = '\0';
}

static void attach_error(const struct bpf_module *mod, char *log)
{
	int err = errno;

	cut_line(log);
	p_err("can't load module %s: %s%s", bpf_module__name(mod),
	      log[0] ? log : module_strerror(-err),
	      err == EEXIST ? "; see 'bpftool module list'" : "");
}

/* NULL with the error printed, which is the kernel's own line. */
static struct bpf_link *attach_module(struct bpf_module *mod, const struct load_args *args)
{
	LIBBPF_OPTS(bpf_module_attach_opts, opts);
	struct bpf_link *link;
	char log[1024] = "";

	opts.log_buf = log;
	opts.log_size = sizeof(log);
	opts.flags = args->bound ? BPF_F_MODULE_BOUND : 0;
	link = args->replace_fd >= 0 ? bpf_module__replace(mod, args->replace_fd, &opts) :
				       bpf_module__attach_opts(mod, &opts);
	if (!link)
		attach_error(mod, log);
	return link;
}

/* A module whose pin fails is not what was asked for: take it back. One that has
 * replaced another stays, for that one is going.
 */
static int pin_or_unload(int fd, const struct load_args *args)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = BPF_F_MODULE_DRAIN);

	if (!args->pin || !do_pin_fd(fd, args->pin))
		return 0;

	if (args->replace_fd < 0)
		bpf_module_unload(fd, &opts);
	return -1;
}

static void report_module(const struct bpf_object *obj, const struct bpf_module *mod)
{
	struct bpf_module_info info;
	char names[ERR_MAX_LEN];
	struct bpf_map *map;

	if (module_get_info(bpf_module__fd(mod), &info))
		info.id = 0;

	if (!json_output) {
		printf("Loaded module %s (id %u) with ops %s\n", bpf_module__name(mod), info.id,
		       list_ops(obj, mod, names, sizeof(names)));
		return;
	}

	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "id", info.id);
	jsonw_string_field(json_wtr, "name", bpf_module__name(mod));
	jsonw_name(json_wtr, "ops");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_map(map, obj)
		if (bpf_map__module(map) == mod && bpf_map__autocreate(map))
			jsonw_string(json_wtr, bpf_map__name(map));
	jsonw_end_array(json_wtr);
	jsonw_end_object(json_wtr);
}

static void report_load(const struct bpf_object *obj)
{
	struct bpf_module *mod;

	if (json_output)
		jsonw_start_array(json_wtr);
	for (mod = next_chosen(obj, NULL); mod; mod = next_chosen(obj, mod))
		report_module(obj, mod);
	if (json_output)
		jsonw_end_array(json_wtr);
}

/* Load what is chosen into the kernel, all or nothing. */
static int attach_modules(struct bpf_object *obj, const struct load_args *args,
			  struct bpf_link **links, int *cnt)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = BPF_F_MODULE_DRAIN);
	struct bpf_module *mod;
	int i;

	for (mod = next_chosen(obj, NULL); mod; mod = next_chosen(obj, mod)) {
		links[*cnt] = attach_module(mod, args);
		if (!links[*cnt]) {
			for (i = *cnt; i-- > 0;)
				bpf_module_unload(bpf_link__fd(links[i]), &opts);
			return -1;
		}
		(*cnt)++;
	}
	return pin_or_unload(bpf_link__fd(links[0]), args);
}

/* Are all that are chosen there, as after an earlier load? */
static bool are_live(const struct bpf_object *obj)
{
	struct bpf_module *mod = next_chosen(obj, NULL);

	while (mod && module_is_live(bpf_module__name(mod)))
		mod = next_chosen(obj, mod);
	return !mod;
}

static int load_object(struct bpf_object *obj, const struct load_args *args)
{
	struct bpf_module *mod;
	struct bpf_link **links;
	int cnt = 0, err;

	if (set_up_modules(obj, args))
		return -1;
	if (args->by_system && are_live(obj))
		return 0;

	set_max_rlimit();
	if (bpf_object__load(obj)) {
		object_error("load", args->file);
		return -1;
	}

	bpf_object__for_each_module(mod, obj)
		cnt++;
	links = calloc(cnt, sizeof(*links));
	if (!links) {
		p_err("mem alloc failed");
		return -1;
	}

	cnt = 0;
	err = attach_modules(obj, args, links, &cnt);
	if (!err)
		report_load(obj);

	/* the modules outlive us, or are gone already */
	while (cnt-- > 0) {
		bpf_link__disconnect(links[cnt]);
		bpf_link__destroy(links[cnt]);
	}
	free(links);
	return err;
}

/* Without permission BTF, maps or programs fail first, in ways that do not tell
 * so. The kernel tells it before it looks at what there is to load: nothing.
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

static int load_file(const struct load_args *args)
{
	libbpf_print_fn_t old_print;
	struct bpf_object *obj;
	int err = -1;

	if (check_permission())
		return -1;
	if (args->pin && mount_bpffs_for_file(args->pin))
		return -1;

	old_print = module_warnings_begin();
	obj = module_open_object(args->file);
	if (obj)
		err = load_object(obj, args);
	bpf_object__close(obj);
	module_warnings_end(old_print);
	return err;
}

/* Turn the name that is args->file into the file, and put its options in front of
 * the parameters. @conf holds the options while they are used.
 */
static int resolve_name(struct load_args *args, const struct module_conf *conf)
{
	const struct module_conf_line *line = NULL;
	const char *name = args->file;
	char **params;
	int cnt = 0;

	if (module_find_file(name, args->path, sizeof(args->path)))
		return -1;

	params = calloc(conf->cnt + args->param_cnt + 1, sizeof(*params));
	if (!params) {
		p_err("mem alloc failed");
		return -1;
	}
	while ((line = module_conf_next(conf, MODULE_CONF_OPTIONS, name, line)))
		params[cnt++] = line->text;
	if (args->param_cnt)
		memcpy(params + cnt, args->params, args->param_cnt * sizeof(*params));
	free(args->params);

	args->file = args->path;
	args->params = params;
	args->param_cnt += cnt;
	return 0;
}

int module_load_by_name(const char *name, const struct module_conf *conf)
{
	struct load_args args = { .file = name, .replace_fd = -1, .by_system = true };
	int err;

	err = resolve_name(&args, conf) ?: load_file(&args);
	free(args.params);
	return err;
}

static int load_file_or_name(struct load_args *args)
{
	struct module_conf conf = {};
	int err;

	if (module_is_file(args->file))
		return load_file(args);

	if (module_conf_read(&conf))
		return -1;
	err = resolve_name(args, &conf) ?: load_file(args);
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
		err = load_file_or_name(&args);
	if (args.replace_fd >= 0)
		close(args.replace_fd);
	free(args.ops);
	free(args.params);
	return err;
}
