// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Functions that loaded BPF modules export, and modules whose functions they call.
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
#include <bpf/btf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* For people, show only a few of them. */
#define MAX_CALLERS 10

static void add_to_text(void *ctx, const char *fmt, va_list ap)
{
	vfprintf(ctx, fmt, ap);
}

static int print_proto(FILE *f, const struct btf *btf, __u32 id, const char *name)
{
	LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = name);
	const struct btf_type *t = btf ? btf__type_by_id(btf, id) : NULL;
	struct btf_dump *d;
	int err;

	if (!t || !btf_is_func(t))
		return -ENOENT;
	d = btf_dump__new(btf, add_to_text, f, NULL);
	if (!d)
		return -errno;
	err = btf_dump__emit_type_decl(d, t->type, &opts);
	btf_dump__free(d);
	return err;
}

char *module_format_proto(const struct btf *btf, __u32 id, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *f;
	int err;

	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	err = print_proto(f, btf, id, name);
	fclose(f);
	if (!err)
		return text;
	free(text);
	return strdup(name);
}

static void caller_plain(__u32 id)
{
	const struct module_name *mod = module_name_of_prog(id);
	char name[MAX_PROG_FULL_NAME];

	module_get_prog_name(id, name, sizeof(name));
	printf("%-10s  called by %s (id %u)", "", module_text(name), id);
	if (mod)
		printf(" of module %s (id %u)", mod->name, mod->id);
	printf("\n");
}

static void func_plain(const struct bpf_module_func_info *func, const char *label,
		       const struct btf *btf)
{
	char *proto = module_format_proto(btf, func->btf_id, func->name);
	const __u32 *callers = u64_to_ptr(func->caller_ids);
	__u32 i, shown = min_t(__u32, func->callers_cnt, MAX_CALLERS);

	printf("%-10s%s (id %u, %u bytes of stack%s%s)\n", label,
	       module_text(proto ?: func->name), func->prog_id, func->stack_depth,
	       func->flags & BPF_MODULE_FUNC_SLEEPABLE ? ", sleepable" : "",
	       func->flags & BPF_MODULE_FUNC_LOCKS ? ", uses locks" : "");
	for (i = 0; callers && i < shown; i++)
		caller_plain(callers[i]);
	if (callers && shown < func->callers_cnt)
		printf("%-10s  called by %u more\n", "", func->callers_cnt - shown);
	free(proto);
}

void module_funcs_plain(const struct module *mod, const struct btf *btf)
{
	__u32 i;

	for (i = 0; i < mod->info.funcs_cnt; i++)
		func_plain(&mod->funcs[i], i ? "" : "funcs", btf);
}

static void caller_json(__u32 id)
{
	const struct module_name *mod = module_name_of_prog(id);
	char name[MAX_PROG_FULL_NAME];

	module_get_prog_name(id, name, sizeof(name));
	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "prog_id", id);
	jsonw_string_field(json_wtr, "prog_name", name);
	if (mod) {
		jsonw_uint_field(json_wtr, "module_id", mod->id);
		jsonw_string_field(json_wtr, "module", mod->name);
	}
	jsonw_end_object(json_wtr);
}

static void func_json(const struct bpf_module_func_info *func, const struct btf *btf)
{
	char *proto = module_format_proto(btf, func->btf_id, func->name);
	const __u32 *callers = u64_to_ptr(func->caller_ids);
	__u32 i;

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", func->name);
	jsonw_string_field(json_wtr, "prototype", proto ?: func->name);
	jsonw_uint_field(json_wtr, "prog_id", func->prog_id);
	jsonw_uint_field(json_wtr, "stack_depth", func->stack_depth);
	jsonw_bool_field(json_wtr, "sleepable", func->flags & BPF_MODULE_FUNC_SLEEPABLE);
	jsonw_bool_field(json_wtr, "uses_locks", func->flags & BPF_MODULE_FUNC_LOCKS);
	jsonw_name(json_wtr, "callers");
	jsonw_start_array(json_wtr);
	for (i = 0; callers && i < func->callers_cnt; i++)
		caller_json(callers[i]);
	jsonw_end_array(json_wtr);
	jsonw_end_object(json_wtr);
	free(proto);
}

void module_funcs_json(const struct module *mod, const struct btf *btf)
{
	__u32 i;

	jsonw_name(json_wtr, "funcs");
	jsonw_start_array(json_wtr);
	for (i = 0; i < mod->info.funcs_cnt; i++)
		func_json(&mod->funcs[i], btf);
	jsonw_end_array(json_wtr);
}

void module_funcs_close(const struct module *mod, int *fds)
{
	__u32 i;

	for (i = 0; fds && i < mod->info.funcs_cnt; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

int *module_funcs_open(const struct module *mod)
{
	int *fds = calloc(mod->info.funcs_cnt + 1, sizeof(*fds)), err = 0;
	__u32 i;

	if (!fds) {
		p_err("mem alloc failed");
		return NULL;
	}
	for (i = 0; i < mod->info.funcs_cnt; i++) {
		fds[i] = bpf_prog_get_fd_by_id(mod->funcs[i].prog_id);
		err = err ?: min(fds[i], 0);
	}
	if (!err)
		return fds;
	p_err("can't dump module %s: can't open the programs that are its functions: %s",
	      mod->info.name, module_strerror(err));
	module_funcs_close(mod, fds);
	return NULL;
}

static int dump_func_json(const struct bpf_module_func_info *func, int fd)
{
	int err;

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", func->name);
	jsonw_uint_field(json_wtr, "prog_id", func->prog_id);
	jsonw_name(json_wtr, "insns");
	err = dump_prog_xlated(fd);
	jsonw_end_object(json_wtr);
	return err;
}

static int dump_func_plain(const struct bpf_module_func_info *func, int fd)
{
	printf("function %s (prog %u)\n", module_text(func->name), func->prog_id);
	return dump_prog_xlated(fd);
}

int module_funcs_dump(const struct module *mod, const int *fds)
{
	int err = 0;
	__u32 i;

	for (i = 0; !err && i < mod->info.funcs_cnt; i++)
		err = json_output ? dump_func_json(&mod->funcs[i], fds[i]) :
				    dump_func_plain(&mod->funcs[i], fds[i]);
	return err;
}

void module_deps_plain(const struct module *mod)
{
	__u32 i;

	for (i = 0; i < mod->info.deps_cnt; i++) {
		const struct module_name *dep = module_name_of(mod->dep_ids[i]);

		printf("%-10s%s (id %u)\n", i ? "" : "deps", dep ? dep->name : "?",
		       mod->dep_ids[i]);
	}
}

void module_deps_json(const struct module *mod)
{
	__u32 i;

	jsonw_name(json_wtr, "deps");
	jsonw_start_array(json_wtr);
	for (i = 0; i < mod->info.deps_cnt; i++) {
		const struct module_name *dep = module_name_of(mod->dep_ids[i]);

		jsonw_start_object(json_wtr);
		jsonw_uint_field(json_wtr, "id", mod->dep_ids[i]);
		if (dep)
			jsonw_string_field(json_wtr, "name", dep->name);
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
}
