// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Showing BPF modules: list, show, dump.
 *
 * Everything is read from the kernel before the first character is printed, so that a
 * module that goes away does not leave partial output.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/err.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/hashmap.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* Paths by module id, NULL unless option --bpffs asks for them. */
static struct hashmap *pin_table;

static const char *ops_state_name(__u32 state)
{
	switch (state) {
	case BPF_MODULE_OPS_REGISTERED:
		return "registered";
	case BPF_MODULE_OPS_UNREGISTERED:
		return "unregistered";
	case BPF_MODULE_OPS_WITHDRAWN:
		return "withdrawn";
	default:
		return "unknown";
	}
}

static const char *ops_type_name(const struct bpf_module_ops_info *ops)
{
	const struct btf *btf = module_kernel_btf(ops->btf_obj_id);
	const struct btf_type *t;

	t = btf ? btf__type_by_id(btf, ops->type_id) : NULL;
	return t ? btf__name_by_offset(btf, t->name_off) : "?";
}

static void get_map_name(__u32 id, char *name, size_t size)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd;

	snprintf(name, size, "?");
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return;

	if (!bpf_map_get_info_by_fd(fd, &info, &len))
		snprintf(name, size, "%s", info.name);
	close(fd);
}

static int pins_begin(void)
{
	if (!show_pinned)
		return 0;

	pin_table = hashmap__new(hash_fn_for_key_as_id, equal_fn_for_key_as_id, NULL);
	if (IS_ERR(pin_table)) {
		pin_table = NULL;
		p_err("failed to create hashmap for pinned paths");
		return -1;
	}
	build_pinned_obj_table(pin_table, BPF_OBJ_MODULE);
	return 0;
}

static void pins_end(void)
{
	delete_pinned_obj_table(pin_table);
	pin_table = NULL;
}

static void print_ids_json(const char *field, const __u32 *ids, __u32 cnt)
{
	__u32 i;

	jsonw_name(json_wtr, field);
	jsonw_start_array(json_wtr);
	for (i = 0; i < cnt; i++)
		jsonw_uint(json_wtr, ids[i]);
	jsonw_end_array(json_wtr);
}

static void print_pins_json(const struct module *mod)
{
	struct hashmap_entry *entry;

	if (!pin_table)
		return;

	jsonw_name(json_wtr, "pinned");
	jsonw_start_array(json_wtr);
	if (mod->pin)
		jsonw_string(json_wtr, mod->pin);
	else if (mod->info.id)
		hashmap__for_each_key_entry(pin_table, entry, (long)mod->info.id)
			jsonw_string(json_wtr, entry->pvalue);
	jsonw_end_array(json_wtr);
}

/* In seconds since the epoch, like other commands. */
static __u64 loaded_at(__u64 load_time)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return real.tv_sec - boot.tv_sec +
	       (real.tv_nsec - boot.tv_nsec + (__s64)load_time) / 1000000000;
}

static bool exit_runs(const struct bpf_module_info *info)
{
	return info->exit_state == BPF_MODULE_EXIT_RUNNING;
}

static struct btf *load_btf(const struct bpf_module_info *info)
{
	return info->btf_id ? btf__load_from_kernel_by_id(info->btf_id) : NULL;
}

/* Leaves the object open for more fields. */
static void start_ops_json(const struct bpf_module_ops_info *ops)
{
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", ops->name);
	jsonw_string_field(json_wtr, "type", ops_type_name(ops));
	jsonw_string_field(json_wtr, "state", ops_state_name(ops->state));
	if (ops->reason[0])
		jsonw_string_field(json_wtr, "reason", ops->reason);
}

static void print_param_json(const struct module_param *param, void *ctx)
{
	module_print_param_json(param, "value", module_param_desc(ctx, param->name));
}

static void print_params_json(const struct module *mod, struct btf *btf)
{
	jsonw_name(json_wtr, "params");
	jsonw_start_array(json_wtr);
	module_visit_loaded_params(mod, print_param_json, btf);
	jsonw_end_array(json_wtr);
}

static void print_users_json(const struct module_users *users)
{
	size_t i;

	jsonw_name(json_wtr, "known_users");
	jsonw_start_array(json_wtr);
	for (i = 0; i < users->cnt; i++)
		module_print_user_json(&users->users[i]);
	jsonw_end_array(json_wtr);
}

