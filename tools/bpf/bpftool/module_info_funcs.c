// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module info: functions that an object file exports, and those of other
 * modules that it needs.
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
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define LABEL "%-12s"

static bool is_func(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_MODULE_FUNC;
}

static bool is_sleepable(const struct bpf_program *prog)
{
	const char *sec = bpf_program__section_name(prog);

	return strcmp(sec + strlen(sec) - min(strlen(sec), strlen(".s")), ".s") == 0;
}

/* To be freed, NULL without memory. */
static char *format_proto(const struct bpf_object *obj, const struct bpf_program *prog)
{
	const struct btf *btf = bpf_object__btf(obj);
	const char *name = bpf_program__name(prog);
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	return module_format_proto(btf, id > 0 ? id : 0, name);
}

bool module_file_has_funcs(const struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		if (is_func(prog))
			return true;
	return false;
}

static void print_funcs_plain(const struct bpf_object *obj)
{
	const char *label = "funcs";
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		char *proto;

		if (!is_func(prog))
			continue;
		proto = format_proto(obj, prog);
		printf(LABEL "%s%s\n", label, module_text(proto ?: bpf_program__name(prog)),
		       is_sleepable(prog) ? " (sleepable)" : "");
		free(proto);
		label = "";
	}
}

static void print_func_json(const struct bpf_object *obj, const struct bpf_program *prog)
{
	const struct bpf_module *mod = bpf_program__module(prog);
	char *proto = format_proto(obj, prog);

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", bpf_program__name(prog));
	jsonw_string_field(json_wtr, "prototype", proto ?: bpf_program__name(prog));
	jsonw_bool_field(json_wtr, "sleepable", is_sleepable(prog));
	if (mod)
		jsonw_string_field(json_wtr, "module", bpf_module__name(mod));
	jsonw_end_object(json_wtr);
	free(proto);
}

/* By the BTF, as the info cuts names off. */
static bool has_func(const struct module *mod, const char *name)
{
	struct btf *btf = btf__load_from_kernel_by_id(mod->info.btf_id);
	const struct btf_type *t;
	bool has = false;
	__u32 i;

	for (i = 0; btf && !has && i < mod->info.funcs_cnt; i++) {
		t = btf__type_by_id(btf, mod->funcs[i].btf_id);
		has = t && strcmp(btf__name_by_offset(btf, t->name_off), name) == 0;
	}
	btf__free(btf);
	return has;
}

/* Is its module loaded? -ENOENT if not, -ESRCH if it is but lacks the function, or
 * another error if that is not known.
 */
static int find_loaded(const struct bpf_module_dep *dep)
{
	struct bpf_module_info info;
	struct module mod;
	int fd, err;

	err = module_look_up(bpf_module_dep__module(dep), true, &info);
	fd = err ? err : bpf_module_get_fd_by_id(info.id);
	if (fd < 0)
		return fd;
	err = module_read(fd, &mod);
	if (!err && !has_func(&mod, bpf_module_dep__func(dep)))
		err = -ESRCH;
	module_free(&mod);
	close(fd);
	return err;
}

static const char *describe_loaded(int err)
{
	switch (err) {
	case 0:
		return "loaded";
	case -ENOENT:
		return "not loaded";
	case -ESRCH:
		return "loaded without it";
	default:
		return "";
	}
}

static void print_need_plain(const struct bpf_module_dep *dep, const char *label)
{
	const char *state = describe_loaded(find_loaded(dep));
	bool is_weak = bpf_module_dep__is_weak(dep);

	printf(LABEL "%s of module %s", label, module_text(bpf_module_dep__func(dep)),
	       module_text(bpf_module_dep__module(dep)));
	if (is_weak || *state)
		printf(" (%s%s%s)", is_weak ? "optional" : "", is_weak && *state ? ", " : "",
		       state);
	printf("\n");
}

static void print_need_json(const struct bpf_module_dep *dep)
{
	int err = find_loaded(dep);

	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "module", bpf_module_dep__module(dep));
	jsonw_string_field(json_wtr, "func", bpf_module_dep__func(dep));
	jsonw_bool_field(json_wtr, "optional", bpf_module_dep__is_weak(dep));
	jsonw_name(json_wtr, "loaded");
	if (!err || err == -ENOENT || err == -ESRCH)
		jsonw_bool(json_wtr, !err);
	else
		jsonw_null(json_wtr);
	jsonw_end_object(json_wtr);
}

/* A function can have several declarations: is it already shown? */
static bool is_told(const struct bpf_object *obj, const struct bpf_module_dep *dep)
{
	const struct bpf_module_dep *other;

	bpf_object__for_each_module_dep(other, obj) {
		if (other == dep)
			return false;
		if (!strcmp(bpf_module_dep__module(other), bpf_module_dep__module(dep)) &&
		    !strcmp(bpf_module_dep__func(other), bpf_module_dep__func(dep)))
			return true;
	}
	return false;
}

void module_file_funcs_plain(const struct bpf_object *obj)
{
	const struct bpf_module_dep *dep;
	const char *label = "needs";

	print_funcs_plain(obj);
	bpf_object__for_each_module_dep(dep, obj) {
		if (is_told(obj, dep))
			continue;
		print_need_plain(dep, label);
		label = "";
	}
}

void module_file_funcs_json(const struct bpf_object *obj)
{
	const struct bpf_module_dep *dep;
	struct bpf_program *prog;

	jsonw_name(json_wtr, "funcs");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_program(prog, obj)
		if (is_func(prog))
			print_func_json(obj, prog);
	jsonw_end_array(json_wtr);

	jsonw_name(json_wtr, "needs");
	jsonw_start_array(json_wtr);
	bpf_object__for_each_module_dep(dep, obj)
		if (!is_told(obj, dep))
			print_need_json(dep);
	jsonw_end_array(json_wtr);
}
