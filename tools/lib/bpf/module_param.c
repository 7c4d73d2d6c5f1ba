// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Parameters of BPF modules.
 *
 * A parameter is a global variable that is "const volatile", or a plain member
 * of an ops variable. Its type is known from the object's BTF, so that a value
 * can be given as text and is checked before the object is loaded. After that
 * the kernel does not let either change. Those of programs are in
 * module_target.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bpf.h"
#include "btf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

#define RODATA_SEC ".rodata"

/* A parameter and its new value. */
struct param {
	const struct bpf_module *mod;
	const char *name;
	const char *text;
	const struct btf *btf;
	__u32 type_id;
	void *data;
	size_t room; /* from @data to the end of the variable's section */
};

static bool is_plain_char(const struct btf *btf, const struct btf_type *t)
{
	return btf_is_int(t) && t->size == 1 &&
	       strcmp(btf__name_by_offset(btf, t->name_off), "char") == 0;
}

static bool is_bool(const struct btf_type *t)
{
	return btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_BOOL);
}

static bool is_signed(const struct btf_type *t)
{
	return btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED : btf_kflag(t);
}

/* Integers and enums of 8, 16, 32 and 64 bits. */
static bool is_scalar(const struct btf_type *t)
{
	return (btf_is_int(t) || btf_is_any_enum(t)) &&
	       (t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8);
}

static const char *kind_name(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_FUNC_PROTO:
		return "a function pointer";
	case BTF_KIND_STRUCT:
		return "struct";
	case BTF_KIND_UNION:
		return "union";
	default:
		return "enum";
	}
}

/* The type behind the arrays, pointers and modifiers of @id. NULL if these do not end:
 * the BTF of a file can be anything.
 */
static const struct btf_type *base_type(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int depth;

	for (depth = 0; t && depth < 32; depth++) {
		if (btf_is_array(t))
			t = btf__type_by_id(btf, btf_array(t)->type);
		else if (btf_is_ptr(t) || btf_is_mod(t))
			t = btf__type_by_id(btf, t->type);
		else
			return t;
	}
	return NULL;
}

struct text {
	char *buf;
	size_t size;
};

static void add_to_text(void *ctx, const char *fmt, va_list args)
{
	struct text *text = ctx;
	size_t len = strlen(text->buf);

	vsnprintf(text->buf + len, text->size - len, fmt, args);
}

void libbpf_format_type(const struct btf *btf, __u32 id, char *buf, size_t size)
{
	LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = "", .strip_mods = true);
	const struct btf_type *base = base_type(btf, id);
	struct text text = { buf, size };
	struct btf_dump *d;

	/* bodies and arguments would be written out, over many lines */
	if (base && (!base->name_off || btf_is_func_proto(base)) && !btf_is_void(base)) {
		snprintf(buf, size, "%s", kind_name(base));
		return;
	}

	buf[0] = '\0';
	d = base ? btf_dump__new(btf, add_to_text, &text, NULL) : NULL;
	if (!d || btf_dump__emit_type_decl(d, id, &opts))
		snprintf(buf, size, "?");
	btf_dump__free(d);
}

static __s64 int_min(const struct btf_type *t)
{
	return is_signed(t) ? (__s64)(~0ULL << (t->size * 8 - 1)) : 0;
}

static __u64 int_max(const struct btf_type *t)
{
	return ~0ULL >> (64 - t->size * 8 + is_signed(t));
}

static const char *enum_name(const struct btf *btf, const struct btf_type *t, int i)
{
	return btf__name_by_offset(btf, btf_is_enum(t) ? btf_enum(t)[i].name_off :
							 btf_enum64(t)[i].name_off);
}

static __u64 enum_value(const struct btf_type *t, int i)
{
	return btf_is_enum(t) ? btf_enum(t)[i].val : btf_enum64_value(&btf_enum64(t)[i]);
}

/* "COLOR_RED, COLOR_GREEN", truncated to @size */
static void format_enum(const struct btf *btf, const struct btf_type *t, char *buf, size_t size)
{
	size_t len = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; i < btf_vlen(t); i++) {
		const char *name = enum_name(btf, t, i);

		if (len + strlen(name) + sizeof(", ...") >= size) {
			snprintf(buf + len, size - len, ", ...");
			return;
		}
		len += snprintf(buf + len, size - len, "%s%s", i ? ", " : "", name);
	}
}

