// SPDX-License-Identifier: GPL-2.0
/*
 * Two versions of one congestion control, which differ in the slow start threshold that
 * a socket begins with; and a program that delays the setup of a network namespace.
 */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_switch.h"

char _license[] SEC("license") = "GPL";

/* The thread whose namespace is delayed, at the kernel's first IPv6 socket in it. */
int held_tid;
int held;
/* A page that user space can make slow to read. */
const void *hold_page;

SEC("struct_ops")
void BPF_PROG(old_init, struct sock *sk)
{
	tcp_sk(sk)->snd_ssthresh = BM_OLD;
}

SEC("struct_ops")
void BPF_PROG(new_init, struct sock *sk)
{
	tcp_sk(sk)->snd_ssthresh = BM_NEW;
}

SEC("struct_ops")
__u32 BPF_PROG(switch_ssthresh, struct sock *sk)
{
	return tcp_sk(sk)->snd_ssthresh;
}

SEC("struct_ops")
__u32 BPF_PROG(switch_undo_cwnd, struct sock *sk)
{
	return tcp_sk(sk)->snd_cwnd;
}

SEC("struct_ops")
void BPF_PROG(switch_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC(".struct_ops.link")
struct tcp_congestion_ops cc_old = {
	.init		= (void *)old_init,
	.ssthresh	= (void *)switch_ssthresh,
	.undo_cwnd	= (void *)switch_undo_cwnd,
	.cong_avoid	= (void *)switch_cong_avoid,
	.flags		= BM_NON_RESTRICTED,
	.name		= BM_SWITCH,
};

SEC(".struct_ops.link")
struct tcp_congestion_ops cc_new = {
	.init		= (void *)new_init,
	.ssthresh	= (void *)switch_ssthresh,
	.undo_cwnd	= (void *)switch_undo_cwnd,
	.cong_avoid	= (void *)switch_cong_avoid,
	.name		= BM_SWITCH,
};

SEC("?lsm.s/socket_create")
int BPF_PROG(hold, int family, int type, int protocol, int kern)
{
	char c;

	if (!kern || family != AF_INET6 || (__u32)bpf_get_current_pid_tgid() != held_tid)
		return 0;
	held = 1;
	bpf_copy_from_user(&c, sizeof(c), hold_page);
	return 0;
}
