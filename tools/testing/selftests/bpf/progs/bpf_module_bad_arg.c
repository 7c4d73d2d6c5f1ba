// SPDX-License-Identifier: GPL-2.0
/* Passes a constant to a library function that writes to it. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_bad_arg");

struct bm_key {
	int who;
	int weight;
};

extern int bm_take(struct bm_key *key, int n) __ksym __bpf_module("bm_bucket");

const volatile struct bm_key bm_constant = { 1, 1 };

SEC("raw_tp/sys_enter")
int bm_bad_take(void *ctx)
{
	return bm_take((struct bm_key *)&bm_constant, 1);
}
