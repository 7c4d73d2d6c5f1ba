/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of bench share. */
#ifndef _BENCH_MEASURE_H
#define _BENCH_MEASURE_H

#include <bpf/btf.h>
#include <linux/types.h>

#if __has_include(<linux/bpf_module.h>)
#include <linux/bpf_module.h>
#define MODULES 1
#else
#define MODULES 0
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* bench_measure.c */

/* /dev/bench_ops, for main() to open */
extern int device;

/* The time stamp counter, behind all that came before. */
__u64 ticks(void);

/* Print a row's number. */
void row(const char *name, double number);

/* The median of the numbers, which are sorted for it. */
__u64 median(__u64 *numbers, int cnt);

/* Wait until what earlier steps have left to workers is done. Where instructions are
 * counted idle time is skipped, elsewhere BENCH_QUIET_MS tells how long.
 */
void quiet(void);

/* Follow the executable memory that BPF takes and gives back, from 0; or end it. */
void follow(int on);
__s64 exec_bytes(void);
/* Wait until it is so many bytes again. */
void settle(__s64 bytes);

/* bench_funcs.c; find_kernel_func() first, likewise */
void find_kernel_func(const struct btf *btf, int btf_fd);
void part_funcs(void);

/* bench_links.c; find_hooks() first, with the BTF of bench_ops.ko and an fd of it */
void find_hooks(const struct btf *btf, int btf_fd);
void part_links(void);

#endif
