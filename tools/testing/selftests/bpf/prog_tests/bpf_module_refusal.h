/* SPDX-License-Identifier: GPL-2.0 */
/* One fault per test: BPF_MODULE_LOAD refuses it, and accepts the rest. */
#ifndef __BPF_MODULE_REFUSAL_H
#define __BPF_MODULE_REFUSAL_H

#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"

/* A good module of one op called bm_op that registers as bm_cc, with a fault. */
struct bm_refusal {
	const char *name;
	void (*spoil)(struct bm_cc *cc, union bpf_attr *attr);
	int err;
	bool no_log;		/* the kernel cannot trust the log buffer, or there is none */
	const char *log[5];	/* what the one line must contain */
};

/* Expects LOAD to refuse @r, to leave nothing, and to accept it without the fault. */
static inline void bm_refused(const struct bm_refusal *r)
{
	union bpf_attr attr = {};
	struct bm_cc cc;
	int fd;

	if (!test__start_subtest(r->name) || !bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_cc")->name = ptr_to_u64("bm_op");
	memset(cc.log, '#', sizeof(cc.log));
	attr.module_load.name = ptr_to_u64("bm_refused");
	attr.module_load.ops = ptr_to_u64(cc.ops);
	attr.module_load.ops_cnt = 1;
	attr.module_load.ops_size = sizeof(cc.ops[0]);
	attr.module_load.log_buf = ptr_to_u64(cc.log);
	attr.module_load.log_size = sizeof(cc.log);
	r->spoil(&cc, &attr);

	fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	ASSERT_EQ(fd, r->err, "load");
	cc.log_true_size = attr.module_load.log_true_size;
	if (!r->no_log)
		bm_check_log(&cc, r->log, ARRAY_SIZE(r->log));
	ASSERT_FALSE(bm_tcp_has("bm_cc"), "registered");
	ASSERT_EQ(bm_find("bm_refused"), 0, "listed");

	cc.ops_cnt = 0;
	bm_cc_add(&cc, "bm_cc");
	fd = bm_cc_load(&cc, "bm_refused");
	ASSERT_OK_FD(fd, "load without the fault");
	bm_cc_cleanup(&cc, fd);
}

#endif /* __BPF_MODULE_REFUSAL_H */
