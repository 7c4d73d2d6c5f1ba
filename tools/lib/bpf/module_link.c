// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Links that BPF modules are loaded with.
 *
 * The programs of a module are attached before it is loaded. Only the fd of each link is
 * kept: the module takes over the links, and closing the fds detaches those that it has
 * not taken.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/stat.h>
#include <linux/kernel.h>
#include "bpf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

/* A program that is being attached. */
struct attaching {
	struct link_set *set;
	const struct bpf_module *mod;
	struct old_links *old;
	const struct bpf_program *prog;
	const struct module_target *target;
};

static void close_fds(int *fds, size_t cnt)
{
	while (cnt > 0)
		close(fds[--cnt]);
	free(fds);
}

void bpf_module__drop_links(struct bpf_module *mod)
{
	close_fds(mod->link_fds, mod->link_cnt);
	mod->link_fds = NULL;
	mod->link_cnt = 0;
}

int bpf_module__add_link(struct bpf_module *mod, const struct bpf_link *link)
{
	int *fds, fd;

	if (!mod || !link)
		return libbpf_err(-EINVAL);

	fd = dup_good_fd(bpf_link__fd(link));
	if (fd < 0) {
		fd = -errno;
		pr_warn("module '%s': a link without an FD can't be added\n", mod->name);
		return libbpf_err(fd);
	}

	fds = libbpf_reallocarray(mod->link_fds, mod->link_cnt + 1, sizeof(*fds));
	if (!fds) {
		close(fd);
		return libbpf_err(-ENOMEM);
	}
	fds[mod->link_cnt++] = fd;
	mod->link_fds = fds;
	return 0;
}

/* Add @link_fd, which belongs to the set from now on; to be switched to @prog_fd if that
 * is not 0.
 */
static int add_link(struct link_set *set, int link_fd, int prog_fd)
{
	struct bpf_module_link *links;

	links = libbpf_reallocarray(set->links, set->cnt + 1, sizeof(*links));
	if (!links) {
		close(link_fd);
		return -ENOMEM;
	}
	set->links = links;
	links += set->cnt++;
	memset(links, 0, sizeof(*links));
	links->link_fd = link_fd;
	links->prog_fd = prog_fd;
	return 0;
}

void bpf_link_set__close(struct link_set *set)
{
	/* in reverse order */
	while (set->cnt > 0)
		close(set->links[--set->cnt].link_fd);
	free(set->links);
	set->links = NULL;
}

static int no_way(const struct attaching *a, int err, const char *why)
{
	pr_warn("module '%s': program '%s' %s\n", a->mod->name, bpf_program__name(a->prog), why);
	return err;
}

static int not_attached(const struct attaching *a, int err, const char *to)
{
	pr_warn("module '%s': program '%s': failed to attach to %s: %s\n", a->mod->name,
		bpf_program__name(a->prog), to, errstr(err));
	return err;
}

/* Switch the link at @place of the module to replace, or create one. */
static int attach_at(const struct attaching *a, const struct link_place *place, int target,
		     const struct bpf_link_create_opts *opts, const char *to)
{
	int prog_fd = bpf_program__fd(a->prog), fd;

	fd = bpf_old_links__take(a->old, a->prog, place);
	if (fd >= 0)
		return add_link(a->set, fd, prog_fd);
	if (fd != -ENOENT)
		return not_attached(a, fd, to);

	fd = bpf_link_create(prog_fd, target, bpf_program__expected_attach_type(a->prog), opts);
	return fd < 0 ? not_attached(a, -errno, to) : add_link(a->set, fd, 0);
}

/* Its section says everything. */
static int attach_by_sec(const struct attaching *a)
{
	struct bpf_link *link = bpf_program__attach(a->prog);
	int err = -errno;

	if (link)
		return bpf_link__fd(link) < 0 ? no_way(a, -EOPNOTSUPP, "has a link without an FD") :
						add_link(a->set, bpf_link__into_fd(link), 0);
	if (err == -EOPNOTSUPP)
		return no_way(a, -EINVAL, "does not say in its section what to attach it to");
	return not_attached(a, err, bpf_program__section_name(a->prog));
}

static enum bpf_link_type dev_link_type(const struct bpf_program *prog)
{
	switch (bpf_program__expected_attach_type(prog)) {
	case BPF_TCX_INGRESS:
	case BPF_TCX_EGRESS:
		return BPF_LINK_TYPE_TCX;
	case BPF_NETKIT_PRIMARY:
	case BPF_NETKIT_PEER:
		return BPF_LINK_TYPE_NETKIT;
	default:
		return BPF_LINK_TYPE_XDP;
	}
}

