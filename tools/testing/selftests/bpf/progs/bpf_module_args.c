// SPDX-License-Identifier: GPL-2.0
/* An op whose function has more arguments than fit in registers. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_testmod.h"

char _license[] SEC("license") = "GPL";

/* The arguments as the program received them. */
int came[8];

SEC("struct_ops/test_args")
int BPF_PROG(test_args, int a, int b, int c, int d, int e, int f, long g, long h)
{
	came[0] = a;
	came[1] = b;
	came[2] = c;
	came[3] = d;
	came[4] = e;
	came[5] = f;
	came[6] = g;
	came[7] = h;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_testmod_ops2 bm_args = {
	.test_args = (void *)test_args,
};
