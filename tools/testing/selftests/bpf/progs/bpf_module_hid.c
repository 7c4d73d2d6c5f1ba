// SPDX-License-Identifier: GPL-2.0
/* Sets the second byte of a device's reports from the first. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

__u8 *hid_bpf_get_data(struct hid_bpf_ctx *hctx, unsigned int offset, size_t size) __ksym;
int bpf_copy_from_user_str(void *dst, u32 size, const void *from, u64 flags) __ksym;

int fixups;
int returns;		/* of sleepable programs */
__u64 stuck_page;	/* which they read */

static void read_page(void)
{
	char str[2];

	if (stuck_page)
		bpf_copy_from_user_str(str, sizeof(str), (void *)stuck_page, 0);
	__sync_fetch_and_add(&returns, 1);
}

SEC("struct_ops")
int BPF_PROG(hid_event, struct hid_bpf_ctx *hctx, enum hid_report_type type)
{
	__u8 *data = hid_bpf_get_data(hctx, 0, 2);

	if (data)
		data[1] = data[0] + 5;
	return 0;
}

/* Sleepable, as the type allows for this member. */
SEC("struct_ops.s")
int BPF_PROG(hid_fixup, struct hid_bpf_ctx *hctx)
{
	__sync_fetch_and_add(&fixups, 1);
	read_page();
	return 0;
}

/* Sleepable, too. Answers without asking the device. */
SEC("struct_ops.s")
int BPF_PROG(hid_request, struct hid_bpf_ctx *hctx, unsigned char number,
	     enum hid_report_type rtype, enum hid_class_request reqtype, __u64 source)
{
	read_page();
	return -1;
}

/* Never attached: it tells libbpf which members the programs implement. */
SEC(".struct_ops.link")
struct hid_bpf_ops hid = {
	.hid_device_event	= (void *)hid_event,
	.hid_rdesc_fixup	= (void *)hid_fixup,
	.hid_hw_request		= (void *)hid_request,
};
