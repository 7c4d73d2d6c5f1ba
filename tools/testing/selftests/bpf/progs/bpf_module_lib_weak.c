// SPDX-License-Identifier: GPL-2.0
/* Weak functions: a missing one has the address 0. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

extern int lib_count(int who) __weak __ksym __bpf_module(LIB_NAME);
extern int lib_none(int who) __weak __ksym __bpf_module(LIB_NAME);
extern int lib_count___long(long who) __weak __ksym __bpf_module(LIB_NAME);
extern int nowhere_count(int who) __weak __ksym __bpf_module("bm_nowhere");

enum {
	HAS_COUNT	= 1,
	HAS_NONE	= 2,
	HAS_LONG	= 4,
	HAS_NOWHERE	= 8,
};

int found;

SEC("tc")
int weak_guarded(struct __sk_buff *skb)
{
	found = 0;
	if (bpf_ksym_exists(lib_count) && lib_count(LIB_LINKED) >= 0)
		found |= HAS_COUNT;
	if (bpf_ksym_exists(lib_none) && lib_none(LIB_LINKED) >= 0)
		found |= HAS_NONE;
	if (bpf_ksym_exists(lib_count___long) && lib_count___long(LIB_LINKED) >= 0)
		found |= HAS_LONG;
	if (bpf_ksym_exists(nowhere_count) && nowhere_count(LIB_LINKED) >= 0)
		found |= HAS_NOWHERE;
	return 0;
}

/* Not loaded by default. */
SEC("?tc")
int weak_unguarded(struct __sk_buff *skb)
{
	return nowhere_count(LIB_LINKED);
}
