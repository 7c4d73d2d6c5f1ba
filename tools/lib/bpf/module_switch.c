// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Links of a BPF module that is being replaced.
 *
 * A program takes over the link of the old module's program of the same name at the same
 * place, if links of that type can be switched to another program. Where a place can have
 * only one program, the names do not matter.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bpf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

/* Includes types that can't be switched: then the kernel says that, rather than that the
 * place is taken.
 */
static bool is_exclusive(const struct link_place *place)
{
	switch (place->type) {
	case BPF_LINK_TYPE_XDP:
	case BPF_LINK_TYPE_SOCKMAP:
	case BPF_LINK_TYPE_NETFILTER:
	case BPF_LINK_TYPE_TRACING: /* only freplace gets here */
		return true;
	case BPF_LINK_TYPE_NETNS:
		return place->attach_type == BPF_FLOW_DISSECTOR;
	default:
		return false;
	}
}

/* False for types that are attached again. */
static bool get_place(struct link_place *place, const struct bpf_link_info *info)
{
	place->type = info->type;
	place->attach_type = 0;

	switch (info->type) {
	case BPF_LINK_TYPE_XDP:
		place->where = info->xdp.ifindex;
		return true;
	case BPF_LINK_TYPE_TCX:
		place->where = info->tcx.ifindex;
		place->attach_type = info->tcx.attach_type;
		return true;
	case BPF_LINK_TYPE_NETKIT:
		place->where = info->netkit.ifindex;
		place->attach_type = info->netkit.attach_type;
		return true;
	case BPF_LINK_TYPE_CGROUP:
		place->where = info->cgroup.cgroup_id;
		place->attach_type = info->cgroup.attach_type;
		return true;
	case BPF_LINK_TYPE_NETNS:
		place->where = info->netns.netns_ino;
		place->attach_type = info->netns.attach_type;
		return true;
	case BPF_LINK_TYPE_SOCKMAP:
		place->where = info->sockmap.map_id;
		place->attach_type = info->sockmap.attach_type;
		return true;
	case BPF_LINK_TYPE_NETFILTER:
		place->where = bpf_netfilter_place(info->netfilter.pf, info->netfilter.hooknum,
						   info->netfilter.priority);
		return true;
	case BPF_LINK_TYPE_ITER:
		place->where = info->iter.map.map_id ?: info->iter.cgroup.cgroup_id;
		return true;
	case BPF_LINK_TYPE_TRACING:
		place->where = bpf_freplace_place(info->tracing.target_obj_id,
						  info->tracing.target_btf_id);
		return info->tracing.attach_type == 0; /* freplace has none */
	default:
		return false;
	}
}

static int read_prog(struct old_link *link, __u32 prog_id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd, err;

	fd = bpf_prog_get_fd_by_id(prog_id);
	if (fd < 0)
		return -errno;
	err = bpf_prog_get_info_by_fd(fd, &info, &len);
	close(fd);
	libbpf_strlcpy(link->prog_name, info.name, sizeof(link->prog_name));
	link->attach_btf_id = info.attach_btf_id;
	return err;
}

static int read_link(struct old_link *link, __u32 id)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int fd, err;

	fd = bpf_link_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	err = bpf_link_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (err)
		return err;

	link->id = id;
	link->is_taken = !get_place(&link->place, &info);
	return link->is_taken ? 0 : read_prog(link, info.prog_id);
}

/* Their ids, in memory that the caller frees; NULL if there are none or no memory. */
static struct bpf_module_link_info *get_link_infos(int module_fd, __u32 *cnt, int *err)
{
	struct bpf_module_info info = {};
	struct bpf_module_link_info *infos;
	__u32 len = sizeof(info);

	*err = bpf_module_get_info_by_fd(module_fd, &info, &len);
	if (*err || !info.links_cnt)
		return NULL;

	*cnt = info.links_cnt;
	infos = calloc(*cnt, sizeof(*infos));
	if (!infos) {
		*err = -ENOMEM;
		return NULL;
	}
	memset(&info, 0, sizeof(info));
	len = sizeof(info);
	info.links = (unsigned long)infos;
	info.links_cnt = *cnt;
	info.links_size = sizeof(*infos);
	*err = bpf_module_get_info_by_fd(module_fd, &info, &len);
	*cnt = min(*cnt, info.links_cnt);
	return infos;
}

static int read_links(struct old_links *old)
{
	struct bpf_module_link_info *infos;
	__u32 i, cnt = 0;
	int err;

	infos = get_link_infos(old->module_fd, &cnt, &err);
	old->links = calloc(cnt ?: 1, sizeof(*old->links));
	if (!old->links)
		err = -ENOMEM;

	for (i = 0; !err && i < cnt; i++) {
		if (infos[i].flags & BPF_MODULE_LINK_DETACHED)
			continue;
		err = read_link(&old->links[old->cnt], infos[i].id);
		/* gone since */
		if (err == -ENOENT)
			err = 0;
		else
			old->cnt++;
	}
	free(infos);
	if (err)
		bpf_old_links__free(old);
	else
		old->is_read = true;
	return err;
}

void bpf_old_links__free(struct old_links *old)
{
	free(old->links);
	old->links = NULL;
	old->cnt = 0;
}

static bool is_same_prog(const struct old_link *link, const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return !bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len) &&
	       strcmp(link->prog_name, info.name) == 0 &&
	       link->attach_btf_id == info.attach_btf_id;
}

int bpf_old_links__take(struct old_links *old, const struct bpf_program *prog,
			const struct link_place *place)
{
	__u32 i;
	int err;

	err = old->module_fd && !old->is_read ? read_links(old) : 0;
	if (err) {
		pr_warn("program '%s': can't read the links of the module to replace: %s\n",
			bpf_program__name(prog),
			errstr(err));
		/* different from having no such link */
		return err == -ENOENT ? -EIO : err;
	}

	for (i = 0; i < old->cnt; i++) {
		struct old_link *link = &old->links[i];
		int fd;

		if (link->is_taken || link->place.type != place->type ||
		    link->place.attach_type != place->attach_type ||
		    link->place.where != place->where)
			continue;
		if (!is_exclusive(place) && !is_same_prog(link, prog))
			continue;

		link->is_taken = true;
		fd = bpf_link_get_fd_by_id(link->id);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}
