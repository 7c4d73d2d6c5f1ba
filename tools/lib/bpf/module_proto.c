// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Does the prototype that a caller has declared match the function of a BPF module?
 *
 * The kernel checks the size of what a pointer argument points to, but not its contents.
 * These are compared here, between two objects compiled at different times: structs by
 * their names without the flavor ("___v1"), and by the members that the caller knows,
 * which have to be where the function has them. The caller may know fewer. For objects of
 * the kernel, which both access by CO-RE, only the name counts.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <string.h>
#include "btf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"
#include "relo_core.h"

/* BTF can be anything, even endless: limits of depth and of steps */
#define MAX_DEPTH 32
#define MAX_STEPS 100000

/* Two types to compare: one of the caller's BTF, one of the function's. */
struct type_pair {
	const struct btf *our_btf;
	const struct btf *its_btf;
	__u32 ours;
	__u32 its;
	int depth;
	int *steps; /* left for all of it */
	bool is_in_memory; /* what an argument points to: pointers in it are numbers */
	bool is_kernels; /* a pointer to an object of the kernel */
	const char **member; /* the first that differs */
};

static bool fits(const struct type_pair *p);

static bool fits_at(const struct type_pair *p, __u32 ours, __u32 its)
{
	struct type_pair inner = *p;

	inner.ours = ours;
	inner.its = its;
	inner.depth++;
	return fits(&inner);
}

/* NULL if it does not end, or is nothing: the return type is not checked earlier */
static const struct btf_type *strip(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int depth;

	for (depth = 0; t && depth < MAX_DEPTH; depth++) {
		if (!btf_is_mod(t) && !btf_is_typedef(t))
			return t;
		t = btf__type_by_id(btf, t->type);
	}
	return NULL;
}

static bool is_number(const struct btf_type *t)
{
	return btf_is_int(t) || btf_is_any_enum(t);
}

static bool is_signed(const struct btf_type *t)
{
	return btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED : btf_kflag(t);
}

static bool is_bool(const struct btf_type *t)
{
	return btf_is_int(t) && btf_int_encoding(t) & BTF_INT_BOOL;
}

/* The caller extends an argument smaller than half a register, by its sign. Code that reads
 * a bool relies on it being 0 or 1, but code that writes another type of one byte does not
 * ensure that: either side may write what is passed, returned or in memory.
 */
static bool number_fits(const struct type_pair *p, const struct btf_type *ours,
			const struct btf_type *its)
{
	return ours->size == its->size && is_bool(ours) == is_bool(its) &&
	       (p->is_in_memory || ours->size >= 4 || is_signed(ours) == is_signed(its));
}

static bool is_same_name(const struct type_pair *p, const struct btf_type *ours,
			 const struct btf_type *its)
{
	const char *our_name = btf__name_by_offset(p->our_btf, ours->name_off);
	const char *its_name = btf__name_by_offset(p->its_btf, its->name_off);
	size_t len = bpf_core_essential_name_len(our_name);

	return len == bpf_core_essential_name_len(its_name) &&
	       strncmp(our_name, its_name, len) == 0;
}

/* A member, at any depth within structs and unions that have no name. */
struct place {
	__u32 type;
	__u32 bit_off;
	__u32 bit_size; /* 0 for no bit field */
};

static bool find_member(const struct type_pair *p, const struct btf_type *t, const char *name,
			__u32 bit_off, int depth, struct place *place)
{
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; depth < MAX_DEPTH && i < btf_vlen(t) && --*p->steps > 0; i++, m++) {
		const char *its_name = btf__name_by_offset(p->its_btf, m->name_off);
		__u32 off = bit_off + btf_member_bit_offset(t, i);
		const struct btf_type *inner;

		if (strcmp(its_name, name) == 0) {
			place->type = m->type;
			place->bit_off = off;
			place->bit_size = btf_member_bitfield_size(t, i);
			return true;
		}
		inner = *its_name ? NULL : strip(p->its_btf, m->type);
		if (inner && btf_is_composite(inner) &&
		    find_member(p, inner, name, off, depth + 1, place))
			return true;
	}
	return false;
}

/* Are the members of @t, which is part of @ours at @bit_off, where @its has them? */
static bool members_fit(const struct type_pair *p, const struct btf_type *t, __u32 bit_off,
			const struct btf_type *its, int depth)
{
	const struct btf_member *m = btf_members(t);
	int i;

	if (depth >= MAX_DEPTH || --*p->steps < 0)
		return false;
	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(p->our_btf, m->name_off);
		__u32 off = bit_off + btf_member_bit_offset(t, i);
		const struct btf_type *inner;
		struct place place;

		if (!*name) {
			inner = strip(p->our_btf, m->type);
			/* anything but a struct or union is padding */
			if (!inner || (btf_is_composite(inner) &&
				       !members_fit(p, inner, off, its, depth + 1)))
				return false;
			continue;
		}
		if (find_member(p, its, name, 0, 0, &place) && place.bit_off == off &&
		    place.bit_size == btf_member_bitfield_size(t, i) &&
		    fits_at(p, m->type, place.type))
			continue;
		if (!*p->member)
			*p->member = name;
		return false;
	}
	return true;
}

