// SPDX-License-Identifier: GPL-2.0
/* An op that faults in memory of its loader, and then does as that says. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_testmod.h"

char _license[] SEC("license") = "GPL";

int bpf_copy_from_user_str(void *dst, u32, const void *, u64) __weak __ksym;

const void *wait_for;
int ret;

SEC("struct_ops.s")
int BPF_PROG(late_test)
{
	char buf[8];

	if (bpf_copy_from_user_str(buf, sizeof(buf), wait_for, 0) < 0)
		return -1;
	return ret;
}

/* Never attached: it tells libbpf which member the program implements. */
SEC(".struct_ops.link")
struct bpf_testmod_errno_ops late = {
	.test = (void *)late_test,
};
