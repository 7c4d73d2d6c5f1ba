// SPDX-License-Identifier: GPL-2.0
/* One of two libraries that need each other, so that neither can be loaded. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_ring_a");

extern int bm_ring_func_b(int n) __ksym __bpf_module("bm_ring_b");

BPF_MODULE_FUNC
int bm_ring_func_a(int n)
{
	return bm_ring_func_b(n) + 1;
}