static bool struct_fits(const struct type_pair *p, const struct btf_type *ours,
			const struct btf_type *its)
{
	return is_same_name(p, ours, its) &&
	       (p->is_kernels || members_fit(p, ours, 0, its, p->depth));
}

/* Is @fwd only declared, and may it be @t? */
static bool is_fwd_of(const struct btf_type *fwd, const struct btf_type *t)
{
	return btf_is_fwd(fwd) && (btf_is_fwd(t) || btf_is_composite(t)) &&
	       btf_kflag(fwd) == (btf_is_fwd(t) ? btf_kflag(t) : btf_is_union(t));
}

static bool pointer_fits(const struct type_pair *p, const struct btf_type *ours,
			 const struct btf_type *its)
{
	const struct btf_type *target = strip(p->its_btf, its->type);
	struct type_pair inner = *p;

	/* as in C, the function's void takes any */
	if (p->is_in_memory || (target && btf_is_void(target)))
		return true;
	inner.is_in_memory = true;
	return fits_at(&inner, ours->type, its->type);
}

static bool fits(const struct type_pair *p)
{
	const struct btf_type *ours = strip(p->our_btf, p->ours);
	const struct btf_type *its = strip(p->its_btf, p->its);

	if (!ours || !its || p->depth > MAX_DEPTH || --*p->steps < 0)
		return false;
	if (is_number(ours) && is_number(its))
		return number_fits(p, ours, its);
	if (is_fwd_of(ours, its) || is_fwd_of(its, ours))
		return is_same_name(p, ours, its);
	if (btf_kind(ours) != btf_kind(its))
		return false;

	switch (btf_kind(ours)) {
	case BTF_KIND_PTR:
		return pointer_fits(p, ours, its);
	case BTF_KIND_ARRAY:
		return btf_array(ours)->nelems == btf_array(its)->nelems &&
		       fits_at(p, btf_array(ours)->type, btf_array(its)->type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return struct_fits(p, ours, its);
	case BTF_KIND_FLOAT:
		return ours->size == its->size;
	default:
		return true;
	}
}

/* Is argument @arg of @func tagged as a pointer to an object of the kernel? */
static bool is_kernels(const struct btf *btf, __u32 func, int arg)
{
	__u32 id, cnt = btf__type_cnt(btf);

	for (id = 1; id < cnt; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_decl_tag(t) && t->type == func &&
		    btf_decl_tag(t)->component_idx == arg &&
		    strcmp(btf__name_by_offset(btf, t->name_off), "arg:trusted") == 0)
			return true;
	}
	return false;
}

static bool args_fit(struct type_pair *p, __u32 func, const struct btf_type *ours,
		     const struct btf_type *its, char *why, size_t size)
{
	const char *member;
	int i;

	if (btf_vlen(ours) != btf_vlen(its)) {
		snprintf(why, size, "the number of arguments differs");
		return false;
	}
	for (i = 0; i < btf_vlen(ours); i++) {
		p->is_kernels = is_kernels(p->its_btf, func, i);
		if (fits_at(p, btf_params(ours)[i].type, btf_params(its)[i].type))
			continue;
		member = *p->member;
		snprintf(why, size, "argument %d differs%s%s%s", i + 1,
			 member ? " in member '" : "", member ?: "", member ? "'" : "");
		return false;
	}
	return true;
}

bool bpf_proto__fits(const struct btf *our_btf, __u32 ours, const struct btf *btf, __u32 func,
		     char *why, size_t size)
{
	const struct btf_type *our_proto = btf__type_by_id(our_btf, ours);
	const struct btf_type *proto = btf__type_by_id(btf, btf__type_by_id(btf, func)->type);
	const char *member = NULL;
	int steps = MAX_STEPS;
	struct type_pair p = {
		.our_btf = our_btf,
		.its_btf = btf,
		.steps = &steps,
		.member = &member,
	};

	if (!args_fit(&p, func, our_proto, proto, why, size))
		return false;
	p.is_kernels = false;
	if (fits_at(&p, our_proto->type, proto->type))
		return true;
	snprintf(why, size, "what it returns differs");
	return false;
}

void bpf_proto__format(const struct btf *btf, __u32 proto, const char *name, char *buf,
		       size_t size)
{
	const struct btf_type *t = btf__type_by_id(btf, proto);
	char type[128];
	size_t len;
	int i;

	libbpf_format_type(btf, t->type, type, sizeof(type));
	len = snprintf(buf, size, "%s %s(", type, name);
	for (i = 0; i < btf_vlen(t) && len < size; i++) {
		libbpf_format_type(btf, btf_params(t)[i].type, type, sizeof(type));
		len += snprintf(buf + len, size - len, "%s%s", i ? ", " : "", type);
	}
	if (len < size)
		snprintf(buf + len, size - len, "%s)", i ? "" : "void");
}