/* The range of a scalar: "0 to 255". */
static void format_range(const struct btf *btf, const struct btf_type *t, char *buf, size_t size)
{
	if (btf_is_any_enum(t))
		format_enum(btf, t, buf, size);
	else if (is_bool(t))
		snprintf(buf, size, "y, n, 1, 0, on, off, true, false");
	else
		snprintf(buf, size, "%lld to %llu%s", (long long)int_min(t),
			 (unsigned long long)int_max(t),
			 is_plain_char(btf, t) ? ", or a character" : "");
}

/* What the whole parameter takes: "char[16] takes up to 15 characters" */
static void format_takes(const struct param *p, char *buf, size_t size)
{
	const struct btf_type *t = skip_mods_and_typedefs(p->btf, p->type_id, NULL), *elem;
	char type[128], range[256];

	libbpf_format_type(p->btf, p->type_id, type, sizeof(type));
	if (!btf_is_array(t)) {
		format_range(p->btf, t, range, sizeof(range));
		snprintf(buf, size, "%s takes %s", type, range);
		return;
	}

	elem = skip_mods_and_typedefs(p->btf, btf_array(t)->type, NULL);
	if (is_plain_char(p->btf, elem)) {
		snprintf(buf, size, "%s takes up to %u characters", type, btf_array(t)->nelems - 1);
		return;
	}
	format_range(p->btf, elem, range, sizeof(range));
	snprintf(buf, size, "%s takes up to %u values with commas between them, each %s", type,
		 btf_array(t)->nelems, range);
}

static int bad_value(const struct param *p, int err, const char *problem)
{
	char takes[512];

	format_takes(p, takes, sizeof(takes));
	pr_warn("module '%s': parameter %s: '%s' is %s; %s\n", bpf_module__name(p->mod), p->name,
		p->text, problem, takes);
	return err;
}

static int bad_type(const struct param *p, const char *why)
{
	char type[128];

	libbpf_format_type(p->btf, p->type_id, type, sizeof(type));
	pr_warn("module '%s': parameter %s: %s can't be set%s\n", bpf_module__name(p->mod),
		p->name, type, why);
	return -EOPNOTSUPP;
}

static int parse_bool(const char *text, __u64 *val)
{
	static const char * const words[2][7] = {
		{ "0", "n", "N", "no", "off", "false" },
		{ "1", "y", "Y", "yes", "on", "true" },
	};
	int i, w;

	for (i = 0; i < 2; i++) {
		for (w = 0; words[i][w]; w++) {
			if (strcmp(text, words[i][w]) == 0) {
				*val = i;
				return 0;
			}
		}
	}
	return -EINVAL;
}

/* Numbers as in C: 10, -10, 0x10, 010 */
static int parse_int(const struct btf_type *t, const char *text, __u64 *val)
{
	bool negative = text[0] == '-';
	int err;

	if (!isdigit(text[negative]))
		return -EINVAL;

	err = libbpf_parse_u64(text, val);
	if (err)
		return err;

	/* a sign that the value does not have, or that its type can't have */
	if (*val && negative != (is_signed(t) && (__s64)*val < 0))
		return -ERANGE;

	return libbpf_is_num_in_range(*val, t->size, is_signed(t)) ? 0 : -ERANGE;
}

static bool parse_char(const char *text, __u64 *val)
{
	size_t len = strlen(text);

	if (len == 3 && text[0] == '\'' && text[2] == '\'')
		*val = text[1];
	else if (len == 1 && !isdigit(text[0]))
		*val = text[0];
	else
		return false;

	return true;
}

static int parse_enum(const struct btf *btf, const struct btf_type *t, const char *text, __u64 *val)
{
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		if (strcmp(text, enum_name(btf, t, i)) == 0) {
			*val = enum_value(t, i);
			return 0;
		}
	}
	return -EINVAL;
}

