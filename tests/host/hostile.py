#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""hostile.py HOW OBJECT BTF: the object's BTF with types added that have no end"""
import struct
import subprocess
import sys

how, obj, out = sys.argv[1:]
subprocess.run(["llvm-objcopy-19", f"--dump-section=.BTF={out}", obj, "/dev/null"], check=True)
data = bytearray(open(out, "rb").read())
magic, version, flags, hdr_len, type_off, type_len, str_off, str_len = struct.unpack_from("<HBBIIIII", data)
types = data[hdr_len + type_off:hdr_len + type_off + type_len]
strings = data[hdr_len + str_off:hdr_len + str_off + str_len]

EXTRA = {1: 4, 3: 12, 14: 4, 17: 4}
EACH = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
cnt, pos = 1, 0
while pos < len(types):
    _, info, _ = struct.unpack_from("<III", types, pos)
    kind, vlen = info >> 24 & 31, info & 0xffff
    pos += 12 + EXTRA.get(kind, 0) + EACH.get(kind, 0) * vlen
    cnt += 1


def entry(kind, third, vlen=0, rest=b""):
    return struct.pack("<III", 0, kind << 24 | vlen, third) + rest


INT, PTR, ARRAY, UNION, VOLATILE, CONST = 1, 2, 3, 5, 9, 10
added = {
    # const volatile const volatile ...
    "ring": lambda: entry(CONST, cnt + 1) + entry(VOLATILE, cnt),
    # a union of unions of itself
    "union": lambda: entry(UNION, 4, 2, struct.pack("<III", 0, cnt, 0) * 2),
    # a pointer to a pointer to ... itself
    "pointers": lambda: entry(PTR, cnt + 1) + entry(CONST, cnt),
    # an array of arrays of itself
    "array": lambda: entry(ARRAY, 0, 0, struct.pack("<III", cnt, 1, 2)),
    # more levels than anybody needs
    "deep": lambda: b"".join(entry(CONST, cnt + i + 1) for i in range(200)) + entry(PTR, 0),
}[how]()
types += added
header = struct.pack("<HBBIIIII", magic, version, flags, 24, 0, len(types), len(types), len(strings))
open(out, "wb").write(header + types + strings)
