// SPDX-License-Identifier: GPL-2.0
/* A caller whose module never loads, since its init program fails. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_fails");

extern int bm_limited(int who) __ksym __bpf_module("bm_limit");

SEC("module.init")
int bm_refuse(struct bpf_module_ctx *ctx)
{
	return -22 /* EINVAL */;
}

SEC("fentry/vfs_unlink")
int BPF_PROG(bm_fails_unlink)
{
	bm_limited(1);
	return 0;
}
