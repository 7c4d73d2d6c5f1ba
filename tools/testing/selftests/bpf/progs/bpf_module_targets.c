// SPDX-License-Identifier: GPL-2.0
/* A module without ops, whose programs attach to several or unusual targets. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_targets");

const volatile int version = 1;

/* the highest version that has run */
int xdp_ran;
int fentry_ran;
int iter_ran;
int lsm_ran;
int connect_ran;
int perf_ran;
int netkit_ran;
int uprobe_ran;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} targets_socks SEC(".maps");

SEC("xdp")
int targets_xdp(struct xdp_md *ctx)
{
	xdp_ran = version;
	return XDP_PASS;
}

/* Its counterpart in another version of the module. */
SEC("?xdp")
int targets_xdp_renamed(struct xdp_md *ctx)
{
	xdp_ran = version + 10;
	return XDP_PASS;
}

/* shared by the versions */
int kept SEC(".data.kept") = 5;

SEC("fentry")
int BPF_PROG(targets_fentry, struct __sk_buff *skb)
{
	kept++;
	fentry_ran = version;
	return 0;
}

SEC("freplace")
int targets_freplace(struct __sk_buff *skb)
{
	return 40 + version;
}

SEC("sk_skb/stream_verdict")
int targets_verdict(struct __sk_buff *skb)
{
	return bpf_sk_redirect_map(skb, &targets_socks, 0, 0);
}

SEC("sk_msg")
int targets_msg(struct sk_msg_md *msg)
{
	return SK_PASS;
}

SEC("netkit/primary")
int targets_netkit(struct __sk_buff *skb)
{
	netkit_ran = version;
	return -1 /* NETKIT_NEXT */;
}

SEC("uprobe//proc/self/exe:bm_targets_probed")
int targets_uprobe(struct pt_regs *ctx)
{
	uprobe_ran = version;
	return 0;
}

SEC("flow_dissector")
int targets_dissect(struct __sk_buff *skb)
{
	return 129 /* BPF_FLOW_DISSECTOR_CONTINUE */;
}

SEC("iter/cgroup")
int targets_iter(struct bpf_iter__cgroup *ctx)
{
	if (ctx->cgroup)
		iter_ran = version;
	return 0;
}

SEC("lsm_cgroup/socket_bind")
int BPF_PROG(targets_lsm, struct socket *sock, struct sockaddr *address, int addrlen)
{
	lsm_ran = version;
	return 1;
}

SEC("cgroup/connect4")
int targets_connect(struct bpf_sock_addr *ctx)
{
	connect_ran = version;
	return 1;
}

SEC("?perf_event")
int targets_perf(void *ctx)
{
	perf_ran = version;
	return 0;
}
