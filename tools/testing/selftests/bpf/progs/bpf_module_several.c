// SPDX-License-Identifier: GPL-2.0
/* Two modules without ops; each program names its module. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_several_1");
BPF_MODULE("bm_several_2");

int first;
int second;
int inits;

SEC("fentry/bpf_fentry_test1") __bpf_in_module("bm_several_1")
int BPF_PROG(several_first, int a)
{
	first++;
	return 0;
}

SEC("fentry/bpf_fentry_test1") __bpf_in_module("bm_several_2")
int BPF_PROG(several_second, int a)
{
	second++;
	return 0;
}

SEC("module.init") __bpf_in_module("bm_several_2")
int several_init(struct bpf_module_ctx *ctx)
{
	inits++;
	return 0;
}

/* Belongs to no module, and is not loaded by default. */
SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(several_none, int a)
{
	return 0;
}

SEC("?module.init") __bpf_in_module("bm_several_2")
int several_init_2(struct bpf_module_ctx *ctx)
{
	return 0;
}

/* Programs that no link can attach belong to no module. */
SEC("syscall")
int several_syscall(void *ctx)
{
	return 0;
}
