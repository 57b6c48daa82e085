#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes this folder's files: small ELF files (no code, only what a loader reads) and copies with one thing wrong."""
import os
import struct

os.chdir(os.path.dirname(os.path.abspath(__file__)))
PH, DYN, STR, NAMES, INFO, SH, END = 0x40, 0x100, 0x200, 0x280, 0x2C0, 0x300, 0x440


def image(needed=("libone.so.1",), interp=b"/lib64/ld-test.so.2", machine=62, soname=None, runpath=None, depends=b"a-b,c"):
    """Program headers at 0x40 (load, dynamic, interpreter), the parts at fixed places, five section headers at 0x300."""
    b = bytearray(END)
    strings = b"\0"
    dyn = []
    for tag, names in ((1, needed), (14, [soname] if soname else []), (29, [runpath] if runpath else [])):
        for n in names:
            dyn.append((tag, len(strings)))
            strings += n.encode() + b"\0"
    dyn += [(5, STR), (10, len(strings)), (0, 0)]
    struct.pack_into("<4sBBBB8xHHIQQQIHHHHHH", b, 0, b"\177ELF", 2, 1, 1, 0, 3, machine, 1, 0, PH, SH, 0, 64, 56, 3, 64, 5, 1)
    struct.pack_into("<IIQQQQQQ", b, PH, 1, 4, 0, 0, 0, END, END, 0x1000)
    struct.pack_into("<IIQQQQQQ", b, PH + 56, 2, 4, DYN, DYN, DYN, 16 * len(dyn), 16 * len(dyn), 8)
    struct.pack_into("<IIQQQQQQ", b, PH + 112, 3 if interp else 4, 4, 0x1E0, 0x1E0, 0x1E0, 0x20, 0x20, 1)
    for i, d in enumerate(dyn):
        struct.pack_into("<QQ", b, DYN + 16 * i, *d)
    b[0x1E0:0x1E0 + len(interp)] = interp
    b[STR:STR + len(strings)] = strings
    names = b"\0.shstrtab\0.modinfo\0.bss\0"
    info = b"license=GPL\0" + (b"depends=" + depends + b"\0" if depends is not None else b"") + b"name=x\0"
    b[NAMES:NAMES + len(names)] = names
    b[INFO:INFO + len(info)] = info
    rows = [(0, 0, 0, 0), (1, 3, NAMES, len(names)), (11, 1, INFO, len(info)), (20, 8, 0, 0x10000), (0, 0, 0, 0)]
    for i, (name, kind, at, n) in enumerate(rows):
        struct.pack_into("<IIQQQQIIQQ", b, SH + 64 * i, name, kind, 0, 0, at, n, 0, 0, 1, 0)
    return b


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)


def bad(why, offset, fmt, *values):
    b = image()
    struct.pack_into(fmt, b, offset, *values)
    write(f"bad-{why}.elf", b)


write("good-program.elf", image())
write("good-library.elf", image(needed=(), interp=b"", soname="libone.so.1"))
write("good-library-needs-two.elf", image(needed=("libtwo.so.2",), interp=b"", soname="libone.so.1"))
write("good-library-arm64.elf", image(needed=(), interp=b"", machine=183))
write("good-program-runpath.elf", image(runpath="/opt/lib"))
write("good-program-path-needed.elf", image(needed=("../evil.so",)))
write("good-module-no-depends.elf", image(depends=None))
write("bad-cut-in-header.elf", image()[:60])
write("bad-cut-in-sections.elf", image()[:0x380])
bad("magic", 0, "<I", 0)
bad("class32", 4, "<B", 1)
bad("big-endian", 5, "<B", 2)
bad("program-header-size", 54, "<H", 32)
bad("too-many-program-headers", 56, "<H", 129)
bad("program-headers-outside", 32, "<Q", 0xFFFFFFFFFFFFFFF0)
bad("segment-outside", PH + 56 + 8, "<Q", 0x430)
bad("segment-wraps", PH + 56 + 8, "<QQQQ", 0xFFFFFFFFFFFFFFF0, 0, 0, 0x40)
bad("dynamic-without-end", PH + 56 + 32, "<Q", 0x20)
bad("dynamic-cut-in-entry", PH + 56 + 32, "<Q", 0x28)
bad("string-outside", DYN + 8, "<Q", 0x10000)
bad("string-without-nul", DYN + 40, "<Q", 5)
bad("string-table-outside", DYN + 24, "<Q", 0x100000)
bad("string-table-wraps", DYN + 40, "<Q", 0xFFFFFFFFFFFFFF00)
bad("interpreter-empty", 0x1E0, "<B", 0)
