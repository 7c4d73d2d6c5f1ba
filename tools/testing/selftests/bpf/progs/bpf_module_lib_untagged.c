// SPDX-License-Identifier: GPL-2.0
/* Declares a function of a library without __bpf_module(). */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

extern int lib_count(int who) __ksym;

SEC("tc")
int untagged(struct __sk_buff *skb)
{
	return lib_count(LIB_LINKED);
}
