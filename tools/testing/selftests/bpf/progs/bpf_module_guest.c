// SPDX-License-Identifier: GPL-2.0
/* A tracer that calls bpf_module_gate.c. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_gate.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_guest");

extern int gate_seen(void) __ksym __bpf_module("bm_gate");
extern int gate_long(int n) __ksym __bpf_module("bm_gate");

int guest_seen;

SEC("fentry/vfs_unlink")
int BPF_PROG(guest_unlink)
{
	guest_seen = gate_seen() + gate_long(1);
	return 0;
}
