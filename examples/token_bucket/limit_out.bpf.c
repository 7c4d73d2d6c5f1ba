// SPDX-License-Identifier: GPL-2.0
/*
 * limit_out - drop what a control group sends to an IPv4 address that has no tokens left
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include "token_bucket.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Drop packets of a control group to addresses beyond their rate, in bytes");

#define ETH_P_IP 0x0800

__u64 dropped;

SEC("cgroup_skb/egress")
int limit(struct __sk_buff *skb)
{
	struct tb_key key = {};
	struct iphdr ip;

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return 1;
	key.id = ip.daddr;
	if (tb_take(&key, skb->len))
		return 1;
	__sync_fetch_and_add(&dropped, 1);
	return 0;
}