/* The users are only shown for a single module. */
static void print_module_json(const struct module *mod, const struct module_users *users)
{
	const struct bpf_module_info *info = &mod->info;
	struct btf *btf = load_btf(info);
	char user[64];
	__u32 i;

	module_format_user(user, sizeof(user), info->uid);
	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "id", info->id);
	jsonw_string_field(json_wtr, "name", info->name);
	jsonw_string_field(json_wtr, "state", module_state_name(info->state));
	jsonw_uint_field(json_wtr, "flags", info->flags);
	jsonw_bool_field(json_wtr, "bound", info->flags & BPF_F_MODULE_BOUND);
	jsonw_lluint_field(json_wtr, "users", info->users);
	jsonw_lluint_field(json_wtr, "bytes_memlock", info->memory);
	jsonw_lluint_field(json_wtr, "loaded_at", loaded_at(info->load_time));
	jsonw_uint_field(json_wtr, "uid", info->uid);
	jsonw_string_field(json_wtr, "loader", user);
	jsonw_uint_field(json_wtr, "btf_id", info->btf_id);
	module_print_desc_json(btf);

	jsonw_name(json_wtr, "ops");
	jsonw_start_array(json_wtr);
	for (i = 0; i < info->ops_cnt; i++) {
		start_ops_json(&mod->ops[i]);
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);

	module_links_json(mod);
	module_funcs_json(mod, btf);
	module_deps_json(mod);
	module_used_by_json(mod);
	if (info->init_prog_id)
		jsonw_uint_field(json_wtr, "init_prog_id", info->init_prog_id);
	if (info->exit_prog_id)
		jsonw_uint_field(json_wtr, "exit_prog_id", info->exit_prog_id);
	jsonw_bool_field(json_wtr, "exit_running", exit_runs(info));
	print_ids_json("prog_ids", mod->prog_ids, info->prog_cnt);
	print_ids_json("map_ids", mod->map_ids, info->map_cnt);
	print_params_json(mod, btf);
	print_pins_json(mod);
	emit_obj_refs_json(refs_table, info->id, json_wtr);
	if (users)
		print_users_json(users);
	jsonw_end_object(json_wtr);
	btf__free(btf);
}

static void print_id_plain(const char *label, __u32 id,
			   void (*get_name)(__u32 id, char *name, size_t size))
{
	char name[MAX_PROG_FULL_NAME];

	get_name(id, name, sizeof(name));
	printf("%-10s%s (id %u)\n", label, module_text(name), id);
}

struct param_list {
	const struct btf *btf;
	const char *label;
};

static void print_param_plain(const struct module_param *param, void *ctx)
{
	struct param_list *list = ctx;
	const char *desc = module_param_desc(list->btf, param->name);
	char *value = module_format_value(param);

	printf("%-10s%s = %s%s%s\n", list->label, module_text(param->name), value ?: "?",
	       desc ? ": " : "", module_text(desc ?: ""));
	list->label = "";
	free(value);
}

/* Processes that have it open: they keep a bound module. */
static void print_pids_plain(__u32 id)
{
	if (hashmap__empty(refs_table) || !hashmap__find(refs_table, id, NULL))
		return;
	emit_obj_refs_plain(refs_table, id, "pids      ");
	printf("\n");
}

/* For people, show only a few of them. Callers are shown with the functions. */
static void print_users_plain(const struct module *mod, const struct module_users *users)
{
	size_t shown = min_t(size_t, users->cnt, 10), callers = module_count_callers(mod), i;
	__u64 cnt = mod->info.users - min_t(__u64, callers, mod->info.users);
	char text[256];

	printf("%-10s%llu\n", "users", mod->info.users);
	for (i = 0; i < shown; i++) {
		module_describe_user(text, sizeof(text), &users->users[i]);
		printf("%-10s%s\n", "", text);
	}
	if (shown && shown < cnt)
		printf("%-10s%llu more%s\n", "", cnt - shown,
		       shown < users->cnt ? "" : ", elsewhere or not connected");
}

