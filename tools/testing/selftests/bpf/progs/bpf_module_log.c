// SPDX-License-Identifier: GPL-2.0
/* The optional library of bpf_module_limit.c, with another prototype than that declares.
 * The module is named after the file.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_FUNC
int bm_log(long n)
{
	return n > 0;
}
