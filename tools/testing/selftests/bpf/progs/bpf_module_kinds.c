// SPDX-License-Identifier: GPL-2.0
/*
 * For each kind of link that can be switched in place: the program it starts with and the
 * one it is switched to. They count their runs.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

int runs;
int new_runs;

#define PROGS(kind, section, ctx_type, ret)			\
SEC(section)							\
int link_##kind(ctx_type *ctx)					\
{								\
	__sync_fetch_and_add(&runs, 1);				\
	return ret;						\
}								\
								\
SEC(section)							\
int new_##kind(ctx_type *ctx)					\
{								\
	__sync_fetch_and_add(&new_runs, 1);			\
	return ret;						\
}

PROGS(xdp_generic, "xdp", struct xdp_md, XDP_PASS)
PROGS(xdp_native, "xdp", struct xdp_md, XDP_PASS)
PROGS(filter, "xdp", struct xdp_md, XDP_DROP)
PROGS(tcx_egress, "tcx/egress", struct __sk_buff, -1 /* TCX_NEXT */)
PROGS(netkit, "netkit/primary", struct __sk_buff, -1 /* NETKIT_NEXT */)
PROGS(lsm_cgroup, "lsm_cgroup/socket_create", __u64, 1)
PROGS(cgroup_skb, "cgroup_skb/ingress", struct __sk_buff, 1)
PROGS(sock_create, "cgroup/sock_create", struct bpf_sock, 1)
PROGS(sock_addr, "cgroup/connect4", struct bpf_sock_addr, 1)
PROGS(sockopt, "cgroup/getsockopt", struct bpf_sockopt, 1)
PROGS(sockops, "sockops", struct bpf_sock_ops, 1)
PROGS(device, "cgroup/dev", struct bpf_cgroup_dev_ctx, 1)
PROGS(sysctl, "cgroup/sysctl", struct bpf_sysctl, 1)
PROGS(sk_lookup, "sk_lookup", struct bpf_sk_lookup, SK_PASS)
PROGS(flow_dissector, "flow_dissector", struct __sk_buff, 129 /* go on as usual */)
PROGS(sk_msg, "sk_msg", struct sk_msg_md, SK_PASS)
PROGS(sk_skb, "sk_skb/verdict", struct __sk_buff, SK_PASS)

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} socks SEC(".maps");

SEC("iter/bpf_map")
int link_iter(struct bpf_iter__bpf_map *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("iter/bpf_map")
int new_iter(struct bpf_iter__bpf_map *ctx)
{
	__sync_fetch_and_add(&new_runs, 1);
	return 0;
}

/* A program that is extended, and its extension. */
__noinline int extended(struct __sk_buff *skb)
{
	return !skb->len;
}

SEC("tc")
int extended_prog(struct __sk_buff *skb)
{
	return extended(skb);
}

SEC("?freplace/extended")
int link_freplace(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&runs, 1);
	return 1;
}

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(link_fentry, int a)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("kprobe/bpf_fentry_test1")
int link_kprobe(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

/* The thread whose program spins until it is released, and its progress. */
int hold_tid;
int hold;
int held;
int finished;

static long wait_hold(__u32 i, void *unused)
{
	return !__sync_fetch_and_add(&hold, 0);
}

/* One loop may not be long enough. */
static long wait_longer(__u32 i, void *unused)
{
	bpf_loop(1 << 23, wait_hold, NULL, 0);
	return wait_hold(i, NULL);
}

static int hold_me(int ret)
{
	if ((int)bpf_get_current_pid_tgid() != hold_tid)
		return ret;
	__sync_fetch_and_add(&held, 1);
	bpf_loop(16, wait_longer, NULL, 0);
	__sync_fetch_and_add(&finished, 1);
	return ret;
}

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(hold_fentry, int a)
{
	return hold_me(0);
}

SEC("kprobe.multi/bpf_fentry_test1")
int hold_kprobe_multi(void *ctx)
{
	return hold_me(0);
}

SEC("raw_tp/sys_enter")
int hold_raw_tp(void *ctx)
{
	return hold_me(0);
}

/* A sleepable one. */
SEC("lsm.s/bpf")
int BPF_PROG(hold_lsm, int cmd, union bpf_attr *attr, unsigned int size)
{
	return hold_me(0);
}

SEC("xdp")
int hold_xdp(struct xdp_md *ctx)
{
	return hold_me(XDP_PASS);
}

SEC("cgroup/sock_create")
int hold_sock_create(struct bpf_sock *ctx)
{
	return hold_me(1);
}
