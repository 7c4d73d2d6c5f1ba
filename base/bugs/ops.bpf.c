// SPDX-License-Identifier: GPL-2.0
/* Two ops, the second of which break.py lets end, in 32 bits, before it begins. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct first_ops {
	int number;
} first SEC(".struct_ops.link") = { 1 };

struct second_ops {
	int number;
} second SEC(".struct_ops.link") = { 2 };
