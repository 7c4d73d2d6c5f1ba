// SPDX-License-Identifier: GPL-2.0
/*
 * sched_fifo - one queue for all processors, first come first served, with a time
 * slice to choose
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("First come, first served, on all processors");
BPF_MODULE_VERSION("1.0");

const volatile __u32 slice_us = 5000;
BPF_MODULE_PARM_DESC(slice_us, "microseconds that a task runs before the next one");

/* Tasks that were queued, and that found a processor idle */
__u64 queued, direct;

extern s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
				  bool *is_idle) __ksym;
/* Since Linux 6.13 it has the second name. */
extern void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags) __ksym __weak;
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
			       u64 enq_flags) __ksym __weak;

static void insert(struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	u64 slice = (u64)slice_us * 1000;

	if (bpf_ksym_exists(scx_bpf_dsq_insert))
		scx_bpf_dsq_insert(p, dsq_id, slice, enq_flags);
	else
		scx_bpf_dispatch(p, dsq_id, slice, enq_flags);
}

SEC("struct_ops")
s32 BPF_PROG(fifo_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu;

	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	if (idle) {
		__sync_fetch_and_add(&direct, 1);
		insert(p, SCX_DSQ_LOCAL, 0);
	}
	return cpu;
}

SEC("struct_ops")
void BPF_PROG(fifo_enqueue, struct task_struct *p, u64 enq_flags)
{
	__sync_fetch_and_add(&queued, 1);
	insert(p, SCX_DSQ_GLOBAL, enq_flags);
}

SEC(".module.sched_fifo")
struct sched_ext_ops fifo = {
	.select_cpu	= (void *)fifo_select_cpu,
	.enqueue	= (void *)fifo_enqueue,
	.name		= "fifo",
};
