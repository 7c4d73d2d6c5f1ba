/* SPDX-License-Identifier: GPL-2.0 */
/* Schedulers of sched_ext, as ops. */
#ifndef __BPF_MODULE_SCX_H
#define __BPF_MODULE_SCX_H

#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_type.h"

/* Flag of struct sched_ext_ops, SCX_OPS_SWITCH_PARTIAL in the kernel. */
#define BM_SCX_PARTIAL 8

#define BM_SCX_NAME 128
#define BM_SCX_STATE "/sys/kernel/sched_ext/state"

/*
 * Adds a scheduler with the kernel's defaults for tasks that ask for it, which
 * are none.  @init is a program for the member of that name.
 */
static inline void bm_scx_add(struct bm_cc *cc, const struct bm_type *type, const char *name,
			      int init)
{
	void *value = cc->value[cc->ops_cnt];

	bm_add(cc, type, name);
	bm_set_prog(type, value, "init", init);
	*(__u64 *)bm_field(type, value, "flags") = BM_SCX_PARTIAL;
	snprintf(bm_field(type, value, "name"), BM_SCX_NAME, "%s", name);
}

static inline bool bm_scx_enabled(void)
{
	char buf[32];

	return bm_read_line(BM_SCX_STATE, buf, sizeof(buf)) && !strcmp(buf, "enabled");
}

static inline bool bm_scx_off(void)
{
	char buf[32];

	return bm_read_line(BM_SCX_STATE, buf, sizeof(buf)) && !strcmp(buf, "disabled");
}

/* The system administrator ends whatever scheduler there is. */
static inline void bm_scx_sysrq(void)
{
	ASSERT_OK(write_sysctl("/proc/sysrq-trigger", "S"), "sysrq-trigger");
}

#endif /* __BPF_MODULE_SCX_H */
