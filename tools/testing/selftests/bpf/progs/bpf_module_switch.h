/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by bpf_module_switch.c and its test. */
#ifndef __BPF_MODULE_SWITCH_H
#define __BPF_MODULE_SWITCH_H

#define BM_SWITCH "bm_switch"

/* Slow start thresholds */
#define BM_OLD 1001
#define BM_NEW 1002

#ifndef BM_NON_RESTRICTED
#define BM_NON_RESTRICTED 1
#endif

#endif /* __BPF_MODULE_SWITCH_H */
