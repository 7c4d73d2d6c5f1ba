#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""load_many.py COUNT: loads modules many_0, many_1, ... through bpf(2).

Each is a congestion control of its own with programs that return 10.
"""
import ctypes
import re
import struct
import subprocess
import sys

NR_BPF = 321
PROG_LOAD, MODULE_LOAD = 5, 56
PROG_TYPE_STRUCT_OPS = 27
# r0 = 10; exit
INSNS = struct.pack("<BBhi", 0xb7, 0, 0, 10) + struct.pack("<BBhi", 0x95, 0, 0, 0)
REQUIRED = ("ssthresh", "undo_cwnd", "cong_avoid")

libc = ctypes.CDLL(None, use_errno=True)


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(attr, len(attr))
    fd = libc.syscall(NR_BPF, cmd, buf, len(attr))
    if fd < 0:
        sys.exit(f"bpf command {cmd}: errno {ctypes.get_errno()}")
    return fd


def ops_type():
    """id and size of struct tcp_congestion_ops, and index and offset of members"""
    dump = subprocess.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux"],
                          capture_output=True, text=True, check=True).stdout
    found = re.search(r"^\[(\d+)\] STRUCT 'tcp_congestion_ops' size=(\d+) .*\n((?:\t.*\n)+)", dump, re.M)
    names = re.findall(r"'(\w+)' type_id=\d+ bits_offset=(\d+)", found[3])
    members = {name: (i, int(bits) // 8) for i, (name, bits) in enumerate(names)}
    return int(found[1]), int(found[2]), members


def main():
    count = int(sys.argv[1])
    type_id, size, members = ops_type()
    insns = ctypes.create_string_buffer(INSNS, len(INSNS))
    license_ = ctypes.create_string_buffer(b"GPL")
    for n in range(count):
        value = bytearray(size)
        progs = []
        for name in REQUIRED:
            index, offset = members[name]
            attr = struct.pack("<IIQQIIQII16sIIIIQIIQIII", PROG_TYPE_STRUCT_OPS, 2,
                               ctypes.addressof(insns), ctypes.addressof(license_),
                               0, 0, 0, 0, 0, name.encode()[:15], 0, index,
                               0, 0, 0, 0, 0, 0, 0, type_id, 0)
            progs.append(bpf(PROG_LOAD, attr))
            struct.pack_into("<Q", value, offset, progs[-1])
        cc = f"many_{n}".encode()
        offset = members["name"][1]
        value[offset:offset + len(cc)] = cc
        name = ctypes.create_string_buffer(cc)
        data = ctypes.create_string_buffer(bytes(value), size)
        ops = struct.pack("<IIQIIQ", 0, type_id, ctypes.addressof(data), size, 0,
                          ctypes.addressof(name))
        ops_buf = ctypes.create_string_buffer(ops, len(ops))
        fd = bpf(MODULE_LOAD, struct.pack("<QQIIIIQIIII", ctypes.addressof(name),
                                          ctypes.addressof(ops_buf), 1, len(ops), 0, 0, 0, 0, 0, 0, 0))
        for handle in [fd, *progs]:
            libc.close(handle)
    print(count, "loaded")


main()
