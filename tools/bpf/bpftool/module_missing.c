// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What an object with BPF modules needs that the running kernel lacks, as far as BTF,
 * the symbol table and the configuration show.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

#define BTF_DIR "/sys/kernel/btf"
/* of a name in the kernel's BTF, which has no longer ones */
#define NAME_SIZE 512

struct search {
	struct btf **btfs; /* vmlinux, then its modules */
	size_t btf_cnt;
	struct module_missing *missing;
	size_t missing_cnt;
	int err;
};

static void add_btf(struct search *s, struct btf *btf)
{
	struct btf **tmp;

	if (!btf)
		return;

	tmp = libbpf_reallocarray(s->btfs, s->btf_cnt + 1, sizeof(*tmp));
	if (!tmp) {
		btf__free(btf);
		s->err = -ENOMEM;
		return;
	}
	s->btfs = tmp;
	s->btfs[s->btf_cnt++] = btf;
}

/* From files, so that no privilege is needed. */
static int load_btfs(struct search *s)
{
	struct dirent *entry;
	char path[512];
	DIR *dir;

	add_btf(s, btf__parse(BTF_DIR "/vmlinux", NULL));
	dir = opendir(BTF_DIR);
	if (!dir || !s->btf_cnt) {
		if (dir)
			closedir(dir);
		return -ENOENT;
	}

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "vmlinux") == 0)
			continue;
		snprintf(path, sizeof(path), BTF_DIR "/%s", entry->d_name);
		add_btf(s, btf__parse_split(path, s->btfs[0]));
	}
	closedir(dir);
	return s->err;
}

static void free_btfs(struct search *s)
{
	/* in reverse order: those of modules need that of vmlinux */
	while (s->btf_cnt)
		btf__free(s->btfs[--s->btf_cnt]);
	free(s->btfs);
}

/* The BTF that has the type, NULL for none. */
static const struct btf *find_btf(const struct search *s, const char *name, __u32 kind)
{
	size_t i;

	for (i = 0; i < s->btf_cnt; i++)
		if (btf__find_by_name_kind_own(s->btfs[i], name, kind) > 0)
			return s->btfs[i];
	return NULL;
}

static void __printf(4, 5)
add_missing(struct search *s, const char *what, bool is_optional, const char *fmt, ...)
{
	struct module_missing *tmp;
	va_list args;
	char *name;

	va_start(args, fmt);
	if (vasprintf(&name, fmt, args) < 0)
		name = NULL;
	va_end(args);
	tmp = libbpf_reallocarray(s->missing, s->missing_cnt + 1, sizeof(*tmp));
	if (tmp)
		s->missing = tmp;
	if (!name || !tmp) {
		free(name);
		s->err = -ENOMEM;
		return;
	}

	tmp += s->missing_cnt++;
	tmp->what = what;
	tmp->name = name;
	tmp->is_optional = is_optional;
}

/* The name without "___suffix", as the kernel knows it. */
static void kernel_name(const struct btf *btf, const struct btf_type *t, char *buf, size_t size)
{
	const char *name = btf__name_by_offset(btf, t->name_off);

	snprintf(buf, size, "%.*s", (int)bpf_core_essential_name_len(name), name);
}

static bool has_member(const struct btf *btf, const struct btf_type *t, const char *name)
{
	const struct btf_member *m = btf_members(t);
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++)
		if (strcmp(btf__name_by_offset(btf, m->name_off), name) == 0)
			return true;
	return false;
}

/* The kernel may lack members that are not set. */
static void check_members(struct search *s, const struct bpf_map *map, const struct btf *btf,
			  const struct btf_type *t, const struct btf *kernel_btf, const char *type)
{
	const struct btf_member *m = btf_members(t);
	const struct btf_type *kernel_type;
	__u32 i;
	int id;

	id = btf__find_by_name_kind(kernel_btf, type, BTF_KIND_STRUCT);
	kernel_type = id > 0 ? btf__type_by_id(kernel_btf, id) : NULL;
	for (i = 0; kernel_type && i < btf_vlen(t); i++, m++) {
		const char *m_name = btf__name_by_offset(btf, m->name_off);
		const void *data = module_member_data(btf, map, m);

		if (!data || has_member(kernel_btf, kernel_type, m_name) ||
		    libbpf_is_mem_zeroed(data, btf__resolve_size(btf, m->type)))
			continue;
		add_missing(s, "member", !bpf_map__autocreate(map), "%s.%s", type, m_name);
	}
}

