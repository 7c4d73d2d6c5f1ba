// SPDX-License-Identifier: GPL-2.0
/*
 * tcp_frugal - a congestion control that does not grow into a limit
 *
 * Reno, but while a peer has fewer tokens left than the window would take, the window
 * stays as it is: packets that "limit_out" drops would halve it.
 */
#include "vmlinux.h"
#include <bpf/bpf_tracing.h>
#include "token_bucket.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Reno that stops where the token bucket of a peer ends");

extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

SEC("struct_ops")
void BPF_PROG(frugal_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	struct tb_key key = { .id = sk->__sk_common.skc_daddr };

	if (tb_left(&key) > tp->snd_cwnd * tp->mss_cache)
		tcp_reno_cong_avoid(sk, ack, acked);
}

SEC("struct_ops")
__u32 BPF_PROG(frugal_ssthresh, struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(frugal_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".module.tcp_frugal")
struct tcp_congestion_ops frugal_ops = {
	.ssthresh	= (void *)frugal_ssthresh,
	.cong_avoid	= (void *)frugal_cong_avoid,
	.undo_cwnd	= (void *)frugal_undo_cwnd,
	.name		= "frugal",
};
