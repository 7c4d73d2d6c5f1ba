/* SPDX-License-Identifier: GPL-2.0 */
/* Two versions of one congestion control, as modules; sockets show which one they use. */
#ifndef __BPF_MODULE_VERSIONS_H
#define __BPF_MODULE_VERSIONS_H

#include <netinet/tcp.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_tcp.h"
#include "progs/bpf_module_switch.h"
#include "bpf_module_switch.skel.h"

/*
 * Opens a version that has one op; BM_OLD is not restricted, BM_NEW can be if it says
 * so.
 */
static inline bool bm_version_open(struct bm_cc *cc, int version)
{
	struct bpf_module_switch *skel;

	if (!bm_cc_open_empty(cc))
		return false;
	skel = bpf_module_switch__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load a version")) {
		bm_cc_close(cc);
		return false;
	}
	cc->prog[BM_SSTHRESH] = dup(bpf_program__fd(skel->progs.switch_ssthresh));
	cc->prog[BM_UNDO_CWND] = dup(bpf_program__fd(skel->progs.switch_undo_cwnd));
	cc->prog[BM_CONG_AVOID] = dup(bpf_program__fd(skel->progs.switch_cong_avoid));
	cc->prog[BM_INIT] = dup(bpf_program__fd(version == BM_OLD ? skel->progs.old_init :
								    skel->progs.new_init));
	bpf_module_switch__destroy(skel);
	bm_cc_add(cc, BM_SWITCH);
	*(__u32 *)bm_cc_field(cc, 0, "flags") = version == BM_OLD ? BM_NON_RESTRICTED : 0;
	return true;
}

/* The old version, which is loaded as "bm_switch", and the new one, which is not. */
struct bm_versions {
	struct bm_cc old, new;
	int old_fd, new_fd;
};

static inline bool bm_versions_open(struct bm_versions *v)
{
	v->old_fd = -1;
	v->new_fd = -1;
	if (!bm_version_open(&v->old, BM_OLD))
		return false;
	if (!bm_version_open(&v->new, BM_NEW)) {
		bm_cc_close(&v->old);
		return false;
	}
	v->old_fd = bm_cc_load(&v->old, BM_SWITCH);
	return ASSERT_OK_FD(v->old_fd, "load the old version");
}

static inline bool bm_versions_replace(struct bm_versions *v)
{
	v->new_fd = bm_cc_replace(&v->new, v->old_fd);
	return ASSERT_OK_FD(v->new_fd, "replace");
}

static inline void bm_versions_close(struct bm_versions *v)
{
	bm_cc_cleanup(&v->new, v->new_fd);
	bm_cc_cleanup(&v->old, v->old_fd);
}

/* What a connected socket runs: BM_OLD, BM_NEW, or 0 for something else. */
static inline int bm_version(int sock)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (!bm_tcp_uses(sock, BM_SWITCH) || getsockopt(sock, SOL_TCP, TCP_INFO, &info, &len))
		return 0;
	return info.tcpi_snd_ssthresh;
}

#endif /* __BPF_MODULE_VERSIONS_H */