/* Ops with an owner need the kernel to have a type for it. */
static void check_owner(struct search *s, const struct bpf_map *map, const struct btf *kernel_btf,
			const char *type)
{
	int id = btf__find_by_name_kind(kernel_btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(kernel_btf, id) : NULL;
	__u32 i;

	if (find_btf(s, "module", BTF_KIND_STRUCT))
		return;
	for (i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_type *m = btf__type_by_id(kernel_btf, btf_members(t)[i].type);

		m = m && btf_is_ptr(m) ? btf__type_by_id(kernel_btf, m->type) : NULL;
		if (m && !strcmp(btf__name_by_offset(kernel_btf, m->name_off), "module"))
			add_missing(s, "config", !bpf_map__autocreate(map),
				    "CONFIG_MODULES, as %s has an owner", type);
	}
}

static void check_ops(struct search *s, const struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj), *kernel_btf;
	char type[NAME_SIZE], value_type[NAME_SIZE + 16];
	const struct btf_type *t;
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (!bpf_map__module(map))
			continue;

		t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
		kernel_name(btf, t, type, sizeof(type));
		snprintf(value_type, sizeof(value_type), "bpf_struct_ops_%s", type);
		kernel_btf = find_btf(s, value_type, BTF_KIND_STRUCT);
		if (kernel_btf) {
			check_members(s, map, btf, t, kernel_btf, type);
			check_owner(s, map, kernel_btf, type);
		} else {
			add_missing(s, "ops type", !bpf_map__autocreate(map), "%s", type);
		}
	}
}

/* The kernel limits the number of ops of a module. */
static void check_ops_cnt(struct search *s, const struct bpf_object *obj)
{
	const struct bpf_module *mod;
	const struct bpf_map *map;
	int cnt;

	bpf_object__for_each_module(mod, obj) {
		cnt = 0;
		bpf_object__for_each_map(map, obj)
			cnt += bpf_map__module(map) == mod && bpf_map__autocreate(map);
		if (cnt > BPF_MODULE_MAX_OPS)
			add_missing(s, "room", false, "for the %d ops of module %s, %d are allowed",
				    cnt, bpf_module__name(mod), BPF_MODULE_MAX_OPS);
	}
}

