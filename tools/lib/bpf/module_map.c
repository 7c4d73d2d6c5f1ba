// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Maps of loaded BPF modules, by name.
 *
 * The kernel keeps 15 characters of a map's name. The rest is in the BTF that the
 * module was loaded with, which has a variable for each map of the object.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf_module.h>
#include "bpf.h"
#include "btf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

#define KERNEL_NAME_LEN (BPF_OBJ_NAME_LEN - 1)

/* What to look for. */
struct map_query {
	const char *name;
	struct btf *btf; /* of the module, NULL for none */
	__u32 btf_id;
};

/* The kernel's name of ".bss" begins with a part of the object's name: "my_objec.bss". */
static bool has_data_name(const char *kernel_name, const char *name)
{
	const char *sec = strchr(kernel_name, '.');

	if (!sec)
		return false;
	return strcmp(sec, name) == 0 ||
	       (strlen(sec) == KERNEL_NAME_LEN && strncmp(sec, name, KERNEL_NAME_LEN) == 0);
}

static const struct btf_type *find_maps_sec(const struct btf *btf)
{
	__s32 id = btf ? btf__find_by_name_kind(btf, MAPS_ELF_SEC, BTF_KIND_DATASEC) : -ENOENT;

	return id < 0 ? NULL : btf__type_by_id(btf, id);
}

/* Is it defined like the map of @info? */
static bool is_defined_so(const struct map_query *q, const struct btf_type *var,
			  const struct bpf_map_info *info)
{
	const struct btf_type *def_t = skip_mods_and_typedefs(q->btf, var->type, NULL);
	struct btf_map_def def = {}, inner = {};

	if (!btf_is_struct(def_t) || parse_btf_map_def(q->name, q->btf, def_t, false, &def, &inner))
		return false;
	if (def.map_type != info->type)
		return false;
	/* ids of another BTF say nothing: the map is from another object */
	return info->btf_id != q->btf_id || (def.key_type_id == info->btf_key_type_id &&
					     def.value_type_id == info->btf_value_type_id);
}

/* Can the map of @info, whose name may be truncated, be the one to look for? */
static bool has_full_name(const struct map_query *q, const struct bpf_map_info *info)
{
	const struct btf_type *sec = find_maps_sec(q->btf);
	const struct btf_var_secinfo *vsi;
	int i;

	if (!sec)
		return true;

	for (vsi = btf_var_secinfos(sec), i = 0; i < btf_vlen(sec); i++, vsi++) {
		const struct btf_type *var = btf__type_by_id(q->btf, vsi->type);

		if (strcmp(btf__name_by_offset(q->btf, var->name_off), q->name) == 0)
			return is_defined_so(q, var, info);
	}
	return false;
}

static bool is_asked_for(const struct map_query *q, const struct bpf_map_info *info)
{
	if (q->name[0] == '.')
		return has_data_name(info->name, q->name);
	if (strncmp(info->name, q->name, KERNEL_NAME_LEN) != 0)
		return false;
	return strlen(info->name) < KERNEL_NAME_LEN || has_full_name(q, info);
}

/* A map that is gone by now is skipped. */
static int open_if_asked_for(const struct map_query *q, __u32 id)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd, err;

	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -errno;

	err = bpf_map_get_info_by_fd(fd, &info, &len);
	if (!err && !is_asked_for(q, &info))
		err = -ENOENT;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int find_map(const struct map_query *q, const __u32 *ids, __u32 cnt)
{
	int found = -ENOENT, fd;
	__u32 i;

	for (i = 0; i < cnt; i++) {
		fd = open_if_asked_for(q, ids[i]);
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || found >= 0) {
			if (found >= 0)
				close(found);
			if (fd < 0)
				return fd;
			close(fd);
			pr_warn("map '%s': the module has several of that name\n", q->name);
			return -EEXIST;
		}
		found = fd;
	}
	return found;
}

/* In memory that the caller frees; NULL if there are none or no memory. */
static __u32 *get_map_ids(int module_fd, struct bpf_module_info *info, int *err)
{
	__u32 len = sizeof(*info), cnt, *ids;

	memset(info, 0, sizeof(*info));
	*err = bpf_module_get_info_by_fd(module_fd, info, &len);
	if (*err || !info->map_cnt)
		return NULL;

	cnt = info->map_cnt;
	ids = calloc(cnt, sizeof(*ids));
	if (!ids) {
		*err = -ENOMEM;
		return NULL;
	}
	memset(info, 0, sizeof(*info));
	len = sizeof(*info);
	info->map_ids = (unsigned long)ids;
	info->map_cnt = cnt;
	*err = bpf_module_get_info_by_fd(module_fd, info, &len);
	info->map_cnt = min(info->map_cnt, cnt);
	return ids;
}

int bpf_module__open_map(int module_fd, const char *name)
{
	struct map_query q = { .name = name };
	struct bpf_module_info info;
	__u32 *ids;
	int err;

	if (!name)
		return libbpf_err(-EINVAL);

	ids = get_map_ids(module_fd, &info, &err);
	if (!err) {
		q.btf_id = info.btf_id;
		q.btf = info.btf_id ? btf__load_from_kernel_by_id(info.btf_id) : NULL;
		err = find_map(&q, ids, ids ? info.map_cnt : 0);
		btf__free(q.btf);
	}
	free(ids);
	return libbpf_err(err);
}
