// SPDX-License-Identifier: GPL-2.0
/* A library for types that bpf_module_lib.c has no use for. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE("bm_types");

struct types_box {
	int *at;
	char name[8];
	short codes[4];
};

BPF_MODULE_FUNC
int types_small(short n)
{
	return n;
}

BPF_MODULE_FUNC
int types_box(struct types_box *box)
{
	return box ? box->name[7] + box->codes[3] : -1;
}
