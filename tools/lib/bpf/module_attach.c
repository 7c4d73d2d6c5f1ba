// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Loading the BPF modules of an object, and their end.
 *
 * libbpf.c finds the ops variables, fits them to the kernel's types and loads their
 * programs, as it does for struct_ops maps. The results are added here, and
 * bpf_module__attach() lets the kernel load them, with the links of the programs that
 * it has attached.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf_module.h>
#include <linux/kernel.h>
#include "bpf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

/* Drains its module when destroyed. */
struct bpf_link_module {
	struct bpf_link link;
	char name[BPF_MODULE_NAME_LEN];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

bool bpf_module__is_loadable(const struct bpf_module *mod)
{
	return mod->ops_cnt > 0 || mod->link_cnt > 0 || bpf_module__has_progs(mod);
}

/* Add ops whose value stays in place until bpf_modules__reset(). The name is truncated
 * to what the kernel takes, as with programs and maps.
 */
int bpf_module__add_ops(struct bpf_module *mod, const struct bpf_module_ops *ops)
{
	struct bpf_module_ops *tmp;
	int btf_fd = 0;
	char *name;

	tmp = libbpf_reallocarray(mod->ops, mod->ops_cnt + 1, sizeof(*tmp));
	if (!tmp)
		return -ENOMEM;
	mod->ops = tmp;

	/* the object closes its own fd at the end of its load */
	if (ops->btf_obj_fd) {
		btf_fd = dup_good_fd(ops->btf_obj_fd);
		if (btf_fd < 0)
			return -errno;
	}

	name = strndup((void *)(unsigned long)ops->name, BPF_MODULE_NAME_LEN - 1);
	if (!name) {
		if (btf_fd)
			close(btf_fd);
		return -ENOMEM;
	}

	tmp += mod->ops_cnt++;
	*tmp = *ops;
	tmp->btf_obj_fd = btf_fd;
	tmp->name = (unsigned long)name;
	return 0;
}

/* Forget everything that came from loading the object. */
void bpf_modules__reset(struct bpf_module *list)
{
	struct bpf_module *mod;

	for (mod = list; mod; mod = mod->next) {
		while (mod->ops_cnt) {
			struct bpf_module_ops *ops = &mod->ops[--mod->ops_cnt];

			if (ops->btf_obj_fd)
				close(ops->btf_obj_fd);
			free((void *)(unsigned long)ops->name);
		}
		free(mod->ops);
		mod->ops = NULL;
		bpf_module__drop_links(mod);
		close_fd(&mod->fd);
	}
}

void bpf_modules__free(struct bpf_module *list)
{
	struct bpf_module *mod;

	bpf_modules__reset(list);
	while ((mod = list)) {
		list = mod->next;
		bpf_module__free_targets(mod);
		free(mod);
	}
}

bool bpf_module__will_load(const struct bpf_module *mod)
{
	const struct bpf_map *map;

	if (!mod->autocreate)
		return false;

	bpf_object__for_each_map(map, mod->obj)
		if (bpf_map__module(map) == mod && bpf_map__autocreate(map))
			return true;
	return mod->link_cnt > 0 || bpf_module__has_progs(mod);
}

int bpf_module__check_name(const struct bpf_module *mod, const char *name)
{
	const struct bpf_module *other;

	bpf_object__for_each_module(other, mod->obj) {
		if (other == mod || strcmp(other->name, name) != 0 || !bpf_module__will_load(other))
			continue;
		pr_warn("module '%s': the object has another module of that name\n", name);
		return -EEXIST;
	}
	return 0;
}

int bpf_module__set_name(struct bpf_module *mod, const char *name)
{
	int err;

	if (!mod || !name || !libbpf_is_module_name(name))
		return libbpf_err(-EINVAL);
	if (mod->fd >= 0)
		return libbpf_err(-EBUSY);

	err = bpf_module__check_name(mod, name);
	if (err)
		return libbpf_err(err);

	libbpf_strlcpy(mod->name, name, sizeof(mod->name));
	return 0;
}

int bpf_module__unload(struct bpf_module *mod)
{
	int err;

	if (!mod)
		return libbpf_err(-EINVAL);
	if (mod->fd < 0)
		return libbpf_err(-ENOENT);

	err = bpf_module_unload(mod->fd, NULL);
	if (!err)
		close_fd(&mod->fd);

	return libbpf_err(err);
}

/* Can a pin of the module at @path be made or removed? */
static int check_pin(const struct bpf_module *mod, const char *path)
{
	if (!mod || !path)
		return -EINVAL;
	if (mod->fd < 0) {
		pr_warn("module '%s': not attached, so it has no pins\n", mod->name);
		return -ENOENT;
	}
	return 0;
}

int bpf_module__pin(struct bpf_module *mod, const char *path)
{
	int err;

	err = check_pin(mod, path);
	err = err ?: libbpf_prepare_pin_path(path);
	if (err)
		return libbpf_err(err);

	err = bpf_obj_pin(mod->fd, path);
	if (err)
		pr_warn("module '%s': can't pin it to '%s': %s\n", mod->name, path,
			errstr(err));

	return libbpf_err(err);
}

int bpf_module__unpin(struct bpf_module *mod, const char *path)
{
	int err;

	err = check_pin(mod, path);
	err = err ?: libbpf_check_pin_path(path);
	if (!err && unlink(path))
		err = -errno;

	return libbpf_err(err);
}

int libbpf_probe_bpf_module(const void *opts)
{
	if (opts)
		return libbpf_err(-EINVAL);

	return feat_supported(NULL, FEAT_BPF_MODULE);
}

static int bpf_link__detach_module(struct bpf_link *link)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = BPF_F_MODULE_DRAIN);
	struct bpf_link_module *mod_link;
	int err;

	mod_link = container_of(link, struct bpf_link_module, link);
	err = bpf_module_unload(link->fd, &opts);
	/* somebody else has unloaded or replaced it */
	if (err == -EINPROGRESS || err == -ENOENT)
		return 0;
	/* callers tend to ignore this error, and lose the way to the module with it */
	if (err)
		pr_warn("module '%s': failed to unload, left loaded: %s\n", mod_link->name,
			errstr(err));

	return err;
}

