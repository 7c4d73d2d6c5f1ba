/* SPDX-License-Identifier: GPL-2.0 */
/* Programs: their ids, and test runs. */
#ifndef __BPF_MODULE_PROG_H
#define __BPF_MODULE_PROG_H

#include <test_progs.h>

static inline __u32 bm_prog_id(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

static inline bool bm_prog_exists(__u32 id)
{
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A test run, which also calls the kernel functions that tracing programs attach to. */
static inline void bm_test_run(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

#endif /* __BPF_MODULE_PROG_H */
