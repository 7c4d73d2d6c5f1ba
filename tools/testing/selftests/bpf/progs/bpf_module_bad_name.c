// SPDX-License-Identifier: GPL-2.0
/* Calls a function of a module whose name is not valid. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

extern int lib_count(int who) __ksym __bpf_module("bm/lib");

SEC("tc")
int bad_name(struct __sk_buff *skb)
{
	return lib_count(0);
}
