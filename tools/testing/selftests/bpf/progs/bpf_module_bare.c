// SPDX-License-Identifier: GPL-2.0
/* A function in an object that declares no module, without anything that needs BTF. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_FUNC
int bare_twice(int n)
{
	return n * 2;
}
