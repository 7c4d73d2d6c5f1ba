// SPDX-License-Identifier: GPL-2.0
/*
 * tcp_aimd - a congestion control that adds on success and multiplies on loss,
 * with both factors as parameters
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Additive increase, multiplicative decrease, both to choose");
BPF_MODULE_VERSION("1.0");

const volatile __u32 beta = 512;
BPF_MODULE_PARM_DESC(beta, "what a loss leaves of the window, in 1/1024");

const volatile __u32 gain = 1;
BPF_MODULE_PARM_DESC(gain, "segments that the window grows by in each round trip");

BPF_MODULE_PARM_DESC(aimd.name, "the name that sockets ask for");

#define MIN_CWND 2

/* Losses, for those who want to watch: bpftool map dump name tcp_aimd.bss */
__u64 losses;

extern __u32 tcp_slow_start(struct tcp_sock *tp, __u32 acked) __ksym;
extern void tcp_cong_avoid_ai(struct tcp_sock *tp, __u32 w, __u32 acked) __ksym;

static __u32 at_least(__u32 value, __u32 least)
{
	return value < least ? least : value;
}

SEC("struct_ops")
__u32 BPF_PROG(aimd_ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	__sync_fetch_and_add(&losses, 1);
	return at_least((__u64)tp->snd_cwnd * beta / 1024, MIN_CWND);
}

SEC("struct_ops")
void BPF_PROG(aimd_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	/* A window that the application does not fill says nothing. */
	if (!BPF_CORE_READ_BITFIELD(tp, is_cwnd_limited))
		return;
	if (tp->snd_cwnd < tp->snd_ssthresh) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	tcp_cong_avoid_ai(tp, at_least(tp->snd_cwnd / at_least(gain, 1), 1), acked);
}

/* The loss was none: the window is as before. */
SEC("struct_ops")
__u32 BPF_PROG(aimd_undo_cwnd, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return at_least(tp->snd_cwnd, tp->prior_cwnd);
}

SEC(".module.tcp_aimd")
struct tcp_congestion_ops aimd = {
	.ssthresh	= (void *)aimd_ssthresh,
	.cong_avoid	= (void *)aimd_cong_avoid,
	.undo_cwnd	= (void *)aimd_undo_cwnd,
	.name		= "aimd",
};
