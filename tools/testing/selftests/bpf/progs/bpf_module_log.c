// SPDX-License-Identifier: GPL-2.0
/* What bpf_module_limit.c can do without, but of another prototype than it thinks: the
 * module gets the name of the file.
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
