// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Information about BPF modules from the kernel.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "main.h"
#include "module.h"

static struct btf *vmlinux_btf;
/* The last one used, of a kernel module; ops of a module tend to share it. */
static struct btf *kmod_btf;
static __u32 kmod_btf_id;

static bool modules_disabled(void)
{
	char value = '0';
	int fd;

	fd = open("/proc/sys/kernel/bpf_modules_disabled", O_RDONLY);
	if (fd >= 0) {
		if (read(fd, &value, 1) != 1)
			value = '0';
		close(fd);
	}
	return value != '0';
}

const char *module_strerror(int err)
{
	if (err != -EPERM)
		return strerror(-err);
	if (modules_disabled())
		return "kernel.bpf_modules_disabled is set until the next boot";
	return "not permitted: it takes, in the initial user namespace, CAP_BPF and CAP_PERFMON, and for its ops CAP_NET_ADMIN or CAP_SYS_ADMIN";
}

const char *module_look_strerror(int err)
{
	if (err != -EPERM)
		return strerror(-err);
	return "not permitted: it takes CAP_SYS_ADMIN in the initial user namespace; "
	       "whoever may open its pin can use 'pinned FILE'";
}

int module_info_error(int err)
{
	p_err("can't get info of the module: %s", module_strerror(err));
	return -1;
}

int module_open_next(__u32 *id)
{
	int err, fd;

	while (!(err = bpf_module_get_next_id(*id, id))) {
		fd = bpf_module_get_fd_by_id(*id);
		if (fd != -ENOENT)
			return fd;
	}
	return err;
}

int module_get_info(int fd, struct bpf_module_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, len);
	return bpf_module_get_info_by_fd(fd, info, &len);
}

void module_free(struct module *mod)
{
	__u32 i;

	/* up to the capacity: the module may be gone since */
	for (i = 0; mod->ops && i < mod->ops_room; i++)
		free(u64_to_ptr(mod->ops[i].value));
	for (i = 0; mod->funcs && i < mod->funcs_room; i++)
		free(u64_to_ptr(mod->funcs[i].caller_ids));
	free(mod->ops);
	free(mod->prog_ids);
	free(mod->map_ids);
	free(mod->links);
	free(mod->funcs);
	free(mod->dep_ids);
}

/* The request to the kernel: arrays as large as @mod->info counts. */
static struct bpf_module_info module_request(const struct module *mod)
{
	return (struct bpf_module_info){
		.ops_cnt = mod->info.ops_cnt,
		.ops = ptr_to_u64(mod->ops),
		.ops_size = sizeof(*mod->ops),
		.prog_cnt = mod->info.prog_cnt,
		.prog_ids = ptr_to_u64(mod->prog_ids),
		.map_cnt = mod->info.map_cnt,
		.map_ids = ptr_to_u64(mod->map_ids),
		.links_cnt = mod->info.links_cnt,
		.links = ptr_to_u64(mod->links),
		.links_size = sizeof(*mod->links),
		.funcs_cnt = mod->info.funcs_cnt,
		.funcs = ptr_to_u64(mod->funcs),
		.funcs_size = sizeof(*mod->funcs),
		.deps_cnt = mod->info.deps_cnt,
		.dep_ids = ptr_to_u64(mod->dep_ids),
	};
}

/* Fill the arrays of @mod. Entries added after counting are left out. */
static int module_fill(int fd, struct module *mod)
{
	struct bpf_module_info info = module_request(mod);
	__u32 len = sizeof(info), i;
	int err;

	for (i = 0; i < info.funcs_cnt; i++)
		mod->funcs[i].callers_cnt = mod->callers_room;
	err = bpf_module_get_info_by_fd(fd, &info, &len);
	if (err)
		return err;

	info.ops_cnt = min(info.ops_cnt, mod->info.ops_cnt);
	info.prog_cnt = min(info.prog_cnt, mod->info.prog_cnt);
	info.map_cnt = min(info.map_cnt, mod->info.map_cnt);
	info.links_cnt = min(info.links_cnt, mod->info.links_cnt);
	info.funcs_cnt = min(info.funcs_cnt, mod->info.funcs_cnt);
	info.deps_cnt = min(info.deps_cnt, mod->info.deps_cnt);
	for (i = 0; mod->callers_room && i < info.funcs_cnt; i++)
		mod->funcs[i].callers_cnt = min(mod->funcs[i].callers_cnt, mod->callers_room);
	mod->info = info;
	return 0;
}

