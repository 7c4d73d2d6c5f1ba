// SPDX-License-Identifier: GPL-2.0
/* The loop of a ring that submits what is in its queue. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* IOU_LOOP_*: they have no type with a name, so that BTF may be without them */
#define GO_ON	0
#define STOP	1

/* Then wait for that number of completions, for ever if it is too large */
const volatile __u32 wait_for;

__u32 steps, submitted;

extern int bpf_io_uring_submit_sqes(struct iou_ctx *ring, u32 nr) __ksym;

/* may sleep, as the function does */
SEC("struct_ops.s/loop_step")
int BPF_PROG(ring_step, struct iou_ctx *ring, struct iou_loop_params *params)
{
	int ret;

	__sync_fetch_and_add(&steps, 1);
	ret = bpf_io_uring_submit_sqes(ring, 8);
	if (ret < 0)
		return ret;
	if (ret > 0) {
		__sync_fetch_and_add(&submitted, ret);
		return GO_ON;
	}
	if (!wait_for)
		return STOP;
	params->cq_wait_idx = wait_for;
	return GO_ON;
}

/* ring_fd comes with the load: an fd of the process that loads */
SEC(".struct_ops")
struct io_uring_bpf_ops ring = {
	.loop_step	= (void *)ring_step,
};
