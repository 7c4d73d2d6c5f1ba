// SPDX-License-Identifier: GPL-2.0
/*
 * exec_log - remember which programs are executed, for whoever asks later
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
#include "exec_log.h"

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("Records of executed programs, in the ring buffer \"execs\"");
BPF_MODULE_VERSION("1.0");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} execs SEC(".maps");

/* Records for which there was no room, as nobody read. */
__u64 lost;

SEC("fentry/begin_new_exec")
int BPF_PROG(on_exec, struct linux_binprm *bprm)
{
	struct exec_record *record;

	record = bpf_ringbuf_reserve(&execs, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	record->time = bpf_ktime_get_boot_ns();
	record->pid = bpf_get_current_pid_tgid() >> 32;
	record->uid = bpf_get_current_uid_gid();
	bpf_probe_read_kernel_str(record->file, sizeof(record->file), bprm->filename);
	bpf_ringbuf_submit(record, 0);
	return 0;
}