static void print_module_plain(const struct module *mod, const struct module_users *users)
{
	const struct bpf_module_info *info = &mod->info;
	struct btf *btf = load_btf(info);
	struct param_list params = { .btf = btf, .label = "params" };
	struct hashmap_entry *entry;
	char memory[32], age[32], user[64];
	__u32 i;

	module_format_memory(memory, sizeof(memory), info->memory);
	module_format_age(age, sizeof(age), info->load_time);
	module_format_user(user, sizeof(user), info->uid);

	printf("%-10s%s\n", "name", info->name);
	module_print_desc_plain(btf);
	printf("%-10s%u\n", "id", info->id);
	printf("%-10s%s%s%s\n", "state", module_state_name(info->state),
	       exit_runs(info) ? ", its exit program runs" : "",
	       info->flags & BPF_F_MODULE_BOUND ? ", bound" : "");
	print_users_plain(mod, users);
	printf("%-10s%s\n", "memory", memory);
	printf("%-10s%s ago by %s (uid %u)\n", "loaded", age, user, info->uid);
	for (i = 0; i < info->ops_cnt; i++)
		printf("%-10s%s (%s, %s%s%s)\n", i ? "" : "ops", mod->ops[i].name,
		       ops_type_name(&mod->ops[i]), ops_state_name(mod->ops[i].state),
		       mod->ops[i].reason[0] ? ": " : "", mod->ops[i].reason);
	module_links_plain(mod);
	module_funcs_plain(mod, btf);
	module_deps_plain(mod);
	if (info->init_prog_id)
		print_id_plain("init", info->init_prog_id, module_get_prog_name);
	if (info->exit_prog_id)
		print_id_plain("exit", info->exit_prog_id, module_get_prog_name);
	for (i = 0; i < info->prog_cnt; i++)
		print_id_plain(i ? "" : "progs", mod->prog_ids[i],
			       module_get_prog_name);
	for (i = 0; i < info->map_cnt; i++)
		print_id_plain(i ? "" : "maps", mod->map_ids[i], get_map_name);
	module_visit_loaded_params(mod, print_param_plain, &params);
	print_pids_plain(info->id);
	btf__free(btf);
	if (pin_table && info->id)
		hashmap__for_each_key_entry(pin_table, entry, (long)info->id)
			printf("%-10s%s\n", "pinned", (char *)entry->pvalue);
}

int module_show(int fd)
{
	struct module_users users = {};
	struct module mod;
	int err;

	if (pins_begin())
		return -1;

	err = module_read(fd, &mod) ?: module_read_values(fd, &mod);
	if (!err)
		module_find_users(&mod, &users);

	if (err)
		err = module_info_error(err);
	else if (json_output)
		print_module_json(&mod, &users);
	else
		print_module_plain(&mod, &users);

	module_free_users(&users);
	module_names_free();
	module_free_texts();
	module_free(&mod);
	pins_end();
	module_free_kernel_btf();
	return err;
}

/* All modules of the system; the caller frees them and the array. */
static int read_all(struct module **mods, size_t *cnt)
{
	struct module *tmp;
	__u32 id = 0;
	int fd, err;

	while ((fd = module_open_next(&id)) >= 0) {
		tmp = libbpf_reallocarray(*mods, *cnt + 1, sizeof(*tmp));
		if (!tmp) {
			close(fd);
			return -ENOMEM;
		}
		*mods = tmp;
		tmp += (*cnt)++;
		err = module_read(fd, tmp) ?: module_read_values(fd, tmp);
		close(fd);
		if (err)
			return err;

		/* vanished since it was opened */
		if (tmp->info.state == BPF_MODULE_STATE_GONE) {
			module_free(tmp);
			(*cnt)--;
		}
	}
	return fd == -ENOENT ? 0 : fd;
}

/* Pins of modules that are gone: they block new ones. */
static int add_gone(struct module **mods, size_t *cnt)
{
	struct hashmap_entry *entry;
	struct module *tmp;
	int fd, err;

	if (!pin_table)
		return 0;
	hashmap__for_each_key_entry(pin_table, entry, 0L) {
		tmp = libbpf_reallocarray(*mods, *cnt + 1, sizeof(*tmp));
		if (!tmp)
			return -ENOMEM;
		*mods = tmp;
		fd = bpf_obj_get(entry->pvalue);
		if (fd < 0)
			continue;
		tmp += (*cnt)++;
		err = module_read(fd, tmp) ?: module_read_values(fd, tmp);
		tmp->pin = entry->pvalue;
		close(fd);
		if (err)
			return err;
	}
	return 0;
}

static void print_list_json(const struct module *mods, size_t cnt)
{
	size_t i;

	jsonw_start_array(json_wtr);
	for (i = 0; i < cnt; i++)
		print_module_json(&mods[i], NULL);
	jsonw_end_array(json_wtr);
}

int module_list(void)
{
	struct module *mods = NULL;
	size_t cnt = 0, i;
	int err;

	if (pins_begin())
		return -1;

	err = read_all(&mods, &cnt) ?: add_gone(&mods, &cnt);
	if (!err && json_output)
		print_list_json(mods, cnt);
	else if (!err)
		err = module_print_list(mods, cnt, pin_table);
	if (err) {
		p_err("can't list modules: %s", module_look_strerror(err));
		err = -1;
	}

	for (i = 0; i < cnt; i++)
		module_free(&mods[i]);
	free(mods);
	module_names_free();
	module_free_texts();
	pins_end();
	module_free_kernel_btf();
	return err;
}

static void dump_prog_json(__u32 id)
{
	char name[MAX_PROG_FULL_NAME];

	if (!id) {
		jsonw_null(json_wtr);
		return;
	}

	module_get_prog_name(id, name, sizeof(name));
	jsonw_start_object(json_wtr);
	jsonw_uint_field(json_wtr, "prog_id", id);
	jsonw_string_field(json_wtr, "prog_name", name);
	jsonw_end_object(json_wtr);
}

