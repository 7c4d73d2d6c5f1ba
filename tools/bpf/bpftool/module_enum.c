// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Constants that a program takes from the kernel that it runs on, as schedulers do since
 * their values are not the same everywhere: "const volatile u64 __SCX_SLICE_DFL" is what
 * the kernel's BTF gives for the enumerator SCX_SLICE_DFL. The loader that comes with a
 * scheduler fills them in; this is for objects that have none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

#define MARK "__"

struct constant {
	const char *name; /* of the enumerator */
	void *data;
	size_t size;
};

struct constants {
	struct constant *list;
	size_t cnt;
};

/* Only what the object has left zero is to be filled in. */
static int add_constant(struct constants *c, const char *name, void *data, size_t size)
{
	struct constant *list;

	if (!str_has_pfx(name, MARK) || (size != 4 && size != 8) ||
	    !libbpf_is_mem_zeroed(data, size))
		return 0;

	list = libbpf_reallocarray(c->list, c->cnt + 1, sizeof(*list));
	if (!list)
		return -1;
	c->list = list;
	list[c->cnt++] = (struct constant){ name + strlen(MARK), data, size };
	return 0;
}

static int add_section(struct constants *c, const struct bpf_object *obj, const struct btf *btf,
		       const struct btf_type *sec)
{
	const char *name = btf__name_by_offset(btf, sec->name_off);
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	const struct btf_var_secinfo *vsi = btf_var_secinfos(sec);
	size_t room = 0;
	void *data;
	__u32 i;

	data = map ? bpf_map__initial_value(map, &room) : NULL;
	for (i = 0; i < btf_vlen(sec); i++, vsi++) {
		const struct btf_type *var = btf__type_by_id(btf, vsi->type);

		if (!module_data_at(btf, var->type, data, room, vsi->offset))
			continue;
		if (!btf_is_int(skip_mods_and_typedefs(btf, var->type, NULL)))
			continue;
		if (add_constant(c, btf__name_by_offset(btf, var->name_off), data + vsi->offset,
				 btf__resolve_size(btf, var->type)))
			return -1;
	}
	return 0;
}

static int find_constants(struct constants *c, const struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj);
	__u32 id, cnt = btf ? btf__type_cnt(btf) : 0;

	for (id = 1; id < cnt; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!btf_is_datasec(t) ||
		    !str_has_pfx(btf__name_by_offset(btf, t->name_off), ".rodata"))
			continue;
		if (add_section(c, obj, btf, t))
			return -1;
	}
	return 0;
}

static void set_constants(const struct constants *c, const char *name, __u64 val)
{
	__u32 low = val;
	size_t i;

	for (i = 0; i < c->cnt; i++) {
		if (strcmp(c->list[i].name, name) != 0)
			continue;
		/* the BTF of a file may put it anywhere in its section */
		if (c->list[i].size == sizeof(val))
			memcpy(c->list[i].data, &val, sizeof(val));
		else
			memcpy(c->list[i].data, &low, sizeof(low));
	}
}

static void set_from_enum(const struct constants *c, const struct btf *btf,
			  const struct btf_type *t)
{
	const struct btf_enum64 *e64 = btf_enum64(t);
	const struct btf_enum *e = btf_enum(t);
	__u32 i;

	for (i = 0; i < btf_vlen(t); i++) {
		if (btf_is_enum64(t))
			set_constants(c, btf__name_by_offset(btf, e64[i].name_off),
				      btf_enum64_value(&e64[i]));
		else
			set_constants(c, btf__name_by_offset(btf, e[i].name_off),
				      btf_kflag(t) ? (__s64)e[i].val : (__u32)e[i].val);
	}
}

int module_set_enumerators(struct bpf_object *obj)
{
	const struct btf *btf = NULL;
	struct constants c = {};
	int err;
	__u32 id;

	err = find_constants(&c, obj);
	if (err)
		p_err("mem alloc failed");
	else if (c.cnt)
		btf = module_vmlinux_btf();
	for (id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_any_enum(t))
			set_from_enum(&c, btf, t);
	}
	free(c.list);
	return err;
}
