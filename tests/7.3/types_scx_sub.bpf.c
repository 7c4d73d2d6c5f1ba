// SPDX-License-Identifier: GPL-2.0
/* A scheduler of the cid form that can be the root, or one below it */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define __arena __attribute__((address_space(1)))
#define QUEUE 0
#define CAPS (SCX_CAP_ENQ_IMMED | SCX_CAP_ENQ | SCX_CAP_PREEMPT | SCX_CAP_PERF)
#define EBUSY 16

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym;
bool scx_bpf_sub_dispatch(u64 cgroup_id) __ksym;
u32 scx_bpf_nr_cids(void) __ksym;
s32 scx_bpf_sub_grant(u64 cgroup_id, u64 caps, const struct scx_cmask __arena *cmask,
		      struct scx_cmask __arena *denied) __ksym;

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 256);
	__ulong(map_extra, 1ull << 44);
} arena SEC(".maps");

/* struct scx_cmask for up to 64 cids; the kernel wants a word more */
struct mask {
	u32 base, nr_cids, alloc_words;
	u64 bits[2];
};

struct mask __arena cids;

/* The control group of the one below, 0 for none */
u64 below;

SEC("struct_ops/enqueue")
int BPF_PROG(sub_enqueue, struct task_struct *p, u64 flags)
{
	scx_bpf_dsq_insert(p, QUEUE, SCX_SLICE_DFL, flags);
	return 0;
}

SEC("struct_ops/dispatch")
int BPF_PROG(sub_dispatch, s32 cid, struct task_struct *prev)
{
	/* the one below first, so that it does not starve */
	if (!below || !scx_bpf_sub_dispatch(below))
		scx_bpf_dsq_move_to_local(QUEUE);
	return 0;
}

SEC("struct_ops/sub_attach")
int BPF_PROG(sub_attach, struct scx_sub_attach_args *args)
{
	u64 id = args->ops->sub_cgroup_id;
	int err;

	if (below)
		return -EBUSY;
	cids.nr_cids = scx_bpf_nr_cids();
	cids.alloc_words = 2;
	cids.bits[0] = (1ull << cids.nr_cids) - 1;
	err = scx_bpf_sub_grant(id, CAPS, (struct scx_cmask __arena *)&cids, 0);
	if (!err)
		below = id;
	return err;
}

SEC("struct_ops/sub_detach")
int BPF_PROG(sub_detach, struct scx_sub_detach_args *args)
{
	if (below == args->ops->sub_cgroup_id)
		below = 0;
	return 0;
}

SEC("struct_ops.s/init")
int BPF_PROG(sub_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops_cid sub_ops = {
	.enqueue	= (void *)sub_enqueue,
	.dispatch	= (void *)sub_dispatch,
	.sub_attach	= (void *)sub_attach,
	.sub_detach	= (void *)sub_detach,
	.init		= (void *)sub_init,
	.flags		= SCX_OPS_ENQ_EXITING,
	.timeout_ms	= 30000,
	.name		= "sub_test",
};