/* As the kernel reports it for a link: that of XDP has no type. */
static __u32 dev_attach_type(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_XDP ?
	       0 : bpf_program__expected_attach_type(prog);
}

static int attach_dev(const struct attaching *a, const char *dev)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = a->target->xdp_flags);
	struct link_place place = {
		.type = dev_link_type(a->prog),
		.attach_type = dev_attach_type(a->prog),
		.where = if_nametoindex(dev),
	};

	if (!place.where)
		return not_attached(a, -errno, dev);
	return attach_at(a, &place, place.where, &opts, dev);
}

static int attach_devs(const struct attaching *a)
{
	char *devs, *dev, *next;
	int err = 0;

	if (!a->target->dev)
		return bpf_module__lacks_target(a->mod, a->prog);

	devs = strdup(a->target->dev);
	if (!devs)
		return -ENOMEM;
	next = devs;
	while (!err && (dev = strsep(&next, ",")))
		err = attach_dev(a, dev);
	free(devs);
	return err;
}

/* 0 if it is not known */
static __u64 cgroup_id(int fd)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(__u64)];
	} h = { .handle.handle_bytes = sizeof(__u64) };
	int mount_id;
	__u64 id;

	if (name_to_handle_at(fd, "", &h.handle, &mount_id, AT_EMPTY_PATH) ||
	    h.handle.handle_bytes != sizeof(id))
		return 0;
	memcpy(&id, h.handle.f_handle, sizeof(id));
	return id;
}

/* Attach an iterator over the object with @id. */
static int attach_iter(const struct attaching *a, __u64 id, union bpf_iter_link_info *linfo,
		       const char *to)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .iter_info = linfo,
		    .iter_info_len = sizeof(*linfo));
	struct link_place place = { .type = BPF_LINK_TYPE_ITER, .where = id };

	return attach_at(a, &place, 0, &opts, to);
}

/* Attach to a target that has an fd and an @id, and no options. */
static int attach_fd(const struct attaching *a, enum bpf_link_type type, __u64 id, int fd,
		     const char *to)
{
	struct link_place place = {
		.type = type,
		.attach_type = bpf_program__expected_attach_type(a->prog),
		.where = id,
	};

	return attach_at(a, &place, fd, NULL, to);
}

static int attach_cgroup_fd(const struct attaching *a, int fd)
{
	union bpf_iter_link_info linfo = {
		.cgroup.cgroup_fd = fd,
		.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE,
	};

	return bpf_program__is_iter(a->prog) ?
	       attach_iter(a, cgroup_id(fd), &linfo, a->target->cgroup) :
	       attach_fd(a, BPF_LINK_TYPE_CGROUP, cgroup_id(fd), fd, a->target->cgroup);
}

static int attach_cgroup(const struct attaching *a)
{
	int fd, err;

	if (!a->target->cgroup)
		return bpf_module__lacks_target(a->mod, a->prog);

	fd = open(a->target->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return not_attached(a, -errno, a->target->cgroup);
	err = attach_cgroup_fd(a, fd);
	close(fd);
	return err;
}

static int attach_netns(const struct attaching *a)
{
	const char *path = a->target->netns ?: "/proc/self/ns/net";
	struct stat st;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return not_attached(a, err, path);
	}
	err = attach_fd(a, BPF_LINK_TYPE_NETNS, st.st_ino, fd, path);
	close(fd);
	return err;
}

static int attach_hook(const struct attaching *a)
{
	const struct module_target *t = a->target;
	struct link_place place = {
		.type = BPF_LINK_TYPE_NETFILTER,
		.where = bpf_netfilter_place(t->pf, t->hooknum, t->priority),
	};
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .netfilter.pf = t->pf,
		    .netfilter.hooknum = t->hooknum,
		    .netfilter.priority = t->priority);

	if (!t->has_hook)
		return bpf_module__lacks_target(a->mod, a->prog);
	return attach_at(a, &place, 0, &opts, "the netfilter hook");
}

