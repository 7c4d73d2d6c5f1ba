// SPDX-License-Identifier: GPL-2.0
/*
 * tokenbucket - token buckets for programs of all kinds, in one map
 *
 * A bucket is kept as the time at which it was, or would have been, empty: the tokens in
 * it are those that have come since. So one number is all of it, which a compare-and-swap
 * changes; with a lock tracing programs could not call these functions.
 */
#include "vmlinux.h"
#define TOKENBUCKET_IMPL
#include "token_bucket.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE("tokenbucket");
BPF_MODULE_DESCRIPTION("Token buckets that programs share, by key");
BPF_MODULE_VERSION("1.0");

const volatile __u32 rate = 1000000;
BPF_MODULE_PARM_DESC(rate, "tokens that a bucket gets each second");

const volatile __u32 burst = 100000;
BPF_MODULE_PARM_DESC(burst, "tokens that it holds");

#define BUCKETS 4096
#define SECOND 1000000000ULL
#define TRIES 8

/* The bucket that nobody used for longest makes room for a new one. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BUCKETS);
	__type(key, struct tb_key);
	__type(value, __s64);
} buckets SEC(".maps");

/* How long it takes until so many tokens have come, in ns. */
static __s64 time_for(__u32 tokens)
{
	return tokens * SECOND / (rate ?: 1);
}

/* When the bucket was empty: not before it would have run over. */
static __s64 empty_at(__s64 at, __s64 now)
{
	__s64 full = time_for(burst);

	return at < now - full ? now - full : at;
}

static __s64 *find_bucket(struct tb_key *key, __s64 now)
{
	__s64 *bucket = bpf_map_lookup_elem(&buckets, key), at = now - time_for(burst);

	if (bucket)
		return bucket;
	/* somebody else may be first */
	bpf_map_update_elem(&buckets, key, &at, BPF_NOEXIST);
	return bpf_map_lookup_elem(&buckets, key);
}

BPF_MODULE_FUNC
int tb_take(struct tb_key *key, int tokens)
{
	__s64 now = bpf_ktime_get_ns(), *bucket, old, at;
	int i;

	if (!key || tokens < 0)
		return 0;
	bucket = find_bucket(key, now);
	if (!bucket)
		return 0;
	for (i = 0; i < TRIES; i++) {
		old = *(volatile __s64 *)bucket;
		at = empty_at(old, now) + time_for(tokens);
		if (at > now)
			return 0;
		if (__sync_bool_compare_and_swap(bucket, old, at))
			return 1;
	}
	return 0;
}

BPF_MODULE_FUNC
int tb_left(struct tb_key *key)
{
	__s64 now = bpf_ktime_get_ns(), *bucket, at;

	if (!key)
		return 0;
	bucket = bpf_map_lookup_elem(&buckets, key);
	if (!bucket)
		return burst;
	at = empty_at(*bucket, now);
	return at > now ? 0 : (__u64)(now - at) * rate / SECOND;
}
