// SPDX-License-Identifier: GPL-2.0
/* A library that calls bpf_module_bucket.c, and a third one if it is loaded. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_limit");

struct bm_key {
	int who;
	int weight;
};

extern int bm_take(struct bm_key *key, int n) __ksym __bpf_module("bm_bucket");
extern int bm_log(int n) __ksym __weak __bpf_module("bm_log");

BPF_MODULE_FUNC
int bm_limited(int who)
{
	struct bm_key key = { .who = who, .weight = 1 };

	if (bpf_ksym_exists(bm_log))
		bm_log(who);
	return bm_take(&key, 1);
}
