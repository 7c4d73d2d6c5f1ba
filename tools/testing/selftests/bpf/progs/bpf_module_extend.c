// SPDX-License-Identifier: GPL-2.0
/* Programs that extend the programs of a module. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("freplace/first_part")
int new_first(struct bpf_module_ctx *ctx)
{
	return 0;
}

SEC("freplace/second_part")
int new_second(struct bpf_module_ctx *ctx)
{
	return 0;
}
