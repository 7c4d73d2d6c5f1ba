/* SPDX-License-Identifier: GPL-2.0 */
/* A minimal congestion control, and modules of it and of other ops. */
#ifndef __BPF_MODULE_CC_H
#define __BPF_MODULE_CC_H

#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <test_progs.h>
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"

/* Flag of struct tcp_congestion_ops, TCP_CONG_NON_RESTRICTED in the kernel. */
#define BM_NON_RESTRICTED 1

enum bm_cc_prog {
	BM_SSTHRESH,
	BM_UNDO_CWND,
	BM_CONG_AVOID,
	BM_CC_REQUIRED,		/* a congestion control needs those above */
	BM_INIT = BM_CC_REQUIRED,
	BM_RELEASE,
	BM_CC_PROGS,
};

static const char * const bm_cc_member[BM_CC_PROGS] = {
	[BM_SSTHRESH]	= "ssthresh",
	[BM_UNDO_CWND]	= "undo_cwnd",
	[BM_CONG_AVOID]	= "cong_avoid",
	[BM_INIT]	= "init",
	[BM_RELEASE]	= "release",
};

/* A module of congestion controls that share their programs. */
struct bm_cc {
	struct bm_type type;
	int prog[BM_CC_PROGS];	/* -1 for none */
	struct bpf_module_ops ops[BPF_MODULE_MAX_OPS];
	__u32 ops_cnt;
	char value[BPF_MODULE_MAX_OPS][BM_VALUE_SIZE] __aligned(8);
	char log[BM_LOG_SIZE];
	__u32 log_true_size;
	int extra_fd;		/* closed with the rest, -1 for none */
};

static inline void *bm_cc_field(struct bm_cc *cc, int i, const char *member)
{
	return bm_field(&cc->type, cc->value[i], member);
}

static inline void bm_cc_set_prog(struct bm_cc *cc, int i, const char *member, int prog_fd)
{
	*(unsigned long *)bm_cc_field(cc, i, member) = prog_fd;
}

/* The first required program, in the order of the kernel's struct. */
static inline enum bm_cc_prog bm_cc_first(const struct bm_cc *cc)
{
	enum bm_cc_prog p, first = 0;
	__u32 off, first_off = ~0U;

	for (p = 0; p < BM_CC_REQUIRED; p++) {
		bm_member(&cc->type, bm_cc_member[p], &off);
		if (off < first_off) {
			first_off = off;
			first = p;
		}
	}
	return first;
}

/* Sets the name that op @i registers as. */
static inline void bm_cc_rename(struct bm_cc *cc, int i, const char *name)
{
	snprintf(bm_cc_field(cc, i, "name"), TCP_CA_NAME_MAX, "%s", name);
}

/* Adds an op of any type, all zero, that is named @name in the log. */
static inline struct bpf_module_ops *bm_add(struct bm_cc *cc, const struct bm_type *type,
					    const char *name)
{
	int i = cc->ops_cnt++;
	struct bpf_module_ops *ops = &cc->ops[i];

	memset(cc->value[i], 0, BM_VALUE_SIZE);
	memset(ops, 0, sizeof(*ops));
	ops->btf_obj_fd = type->btf_fd;
	ops->type_id = type->id;
	ops->value = ptr_to_u64(cc->value[i]);
	ops->value_size = type->size;
	ops->name = ptr_to_u64(name);
	return ops;
}

/* Adds a congestion control that registers as @name, and is named so in the log. */
static inline struct bpf_module_ops *bm_cc_add(struct bm_cc *cc, const char *name)
{
	struct bpf_module_ops *ops = bm_add(cc, &cc->type, name);
	int i = cc->ops_cnt - 1, p;

	for (p = 0; p < BM_CC_PROGS; p++)
		if (cc->prog[p] >= 0)
			bm_cc_set_prog(cc, i, bm_cc_member[p], cc->prog[p]);
	bm_cc_rename(cc, i, name);
	return ops;
}

