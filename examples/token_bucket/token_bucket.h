/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs need to use the module "tokenbucket".
 *
 * A bucket is filled at a rate, up to a limit; who wants to do something takes tokens for
 * it. There is one bucket for each key, made by the first who takes from it.
 */
#ifndef TOKEN_BUCKET_H
#define TOKEN_BUCKET_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>

/* The key is the user's to choose, say an address. All of it counts: leave no byte unset. */
struct tb_key {
	__u32 id;
};

/* The library itself defines these. */
#ifndef TOKENBUCKET_IMPL

/* Take tokens; 1 if there were as many, else 0, and none are taken. */
extern int tb_take(struct tb_key *key, int tokens) __ksym __bpf_module("tokenbucket");

/* How many there are. */
extern int tb_left(struct tb_key *key) __ksym __bpf_module("tokenbucket");

#endif

#endif
