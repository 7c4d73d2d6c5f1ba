// SPDX-License-Identifier: GPL-2.0
/* A scheduler in the cid form, which has to use an arena and does not */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops.s/init")
int BPF_PROG(cid_init)
{
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops_cid no_arena = {
	.init	= (void *)cid_init,
	.name	= "no_arena",
};
