// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * BPF modules of a BPF object: which ones it declares, their names, and what the user
 * sets for each.
 *
 * A module collects ops variables and programs of the object.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

static bool is_name_char(char c)
{
	return isascii(c) && (isalnum(c) || strchr("_.-", c));
}

/* "." and ".." name folders, and a '-' begins an option */
static bool is_reserved_name(const char *name)
{
	return name[0] == '-' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool libbpf_is_module_name(const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len; i++)
		if (!is_name_char(name[i]))
			return false;

	return len > 0 && len < BPF_MODULE_NAME_LEN && !is_reserved_name(name);
}

/* Name a module after its object's file: /objs/cubic.bpf.o gives "cubic". */
static void name_after_path(char *dst, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t len, i;

	base = base ? base + 1 : path;
	len = strlen(base);
	if (str_has_sfx(base, ".bpf.o"))
		len -= strlen(".bpf.o");
	else if (str_has_sfx(base, ".o"))
		len -= strlen(".o");

	len = min(len, (size_t)BPF_MODULE_NAME_LEN - 1);
	for (i = 0; i < len; i++)
		dst[i] = is_name_char(base[i]) ? base[i] : '_';
	dst[len] = '\0';

	/* "-x", ".", "..", or nothing */
	if (!libbpf_is_module_name(dst)) {
		dst[0] = '_';
		dst[len ?: 1] = '\0';
	}
}

/* A module without name and ops so far, after the declared ones. */
static struct bpf_module *add_module(struct bpf_module **list, const struct bpf_object *obj)
{
	struct bpf_module *mod;

	mod = calloc(1, sizeof(*mod));
	if (!mod)
		return NULL;

	mod->obj = obj;
	mod->fd = -1;
	mod->autoattach = true;
	while (*list && (*list)->is_declared)
		list = &(*list)->next;
	mod->next = *list;
	*list = mod;
	return mod;
}

/* Print what is wrong with the module's name in a section's name. */
static void warn_of_sec_name(const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len && is_name_char(name[i]); i++)
		;

	if (!len)
		pr_warn("section '.module': the module's name is missing, write SEC(\".module.NAME\")\n");
	else if (i < len)
		pr_warn("section '.module.%s': '%c' can't be in a module's name, only letters, digits, '_', '.' and '-'\n",
			name, name[i]);
	else if (len >= BPF_MODULE_NAME_LEN)
		pr_warn("section '.module.%s': the module's name has %zu characters, %d are allowed\n",
			name, len, BPF_MODULE_NAME_LEN - 1);
	else
		pr_warn("section '.module.%s': '%s' can't be a module's name, nor can what begins with '-'\n",
			name, name);
}

struct bpf_module *bpf_modules__declare(struct bpf_module **list, const struct bpf_object *obj,
					const char *name)
{
	struct bpf_module *mod;

	if (!libbpf_is_module_name(name)) {
		warn_of_sec_name(name);
		return ERR_PTR(-EINVAL);
	}

	for (mod = *list; mod; mod = mod->next)
		if (mod->is_declared && strcmp(mod->name, name) == 0)
			return mod;

	mod = add_module(list, obj);
	if (!mod)
		return ERR_PTR(-ENOMEM);

	libbpf_strlcpy(mod->name, name, sizeof(mod->name));
	mod->is_declared = true;
	mod->autocreate = true;
	return mod;
}

struct bpf_module *bpf_modules__provide(struct bpf_module **list, const struct bpf_object *obj,
					const char *path)
{
	struct bpf_module *mod;

	for (mod = *list; mod; mod = mod->next)
		if (!mod->is_declared)
			return mod;

	mod = add_module(list, obj);
	if (!mod)
		return ERR_PTR(-ENOMEM);

	name_after_path(mod->name, path);
	return mod;
}

struct bpf_module *bpf_object__next_module(const struct bpf_object *obj,
					   const struct bpf_module *prev)
{
	if (!obj)
		return libbpf_err_ptr(-EINVAL);

	return prev ? prev->next : bpf_object__first_module(obj);
}

struct bpf_module *bpf_object__find_module_by_name(const struct bpf_object *obj, const char *name)
{
	struct bpf_module *mod;

	if (!obj || !name)
		return libbpf_err_ptr(-EINVAL);

	bpf_object__for_each_module(mod, obj)
		if (strcmp(mod->name, name) == 0)
			return mod;

	return libbpf_err_ptr(-ENOENT);
}

bool bpf_module__is_declared(const struct bpf_module *mod)
{
	return mod->is_declared;
}

const struct bpf_object *bpf_module__object(const struct bpf_module *mod)
{
	return mod->obj;
}

const char *bpf_module__name(const struct bpf_module *mod)
{
	return mod ? mod->name : libbpf_err_ptr(-EINVAL);
}

bool bpf_module__autocreate(const struct bpf_module *mod)
{
	return mod && mod->autocreate;
}

int bpf_module__set_autocreate(struct bpf_module *mod, bool autocreate)
{
	if (!mod)
		return libbpf_err(-EINVAL);
	if (bpf_object__is_prepared(mod->obj))
		return libbpf_err(-EBUSY);

	mod->autocreate = autocreate;
	return 0;
}

bool bpf_module__autoattach(const struct bpf_module *mod)
{
	return mod && mod->autoattach;
}

int bpf_module__set_autoattach(struct bpf_module *mod, bool autoattach)
{
	if (!mod)
		return libbpf_err(-EINVAL);

	mod->autoattach = autoattach;
	return 0;
}

__u32 bpf_module__flags(const struct bpf_module *mod)
{
	return mod ? mod->flags : 0;
}

int bpf_module__set_flags(struct bpf_module *mod, __u32 flags)
{
	/* bpf_module__set_replace_fd() sets that flag */
	if (!mod || (flags & BPF_F_MODULE_REPLACE))
		return libbpf_err(-EINVAL);

	mod->flags = flags;
	return 0;
}

int bpf_module__set_replace_fd(struct bpf_module *mod, int fd)
{
	if (!mod || fd < 0)
		return libbpf_err(-EINVAL);

	mod->replace_fd = fd;
	return 0;
}

int bpf_module__set_log_buf(struct bpf_module *mod, char *log_buf, size_t log_size)
{
	if (!mod || (log_size && !log_buf) || log_size > UINT_MAX)
		return libbpf_err(-EINVAL);

	mod->log_buf = log_buf;
	mod->log_size = log_buf ? log_size : 0;
	return 0;
}

int bpf_module__fd(const struct bpf_module *mod)
{
	return mod ? mod->fd : libbpf_err(-EINVAL);
}
