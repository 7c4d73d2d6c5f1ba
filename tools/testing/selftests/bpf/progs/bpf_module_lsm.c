// SPDX-License-Identifier: GPL-2.0
/* Denies one process the use of BPF modules named "bm_denied". */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <errno.h>

char _license[] SEC("license") = "GPL";

#define FMODE_WRITE 2

int pid;
int deny_create;
int deny_use;
int deny_write;
int frees;

static bool is_denied(struct bpf_module *mod)
{
	char name[sizeof("bm_denied")];

	return bpf_get_current_pid_tgid() >> 32 == pid &&
	       bpf_probe_read_kernel_str(name, sizeof(name), mod->name) == sizeof(name) &&
	       !bpf_strncmp(name, sizeof(name), "bm_denied");
}

SEC("lsm/bpf_module_create")
int BPF_PROG(create, struct bpf_module *mod, const union bpf_attr *attr)
{
	return deny_create && is_denied(mod) ? -EACCES : 0;
}

SEC("lsm/bpf_module")
int BPF_PROG(use, struct bpf_module *mod, fmode_t fmode)
{
	if (!is_denied(mod))
		return 0;
	if (deny_write && (fmode & FMODE_WRITE))
		return -EACCES;
	return deny_use ? -EACCES : 0;
}

/* The process does not free modules itself, so this goes by the name. */
SEC("lsm/bpf_module_free")
void BPF_PROG(free_module, struct bpf_module *mod)
{
	char name[sizeof("bm_denied")];

	if (bpf_probe_read_kernel_str(name, sizeof(name), mod->name) == sizeof(name) &&
	    !bpf_strncmp(name, sizeof(name), "bm_denied"))
		__sync_fetch_and_add(&frees, 1);
}
