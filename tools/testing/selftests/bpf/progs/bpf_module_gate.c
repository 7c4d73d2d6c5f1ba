// SPDX-License-Identifier: GPL-2.0
/* A library with a link to a network device. One function's name is longer than the part
 * of it that the kernel's info has room for.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include "bpf_module_gate.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_gate");

int gate_packets;

SEC("xdp")
int gate_pass(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&gate_packets, 1);
	return XDP_PASS;
}

BPF_MODULE_FUNC
int gate_seen(void)
{
	return gate_packets;
}

BPF_MODULE_FUNC
int gate_long(int n)
{
	return gate_packets > n;
}
