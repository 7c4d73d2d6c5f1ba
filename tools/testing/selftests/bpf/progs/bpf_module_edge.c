// SPDX-License-Identifier: GPL-2.0
/* A tracer that calls two libraries; one of them calls the other. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_edge");

extern int bm_limited(int who) __ksym __bpf_module("bm_limit");
extern int bm_left(void) __ksym __bpf_module("bm_bucket");

int bm_edge_left;

SEC("fentry/vfs_unlink")
int BPF_PROG(bm_unlink)
{
	bm_limited(1);
	bm_edge_left = bm_left();
	return 0;
}
