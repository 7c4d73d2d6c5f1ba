// SPDX-License-Identifier: GPL-2.0
/* Calls a function that it exports itself. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_own");

BPF_MODULE_FUNC
int own_half(int n)
{
	return n >> 1;
}

BPF_MODULE_FUNC
int own_quarter(int n)
{
	return own_half(n) >> 1;
}
