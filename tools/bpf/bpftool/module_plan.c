// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Which BPF modules have to be loaded before another one: those whose functions its
 * programs call, and what these need.
 *
 * A program names the module of each function. The object of that module is the one that
 * loads by this name.
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

/* An object that is being visited, and the one that needs it. */
struct frame {
	const struct frame *up;
	const char *name;
	const char *path;
};

static int no_memory(void)
{
	p_err("mem alloc failed");
	return -1;
}

static struct module_need *find_need(const struct module_needs *needs, const char *module)
{
	size_t i;

	for (i = 0; i < needs->cnt; i++)
		if (strcmp(needs->needs[i].module, module) == 0)
			return &needs->needs[i];
	return NULL;
}

static int add_need(struct module_needs *needs, const char *module, const char *func,
		    bool is_optional)
{
	struct module_need *need = find_need(needs, module);

	if (need) {
		need->is_optional &= is_optional;
		return 0;
	}
	need = libbpf_reallocarray(needs->needs, needs->cnt + 1, sizeof(*need));
	if (!need)
		return no_memory();
	needs->needs = need;
	need += needs->cnt++;
	need->module = strdup(module);
	need->func = func ? strdup(func) : NULL;
	need->is_optional = is_optional;
	need->is_own = false;
	return need->module && (need->func || !func) ? 0 : no_memory();
}

static bool exports_funcs(const struct bpf_object *obj, const char *module)
{
	const struct bpf_module *mod = bpf_object__find_module_by_name(obj, module);
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		if (mod && module_exports(mod, prog))
			return true;
	return false;
}

int module_needs_read(struct module_needs *needs, const struct bpf_object *obj)
{
	const struct bpf_module_dep *dep;
	size_t i;
	int err;

	bpf_object__for_each_module_dep(dep, obj) {
		err = add_need(needs, bpf_module_dep__module(dep), bpf_module_dep__func(dep),
			       bpf_module_dep__is_weak(dep));
		if (err)
			return err;
	}
	for (i = 0; i < needs->cnt; i++)
		needs->needs[i].is_own = exports_funcs(obj, needs->needs[i].module);
	return 0;
}

void module_needs_free(struct module_needs *needs)
{
	while (needs->cnt > 0) {
		needs->cnt--;
		free(needs->needs[needs->cnt].module);
		free(needs->needs[needs->cnt].func);
	}
	free(needs->needs);
	needs->needs = NULL;
}

static void free_step(struct module_step *step)
{
	free(step->name);
	free(step->path);
	module_needs_free(&step->needs);
}

void module_plan_free(struct module_plan *plan)
{
	while (plan->cnt > 0)
		free_step(&plan->steps[--plan->cnt]);
	free(plan->steps);
	plan->steps = NULL;
}

/* Takes over the contents of @step, even if it fails. */
static int add_step(struct module_plan *plan, struct module_step *step)
{
	struct module_step *tmp;

	tmp = libbpf_reallocarray(plan->steps, plan->cnt + 1, sizeof(*tmp));
	if (!tmp) {
		free_step(step);
		return no_memory();
	}
	plan->steps = tmp;
	plan->steps[plan->cnt++] = *step;
	return 0;
}

/* Is it already in the plan? One without a path is known by its name. */
static bool has_step(const struct module_plan *plan, const char *path, const char *name)
{
	size_t i;

	for (i = 0; i < plan->cnt; i++) {
		const struct module_step *step = &plan->steps[i];

		if (path && step->path ? !strcmp(step->path, path) : !strcmp(step->name, name))
			return true;
	}
	return false;
}

static bool has_id(const struct module_plan *plan, __u32 id)
{
	size_t i;

	for (i = 0; i < plan->cnt; i++)
		if (plan->steps[i].id == id)
			return true;
	return false;
}

static int init_step(struct module_step *step, const char *name, const char *path)
{
	struct bpf_module_info info;
	int err;

	memset(step, 0, sizeof(*step));
	step->name = strdup(name);
	step->path = path ? strdup(path) : NULL;
	if (!step->name || (path && !step->path))
		return no_memory();
	err = module_look_up(name, true, &info);
	if (!err) {
		step->state = info.state;
		step->id = info.id;
	} else if (err != -ENOENT) {
		step->state = err;
	}
	return 0;
}

/* "a needs b needs ", starting with that of @path */
static void print_chain(FILE *f, const struct frame *frame, const char *path)
{
	if (strcmp(frame->path, path))
		print_chain(f, frame->up, path);
	fprintf(f, "%s needs ", module_text(frame->name));
}

static int cycle_error(const struct frame *top, const struct frame *first)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return no_memory();
	print_chain(f, top, first->path);
	fclose(f);
	p_err("%s%s: none of them can be loaded first", text ?: "",
	      module_text(first->name));
	free(text);
	return -1;
}

static const struct frame *find_frame(const struct frame *frame, const char *path)
{
	while (frame && strcmp(frame->path, path))
		frame = frame->up;
	return frame;
}

