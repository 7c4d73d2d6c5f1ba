// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Callers of the functions of a BPF module: other modules, and programs that belong to
 * none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* @mod, or if that is NULL, only @prog_id */
struct caller {
	const struct module_name *mod;
	__u32 prog_id;
};

/* Each once, modules first, sorted by id. */
struct callers {
	struct caller *callers;
	size_t cnt;
};

static int compare_callers(const void *a, const void *b)
{
	const struct caller *x = a, *y = b;
	__u32 x_mod = x->mod ? x->mod->id : UINT32_MAX, y_mod = y->mod ? y->mod->id : UINT32_MAX;

	if (x_mod != y_mod)
		return x_mod < y_mod ? -1 : 1;
	return x->prog_id < y->prog_id ? -1 : x->prog_id > y->prog_id;
}

static int add_callers(struct callers *to, const struct bpf_module_func_info *func, bool folds)
{
	const __u32 *ids = u64_to_ptr(func->caller_ids);
	struct caller *tmp;
	__u32 i;

	if (!ids || !func->callers_cnt)
		return 0;
	tmp = libbpf_reallocarray(to->callers, to->cnt + func->callers_cnt, sizeof(*tmp));
	if (!tmp)
		return -ENOMEM;
	to->callers = tmp;
	for (i = 0; i < func->callers_cnt; i++) {
		tmp = &to->callers[to->cnt++];
		tmp->mod = module_name_of_prog(ids[i]);
		tmp->prog_id = tmp->mod && folds ? 0 : ids[i];
	}
	return 0;
}

/* With @folds a module counts once, however many of its programs call. */
static int find_callers(const struct module *mod, struct callers *found, bool folds)
{
	size_t i, cnt = 0;
	int err = 0;

	memset(found, 0, sizeof(*found));
	for (i = 0; !err && i < mod->info.funcs_cnt; i++)
		err = add_callers(found, &mod->funcs[i], folds);
	if (err || !found->cnt)
		return err;

	qsort(found->callers, found->cnt, sizeof(*found->callers), compare_callers);
	for (i = 0; i < found->cnt; i++)
		if (!cnt || compare_callers(&found->callers[cnt - 1], &found->callers[i]))
			found->callers[cnt++] = found->callers[i];
	found->cnt = cnt;
	return 0;
}

size_t module_count_callers(const struct module *mod)
{
	struct callers callers;

	find_callers(mod, &callers, false);
	free(callers.callers);
	return callers.cnt;
}

static void print_caller(FILE *f, const struct caller *caller, bool is_long)
{
	char name[MAX_PROG_FULL_NAME];

	if (caller->mod && is_long) {
		fprintf(f, "module %s (id %u)", caller->mod->name, caller->mod->id);
	} else if (caller->mod) {
		fprintf(f, "%s", caller->mod->name);
	} else if (is_long) {
		module_get_prog_name(caller->prog_id, name, sizeof(name));
		fprintf(f, "program %s (id %u)", module_text(name), caller->prog_id);
	} else {
		fprintf(f, "prog %u", caller->prog_id);
	}
}

static char *format_callers(const struct module *mod, bool is_long)
{
	struct callers callers;
	char *text = NULL;
	FILE *f = NULL;
	size_t size, i;

	if (!find_callers(mod, &callers, true))
		f = open_memstream(&text, &size);
	for (i = 0; f && i < callers.cnt; i++) {
		fprintf(f, "%s", i ? ", " : "");
		print_caller(f, &callers.callers[i], is_long);
	}
	if (f)
		fclose(f);
	free(callers.callers);
	return text;
}

char *module_format_used_by(const struct module *mod)
{
	return format_callers(mod, false);
}

char *module_describe_callers(int fd)
{
	char *callers = NULL;
	struct module mod;

	if (!module_read(fd, &mod))
		callers = format_callers(&mod, true);
	module_free(&mod);
	module_names_free();
	return callers;
}

static void print_caller_json(const struct caller *caller)
{
	char name[MAX_PROG_FULL_NAME];

	jsonw_start_object(json_wtr);
	if (caller->mod) {
		jsonw_uint_field(json_wtr, "module_id", caller->mod->id);
		jsonw_string_field(json_wtr, "module", caller->mod->name);
	} else {
		module_get_prog_name(caller->prog_id, name, sizeof(name));
		jsonw_uint_field(json_wtr, "prog_id", caller->prog_id);
		jsonw_string_field(json_wtr, "prog_name", name);
	}
	jsonw_end_object(json_wtr);
}

void module_used_by_json(const struct module *mod)
{
	struct callers callers;
	size_t i;

	jsonw_name(json_wtr, "used_by");
	jsonw_start_array(json_wtr);
	if (!find_callers(mod, &callers, true))
		for (i = 0; i < callers.cnt; i++)
			print_caller_json(&callers.callers[i]);
	jsonw_end_array(json_wtr);
	free(callers.callers);
}
