// SPDX-License-Identifier: GPL-2.0
/* A FIFO scheduler that makes an error on request. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* Since Linux 6.13 it has the second name. */
extern void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags) __ksym __weak;
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
			       u64 enq_flags) __ksym __weak;
extern void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;

/* not constant, since the kernel takes it as memory that it may write */
char fmt[] = "told to fail with %d";
int fail_with;
__u64 enqueued;

SEC("struct_ops")
void BPF_PROG(scx_enqueue, struct task_struct *p, u64 enq_flags)
{
	unsigned long long arg = fail_with;

	if (arg)
		scx_bpf_error_bstr(fmt, &arg, sizeof(arg));
	__sync_fetch_and_add(&enqueued, 1);
	if (bpf_ksym_exists(scx_bpf_dsq_insert))
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	else
		scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

/* Sleepable, as the type allows for this member. */
SEC("struct_ops.s")
s32 BPF_PROG(scx_init)
{
	return 0;
}

int withdrawals;
int go_on;

static int look(u32 i, void *ctx)
{
	return go_on ? 1 : 0;
}

/* Delays the withdrawal, so that there is time to look. */
SEC("?tp_btf/bpf_module_withdraw")
int BPF_PROG(scx_withdraw)
{
	withdrawals++;
	bpf_loop(1 << 23, look, NULL, 0);
	return 0;
}

/* Never attached: it tells libbpf which members the programs implement. */
SEC(".struct_ops.link")
struct sched_ext_ops scx = {
	.enqueue	= (void *)scx_enqueue,
	.init		= (void *)scx_init,
	.name		= "bm_skel",
};
