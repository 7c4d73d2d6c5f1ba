// SPDX-License-Identifier: GPL-2.0
/* Declares a function of bpf_module_gate.c without __bpf_module(). */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_gate.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_untagged");

extern int gate_long(int n) __ksym;

int untagged_seen;

SEC("fentry/vfs_unlink")
int BPF_PROG(untagged_unlink)
{
	untagged_seen = gate_long(1);
	return 0;
}
