// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Functions of other BPF modules that programs of an object call.
 *
 * The object declares them as externs that __bpf_module() tags with the name of the
 * module. These are collected when the object is opened. When it is loaded, the modules
 * are looked up by name and opened for writing, since a caller becomes a user. A call has
 * the index of that fd in fd_array and the number of the function.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf_module.h>
#include <linux/err.h>
#include "bpf.h"
#include "btf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"
#include "relo_core.h"

#define MODULE_TAG "bpf_module:"

struct bpf_module_dep {
	struct bpf_module_dep *next;
	const struct bpf_object *obj;
	__u32 proto; /* in the BTF of the object */
	bool is_weak;
	char *func;
	char *module;
};

/* A module that was looked up. */
struct bpf_module_lib {
	struct bpf_module_lib *next;
	int fd; /* -1 if there is none */
	int fd_idx;
	bool is_going; /* there is one that is going */
	struct btf *btf;
	struct bpf_module_func_info *funcs;
	__u32 cnt;
	char name[BPF_MODULE_NAME_LEN];
};

/* The tag of all externs @name: the linker may have got several from its files. NULL if
 * there is none, and an ERR_PTR, with the error printed, if they differ.
 */
static const char *tag_of(const struct btf *btf, const char *name)
{
	__u32 id, cnt = btf__type_cnt(btf);
	const char *tag = NULL;

	for (id = 1; id < cnt; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id), *target;
		const char *text = decl_tag_value(btf, t, MODULE_TAG);

		target = text ? btf__type_by_id(btf, t->type) : NULL;
		if (!target || (!btf_is_func(target) && !btf_is_var(target)) ||
		    strcmp(btf__name_by_offset(btf, target->name_off), name) != 0)
			continue;
		if (tag && strcmp(tag, text) != 0) {
			pr_warn("extern '%s': ambiguous, it is declared both with __bpf_module(\"%s\") and with __bpf_module(\"%s\")\n",
				name, tag, text);
			return ERR_PTR(-EINVAL);
		}
		tag = text;
	}
	return tag;
}

static const char *name_of(const struct btf *btf, __u32 id)
{
	return btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);
}

const char *libbpf_module_tag(const struct btf *btf, __u32 id)
{
	const char *tag = tag_of(btf, name_of(btf, id));

	return IS_ERR(tag) ? NULL : tag;
}

static int check_extern(const struct btf *btf, __u32 id, const char *tag)
{
	if (!btf_is_func(btf__type_by_id(btf, id))) {
		pr_warn("extern '%s': __bpf_module() is for functions, modules do not export variables\n",
			name_of(btf, id));
		return -EINVAL;
	}
	if (!libbpf_is_module_name(tag)) {
		pr_warn("extern '%s': __bpf_module(\"%s\"): a module's name has letters, digits, '_', '.' and '-', %d at most\n",
			name_of(btf, id), tag, BPF_MODULE_NAME_LEN - 1);
		return -EINVAL;
	}
	return 0;
}

