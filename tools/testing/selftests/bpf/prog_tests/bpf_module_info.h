/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says of its modules: info, and the list of them. */
#ifndef __BPF_MODULE_INFO_H
#define __BPF_MODULE_INFO_H

#include <linux/bpf_module.h>
#include <test_progs.h>

static inline int bm_info(int module_fd, struct bpf_module_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_module_get_info_by_fd(module_fd, info, &len);
}

static inline long long bm_users(int module_fd)
{
	struct bpf_module_info info;
	int err = bm_info(module_fd, &info);

	return err ?: (long long)info.users;
}

static inline int bm_state(int module_fd)
{
	struct bpf_module_info info;
	int err = bm_info(module_fd, &info);

	return err ?: (int)info.state;
}

static inline __u32 bm_id(int module_fd)
{
	struct bpf_module_info info;

	return bm_info(module_fd, &info) ? 0 : info.id;
}

/* What the module reports about its first @cnt ops. */
static inline int bm_ops_info(int module_fd, struct bpf_module_ops_info *ops, __u32 cnt)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);

	memset(ops, 0, cnt * sizeof(*ops));
	info.ops = ptr_to_u64(ops);
	info.ops_cnt = cnt;
	info.ops_size = sizeof(*ops);
	return bpf_module_get_info_by_fd(module_fd, &info, &len);
}

/* Returns the id of a listed module called @name, 0 for none. */
static inline __u32 bm_find(const char *name)
{
	struct bpf_module_info info;
	__u32 id = 0;

	while (!bpf_module_get_next_id(id, &id)) {
		int err, fd = bpf_module_get_fd_by_id(id);

		if (fd < 0)
			continue;
		err = bm_info(fd, &info);
		close(fd);
		if (!err && !strcmp(info.name, name))
			return id;
	}
	return 0;
}

static inline bool bm_listed(__u32 id)
{
	int fd = bpf_module_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#endif /* __BPF_MODULE_INFO_H */