/* Without programs: the caller sets cc->prog before adding ops. */
static inline bool bm_cc_open_empty(struct bm_cc *cc)
{
	int p;

	memset(cc, 0, sizeof(*cc));
	for (p = 0; p < BM_CC_PROGS; p++)
		cc->prog[p] = -1;
	cc->extra_fd = -1;
	return bm_type_open(&cc->type, NULL, "tcp_congestion_ops");
}

static inline void bm_cc_close_progs(struct bm_cc *cc)
{
	int p;

	for (p = 0; p < BM_CC_PROGS; p++) {
		if (cc->prog[p] >= 0)
			close(cc->prog[p]);
		cc->prog[p] = -1;
	}
}

static inline void bm_cc_close(struct bm_cc *cc)
{
	bm_cc_close_progs(cc);
	if (cc->extra_fd >= 0)
		close(cc->extra_fd);
	bm_type_close(&cc->type);
}

/* With programs that keep the congestion window as it is, and no op yet. */
static inline bool bm_cc_open(struct bm_cc *cc)
{
	int p;

	if (!bm_cc_open_empty(cc))
		return false;
	for (p = 0; p < BM_CC_REQUIRED; p++) {
		cc->prog[p] = bm_prog_load(&cc->type, bm_cc_member[p], bm_cc_member[p], 10);
		if (cc->prog[p] < 0) {
			bm_cc_close(cc);
			return false;
		}
	}
	return true;
}

/*
 * Loads the ops added so far, with BPF_F_MODULE_* @flags.  Returns a module fd
 * or -errno.
 */
static inline int bm_cc_load_flags(struct bm_cc *cc, const char *module, __u32 flags,
				   int replace_fd)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts);
	int fd;

	opts.flags = flags;
	opts.replace_fd = replace_fd;
	opts.log_buf = cc->log;
	opts.log_size = sizeof(cc->log);
	memset(cc->log, '#', sizeof(cc->log));
	fd = bpf_module_load(module, cc->ops, cc->ops_cnt, &opts);
	cc->log_true_size = opts.log_true_size;
	cc->log[sizeof(cc->log) - 1] = 0;
	return fd;
}

static inline int bm_cc_load(struct bm_cc *cc, const char *module)
{
	return bm_cc_load_flags(cc, module, 0, 0);
}

/* With a new version of module @fd, which keeps its name. */
static inline int bm_cc_replace(struct bm_cc *cc, int fd)
{
	return bm_cc_load_flags(cc, NULL, BPF_F_MODULE_REPLACE, fd);
}

/* One op, one module: the usual start of a test.  Returns the module's fd. */
static inline int bm_cc_open_load(struct bm_cc *cc, const char *module, const char *name)
{
	int fd;

	if (!bm_cc_open(cc))
		return -1;
	bm_cc_add(cc, name);
	fd = bm_cc_load(cc, module);
	if (!ASSERT_OK_FD(fd, "load")) {
		printf("%s\n", cc->log);
		bm_cc_close(cc);
	}
	return fd;
}

/* Cleans up after a test that failed half way. */
static inline void bm_cc_cleanup(struct bm_cc *cc, int module_fd)
{
	if (module_fd >= 0) {
		bm_drain(module_fd);
		close(module_fd);
	}
	bm_cc_close(cc);
}

/* The log is one line, has its length, and contains what it must. */
static inline void bm_check_log(const struct bm_cc *cc, const char * const *parts, int cnt)
{
	const char *end = memchr(cc->log, 0, sizeof(cc->log));
	int i;

	if (!ASSERT_OK_PTR(end, "log ends"))
		return;
	ASSERT_GT(end - cc->log, 0, "log length");
	ASSERT_EQ(cc->log_true_size, end - cc->log + 1, "log_true_size");
	ASSERT_EQ(strcspn(cc->log, "\n"), end - cc->log - 1, "end of the only line");
	for (i = 0; i < cnt && parts[i]; i++)
		ASSERT_HAS_SUBSTR(cc->log, parts[i], "log");
}

#endif /* __BPF_MODULE_CC_H */
