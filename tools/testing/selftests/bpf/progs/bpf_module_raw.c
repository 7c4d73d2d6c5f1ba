// SPDX-License-Identifier: GPL-2.0
/* Calls a library from a raw tracepoint, which puts its program after a grace period. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_raw");

extern int bm_left(void) __ksym __bpf_module("bm_bucket");

SEC("raw_tp/sys_enter")
int bm_raw_left(void *ctx)
{
	return bm_left() < 0;
}
