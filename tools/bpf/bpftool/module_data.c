// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Values that BTF describes: where in one a part is, and whether that is a callback.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "main.h"
#include "module.h"

bool module_is_func_ptr(const struct btf *btf, __u32 type_id)
{
	const struct btf_type *t;

	t = btf__type_by_id(btf, btf__resolve_type(btf, type_id));
	if (!t || !btf_is_ptr(t))
		return false;

	t = btf__type_by_id(btf, btf__resolve_type(btf, t->type));
	return t && btf_is_func_proto(t);
}

const void *module_data_at(const struct btf *btf, __u32 type_id, const void *data, size_t size,
			   size_t offset)
{
	__s64 len = btf__resolve_size(btf, type_id);

	if (!data || len < 0 || offset > size || (__u64)len > size - offset)
		return NULL;
	return data + offset;
}

const void *module_member_data(const struct btf *btf, const struct bpf_map *map,
			       const struct btf_member *m)
{
	size_t size;
	const void *value = bpf_map__initial_value(map, &size);

	return module_data_at(btf, m->type, value, size, m->offset / 8);
}
