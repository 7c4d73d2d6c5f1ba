// SPDX-License-Identifier: GPL-2.0
/*
 * Congestion controls whose init arms a timer, which starts a work queue again and
 * again, and ends with a tail call. The first connection uses entry 0 of the maps, the
 * second one entry 1.
 */
#include "bpf_tracing_net.h"
#include <errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_experimental.h"

char _license[] SEC("license") = "GPL";

#define CLOCK_MONOTONIC 1
#define TICK_NS 1000000

/* Runs of each. */
int inits;
int ticks[2];
int works[2];
int tails;
/* The last error, except for a timer or work queue that is armed already. */
int arm_err;

struct timer_elem {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct timer_elem);
} bm_timers SEC(".maps");

struct work_elem {
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct work_elem);
} bm_works SEC(".maps");

SEC("struct_ops")
void BPF_PROG(keep_tail, struct sock *sk)
{
	__sync_fetch_and_add(&tails, 1);
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(int));
	__array(values, void (void *));
} bm_jumps SEC(".maps") = {
	.values = { (void *)keep_tail },
};

static int on_work(void *map, int *key, void *value)
{
	__sync_fetch_and_add(&works[*key & 1], 1);
	return 0;
}

static int on_tick(void *map, int *key, struct bpf_timer *timer)
{
	struct work_elem *elem = bpf_map_lookup_elem(&bm_works, key);

	__sync_fetch_and_add(&ticks[*key & 1], 1);
	if (elem)
		bpf_wq_start(&elem->work, 0);
	bpf_timer_start(timer, TICK_NS, 0);
	return 0;
}

static int arm_work(int key)
{
	struct work_elem *elem = bpf_map_lookup_elem(&bm_works, &key);
	int err;

	if (!elem)
		return -ENOENT;
	err = bpf_wq_init(&elem->work, &bm_works, 0);
	return err ?: bpf_wq_set_callback(&elem->work, on_work, 0);
}

static int arm_timer(int key)
{
	struct timer_elem *elem = bpf_map_lookup_elem(&bm_timers, &key);
	int err;

	if (!elem)
		return -ENOENT;
	err = bpf_timer_init(&elem->timer, &bm_timers, CLOCK_MONOTONIC);
	if (!err)
		err = bpf_timer_set_callback(&elem->timer, on_tick);
	return err ?: bpf_timer_start(&elem->timer, TICK_NS, 0);
}

static void arm(void)
{
	int key = __sync_fetch_and_add(&inits, 1) & 1;
	int err = arm_work(key);

	if (!err)
		err = arm_timer(key);
	if (err && err != -EBUSY)
		arm_err = err;
}

SEC("struct_ops")
void BPF_PROG(keep_init, struct sock *sk)
{
	arm();
	bpf_tail_call(ctx, &bm_jumps, 0);
}

/* For another module, with the same maps. */
SEC("struct_ops")
void BPF_PROG(other_init, struct sock *sk)
{
	arm();
	bpf_tail_call(ctx, &bm_jumps, 0);
}

/* Never attached: they tell libbpf which member the programs implement. */
SEC(".struct_ops.link")
struct tcp_congestion_ops keep = {
	.init = (void *)keep_init,
	.name = "bm_skel",
};

SEC(".struct_ops.link")
struct tcp_congestion_ops other = {
	.init = (void *)other_init,
	.name = "bm_skel",
};

SEC(".struct_ops.link")
struct tcp_congestion_ops tail = {
	.init = (void *)keep_tail,
	.name = "bm_skel",
};