static int set_scalar(const struct param *p, const struct btf_type *t, const char *text, void *data)
{
	__u64 val = 0;
	int err = 0;

	if (btf_is_any_enum(t))
		err = parse_enum(p->btf, t, text, &val);
	else if (is_bool(t))
		err = parse_bool(text, &val);
	else if (!is_plain_char(p->btf, t) || !parse_char(text, &val))
		err = parse_int(t, text, &val);

	if (err)
		return bad_value(p, err, err == -ERANGE ? "out of range" :
				 btf_is_any_enum(t) ? "not one of the names" :
				 is_bool(t) ? "neither yes nor no" : "not a number");

	return libbpf_store_num(data, t->size, val);
}

static int set_text(const struct param *p, __u32 size)
{
	size_t len = strlen(p->text);

	if (len >= size)
		return bad_value(p, -ERANGE, "too long");

	memset(p->data, 0, size);
	memcpy(p->data, p->text, len);
	return 0;
}

/* Elements beyond those in @p->text keep their value. */
static int set_elements(const struct param *p, const struct btf_type *elem, __u32 nelems,
			char *text, void *data)
{
	char *next;
	__u32 i;
	int err;

	for (i = 0; text; i++, text = next) {
		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		if (i == nelems)
			return bad_value(p, -ERANGE, "too many values");

		err = set_scalar(p, elem, text, data + i * elem->size);
		if (err)
			return err;
	}
	return 0;
}

static int set_array(const struct param *p, const struct btf_type *t)
{
	const struct btf_type *elem = skip_mods_and_typedefs(p->btf, btf_array(t)->type, NULL);
	__u32 nelems = btf_array(t)->nelems;
	char *text;
	void *data;
	int err;

	if (is_plain_char(p->btf, elem) && nelems)
		return set_text(p, nelems);
	if (!is_scalar(elem) || !nelems)
		return bad_type(p, ", only flat arrays of integers, enums or characters");

	/* a value that is partly wrong changes nothing */
	text = strdup(p->text);
	data = malloc(nelems * elem->size);
	if (text && data) {
		memcpy(data, p->data, nelems * elem->size);
		err = set_elements(p, elem, nelems, text, data);
		if (!err)
			memcpy(p->data, data, nelems * elem->size);
	} else {
		err = -ENOMEM;
	}

	free(data);
	free(text);
	return err;
}

/* BTF comes from a file and can be wrong. */
static bool has_room(const struct param *p)
{
	__s64 size = btf__resolve_size(p->btf, p->type_id);

	return p->data && size >= 0 && size <= p->room;
}

static int set_value(const struct param *p)
{
	const struct btf_type *t = skip_mods_and_typedefs(p->btf, p->type_id, NULL);

	if (!has_room(p))
		return bad_type(p, ", the object's BTF puts it outside its section");
	if (is_scalar(t))
		return set_scalar(p, t, p->text, p->data);
	if (btf_is_array(t))
		return set_array(p, t);
	if (btf_is_composite(t))
		return bad_type(p, " as a whole, only its members");
	if (btf_is_float(t))
		return bad_type(p, ", BPF programs do not calculate with it");

	return bad_type(p, ", only integers, enums, characters and arrays of them");
}

static bool is_same(const char *str, const char *name, size_t len)
{
	return strlen(str) == len && strncmp(str, name, len) == 0;
}

/* Beyond the section there is no data. */
static void advance(struct param *p, size_t offset)
{
	if (!p->data || offset > p->room) {
		p->data = NULL;
		return;
	}
	p->data += offset;
	p->room -= offset;
}

/* Make @p its member @name[0..len), even if that is within members that have no name
 * themselves. -ENOENT if there is none.
 */
static int enter_member(struct param *p, const char *name, size_t len)
{
	const struct btf_type *t = skip_mods_and_typedefs(p->btf, p->type_id, NULL);
	const struct btf_member *m = btf_members(t);
	int i, err;

	if (!btf_is_composite(t))
		return -ENOENT;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *m_name = btf__name_by_offset(p->btf, m->name_off);
		struct param inner = *p;

		inner.type_id = m->type;
		advance(&inner, btf_member_bit_offset(t, i) / 8);

		if (!*m_name) {
			err = enter_member(&inner, name, len);
			if (err == -ENOENT)
				continue;
		} else if (!is_same(m_name, name, len)) {
			continue;
		} else {
			err = btf_member_bitfield_size(t, i) ?
				      bad_type(&inner, " in a bit field") : 0;
		}
		*p = inner;
		return err;
	}
	return -ENOENT;
}

