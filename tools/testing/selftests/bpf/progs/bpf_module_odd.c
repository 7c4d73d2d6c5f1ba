// SPDX-License-Identifier: GPL-2.0
/* What a loader has to report: programs of no op, a map that is pinned by itself, a long
 * name, ops that are refused.
 */
#include "bpf_tracing_net.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Ops that a loader has to say something of");
BPF_MODULE_AUTHOR("A. U. Thor <author@example.com>");
BPF_MODULE_VERSION("1.0");

const volatile __u32 odd_step = 1;
BPF_MODULE_PARM_DESC(odd_step, "how much is counted");

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} bm_odd_map SEC(".maps");

SEC("struct_ops")
__u32 BPF_PROG(odd_ssthresh, struct sock *sk)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&bm_odd_map, &key);

	if (count)
		__sync_fetch_and_add(count, odd_step);
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops")
void BPF_PROG(odd_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC("struct_ops")
__u32 BPF_PROG(odd_undo_cwnd, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC("struct_ops")
size_t BPF_PROG(odd_get_info, struct sock *sk)
{
	return 0;
}

/* no link can attach it */
SEC("socket")
int odd_watch(struct __sk_buff *skb)
{
	return 0;
}

SEC("syscall")
int odd_setup(void *ctx)
{
	return 0;
}

#define ODD_OPS(cc)					\
	.ssthresh = (void *)odd_ssthresh,		\
	.cong_avoid = (void *)odd_cong_avoid,		\
	.undo_cwnd = (void *)odd_undo_cwnd,		\
	.name = cc

SEC(".module.bm_odd")
struct tcp_congestion_ops odd = { ODD_OPS("bm_odd") };

/* conflicts with the one above */
SEC("?.module.bm_odd")
struct tcp_congestion_ops odd_twin = { ODD_OPS("bm_odd") };

SEC("?.module.bm_odd")
struct tcp_congestion_ops odd_with_a_name_that_is_longer_than_the_kernel_takes_one_for_an_op = {
	ODD_OPS("bm_odd_long"),
};

/* no program can implement this member */
SEC("?.module.bm_odd")
struct tcp_congestion_ops odd_info = { ODD_OPS("bm_odd_info"), .get_info = (void *)odd_get_info };

/* named like the declared module, not like the file */
SEC("?.struct_ops")
struct tcp_congestion_ops odd_map = { ODD_OPS("bm_odd_map") };
