// SPDX-License-Identifier: GPL-2.0
/* First come, first served, until it is told to make an error. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

extern void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
extern void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;

/* not constant, as the kernel takes it for memory that it may write to */
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
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

/* May sleep, as the type allows for this member. */
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

/* Keeps who withdraws it, as long as it may, so that there is time to look. */
SEC("?tp_btf/bpf_module_withdraw")
int BPF_PROG(scx_withdraw)
{
	withdrawals++;
	bpf_loop(1 << 23, look, NULL, 0);
	return 0;
}

/* Never attached: libbpf learns from it which members the programs are for. */
SEC(".struct_ops.link")
struct sched_ext_ops scx = {
	.enqueue	= (void *)scx_enqueue,
	.init		= (void *)scx_init,
	.name		= "bm_skel",
};
