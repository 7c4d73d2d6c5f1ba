// SPDX-License-Identifier: GPL-2.0
/* A library: functions, the map that they share, and an init program. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE(LIB_NAME);

struct lib_key {
	int who;
	int weight;
	__u64 taken;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIB_WHO);
	__type(key, int);
	__type(value, __u64);
} lib_counts SEC(".maps");

int step;

/* Used by the functions, but not exported. */
static int count(int who, int n)
{
	__u64 *cnt = bpf_map_lookup_elem(&lib_counts, &who);

	if (!cnt)
		return -1;
	__sync_fetch_and_add(cnt, (__u64)step * n);
	return *cnt;
}

BPF_MODULE_FUNC
int lib_count(int who)
{
	return count(who, 1);
}

BPF_MODULE_FUNC
int lib_take(struct lib_key *key, int n)
{
	if (!key)
		return -1;
	key->taken += n;
	return count(key->who, key->weight * n);
}

BPF_MODULE_FUNC
bool lib_not(bool no)
{
	return !no;
}

/* Of an object of the kernel */
BPF_MODULE_FUNC
int lib_pid(struct task_struct *task __arg_trusted)
{
	return task->pid;
}

BPF_MODULE_FUNC_S
int lib_nap(int who)
{
	return count(who, 1);
}

SEC("module.init")
int lib_start(struct bpf_module_ctx *ctx)
{
	step = LIB_STEP;
	return 0;
}
