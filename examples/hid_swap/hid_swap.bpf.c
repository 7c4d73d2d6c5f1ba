// SPDX-License-Identifier: GPL-2.0
/* hid_swap - swap the left and the right button of one mouse */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

BPF_MODULE_DESCRIPTION("The left button of a mouse is the right one, and the other way round");
BPF_MODULE_VERSION("1.0");
BPF_MODULE_PARM_DESC(swap.hid_id, "which device, the number in /sys/bus/hid/devices/*.NUMBER");

const volatile __u32 offset;
BPF_MODULE_PARM_DESC(offset, "byte of the report that has the buttons, 1 if reports have an id");

#define REPORT_SIZE	8
#define BUTTON_LEFT	1
#define BUTTON_RIGHT	2

extern __u8 *hid_bpf_get_data(struct hid_bpf_ctx *ctx, unsigned int offset,
			      const __u64 rdwr_buf_size) __ksym;

SEC("struct_ops/hid_device_event")
int BPF_PROG(swap_event, struct hid_bpf_ctx *event, enum hid_report_type type, __u64 source)
{
	__u8 *data = hid_bpf_get_data(event, 0, REPORT_SIZE), buttons;

	/* Not for us: an event that is shorter than a report of this mouse */
	if (!data || offset >= REPORT_SIZE)
		return 0;
	buttons = data[offset] & ~(BUTTON_LEFT | BUTTON_RIGHT);
	if (data[offset] & BUTTON_LEFT)
		buttons |= BUTTON_RIGHT;
	if (data[offset] & BUTTON_RIGHT)
		buttons |= BUTTON_LEFT;
	data[offset] = buttons;
	return 0;
}

SEC(".module.hid_swap")
struct hid_bpf_ops swap = {
	.hid_device_event = (void *)swap_event,
};