/* Their number is known; read their ids. */
static int module_read_callers(int fd, struct module *mod)
{
	__u32 i, room = 0;

	for (i = 0; i < mod->info.funcs_cnt; i++)
		room = max(room, mod->funcs[i].callers_cnt);
	for (i = 0; room && i < mod->info.funcs_cnt; i++) {
		__u32 *ids = calloc(room, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		mod->funcs[i].caller_ids = ptr_to_u64(ids);
	}
	mod->callers_room = room;
	return room ? module_fill(fd, mod) : 0;
}

int module_read(int fd, struct module *mod)
{
	int err;

	memset(mod, 0, sizeof(*mod));
	err = module_get_info(fd, &mod->info);
	if (err)
		return err;

	mod->ops = calloc(mod->info.ops_cnt, sizeof(*mod->ops));
	mod->prog_ids = calloc(mod->info.prog_cnt, sizeof(*mod->prog_ids));
	mod->map_ids = calloc(mod->info.map_cnt, sizeof(*mod->map_ids));
	mod->links = calloc(mod->info.links_cnt, sizeof(*mod->links));
	mod->funcs = calloc(mod->info.funcs_cnt, sizeof(*mod->funcs));
	mod->dep_ids = calloc(mod->info.deps_cnt, sizeof(*mod->dep_ids));
	if (!mod->ops || !mod->prog_ids || !mod->map_ids || !mod->links || !mod->funcs ||
	    !mod->dep_ids)
		return -ENOMEM;
	mod->ops_room = mod->info.ops_cnt;
	mod->funcs_room = mod->info.funcs_cnt;

	return module_fill(fd, mod) ?: module_read_callers(fd, mod);
}

int module_read_values(int fd, struct module *mod)
{
	__u32 i;

	for (i = 0; i < mod->info.ops_cnt; i++) {
		void *value = calloc(1, mod->ops[i].value_size);

		if (!value)
			return -ENOMEM;
		mod->ops[i].value = ptr_to_u64(value);
	}
	return module_fill(fd, mod);
}

static bool is_vmlinux_btf(__u32 id)
{
	struct bpf_btf_info info = {};
	__u32 len = sizeof(info);
	char name[64] = "";
	int fd, err;

	fd = bpf_btf_get_fd_by_id(id);
	if (fd < 0)
		return false;

	info.name = ptr_to_u64(name);
	info.name_len = sizeof(name);
	err = bpf_btf_get_info_by_fd(fd, &info, &len);
	close(fd);
	return !err && strcmp(name, "vmlinux") == 0;
}

const struct btf *module_vmlinux_btf(void)
{
	if (!vmlinux_btf)
		vmlinux_btf = libbpf_find_kernel_btf();
	return vmlinux_btf;
}

const struct btf *module_kernel_btf(__u32 id)
{
	if (!module_vmlinux_btf() || is_vmlinux_btf(id))
		return vmlinux_btf;

	if (kmod_btf_id != id) {
		btf__free(kmod_btf);
		kmod_btf = btf__load_from_kernel_by_id_split(id, vmlinux_btf);
		kmod_btf_id = id;
	}
	return kmod_btf;
}

void module_free_kernel_btf(void)
{
	btf__free(kmod_btf);
	kmod_btf = NULL;
	kmod_btf_id = 0;
	btf__free(vmlinux_btf);
	vmlinux_btf = NULL;
}
