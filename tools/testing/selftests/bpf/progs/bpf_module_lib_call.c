// SPDX-License-Identifier: GPL-2.0
/* Programs of many types and a congestion control that call one library. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

extern int lib_count(int who) __ksym __bpf_module(LIB_NAME);
extern int lib_nap(int who) __ksym __bpf_module(LIB_NAME);
extern int chain_count(int who) __ksym __bpf_module("bm_chain");

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

int pid;

/* A call from a subprogram. */
static __noinline int count(int who)
{
	return lib_count(who);
}

SEC("xdp")
int call_xdp(struct xdp_md *ctx)
{
	lib_count(LIB_XDP);
	return XDP_PASS;
}

SEC("tcx/ingress")
int call_tcx(struct __sk_buff *skb)
{
	count(LIB_TCX);
	return -1 /* TCX_NEXT */;
}

SEC("cgroup_skb/egress")
int call_cgroup(struct __sk_buff *skb)
{
	lib_count(LIB_CGROUP);
	return 1;
}

SEC("kprobe/bpf_fentry_test1")
int call_kprobe(void *ctx)
{
	lib_count(LIB_KPROBE);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(call_fentry, int a)
{
	lib_count(LIB_FENTRY);
	return 0;
}

SEC("lsm/socket_create")
int BPF_PROG(call_lsm, int family, int type, int protocol, int kern)
{
	if (bpf_get_current_pid_tgid() >> 32 == pid)
		lib_count(LIB_LSM);
	return 0;
}

SEC("struct_ops")
void BPF_PROG(call_init, struct sock *sk)
{
	lib_count(LIB_OPS);
}

SEC("struct_ops")
__u32 BPF_PROG(call_ssthresh, struct sock *sk)
{
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(call_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
void BPF_PROG(call_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC(".struct_ops.link")
struct tcp_congestion_ops call_ops = {
	.init		= (void *)call_init,
	.ssthresh	= (void *)call_ssthresh,
	.undo_cwnd	= (void *)call_undo_cwnd,
	.cong_avoid	= (void *)call_cong_avoid,
	.name		= "bm_lib_call",
};

/* Sleepable; calls the functions that are not from an RCU critical section. */
SEC("syscall")
int call_syscall(void *ctx)
{
	lib_nap(LIB_NAP);
	bpf_rcu_read_lock();
	lib_count(LIB_SYSCALL);
	bpf_rcu_read_unlock();
	return 0;
}

/* Not loaded by default; then what it calls is not looked up either. */
SEC("?tc")
int call_chain(struct __sk_buff *skb)
{
	return chain_count(LIB_CHAIN);
}
