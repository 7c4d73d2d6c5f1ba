// SPDX-License-Identifier: GPL-2.0
/*
 * The functions of bpf_module_lib.c as callers may have declared them that were compiled
 * against another version, or without a header.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "bpf_module_lib.h"

char _license[] SEC("license") = "GPL";

struct lib_key___same {
	int who;
	int weight;
	__u64 taken;
};

/* A type with fewer members. */
struct lib_key___fewer {
	unsigned int who;
} __attribute__((preserve_access_index));

/* Some members are in an anonymous struct. */
struct lib_key___inner {
	struct {
		int who;
		int weight;
	};
};

struct lib_key___more {
	int who;
	int weight;
	__u64 taken;
	__u64 given;
};

struct lib_key___moved {
	int weight;
	int who;
	__u64 taken;
};

struct lib_key___wide {
	__u64 who;
	__u64 taken;
};

struct lib_key___bits {
	int who : 8;
	int weight;
};

struct lib_key___swapped {
	struct {
		int weight;
		int who;
	};
};

union lib_key___union;

struct lib_lock {
	int who;
	int weight;
	__u64 taken;
};

struct lib_key___hidden;

struct task_struct___few {
	int pid;
} __attribute__((preserve_access_index));

struct task_storage;

/* Where it points to is no concern of the library's. */
struct types_box___same {
	char *at;
	char name[8];
	short codes[4];
};

struct types_box___few {
	char *at;
	char name[4];
};

struct types_box___bytes {
	char *at;
	char name[8];
	char codes[4];
};

extern int lib_take___same(struct lib_key___same *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___fewer(const struct lib_key___fewer *key, unsigned int n)
	__ksym __bpf_module(LIB_NAME);
extern int lib_take___inner(struct lib_key___inner *key, enum lib_who n)
	__ksym __bpf_module(LIB_NAME);
extern int lib_take___hidden(struct lib_key___hidden *key, int n) __ksym __bpf_module(LIB_NAME);
extern bool lib_not___same(bool no) __ksym __bpf_module(LIB_NAME);
extern int lib_pid___few(struct task_struct___few *task) __ksym __bpf_module(LIB_NAME);

extern int lib_take___more(struct lib_key___more *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___moved(struct lib_key___moved *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___wide(struct lib_key___wide *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___bits(struct lib_key___bits *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___swapped(struct lib_key___swapped *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___union(union lib_key___union *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___name(struct lib_lock *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___chars(char *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___void(void *key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___number(__u64 key, int n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___long(struct lib_key___same *key, __s64 n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___byte(struct lib_key___same *key, char n) __ksym __bpf_module(LIB_NAME);
extern int lib_take___one(struct lib_key___same *key) __ksym __bpf_module(LIB_NAME);
extern int lib_take___three(struct lib_key___same *key, int n, int m) __ksym __bpf_module(LIB_NAME);
extern __s64 lib_take___result(struct lib_key___same *key, int n) __ksym __bpf_module(LIB_NAME);
extern void lib_take___nothing(struct lib_key___same *key, int n) __ksym __bpf_module(LIB_NAME);
extern bool lib_not___byte(unsigned char no) __ksym __bpf_module(LIB_NAME);
extern unsigned char lib_not___result(bool no) __ksym __bpf_module(LIB_NAME);
extern int lib_pid___name(struct task_storage *task) __ksym __bpf_module(LIB_NAME);

extern int types_small___same(short n) __ksym __bpf_module("bm_types");
extern int types_small___unsigned(unsigned short n) __ksym __bpf_module("bm_types");
extern int types_box___same(struct types_box___same *box) __ksym __bpf_module("bm_types");
extern int types_box___few(struct types_box___few *box) __ksym __bpf_module("bm_types");
extern int types_box___bytes(struct types_box___bytes *box) __ksym __bpf_module("bm_types");

/* All pass the library's own key, which is larger than some declare. */
#define TAKE(name, type, args)						\
SEC("?tc")								\
int take_##name(struct __sk_buff *skb)					\
{									\
	struct lib_key___same full = { LIB_LINKED, 2 };			\
	type key = (void *)&full;					\
									\
	return lib_take___##name args;					\
}

TAKE(same, struct lib_key___same *, (key, 3))
TAKE(fewer, struct lib_key___fewer *, (key, 3))
TAKE(inner, struct lib_key___inner *, (key, 3))
TAKE(hidden, struct lib_key___hidden *, (key, 3))

TAKE(more, struct lib_key___more *, (key, 3))
TAKE(moved, struct lib_key___moved *, (key, 3))
TAKE(wide, struct lib_key___wide *, (key, 3))
TAKE(bits, struct lib_key___bits *, (key, 3))
TAKE(swapped, struct lib_key___swapped *, (key, 3))
TAKE(union, union lib_key___union *, (key, 3))
TAKE(name, struct lib_lock *, (key, 3))
TAKE(chars, char *, (key, 3))
TAKE(void, void *, (key, 3))
TAKE(number, void *, ((__u64)key, 3))
TAKE(long, struct lib_key___same *, (key, 3))
TAKE(byte, struct lib_key___same *, (key, 3))
TAKE(one, struct lib_key___same *, (key))
TAKE(three, struct lib_key___same *, (key, 3, 4))
TAKE(result, struct lib_key___same *, (key, 3))

SEC("?tc")
int take_nothing(struct __sk_buff *skb)
{
	struct lib_key___same key = { LIB_LINKED, 2 };

	lib_take___nothing(&key, 3);
	return 0;
}

#define NOT(name)							\
SEC("?tc")								\
int not_##name(struct __sk_buff *skb)					\
{									\
	return lib_not___##name(0) ? 1 : 7;				\
}

NOT(same)
NOT(byte)
NOT(result)

SEC("?tc")
int small_same(struct __sk_buff *skb)
{
	return types_small___same(9);
}

SEC("?tc")
int small_unsigned(struct __sk_buff *skb)
{
	return types_small___unsigned(9);
}

#define BOX(flavor)							\
SEC("?tc")								\
int box_##flavor(struct __sk_buff *skb)					\
{									\
	struct types_box___same full = {				\
		.name = { [7] = 4 },					\
		.codes = { [3] = 5 },					\
	};								\
									\
	return types_box___##flavor((void *)&full);			\
}

BOX(same)
BOX(few)
BOX(bytes)

int pid;

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(pid_few, int a)
{
	pid = lib_pid___few((void *)bpf_get_current_task_btf());
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(pid_name, int a)
{
	pid = lib_pid___name((void *)bpf_get_current_task_btf());
	return 0;
}
