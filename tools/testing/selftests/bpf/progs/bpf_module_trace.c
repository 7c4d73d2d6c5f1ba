// SPDX-License-Identifier: GPL-2.0
/* Records the order in which congestion controls are registered and unregistered. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define MAX_EVENTS 16

struct {
	char what;
	char name[16];
} events[MAX_EVENTS];

int events_cnt;
int pid;

static void note(char what, struct tcp_congestion_ops *ca)
{
	int i = events_cnt;

	if (bpf_get_current_pid_tgid() >> 32 != pid || i < 0 || i >= MAX_EVENTS)
		return;
	events[i].what = what;
	bpf_probe_read_kernel_str(events[i].name, sizeof(events[i].name), ca->name);
	events_cnt = i + 1;
}

SEC("fentry/tcp_register_congestion_control")
int BPF_PROG(note_register, struct tcp_congestion_ops *ca)
{
	note('+', ca);
	return 0;
}

SEC("fentry/__tcp_unregister_congestion_control")
int BPF_PROG(note_unregister, struct tcp_congestion_ops *ca)
{
	note('-', ca);
	return 0;
}
