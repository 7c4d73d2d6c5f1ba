// SPDX-License-Identifier: GPL-2.0
/* A program that programs of a module attach to. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

__noinline int hosts_value(struct __sk_buff *skb)
{
	volatile int value = 1;

	return value + (skb ? 0 : 1);
}

SEC("tc")
int hosts_main(struct __sk_buff *skb)
{
	return hosts_value(skb);
}
