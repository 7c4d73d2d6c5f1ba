// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Links that BPF modules hold: what they attach, where, and whether it is still attached.
 *
 * The target of a link is shown as by "bpftool link", with names added for what has only
 * numbers there.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* File handle of a control group, include/linux/exportfs.h: its id. */
#define FILEID_KERNFS 0xfe

static int open_cgroup_root(void)
{
	struct mntent *entry;
	int fd = -1;
	FILE *f;

	f = setmntent("/proc/self/mounts", "r");
	if (!f)
		return -1;
	while (fd < 0 && (entry = getmntent(f)))
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			fd = open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	endmntent(f);
	return fd;
}

/* False if it is gone, or not visible from here. */
static bool get_cgroup_path(__u64 id, char *path, size_t size)
{
	struct {
		struct file_handle handle;
		unsigned char id[sizeof(id)];
	} *h;
	ssize_t len = -1;
	int root, fd = -1;
	char link[32];

	h = calloc(1, sizeof(*h));
	root = open_cgroup_root();
	if (h && root >= 0) {
		h->handle.handle_bytes = sizeof(id);
		h->handle.handle_type = FILEID_KERNFS;
		memcpy(h->handle.f_handle, &id, sizeof(id));
		fd = open_by_handle_at(root, &h->handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, path, size - 1);
		close(fd);
	}
	if (root >= 0)
		close(root);
	free(h);
	if (len > 0)
		path[len] = '\0';
	return len > 0;
}

static bool is_kernel_btf(__u32 id)
{
	struct bpf_btf_info info = {};
	__u32 len = sizeof(info);
	int fd, err;

	fd = bpf_btf_get_fd_by_id(id);
	if (fd < 0)
		return false;
	err = bpf_btf_get_info_by_fd(fd, &info, &len);
	close(fd);
	return !err && info.kernel_btf;
}

static bool copy_type_name(const struct btf *btf, __u32 id, char *name, size_t size)
{
	const struct btf_type *t = btf ? btf__type_by_id(btf, id) : NULL;
	const char *type_name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

	snprintf(name, size, "%s", type_name ?: "");
	return *name;
}

/* The function, of the kernel or of a program, that a program is attached to. */
static bool get_func_name(__u32 prog_id, char *name, size_t size)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct btf *btf;
	bool found;
	int fd, err;

	fd = bpf_prog_get_fd_by_id(prog_id);
	if (fd < 0)
		return false;
	err = bpf_prog_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (err || !info.attach_btf_obj_id || !info.attach_btf_id)
		return false;

	if (is_kernel_btf(info.attach_btf_obj_id))
		return copy_type_name(module_kernel_btf(info.attach_btf_obj_id),
				      info.attach_btf_id, name, size);
	btf = btf__load_from_kernel_by_id(info.attach_btf_obj_id);
	found = copy_type_name(btf, info.attach_btf_id, name, size);
	btf__free(btf);
	return found;
}

/* The name of the target for which the link has a number, returned with its kind; NULL
 * for none.
 */
static const char *get_target_name(const struct bpf_link_info *info, char *name, size_t size)
{
	switch (info->type) {
	case BPF_LINK_TYPE_CGROUP:
		return get_cgroup_path(info->cgroup.cgroup_id, name, size) ? "cgroup" : NULL;
	case BPF_LINK_TYPE_TRACING:
		return get_func_name(info->prog_id, name, size) ? "func" : NULL;
	default:
		return NULL;
	}
}

struct module_link {
	const struct bpf_module_link_info *info;
	const char *label;
	bool was_shown;
};

static bool is_detached(const struct module_link *link)
{
	return link->info->flags & BPF_MODULE_LINK_DETACHED;
}

static void print_link_json(int fd, struct bpf_link_info *info, void *ctx)
{
	char name[PATH_MAX], prog[MAX_PROG_FULL_NAME];
	struct module_link *link = ctx;
	const char *what;

	link->was_shown = true;
	link_target_json(info);
	module_get_prog_name(info->prog_id, prog, sizeof(prog));
	jsonw_string_field(json_wtr, "prog_name", prog);
	what = is_detached(link) ? NULL : get_target_name(info, name, sizeof(name));
	if (what)
		jsonw_string_field(json_wtr, what, name);
}

static void print_link_plain(int fd, struct bpf_link_info *info, void *ctx)
{
	char name[PATH_MAX], prog[MAX_PROG_FULL_NAME];
	const char *type = libbpf_bpf_link_type_str(info->type);
	struct module_link *link = ctx;
	const char *what;

	link->was_shown = true;
	module_get_prog_name(info->prog_id, prog, sizeof(prog));
	printf("%-10s%s (%s, id %u)  ", link->label, module_text(prog), type ?: "unknown type",
	       info->id);
	if (is_detached(link))
		return;
	link_target_plain(info);
	what = get_target_name(info, name, sizeof(name));
	if (what)
		printf("%s %s  ", what, module_text(name));
}

static void visit_link(struct module_link *link, link_visit_fn visit)
{
	int fd = bpf_link_get_fd_by_id(link->info->id);

	if (fd >= 0)
		link_visit(fd, visit, link);
}

void module_links_json(const struct module *mod)
{
	__u32 i;

	jsonw_name(json_wtr, "links");
	jsonw_start_array(json_wtr);
	for (i = 0; i < mod->info.links_cnt; i++) {
		struct module_link link = { .info = &mod->links[i] };

		jsonw_start_object(json_wtr);
		visit_link(&link, print_link_json);
		/* gone by now, or not visible to the user */
		if (!link.was_shown)
			jsonw_uint_field(json_wtr, "id", link.info->id);
		jsonw_bool_field(json_wtr, "detached", is_detached(&link));
		jsonw_end_object(json_wtr);
	}
	jsonw_end_array(json_wtr);
	link_free_syms();
}

void module_links_plain(const struct module *mod)
{
	__u32 i;

	for (i = 0; i < mod->info.links_cnt; i++) {
		struct module_link link = {
			.info = &mod->links[i],
			.label = i ? "" : "links",
		};

		visit_link(&link, print_link_plain);
		if (!link.was_shown)
			printf("%-10s(id %u)  ", link.label, link.info->id);
		printf("%s\n", is_detached(&link) ? "detached" : "attached");
	}
	link_free_syms();
}

bool module_has_detached_link(const struct module *mod)
{
	__u32 i;

	for (i = 0; i < mod->info.links_cnt; i++)
		if (mod->links[i].flags & BPF_MODULE_LINK_DETACHED)
			return true;
	return false;
}
