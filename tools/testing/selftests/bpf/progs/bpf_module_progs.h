/* SPDX-License-Identifier: GPL-2.0 */
/* Indexes of the counters of bpf_module_progs.c in their map. */
#ifndef __BPF_MODULE_PROGS_H
#define __BPF_MODULE_PROGS_H

enum bm_count {
	BM_OPS,
	BM_XDP,
	BM_TCX,
	BM_CGROUP,
	BM_SK_LOOKUP,
	BM_NETFILTER,
	BM_FENTRY,
	BM_KPROBE,
	BM_MULTI,
	BM_TP,
	BM_ITER,
	BM_TAIL,
	BM_INITS,
	BM_EXITS,
	BM_OPS_AT_INIT,
	BM_COUNTS,
};

#endif /* __BPF_MODULE_PROGS_H */
