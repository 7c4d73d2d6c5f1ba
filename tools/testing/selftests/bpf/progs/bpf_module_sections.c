// SPDX-License-Identifier: GPL-2.0
/* Two modules in one object, one with two ops and one with an optional op. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* The kernel's type with an additional member. */
struct tcp_congestion_ops___more {
	__u32 (*ssthresh)(struct sock *sk);
	__u32 (*undo_cwnd)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	void (*no_such_member)(struct sock *sk);
	char name[16];
};

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

/* A program can belong to one module only. */
#define RENO(prefix)								\
SEC("struct_ops")								\
__u32 BPF_PROG(prefix##_ssthresh, struct sock *sk)				\
{										\
	return tcp_reno_ssthresh(sk);						\
}										\
										\
SEC("struct_ops")								\
__u32 BPF_PROG(prefix##_undo_cwnd, struct sock *sk)				\
{										\
	return tcp_reno_undo_cwnd(sk);						\
}										\
										\
SEC("struct_ops")								\
void BPF_PROG(prefix##_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)	\
{										\
	tcp_reno_cong_avoid(sk, ack, acked);					\
}

RENO(first)
RENO(second)

SEC(".module.bm_first")
struct tcp_congestion_ops first_a = {
	.ssthresh	= (void *)first_ssthresh,
	.undo_cwnd	= (void *)first_undo_cwnd,
	.cong_avoid	= (void *)first_cong_avoid,
	.name		= "bm_first_a",
};

SEC(".module.bm_first")
struct tcp_congestion_ops___more first_b = {
	.ssthresh	= (void *)first_ssthresh,
	.undo_cwnd	= (void *)first_undo_cwnd,
	.cong_avoid	= (void *)first_cong_avoid,
	.name		= "bm_first_b",
};

SEC(".module.bm-second.x")
struct tcp_congestion_ops second_a = {
	.ssthresh	= (void *)second_ssthresh,
	.undo_cwnd	= (void *)second_undo_cwnd,
	.cong_avoid	= (void *)second_cong_avoid,
	.name		= "bm_second_a",
};

/* The kernel truncates this name. */
SEC("?.module.bm-second.x")
struct tcp_congestion_ops second_b_of_a_name_that_is_longer_than_the_63_characters_of_an_op = {
	.ssthresh	= (void *)second_ssthresh,
	.undo_cwnd	= (void *)second_undo_cwnd,
	.cong_avoid	= (void *)second_cong_avoid,
	.name		= "bm_second_b",
};