static __u32 map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_map_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static int attach_map(const struct attaching *a)
{
	const struct bpf_map *map = a->target->map;
	union bpf_iter_link_info linfo = {};
	int fd;

	if (!map)
		return bpf_module__lacks_target(a->mod, a->prog);

	fd = bpf_map__fd(map);
	linfo.map.map_fd = fd;
	return bpf_program__is_iter(a->prog) ?
	       attach_iter(a, map_id(fd), &linfo, bpf_map__name(map)) :
	       attach_fd(a, BPF_LINK_TYPE_SOCKMAP, map_id(fd), fd, bpf_map__name(map));
}

/* The kernel has no other way to attach it again. */
static int attach_freplace(const struct attaching *a)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	struct link_place place = { .type = BPF_LINK_TYPE_TRACING };
	struct bpf_prog_info host = {}, info = {};
	__u32 host_len = sizeof(host), len = sizeof(info);
	int fd = a->target->prog_fd, err;

	err = bpf_prog_get_info_by_fd(fd, &host, &host_len) ?:
	      bpf_prog_get_info_by_fd(bpf_program__fd(a->prog), &info, &len);
	if (err)
		return not_attached(a, err, "the program");

	place.where = bpf_freplace_place(host.id, info.attach_btf_id);
	opts.target_btf_id = info.attach_btf_id;
	return attach_at(a, &place, fd, &opts, host.name);
}

/* An iterator without a target can be switched, too. */
static int attach_or_take(const struct attaching *a)
{
	struct link_place place = { .type = BPF_LINK_TYPE_ITER };
	int fd = -ENOENT;

	if (bpf_program__is_iter(a->prog))
		fd = bpf_old_links__take(a->old, a->prog, &place);

	if (fd >= 0)
		return add_link(a->set, fd, bpf_program__fd(a->prog));
	return fd == -ENOENT ? attach_by_sec(a) :
			       not_attached(a, fd, bpf_program__section_name(a->prog));
}

/* The user may have set the target by bpf_program__set_attach_target(), too. */
static int attach_to_prog(const struct attaching *a)
{
	if (bpf_program__type(a->prog) == BPF_PROG_TYPE_EXT && a->target->prog_fd >= 0)
		return attach_freplace(a);
	return attach_by_sec(a);
}

static int attach_prog(const struct attaching *a)
{
	switch (bpf_program__target_kind(a->prog)) {
	case TARGET_DEV:
		return attach_devs(a);
	case TARGET_CGROUP:
		return attach_cgroup(a);
	case TARGET_NETNS:
		return attach_netns(a);
	case TARGET_HOOK:
		return attach_hook(a);
	case TARGET_MAP:
		return attach_map(a);
	case TARGET_PROG:
		return attach_to_prog(a);
	case TARGET_REFUSED:
		return no_way(a, -EOPNOTSUPP,
			      "is USDT, perf_event or netlink tc, which no module attaches (tcx is SEC(\"tcx/ingress\")); leave it out, or add links of your own");
	default:
		return attach_or_take(a);
	}
}

static __u32 prog_id(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len) ? 0 : info.id;
}

/* Does a link that the user has added attach it? */
static bool is_added(const struct bpf_module *mod, const struct bpf_program *prog)
{
	__u32 id = mod->link_cnt ? prog_id(prog) : 0;
	size_t i;

	for (i = 0; id && i < mod->link_cnt; i++) {
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);

		if (!bpf_link_get_info_by_fd(mod->link_fds[i], &info, &len) && info.prog_id == id)
			return true;
	}
	return false;
}

static int add_users_links(struct link_set *set, const struct bpf_module *mod)
{
	size_t i;
	int err;

	for (i = 0; i < mod->link_cnt; i++) {
		int fd = dup_good_fd(mod->link_fds[i]);

		if (fd < 0)
			return -errno;
		err = add_link(set, fd, 0);
		if (err)
			return err;
	}
	return 0;
}

static int attach_progs(struct link_set *set, const struct bpf_module *mod,
			struct old_links *old)
{
	struct attaching a = { .set = set, .mod = mod, .old = old };
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, mod->obj) {
		if (!bpf_module__attaches(mod, prog) || is_added(mod, prog))
			continue;
		a.prog = prog;
		a.target = bpf_module__target(mod, prog);
		err = attach_prog(&a);
		if (err)
			return err;
	}
	return 0;
}

int bpf_link_set__attach(struct link_set *set, const struct bpf_module *mod)
{
	struct old_links old = { .module_fd = mod->replace_fd };
	int err;

	err = add_users_links(set, mod) ?: attach_progs(set, mod, &old);
	bpf_old_links__free(&old);
	return err;
}
