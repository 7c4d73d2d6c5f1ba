// SPDX-License-Identifier: GPL-2.0
/* tcp_shy - a congestion control whose window a daemon sets while it runs */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Reno with a limit that its daemon moves");

/* Written by the daemon at any time */
__u32 limit = 10;
__u64 acks;

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

SEC("struct_ops")
__u32 BPF_PROG(shy_ssthresh, struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
void BPF_PROG(shy_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	__sync_fetch_and_add(&acks, acked);
	tcp_reno_cong_avoid(sk, ack, acked);
	if (tp->snd_cwnd > limit)
		tp->snd_cwnd = limit;
}

SEC("struct_ops")
__u32 BPF_PROG(shy_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".module.tcp_shy")
struct tcp_congestion_ops shy = {
	.ssthresh	= (void *)shy_ssthresh,
	.cong_avoid	= (void *)shy_cong_avoid,
	.undo_cwnd	= (void *)shy_undo_cwnd,
	.name		= "shy",
};
