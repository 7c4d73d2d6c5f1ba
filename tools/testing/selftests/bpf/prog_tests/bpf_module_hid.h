/* SPDX-License-Identifier: GPL-2.0 */
/* HID devices that a test plugs in, and ops for them. */
#ifndef __BPF_MODULE_HID_H
#define __BPF_MODULE_HID_H

#include <glob.h>
#include <linux/input.h>
#include <linux/uhid.h>
#include <poll.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_type.h"
#include "bpf_module_wait.h"

/* Adds an op for the device with that id. */
static inline void *bm_hid_add(struct bm_cc *cc, const struct bm_type *type, const char *name,
			       int hid_id, int event)
{
	void *value = cc->value[cc->ops_cnt];

	bm_add(cc, type, name);
	*(int *)bm_field(type, value, "hid_id") = hid_id;
	if (event >= 0)
		bm_set_prog(type, value, "hid_device_event", event);
	return value;
}

/* A device that reports two bytes at a time. */
struct bm_uhid {
	int fd;
	int hid_id;
	int raw;		/* where its reports come out */
	char name[64];		/* on the bus */
};

/* Finds the one file that matches @pattern; returns the number after @prefix. */
static inline int bm_glob_number(const char *pattern, const char *prefix, int base)
{
	const char *name;
	int ret = -ENOENT;
	glob_t g;

	if (!glob(pattern, 0, NULL, &g)) {
		name = strrchr(g.gl_pathv[0], '/') + 1;
		ret = strtol(name + strlen(prefix), NULL, base);
	}
	globfree(&g);
	return ret;
}

static inline void bm_uhid_unplug(struct bm_uhid *dev)
{
	if (dev->raw >= 0)
		close(dev->raw);
	if (dev->fd >= 0)
		close(dev->fd);
	dev->raw = -1;
	dev->fd = -1;
}

static inline bool bm_uhid_plug_in(struct bm_uhid *dev)
{
	static const __u8 rdesc[] = {
		0x06, 0x00, 0xff,	/* Usage Page (vendor defined) */
		0x09, 0x01,		/* Usage */
		0xa1, 0x01,		/* Collection (application) */
		0x09, 0x02,		/* Usage */
		0x15, 0x00,		/* Logical Minimum (0) */
		0x26, 0xff, 0x00,	/* Logical Maximum (255) */
		0x75, 0x08,		/* Report Size (8) */
		0x95, 0x02,		/* Report Count (2) */
		0x81, 0x02,		/* Input (data, variable, absolute) */
		0xc0,			/* End Collection */
	};
	struct uhid_event ev = { .type = UHID_CREATE2 };
	static __u16 product;
	char pattern[128], prefix[32];
	int raw = -1;
	bool ok;

	dev->raw = -1;
	dev->fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);
	if (!ASSERT_OK_FD(dev->fd, "open uhid"))
		return false;
	snprintf((char *)ev.u.create2.name, sizeof(ev.u.create2.name), "bpf module test");
	memcpy(ev.u.create2.rd_data, rdesc, sizeof(rdesc));
	ev.u.create2.rd_size = sizeof(rdesc);
	ev.u.create2.bus = BUS_USB;
	ev.u.create2.vendor = 0xb0d;
	ev.u.create2.product = ++product;
	if (!ASSERT_EQ(write(dev->fd, &ev, sizeof(ev)), sizeof(ev), "create"))
		goto err;

	snprintf(prefix, sizeof(prefix), "%04X:%04X:%04X.", BUS_USB, 0xb0d, product);
	snprintf(pattern, sizeof(pattern), "/sys/bus/hid/devices/%s*/hidraw/hidraw*", prefix);
	ok = bm_wait((raw = bm_glob_number(pattern, "hidraw", 10)) >= 0);
	if (!ASSERT_TRUE(ok, "hidraw"))
		goto err;
	snprintf(pattern, sizeof(pattern), "/sys/bus/hid/devices/%s*", prefix);
	dev->hid_id = bm_glob_number(pattern, prefix, 16);
	snprintf(dev->name, sizeof(dev->name), "%s%04X", prefix, dev->hid_id);
	snprintf(pattern, sizeof(pattern), "/dev/hidraw%d", raw);
	/* the node comes a moment later */
	ok = bm_wait((dev->raw = open(pattern, O_RDWR | O_NONBLOCK | O_CLOEXEC)) >= 0);
	if (ASSERT_TRUE(ok, pattern))
		return true;
err:
	bm_uhid_unplug(dev);
	return false;
}

/*
 * The device reports @data; returns the second byte of what comes out of it.  A
 * report that comes while the device is being probed is lost.
 */
static inline int bm_uhid_report(struct bm_uhid *dev, __u8 data)
{
	struct uhid_event ev = {
		.type = UHID_INPUT2,
		.u.input2 = { .size = 2, .data = { data, 0 } },
	};
	struct pollfd pfd = { .fd = dev->raw, .events = POLLIN };
	int tries = BM_WAIT_MS / 100;
	__u8 out[2];

	/* one that came late */
	while (read(dev->raw, out, 2) == 2)
		;
	do {
		if (write(dev->fd, &ev, sizeof(ev)) != sizeof(ev))
			return -errno;
	} while (poll(&pfd, 1, 100) == 0 && tries--);
	if (read(dev->raw, out, 2) != 2 || out[0] != data)
		return -EIO;
	return out[1];
}

#endif /* __BPF_MODULE_HID_H */
