// SPDX-License-Identifier: GPL-2.0
/*
 * An XDP filter that counts packets, a tracer, and a program that nothing attaches, for
 * "bpftool module load" of an object that declares no module.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef SEEN
#define SEEN __u64
#endif

char _license[] SEC("license") = "GPL";

/* What to do with every packet. */
const volatile bool drop;

/* Keyed by the packet's EtherType in network byte order. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, SEEN);
} seen_packets_of_type SEC(".maps");

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	SEEN one = 1, *seen;
	__u32 type;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	type = eth->h_proto;
	seen = bpf_map_lookup_elem(&seen_packets_of_type, &type);
	if (seen)
		__sync_fetch_and_add(seen, 1);
	else
		bpf_map_update_elem(&seen_packets_of_type, &type, &one, BPF_NOEXIST);
	return drop ? XDP_DROP : XDP_PASS;
}

int unlinks;

SEC("fentry/vfs_unlink")
int BPF_PROG(trace_unlink)
{
	__sync_fetch_and_add(&unlinks, 1);
	return 0;
}

SEC("syscall")
int reset(void *ctx)
{
	unlinks = 0;
	return 0;
}
