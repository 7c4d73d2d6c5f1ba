/* SPDX-License-Identifier: GPL-2.0 */
/* Modules that adopt links, or are loaded with programs to run. */
#ifndef __BPF_MODULE_LINK_H
#define __BPF_MODULE_LINK_H

#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_syscall.h"
#include "bpf_module_unload.h"

#define BM_LINKS 16

/* What LOAD is given, and what it says. */
struct bm_load {
	struct bpf_module_link links[BM_LINKS];
	union bpf_attr attr;
	char log[BM_LOG_SIZE];
};

static inline void bm_load_init(struct bm_load *load, const char *name)
{
	memset(load, 0, sizeof(*load));
	load->attr.module_load.name = ptr_to_u64(name);
	load->attr.module_load.links = ptr_to_u64(load->links);
	load->attr.module_load.links_size = sizeof(load->links[0]);
	load->attr.module_load.log_buf = ptr_to_u64(load->log);
	load->attr.module_load.log_size = sizeof(load->log);
}

/* Another link, with a program to switch it to or 0. */
static inline void bm_load_add(struct bm_load *load, int link_fd, int prog_fd)
{
	struct bpf_module_link *link = &load->links[load->attr.module_load.links_cnt++];

	link->link_fd = link_fd;
	link->prog_fd = prog_fd;
}

static inline void bm_load_add_all(struct bm_load *load, const int *link_fds, int cnt)
{
	while (cnt-- > 0)
		bm_load_add(load, *link_fds++, 0);
}

/* The ops added to @cc so far. */
static inline void bm_load_ops(struct bm_load *load, struct bm_cc *cc)
{
	load->attr.module_load.ops = ptr_to_u64(cc->ops);
	load->attr.module_load.ops_cnt = cc->ops_cnt;
	load->attr.module_load.ops_size = sizeof(cc->ops[0]);
}

/* In place of the module @fd. */
static inline void bm_load_over(struct bm_load *load, int fd)
{
	load->attr.module_load.flags |= BPF_F_MODULE_REPLACE;
	load->attr.module_load.replace_fd = fd;
}

/* A new version of module @fd whose link is switched to @prog. */
static inline void bm_load_switch(struct bm_load *load, int fd, int link_fd,
				  const struct bpf_program *prog)
{
	bm_load_init(load, NULL);
	bm_load_over(load, fd);
	bm_load_add(load, link_fd, bpf_program__fd(prog));
}

/* Returns a module fd or -errno. */
static inline int bm_load(struct bm_load *load)
{
	memset(load->log, 0, sizeof(load->log));
	return bm_sys_bpf(BPF_MODULE_LOAD, &load->attr, sizeof(load->attr));
}

/* A module of one link. */
static inline int bm_load_link(const char *name, int link_fd)
{
	struct bm_load load;

	bm_load_init(&load, name);
	bm_load_add(&load, link_fd, 0);
	return bm_load(&load);
}

/* The load is refused with @err and a line that has @part. */
static inline void bm_load_refused(struct bm_load *load, int err, const char *part)
{
	int fd = bm_load(load);

	if (!ASSERT_EQ(fd, err, "refused") && fd >= 0) {
		bm_drain(fd);
		close(fd);
	}
	ASSERT_HAS_SUBSTR(load->log, part, "log");
}

/* The links of a module; returns how many there are, or -errno. */
static inline int bm_links(int module_fd, struct bpf_module_link_info *links)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	int err;

	memset(links, 0, BM_LINKS * sizeof(*links));
	info.links = ptr_to_u64(links);
	info.links_cnt = BM_LINKS;
	info.links_size = sizeof(*links);
	err = bpf_module_get_info_by_fd(module_fd, &info, &len);
	return err ?: (int)info.links_cnt;
}

static inline __u32 bm_link_id(int link_fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return bpf_link_get_info_by_fd(link_fd, &info, &len) ? 0 : info.id;
}

/* The module of a link, 0 for none, or -errno. */
static inline long long bm_link_module(int link_fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int err = bpf_link_get_info_by_fd(link_fd, &info, &len);

	return err ?: (long long)info.module_id;
}

/* The module has one link, with that id. */
static inline void bm_check_link(int module_fd, __u32 id)
{
	struct bpf_module_link_info links[BM_LINKS];

	ASSERT_EQ(bm_links(module_fd, links), 1, "links");
	ASSERT_EQ(links[0].id, id, "id of the link");
	ASSERT_EQ(links[0].flags, 0, "flags of the link");
}

/* The module of the link is unloaded, and @link_fd the last fd of it, which is closed. */
static inline void bm_check_detached(int link_fd, __u32 id)
{
	ASSERT_EQ(bm_link_module(link_fd), 0, "module of the detached link");
	close(link_fd);
	ASSERT_EQ(bpf_link_get_fd_by_id(id), -ENOENT, "link is gone");
}

/* A link of @prog to @target, whatever that is for its type: an fd or -errno. */
static inline int bm_link_create(const struct bpf_program *prog, int target, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

	return bpf_link_create(bpf_program__fd(prog), target,
			       bpf_program__expected_attach_type(prog), &opts);
}

/* The fd of @link, which is the caller's and no longer libbpf's. */
static inline int bm_take_fd(struct bpf_link *link)
{
	int fd;

	if (!ASSERT_OK_PTR(link, "attach"))
		return -1;
	fd = bpf_link__fd(link);
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	return fd;
}

/* Reads an iterator of @link_fd to its end: 0 or -errno. */
static inline int bm_run_iter(int link_fd)
{
	int fd = bpf_iter_create(link_fd);
	char buf[16];

	if (fd < 0)
		return fd;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	return 0;
}

/* Calls the LSM hook of bpf(). */
static inline void bm_run_bpf(void)
{
	__u32 id;

	bpf_map_get_next_id(0, &id);
}

/* Calls what is attached to the creation of sockets. */
static inline void bm_run_socket(void)
{
	close(socket(AF_INET, SOCK_DGRAM, 0));
}

#endif /* __BPF_MODULE_LINK_H */
