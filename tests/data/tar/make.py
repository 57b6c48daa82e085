# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/data/tar/make.py - the bad tars, and how each lies (run in this folder; the good ones are GNU tar's)"""
import io
import tarfile


def header(name, type=b"0", size=0, link="", mode=0o644, sum_off=0):
    h = bytearray(512)

    def put(at, text):
        h[at:at + len(text)] = text

    put(0, name.encode())
    put(100, b"%07o" % mode)
    put(108, b"0000000")
    put(116, b"0000000")
    put(124, b"%011o" % size)
    put(136, b"00000000000")
    put(148, b" " * 8)
    put(156, type)
    put(157, link.encode())
    put(257, b"ustar\x0000")
    put(148, b"%06o\0" % (sum(h) + sum_off))
    return bytes(h)


def pax(**records):
    text = b""
    for key, value in records.items():
        body = b" %s=%s\n" % (key.replace("__", ".").encode(), value.encode())
        n = len(body) + 1
        while len(b"%d" % n + body) != n:
            n = len(b"%d" % n + body)
        text += b"%d" % n + body
    return header("PaxHeaders/x", b"x", len(text)) + text.ljust(512, b"\0")


END = bytes(1024)
FILES = {
    "bad-absolute": header("/etc/passwd") + END,
    "bad-through-symlink": header("etc", b"2", link="/etc") + header("etc/passwd") + END,
    "bad-hard-link-outside": header("x", b"1", link="../../etc/shadow") + END,
    "bad-hard-link-to-nothing": header("x", b"1", link="etc/shadow") + END,
    "bad-huge-size": header("x", size=0o77777777777) + END,
    "bad-size-past-the-end": header("x", size=4096) + END,
    "bad-sparse-bomb": pax(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__name="x",
                           GNU__sparse__realsize="1099511627776") + header("x", size=512) + b"0\n".ljust(512, b"\0") + END,
    "bad-checksum": header("x", sum_off=1) + END,
    "bad-device": header("dev/sda", b"4") + END,
    "bad-file-twice": header("bin/su") + header("./bin/su", mode=0o4755) + END,
    "bad-overlay-xattr": pax(SCHILY__xattr__trusted__overlay__redirect="/etc") + header("x", b"5") + END,
    "bad-whiteout-as-device": header("x", b"3") + END,
    "bad-second-archive": header("x") + END + header("y") + END,
    "bad-no-end": header("x"),
}
for name, data in FILES.items():
    with open(name + ".tar", "wb") as f:
        f.write(data)

# What Docker and BuildKit write: pax by Go's archive/tar, a folder said twice, a capability on a file.
with tarfile.open("good-folder-twice.tar", "w", format=tarfile.PAX_FORMAT) as t:
    for name, mode in (("usr/", 0o755), ("usr/bin/", 0o755), ("usr/", 0o711)):
        i = tarfile.TarInfo(name)
        i.type, i.mode = tarfile.DIRTYPE, mode
        t.addfile(i)
    i = tarfile.TarInfo("usr/bin/ping")
    i.size, i.mode = 3, 0o755
    i.pax_headers = {"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x20"}
    t.addfile(i, io.BytesIO(b"elf"))
