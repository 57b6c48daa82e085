#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write the EK test files of this folder: public areas, certificates with each oddity, and roots.

DER is put together here by hand and signed by `openssl dgst`, so that the certificates are of another implementation than
the one that reads them, and may break rules that OpenSSL would not break. Keys are new each time and thrown away.
Run in this folder: /usr/bin/python3 make-ek.py
"""
import subprocess, tempfile

def run(*argv, data=b""):
    return subprocess.run(argv, input=data, stdout=subprocess.PIPE, check=True).stdout

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82, n >> 8, n & 255])
    return bytes([tag]) + size + body

def oid(text):
    v = [int(x) for x in text.split(".")]
    out = bytes([v[0] * 40 + v[1]])
    for x in v[2:]:
        part = [x & 127]
        while x > 127:
            x >>= 7
            part.insert(0, x & 127 | 128)
        out += bytes(part)
    return tlv(6, out)

def integer(v):
    return tlv(2, v.to_bytes(v.bit_length() // 8 + 1, "big"))

seq = lambda *p: tlv(0x30, *p)
name = lambda cn: seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, cn.encode()))))

class Key:
    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(suffix=".pem")
        run("openssl", "genrsa", "-out", self.file.name, "2048")
        self.n = int(run("openssl", "rsa", "-in", self.file.name, "-noout", "-modulus").split(b"=")[1], 16)

    def spki(self, kind="1.2.840.113549.1.1.1", params=b"\x05\x00"):
        return seq(seq(oid(kind), params), tlv(3, b"\0", seq(integer(self.n), integer(65537))))

    def sign(self, tbs, md):
        return run("openssl", "dgst", "-" + md, "-sign", self.file.name, data=tbs)

def ext(kind, value, critical=False):
    return seq(oid(kind), *([b"\x01\x01\xff"] if critical else []), tlv(4, value))

BASIC, USAGE, SAN, EKU = "2.5.29.19", "2.5.29.15", "2.5.29.17", "2.5.29.37"
NOT_CA = ext(BASIC, seq(), True)
CA = ext(BASIC, seq(b"\x01\x01\xff"), True)
ENCIPHER = ext(USAGE, b"\x03\x02\x05\x20", True)
SIGNS = ext(USAGE, b"\x03\x02\x07\x80", True)
EK = ext(EKU, seq(oid("2.23.133.8.1")))
TLS = ext(EKU, seq(oid("1.3.6.1.5.5.7.3.1")))
TPM = lambda n, v: seq(oid("2.23.133.2." + n), tlv(12, v))
ATTRIBUTES = sorted([TPM("1", b"id:00001014"), TPM("2", b"swtpm"), TPM("3", b"id:20191023")])
RDN, BAD_RDN = tlv(0x31, *ATTRIBUTES), tlv(0x31, *reversed(ATTRIBUTES))
san = lambda rdn: ext(SAN, seq(tlv(0xa4, seq(rdn))), True)
GOOD = [NOT_CA, ENCIPHER, EK, san(RDN)]
serial = [0]

def cert(subject, spki, issuer, key, exts, md="sha256", until="99991231235959Z", since="20200101000000Z"):
    serial[0] += 1
    alg = seq(oid({"sha256": "1.2.840.113549.1.1.11", "sha1": "1.2.840.113549.1.1.5"}[md]), b"\x05\x00")
    tbs = seq(tlv(0xa0, b"\x02\x01\x02"), integer(serial[0]), alg, issuer,
              seq(tlv(0x18, since.encode()), tlv(0x18, until.encode())), subject, spki, tlv(0xa3, seq(*exts)))
    return seq(tbs, alg, tlv(3, b"\0", key.sign(tbs, md)))

def write(path, data):
    with open(path, "wb") as f:
        f.write(data)

def pem(der):
    import base64
    text = base64.b64encode(der).decode()
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + "\n-----END CERTIFICATE-----\n"

# 2.5 B.3.3: everything before the modulus, with the size of the TPM2B
L1 = bytes.fromhex("013a0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
                   "00060080004300100800000000000100")
ROOT, OTHER, MIDDLE = name("EK root"), name("another root"), name("EK intermediate")
root, other, middle, ek, stranger = Key(), Key(), Key(), Key(), Key()
write("good-ek-public.bin", L1 + ek.n.to_bytes(256, "big"))

# A modulus of the ROCA form k * M + (65537 ** a mod M): M is the product of the first primes (CVE-2017-15361).
M, primes, c = 1, 0, 2
while primes < 126:
    if all(c % d for d in range(2, int(c ** .5) + 1)):
        M, primes = M * c, primes + 1
    c += 1
roca = (1 << 2047) // M * M + M + pow(65537, 123456789, M)
roca += 0 if roca & 1 else M
write("bad-ek-public-roca.bin", L1 + roca.to_bytes(256, "big"))

sign_ca = [CA, ext(USAGE, b"\x03\x02\x02\x04", True)]
root_der = cert(ROOT, root.spki(), ROOT, root, sign_ca)
other_der = cert(OTHER, other.spki(), OTHER, other, sign_ca)
middle_der = cert(MIDDLE, middle.spki(), ROOT, root, sign_ca)
write("roots.pem", pem(root_der).encode())
write("other-roots.pem", pem(other_der).encode())
write("roots-with-intermediate.pem", (pem(root_der) + pem(middle_der)).encode())
write("bad-roots-malformed.pem", (pem(root_der) + pem(middle_der).replace("MII", "!!!", 1)).encode())

leaf = lambda exts=GOOD, spki=ek.spki(), **kw: cert(seq(), spki, ROOT, root, exts, **kw)
good = leaf()
write("good-ek.der", good)
write("good-ek-subject.der", cert(name("an EK"), ek.spki(), ROOT, root, [NOT_CA, ENCIPHER, EK]))
write("good-ek-nv-header.der", b"\x10\x01\x00" + (len(good) + 2).to_bytes(2, "big") + b"\x10\x02" + good)
write("good-ek-padding-ff.der", good + b"\xff" * 300)
write("good-ek-padding-00.der", good + b"\x00" * 300)
write("good-ek-oaep.der", leaf(spki=ek.spki("1.2.840.113549.1.1.7", seq())))
write("good-ek-rdn-order.der", leaf([NOT_CA, ENCIPHER, EK, san(BAD_RDN)]))
write("good-ek-intermediate.der", cert(seq(), ek.spki(), MIDDLE, middle, GOOD))
write("bad-ek-no-eku.der", leaf([NOT_CA, ENCIPHER, san(RDN)]))
write("bad-ek-tls-eku.der", leaf([NOT_CA, ENCIPHER, TLS, san(RDN)]))
write("bad-ek-ca.der", leaf([CA, ENCIPHER, EK, san(RDN)]))
write("bad-ek-signing-key.der", leaf([NOT_CA, SIGNS, EK, san(RDN)]))
write("bad-ek-no-usage.der", leaf([NOT_CA, EK, san(RDN)]))
write("bad-ek-other-key.der", leaf(spki=stranger.spki()))
write("bad-ek-other-root.der", cert(seq(), ek.spki(), OTHER, other, GOOD))
write("bad-ek-forged-issuer.der", cert(seq(), ek.spki(), ROOT, stranger, GOOD))
write("bad-ek-oaep-forged-issuer.der", cert(seq(), ek.spki("1.2.840.113549.1.1.7", seq()), ROOT, stranger, GOOD))
write("bad-ek-oaep-other-root.der", cert(seq(), ek.spki("1.2.840.113549.1.1.7", seq()), OTHER, other, GOOD))
write("bad-ek-oaep-other-key.der", leaf(spki=stranger.spki("1.2.840.113549.1.1.7", seq())))
write("bad-ek-oaep-expired.der", leaf(spki=ek.spki("1.2.840.113549.1.1.7", seq()), until="20210101000000Z"))
write("bad-ek-ecdh-key.der", leaf(spki=ek.spki("1.2.840.10045.2.1", oid("1.2.840.10045.3.1.7"))))
write("bad-ek-expired.der", leaf(until="20210101000000Z"))
write("bad-ek-sha1.der", leaf(md="sha1"))
write("bad-ek-unknown-critical.der", leaf(GOOD + [ext("1.3.6.1.4.1.99999.1", b"\x05\x00", True)]))
write("bad-ek-twice.der", leaf(GOOD + [TLS]))
write("bad-ek-garbage-behind.der", good + b"\xff" * 9 + b"\x30")
write("bad-ek-mixed-padding.der", good + b"\xff\x00")
write("bad-ek-cut.der", good[:-1])
write("bad-ek-not-a-certificate.der", seq(integer(1)))
write("bad-ek-signature-flipped.der", good[:-1] + bytes([good[-1] ^ 1]))
