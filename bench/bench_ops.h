/* SPDX-License-Identifier: GPL-2.0 */
/* What bench.c asks of bench_ops.ko through /dev/bench_ops. */
#ifndef _BENCH_OPS_H
#define _BENCH_OPS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * struct bench_ops begins with these members, in this order; behind them come
 * as many as make 33 in all, each of which takes and returns an int.
 */
enum bench_member {
	BENCH_VOID_0, BENCH_VOID_1, BENCH_VOID_3, BENCH_VOID_4, BENCH_VOID_5,
	BENCH_INT_0, BENCH_INT_1, BENCH_INT_3, BENCH_INT_4, BENCH_INT_5,
	BENCH_TYPED,
	BENCH_MEMBERS = 33,
};

/**
 * struct bench_call - call one member in a loop
 * @member: one below BENCH_TYPED.
 * @bpf: 1 for the ops that were registered last, 0 for functions in C.
 * @count: how often.
 * @ticks: out: what the time stamp counter advanced by; instructions where
 *	QEMU counts them.
 */
struct bench_call {
	__u32 member;
	__u32 bpf;
	__u64 count;
	__u64 ticks;
};

#define BENCH_CALL	_IOWR('b', 1, struct bench_call)

/* Functions bench_hook_00 to bench_hook_77, counted octally, to attach programs to. */
#define BENCH_HOOKS	64

/* How many of them have something attached. */
#define BENCH_HOOKED	_IO('b', 4)

/* Call the first of them in a loop. */
#define BENCH_HOOK_CALL	_IOWR('b', 5, struct bench_call)

/* Follow the executable memory that BPF takes and gives back: 1 on, 0 off. */
#define BENCH_FOLLOW	_IO('b', 2)

/* Bytes of it, taken less given back, since it is followed. */
#define BENCH_EXEC	_IOR('b', 3, __s64)

#endif
