/* SPDX-License-Identifier: GPL-2.0 */
/* Modules that adopt links, or are loaded and unloaded with programs. */
#ifndef __BPF_MODULE_LINK_H
#define __BPF_MODULE_LINK_H

#include "bpf_module_helpers.h"

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

/* In place of the module @fd. */
static inline void bm_load_over(struct bm_load *load, int fd)
{
	load->attr.module_load.flags |= BPF_F_MODULE_REPLACE;
	load->attr.module_load.replace_fd = fd;
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

static inline __u32 bm_id(int module_fd)
{
	struct bpf_module_info info;

	return bm_info(module_fd, &info) ? 0 : info.id;
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

/* Ends the module and closes its fd, if it is there. */
static inline void bm_unload(int *module_fd)
{
	if (*module_fd < 0)
		return;
	bm_drain(*module_fd);
	close(*module_fd);
	*module_fd = -1;
}

#endif /* __BPF_MODULE_LINK_H */
