// SPDX-License-Identifier: GPL-2.0
/*
 * tcp_steps - a congestion control that backs off by a table, which init fills
 *
 * What a loss leaves of the window depends on how large it was.  Beside the ops a
 * fentry program counts timeouts of their sockets: both come and go as one.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Large windows back off less, by a table");
BPF_MODULE_VERSION("1.0");

const volatile __u32 beta_small = 512;
BPF_MODULE_PARM_DESC(beta_small, "what a loss leaves of a window below 2 segments, in 1/1024");

const volatile __u32 beta_large = 896;
BPF_MODULE_PARM_DESC(beta_large, "and of one of 32768 segments or more");

#define STEPS 16
#define MIN_CWND 2

/* By the logarithm of the window, in 1/1024. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STEPS);
	__type(key, __u32);
	__type(value, __u32);
} steps SEC(".maps");

__u64 timeouts;

extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

/* Runs before the first socket can ask for "steps". */
SEC("module.init")
int fill_steps(struct bpf_module_ctx *ctx)
{
	__u32 i;

	if (!beta_small || beta_small > beta_large || beta_large > 1024)
		return -22;	/* EINVAL: the load is refused */
	for (i = 0; i < STEPS; i++) {
		__u32 beta = beta_small + (beta_large - beta_small) * i / (STEPS - 1);
		__u32 step = i;

		bpf_map_update_elem(&steps, &step, &beta, BPF_ANY);
	}
	return 0;
}

static __u32 at_least(__u32 value, __u32 least)
{
	return value < least ? least : value;
}

static __u32 step_of(__u32 cwnd)
{
	__u32 step = 0, i;

	for (i = 1; i < STEPS; i++)
		step += cwnd >> i != 0;
	return step;
}

SEC("struct_ops")
__u32 BPF_PROG(steps_ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	__u32 step = step_of(tp->snd_cwnd), *beta;

	beta = bpf_map_lookup_elem(&steps, &step);
	return at_least((__u64)tp->snd_cwnd * (beta ? *beta : 512) / 1024, MIN_CWND);
}

SEC("struct_ops")
void BPF_PROG(steps_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC("struct_ops")
__u32 BPF_PROG(steps_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".module.tcp_steps")
struct tcp_congestion_ops steps_ops = {
	.ssthresh	= (void *)steps_ssthresh,
	.cong_avoid	= (void *)steps_cong_avoid,
	.undo_cwnd	= (void *)steps_undo_cwnd,
	.name		= "steps",
};

/* Any socket's timer comes here: count those of ours. */
SEC("fentry/tcp_retransmit_timer")
int BPF_PROG(on_timeout, struct sock *sk)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	char name[16];

	BPF_CORE_READ_STR_INTO(&name, icsk, icsk_ca_ops, name);
	if (!bpf_strncmp(name, sizeof(name), "steps"))
		__sync_fetch_and_add(&timeouts, 1);
	return 0;
}
