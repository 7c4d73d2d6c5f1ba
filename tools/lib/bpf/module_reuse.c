// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Maps of the same layout that a BPF module takes over from another one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "bpf.h"
#include "btf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

/* Two types to compare: one of our object's BTF, one of the map's. */
struct type_pair {
	const struct btf *our_btf;
	const struct btf *its_btf;
	__u32 ours;
	__u32 its;
	int depth; /* BTF can be anything, even endless */
	const char **what; /* the member or variable that differs */
};

static bool is_same_type(const struct type_pair *p);

static bool is_same_at(const struct type_pair *p, __u32 ours, __u32 its)
{
	struct type_pair inner = *p;

	inner.ours = ours;
	inner.its = its;
	inner.depth++;
	return is_same_type(&inner);
}

/* "" for none */
static const char *type_tag(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	return btf_is_type_tag(t) ? btf__name_by_offset(btf, t->name_off) : "";
}

static bool is_same_member(const struct type_pair *p, const struct btf_member *ours,
			   const struct btf_member *its)
{
	const char *name = btf__name_by_offset(p->our_btf, ours->name_off);
	bool same = strcmp(name, btf__name_by_offset(p->its_btf, its->name_off)) == 0 &&
		    ours->offset == its->offset && is_same_at(p, ours->type, its->type);

	if (!same && !*p->what && *name)
		*p->what = name;
	return same;
}

static bool are_same_members(const struct type_pair *p, const struct btf_type *ours,
			     const struct btf_type *its)
{
	int i;

	if (btf_vlen(ours) != btf_vlen(its))
		return false;
	for (i = 0; i < btf_vlen(ours); i++)
		if (!is_same_member(p, &btf_members(ours)[i], &btf_members(its)[i]))
			return false;
	return true;
}

static bool is_same_var(const struct type_pair *p, const struct btf_var_secinfo *ours,
			const struct btf_var_secinfo *its)
{
	const struct btf_type *our_var = btf__type_by_id(p->our_btf, ours->type);
	const struct btf_type *its_var = btf__type_by_id(p->its_btf, its->type);
	const char *name = btf__name_by_offset(p->our_btf, our_var->name_off);
	bool same = strcmp(name, btf__name_by_offset(p->its_btf, its_var->name_off)) == 0 &&
		    ours->offset == its->offset && ours->size == its->size &&
		    is_same_at(p, our_var->type, its_var->type);

	if (!same && !*p->what)
		*p->what = name;
	return same;
}

static bool are_same_vars(const struct type_pair *p, const struct btf_type *ours,
			  const struct btf_type *its)
{
	int i;

	if (btf_vlen(ours) != btf_vlen(its))
		return false;
	for (i = 0; i < btf_vlen(ours); i++)
		if (!is_same_var(p, &btf_var_secinfos(ours)[i], &btf_var_secinfos(its)[i]))
			return false;
	return true;
}

