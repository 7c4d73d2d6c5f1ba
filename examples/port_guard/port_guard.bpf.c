// SPDX-License-Identifier: GPL-2.0
/*
 * port_guard - drop TCP and UDP packets to the ports in a table
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Drop packets to the ports in the map \"blocked\"");
BPF_MODULE_VERSION("1.0");

const volatile bool count_only = false;
BPF_MODULE_PARM_DESC(count_only, "count what would be dropped, and let it pass");

#define ETH_P_IP	0x0800
#define ETH_P_IPV6	0x86dd
#define FRAGMENT	0x1fff	/* not the first one: it has no ports */

/* Packets for each port that is blocked; ports are added from outside. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u64);
} blocked SEC(".maps");

/* The transport header, and its protocol; NULL if there is none. */
static void *transport(void *data, void *end, __u8 *protocol)
{
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = data + sizeof(*eth);
	struct iphdr *ip = data + sizeof(*eth);

	if (data + sizeof(*eth) > end)
		return NULL;
	switch (eth->h_proto) {
	case bpf_htons(ETH_P_IP):
		if ((void *)(ip + 1) > end || ip->frag_off & bpf_htons(FRAGMENT))
			return NULL;
		*protocol = ip->protocol;
		return (void *)ip + ip->ihl * 4;
	case bpf_htons(ETH_P_IPV6):
		if ((void *)(ip6 + 1) > end)
			return NULL;
		*protocol = ip6->nexthdr;
		return ip6 + 1;
	default:
		return NULL;
	}
}

SEC("xdp")
int guard(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 protocol = 0;
	__u64 *packets;
	struct udphdr *ports;	/* TCP has its ports at the same place */
	__u16 port;

	ports = transport(data, end, &protocol);
	if (!ports || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) ||
	    (void *)(ports + 1) > end)
		return XDP_PASS;

	port = bpf_ntohs(ports->dest);
	packets = bpf_map_lookup_elem(&blocked, &port);
	if (!packets)
		return XDP_PASS;
	__sync_fetch_and_add(packets, 1);
	return count_only ? XDP_PASS : XDP_DROP;
}
