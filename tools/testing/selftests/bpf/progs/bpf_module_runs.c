// SPDX-License-Identifier: GPL-2.0
/* Init and exit programs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* what init returns */
int init_ret;
/* keep exit and init running */
int hold;
int hold_init;

int inits;
int exits;
struct bpf_module_ctx init_ctx;
struct bpf_module_ctx exit_ctx;
__u64 exit_uid;
/* runs of the linked program after init and before exit */
int pid;
int runs;
int runs_at_init;
int runs_at_exit;

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(run_fentry, int a)
{
	if (bpf_get_current_pid_tgid() >> 32 == pid)
		__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("fentry/bpf_fentry_test2")
int BPF_PROG(run_other, int a, u64 b)
{
	return 0;
}

/* id of the module whose exit ran last */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} exited SEC(".maps");

static long wait_hold(__u32 i, int *flag)
{
	return !__sync_fetch_and_add(flag, 0);
}

static long wait_init(__u32 i, void *unused)
{
	return wait_hold(i, &hold_init);
}

static long wait_exit(__u32 i, void *unused)
{
	return wait_hold(i, &hold);
}

/* A function that an extension could replace. */
__noinline int run_global(int ret)
{
	return ret ?: init_ret;
}

SEC("syscall")
int run_init(struct bpf_module_ctx *ctx)
{
	__sync_fetch_and_add(&inits, 1);
	init_ctx = *ctx;
	runs_at_init = runs;
	bpf_loop(1 << 23, wait_init, NULL, 0);
	return run_global(0);
}

SEC("?freplace/run_global")
int run_extension(int ret)
{
	return 0;
}

SEC("syscall")
int run_exit(struct bpf_module_ctx *ctx)
{
	__u32 key = 0, id = ctx->module_id;

	__sync_fetch_and_add(&exits, 1);
	exit_ctx = *ctx;
	exit_uid = bpf_get_current_uid_gid();
	runs_at_exit = runs;
	bpf_map_update_elem(&exited, &key, &id, BPF_ANY);
	bpf_loop(1 << 23, wait_exit, NULL, 0);
	return run_global(0);
}

__weak int first_part(struct bpf_module_ctx *ctx)
{
	return 0;
}

__weak int second_part(struct bpf_module_ctx *ctx)
{
	return 0;
}

SEC("syscall")
int run_parts(struct bpf_module_ctx *ctx)
{
	return first_part(ctx) + second_part(ctx);
}

struct timer_elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct timer_elem);
} timers SEC(".maps");

SEC("syscall")
int run_timer(void *ctx)
{
	struct timer_elem *elem;
	int zero = 0;

	elem = bpf_map_lookup_elem(&timers, &zero);
	if (elem)
		bpf_timer_start(&elem->timer, 1000, 0);
	return 0;
}

SEC("syscall")
int run_close(void *ctx)
{
	return bpf_sys_close(-1);
}

SEC("syscall")
int run_copy(void *ctx)
{
	int val;

	return bpf_copy_from_user(&val, sizeof(val), NULL);
}

struct long_ctx {
	__u64 word[7];
};

SEC("syscall")
int run_beyond(struct long_ctx *ctx)
{
	return ctx->word[6];
}