static void bpf_link__dealloc_module(struct bpf_link *link)
{
	close(link->fd);
	free(container_of(link, struct bpf_link_module, link));
}

static int check_attachable(const struct bpf_module *mod)
{
	if (!mod->autocreate) {
		pr_warn("module '%s': %s before the object's load\n", mod->name,
			mod->is_declared ? "left out by bpf_module__set_autocreate()" :
			"not declared, bpf_module__set_autocreate() was not called");
		return -EINVAL;
	}
	if (!bpf_object__is_loaded(mod->obj) || !bpf_module__is_loadable(mod)) {
		pr_warn("module '%s': no ops, programs or links to load (was the object loaded?)\n",
			mod->name);
		return -EINVAL;
	}
	return 0;
}

/* 0 for none */
static int run_prog_fd(const struct bpf_module *mod, const char *sec)
{
	const struct bpf_program *prog = bpf_module__run_prog(mod, sec);

	return prog ? bpf_program__fd(prog) : 0;
}

/* Returns a new module fd, or a negative error, which is printed. */
static int load_module(const struct bpf_module *mod, const struct link_set *set,
		       const struct bpf_module_func *funcs, __u32 funcs_cnt)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts, .flags = mod->flags);
	char own_log[1024] = "";
	const char *name = mod->name;
	int fd;

	opts.btf_fd = max(bpf_object__btf_fd(mod->obj), 0);
	opts.log_buf = mod->log_buf ?: own_log;
	opts.log_size = mod->log_buf ? mod->log_size : sizeof(own_log);
	opts.links = set->links;
	opts.links_cnt = set->cnt;
	opts.funcs = funcs;
	opts.funcs_cnt = funcs_cnt;
	opts.init_fd = run_prog_fd(mod, "module.init");
	opts.exit_fd = run_prog_fd(mod, "module.exit");
	/* it gets the name of the other one */
	if (mod->replace_fd) {
		opts.flags |= BPF_F_MODULE_REPLACE;
		opts.replace_fd = mod->replace_fd;
		name = NULL;
	}

	fd = bpf_module_load(name, mod->ops, mod->ops_cnt, &opts);
	if (fd >= 0)
		return fd;

	own_log[strcspn(own_log, "\n")] = '\0';
	pr_warn("module '%s': failed to load: %s%s%s\n", mod->name,
		errstr(fd), own_log[0] ? ": " : "", own_log);
	return fd;
}

/* Attach its programs and load it, or neither. */
static int attach_and_load(const struct bpf_module *mod)
{
	struct bpf_module_func *funcs;
	struct link_set set = {};
	__u32 funcs_cnt;
	int fd;

	fd = bpf_module__get_funcs(mod, &funcs, &funcs_cnt);
	if (fd)
		return fd;
	fd = bpf_link_set__attach(&set, mod) ?: load_module(mod, &set, funcs, funcs_cnt);
	/* the module holds the links that it has taken */
	bpf_link_set__close(&set);
	free(funcs);
	return fd;
}

static struct bpf_link_module *new_module_link(void)
{
	struct bpf_link_module *mod_link;

	mod_link = calloc(1, sizeof(*mod_link));
	if (!mod_link)
		return NULL;

	mod_link->link.detach = bpf_link__detach_module;
	mod_link->link.dealloc = bpf_link__dealloc_module;
	return mod_link;
}

static void take_kernel_name(struct bpf_module *mod)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);

	if (!bpf_module_get_info_by_fd(mod->fd, &info, &len))
		libbpf_strlcpy(mod->name, info.name, sizeof(mod->name));
}

struct bpf_link *bpf_module__attach(struct bpf_module *mod)
{
	struct bpf_link_module *mod_link;
	int fd, own_fd, err;

	if (!mod)
		return libbpf_err_ptr(-EINVAL);

	err = check_attachable(mod);
	if (err)
		return libbpf_err_ptr(err);

	mod_link = new_module_link();
	if (!mod_link)
		return libbpf_err_ptr(-ENOMEM);

	fd = attach_and_load(mod);
	if (fd < 0) {
		free(mod_link);
		return libbpf_err_ptr(fd);
	}
	mod_link->link.fd = fd;

	/* link and object can be freed in any order, so each has its own fd */
	own_fd = dup_good_fd(fd);
	if (own_fd < 0) {
		err = -errno;
		bpf_link__destroy(&mod_link->link);
		return libbpf_err_ptr(err);
	}

	close_fd(&mod->fd);
	mod->fd = own_fd;
	/* these are used once, and the user may close the fd */
	mod->replace_fd = 0;
	bpf_module__drop_links(mod);
	take_kernel_name(mod);
	libbpf_strlcpy(mod_link->name, mod->name, sizeof(mod_link->name));
	return &mod_link->link;
}
