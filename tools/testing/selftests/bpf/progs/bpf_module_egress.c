// SPDX-License-Identifier: GPL-2.0
/* Programs that each need a target, with an init and an exit program. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_egress");

int inits, packets;

SEC("module.init")
int first(struct bpf_module_ctx *ctx)
{
	inits++;
	return 0;
}

SEC("module.exit")
int last(struct bpf_module_ctx *ctx)
{
	return 0;
}

SEC("cgroup_skb/egress")
int count_egress(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&packets, 1);
	return 1;
}

SEC("netfilter")
int accept(struct bpf_nf_ctx *ctx)
{
	return 1 /* NF_ACCEPT */;
}

SEC("tcx/ingress")
int pass(struct __sk_buff *skb)
{
	return TCX_PASS;
}
