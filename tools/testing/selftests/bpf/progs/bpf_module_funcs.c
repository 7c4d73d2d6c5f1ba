// SPDX-License-Identifier: GPL-2.0
/* Two modules that have functions only: no maps, no other programs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_funcs_1");
BPF_MODULE("bm_funcs_2");

BPF_MODULE_FUNC __bpf_in_module("bm_funcs_1")
int funcs_half(int n)
{
	return n >> 1;
}

BPF_MODULE_FUNC __bpf_in_module("bm_funcs_1")
int funcs_twice(int n)
{
	return n * 2;
}

BPF_MODULE_FUNC __bpf_in_module("bm_funcs_2")
int funcs_twice_2(int n)
{
	return n * 4;
}

/* Belongs to no module, and is not loaded by default. */
SEC("?module.func")
int funcs_none(int n)
{
	return n;
}
