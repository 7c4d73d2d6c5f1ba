// SPDX-License-Identifier: GPL-2.0
/* One module of ops and programs of many kinds, with init and exit. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_progs.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BM_COUNTS);
	__type(key, int);
	__type(value, __u64);
} progs_counts_of_runs SEC(".maps");

struct progs_state {
	__u32 version;
	__u64 packets;
};

/* The names share the first 15 characters. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, struct progs_state);
} progs_counts_of_state SEC(".maps");

int init_ret;

static __always_inline void count(int i)
{
	__u64 *cnt = bpf_map_lookup_elem(&progs_counts_of_runs, &i);

	if (cnt)
		__sync_fetch_and_add(cnt, 1);
}

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

SEC("struct_ops")
void BPF_PROG(progs_init, struct sock *sk)
{
	count(BM_OPS);
}

SEC("struct_ops")
__u32 BPF_PROG(progs_ssthresh, struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(progs_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
void BPF_PROG(progs_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC(".module.bm_progs")
struct tcp_congestion_ops bm_progs_cc = {
	.init		= (void *)progs_init,
	.ssthresh	= (void *)progs_ssthresh,
	.undo_cwnd	= (void *)progs_undo_cwnd,
	.cong_avoid	= (void *)progs_cong_avoid,
	.name		= "bm_progs",
};

SEC("xdp")
int progs_tail(struct xdp_md *ctx)
{
	count(BM_TAIL);
	return XDP_PASS;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int (void *));
} progs_tails SEC(".maps") = {
	.values = { (void *)&progs_tail },
};

SEC("xdp")
int progs_xdp(struct xdp_md *ctx)
{
	count(BM_XDP);
	bpf_tail_call(ctx, &progs_tails, 0);
	return XDP_PASS;
}

SEC("tcx/ingress")
int progs_tcx(struct __sk_buff *skb)
{
	count(BM_TCX);
	return -1 /* TCX_NEXT */;
}

SEC("cgroup_skb/egress")
int progs_cgroup(struct __sk_buff *skb)
{
	count(BM_CGROUP);
	return 1;
}

SEC("sk_lookup")
int progs_sk_lookup(struct bpf_sk_lookup *ctx)
{
	count(BM_SK_LOOKUP);
	return 1 /* SK_PASS */;
}

SEC("netfilter")
int progs_netfilter(struct bpf_nf_ctx *ctx)
{
	count(BM_NETFILTER);
	return 1 /* NF_ACCEPT */;
}

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(progs_fentry, int a)
{
	count(BM_FENTRY);
	return 0;
}

SEC("kprobe/bpf_fentry_test1")
int progs_kprobe(void *ctx)
{
	count(BM_KPROBE);
	return 0;
}

SEC("kprobe.multi/bpf_fentry_test1")
int progs_multi(void *ctx)
{
	count(BM_MULTI);
	return 0;
}

SEC("tp/raw_syscalls/sys_enter")
int progs_tp(void *ctx)
{
	count(BM_TP);
	return 0;
}

SEC("iter/bpf_map_elem")
int progs_iter(struct bpf_iter__bpf_map_elem *ctx)
{
	if (ctx->key)
		count(BM_ITER);
	return 0;
}

/* For the user to run. */
SEC("syscall")
int progs_read(void *ctx)
{
	struct progs_state *state;
	int key = 0;

	state = bpf_map_lookup_elem(&progs_counts_of_state, &key);
	return state ? state->version : 0;
}

/* Not loaded by default. */
SEC("?perf_event")
int progs_perf(void *ctx)
{
	return 0;
}

SEC("?tc")
int progs_tc(struct __sk_buff *skb)
{
	return 0;
}

SEC("?uprobe")
int progs_uprobe(void *ctx)
{
	return 0;
}

SEC("module.init")
int progs_start(struct bpf_module_ctx *ctx)
{
	int ops = BM_OPS, key = 0;
	struct progs_state state = { .version = ctx->other_id ? 2 : 1 };
	__u64 *cnt = bpf_map_lookup_elem(&progs_counts_of_runs, &ops);

	count(BM_INITS);
	if (cnt && *cnt)
		count(BM_OPS_AT_INIT);
	bpf_map_update_elem(&progs_counts_of_state, &key, &state, BPF_NOEXIST);
	return init_ret;
}

SEC("module.exit")
int progs_end(struct bpf_module_ctx *ctx)
{
	count(BM_EXITS);
	return 0;
}
