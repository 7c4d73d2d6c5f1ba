// SPDX-License-Identifier: GPL-2.0
/* Observes trampolines, from the programs that they call and from outside. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf_testmod.h"
#include "bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

#define EXDEV 18

int pid;

/* The stack below a kernel function that the op's program calls. */
__u64 stack[16];
long stack_size;

SEC("struct_ops/test_1")
int BPF_PROG(tramp_call)
{
	bpf_testmod_test_mod_kfunc(1);
	return 0;
}

SEC("kprobe/bpf_testmod_test_mod_kfunc")
int take_stack(struct pt_regs *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == pid)
		stack_size = bpf_get_stack(ctx, stack, sizeof(stack), 0);
	return 0;
}

SEC("struct_ops/test_args")
int BPF_PROG(tramp_args, int a, int b, int c, int d, int e, int f, long g, long h)
{
	return 0;
}

/* The lower half is all zero. */
SEC("struct_ops/test_ret")
__s64 BPF_PROG(tramp_ret)
{
	return -EXDEV * (1LL << 32);
}

/* The smallest migration_disabled that a scheduler's program has seen. */
int least;
__u64 wakeups;

SEC("struct_ops/select_cpu")
s32 BPF_PROG(tramp_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	int depth = bpf_get_current_task_btf()->migration_disabled;

	if (depth < least)
		least = depth;
	__sync_fetch_and_add(&wakeups, 1);
	return prev_cpu;
}

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(trace_1)
{
	return 0;
}

SEC("fentry/bpf_fentry_test2")
int BPF_PROG(trace_2)
{
	return 0;
}

/* The last bytes of the trampoline that ends at @end. */
__u64 end;
char last[64];

SEC("syscall")
int read_last(void *ctx)
{
	return bpf_probe_read_kernel(last, sizeof(last), (void *)end - sizeof(last));
}

/* Records where the trampoline of a link ends. */
__u32 link_id;

SEC("iter/bpf_link")
int find_end(struct bpf_iter__bpf_link *ctx)
{
	struct bpf_link *link = ctx->link;
	struct bpf_tramp_image *im;

	if (!link || link->id != link_id)
		return 0;
	im = BPF_CORE_READ((struct bpf_tracing_link *)link, trampoline, cur_image);
	end = (__u64)BPF_CORE_READ(im, image) + BPF_CORE_READ(im, size);
	return 0;
}

SEC(".struct_ops.link")
struct bpf_testmod_ops bm_call = {
	.test_1 = (void *)tramp_call,
};

SEC(".struct_ops.link")
struct bpf_testmod_ops2 bm_args = {
	.test_args = (void *)tramp_args,
};

SEC(".struct_ops.link")
struct bpf_testmod_ops2 bm_ret = {
	.test_ret = (void *)tramp_ret,
};

SEC(".struct_ops.link")
struct sched_ext_ops bm_scx = {
	.select_cpu = (void *)tramp_select_cpu,
	.name = "bm_scx",
};
