// SPDX-License-Identifier: GPL-2.0
/*
 * tcp_pair - two congestion controls that belong together: "pair_bulk" for those
 * who move much, and "pair_calm", whose window stays small. They come and go as
 * one module, so that nobody finds the one without the other.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("A congestion control for bulk, and one that stays calm");
BPF_MODULE_VERSION("1.0");

const volatile __u32 calm_cwnd = 20;
BPF_MODULE_PARM_DESC(calm_cwnd, "segments that pair_calm has on the way at most");

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

/* Both share these: a program may fill members of several ops of its module. */
SEC("struct_ops")
__u32 BPF_PROG(pair_ssthresh, struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(pair_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
void BPF_PROG(bulk_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC("struct_ops")
void BPF_PROG(calm_init, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	if (tp->snd_cwnd > calm_cwnd)
		tp->snd_cwnd = calm_cwnd;
}

SEC("struct_ops")
void BPF_PROG(calm_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	if (tp->snd_cwnd < calm_cwnd)
		tcp_reno_cong_avoid(sk, ack, acked);
	/* One acknowledgement can open the window by more than one segment. */
	if (tp->snd_cwnd > calm_cwnd)
		tp->snd_cwnd = calm_cwnd;
}

SEC(".module.tcp_pair")
struct tcp_congestion_ops bulk = {
	.ssthresh	= (void *)pair_ssthresh,
	.cong_avoid	= (void *)bulk_cong_avoid,
	.undo_cwnd	= (void *)pair_undo_cwnd,
	.name		= "pair_bulk",
};

SEC(".module.tcp_pair")
struct tcp_congestion_ops calm = {
	.init		= (void *)calm_init,
	.ssthresh	= (void *)pair_ssthresh,
	.cong_avoid	= (void *)calm_cong_avoid,
	.undo_cwnd	= (void *)pair_undo_cwnd,
	.name		= "pair_calm",
};
