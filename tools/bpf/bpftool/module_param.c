// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Parameters of BPF modules, in an object file and in the kernel.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* Floats, pointers and arrays of them can't be given as text. */
static bool is_settable(const struct btf *btf, __u32 type_id)
{
	const struct btf_type *t = skip_mods_and_typedefs(btf, type_id, NULL);

	while (btf_is_array(t))
		t = skip_mods_and_typedefs(btf, btf_array(t)->type, NULL);
	return !btf_is_float(t) && !btf_is_ptr(t);
}

void module_visit_params(const struct btf *btf, __u32 sec_id, const void *data, size_t size,
			 visit_param_fn visit, void *ctx)
{
	const struct btf_type *sec = btf__type_by_id(btf, sec_id), *var;
	const struct btf_var_secinfo *vsi;
	__u32 i;

	if (!sec || !btf_is_datasec(sec) ||
	    !str_has_pfx(btf__name_by_offset(btf, sec->name_off), ".rodata"))
		return;

	for (vsi = btf_var_secinfos(sec), i = 0; i < btf_vlen(sec); i++, vsi++) {
		struct module_param param = { .btf = btf };

		var = btf__type_by_id(btf, vsi->type);
		if (!btf_is_module_param(btf, var) || !is_settable(btf, var->type))
			continue;

		param.name = btf__name_by_offset(btf, var->name_off);
		param.type_id = var->type;
		param.data = module_data_at(btf, var->type, data, size, vsi->offset);
		if (param.data)
			visit(&param, ctx);
	}
}

/* Skips maps that are not like those that libbpf makes for .rodata. */
static void visit_map_params(__u32 map_id, visit_param_fn visit, void *ctx)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	struct btf *btf = NULL;
	void *data = NULL;
	int fd;

	fd = bpf_map_get_fd_by_id(map_id);
	if (fd < 0)
		return;

	if (bpf_map_get_info_by_fd(fd, &info, &len) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.max_entries != 1 || !(info.map_flags & BPF_F_RDONLY_PROG) || !info.btf_id)
		goto out;

	btf = btf__load_from_kernel_by_id(info.btf_id);
	data = malloc(info.value_size);
	if (btf && data && !bpf_map_lookup_elem(fd, &zero, data))
		module_visit_params(btf, info.btf_value_type_id, data, info.value_size,
				    visit, ctx);
out:
	free(data);
	btf__free(btf);
	close(fd);
}

/* As in C, members that are not named are zero. */
static void visit_ops_params(const struct bpf_module_ops_info *ops, visit_param_fn visit, void *ctx)
{
	struct module_param param = { .btf = module_kernel_btf(ops->btf_obj_id) };
	const struct btf_type *t;
	const struct btf_member *m;
	char name[1024];
	__u32 i;

	t = param.btf ? btf__type_by_id(param.btf, ops->type_id) : NULL;
	if (!t || !btf_is_struct(t) || t->size != ops->value_size || !ops->value)
		return;

	for (m = btf_members(t), i = 0; i < btf_vlen(t); i++, m++) {
		param.type_id = m->type;
		param.data = u64_to_ptr(ops->value) + m->offset / 8;
		if (module_is_func_ptr(param.btf, m->type) ||
		    libbpf_is_mem_zeroed(param.data, btf__resolve_size(param.btf, m->type)))
			continue;

		snprintf(name, sizeof(name), "%s.%s", ops->name,
			 btf__name_by_offset(param.btf, m->name_off));
		param.name = name;
		visit(&param, ctx);
	}
}

void module_visit_loaded_params(const struct module *mod, visit_param_fn visit, void *ctx)
{
	__u32 i;

	for (i = 0; i < mod->info.map_cnt; i++)
		visit_map_params(mod->map_ids[i], visit, ctx);
	for (i = 0; i < mod->info.ops_cnt; i++)
		visit_ops_params(&mod->ops[i], visit, ctx);
}

static bool member_is_inside(const struct btf *btf, const struct btf_type *t, int i)
{
	__u32 bit = btf_member_bit_offset(t, i), bits = btf_member_bitfield_size(t, i);
	__s64 size;

	if (bits)
		return bit % 8 + bits <= 128 && bit + (__u64)bits <= t->size * 8ULL;
	size = btf__resolve_size(btf, btf_members(t)[i].type);
	return size >= 0 && (bit % 8 == 0 || size <= 8) && bit + size * 8ULL <= t->size * 8ULL;
}

