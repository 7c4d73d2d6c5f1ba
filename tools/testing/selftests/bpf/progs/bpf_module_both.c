// SPDX-License-Identifier: GPL-2.0
/* A library and, in the same object, a module that calls it by a declaration that differs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_both");
BPF_MODULE("bm_both_user");

extern int both_half___too(int n) __ksym __bpf_module("bm_both");

BPF_MODULE_FUNC __bpf_in_module("bm_both")
int both_half(int n)
{
	return n >> 1;
}

int both_result;

SEC("fentry/vfs_unlink") __bpf_in_module("bm_both_user")
int BPF_PROG(both_unlink)
{
	both_result = both_half___too(1);
	return 0;
}
