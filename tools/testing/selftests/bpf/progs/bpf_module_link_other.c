// SPDX-License-Identifier: GPL-2.0
/* Declares the function as one of another library. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

extern int lib_count(int who) __ksym __bpf_module("bm_other");

SEC("tc")
int link_other(struct __sk_buff *skb)
{
	return lib_count(LIB_LINKED);
}