/* It is not loaded, as far as is known, and there is no object to load. */
static int add_missing(struct module_plan *plan, const struct frame *top,
		       const struct module_need *need, struct module_step *step)
{
	if (!plan->is_to_load) {
		step->is_missing = !step->state;
		return add_step(plan, step);
	}
	free_step(step);
	if (need->is_optional)
		return 0;
	p_err("%s needs module %s (function %s), but there is no object of it in the folders bpf/modules of /etc, /run, /usr/local/lib and /usr/lib",
	      module_text(top->name), module_text(need->module), module_text(need->func ?: "?"));
	return -1;
}

/* Check that the object has the module, under that name. */
static int read_file(struct module_step *step, const struct frame *top)
{
	libbpf_print_fn_t old_print = module_warnings_begin();
	struct bpf_object *obj;
	int err = -1;

	obj = module_open_object(step->path);
	if (obj && bpf_object__find_module_by_name(obj, step->name))
		err = module_needs_read(&step->needs, obj);
	else if (obj)
		p_err("%s needs module %s, but %s has no module of that name",
		      module_text(top->name), module_text(step->name), step->path);
	bpf_object__close(obj);
	module_warnings_end(old_print);
	return err;
}

static int visit(struct module_plan *plan, const struct frame *top,
		 const struct module_need *need);

static int visit_all(struct module_plan *plan, const struct frame *top,
		     const struct module_needs *needs)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < needs->cnt; i++)
		err = visit(plan, top, &needs->needs[i]);
	return err;
}

static int visit_file(struct module_plan *plan, const struct frame *top, struct module_step *step)
{
	struct frame frame = { top, step->name, step->path };
	int err;

	err = read_file(step, top) ?: visit_all(plan, &frame, &step->needs);
	if (!err)
		return add_step(plan, step);
	free_step(step);
	return err;
}

/* Add a module after what it needs. */
static int visit_step(struct module_plan *plan, const struct frame *top,
		      const struct module_need *need, struct module_step *step)
{
	const struct frame *first = step->path ? find_frame(top, step->path) : NULL;
	int err;

	if (step->path && !first)
		return visit_file(plan, top, step);
	if (!step->path && !step->id)
		return add_missing(plan, top, need, step);
	err = first ? cycle_error(top, first) : module_plan_loaded(plan, step->id);
	free_step(step);
	return err;
}

/* All programs of an object are loaded before the first of its modules is there. */
static int visit_own(const struct frame *top, const struct module_need *need)
{
	struct bpf_module_info info;

	if (need->is_optional || !module_look_up(need->module, true, &info))
		return 0;
	p_err("%s needs module %s (function %s), which %s has itself and which can't be loaded before its programs; put what calls it in an object of its own",
	      module_text(top->name), module_text(need->module), module_text(need->func ?: "?"),
	      module_text(top->path));
	return -1;
}

static int visit(struct module_plan *plan, const struct frame *top,
		 const struct module_need *need)
{
	char path[PATH_MAX];
	struct module_step step;
	bool found;
	int err;

	if (need->is_own)
		return visit_own(top, need);
	found = module_find_file(module_conf_resolve(plan->conf, need->module), path,
				 sizeof(path));
	err = init_step(&step, need->module, found ? path : NULL);
	if (!err && !(plan->is_to_load && step.id) && !has_step(plan, step.path, step.name))
		return visit_step(plan, top, need, &step);
	free_step(&step);
	return err;
}

int module_plan_object(struct module_plan *plan, const char *name, const char *path,
		       const struct bpf_object *obj)
{
	struct frame frame = { NULL, name, path };
	struct module_needs needs = {};
	int err;

	err = module_needs_read(&needs, obj) ?: visit_all(plan, &frame, &needs);
	module_needs_free(&needs);
	return err;
}

int module_plan_add_object(struct module_plan *plan, const char *name, const char *path,
			   const struct bpf_object *obj)
{
	struct module_step step;
	int err;

	err = init_step(&step, name, path) ?: module_needs_read(&step.needs, obj);
	if (!err)
		return add_step(plan, &step);
	free_step(&step);
	return err;
}

static int read_loaded(struct module_step *step, const struct module *mod)
{
	__u32 i;
	int err = 0;

	memset(step, 0, sizeof(*step));
	step->name = strdup(mod->info.name);
	step->id = mod->info.id;
	step->state = mod->info.state;
	if (!step->name)
		return no_memory();
	for (i = 0; !err && i < mod->info.deps_cnt; i++) {
		const struct module_name *dep = module_name_of(mod->dep_ids[i]);

		err = add_need(&step->needs, dep ? dep->name : "?", NULL, false);
	}
	return err;
}

/* Loaded modules have no cycles: each was loaded before its callers. */
int module_plan_loaded(struct module_plan *plan, __u32 id)
{
	struct module_step step;
	struct module mod;
	int fd, err;
	__u32 i;

	fd = has_id(plan, id) ? -ENOENT : bpf_module_get_fd_by_id(id);
	if (fd < 0)
		return 0;
	err = module_read(fd, &mod);
	close(fd);
	if (err)
		module_info_error(err);
	for (i = 0; !err && i < mod.info.deps_cnt; i++)
		err = module_plan_loaded(plan, mod.dep_ids[i]);
	if (!err) {
		err = read_loaded(&step, &mod);
		if (!err)
			err = add_step(plan, &step);
		else
			free_step(&step);
	}
	module_free(&mod);
	return err;
}
