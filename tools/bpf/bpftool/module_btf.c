// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Can the types in the BTF of an object file be followed to an end? libbpf and bpftool
 * go from type to type until there is an end, or print everything in one. The kernel
 * checks BTF when it is loaded, but nobody checks that of a file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "main.h"
#include "module.h"

/* Types within types. The kernel allows 32. */
#define MAX_HEIGHT	64
#define NO_END		(MAX_HEIGHT + 1)

struct walk {
	const struct btf *btf;
	bool of_values; /* else of declarations, as printed */
	__u8 *heights; /* by type id: levels of types below it, 0 if not known yet */
};

/* The @i-th type within the value, or the declaration, of @t: false after the last. A
 * declaration does not go into types that have a name.
 */
static bool next_type(const struct walk *w, const struct btf_type *t, __u32 i, __u32 *id)
{
	__u32 cnt = 1;

	if (btf_is_mod(t) || (btf_is_ptr(t) && !w->of_values) ||
	    ((btf_is_typedef(t) || btf_is_var(t)) && w->of_values)) {
		*id = t->type;
	} else if (btf_is_array(t)) {
		*id = btf_array(t)->type;
	} else if (btf_is_composite(t) && (w->of_values || !t->name_off)) {
		cnt = btf_vlen(t);
		*id = i < cnt ? btf_members(t)[i].type : 0;
	} else if (btf_is_func_proto(t) && !w->of_values) {
		cnt = btf_vlen(t) + 1;
		*id = !i ? t->type : i < cnt ? btf_params(t)[i - 1].type : 0;
	} else {
		return false;
	}
	return i < cnt;
}

static int measure(const struct walk *w, __u32 id, int depth)
{
	const struct btf_type *t = btf__type_by_id(w->btf, id);
	int height = 1;
	__u32 next, i;

	if (!t || depth > MAX_HEIGHT)
		return NO_END;
	if (w->heights[id])
		return w->heights[id];

	/* in case the way leads back here */
	w->heights[id] = NO_END;
	for (i = 0; height < NO_END && next_type(w, t, i, &next); i++)
		height = max(height, min(measure(w, next, depth + 1) + 1, NO_END));
	w->heights[id] = height;
	return height;
}

static __u32 find_endless(const struct btf *btf, bool of_values, __u8 *heights)
{
	struct walk w = { btf, of_values, heights };
	__u32 id, cnt = btf__type_cnt(btf);

	memset(heights, 0, cnt);
	for (id = 1; id < cnt; id++)
		if (measure(&w, id, 0) == NO_END)
			return id;
	return 0;
}

int module_btf_check(const struct btf *btf, const char *file)
{
	__u8 *heights = malloc(btf__type_cnt(btf));
	__u32 id;

	if (!heights) {
		p_err("mem alloc failed");
		return -1;
	}
	id = find_endless(btf, true, heights) ?: find_endless(btf, false, heights);
	free(heights);
	if (!id)
		return 0;
	p_err("the BTF of %s is broken: type %u contains itself, or more than %d levels of types",
	      file, id, MAX_HEIGHT);
	return -1;
}
