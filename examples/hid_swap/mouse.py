#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mouse.py [--test] - a mouse made of /dev/uhid, to see what hid_swap does

Without an argument: makes the mouse, prints the commands to try, and clicks its
left button once a second until it is interrupted. With --test: loads hid_swap for
it, clicks, and fails unless the right button was seen.
"""
import glob
import os
import select
import struct
import subprocess
import sys
import time

UHID_CREATE2, UHID_INPUT2 = 11, 12
EV_KEY, BTN_LEFT, BTN_RIGHT = 1, 0x110, 0x111
NAME = "BPF module example mouse"
VENDOR, PRODUCT, BUS_USB = 0x1209, 0x0001, 3
OBJECT = os.environ.get("HID_SWAP", "/objs/hid_swap.bpf.o")

# Three buttons in the first byte, then two relative axes of a byte each
DESCRIPTOR = bytes.fromhex(
    "05 01 09 02 a1 01 09 01 a1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02"
    "95 01 75 05 81 01 05 01 09 30 09 31 15 81 25 7f 75 08 95 02 81 06 c0 c0")


def create(uhid):
    event = struct.pack("<I128s64s64sHHIIII", UHID_CREATE2, NAME.encode(), b"", b"",
                        len(DESCRIPTOR), BUS_USB, VENDOR, PRODUCT, 0, 0)
    os.write(uhid, event + DESCRIPTOR.ljust(4096, b"\0"))


def report(uhid, buttons):
    data = bytes([buttons, 0, 0])
    os.write(uhid, struct.pack("<IH", UHID_INPUT2, len(data)) + data.ljust(4096, b"\0"))


def wait_for(pattern, what):
    """the path that matches, once it is there"""
    for _ in range(100):
        for path in glob.glob(pattern):
            if what(path):
                return path
        time.sleep(0.05)
    sys.exit(f"mouse.py: nothing like {pattern} came up")


def named(path):
    with open(path) as file:
        return file.read().strip() == NAME


def hid_id():
    path = wait_for(f"/sys/bus/hid/devices/{BUS_USB:04X}:{VENDOR:04X}:{PRODUCT:04X}.*", os.path.isdir)
    return int(path.rsplit(".", 1)[1], 16)


def open_events():
    path = wait_for("/sys/class/input/event*/device/name", named)
    return os.open("/dev/input/" + path.split("/")[4], os.O_RDONLY | os.O_NONBLOCK)


def pressed(events):
    """the button of the next press, None when nothing comes"""
    while select.select([events], [], [], 0.05)[0]:
        data = os.read(events, 24 * 64)
        for at in range(0, len(data), 24):
            _, _, kind, code, value = struct.unpack_from("<qqHHi", data, at)
            if kind == EV_KEY and value == 1:
                return {BTN_LEFT: "left", BTN_RIGHT: "right"}.get(code, hex(code))
    return None


def click(uhid, events):
    """the button that a click of the left one comes out as

    The kernel drops what a device sends while its driver is being probed, and
    the event file is there before that has ended: hence more than one try.
    """
    for _ in range(100):
        report(uhid, 1)
        report(uhid, 0)
        button = pressed(events)
        if button:
            return button
    return "none"


def test(uhid, events, device):
    before = click(uhid, events)
    subprocess.run(["bpftool", "module", "load", OBJECT, f"swap.hid_id={device}"], check=True)
    during = click(uhid, events)
    subprocess.run(["bpftool", "module", "unload", "hid_swap"], check=True)
    after = click(uhid, events)
    print(f"left is {before}, with hid_swap left is {during}, then left is {after}")
    return 0 if (before, during, after) == ("left", "right", "left") else 1


def main():
    uhid = os.open("/dev/uhid", os.O_RDWR)
    create(uhid)
    device, events = hid_id(), open_events()
    if sys.argv[1:] == ["--test"]:
        return test(uhid, events, device)
    print(f"bpftool module load {OBJECT} swap.hid_id={device}\nbpftool module unload hid_swap")
    while True:
        print("clicked left, seen:", click(uhid, events), flush=True)
        time.sleep(1)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        pass
