// SPDX-License-Identifier: GPL-2.0
/* Prints one line for each BPF module. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("iter/bpf_module")
int dump_module(struct bpf_iter__bpf_module *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_module *mod = ctx->module;

	if (!mod) {
		BPF_SEQ_PRINTF(seq, "end\n");
		return 0;
	}
	BPF_SEQ_PRINTF(seq, "%u %s %u %u\n", mod->id, mod->name, mod->state, mod->ops_cnt);
	return 0;
}