/* Make @p the variable @name[0..len) of the read-only data in @map. */
static int enter_rodata(struct param *p, const struct bpf_map *map, const char *name, size_t len)
{
	const struct btf_type *sec = btf__type_by_id(p->btf, bpf_map__btf_value_type_id(map));
	const struct btf_var_secinfo *vsi;
	int i;

	if (!sec || !btf_is_datasec(sec) || str_has_pfx(name, "__") ||
	    !str_has_pfx(btf__name_by_offset(p->btf, sec->name_off), RODATA_SEC))
		return -ENOENT;

	for (vsi = btf_var_secinfos(sec), i = 0; i < btf_vlen(sec); i++, vsi++) {
		const struct btf_type *var = btf__type_by_id(p->btf, vsi->type);

		if (!btf_is_var(var) ||
		    !is_same(btf__name_by_offset(p->btf, var->name_off), name, len) ||
		    btf_var(var)->linkage == BTF_VAR_STATIC)
			continue;

		p->type_id = var->type;
		if (!btf_is_module_param(p->btf, var))
			return bad_type(p, " unless it is declared 'const volatile'");

		p->data = bpf_map__initial_value(map, &p->room);
		advance(p, vsi->offset);
		return 0;
	}
	return -ENOENT;
}

static int enter_ops(struct param *p, const struct bpf_map *map, const char *name, size_t len)
{
	const struct bpf_module *mod = bpf_map__module(map);

	if (!mod || !is_same(bpf_map__name(map), name, len))
		return -ENOENT;
	if (mod != p->mod) {
		pr_warn("module '%s': parameter %s: these ops belong to module '%s'\n",
			bpf_module__name(p->mod), p->name, bpf_module__name(mod));
		return -EINVAL;
	}

	p->type_id = bpf_map__btf_value_type_id(map);
	p->data = bpf_map__initial_value(map, &p->room);
	return 0;
}

static int find_param(struct param *p, const struct bpf_object *obj)
{
	const char *name = p->name;
	size_t len = strcspn(name, ".");
	struct bpf_map *map;
	int err = -ENOENT;

	bpf_object__for_each_map(map, obj) {
		err = bpf_map__is_internal(map) ? enter_rodata(p, map, name, len) :
						  enter_ops(p, map, name, len);
		if (err != -ENOENT)
			break;
	}

	while (!err && name[len]) {
		name += len + 1;
		len = strcspn(name, ".");
		err = enter_member(p, name, len);
	}
	return err;
}

/* The names of variables that are parameters, truncated to @size. */
static void format_params(const struct param *p, char *buf, size_t size)
{
	__u32 id, cnt = btf__type_cnt(p->btf);
	size_t len = 0;

	buf[0] = '\0';
	for (id = 1; id < cnt; id++) {
		const struct btf_type *t = btf__type_by_id(p->btf, id);
		const char *name = btf__name_by_offset(p->btf, t->name_off);

		if (!btf_is_var(t) || !btf_is_module_param(p->btf, t))
			continue;
		if (len + strlen(name) + sizeof(", ...") >= size) {
			snprintf(buf + len, size - len, ", ...");
			return;
		}
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "; there are ", name);
	}
}

int bpf_module__set_param(struct bpf_module *mod, const char *name, const char *value)
{
	struct param p = { .mod = mod, .name = name, .text = value };
	const struct bpf_object *obj;
	char names[256];
	int err;

	if (!mod || !name || !value)
		return libbpf_err(-EINVAL);

	obj = bpf_module__object(mod);
	p.btf = bpf_object__btf(obj);
	if (bpf_object__is_prepared(obj)) {
		pr_warn("module '%s': parameter %s: too late, the object is loaded\n",
			bpf_module__name(mod), name);
		return libbpf_err(-EBUSY);
	}

	err = bpf_module__set_target(mod, name, value);
	if (err != -ESRCH)
		return libbpf_err(err);

	err = find_param(&p, obj);
	if (err == -ENOENT) {
		format_params(&p, names, sizeof(names));
		pr_warn("module '%s': no parameter %s%s\n", bpf_module__name(mod), name, names);
	}

	return libbpf_err(err ?: set_value(&p));
}