static void check_map_types(struct search *s, const struct bpf_object *obj)
{
	int id = btf__find_by_name_kind(s->btfs[0], "bpf_map_type", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(s->btfs[0], id) : NULL;
	const struct bpf_map *map;
	__u32 i;

	bpf_object__for_each_map(map, obj) {
		for (i = 0; t && i < btf_vlen(t); i++)
			if ((__u32)btf_enum(t)[i].val == bpf_map__type(map))
				break;
		if (t && i == btf_vlen(t))
			add_missing(s, "map type", !bpf_map__autocreate(map), "%s of map %s",
				    libbpf_bpf_map_type_str(bpf_map__type(map)) ?: "unknown",
				    bpf_map__name(map));
	}
}

/* What libbpf fills in by itself. */
static bool is_virtual(const char *name)
{
	return !strcmp(name, "LINUX_KERNEL_VERSION") || !strcmp(name, "LINUX_HAS_BPF_COOKIE") ||
	       !strcmp(name, "LINUX_HAS_SYSCALL_WRAPPER");
}

static void check_kconfig(struct search *s, const struct btf *btf, const struct module_elf *elf)
{
	const struct btf_var_secinfo *vsi;
	const struct btf_type *sec;
	int id, is_set;
	__u32 i;

	id = btf__find_by_name_kind(btf, ".kconfig", BTF_KIND_DATASEC);
	if (id < 0)
		return;

	sec = btf__type_by_id(btf, id);
	for (vsi = btf_var_secinfos(sec), i = 0; i < btf_vlen(sec); i++, vsi++) {
		const struct btf_type *var = btf__type_by_id(btf, vsi->type);
		const char *name = btf__name_by_offset(btf, var->name_off);

		if (is_virtual(name))
			continue;
		is_set = str_has_pfx(name, "CONFIG_") ? module_kconfig_is_set(name) : 0;
		if (is_set < 0)
			add_missing(s, "config", module_elf_is_weak(elf, name),
				    "%s: there is no /boot/config-* or /proc/config.gz", name);
		else if (!is_set)
			add_missing(s, "config", module_elf_is_weak(elf, name), "%s", name);
	}
}

static bool is_in_kallsyms(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char symbol[NAME_SIZE];
	bool found = false;

	while (f && !found && fscanf(f, "%*s %*c %511s%*[^\n]", symbol) == 1)
		found = strcmp(symbol, name) == 0;
	if (f)
		fclose(f);
	return found;
}

/* A variable without a type only needs an address. */
static bool has_symbol(const struct search *s, const struct btf *btf, const struct btf_type *t,
		       const char *name)
{
	if (btf_is_func(t))
		return find_btf(s, name, BTF_KIND_FUNC);
	if (!btf_is_void(skip_mods_and_typedefs(btf, t->type, NULL)))
		return find_btf(s, name, BTF_KIND_VAR);
	return is_in_kallsyms(name);
}

/* Is it a function of a BPF module, and not one of the kernel's? */
static bool is_module_func(const struct bpf_object *obj, const char *name)
{
	const struct bpf_module_dep *dep;

	bpf_object__for_each_module_dep(dep, obj)
		if (strcmp(bpf_module_dep__func(dep), name) == 0)
			return true;
	return false;
}

/* libbpf rewrites these in the BTF of an open object, so @btf is the one in the file. */
static void check_ksyms(struct search *s, const struct bpf_object *obj, const struct btf *btf,
			const struct module_elf *elf)
{
	const struct btf_var_secinfo *vsi;
	const struct btf_type *sec, *t;
	char name[NAME_SIZE];
	int id;
	__u32 i;

	id = btf__find_by_name_kind(btf, ".ksyms", BTF_KIND_DATASEC);
	if (id < 0)
		return;

	sec = btf__type_by_id(btf, id);
	for (vsi = btf_var_secinfos(sec), i = 0; i < btf_vlen(sec); i++, vsi++) {
		t = btf__type_by_id(btf, vsi->type);
		kernel_name(btf, t, name, sizeof(name));
		if (is_module_func(obj, name))
			continue;
		if (!has_symbol(s, btf, t, name))
			add_missing(s, btf_is_func(t) ? "kfunc" : "symbol",
				    module_elf_is_weak(elf, btf__name_by_offset(btf, t->name_off)),
				    "%s", name);
	}
}

void module_free_missing(struct module_missing *missing, size_t cnt)
{
	while (cnt-- > 0)
		free(missing[cnt].name);
	free(missing);
}

/* What to find in the kernel's BTF for the target that a program's section names. */
static const char *target_kind(const struct bpf_program *prog, const char **pfx, __u32 *kind)
{
	*pfx = "";
	*kind = BTF_KIND_FUNC;
	switch (bpf_program__expected_attach_type(prog)) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
		return "function";
	case BPF_TRACE_ITER:
		*pfx = "bpf_iter_";
		return "iterator";
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP:
		*pfx = "bpf_lsm_";
		return "LSM hook";
	case BPF_TRACE_RAW_TP:
		*pfx = "btf_trace_";
		*kind = BTF_KIND_TYPEDEF;
		return "tracepoint";
	default:
		return NULL;
	}
}

static bool is_by_btf(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_TRACING ||
	       bpf_program__type(prog) == BPF_PROG_TYPE_LSM;
}

static void check_targets(struct search *s, const struct bpf_object *obj)
{
	const char *target, *what, *pfx;
	struct bpf_program *prog;
	char name[512];
	__u32 kind;

	bpf_object__for_each_program(prog, obj) {
		target = strchr(bpf_program__section_name(prog), '/');
		what = is_by_btf(prog) ? target_kind(prog, &pfx, &kind) : NULL;
		if (!target || !what || !bpf_program__module(prog))
			continue;
		snprintf(name, sizeof(name), "%s%s", pfx, target + 1);
		if (!find_btf(s, name, kind))
			add_missing(s, what, !bpf_program__autoload(prog), "%s", target + 1);
	}
}

int module_find_missing(const struct bpf_object *obj, const char *file,
			const struct module_elf *elf, struct module_missing **missing, size_t *cnt)
{
	struct search s = {};
	struct btf *btf;

	btf = btf__parse_elf(file, NULL);
	s.err = btf ? load_btfs(&s) : -errno;
	if (!s.err) {
		if (!libbpf_probe_bpf_module(NULL))
			add_missing(&s, "feature", false, "BPF modules");
		check_ops(&s, obj);
		check_ops_cnt(&s, obj);
		check_map_types(&s, obj);
		check_kconfig(&s, btf, elf);
		check_ksyms(&s, obj, btf, elf);
		check_targets(&s, obj);
	}
	free_btfs(&s);
	btf__free(btf);

	if (s.err) {
		module_free_missing(s.missing, s.missing_cnt);
		return s.err;
	}
	*missing = s.missing;
	*cnt = s.missing_cnt;
	return 0;
}