int bpf_module_deps__add(struct bpf_module_dep **list, const struct bpf_object *obj, __u32 id,
			 bool is_weak, struct bpf_module_dep **dep)
{
	const struct btf *btf = bpf_object__btf(obj);
	const char *name = name_of(btf, id), *tag = tag_of(btf, name);
	int err;

	*dep = NULL;
	if (IS_ERR_OR_NULL(tag))
		return PTR_ERR(tag);
	err = check_extern(btf, id, tag);
	if (err)
		return err;

	while (*list)
		list = &(*list)->next;
	*list = calloc(1, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	*dep = *list;
	(*dep)->obj = obj;
	(*dep)->proto = btf__type_by_id(btf, id)->type;
	(*dep)->is_weak = is_weak;
	/* as with kernel functions, "take___v2" is another declaration of "take" */
	(*dep)->func = strndup(name, bpf_core_essential_name_len(name));
	(*dep)->module = strdup(tag);
	return (*dep)->func && (*dep)->module ? 0 : -ENOMEM;
}

void bpf_module_deps__free(struct bpf_module_dep *list)
{
	struct bpf_module_dep *dep;

	while ((dep = list)) {
		list = dep->next;
		free(dep->func);
		free(dep->module);
		free(dep);
	}
}

const struct bpf_module_dep *bpf_object__next_module_dep(const struct bpf_object *obj,
							 const struct bpf_module_dep *prev)
{
	if (!obj)
		return libbpf_err_ptr(-EINVAL);

	return prev ? prev->next : bpf_object__first_module_dep(obj);
}

const char *bpf_module_dep__module(const struct bpf_module_dep *dep)
{
	return dep ? dep->module : libbpf_err_ptr(-EINVAL);
}

const char *bpf_module_dep__func(const struct bpf_module_dep *dep)
{
	return dep ? dep->func : libbpf_err_ptr(-EINVAL);
}

bool bpf_module_dep__is_weak(const struct bpf_module_dep *dep)
{
	return dep && dep->is_weak;
}

/* A new fd of the first module after *@id, and its info. -ENOENT after the last one. */
static int open_next_module(__u32 *id, struct bpf_module_info *info)
{
	__u32 len = sizeof(*info);
	int fd, err;

	/* skip those that are gone by then */
	do {
		err = bpf_module_get_next_id(*id, id);
		if (err)
			return err;
		fd = bpf_module_get_fd_by_id(*id);
	} while (fd == -ENOENT);
	if (fd < 0)
		return fd;

	memset(info, 0, sizeof(*info));
	err = bpf_module_get_info_by_fd(fd, info, &len);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static bool is_there(const struct bpf_module_info *info)
{
	return info->state == BPF_MODULE_STATE_LIVE || info->state == BPF_MODULE_STATE_DETACHED;
}

/* Read the info of all functions into an array that the caller frees. */
static int read_funcs(int fd, struct bpf_module_func_info **funcs, __u32 cnt)
{
	struct bpf_module_info info = {
		.funcs_cnt = cnt,
		.funcs_size = sizeof(**funcs),
	};
	__u32 len = sizeof(info);

	*funcs = calloc(cnt ?: 1, sizeof(**funcs));
	if (!*funcs)
		return -ENOMEM;
	info.funcs = (unsigned long)*funcs;
	return bpf_module_get_info_by_fd(fd, &info, &len);
}

static int read_lib(struct bpf_module_lib *lib, const struct bpf_module_info *info)
{
	int err;

	if (!info->funcs_cnt)
		return 0;
	err = read_funcs(lib->fd, &lib->funcs, info->funcs_cnt);
	if (err)
		return err;
	lib->cnt = info->funcs_cnt;
	lib->btf = btf__load_from_kernel_by_id(info->btf_id);
	return lib->btf ? 0 : -errno;
}

/* Open the live module of that name. It is no error if there is none. */
static int open_lib(struct bpf_module_lib *lib)
{
	struct bpf_module_info info;
	__u32 id = 0;
	int fd;

	while ((fd = open_next_module(&id, &info)) >= 0) {
		if (strcmp(info.name, lib->name) == 0) {
			if (is_there(&info)) {
				lib->fd = fd;
				return read_lib(lib, &info);
			}
			lib->is_going = true;
		}
		close(fd);
	}
	return fd == -ENOENT ? 0 : fd;
}

static int get_lib(struct bpf_module_lib **libs, const char *name, struct bpf_module_lib **res)
{
	struct bpf_module_lib *lib;

	for (lib = *libs; lib; lib = lib->next)
		if (strcmp(lib->name, name) == 0)
			break;
	*res = lib;
	if (lib)
		return 0;

	lib = calloc(1, sizeof(*lib));
	if (!lib)
		return -ENOMEM;
	lib->fd = -1;
	libbpf_strlcpy(lib->name, name, sizeof(lib->name));
	lib->next = *libs;
	*libs = lib;
	*res = lib;
	return open_lib(lib);
}

void bpf_module_libs__free(struct bpf_module_lib *libs)
{
	struct bpf_module_lib *lib;

	while ((lib = libs)) {
		libs = lib->next;
		if (lib->fd >= 0)
			close(lib->fd);
		btf__free(lib->btf);
		free(lib->funcs);
		free(lib);
	}
}

/* Print why it can't be called, unless it is optional. */
static int not_there(const struct bpf_module_dep *dep, int err, const char *what)
{
	if (dep->is_weak)
		pr_debug("object '%s': %s (function %s), which is weak\n",
			 bpf_object__name(dep->obj), what, dep->func);
	else
		pr_warn("object '%s': %s\n", bpf_object__name(dep->obj), what);
	return dep->is_weak ? 0 : err;
}

/* Is the module one of the object itself, which is loaded after all of its programs? */
static bool is_own(const struct bpf_module_dep *dep)
{
	const struct bpf_module *mod;

	mod = bpf_object__find_module_by_name(dep->obj, dep->module);
	return mod && mod->autocreate && bpf_module__has_funcs(mod);
}

static int no_lib(const struct bpf_module_dep *dep, const struct bpf_module_lib *lib)
{
	const char *why = "; load it first";
	char what[512];

	if (is_own(dep))
		why = ", which this object has itself and which can't be loaded before its programs; put what calls it in an object of its own";
	else if (lib->is_going)
		why = ", which is being unloaded; load it first";
	snprintf(what, sizeof(what), "needs module %s (function %s)%s", dep->module, dep->func,
		 why);
	return not_there(dep, -ENOENT, what);
}

static int no_func(const struct bpf_module_dep *dep)
{
	char what[512];

	snprintf(what, sizeof(what), "needs function %s of module %s, which does not export it",
		 dep->func, dep->module);
	return not_there(dep, -ENOENT, what);
}

static int no_fit(const struct bpf_module_dep *dep, const struct btf *btf, __u32 func,
		  const char *why)
{
	const struct btf *our_btf = bpf_object__btf(dep->obj);
	char ours[256], its[256], what[1024];

	bpf_proto__format(our_btf, dep->proto, dep->func, ours, sizeof(ours));
	bpf_proto__format(btf, btf__type_by_id(btf, func)->type, dep->func, its, sizeof(its));
	snprintf(what, sizeof(what), "declares '%s', but module %s has '%s': %s", ours, dep->module,
		 its, why);
	if (!dep->is_weak)
		return not_there(dep, -EINVAL, what);
	/* a mistake, other than that there is none */
	pr_warn("object '%s': %s; as it is weak, it counts as missing\n",
		bpf_object__name(dep->obj), what);
	return 0;
}

/* Its number and its type; 0 if there is none. From the BTF, since the info truncates
 * names.
 */
static __u32 func_nr(const struct bpf_module_lib *lib, const char *name, __u32 *type)
{
	__u32 i;

	for (i = 0; i < lib->cnt; i++) {
		*type = lib->funcs[i].btf_id;
		if (strcmp(name_of(lib->btf, *type), name) == 0)
			return i + 1;
	}
	return 0;
}

static int find_func(const struct bpf_module_dep *dep, struct bpf_module_lib *lib,
		     struct bpf_func_place *place)
{
	__u32 type, nr = func_nr(lib, dep->func, &type);
	char why[256];

	if (!nr)
		return no_func(dep);
	if (!bpf_proto__fits(bpf_object__btf(dep->obj), dep->proto, lib->btf, type, why,
			     sizeof(why)))
		return no_fit(dep, lib->btf, type, why);
	place->fd = lib->fd;
	place->fd_idx = &lib->fd_idx;
	place->nr = nr;
	return 0;
}

static int not_opened(const struct bpf_module_dep *dep, int err)
{
	pr_warn("object '%s': needs module %s (function %s), which can't be looked up: %s%s\n",
		bpf_object__name(dep->obj), dep->module, dep->func,
		errstr(err),
		err == -EPERM ? ", that needs CAP_SYS_ADMIN" : "");
	return err;
}

static int unsupported(const struct bpf_module_dep *dep)
{
	char what[512];

	snprintf(what, sizeof(what),
		 "calls function %s of module %s, but this kernel does not have functions of BPF modules",
		 dep->func, dep->module);
	return not_there(dep, -EOPNOTSUPP, what);
}

int bpf_module_dep__find(const struct bpf_module_dep *dep, struct bpf_module_lib **libs,
			 struct bpf_func_place *place)
{
	struct bpf_module_lib *lib;
	int err;

	place->fd = -1;
	if (bpf_object__is_light(dep->obj)) {
		/* the module may exist where the skeleton is loaded */
		pr_warn("object '%s': calls function %s of module %s: a light skeleton can't, use a regular one\n",
			bpf_object__name(dep->obj), dep->func, dep->module);
		return -EOPNOTSUPP;
	}

	err = get_lib(libs, dep->module, &lib);
	if (!err && lib->fd >= 0)
		return find_func(dep, lib, place);
	if (err != -EPERM && !kernel_supports(dep->obj, FEAT_MODULE_FUNC))
		return unsupported(dep);
	return err ? not_opened(dep, err) : no_lib(dep, lib);
}

static bool has_func(int fd, const struct bpf_module_info *info, const char *func)
{
	struct bpf_module_lib lib = { .fd = fd };
	bool has;
	__u32 type;

	has = !read_lib(&lib, info) && func_nr(&lib, func, &type);
	btf__free(lib.btf);
	free(lib.funcs);
	return has;
}

void libbpf_hint_at_modules(const char *func)
{
	struct bpf_module_info info;
	__u32 id = 0;
	int fd;

	while ((fd = open_next_module(&id, &info)) >= 0) {
		if (is_there(&info) && has_func(fd, &info, func))
			pr_warn("extern (func ksym) '%s': BPF module %s exports a function of that name; to call it, declare it with __bpf_module(\"%s\")\n",
				func, info.name, info.name);
		close(fd);
	}
}
