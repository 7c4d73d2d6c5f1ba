// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: from an object whose programs are loaded to modules in the kernel
 * and their pins, and what the kernel says if it refuses them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"
#include "module_load.h"

static void cut_line(char *log)
{
	log[strcspn(log, "\n")] = '\0';
}

/* Without permission, loading BTF, maps or programs fails first, with errors that do not
 * say so. So try to load nothing: the kernel checks permissions first.
 */
int load_check_permission(void)
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

/* Load the chosen modules into the kernel, all or nothing. */
int load_attach(struct bpf_object *obj, struct load_args *args, struct bpf_link **links, int *cnt)
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

/* Maps first: whoever finds the module's pin finds theirs. If pinning fails, the module is
 * not what was asked for: unload it. One that has replaced another stays, because that
 * one is going.
 */
int load_pin(struct load_args *args, struct module_map_pins *map_pins, struct bpf_link **links,
	     int *cnt)
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

/* Refuse what a load would refuse without looking at the object. */
int load_check_taken(const struct bpf_object *obj, const struct load_args *args)
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