/* Pointers are numbers to a map, but those to objects of the kernel have tags. */
static bool is_same_type(const struct type_pair *p)
{
	const struct btf_type *ours = skip_mods_and_typedefs(p->our_btf, p->ours, NULL);
	const struct btf_type *its = skip_mods_and_typedefs(p->its_btf, p->its, NULL);

	if (p->depth > 32 || btf_kind(ours) != btf_kind(its))
		return false;

	switch (btf_kind(ours)) {
	case BTF_KIND_PTR:
		return strcmp(type_tag(p->our_btf, ours->type),
			      type_tag(p->its_btf, its->type)) == 0;
	case BTF_KIND_INT:
		return ours->size == its->size && *(__u32 *)(ours + 1) == *(__u32 *)(its + 1);
	case BTF_KIND_ARRAY:
		return btf_array(ours)->nelems == btf_array(its)->nelems &&
		       is_same_at(p, btf_array(ours)->type, btf_array(its)->type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return ours->size == its->size && are_same_members(p, ours, its);
	case BTF_KIND_DATASEC:
		return are_same_vars(p, ours, its);
	default:
		return ours->size == its->size;
	}
}

static int differs(const struct bpf_map *map, const char *what, __u64 its, __u64 ours)
{
	pr_warn("map '%s': can't reuse the module's map, which has %s %llu, not %llu\n",
		bpf_map__name(map), what, (unsigned long long)its, (unsigned long long)ours);
	return -EINVAL;
}

static int check_types(const struct bpf_map *map, const struct btf *btf,
		       const char *part, __u32 ours, __u32 its)
{
	const char *what = NULL;
	struct type_pair pair = {
		.our_btf = bpf_map__btf(map),
		.its_btf = btf,
		.ours = ours,
		.its = its,
		.what = &what,
	};

	if (!ours || !its || is_same_type(&pair))
		return 0;
	pr_warn("map '%s': can't reuse the module's map, the layout of its %s differs%s%s\n",
		bpf_map__name(map), part, what ? " at " : "", what ?: "");
	return -EINVAL;
}

static int check_layout(const struct bpf_map *map, const struct bpf_map_info *info)
{
	struct btf *btf;
	int err;

	/* a type of map that has no BTF types, or one that was created without them */
	if (!info->btf_id || !bpf_map__btf(map))
		return 0;

	btf = btf__load_from_kernel_by_id(info->btf_id);
	if (!btf) {
		err = -errno;
		pr_warn("map '%s': can't read the BTF of that of the module\n", bpf_map__name(map));
		return err;
	}
	err = check_types(map, btf, "keys", bpf_map__btf_key_type_id(map), info->btf_key_type_id) ?:
	      check_types(map, btf, "values", bpf_map__btf_value_type_id(map),
			  info->btf_value_type_id);
	btf__free(btf);
	return err;
}

static int check_sizes(const struct bpf_map *map, const struct bpf_map_info *info)
{
	__u32 flags = info->map_flags;

	/* the kernel adds this one */
	if (info->type == BPF_MAP_TYPE_DEVMAP || info->type == BPF_MAP_TYPE_DEVMAP_HASH)
		flags &= ~BPF_F_RDONLY_PROG;

	if (info->key_size != bpf_map__key_size(map))
		return differs(map, "key size", info->key_size, bpf_map__key_size(map));
	if (info->value_size != bpf_map__value_size(map))
		return differs(map, "value size", info->value_size, bpf_map__value_size(map));
	/* 0 means a default that depends on the machine */
	if (bpf_map__max_entries(map) && info->max_entries != bpf_map__max_entries(map))
		return differs(map, "max_entries", info->max_entries, bpf_map__max_entries(map));
	if (flags != bpf_map__map_flags(map))
		return differs(map, "map_flags", flags, bpf_map__map_flags(map));
	if (info->map_extra != bpf_map__map_extra(map))
		return differs(map, "map_extra", info->map_extra, bpf_map__map_extra(map));
	return 0;
}

static int check_map(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int err;

	err = bpf_map_get_info_by_fd(fd, &info, &len);
	if (err)
		return err;
	if (info.type != bpf_map__type(map)) {
		pr_warn("map '%s': can't reuse the module's map, which is of type %s, not %s\n",
			bpf_map__name(map), libbpf_bpf_map_type_str(info.type) ?: "?",
			libbpf_bpf_map_type_str(bpf_map__type(map)) ?: "?");
		return -EINVAL;
	}
	return check_sizes(map, &info) ?: check_layout(map, &info);
}

/* The name by which a module's map is found: ".bss", whatever the object's name. */
static const char *lookup_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return bpf_map__is_internal(map) ? strchr(name, '.') : name;
}

int bpf_map__reuse_module_fd(struct bpf_map *map, int module_fd)
{
	int fd, err;

	if (!map)
		return libbpf_err(-EINVAL);
	if (bpf_map__is_loaded(map))
		return libbpf_err(-EBUSY);
	if (bpf_map__is_read_only(map)) {
		pr_warn("map '%s': can't reuse the module's map, it is constant\n",
			bpf_map__name(map));
		return libbpf_err(-EINVAL);
	}

	fd = bpf_module__open_map(module_fd, lookup_name(map));
	if (fd < 0) {
		if (fd == -ENOENT)
			pr_warn("map '%s': the module has no map of that name\n",
				bpf_map__name(map));
		return libbpf_err(fd);
	}
	err = check_map(map, fd) ?: bpf_map__reuse_fd(map, fd);
	if (!err)
		bpf_map__set_of_module(map);
	close(fd);
	return libbpf_err(err);
}
