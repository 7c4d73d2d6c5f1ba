// SPDX-License-Identifier: GPL-2.0
/* A library without state that calls another library. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_chain");

extern int lib_count(int who) __ksym __bpf_module(LIB_NAME);

BPF_MODULE_FUNC
int chain_count(int who)
{
	return lib_count(who) + 1;
}
