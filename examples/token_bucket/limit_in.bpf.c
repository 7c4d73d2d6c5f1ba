// SPDX-License-Identifier: GPL-2.0
/*
 * limit_in - drop what comes from an IPv4 address that has no tokens left
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include "token_bucket.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Drop packets of senders that exceed their rate, in bytes");

#define ETH_P_IP 0x0800

__u64 dropped;

SEC("xdp")
int limit(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct tb_key key = {};

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	key.id = ip->saddr;
	if (tb_take(&key, end - data))
		return XDP_PASS;
	__sync_fetch_and_add(&dropped, 1);
	return XDP_DROP;
}
