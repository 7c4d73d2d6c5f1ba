// SPDX-License-Identifier: GPL-2.0
/* Two schedulers that ask for more memory than there is. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct sched_ext_ops {
	__u32 dispatch_max_batch;
	__u32 exit_dump_len;
	char name[128];
};

struct sched_ext_ops batch SEC(".struct_ops.link") = {
	.dispatch_max_batch = 100000000,
	.name = "batch",
};

struct sched_ext_ops dump SEC(".struct_ops.link") = {
	.exit_dump_len = ~0,
	.name = "dump",
};
