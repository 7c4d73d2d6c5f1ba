// SPDX-License-Identifier: GPL-2.0
/* An op of bpf_testmod, and programs that get it used and withdrawn. */
#include <vmlinux.h>
#include <bpf/bpf_tracing.h>
#include "bpf_testmod.h"
#include "bpf_testmod_kfunc.h"

char _license[] SEC("license") = "GPL";

int why;

SEC("struct_ops/test_prologue")
int BPF_PROG(bm_prologue, struct st_ops_args *args)
{
	return 0;
}

SEC("syscall")
int use(void *ctx)
{
	return bpf_kfunc_st_ops_get();
}

SEC("syscall")
int unuse(void *ctx)
{
	return bpf_kfunc_st_ops_put();
}

SEC("syscall")
int withdraw(void *ctx)
{
	return bpf_kfunc_st_ops_withdraw(why);
}

SEC(".struct_ops.link")
struct bpf_testmod_st_ops bm_st_ops = {
	.test_prologue = (void *)bm_prologue,
};
