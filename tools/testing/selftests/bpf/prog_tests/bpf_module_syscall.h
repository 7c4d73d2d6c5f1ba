/* SPDX-License-Identifier: GPL-2.0 */
/* bpf() without libbpf, and the log of BPF_MODULE_LOAD. */
#ifndef __BPF_MODULE_SYSCALL_H
#define __BPF_MODULE_SYSCALL_H

#include <sys/syscall.h>
#include <test_progs.h>

#define BM_LOG_SIZE	512

static inline int bm_sys_bpf(enum bpf_cmd cmd, void *attr, __u32 size)
{
	int ret = syscall(__NR_bpf, cmd, attr, size);

	return ret < 0 ? -errno : ret;
}

#endif /* __BPF_MODULE_SYSCALL_H */
