// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Programs of an object that do not become part of its modules: no link attaches them and
 * nothing runs them, so they are not loaded, but printed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* Does a member of the ops @map point to it? libbpf has put the address there. */
static bool is_callback_of(const struct btf *btf, const struct bpf_map *map,
			   const struct bpf_program *prog)
{
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const struct btf_member *m = btf_members(t);
	const void *data;
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		data = module_is_func_ptr(btf, m->type) ? module_member_data(btf, map, m) : NULL;
		if (data && memcmp(data, &prog, sizeof(prog)) == 0)
			return true;
	}
	return false;
}

bool module_prog_is_used(const struct bpf_object *obj, const struct module_elf *elf,
			 const struct bpf_program *prog)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (bpf_map__module(map) && is_callback_of(bpf_object__btf(obj), map, prog))
			return true;
	return module_elf_is_in_maps(elf, bpf_program__name(prog));
}

int module_progs_leave_out(struct module_progs *left_out, const struct bpf_object *obj,
			   const char *file)
{
	struct bpf_program *prog;
	struct module_elf *elf;
	size_t cnt = 0;

	bpf_object__for_each_program(prog, obj)
		cnt++;
	left_out->progs = calloc(cnt + 1, sizeof(*left_out->progs));
	if (!left_out->progs) {
		p_err("mem alloc failed");
		return -1;
	}

	elf = module_elf_open(file);
	if (!elf)
		return -1;
	bpf_object__for_each_program(prog, obj) {
		if (!bpf_program__autoload(prog) || bpf_program__module(prog) ||
		    module_prog_is_used(obj, elf, prog))
			continue;
		/* libbpf refuses attachable programs that belong to no module */
		if (module_prog_kind(prog) != MODULE_PROG_OTHER)
			continue;
		bpf_program__set_autoload(prog, false);
		left_out->progs[left_out->cnt++] = prog;
	}
	module_elf_close(elf);
	return 0;
}

void module_progs_plain(const struct module_progs *left_out)
{
	size_t i;

	for (i = 0; i < left_out->cnt; i++)
		printf("%s%s (%s)", i ? ", " : "Not attached: ",
		       module_text(bpf_program__name(left_out->progs[i])),
		       module_text(bpf_program__section_name(left_out->progs[i])));
	if (i)
		printf("\n");
}

void module_progs_json(const struct module_progs *left_out)
{
	size_t i;

	jsonw_name(json_wtr, "not_attached");
	jsonw_start_array(json_wtr);
	for (i = 0; i < left_out->cnt; i++) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", bpf_program__name(left_out->progs[i]));
		jsonw_string_field(json_wtr, "section",
				   bpf_program__section_name(left_out->progs[i]));
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
}

void module_progs_free(struct module_progs *left_out)
{
	free(left_out->progs);
	left_out->progs = NULL;
	left_out->cnt = 0;
}
