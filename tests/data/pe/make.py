#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes this folder's files: one small EFI program as systemd's stub is laid out, and copies with one thing wrong."""
import os
import struct

os.chdir(os.path.dirname(os.path.abspath(__file__)))
LFANEW, OPT, TABLE = 0x40, 0x58, 0x58 + 240


def section(name, vsize, va, raw, at, flags):
    return struct.pack("<8sIIIIIIHHI", name, vsize, va, raw, at, 0, 0, 0, 0, flags)


def image(machine=0x8664, kernel=False):
    """Headers 0x400; .text 0x200 at 0x400, .sbat 0x200 at 0x600. A kernel has no NX_COMPAT."""
    b = bytearray(0x800)
    b[0:2] = b"MZ"
    struct.pack_into("<I", b, 0x3C, LFANEW)
    struct.pack_into("<4sHHIIIHH", b, LFANEW, b"PE\0\0", machine, 2, 0x5F000000, 0, 0, 240, 0x22E)
    struct.pack_into("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", b, OPT, 0x20B, 0, 0, 0x200, 0x200, 0, 0x1000, 0x1000, 0x14DF90000,
                     0x1000, 0x200, 0, 0, 257, 13, 1, 1, 0, 0x3000, 0x400, 0, 10, 0x60 if kernel else 0x160,
                     0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    b[TABLE:TABLE + 40] = section(b".text", 0x123, 0x1000, 0x200, 0x400, 0x60000020)
    b[TABLE + 40:TABLE + 80] = section(b".sbat", 0x20, 0x2000, 0x200, 0x600, 0x40000040)
    b[0x400:0x523] = b"\x90" * 0x123
    b[0x600:0x620] = b"sbat,1,SBAT Version,sbat,1,test\n"
    return b


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)


def bad(why, offset, fmt, *values):
    b = image()
    struct.pack_into(fmt, b, offset, *values)
    write(f"bad-{why}.efi", b)


write("good-stub.efi", image())
write("good-stub-arm64.efi", image(0xAA64))
write("good-kernel.efi", image(kernel=True))
write("bad-empty.efi", b"")
write("bad-cut-in-optional-header.efi", image()[:0x80])
write("bad-cut-in-section.efi", image()[:0x700])
bad("no-mz", 0, "<H", 0)
bad("lfanew-outside", 0x3C, "<I", 0xFFFFFFF0)
bad("no-pe-signature", LFANEW, "<I", 0)
bad("no-sections", LFANEW + 6, "<H", 0)
bad("too-many-sections", LFANEW + 6, "<H", 65)
bad("optional-header-short", LFANEW + 20, "<H", 100)
bad("pe32", OPT, "<H", 0x10B)
bad("alignment-zero", OPT + 32, "<I", 0)
bad("alignment-odd", OPT + 36, "<I", 0x201)
bad("image-too-small", OPT + 56, "<I", 0x2000)
bad("headers-outside", OPT + 60, "<I", 0x10000)
bad("headers-end-in-section-table", OPT + 60, "<I", TABLE + 60)
bad("few-directories", OPT + 108, "<I", 4)
bad("certificate-outside", OPT + 144, "<II", 0x800, 0x10)
bad("certificate-not-at-end", OPT + 144, "<II", 0x600, 0x100)
bad("certificate-over-section", OPT + 144, "<II", 0x700, 0x100)
bad("section-raw-outside", TABLE + 20, "<I", 0x700)
bad("section-raw-wraps", TABLE + 16, "<II", 0xFFFFFE00, 0x400)
bad("section-raw-overlap", TABLE + 60, "<I", 0x400)
bad("section-address-overlap", TABLE + 52, "<I", 0x1000)
bad("section-address-unaligned", TABLE + 52, "<I", 0x2010)
bad("section-address-wraps", TABLE + 48, "<II", 0xFFFFFFFF, 0x2000)
