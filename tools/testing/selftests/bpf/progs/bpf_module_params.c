// SPDX-License-Identifier: GPL-2.0
/* A congestion control with a parameter of every kind. */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_params.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Reno with parameters, for tests");
BPF_MODULE_AUTHOR("A. U. Thor <author@example.com>");
BPF_MODULE_VERSION("1.2.3");

const volatile __u8 p_u8 = 1;
const volatile __s8 p_s8 = -1;
const volatile __u16 p_u16 = 2;
const volatile __s16 p_s16 = -2;
const volatile __u32 p_u32 = 3;
const volatile __s32 p_s32 = -3;
const volatile __u64 p_u64 = 4;
const volatile __s64 p_s64 = -4;
const volatile bool p_bool;
const volatile char p_char = 'c';
const volatile enum color p_color = COLOR_GREEN;
const volatile enum level p_level = LEVEL_LOW;
const volatile enum wide p_wide = WIDE_BIG;
const volatile char p_text[8] = "seven..";
const volatile __u16 p_array[4] = { 1, 2, 3, 4 };
const volatile enum color p_colors[2];
const volatile int p_grid[2][3];
const volatile struct pair p_pair = { 5, 6 };
/* No parameters: bpftool sets those that are zero as the kernel has the enumerator. */
const volatile __u64 __SCX_DSQ_LOCAL;
const volatile __u32 __BPF_MAP_TYPE_ARRAY;
const volatile __u32 __BPF_MAP_TYPE_HASH = 77;
const volatile __u64 __BM_NO_ENUMERATOR;
const volatile float p_float = 1.5;
const volatile void * const volatile p_ptr;
const int p_built_in = 9;
int p_writable = 10;

BPF_MODULE_PARM_DESC(p_u8, "a byte");
BPF_MODULE_PARM_DESC(p_color, "one of the colors");
BPF_MODULE_PARM_DESC(bm_params.name, "what sockets ask for");

/* The values that a program sees. */
__u64 seen_u8, seen_u16, seen_u32, seen_u64;
__s64 seen_s8, seen_s16, seen_s32, seen_s64;
int seen_bool, seen_char, seen_color, seen_level, seen_array[4], seen_second;
__u64 seen_wide;
char seen_text[8];
__u64 seen_enum64, seen_enum32, seen_given, seen_none;

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;
extern void bpf_module_no_such_kfunc(void) __ksym __weak;

SEC("struct_ops")
void BPF_PROG(params_init, struct sock *sk)
{
	int i;

	seen_enum64 = __SCX_DSQ_LOCAL;
	seen_enum32 = __BPF_MAP_TYPE_ARRAY;
	seen_given = __BPF_MAP_TYPE_HASH;
	seen_none = __BM_NO_ENUMERATOR;
	seen_u8 = p_u8;
	seen_u16 = p_u16;
	seen_u32 = p_u32;
	seen_u64 = p_u64;
	seen_s8 = p_s8;
	seen_s16 = p_s16;
	seen_s32 = p_s32;
	seen_s64 = p_s64;
	seen_bool = p_bool;
	seen_char = p_char;
	seen_color = p_color;
	seen_level = p_level;
	seen_wide = p_wide;
	seen_second = p_pair.second;
	for (i = 0; i < 4; i++)
		seen_array[i] = p_array[i];
	for (i = 0; i < 8; i++)
		seen_text[i] = p_text[i];
	p_writable = p_built_in + p_colors[0] + p_grid[1][1] + (p_ptr ? 1 : 0);
}

SEC("struct_ops")
__u32 BPF_PROG(params_ssthresh, struct sock *sk)
{
	if (bpf_ksym_exists(bpf_module_no_such_kfunc))
		bpf_module_no_such_kfunc();
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(params_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
void BPF_PROG(params_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC(".module.bm_params")
struct tcp_congestion_ops bm_params = {
	.init		= (void *)params_init,
	.ssthresh	= (void *)params_ssthresh,
	.undo_cwnd	= (void *)params_undo_cwnd,
	.cong_avoid	= (void *)params_cong_avoid,
	.name		= "bm_params",
};