/* btf_dumper_type() trusts BTF. The kernel has checked most of what is loaded, but
 * nobody has checked that of a file.
 */
struct sound {
	const struct btf *btf;
	/* By type id: values to print for it, UNSOUND for none, 0 if not known yet. So
	 * each type is checked once, however often it is within others.
	 */
	__u32 *cnts;
};

#define UNSOUND		0x40000000U
#define MAX_DEPTH	64

static __u32 count_values(const struct sound *s, __u32 id, int depth);

static __u32 count_in_members(const struct sound *s, const struct btf_type *t, int depth)
{
	__u32 cnt = 1;
	__u32 i;

	for (i = 0; i < btf_vlen(t) && cnt < UNSOUND; i++)
		cnt += member_is_inside(s->btf, t, i) ?
		       count_values(s, btf_members(t)[i].type, depth + 1) : UNSOUND;
	return cnt;
}

static __u32 count_in_type(const struct sound *s, const struct btf_type *t, int depth)
{
	__u64 cnt;

	if (btf_is_int(t))
		return t->size <= 16 && btf_int_bits(t) <= t->size * 8 && !btf_int_offset(t) ?
		       1 : UNSOUND;
	if (btf_is_any_enum(t))
		return t->size == 8 || (btf_is_enum(t) && (t->size == 1 || t->size == 2 ||
							   t->size == 4)) ? 1 : UNSOUND;
	if (btf_is_ptr(t))
		return 1;
	if ((btf_is_mod(t) && !btf_is_type_tag(t)) || btf_is_typedef(t))
		return count_values(s, t->type, depth + 1);
	if (btf_is_composite(t))
		return count_in_members(s, t, depth);
	if (!btf_is_array(t))
		return UNSOUND;
	cnt = count_values(s, btf_array(t)->type, depth + 1);
	return min_t(__u64, cnt * max(btf_array(t)->nelems, 1U), UNSOUND);
}

static __u32 count_values(const struct sound *s, __u32 id, int depth)
{
	const struct btf_type *t = btf__type_by_id(s->btf, id);
	__u32 cnt;

	if (!t || depth > MAX_DEPTH)
		return UNSOUND;
	if (!s->cnts[id]) {
		s->cnts[id] = UNSOUND; /* should it contain itself */
		cnt = count_in_type(s, t, depth);
		s->cnts[id] = min(cnt, UNSOUND);
	}
	return s->cnts[id];
}

/* Is everything in the type within its size, and finite? */
static bool type_is_sound(const struct btf *btf, __u32 id)
{
	__s64 size = btf__resolve_size(btf, id);
	struct sound s = { .btf = btf };
	__u32 cnt;

	s.cnts = calloc(btf__type_cnt(btf), sizeof(*s.cnts));
	if (!s.cnts || size < 0) {
		free(s.cnts);
		return false;
	}
	cnt = count_values(&s, id, 0);
	free(s.cnts);
	/* real types show the same bytes in just a few ways */
	return cnt < UNSOUND && cnt <= 4096 + 64 * size;
}

/* Shows null for what it can't show. */
void module_dump_value(json_writer_t *jw, bool is_plain_text, const struct module_param *param)
{
	struct btf_dumper d = {
		.btf = param->btf,
		.jw = jw,
		.is_plain_text = is_plain_text,
		.is_c_text = true,
	};

	if (type_is_sound(param->btf, param->type_id))
		btf_dumper_type(&d, param->type_id, param->data);
	else
		jsonw_null(jw);
}

char *module_format_value(const struct module_param *param)
{
	json_writer_t *jw;
	char *text = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return NULL;

	jw = jsonw_new(f);
	if (jw) {
		module_dump_value(jw, true, param);
		jsonw_destroy(&jw);
	}
	fclose(f);
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

void module_print_param_json(const struct module_param *param, const char *value_name,
			     const char *desc)
{
	char type[512];

	jsonw_start_object(json_wtr);
	libbpf_format_type(param->btf, param->type_id, type, sizeof(type));
	jsonw_string_field(json_wtr, "name", param->name);
	jsonw_string_field(json_wtr, "type", type);
	jsonw_name(json_wtr, value_name);
	module_dump_value(json_wtr, false, param);
	if (desc)
		jsonw_string_field(json_wtr, "description", desc);
	jsonw_end_object(json_wtr);
}
