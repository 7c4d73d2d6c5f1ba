#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""break.py loop | name | size | bits IN OUT: spoil a .BTF section.

loop lets the first typedef refer to itself, name puts a control character into the
first name that there is, size makes the last struct two bytes short of 4 GiB, bits
gives every integer more bits than it has.
"""
import struct
import sys

INT, STRUCT, TYPEDEF = 1, 4, 8
# bytes after the common part of a type, by its kind: always, and for each element
AFTER = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0),
         15: (0, 12), 17: (4, 0), 19: (0, 12)}


def types(btf):
    """id, kind and place of each type"""
    header, start, size = struct.unpack_from("<3I", btf, 4)
    at, number = header + start, 1
    while at < header + start + size:
        info, = struct.unpack_from("<I", btf, at + 4)
        kind = info >> 24 & 31
        yield number, kind, at
        always, each = AFTER.get(kind, (0, 0))
        at += 12 + always + each * (info & 0xffff)
        number += 1


def main():
    """see above"""
    how, source, target = sys.argv[1:]
    with open(source, "rb") as file:
        btf = bytearray(file.read())
    header, _, _, strings = struct.unpack_from("<4I", btf, 4)
    if how == "loop":
        number, _, at = next(entry for entry in types(btf) if entry[1] == TYPEDEF)
        struct.pack_into("<I", btf, at + 8, number)
    elif how == "size":
        *_, (_, _, at) = (entry for entry in types(btf) if entry[1] == STRUCT)
        struct.pack_into("<I", btf, at + 8, 2 ** 32 - 2)
    elif how == "bits":
        for at in (entry[2] for entry in types(btf) if entry[1] == INT):
            btf[at + 12] = 255
    else:
        # the first string is the empty one
        btf[header + strings + 1] = 1
    with open(target, "wb") as file:
        file.write(btf)


main()
