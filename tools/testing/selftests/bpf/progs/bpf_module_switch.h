/* SPDX-License-Identifier: GPL-2.0 */
/* What programs and tests of a switch of congestion controls agree on. */
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
