// SPDX-License-Identifier: GPL-2.0
/* Reno that counts its calls: a module with maps. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

int inits;
int releases;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} acks SEC(".maps");

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

SEC("struct_ops")
void BPF_PROG(cc_init, struct sock *sk)
{
	__sync_fetch_and_add(&inits, 1);
}

SEC("struct_ops")
void BPF_PROG(cc_release, struct sock *sk)
{
	__sync_fetch_and_add(&releases, 1);
}

SEC("struct_ops")
__u32 BPF_PROG(cc_ssthresh, struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(cc_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
void BPF_PROG(cc_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	__u32 key = 0;
	__u64 *cnt;

	cnt = bpf_map_lookup_elem(&acks, &key);
	if (cnt)
		__sync_fetch_and_add(cnt, 1);
	tcp_reno_cong_avoid(sk, ack, acked);
}

/* Never attached: libbpf learns from it which members the programs are for. */
SEC(".struct_ops.link")
struct tcp_congestion_ops cc = {
	.init		= (void *)cc_init,
	.release	= (void *)cc_release,
	.ssthresh	= (void *)cc_ssthresh,
	.undo_cwnd	= (void *)cc_undo_cwnd,
	.cong_avoid	= (void *)cc_cong_avoid,
	.name		= "bm_skel",
};
