// SPDX-License-Identifier: GPL-2.0
/* A map whose definition is behind a typedef, which break.py lets refer to itself. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} definition;

definition map SEC(".maps");
