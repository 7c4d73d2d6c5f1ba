// SPDX-License-Identifier: GPL-2.0
/* A library for bpftool's tests, which bpf_module_limit.c calls: a counter, with a
 * parameter.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_bucket");
BPF_MODULE_DESCRIPTION("tokens for whoever asks");

const volatile int bm_size = 10;

struct bm_key {
	int who;
	int weight;
};

long bm_taken;

BPF_MODULE_FUNC
int bm_take(struct bm_key *key, int n)
{
	if (!key || n > bm_size)
		return 0;
	__sync_fetch_and_add(&bm_taken, n * key->weight);
	return n;
}

BPF_MODULE_FUNC
int bm_left(void)
{
	return bm_size;
}

BPF_MODULE_FUNC_S
int bm_refill(unsigned int n)
{
	bm_taken = 0;
	return n;
}
