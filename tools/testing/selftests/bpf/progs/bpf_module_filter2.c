// SPDX-License-Identifier: GPL-2.0
/* A version of the filter with smaller counters. */
#define SEEN __u32
#include "bpf_module_filter.c"
