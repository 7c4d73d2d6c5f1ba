// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of many types for links that modules adopt. Each counts its runs: tracing
 * programs the calls of one process, networking programs all packets or sockets.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

int pid;
int runs;
/* runs of the programs that links are switched to */
int new_runs;

static void count_mine(void)
{
	if (bpf_get_current_pid_tgid() >> 32 == pid)
		__sync_fetch_and_add(&runs, 1);
}

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(link_fentry, int a)
{
	count_mine();
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int BPF_PROG(link_fexit, int a, int ret)
{
	count_mine();
	return 0;
}

SEC("fmod_ret/bpf_modify_return_test")
int BPF_PROG(link_fmod_ret, int a, int *b, int ret)
{
	count_mine();
	return ret;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(link_tp_btf, struct pt_regs *regs, long id)
{
	count_mine();
	return 0;
}

SEC("raw_tp/sys_enter")
int link_raw_tp(void *ctx)
{
	count_mine();
	return 0;
}

SEC("tp/raw_syscalls/sys_enter")
int link_tracepoint(void *ctx)
{
	count_mine();
	return 0;
}

SEC("kprobe/bpf_fentry_test1")
int link_kprobe(void *ctx)
{
	count_mine();
	return 0;
}

SEC("kprobe.multi/bpf_fentry_test1")
int link_kprobe_multi(void *ctx)
{
	count_mine();
	return 0;
}

SEC("uprobe")
int link_uprobe(void *ctx)
{
	count_mine();
	return 0;
}

SEC("uprobe.multi.s")
int link_uprobe_multi(void *ctx)
{
	count_mine();
	return 0;
}

SEC("lsm.s/bpf")
int BPF_PROG(link_lsm, int cmd, union bpf_attr *attr, unsigned int size)
{
	count_mine();
	return 0;
}

SEC("xdp")
int link_xdp(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return XDP_PASS;
}

SEC("xdp")
int new_xdp(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&new_runs, 1);
	return XDP_PASS;
}

SEC("tcx/ingress")
int link_tcx(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&runs, 1);
	return -1 /* TCX_NEXT */;
}

SEC("cgroup_skb/egress")
int link_cgroup_skb(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&runs, 1);
	return 1;
}

SEC("cgroup_skb/egress")
int new_cgroup_skb(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&new_runs, 1);
	return 1;
}

SEC("sk_lookup")
int link_sk_lookup(struct bpf_sk_lookup *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 1 /* SK_PASS */;
}

SEC("netfilter")
int link_netfilter(struct bpf_nf_ctx *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 1 /* NF_ACCEPT */;
}

SEC("iter/bpf_map")
int link_iter(struct bpf_iter__bpf_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	static const char line[] = "x\n";

	__sync_fetch_and_add(&runs, 1);
	bpf_seq_write(seq, line, sizeof(line) - 1);
	return 0;
}

SEC("perf_event")
int link_perf(void *ctx)
{
	return 0;
}