static void dump_member_json(const struct btf *btf, const struct btf_member *m, const void *data)
{
	struct module_param member = { .btf = btf, .type_id = m->type, .data = data };

	jsonw_name(json_wtr, btf__name_by_offset(btf, m->name_off));
	if (module_is_func_ptr(btf, m->type))
		dump_prog_json(*(unsigned long *)data);
	else
		module_dump_value(json_wtr, false, &member);
}

/* As in C, members that are not named are zero. */
static void dump_member_plain(const struct btf *btf, const struct btf_member *m, const void *data)
{
	struct module_param member = { .btf = btf, .type_id = m->type, .data = data };
	char name[MAX_PROG_FULL_NAME], *text;

	if (libbpf_is_mem_zeroed(data, btf__resolve_size(btf, m->type)))
		return;

	printf("\t.%s = ", btf__name_by_offset(btf, m->name_off));
	if (module_is_func_ptr(btf, m->type)) {
		__u32 id = *(unsigned long *)data;

		module_get_prog_name(id, name, sizeof(name));
		printf("%s (prog %u)\n", module_text(name), id);
		return;
	}

	text = module_format_value(&member);
	printf("%s\n", text ?: "?");
	free(text);
}

/* The kernel accepts no ops type with bitfields, so members start at bytes. */
static void dump_members(const struct bpf_module_ops_info *ops, const struct btf *btf,
			 const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);
	const void *value = u64_to_ptr(ops->value);
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const void *data = value + m->offset / 8;

		if (json_output)
			dump_member_json(btf, m, data);
		else
			dump_member_plain(btf, m, data);
	}
}

static void dump_ops(const struct bpf_module_ops_info *ops)
{
	const struct btf *btf = module_kernel_btf(ops->btf_obj_id);
	const struct btf_type *t = btf__type_by_id(btf, ops->type_id);

	if (json_output) {
		start_ops_json(ops);
		jsonw_name(json_wtr, "value");
		jsonw_start_object(json_wtr);
		dump_members(ops, btf, t);
		jsonw_end_object(json_wtr);
		jsonw_end_object(json_wtr);
	} else {
		printf("struct %s %s = {\n", btf__name_by_offset(btf, t->name_off), ops->name);
		dump_members(ops, btf, t);
		printf("}\n");
	}
}

/* Can every op be dumped: does its type exist, and have the size that the kernel says? */
static int check_types(const struct module *mod)
{
	const struct bpf_module_ops_info *ops = mod->ops;
	const struct btf_type *t;
	const struct btf *btf;
	__u32 i;

	for (i = 0; i < mod->info.ops_cnt; i++, ops++) {
		btf = module_kernel_btf(ops->btf_obj_id);
		t = btf ? btf__type_by_id(btf, ops->type_id) : NULL;
		if (!btf) {
			p_err("can't dump module %s: can't read the BTF with id %u: %s",
			      mod->info.name, ops->btf_obj_id, strerror(errno));
			return -1;
		}
		if (!t || !btf_is_struct(t) || t->size != ops->value_size) {
			p_err("can't dump module %s: no type %u in BTF object %u for ops %s",
			      mod->info.name, ops->type_id, ops->btf_obj_id, ops->name);
			return -1;
		}
	}
	return 0;
}

static int dump_module(const struct module *mod, const int *func_fds)
{
	__u32 i;
	int err;

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_uint_field(json_wtr, "id", mod->info.id);
		jsonw_string_field(json_wtr, "name", mod->info.name);
		jsonw_name(json_wtr, "ops");
		jsonw_start_array(json_wtr);
	}

	for (i = 0; i < mod->info.ops_cnt; i++)
		dump_ops(&mod->ops[i]);

	if (json_output) {
		jsonw_end_array(json_wtr);
		jsonw_name(json_wtr, "funcs");
		jsonw_start_array(json_wtr);
	}
	err = module_funcs_dump(mod, func_fds);
	if (json_output) {
		jsonw_end_array(json_wtr);
		jsonw_end_object(json_wtr);
	}
	return err;
}

int module_dump(int fd)
{
	int *func_fds = NULL, err;
	struct module mod;

	err = module_read(fd, &mod) ?: module_read_values(fd, &mod);
	if (err)
		err = module_info_error(err);
	else
		err = check_types(&mod);
	if (!err)
		func_fds = module_funcs_open(&mod);
	if (func_fds)
		err = dump_module(&mod, func_fds);
	else
		err = -1;
	module_funcs_close(&mod, func_fds);

	module_free_texts();
	module_free(&mod);
	module_free_kernel_btf();
	return err;
}
