// SPDX-License-Identifier: GPL-2.0
/* A congestion control that replaces itself by another, and counters of grace periods. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

static const char reno[] = "reno";

int inits;
int switch_err;
int grace_periods;
int tasks_waits;
int sleepable_steps;
__u32 pid;
int cleanups;
char ca_after[16];

SEC("struct_ops")
void BPF_PROG(leave_init, struct sock *sk)
{
	inits++;
	switch_err = bpf_setsockopt(sk, SOL_TCP, TCP_CONGESTION, (void *)reno, sizeof(reno));
}

SEC("struct_ops")
__u32 BPF_PROG(leave_ssthresh, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
__u32 BPF_PROG(leave_undo_cwnd, struct sock *sk)
{
	return 10;
}

SEC("struct_ops")
void BPF_PROG(leave_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

/* Never attached: it tells libbpf which members the programs implement. */
SEC(".struct_ops.link")
struct tcp_congestion_ops leave = {
	.init		= (void *)leave_init,
	.ssthresh	= (void *)leave_ssthresh,
	.undo_cwnd	= (void *)leave_undo_cwnd,
	.cong_avoid	= (void *)leave_cong_avoid,
	.name		= "bm_skel",
};

/* What an RCU reader finds in a socket that has put its congestion control. */
SEC("?fexit/tcp_cleanup_congestion_control")
int BPF_PROG(put_ca, struct sock *sk)
{
	const struct tcp_congestion_ops *ca = BPF_CORE_READ(inet_csk(sk), icsk_ca_ops);

	if (bpf_get_current_pid_tgid() >> 32 != pid)
		return 0;
	bpf_probe_read_kernel_str(ca_after, sizeof(ca_after), ca->name);
	cleanups++;
	return 0;
}

/* The first step of a grace period of RCU-tasks. */
SEC("?kprobe/rcu_tasks_pregp_step")
int grace_period(void *ctx)
{
	grace_periods++;
	return 0;
}

/* A module was freed after such a grace period. */
SEC("?kprobe/bpf_module_free_after_tasks")
int tasks_wait(void *ctx)
{
	__sync_fetch_and_add(&tasks_waits, 1);
	return 0;
}

/*
 * The grace periods that freeing a sleepable program waits for, in this order: tasks
 * reach the program, leave it, and leave the trampoline.
 */
SEC("?kprobe/rcu_tasks_pregp_step")
int sleepable_tasks(void *ctx)
{
	if (sleepable_steps == 0 || sleepable_steps == 2)
		sleepable_steps++;
	return 0;
}

SEC("?kprobe/rcu_tasks_trace_pregp_step")
int sleepable_trace(void *ctx)
{
	if (sleepable_steps == 1)
		sleepable_steps++;
	return 0;
}

extern const void rcu_tasks_trace_srcu_struct __ksym __weak;

/* The same where those of tasks trace are SRCU's. */
SEC("?kprobe/call_srcu")
int BPF_KPROBE(sleepable_srcu, void *srcu)
{
	if (srcu == &rcu_tasks_trace_srcu_struct && sleepable_steps == 1)
		sleepable_steps++;
	return 0;
}
