// SPDX-License-Identifier: GPL-2.0
/* The object that the edits of a corpus apply to: something of all that is read. */
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("what a fuzzer starts from");
BPF_MODULE_AUTHOR("a \"quoted\" author");
BPF_MODULE_VERSION("1");

enum color { COLOR_RED, COLOR_GREEN = 7 };
enum wide { WIDE_BIG = 1ULL << 40 };

const volatile __u8 p_u8 = 1;
const volatile __s16 p_s16 = -2;
const volatile __u64 p_u64 = 4;
const volatile bool p_bool;
const volatile char p_char = 'c';
const volatile enum color p_color = COLOR_GREEN;
const volatile enum wide p_wide = WIDE_BIG;
const volatile char p_text[8] = "seven..";
const volatile __u16 p_array[4] = { 1, 2, 3, 4 };
const volatile int p_grid[2][2];
const volatile float p_float = 1.5;
BPF_MODULE_PARM_DESC(p_u8, "a byte");
BPF_MODULE_PARM_DESC(first.name, "a member");

/* Stands for the kernel's; nothing is loaded. */
struct tcp_congestion_ops {
	__u32 (*ssthresh)(void *sk);
	void (*init)(void *sk);
	char name[16];
	__u32 flags;
	struct {
		__u16 low;
		__u16 bits : 3;
	};
	union {
		__u64 whole;
		__u8 part[8];
	} value;
};

struct bpf_struct_ops_tcp_congestion_ops {
	struct tcp_congestion_ops data;
} kernel_has_it;

extern void kfunc(void *sk) __ksym __weak;

SEC("struct_ops")
__u32 ssthresh(__u64 *ctx)
{
	if (kfunc)
		kfunc((void *)ctx[0]);
	return p_u8 + p_s16 + p_u64 + p_bool + p_char + p_color + p_wide + p_text[0] + p_array[1] +
	       p_grid[1][1];
}

SEC(".module.fuzz")
struct tcp_congestion_ops first = {
	.ssthresh	= (void *)ssthresh,
	.name		= "first",
	.flags		= 3,
	.low		= 1,
	.value.whole	= 5,
};

SEC("?.module.other")
struct tcp_congestion_ops second = {
	.ssthresh	= (void *)ssthresh,
	.name		= "second",
};
