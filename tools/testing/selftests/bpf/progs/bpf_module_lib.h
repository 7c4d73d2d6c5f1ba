/* SPDX-License-Identifier: GPL-2.0 */
/* Indexes of bpf_module_lib.c's counters in their map: what is counted, and for whom. */
#ifndef __BPF_MODULE_LIB_H
#define __BPF_MODULE_LIB_H

enum lib_who {
	LIB_XDP,
	LIB_TCX,
	LIB_CGROUP,
	LIB_KPROBE,
	LIB_FENTRY,
	LIB_LSM,
	LIB_OPS,
	LIB_SYSCALL,
	LIB_NAP,
	LIB_CHAIN,
	LIB_LINKED,
	LIB_WHO,
};

#define LIB_NAME "bm_lib"
/* What the library adds to each count, once its init program has run. */
#define LIB_STEP 1000

#endif /* __BPF_MODULE_LIB_H */
